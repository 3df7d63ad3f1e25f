"""Section of the report page on released time: its steps as bars, with the two bands around them."""

from __future__ import annotations

import math

from careload.results.contrast import Contrast, Findings
from careload.results.report import inputs_range, signed
from careload.results.report_bars import Scale, axis, band, bar, drawing, rule, whisker
from careload.results.report_cells import fold, grade_cell, group_row, number_cell, plain, table
from careload.results.report_markup import Markup, element, joined
from careload.results.tornado import inputs_band
from careload.results.waterfall import ASSUMED, COLOURS, Step, along, interval_of, steps

__all__ = ["released_section"]

_UNVARIED = (math.nan, math.nan)


def released_section(findings: Findings) -> Markup:
    """What moved, what it costs, what is left and where it went, for every contrast."""
    charts = [_waterfall(findings, contrast) for contrast in findings.contrasts]
    if len(charts) > 1:
        charts = [
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
    listed = list(steps(contrast))
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
            rows.append(group_row(step.heading, 5))
        after = listed[number + 1] if number + 1 < len(listed) else None
        rows.append(_step_row(step, scale, inputs[number], placed[number], after))
    ends = element(
        "tr",
        element("td"),
        element("td", axis(scale, "hours in a working week, per GP"), class_="draw"),
        *(element("td") for _ in range(3)),
        class_="axis",
    )
    names = ("h/week per GP", "(chance, 95 %)"), ("inputs", "(one at a time)")
    head = element(
        "thead",
        element(
            "tr",
            element("th", "step", scope="col"),
            element("th", "", scope="col"),
            *(element("th", first, " ", second, scope="col", class_="num") for first, second in names),
            element("th", "grade", scope="col", class_="g"),
        ),
    )
    caption = f"GP time released in {plain(contrast.world)} against {plain(contrast.against)}"
    chart = table(head, [*rows, ends], caption, "chart")
    said = inputs_range(findings, contrast)
    return joined(chart, element("p", f"{said}.", class_="key")) if said else chart


def _inputs_of(findings: Findings, contrast: Contrast, step: Step) -> tuple[float, float]:
    """Least and most length of a step over the inputs; not a number for task groups, which are not varied."""
    name = step.estimate.quantity
    known = name in contrast.parts and inputs_band(findings, contrast, name)
    return known or _UNVARIED


def _step_row(
    step: Step, scale: Scale, inputs: tuple[float, float], placed: tuple[float, float], after: Step | None
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
        element("td", _range(inputs, turned), class_="num ci"),
        grade_cell([one]),
    )


def _range(inputs: tuple[float, float], turned: bool) -> str:
    if math.isnan(inputs[0]):
        return ""
    low, high = (-inputs[1], -inputs[0]) if turned else inputs
    return f"{signed(low, 2)} to {signed(high, 2)}"
