"""Cells of the tables of the report page: numbers with interval, unit and grade."""

from __future__ import annotations

import math
from collections.abc import Sequence

from careload.results.contrast import Findings, World
from careload.results.estimate import NOTHING, Estimate
from careload.results.levels import Level
from careload.results.measures import GRADES, worst_grade
from careload.results.report_markup import Markup, element, joined
from careload.results.sentences import signed
from careload.results.waterfall import ASSUMED

__all__ = [
    "described",
    "fold",
    "grade_cell",
    "group_row",
    "heading_row",
    "interval",
    "level_table",
    "number_cell",
    "plain",
    "table",
]


def interval(one: Estimate, turned: bool = False, decimals: int | None = None) -> Markup:
    """A number and its interval; `turned` shows a cost in the sign in which it is drawn."""
    places = one.decimals if decimals is None else decimals
    value, low, high = (-one.value, -one.high, -one.low) if turned else (one.value, one.low, one.high)
    if math.isnan(value):
        return element("span", NOTHING, class_="ci")
    if value == low == high == 0:
        return element("span", "0", class_="n")
    ends = "no interval" if math.isnan(low) else f"{signed(low, places)} to {signed(high, places)}"
    return joined(
        element("span", signed(value, places), class_="n"), " ", element("span", f"({ends})", class_="ci")
    )


def number_cell(one: Estimate, turned: bool = False) -> Markup:
    """A cell that holds a number and its interval."""
    return element("td", interval(one, turned), class_="num")


def grade_cell(found: Sequence[Estimate]) -> Markup:
    """Worst grade of a row; D is hatched."""
    grade = worst_grade([one.grade for one in found])
    meaning = ASSUMED if grade == "D" else GRADES[grade]
    return element("td", element("span", grade, class_=f"grade {grade}", title=meaning), class_="g")


def heading_row(*cells: str) -> Markup:
    """The head of a table; all but the first column hold numbers."""
    first, *others = cells
    return element(
        "thead",
        element(
            "tr",
            element("th", first, scope="col"),
            *(element("th", cell, scope="col", class_="g" if cell == "grade" else "num") for cell in others),
        ),
    )


def table(head: Markup, rows: Sequence[Markup], caption: str, kind: str = "plain") -> Markup:
    """A table that scrolls by itself where the page is narrow."""
    return element(
        "div",
        element("table", element("caption", caption), head, element("tbody", *rows), class_=kind),
        class_="scroll",
    )


def level_table(findings: Findings, groups: Sequence[tuple[str, Sequence[Level]]], caption: str) -> Markup:
    """Measures of every world, and the differences: in a column, or with more than two worlds below each level.

    Parameters
    ----------
    findings : Findings
    groups : sequence of (str, sequence of Level)
        Headings and the measures below them.
    caption : str
    """
    contrasts, several = findings.contrasts, len(findings.contrasts) > 1
    names = [plain(world.name) for world in findings.worlds]
    if several:
        names[1:] = [f"{name}, change from {names[0]}" for name in names[1:]]
    else:
        names += ["change"]
    rows = []
    for heading, levels in groups:
        rows.append(group_row(heading, len(names) + 2))
        for level in levels:
            found = [world.levels[level.name] for world in findings.worlds]
            changes = [contrast.differences[level.name] for contrast in contrasts]
            if several:
                cells = [number_cell(found[0]), *map(_cell_with_change, found[1:], changes)]
            else:
                cells = [*map(number_cell, (*found, *changes))]
            label = joined(level.label.strip(), element("small", f" {level.unit}"))
            indent = "sub" if level.label.startswith(" ") else "row"
            head = element("th", label, scope="row", class_=indent, title=level.description)
            rows.append(element("tr", head, *cells, grade_cell([*found, *changes])))
    return table(heading_row("", *names, "grade"), rows, caption)


def _cell_with_change(level: Estimate, change: Estimate) -> Markup:
    """A level, and below it by how much it differs from the baseline."""
    if math.isnan(level.value):
        return number_cell(level)
    sign = "+" if round(change.value, change.decimals) > 0 else ""
    below = element("div", sign, interval(change), class_="change")
    return element("td", interval(level), below, class_="num")


def group_row(heading: str, columns: int) -> Markup:
    """A heading between the rows of a table."""
    return element("tr", element("th", heading, colspan=str(columns), scope="colgroup"), class_="group")


def fold(title: str, *content: Markup, printed: bool = False) -> Markup:
    """Something to open by hand; what is `printed` is printed open."""
    return element("details", element("summary", title), *content, class_="printed" if printed else "kept")


def plain(name: str) -> str:
    """A name of a file or a key as words."""
    return name.replace("_", " ")


def described(world: World, findings: Findings) -> str:
    """What a world is: the choices that tell it from the others, by their labels."""
    telling = [
        group
        for group in world.study.labels
        if len({other.study.choices.get(group) for other in findings.worlds}) > 1
    ]
    labels = [world.study.labels[group].label["en"] for group in telling or ["practice"]]
    return "; ".join(labels)
