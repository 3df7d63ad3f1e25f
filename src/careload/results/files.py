"""What a run leaves on disk: one Parquet file with its provenance inside, and a summary as CSV."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow
import pyarrow.parquet
from numpy.typing import NDArray

from careload.results.account_facts import ACCOUNT_FACTS
from careload.results.contrast import LEDGER_PARTS, Contrast, Findings, World, ledger_hours
from careload.results.folders import replacing
from careload.results.levels import LEVELS, level_grade
from careload.results.measures import HOUR, Grade, delegates, worst_grade
from careload.results.persons import PERSON_COUNTS
from careload.results.provenance import provenance, to_json
from careload.ticks import to_minutes

__all__ = [
    "CSV_COLUMNS",
    "PAGE_NAME",
    "PARQUET_NAME",
    "SPREAD_NAME",
    "SUMMARY_NAME",
    "cell_columns",
    "names_of_run",
    "read_provenance",
    "write_parquet",
    "write_spread",
    "write_summary",
]

_arrow: Any = pyarrow
"""Without types of its own."""

PARQUET_NAME: Final = "results.parquet"
SUMMARY_NAME: Final = "summary.csv"
SPREAD_NAME: Final = "spread.csv"
PAGE_NAME: Final = "report.html"
CSV_COLUMNS: Final = ("quantity", "value", "low", "high", "unit", "grade", "note")

_SPREAD_COLUMNS: Final = (
    "world",
    "input",
    "input_unit",
    "input_status",
    "input_value",
    "end",
    "end_value",
    "quantity",
    "value",
    "low",
    "high",
    "unit",
)

_CONTRAST_UNIT: Final = "h/week per GP"


@dataclass(frozen=True, eq=False)
class Column:
    """A column of the results file: values in the order (world, cell), None where there are none."""

    name: str
    kind: str
    values: list[Any]
    unit: str
    description: str
    grade: Grade


def write_parquet(findings: Findings, folder: Path) -> Path:
    """Write one row per world and replication, with unit, description and grade of every column.

    The provenance is JSON under the key `careload` of the metadata of the schema.

    Returns
    -------
    Path
    """
    columns = cell_columns(findings)
    kinds = [_arrow.type_for_alias(column.kind) for column in columns]
    described = [
        _arrow.field(
            column.name,
            kind,
            metadata={"unit": column.unit, "description": column.description, "grade": column.grade},
        )
        for column, kind in zip(columns, kinds, strict=True)
    ]
    schema = _arrow.schema(described, metadata={"careload": to_json(provenance(findings))})
    arrays = [_arrow.array(column.values, type=kind) for column, kind in zip(columns, kinds, strict=True)]
    path = folder / PARQUET_NAME
    with replacing(path) as temporary:
        _arrow.parquet.write_table(_arrow.Table.from_arrays(arrays, schema=schema), temporary)
    return path


def names_of_run(folder: Path) -> set[str]:
    """Names of the files that a run has written to a folder, by the worlds in its results; none without results."""
    try:
        worlds = [str(world["name"]) for world in read_provenance(folder / PARQUET_NAME)["worlds"]]
    except (OSError, KeyError, ValueError, _arrow.ArrowException):
        return set()
    drawn = {
        stem
        for figure in ("released", "inputs", "time_and_safety")
        for stem in (figure, *(f"{figure}_{world}" for world in worlds))
    }
    return {
        PARQUET_NAME,
        SUMMARY_NAME,
        SPREAD_NAME,
        PAGE_NAME,
        *(f"{stem}.{ending}" for stem in drawn for ending in ("svg", "png")),
    }


def write_summary(findings: Findings, folder: Path) -> Path:
    """Write every estimate as one row; an end that does not exist is empty.

    Returns
    -------
    Path
    """
    path = folder / SUMMARY_NAME
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(CSV_COLUMNS)
        for one in findings.estimates():
            numbers = (_text(x) for x in (one.value, one.low, one.high))
            writer.writerow([one.quantity, *numbers, one.unit, one.grade, one.note])
    return path


def write_spread(findings: Findings, folder: Path) -> Path:
    """Write what every input does to every part and difference of a contrast, one input at a time.

    `value` is that of the run plus the paired shift; `low` and `high` are the interval of the shift.

    Returns
    -------
    Path
    """
    path = folder / SPREAD_NAME
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_SPREAD_COLUMNS)
        for one in findings.spread:
            known = [one.world, one.key, one.unit, one.status, one.value]
            for name, end in (("low", one.low), ("high", one.high)):
                named = [*end.parts.items()]
                named += [(f"{key}.difference", estimate) for key, estimate in end.differences.items()]
                for quantity, estimate in named:
                    numbers = (_text(x) for x in (estimate.value, estimate.low, estimate.high))
                    writer.writerow([*known, name, end.value, quantity, *numbers, estimate.unit])
    return path


def _text(value: float) -> str:
    return "" if math.isnan(value) else repr(value)


def cell_columns(findings: Findings) -> list[Column]:
    """Columns of the results file."""
    columns = [*_plan_columns(findings), *_account_columns(findings), *_person_columns(findings)]
    return columns + (_ledger_columns(findings) if findings.contrasts else [])


def _plan_columns(findings: Findings) -> list[Column]:
    """Which row is what."""
    run = findings.run
    n_cells, n_worlds = len(run.list_size), len(findings.worlds)
    names = [world.name for world in findings.worlds for _ in range(n_cells)]
    cells = list(range(n_cells))
    weeks = [run.window_weeks] * n_cells * n_worlds
    gps = [world.totals.gps for world in findings.worlds for _ in cells]
    own = [cell < run.replications for cell in cells] * n_worlds
    sizes = run.list_size.tolist() * n_worlds
    whole, text = "int64", "string"
    return [
        Column("world", text, names, "name", "World; the first is the baseline.", "A"),
        Column("replication", whole, cells * n_worlds, "number", "Replication; pairs the worlds.", "A"),
        Column("own_people", "bool", own, "flag", "Draws its own people; else those of replication 0.", "A"),
        Column("list_size", whole, sizes, "person", "Listed patients.", "A"),
        Column("gps", whole, gps, "person", "GPs of the baseline, divisor of hours per GP.", "A"),
        Column("window_weeks", "double", weeks, "week", "Working weeks measured.", "A"),
    ]


def _account_columns(findings: Findings) -> list[Column]:
    """All accounts, summed over the window."""
    delegated = any(delegates(world.study) for world in findings.worlds)
    columns = []
    for account, fact in ACCOUNT_FACTS.items():
        totals = np.concatenate([world.totals.count(account) for world in findings.worlds])
        values = to_minutes(totals).tolist() if fact.is_time else totals.tolist()
        kind = "double" if fact.is_time else "int64"
        moved: Grade = "D" if delegated and fact.grade != "A" else fact.grade
        columns.append(Column(fact.column, kind, values, fact.unit, fact.description, moved))
    return columns


def _person_columns(findings: Findings) -> list[Column]:
    """Statistics of persons, where the run counts them."""
    counted = [world.totals.persons for world in findings.worlds]
    studies = [world.study for world in findings.worlds]
    columns = []
    for row, name in enumerate(PERSON_COUNTS):
        level = next(level for level in LEVELS if level.name == name)
        values = [_number(value) for one in counted if one is not None for value in one[row]]
        if values:
            grade = level_grade(level, studies)
            columns.append(Column(name, "double", values, level.unit, level.description, grade))
    return columns


def _ledger_columns(findings: Findings) -> list[Column]:
    """Parts of the ledger and released time by task group; none for the baseline."""
    before = [None] * len(findings.run.list_size)
    grade = worst_grade([one.grade for contrast in findings.contrasts for one in contrast.parts.values()])

    def column(name: str, note: str, of: Callable[[Contrast, World], NDArray[np.float64]]) -> Column:
        values: list[Any] = list(before)
        for contrast in findings.contrasts:
            values += of(contrast, findings.world(contrast.world)).tolist()
        return Column(name, "double", values, _CONTRAST_UNIT, note, grade)

    columns = [
        column(f"ledger_{part.name}_hours", part.description, partial(_part_hours, part.name))
        for part in LEDGER_PARTS
    ]
    for row, group in enumerate(sorted(set(findings.run.layout.groups))):
        note = f"Moved or no longer needed, task group {group}."
        columns.append(column(f"moved_{group}_hours", note, partial(_group_hours, row)))
    return columns


def _part_hours(name: str, contrast: Contrast, world: World) -> NDArray[np.float64]:
    return ledger_hours(contrast.ledger, name, world.totals)


def _group_hours(row: int, contrast: Contrast, world: World) -> NDArray[np.float64]:
    ticks: NDArray[np.int64] = contrast.ledger.released_by_group[row]
    return ticks / (HOUR * world.totals.weeks * world.totals.gps)


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def read_provenance(path: Path) -> Mapping[str, Any]:
    """Provenance of a results file."""
    stored: Mapping[str, Any] = json.loads(_arrow.parquet.read_schema(path).metadata[b"careload"])
    return stored
