"""Section of the report page on inputs: which of them move the answer, and what they rest on."""

from __future__ import annotations

from typing import Any, Final

from careload.inputs.study import Study
from careload.results.contrast import Contrast, Findings
from careload.results.report_bars import Scale, axis, bar, drawing, rule
from careload.results.report_cells import fold, interval, plain, table
from careload.results.report_markup import Markup, element, joined
from careload.results.sentences import SAFETY
from careload.results.spread import InputSpread
from careload.results.tornado import Swing, estimate_of, swings
from careload.results.waterfall import HIGH_END, LOW_END

__all__ = ["influential_inputs", "inputs_section"]

_MOST_SHOWN: Final = 10


def inputs_section(findings: Findings) -> Markup:
    """A tornado of released time for every contrast, and of safety where first contact differs."""
    title = element("h2", "Which inputs move the answer?")
    if not findings.spread:
        said = "The inputs were not varied in this run: the intervals above hold chance only."
        return element("section", title, element("p", said))
    charts = []
    for contrast in findings.contrasts:
        outcomes = ["released", "home"]
        if any(swing.least != swing.most for swing in swings(findings, contrast, SAFETY)):
            outcomes.append(SAFETY)
        drawn = [_tornado(findings, contrast, outcome) for outcome in outcomes]
        others = [
            fold(_caption(contrast, one), two) for one, two in zip(outcomes[1:], drawn[1:], strict=True)
        ]
        if len(findings.contrasts) > 1:
            name = f"{plain(contrast.world)} against {plain(contrast.against)}"
            charts.append(fold(name, drawn[0], *others, printed=True))
        else:
            charts += [drawn[0], *others]
    explained = element(
        "p",
        "Each row takes one input to the low and the high end of its declared range, in all worlds that have it, "
        "with the same patients and the same luck; all other inputs stay. The ends are no forecast: inputs move "
        "together in ways nobody has measured.",
    )
    key = element(
        "p",
        element("span", class_="swatch", style=f"background:{LOW_END}"),
        " at the low end of the input ",
        element("span", class_="swatch", style=f"background:{HIGH_END}"),
        " at its high end. The line is the run itself.",
        class_="key",
    )
    return element("section", title, explained, key, *charts)


def _caption(contrast: Contrast, outcome: str) -> str:
    one = estimate_of(contrast, outcome)
    change = "" if outcome in contrast.parts else ", change"
    return f"{one.label}{change}, {one.unit}, {plain(contrast.world)}"


def _tornado(findings: Findings, contrast: Contrast, outcome: str) -> Markup:
    found = [swing for swing in swings(findings, contrast, outcome) if swing.least != swing.most]
    one = estimate_of(contrast, outcome)
    scale = Scale.around(one.value, [x for swing in found for x in (swing.least, swing.most)])
    rows = [_row(swing, scale) for swing in found]
    ends = element(
        "tr",
        element("td"),
        element("td", axis(scale, one.unit), class_="draw"),
        *(element("td") for _ in range(3)),
    )
    columns = ("input", "", "at the low end", "at the high end", "")
    cells = (
        element("th", name, scope="col", class_="num" if name.startswith("at") else "") for name in columns
    )
    head = element("thead", element("tr", *cells))
    return table(head, [*rows, ends], _caption(contrast, outcome), "chart tornado")


def _row(swing: Swing, scale: Scale) -> Markup:
    spread, assumed = swing.spread, swing.spread.status == "assumed"
    marks = (
        bar(scale, swing.centre, swing.low.value, LOW_END, assumed),
        bar(scale, swing.centre, swing.high.value, HIGH_END, assumed),
        rule(scale, swing.centre, "0%", "100%"),
    )
    sign = "changes sign" if swing.changes_sign else ""
    name = joined(spread.label, element("small", f" {_ends(spread)}"))
    return element(
        "tr",
        element("th", name, scope="row", title=_title(spread)),
        element("td", drawing(scale, *marks), class_="draw"),
        element("td", interval(swing.low), class_="num"),
        element("td", interval(swing.high), class_="num"),
        element("td", element("small", sign)),
    )


def influential_inputs(findings: Findings) -> Markup:
    """What the inputs that move released time most rest on: value, range, status, source."""
    chosen: dict[str, tuple[InputSpread, Study, float]] = {}
    for contrast in findings.contrasts:
        study = findings.world(contrast.world).study
        for swing in swings(findings, contrast):
            size = swing.most - swing.least
            known = chosen.get(swing.spread.key)
            if known is None or size > known[2]:
                chosen[swing.spread.key] = (swing.spread, study, size)
    ordered = sorted(chosen.values(), key=lambda one: -one[2])[:_MOST_SHOWN]
    rows = [
        element(
            "tr",
            element(
                "th",
                spread.label,
                element("small", f" {spread.key}"),
                scope="row",
                title=_title(spread),
            ),
            element("td", _ends(spread)),
            element("td", spread.status),
            element("td", _titles(study, spread.key)),
        )
        for spread, study, _ in ordered
    ]
    if not rows:
        return Markup("")
    columns = ("input", "value (range)", "status", "source")
    head = element("thead", element("tr", *(element("th", name, scope="col") for name in columns)))
    return table(head, rows, "The inputs that move released time most, and what they rest on")


def _title(spread: InputSpread) -> str:
    """Key of an input, and what it is called in the other languages."""
    return " · ".join([spread.key, *spread.others])


def _ends(spread: InputSpread) -> str:
    *values, unit = spread.shown
    value, low, high = map(_value, values)
    return f"{value} ({low} to {high}) {unit}".strip()


def _titles(study: Study, key: str) -> str:
    sources = study.quantity(key).sources if study.has(key) else ()
    return "; ".join(study.sources[one].title if one in study.sources else one for one in sources)


def _value(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(_value(one) for one in value)
    return f"{value:g}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)
