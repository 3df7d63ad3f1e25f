"""Age pyramids: persons by age group and sex of one place, read from a CSV file.

Two layouts are read, told apart by their headers: one with a code column (``nis_code``, ``municipality``,
``reference_date``) and one without (``country``, ``reference_year``). Commas, semicolons or tabs separate.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from careload.inputs.faults import Fault, Faults

__all__ = ["OLDEST_BAND", "Pyramid", "read_pyramid"]

OLDEST_BAND: Final = 85
"""First year of age of the oldest care band; groups below it must have an upper end."""

_WIDEST_GROUP: Final = 10
_OLDEST: Final = 120
_COLUMNS: Final = {
    "code": ("nis_code", "nis", "code"),
    "name": ("municipality", "country", "name"),
    "when": ("reference_date", "reference_year", "date", "year"),
    "age_from": ("age_from",),
    "age_to": ("age_to",),
    "men": ("male", "men"),
    "women": ("female", "women"),
}
_OPTIONAL: Final = ("code", "name")


@dataclass(frozen=True, eq=False)
class Pyramid:
    """Persons of one place by age group and sex.

    Parameters
    ----------
    age_from : ndarray of int64, shape (G,)
        First year of age of each group, rising from 0 without gaps.
    age_to : tuple of int or None, length G
        First year of age after the group; None for a last group without end.
    men, women : ndarray of int64, shape (G,)
        Persons.
    name : str
        Name of the place.
    source : str
        File, place and reference date, for reports.
    """

    age_from: NDArray[np.int64]
    age_to: tuple[int | None, ...]
    men: NDArray[np.int64]
    women: NDArray[np.int64]
    name: str
    source: str

    @property
    def years(self) -> NDArray[np.int64]:
        """Years of age over which each group is spread, shape (G,); a group without end takes 5 or 10."""
        upper = [
            int(first) + (5 if first >= 95 else 10) if last is None else last
            for first, last in zip(self.age_from, self.age_to, strict=True)
        ]
        return np.array(upper, dtype=np.int64) - self.age_from


@dataclass(frozen=True)
class _Row:
    """One line of the file."""

    line: int
    place: str
    name: str
    when: date
    age_from: int
    age_to: int | None
    men: int
    women: int


@dataclass
class _Lines:
    """The file as read, and the defects found so far."""

    label: str
    columns: dict[str, int] = field(default_factory=dict)
    rows: list[_Row] = field(default_factory=list)
    unreadable: set[tuple[str, date]] = field(default_factory=set)
    faults: list[Fault] = field(default_factory=list)

    def fault(self, line: int, column: str, value: object, expectation: str, remedy: str) -> None:
        """Note a defect."""
        self.faults.append(Fault(f"{self.label}:{line}.{column}", value, expectation, remedy))


def read_pyramid(path: Path | str, nis_code: str | int | None = None) -> Pyramid:
    """Pyramid of one place at the latest date the file has for it.

    Parameters
    ----------
    path : Path or str
        CSV file in either layout.
    nis_code : str, int or None
        Code of the place, or its name in a file without codes; None if the file has one place.

    Returns
    -------
    Pyramid

    Raises
    ------
    Faults
        With every defect of the file, not only the first.
    """
    path = Path(path)
    lines = _Lines(path.name)
    table = _read_table(path, lines)
    if table:
        _find_columns(table[0][1], lines)
        if not lines.faults:
            _read_rows(table[1:], lines)
            _check_groups(lines)
    place = None if lines.faults and not lines.rows else _choose_place(nis_code, lines)
    if lines.faults or place is None:
        raise Faults(lines.faults)
    latest = max(row.when for row in lines.rows if row.place == place)
    rows = sorted(
        (row for row in lines.rows if row.place == place and row.when == latest), key=lambda row: row.age_from
    )
    return Pyramid(
        age_from=np.array([row.age_from for row in rows], dtype=np.int64),
        age_to=tuple(row.age_to for row in rows),
        men=np.array([row.men for row in rows], dtype=np.int64),
        women=np.array([row.women for row in rows], dtype=np.int64),
        name=rows[0].name,
        source=f"{path.name}: {rows[0].name}, {latest.isoformat()}",
    )


def _read_table(path: Path, lines: _Lines) -> list[tuple[int, list[str]]]:
    """Line numbers and cells of every line that is not blank, the header first."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        reason = error.strerror or "not readable"
        lines.faults.append(
            Fault(str(path), reason, "a CSV file that can be read", "the path of such a file")
        )
        return []
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("cp1252", errors="replace")
    header = text.lstrip().split("\n", 1)[0]
    separator = max(",;\t", key=header.count)
    reader = csv.reader(text.splitlines(), delimiter=separator)
    try:
        table = [
            (reader.line_num, [cell.strip() for cell in cells])
            for cells in reader
            if any(map(str.strip, cells))
        ]
    except csv.Error as error:
        lines.fault(reader.line_num + 1, "line", str(error), "cells and separators", "to close every quote")
        return []
    if len(table) < 2:
        found = f"{len(table)} lines"
        lines.faults.append(
            Fault(path.name, found, "a header and at least one row", "a file in either layout")
        )
        return []
    return table


def _find_columns(header: Sequence[str], lines: _Lines) -> None:
    """Place of each column in the header; every missing or repeated one is a defect."""
    names = [cell.lower() for cell in header]
    for column, aliases in _COLUMNS.items():
        found = [alias for alias in aliases if alias in names]
        if found:
            lines.columns[column] = names.index(found[0])
            if names.count(found[0]) > 1:
                lines.fault(1, found[0], "twice in the header", "one such column", "removing the other")
        elif column not in _OPTIONAL:
            wanted = f"a column {' or '.join(aliases)}"
            lines.fault(1, aliases[0], "missing", wanted, f"a header such as {','.join(_example())}")
    if not lines.faults and not any(column in lines.columns for column in _OPTIONAL):
        lines.fault(1, "nis_code", "missing", "a column nis_code or country", "adding one of them")


def _example() -> list[str]:
    """Header of the layout with codes."""
    return [aliases[0] for aliases in _COLUMNS.values()]


def _read_rows(table: Sequence[tuple[int, list[str]]], lines: _Lines) -> None:
    """Turn lines into rows; a line with a defect is left out and its group is not checked for gaps."""
    n_cells = max(lines.columns.values()) + 1
    for number, cells in table:
        if len(cells) < n_cells:
            lines.fault(
                number, "cells", len(cells), f"at least {n_cells}, as in the header", "filling the line"
            )
            continue
        row = _read_row(number, {column: cells[at] for column, at in lines.columns.items()}, lines)
        if row is not None:
            lines.rows.append(row)


def _read_row(number: int, cells: dict[str, str], lines: _Lines) -> _Row | None:
    """Read one line, or None if it has a defect."""
    n_faults = len(lines.faults)
    place = _plain_code(cells.get("code", cells.get("name", "")))
    if not place:
        lines.fault(number, "nis_code", "blank", "a code", "the code of the place, such as 11001")
    when = _date(cells["when"])
    if when is None:
        lines.fault(number, "reference_date", cells["when"], "a date or a year", "2026-01-01 or 2026")
    age_from = _whole(cells["age_from"])
    if age_from is None or age_from > _OLDEST:
        lines.fault(number, "age_from", cells["age_from"], f"a whole age from 0 to {_OLDEST}", "plain digits")
    age_to = _whole(cells["age_to"]) if cells["age_to"] else None
    if cells["age_to"] and (age_to is None or age_to > _OLDEST or age_to < (age_from or 0)):
        wanted = f"a whole age from age_from to {_OLDEST}, or blank for the last group"
        lines.fault(number, "age_to", cells["age_to"], wanted, "the last year of age inside the group")
    persons = {"men": _whole(cells["men"]), "women": _whole(cells["women"])}
    for column, count in persons.items():
        if count is None:
            shown = cells[column] or "blank"
            lines.fault(
                number, _COLUMNS[column][0], shown, "a whole number of persons", "plain digits, 0 or more"
            )
    if len(lines.faults) > n_faults or when is None or age_from is None:
        if when is not None:
            lines.unreadable.add((place, when))
        return None
    men, women = persons["men"] or 0, persons["women"] or 0
    upper = None if age_to is None else age_to + 1
    return _Row(number, place, cells.get("name") or place, when, age_from, upper, men, women)


def _check_groups(lines: _Lines) -> None:
    """Check that the groups of every place and date cover all ages once."""
    groups: dict[tuple[str, date], list[_Row]] = {}
    for row in lines.rows:
        groups.setdefault((row.place, row.when), []).append(row)
    for key, rows in groups.items():
        if key not in lines.unreadable:
            _check_ages(sorted(rows, key=lambda row: (row.age_from, row.line)), lines)


def _check_ages(rows: Sequence[_Row], lines: _Lines) -> None:
    """Check one place and date; rows come in order of age."""
    expected: int | None = 0
    for row in rows:
        if row.age_from != expected:
            wanted = (
                f"{expected}, where the group before ends"
                if expected is not None
                else "no group after an open one"
            )
            lines.fault(
                row.line, "age_from", row.age_from, wanted, "groups without gap or overlap, each once"
            )
        if row.age_to is None and row.age_from < OLDEST_BAND:
            wanted = f"an upper age, as the group begins below {OLDEST_BAND}"
            lines.fault(row.line, "age_to", "blank", wanted, f"groups of five years up to {OLDEST_BAND}")
        if row.age_to is not None and row.age_to - row.age_from > _WIDEST_GROUP:
            wanted = f"a group of at most {_WIDEST_GROUP} years"
            lines.fault(row.line, "age_to", row.age_to - 1, wanted, "groups of five years")
        expected = row.age_to
    if expected is not None and expected <= OLDEST_BAND:
        wanted = f"groups beyond age {OLDEST_BAND}"
        lines.fault(rows[-1].line, "age_to", expected - 1, wanted, "a last group with a blank age_to")
    if not sum(row.men + row.women for row in rows):
        lines.fault(rows[0].line, "male", 0, "at least one person in the place", "a place with people")


def _choose_place(wanted: str | int | None, lines: _Lines) -> str | None:
    """Code (or name) of the place asked for; none or several matches are a defect."""
    names = {row.place: row.name for row in lines.rows}
    shown = [place if place == name else f"{place} ({name})" for place, name in sorted(names.items())]
    listed = ", ".join(shown[:12]) + (f" and {len(shown) - 12} more" if len(shown) > 12 else "")
    if wanted is None or not str(wanted).strip():
        if len(names) == 1:
            return next(iter(names))
        lines.faults.append(
            Fault("population.nis_code", "null", f"a code, as {lines.label} has {len(names)} places", listed)
        )
        return None
    code = _plain_code(str(wanted))
    matches = [place for place, name in names.items() if code.lower() in (place.lower(), name.lower())]
    if len(matches) == 1:
        return matches[0]
    if code in {place for place, _ in lines.unreadable}:
        return None
    lines.faults.append(Fault("population.nis_code", wanted, f"a place of {lines.label}", listed))
    return None


def _plain_code(text: str) -> str:
    """Code without blanks, leading zeros or the decimals a spreadsheet adds; names stay as they are."""
    text = text.strip()
    match = re.fullmatch(r"0*(\d+)(\.0+)?", text)
    return match[1] if match else text


def _whole(text: str) -> int | None:
    """Whole number of plain digits; None for anything else, also for 1.234, which may mean a thousand."""
    match = re.fullmatch(r"(\d+)(\.0)?", text)
    return int(match[1]) if match else None


def _date(text: str) -> date | None:
    """Date from 2026, 2026-01-01 or 01/01/2026 (day first); None for anything else."""
    if match := re.fullmatch(r"(\d{4})", text):
        parts = (int(match[1]), 1, 1)
    elif match := re.fullmatch(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})", text):
        parts = (int(match[1]), int(match[2]), int(match[3]))
    elif match := re.fullmatch(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})", text):
        parts = (int(match[3]), int(match[2]), int(match[1]))
    else:
        return None
    try:
        return date(*parts)
    except ValueError:
        return None
