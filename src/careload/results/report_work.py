"""Sections of the report page on work: who does what, the load of the staff, and what patients bear."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from careload.results.contrast import Findings
from careload.results.levels import Level, levels_of
from careload.results.report_bars import Scale, bar, drawing
from careload.results.report_cells import (
    fold,
    grade_cell,
    level_table,
    number_cell,
    plain,
    table,
)
from careload.results.report_markup import Markup, element, joined
from careload.results.workload import UNIT, Workload, workloads

__all__ = ["work_section"]

_SHOWN: Final = 16
"""Rows before the rest is folded away."""

_LEAST: Final = 0.005
"""Hours a week below which a change rounds to nothing."""

_BEFORE, _AFTER = "#9A9A9A", "#0072B2"
_TEAM: Final = ("Delegation", "Other staff")
_REST: Final = ("GP time", "Contacts", "Persons")


def work_section(findings: Findings) -> Markup:
    """Minutes by role and task, the load of the staff, and the trips of patients."""
    found = workloads(findings)
    tables = [
        _work_tables(findings, _changed(found, place), place, plain(contrast.world))
        for place, contrast in enumerate(findings.contrasts)
    ]
    if len(tables) > 1:
        tables = [
            fold(plain(contrast.world), one, printed=True)
            for contrast, one in zip(findings.contrasts, tables, strict=True)
        ]
    explained = element(
        "p",
        "Hours a working week of the whole practice. Overhead is what delegation itself asks of the GP: signing "
        "off, taking back, meeting. The hours of a GP add up to the time worked.",
    )
    return element(
        "section",
        element("h2", "Who does the work?"),
        explained,
        *tables,
        element("h3", "Load of the team and trips of patients"),
        level_table(findings, _levels(findings, _TEAM), "Team and trips"),
        fold(
            "GP time, contacts and persons",
            level_table(findings, _levels(findings, _REST), "GP time, contacts and persons"),
        ),
    )


def _changed(found: Sequence[Workload], place: int) -> list[Workload]:
    """What changes in a world by more than rounding; the work that changes most first, its roles together."""
    most: dict[str, float] = {}
    for one in found:
        most[one.work] = max(most.get(one.work, 0.0), abs(one.differences[place].value))
    changed = [one for one in found if abs(one.differences[place].value) >= _LEAST]
    return sorted(changed, key=lambda one: (-most[one.work], one.work, one.differences[place].value))


def _levels(findings: Findings, sections: Sequence[str]) -> list[tuple[str, list[Level]]]:
    """Measures by section."""
    known = levels_of(findings.baseline.totals)
    found = [(section, [level for level in known if level.section == section]) for section in sections]
    return [(section, levels) for section, levels in found if levels]


def _work_tables(findings: Findings, changed: Sequence[Workload], place: int, world: str) -> Markup:
    ends = [one.worlds[k].value for one in changed for k in (0, place + 1)]
    scale = Scale.over(ends)
    rows = [
        _work_row(findings, one, place, scale, number > 0 and changed[number - 1].work == one.work)
        for number, one in enumerate(changed)
    ]
    base = plain(findings.baseline.name)
    head = element(
        "thead",
        element(
            "tr",
            element("th", "work", scope="col"),
            element("th", "who", scope="col"),
            element(
                "th",
                element("span", class_="swatch", style=f"background:{_BEFORE}"),
                f" {base} ",
                element("span", class_="swatch", style=f"background:{_AFTER}"),
                f" {world}",
                scope="col",
            ),
            element("th", base, scope="col", class_="num"),
            element("th", world, scope="col", class_="num"),
            element("th", "change", scope="col", class_="num"),
            element("th", "grade", scope="col"),
        ),
    )
    caption = f"Work that changes most, {UNIT}, mean and 95 % interval"
    first = table(head, rows[:_SHOWN], caption, "chart work")
    if len(rows) <= _SHOWN:
        return first
    rest = table(head, rows[_SHOWN:], f"Work that changes less, {UNIT}", "chart work")
    return joined(first, fold(f"{len(rows) - _SHOWN} more kinds of work that change", rest))


def _work_row(findings: Findings, one: Workload, place: int, scale: Scale, again: bool) -> Markup:
    before, after, less = one.worlds[0], one.worlds[place + 1], one.differences[place]
    marks = (
        bar(scale, 0.0, before.value, _BEFORE, False, "18%", "30%"),
        bar(scale, 0.0, after.value, _AFTER, after.grade == "D", "52%", "30%"),
    )
    return element(
        "tr",
        element("th", one.label, scope="row", title=_title(findings, one), class_="again" if again else ""),
        element("td", _role(findings, one.role), class_="who"),
        element("td", drawing(scale, *marks), class_="draw"),
        *map(number_cell, (before, after, less)),
        grade_cell([less]),
    )


def _title(findings: Findings, one: Workload) -> str:
    """Group of the work, and what it is called in the other languages."""
    task = findings.baseline.study.tasks.get(one.work)
    others = [name for language, name in task.label.items() if language != "en"] if task else []
    return " · ".join([one.group, *others])


def _role(findings: Findings, role: str) -> str:
    """Label of a role in some world that has it."""
    known = (world.study.roles for world in findings.worlds if role in world.study.roles)
    return next(known)[role].label["en"]
