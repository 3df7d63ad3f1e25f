"""The findings of a run as text: tables for a terminal, every number with its interval and unit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from textwrap import fill
from typing import Final

import numpy as np

from careload.inputs.study import Study
from careload.results.contrast import Contrast, Findings, World
from careload.results.estimate import Estimate
from careload.results.levels import levels_of
from careload.results.measures import GRADES
from careload.results.sentences import (
    finding,
    inputs_line,
    inputs_range,
    intervals_line,
    plan_line,
    refused_lines,
    short,
    targets_line,
    warnings_of,
    what_if_lines,
    with_interval,
)
from careload.results.shift import unread_line
from careload.results.targets import ROLES, targets_of
from careload.results.tornado import swings

__all__ = ["report"]


_LEDGER_ROWS: Final = (
    ("", "moved"),
    ("+ ", "ended"),
    ("- ", "induced"),
    ("- ", "supervision"),
    ("- ", "hand_back"),
    ("- ", "hand_over"),
    ("- ", "meeting"),
    ("= ", "released"),
    ("where it went:", ""),
    ("  ", "reinvested"),
    ("      ", "new"),
    ("    + ", "taken"),
    ("    - ", "kept"),
    ("    - ", "abandoned"),
    ("+ ", "home"),
    ("      ", "home_session"),
    ("    + ", "home_after_closing"),
    ("    + ", "home_evening"),
    ("+ ", "usable"),
    ("+ ", "crumbs"),
)
_CHECK_ROWS: Final = (
    "released_practice",
    "released_per_1000",
    "matched_share",
    "path_share",
    "variance_factor_worked",
    "variance_factor_home",
)
_WIDTH: Final = 110
_TEAM_SECTIONS: Final = ("Delegation", "Other staff")


def report(findings: Findings) -> str:
    """All tables of a run, as text."""
    parts = [_head(findings)]
    for contrast in findings.contrasts:
        parts.append(fill(finding(findings, contrast), _WIDTH))
        if findings.spread:
            parts.append(fill(inputs_range(findings, contrast), _WIDTH))
        parts += [fill(f"WARNING: {text}", _WIDTH) for text in warnings_of(contrast, contrast.world)]
    if findings.contrasts:
        parts += [_ledger_table(findings.contrasts), _check_table(findings.contrasts)]
        parts += _spread_tables(findings)
    parts += [_level_table(findings), _target_table(findings.baseline)]
    if line := targets_line(findings.baseline):
        parts.append(fill(f"{findings.baseline.name}: {line}", _WIDTH))
    parts.append("\n".join(inputs_line(world) for world in findings.worlds))
    parts += [fill(line, _WIDTH) for line in refused_lines(findings.worlds)]
    parts += [fill(line, _WIDTH) for line in what_if_lines(findings.worlds)]
    parts.append(_foot(findings))
    return "\n\n".join(parts) + "\n"


def _head(findings: Findings) -> str:
    lines = []
    if findings.scenario is not None:
        lines += [findings.scenario.label["en"], findings.scenario.question["en"]]
    lines += [
        fill(
            f"{world.name}: {_described(world.study)}", _WIDTH, initial_indent="  ", subsequent_indent="    "
        )
        for world in findings.worlds
    ]
    return "\n".join([*lines, plan_line(findings), intervals_line(findings)])


def _described(study: Study) -> str:
    chosen = ", ".join(f"{group}={name}" for group, name in study.choices.items())
    return f"{study.practice.label['en']} ({chosen})"


def _ledger_table(contrasts: Sequence[Contrast]) -> str:
    rows = [["GP time released, h/week per GP", *_against(contrasts), "grade"]]
    for prefix, name in _LEDGER_ROWS:
        if not name:
            rows.append([prefix])
            continue
        found = [contrast.parts[name] for contrast in contrasts]
        rows.append([prefix + found[0].label, *map(with_interval, found), _worst(found)])
    rows.append(["moved or no longer needed, by task group:"])
    for group in contrasts[0].groups:
        found = [contrast.groups[group] for contrast in contrasts]
        if any(one.value for one in found):
            rows.append([f"  {found[0].label}", *map(with_interval, found), _worst(found)])
    rests = (str(int(np.abs(contrast.ledger.residual).max(initial=0))) for contrast in contrasts)
    rows.append(["released less its four destinations, ticks", *rests, "A"])
    return _aligned(rows)


def _check_table(contrasts: Sequence[Contrast]) -> str:
    rows = [["The same in other units, and checks", *_against(contrasts), "unit", "grade"]]
    for name in _CHECK_ROWS:
        found = [contrast.checks[name] for contrast in contrasts if name in contrast.checks]
        if not found:
            continue
        rows.append([found[0].label, *map(with_interval, found), found[0].unit, _worst(found)])
    return _aligned(rows, last_left=2)


def _spread_tables(findings: Findings) -> list[str]:
    """Released time of every contrast with single inputs at the ends of their ranges, the largest swing first."""
    tables = []
    for contrast in findings.contrasts:
        found = swings(findings, contrast)
        if not found:
            continue
        title = f"One input at a time, {contrast.world}"
        rows = [[title, "run", "low", "released", "high", "released", "input unit", "status", "key"]]
        for swing in found:
            one = swing.spread
            *values, unit = one.shown
            run, low, high = map(short, values)
            ends = (low, with_interval(swing.low), high, with_interval(swing.high))
            rows.append([f"  {one.label}", run, *ends, unit, one.status, one.key])
        rows.append(["  released: that of the run plus the paired shift, with the interval of the shift"])
        tables.append(_aligned(rows, last_left=3))
    if findings.unread:
        tables.append(fill(unread_line(findings), _WIDTH))
    return tables


def _against(contrasts: Sequence[Contrast]) -> list[str]:
    return [f"{contrast.world} against {contrast.against}" for contrast in contrasts]


def _level_table(findings: Findings) -> str:
    """Measures of every world, and the differences from the baseline; of several worlds each stands by its level."""
    first, *others = findings.worlds
    several = len(others) > 1
    names = [first.name]
    for world in others:
        names += [world.name, f"less {first.name}" if several else f"{world.name} - {first.name}"]
    alone = all(world.study.staff == ("gp",) for world in findings.worlds)
    rows: list[list[str]] = []
    section = ""
    for level in levels_of(findings.baseline.totals):
        if level.name not in findings.baseline.levels or (alone and level.section in _TEAM_SECTIONS):
            continue
        if level.section != section:
            section = level.section
            rows.append([section, *names, "unit", "grade"])
        found = [first.levels[level.name]]
        for world, contrast in zip(others, findings.contrasts, strict=True):
            found += [world.levels[level.name], contrast.differences[level.name]]
        rows.append([f"  {level.label}", *map(with_interval, found), level.unit, _worst(found)])
    return _aligned(rows, last_left=2)


def _target_table(world: World) -> str:
    rows = [[f"{world.name} beside what is measured", "found", "measured", "range", "inside", "unit"]]
    role = ""
    for target in targets_of(world):
        if target.role != role:
            role = target.role
            rows.append([f"{role.replace('_', ' ')}: {ROLES[role]}"])
        measured, inside = target.measured, target.inside
        rows.append(
            [
                f"  {target.name}",
                "not counted" if target.found is None else with_interval(target.found),
                short(measured.value),
                f"{short(measured.low)} to {short(measured.high)}",
                {True: "yes", False: "no", None: ""}[inside],
                measured.unit,
            ]
        )
    return _aligned(rows, last_left=2)


def _foot(findings: Findings) -> str:
    grades = ", ".join(f"{grade} {meaning}" for grade, meaning in GRADES.items())
    text = (
        f"Causal grades: {grades}; a row shows its worst. Mean \N{PLUS-MINUS SIGN} half the 95 % interval; "
        f"{intervals_line(findings)}."
    )
    return fill(text, _WIDTH)


def _worst(found: Sequence[Estimate]) -> str:
    return max(one.grade for one in found)


def _aligned(rows: Iterable[Sequence[str]], last_left: int = 1) -> str:
    """Rows in columns; all but the first and the last `last_left` columns are set to the right."""
    listed = [list(row) for row in rows]
    n_columns = max(len(row) for row in listed)
    widths = [
        max((len(row[column]) for row in listed if len(row) > max(1, column)), default=0)
        for column in range(n_columns)
    ]
    lines = []
    for row in listed:
        cells = [
            cell.ljust(width) if column == 0 or column >= n_columns - last_left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=False))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
