"""The points of a sweep as one table, read from their folders: it can be made again at any time."""

from __future__ import annotations

import csv
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pyarrow
import pyarrow.parquet
import yaml

from careload.inputs.faults import Fault, Faults
from careload.results.contrast import Findings
from careload.results.estimate import NOTHING
from careload.results.files import PARQUET_NAME, SUMMARY_NAME, read_provenance
from careload.results.folders import replacing
from careload.results.levels import LEVELS
from careload.results.provenance import provenance
from careload.results.sentences import SAFETY

__all__ = [
    "FAILED_NAME",
    "PARTS",
    "SWEEP_NAME",
    "Measure",
    "Row",
    "Sweep",
    "collect",
    "failed_code",
    "is_finished",
    "read_sweep",
    "sweep_of",
    "table_columns",
    "tell_failure",
    "text_table",
]

FAILED_NAME: Final = "failed.txt"
"""File in the folder of a point of a sweep that failed: why it did."""

SWEEP_NAME: Final = "sweep"
"""Name of the table and of the figure of a sweep, without ending."""

_EXIT: Final = "exit code"
PARTS: Final = {
    "released": "released_hours",
    "reinvested": "reinvested_hours",
    "home": "taken_home_hours",
    "usable": "usable_hours",
    "crumbs": "crumbs_hours",
}
"""Released time and its destinations, parts of the ledger, and their columns in the table of a sweep."""

_SECTIONS: Final = ("GP time", "Access and safety")
_JUDGED: Final = "judged less urgent"
"""Column of safety in a terminal, in short."""

_arrow: Any = pyarrow


@dataclass(frozen=True)
class Measure:
    """A number of a point with its interval; the ends are not a number where there is none."""

    value: float
    low: float
    high: float
    unit: str
    grade: str
    note: str


@dataclass(frozen=True)
class Row:
    """One world of one point: values of the swept keys, measures by column, and number of inputs by status."""

    point: str
    world: str
    replications: int
    seed: int
    keys: Mapping[str, Any]
    measures: Mapping[str, Measure]
    inputs: Mapping[str, int]


@dataclass(frozen=True)
class Sweep:
    """All finished points of a folder.

    Attributes
    ----------
    rows : tuple of Row
        By point, then by world; comparisons have a row for every world but the baseline.
    keys : tuple of str
        What differs between the points, in the order written.
    failed : tuple of str
        Folders of points that failed.
    with_safety : bool
        Whether worlds or points differ in first contact: urgent requests judged less urgent then stand
        beside time.
    """

    rows: tuple[Row, ...]
    keys: tuple[str, ...]
    failed: tuple[str, ...] = ()
    with_safety: bool = False


@dataclass
class _Point:
    name: str
    facts: Mapping[str, Any]
    summary: dict[str, Measure] = field(default_factory=dict)


def tell_failure(folder: Path, code: int, message: str) -> None:
    """Leave the reason of a failure in the folder of a point, and none where there was none."""
    path = folder / FAILED_NAME
    if not code:
        path.unlink(missing_ok=True)
        return
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{message}\n{_EXIT} {code}\n", encoding="utf-8")


def failed_code(folder: Path) -> int:
    """Exit code that a point left in its folder, 0 if it did not fail."""
    try:
        last = (folder / FAILED_NAME).read_text(encoding="utf-8").splitlines()[-1]
    except (OSError, IndexError):
        return 0
    words = last.removeprefix(_EXIT).strip()
    return int(words) if words.isdigit() else 2


def is_finished(folder: Path, mark: str) -> bool:
    """Whether a folder holds the whole result of a run of this mark."""
    if not (folder / SUMMARY_NAME).is_file() or (folder / FAILED_NAME).exists():
        return False
    try:
        return bool(read_provenance(folder / PARQUET_NAME).get("mark") == mark)
    except (OSError, KeyError, ValueError, _arrow.ArrowException):
        return False


def read_sweep(folder: Path, names: Collection[str] | None = None) -> Sweep:
    """Read the points of a sweep; a point that failed has no result, whatever an earlier command has left there.

    Parameters
    ----------
    folder : Path
        Holds one folder for each point.
    names : collection of str, optional
        Folders of the points; by default all that there are.

    Returns
    -------
    Sweep

    Raises
    ------
    Faults
        There is no finished point.
    """
    below = [path for path in _points(folder) if names is None or path.name in names]
    failed = tuple(path.name for path in below if (path / FAILED_NAME).is_file())
    points = [
        _read(path)
        for path in below
        if path.name not in failed and (path / PARQUET_NAME).is_file() and (path / SUMMARY_NAME).is_file()
    ]
    if not points:
        raise Faults(
            [Fault("folder", folder, "finished points of a sweep", "careload compare -m output=DIR")]
        )
    return _sweep(points, failed)


def _points(folder: Path) -> list[Path]:
    """Folders of points, in their order."""
    below = (path for path in folder.glob("*/") if not path.name.startswith("."))
    return sorted(below, key=lambda path: _order(path.name))


def sweep_of(findings: Sequence[Findings]) -> Sweep:
    """The same of findings at hand; points are numbered in their order."""
    points = [_Point(str(number), provenance(one)) for number, one in enumerate(findings)]
    for point, one in zip(points, findings, strict=True):
        for e in one.estimates():
            point.summary[e.quantity] = Measure(e.value, e.low, e.high, e.unit, e.grade, e.note)
    return _sweep(points, ())


def _sweep(points: Sequence[_Point], failed: tuple[str, ...]) -> Sweep:
    """What differs between points, and a row for every world of each."""
    written = [_written(point) for point in points]
    names = list(dict.fromkeys(key for keys in written for key in keys))
    swept = tuple(key for key in names if len({repr(keys.get(key)) for keys in written}) > 1)
    rows = [
        Row(
            point=point.name,
            world=world["name"],
            replications=int(point.facts["replications"]),
            seed=int(point.facts["seed"]),
            keys={key: keys.get(key) for key in swept},
            measures=dict(_measures(point, world["name"])),
            inputs=world.get("inputs", {}),
        )
        for point, keys in zip(points, written, strict=True)
        for world in _worlds(point)
    ]
    answers = {
        str(world["choices"].get("first_contact")) for point in points for world in point.facts["worlds"]
    }
    with_safety = len(answers) > 1 or any("first_contact" in key for key in swept)
    return Sweep(tuple(rows), swept, failed, with_safety)


def _order(name: str) -> tuple[int, str]:
    """Numbers by size, other names after them."""
    return (int(name), "") if name.isdigit() else (1 << 62, name)


def _read(path: Path) -> _Point:
    """One point from its folder."""
    point = _Point(path.name, read_provenance(path / PARQUET_NAME))
    with (path / SUMMARY_NAME).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            value, low, high = (
                float(row[name]) if row[name] else math.nan for name in ("value", "low", "high")
            )
            point.summary[row["quantity"]] = Measure(value, low, high, row["unit"], row["grade"], row["note"])
    return point


def _worlds(point: _Point) -> list[Mapping[str, Any]]:
    """Facts of the worlds that are compared, or of the one that there is."""
    worlds: list[Mapping[str, Any]] = point.facts["worlds"]
    return worlds[1:] or worlds


def _written(point: _Point) -> dict[str, Any]:
    """Keys that the user set, and to what."""
    found = {}
    for text in point.facts["worlds"][0]["overrides"]:
        key, _, value = str(text).lstrip("+").partition("=")
        try:
            found[key.removesuffix(".value")] = yaml.safe_load(value)
        except yaml.YAMLError:
            found[key.removesuffix(".value")] = value
    return found


def _measures(point: _Point, world: str) -> Iterable[tuple[str, Measure]]:
    """Columns of the table, with what they hold: released time, GP time, access and safety."""
    for name, column in PARTS.items():
        if f"{world}.{name}" in point.summary:
            yield column, point.summary[f"{world}.{name}"]
    for level in LEVELS:
        if level.section in _SECTIONS:
            for ending in ("", ".difference"):
                if (name := f"{world}.{level.name}{ending}") in point.summary:
                    yield level.name + ending.replace(".", "_"), point.summary[name]


def collect(folder: Path, names: Collection[str] | None = None) -> str:
    """Write the table of a sweep as CSV and Parquet, and its figure; return what to print.

    Parameters
    ----------
    folder, names
        As for `read_sweep`; what else is in the folder is left out, and said so.

    Returns
    -------
    str

    Raises
    ------
    Faults
        There is no finished point.
    """
    from careload.results.figures import save_figure
    from careload.results.sweep_figure import draw_sweep

    sweep = read_sweep(folder, names)
    paths = [_write_csv(sweep, folder), _write_table(sweep, folder)]
    chart = draw_sweep(sweep)
    paths += save_figure(chart, folder, SWEEP_NAME) if chart is not None else []
    lines = [text_table(sweep)]
    if sweep.with_safety:
        lines.append(f"{_JUDGED}: of 10,000 requests, urgent ones judged less urgent; first contact differs")
    if sweep.failed:
        lines.append(f"failed: {', '.join(sweep.failed)}; why stands in {FAILED_NAME} of each folder")
    others = [path.name for path in _points(folder) if (path / PARQUET_NAME).is_file()]
    if left := [name for name in others if names is not None and name not in names]:
        lines.append(f"left out, as another command has made them: {', '.join(left)}")
    return "\n".join(lines) + "\n\n" + "".join(f"{path}\n" for path in paths)


def table_columns(sweep: Sweep) -> list[tuple[str, list[Any], dict[str, str]]]:
    """Name, values and description of every column of the table, one value for each row of the sweep."""
    rows = sweep.rows
    found: list[tuple[str, list[Any], dict[str, str]]] = [
        ("point", [row.point for row in rows], {"unit": "name", "description": "Folder of the point."}),
        ("world", [row.world for row in rows], {"unit": "name", "description": "World; not the baseline."}),
        (
            "replications",
            [row.replications for row in rows],
            {"unit": "count", "description": "Replications."},
        ),
    ]
    found += [
        (key, [row.keys[key] for row in rows], {"unit": "as given", "description": "Swept."})
        for key in sweep.keys
    ]
    for name in dict.fromkeys(name for row in rows for name in row.measures):
        facts = next(row.measures[name] for row in rows if name in row.measures)
        for end in ("value", "low", "high"):
            values = [getattr(row.measures[name], end) if name in row.measures else math.nan for row in rows]
            note = facts.note if end == "value" else f"{end.capitalize()} end of the 95 % interval of {name}."
            known = {"unit": facts.unit, "description": note, "grade": facts.grade}
            found.append((name if end == "value" else f"{name}_{end}", values, known))
    return found


def _write_csv(sweep: Sweep, folder: Path) -> Path:
    columns = table_columns(sweep)
    path = folder / f"{SWEEP_NAME}.csv"
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([name for name, _, _ in columns])
        for values in zip(*(values for _, values, _ in columns), strict=True):
            writer.writerow(
                ["" if isinstance(value, float) and math.isnan(value) else value for value in values]
            )
    return path


def _write_table(sweep: Sweep, folder: Path) -> Path:
    """Write the table as Parquet, with unit, description and grade of every column."""
    arrays, described = [], []
    for name, values, facts in table_columns(sweep):
        array = _arrow.array(_plain(values))
        arrays.append(array)
        described.append(_arrow.field(name, array.type, metadata=facts))
    path = folder / f"{SWEEP_NAME}.parquet"
    with replacing(path) as temporary:
        _arrow.parquet.write_table(
            _arrow.Table.from_arrays(arrays, schema=_arrow.schema(described)), temporary
        )
    return path


def _plain(values: Sequence[Any]) -> list[Any]:
    """Values of one kind: numbers, else texts; None for what is not a number."""
    if all(isinstance(value, bool) for value in values):
        return list(values)
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        whole = all(isinstance(value, int) for value in values)
        return list(values) if whole else [None if math.isnan(value) else float(value) for value in values]
    return [None if value is None else str(value) for value in values]


def text_table(sweep: Sweep) -> str:
    """Swept keys, released time and destinations of every point, for a terminal; with safety where it belongs."""
    shown = [name for name in PARTS.values() if name in sweep.rows[0].measures] or ["gp_worked"]
    shown += [SAFETY] if sweep.with_safety else []
    several = len({row.world for row in sweep.rows}) > 1
    heads = [_JUDGED if name == SAFETY else name for name in shown]
    head = ["point", *(["world"] if several else []), *sweep.keys, *heads]
    lines = [head]
    for row in sweep.rows:
        known = [row.point, *([row.world] if several else []), *(str(row.keys[key]) for key in sweep.keys)]
        lines.append([*known, *(_number(row.measures.get(name)) for name in shown)])
    widths = [max(len(line[at]) for line in lines) for at in range(len(head))]
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in lines
    )


def _number(measure: Measure | None) -> str:
    if measure is None or math.isnan(measure.value):
        return NOTHING
    half = "" if math.isnan(measure.low) else f" \N{PLUS-MINUS SIGN} {(measure.high - measure.low) / 2:.2f}"
    return f"{measure.value:.2f}{half}"
