"""Sections of the report page on what the answer rests on: assumptions, law, method, and all numbers."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

import careload
from careload.inputs.quantity import STATUSES, UNITS
from careload.results.contrast import Findings, World
from careload.results.measures import GRADES
from careload.results.provenance import command_line, source_commit
from careload.results.report_cells import described, fold, group_row, heading_row, number_cell, plain, table
from careload.results.report_inputs import influential_inputs
from careload.results.report_markup import Markup, element, joined
from careload.results.sentences import intervals_line, targets_line, what_if_lines
from careload.results.targets import ROLES, targets_of
from careload.results.waterfall import ASSUMED

__all__ = ["NOT_MODELLED", "all_numbers", "assumed_section", "method_section", "unmodelled_section"]

NOT_MODELLED: Final = (
    "Health, hospital use, quality of a contact, whether closing a call was right.",
    "Money: fees, capitation, wages, co-payments.",
    "Several telephone lines, preference for one GP, urgency among desk work. Callers wait as long as it takes, and "
    "nobody hangs up; where the GP answers between two patients, that wait is in the telephone wait.",
    "Vacancy, training and first months of staff; leave and illness of single people.",
    "Work at night and at weekends, and colleagues' cover during leave.",
    "Several practices side by side, people without a GP, retirement, a whole country.",
    "Refill of released time by new patients, drift of scope, any reply of the GP other than trust.",
    "Spread over pictures of Belgium, and over several inputs at once.",
)
"""What no number of a page holds; docs/model.md says the same."""


def assumed_section(findings: Findings) -> Markup:
    """How much is assumed, what the law refused, and what measured figures say."""
    return element(
        "section",
        element("h2", "What is assumed?"),
        _status_table(findings.worlds),
        _grades(),
        influential_inputs(findings),
        _refused(findings.worlds),
        _measured(findings.baseline),
        fold(
            f"{plain(findings.baseline.name)} beside what is measured",
            _target_table(findings.baseline),
            printed=True,
        ),
    )


def _status_table(worlds: Iterable[World]) -> Markup:
    rows = []
    for world in worlds:
        counts = world.study.share_assumed()
        total = sum(counts.values())
        share = f"{counts['assumed'] / total:.0%}" if total else "–"
        cells = (str(counts[status]) for status in STATUSES)
        rows.append(
            element(
                "tr",
                element("th", plain(world.name), scope="row"),
                *(element("td", cell, class_="num") for cell in (*cells, str(total), share)),
            )
        )
    head = heading_row("inputs of", *STATUSES, "all", "assumed, share")
    caption = "Inputs by status. `careload evidence --status assumed` lists them with range and source."
    return table(head, rows, caption)


def _grades() -> Markup:
    said = [
        joined(element("span", grade, class_=f"grade {grade}"), f" {ASSUMED if grade == 'D' else meaning}")
        for grade, meaning in GRADES.items()
    ]
    words = [joined(one, ". " if one is said[-1] else "; ") for one in said]
    return element("p", "Grades: ", *words, "A number takes the worst grade in its chain.", class_="key")


def _refused(worlds: Sequence[World]) -> Markup:
    what_if = joined(*(element("p", line) for line in what_if_lines(worlds)))
    refused = {(one.role, one.task): one.text for world in worlds for one in world.study.refused}
    if not refused:
        return joined(element("p", "The law refused nothing that the protocols ask."), what_if)
    names = {name: task.words for world in worlds for name, task in world.study.tasks.items()}
    by_text: dict[tuple[str, str], list[str]] = {}
    for (role, task), text in refused.items():
        by_text.setdefault((role, text), []).append(names[task])
    items = [
        element("li", element("b", f"{plain(role)}: {', '.join(tasks)}"), f". {text}")
        for (role, text), tasks in by_text.items()
    ]
    return joined(
        element("p", "Asked by a protocol, refused by law, so the GP does it:"),
        element("ul", *items),
        what_if,
    )


def _measured(world: World) -> Markup:
    """How the baseline stands to what is measured; nothing where a run is no year."""
    line = targets_line(world)
    return element("p", f"{plain(world.name)}: {line}") if line else joined()


def _target_table(world: World) -> Markup:
    rows: list[Markup] = []
    role = ""
    for target in targets_of(world):
        if target.role != role:
            role = target.role
            rows.append(group_row(f"{plain(role)}: {ROLES[role]}", 6))
        measured, inside = target.measured, target.inside
        found = (
            element("td", "not counted", class_="num") if target.found is None else number_cell(target.found)
        )
        ends = f"{measured.low} to {measured.high}"
        rows.append(
            element(
                "tr",
                element("th", plain(target.name), scope="row"),
                found,
                *(element("td", str(cell), class_="num") for cell in (measured.value, ends)),
                element("td", {True: "yes", False: "no", None: "–"}[inside], class_="num"),
                element("td", UNITS.get(measured.unit, measured.unit)),
            )
        )
    head = heading_row("measured quantity", "found", "measured", "range", "inside", "unit")
    return table(head, rows, "Only what was not touched says that the model predicts.")


def unmodelled_section() -> Markup:
    """What is left out."""
    items = (element("li", one) for one in NOT_MODELLED)
    return element("section", element("h2", "What is not modelled?"), element("ul", *items))


def method_section(findings: Findings) -> Markup:
    """Command, seed, replications, version, slot policy, date of the law, and the worlds."""
    run, study = findings.run, findings.baseline.study
    commit = source_commit()
    version = careload.__version__ if commit is None else f"{careload.__version__}, commit {commit[:12]}"
    policies = dict.fromkeys(
        plain(str(world.study.value("practice.slot_policy"))) for world in findings.worlds
    )
    fixed = f", and {run.fixed} of one list of people for the variance factor" if run.fixed else ""
    rows = [
        ("command", command_line()),
        ("seed", str(study.seed)),
        ("replications", f"{run.replications}, each with its own people{fixed}"),
        ("length", f"{run.window_weeks:g} working weeks"),
        ("patients", f"{run.list_size[0]:,}"),
        ("slot policy", " and ".join(policies)),
        ("law as of", str(study.value("calendar.as_of"))),
        ("version", f"careload {version}; Python {platform.python_version()}, NumPy {np.__version__}"),
        ("intervals", intervals_line(findings)),
    ]
    listed = [element("tr", element("th", name, scope="row"), element("td", text)) for name, text in rows]
    for world in findings.worlds:
        chosen = ", ".join(f"{group}={name}" for group, name in world.study.choices.items())
        own = f"; set: {', '.join(world.study.overrides)}" if world.study.overrides else ""
        text = f"{described(world, findings)} ({chosen}{own})"
        listed.append(
            element("tr", element("th", f"world {plain(world.name)}", scope="row"), element("td", text))
        )
    body = element("table", element("tbody", *listed), class_="facts")
    return element("section", element("h2", "How was it run?"), element("div", body, class_="scroll"))


def all_numbers(findings: Findings) -> Markup:
    """Every number of the run, one row each; the name is that of the summary file."""
    rows = [
        element(
            "tr",
            element("th", one.quantity, scope="row"),
            number_cell(one),
            element("td", one.unit),
            element("td", one.grade),
            element("td", one.note),
            data_quantity=one.quantity,
        )
        for one in findings.estimates()
    ]
    head = heading_row("quantity", "value (95 %)", "unit", "grade", "what it is")
    return element(
        "section",
        element("h2", "All numbers"),
        fold(f"{len(rows)} numbers, as in summary.csv", table(head, rows, "All numbers", "plain all")),
        class_="kept",
    )
