"""Section of the report page on released time: its steps as bars, with the two bands around them."""

from __future__ import annotations

import math

from careload.results.contrast import Contrast, Findings
from careload.results.report_bars import Scale, axis, band, bar, drawing, rule, whisker
from careload.results.report_cells import fold, grade_cell, group_row, number_cell, plain, table
from careload.results.report_markup import Markup, element, joined
from careload.results.sentences import inputs_range, signed, world_label
from careload.results.tornado import inputs_band
from careload.results.waterfall import ASSUMED, COLOURS, DESTINATIONS, Step, along, interval_of, steps

__all__ = ["released_section"]

_UNVARIED = (math.nan, math.nan)


def released_section(findings: Findings) -> Markup:
    """What moved, what it costs, what is left and where it went, for every contrast."""
    charts = [_waterfall(findings, contrast) for contrast in findings.contrasts]
    if len(charts) > 1:
        charts = [_overview(findings)] + [
            fold(f"{plain(contrast.world)} against {plain(contrast.against)}", chart, printed=True)
            for contrast, chart in zip(findings.contrasts, charts, strict=True)
        ]
    explained = element(
        "p",
        "Released time is GP work moved to others or no longer needed, less what the change costs the GP. "
        "Usable gaps are idle pieces of twenty minutes or more, crumbs shorter ones and breaks. Only what is "
        "taken home shortens the week.",
    )
    title = element("h2", "Where did the released time go?")
    return element("section", title, explained, _key(findings), *charts)


def _key(findings: Findings) -> Markup:
    """What the marks mean."""
    said = [
        joined(element("span", class_="swatch hatched"), f" grade D: {ASSUMED}. "),
        joined(element("span", class_="swatch chance"), " chance: 95 % over replications. "),
    ]
    if findings.spread:
        words = " inputs: one at a time over its declared range, least to most. "
        said.append(joined(element("span", class_="swatch inputs"), words))
    else:
        said.append(Markup("Simulation only: the inputs were not varied."))
    return element("p", *said, class_="key")


def _waterfall(findings: Findings, contrast: Contrast) -> Markup:
    listed, varied = list(steps(contrast)), bool(findings.spread)
    inputs = [_inputs_of(findings, contrast, step) for step in listed]
    placed = [along(step, *ends) for step, ends in zip(listed, inputs, strict=True)]
    scale = Scale.over(
        x
        for step, ends in zip(listed, placed, strict=True)
        for x in (step.start, step.end, *interval_of(step), *ends)
    )
    rows: list[Markup] = []
    for number, step in enumerate(listed):
        if step.heading:
            rows.append(group_row(step.heading, 5 if varied else 4))
        after = listed[number + 1] if number + 1 < len(listed) else None
        shown = inputs[number] if varied else None
        rows.append(_step_row(step, scale, shown, placed[number], after))
    ends = element(
        "tr",
        element("td"),
        element("td", axis(scale, "hours in a working week, per GP"), class_="draw"),
        *(element("td") for _ in range(3 if varied else 2)),
        class_="axis",
    )
    names = ["h/week per GP (chance, 95 %)", *(["inputs (one at a time)"] if varied else [])]
    head = element(
        "thead",
        element(
            "tr",
            element("th", "step", scope="col"),
            element("th", "", scope="col"),
            *(element("th", name, scope="col", class_="num") for name in names),
            element("th", "grade", scope="col", class_="g"),
        ),
    )
    caption = f"GP time released in {plain(contrast.world)} against {plain(contrast.against)}"
    chart = table(head, [*rows, ends], caption, "chart")
    said = inputs_range(findings, contrast)
    return joined(chart, element("p", f"{said}.", class_="key")) if said else chart


def _overview(findings: Findings) -> Markup:
    """Where released time went, one row per world."""
    contrasts = findings.contrasts
    scale = Scale.over(end for contrast in contrasts for end in _ends(contrast))
    names = ("released", *DESTINATIONS)
    swatches = [
        joined(
            element("span", class_="swatch", style=f"background:{COLOURS[name]}"),
            " ",
            contrasts[0].parts[name].label,
        )
        for name in names
    ]
    columns = (
        element("th", "against the baseline, h/week per GP", scope="col"),
        element("th", "", scope="col"),
        *(element("th", name, scope="col", class_="num") for name in swatches),
    )
    rows = [
        element(
            "tr",
            element("th", world_label(findings, contrast.world), scope="row"),
            element("td", drawing(scale, *_stacked(contrast, scale)), class_="draw"),
            *(number_cell(contrast.parts[name]) for name in names),
        )
        for contrast in contrasts
    ]
    ends = element(
        "tr",
        element("td"),
        element("td", axis(scale, "hours in a working week, per GP"), class_="draw"),
        *(element("td") for _ in names),
    )
    head = element("thead", element("tr", *columns))
    return table(head, [*rows, ends], "Destinations of released time, world by world", "chart side wide")


def _ends(contrast: Contrast) -> tuple[float, float]:
    """Sum of the destinations below zero, and of those above."""
    values = [contrast.parts[name].value for name in DESTINATIONS]
    return sum(min(value, 0.0) for value in values), sum(max(value, 0.0) for value in values)


def _stacked(contrast: Contrast, scale: Scale) -> list[Markup]:
    """Destinations end to end, those below zero to the left."""
    left, right = 0.0, 0.0
    marks = []
    for name in DESTINATIONS:
        one = contrast.parts[name]
        start = right if one.value > 0 else left
        marks.append(bar(scale, start, start + one.value, COLOURS[name], one.grade == "D"))
        left, right = left + min(one.value, 0.0), right + max(one.value, 0.0)
    return marks


def _inputs_of(findings: Findings, contrast: Contrast, step: Step) -> tuple[float, float]:
    """Least and most length of a step over the inputs; not a number for task groups, which are not varied."""
    name = step.estimate.quantity
    known = name in contrast.parts and inputs_band(findings, contrast, name)
    return known or _UNVARIED


def _step_row(
    step: Step,
    scale: Scale,
    inputs: tuple[float, float] | None,
    placed: tuple[float, float],
    after: Step | None,
) -> Markup:
    one, turned = step.estimate, step.kind == "cost"
    marks = [bar(scale, step.start, step.end, COLOURS[step.kind], one.grade == "D")]
    if not math.isnan(placed[0]):
        marks.append(band(scale, *placed))
    marks.append(whisker(scale, *interval_of(step)))
    if after is not None and after.start == step.end and not after.heading:
        marks.append(rule(scale, step.end, "70%", "100%"))
    if step.start and not step.heading:
        marks.append(rule(scale, step.start, "0%", "18%"))
    name = element("b", step.label) if step.kind == "released" else step.label
    return element(
        "tr",
        element("th", name, scope="row"),
        element("td", drawing(scale, *marks), class_="draw"),
        number_cell(one, turned=turned),
        *([] if inputs is None else [element("td", _range(inputs, turned), class_="num ci")]),
        grade_cell([one]),
    )


def _range(inputs: tuple[float, float], turned: bool) -> str:
    if math.isnan(inputs[0]):
        return ""
    low, high = (-inputs[1], -inputs[0]) if turned else inputs
    return f"{signed(low, 2)} to {signed(high, 2)}"
