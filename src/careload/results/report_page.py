"""One page for a comparison: a self-contained HTML file that opens without a network and prints on A4."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Final

from careload.results.contrast import PATH_LIMIT, Contrast, Findings
from careload.results.estimate import Estimate
from careload.results.folders import replacing
from careload.results.levels import LEVELS
from careload.results.report import finding, plan_line, signed
from careload.results.report_bars import HATCH, Scale, axis, bar, drawing, rule, whisker
from careload.results.report_cells import (
    described,
    fold,
    grade_cell,
    heading_row,
    interval,
    level_table,
    number_cell,
    plain,
    table,
)
from careload.results.report_grounds import all_numbers, assumed_section, method_section, unmodelled_section
from careload.results.report_markup import Markup, element, joined
from careload.results.report_work import work_section
from careload.results.waterfall import ASSUMED, COLOURS, Step, interval_of, steps

__all__ = ["PAGE_NAME", "page", "write_page"]

PAGE_NAME: Final = "report.html"

_ACCESS: Final = "Access and safety"
_GLANCE: Final = ("gp_worked", "wait_days", "missed_urgent", "unmet")
"""Measures beside released time at the head of a page; time never stands without safety."""


def write_page(findings: Findings, folder: Path) -> Path:
    """Write the page of a comparison; it takes its place at once.

    Returns
    -------
    Path
    """
    path = folder / PAGE_NAME
    with replacing(path) as temporary:
        temporary.write_text(page(findings), encoding="utf-8")
    return path


def page(findings: Findings) -> str:
    """The page of a comparison as HTML.

    Parameters
    ----------
    findings : Findings
        With at least one world beside the baseline.

    Returns
    -------
    str
    """
    sections = (
        _released_section(findings),
        _access_section(findings),
        work_section(findings),
        assumed_section(findings),
        unmodelled_section(),
        method_section(findings),
        all_numbers(findings),
    )
    body = element("body", HATCH, element("main", _head(findings), *sections))
    style = Markup(files("careload.results").joinpath("report.css").read_text(encoding="utf-8"))
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", f"careload: {_title(findings)}"),
        element("style", style),
    )
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"


def _title(findings: Findings) -> str:
    if findings.scenario is not None:
        return findings.scenario.label["en"]
    return " and ".join(plain(contrast.world) for contrast in findings.contrasts)


def _head(findings: Findings) -> Markup:
    """The finding, the question, and the numbers to take home."""
    contrasts = findings.contrasts
    question = findings.scenario.question["en"] if findings.scenario else ""
    if len(contrasts) == 1:
        title, under = f"{finding(findings, contrasts[0])}.", element("p", question, class_="question")
        glance = _cards(findings, contrasts[0])
    else:
        title = question or _title(findings)
        under = element(
            "ul",
            *(element("li", f"{finding(findings, contrast)}.") for contrast in contrasts),
            class_="findings",
        )
        glance = _side_by_side(findings)
    worlds = element(
        "p",
        *(
            joined(element("b", plain(world.name)), f": {described(world, findings)}. ")
            for world in findings.worlds
        ),
        class_="worlds",
    )
    plan = element("p", f"{plan_line(findings)}.", class_="plan")
    warnings = [_warning(contrast) for contrast in contrasts if contrast.decided_by_path]
    return element("header", element("h1", title), under, worlds, plan, *warnings, glance)


def _warning(contrast: Contrast) -> Markup:
    share = contrast.checks["path_share"].value
    text = (
        f"Path divergence, not cause, decides the class of {share:.1%} of GP time in {plain(contrast.world)} "
        f"(more than {PATH_LIMIT:.0%}): read the parts of the released time with care."
    )
    return element("p", text, class_="warning", role="note")


def _cards(findings: Findings, contrast: Contrast) -> Markup:
    """Released and taken home, and beside them what it means for patients."""
    before, after = findings.baseline.levels, findings.world(contrast.world).levels
    cards = [_part_card(contrast.parts["released"]), _part_card(contrast.parts["home"])]
    for name in _GLANCE[1:]:
        cards.append(_level_card(before[name], after[name], contrast.differences[name]))
    return element("div", *cards, class_="cards")


def _part_card(one: Estimate) -> Markup:
    return element(
        "div",
        element("div", one.label, class_="what"),
        element("div", signed(one.value, 1), class_="big"),
        element("div", one.unit, class_="unit"),
        element("div", interval(one), class_="small"),
        class_=f"card {one.grade}",
    )


def _level_card(before: Estimate, after: Estimate, less: Estimate) -> Markup:
    one, other = (signed(end.value, before.decimals) for end in (before, after))
    return element(
        "div",
        element("div", before.label, class_="what"),
        element("div", f"{one} → {other}", class_="big"),
        element("div", before.unit, class_="unit"),
        element("div", "change ", interval(less), class_="small"),
        class_=f"card {less.grade}",
    )


def _side_by_side(findings: Findings) -> Markup:
    """Time and safety of several worlds, one row each."""
    contrasts, base = findings.contrasts, findings.baseline
    levels = [next(level for level in LEVELS if level.name == name) for name in _GLANCE]
    head = heading_row(
        "world, less the baseline",
        "released, h/week per GP",
        "taken home, h/week per GP",
        *(f"{level.label}, {level.unit}" for level in levels),
    )
    first = element(
        "tr",
        element("th", f"{plain(base.name)} (baseline)", scope="row"),
        *(element("td", "–", class_="num") for _ in range(2)),
        *(element("td", interval(base.levels[level.name]), class_="num") for level in levels),
    )
    rows = [
        element(
            "tr",
            element("th", plain(contrast.world), scope="row"),
            *(element("td", interval(contrast.parts[name]), class_="num") for name in ("released", "home")),
            *(element("td", interval(contrast.differences[level.name]), class_="num") for level in levels),
        )
        for contrast in contrasts
    ]
    return table(head, [first, *rows], "Time beside safety. Mean and 95 % interval of chance.")


def _released_section(findings: Findings) -> Markup:
    charts = []
    for contrast in findings.contrasts:
        chart = joined(_waterfall(contrast))
        alone = len(findings.contrasts) == 1
        charts.append(
            chart
            if alone
            else fold(f"{plain(contrast.world)} against {plain(contrast.against)}", chart, printed=True)
        )
    key = element(
        "p",
        element("span", class_="swatch hatched"),
        f" grade D: {ASSUMED}. ",
        element("span", class_="swatch chance"),
        " chance, 95 % over replications. ",
        class_="key",
    )
    explained = element(
        "p",
        "Released time is GP work moved to others or no longer needed, less what the change costs the GP. "
        "Usable gaps are idle pieces of twenty minutes or more, crumbs shorter ones and breaks. Only what is "
        "taken home shortens the week.",
    )
    return element("section", element("h2", "Where did the released time go?"), explained, key, *charts)


def _waterfall(contrast: Contrast) -> Markup:
    listed = list(steps(contrast))
    scale = Scale.over(x for step in listed for x in (step.start, step.end, *interval_of(step)))
    rows: list[Markup] = []
    for number, step in enumerate(listed):
        if step.heading:
            rows.append(
                element("tr", element("th", step.heading, colspan="4", scope="colgroup"), class_="group")
            )
        rows.append(
            _step_row(contrast, step, scale, listed[number + 1] if number + 1 < len(listed) else None)
        )
    ends = element(
        "tr",
        element("td"),
        element("td", axis(scale, "hours in a working week, per GP"), class_="draw"),
        element("td"),
        element("td"),
        class_="axis",
    )
    head = element(
        "thead",
        element(
            "tr",
            element("th", "step"),
            element("th", ""),
            element("th", "h/week per GP (95 %)", class_="num"),
            element("th", "grade"),
        ),
    )
    caption = f"GP time released in {plain(contrast.world)} against {plain(contrast.against)}"
    return table(head, [*rows, ends], caption, "chart")


def _step_row(contrast: Contrast, step: Step, scale: Scale, after: Step | None) -> Markup:
    one = step.estimate
    marks = [
        bar(scale, step.start, step.end, COLOURS[step.kind], one.grade == "D"),
        whisker(scale, *interval_of(step)),
    ]
    if after is not None and after.start == step.end and not after.heading:
        marks.append(rule(scale, step.end, "76%", "100%"))
    if step.start and not step.heading:
        marks.append(rule(scale, step.start, "0%", "24%"))
    name = element("b", step.label) if step.kind == "released" else step.label
    return element(
        "tr",
        element("th", name, scope="row"),
        element("td", drawing(scale, *marks), class_="draw"),
        number_cell(one, turned=step.kind == "cost"),
        grade_cell([one]),
    )


def _access_section(findings: Findings) -> Markup:
    chosen = [
        level for level in LEVELS if level.section == _ACCESS and level.name in findings.baseline.levels
    ]
    note = element(
        "p",
        "Waits are of patients who ask for a place themselves. Whether a closed call or a later visit harms "
        "anybody is not modelled: read time and missed urgent requests together.",
    )
    return element(
        "section",
        element("h2", "Do patients wait longer, and is it safe?"),
        note,
        level_table(findings, chosen, "Access and safety"),
    )
