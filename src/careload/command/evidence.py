"""The evidence as a table: every number with unit, range, source and status, and what the law refuses."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from careload.inputs.quantity import STATUSES, Quantity
from careload.inputs.study import Study

__all__ = ["evidence_csv", "evidence_text"]

_HEADS: Final = ("key", "value", "unit", "range", "source", "status")
_WIDEST: Final = (52, 26, 22, 16, 34, 8)
_GAP: Final = "  "


@dataclass(frozen=True)
class _Row:
    """One line of the table."""

    key: str
    worlds: str
    quantity: Quantity

    def cells(self) -> tuple[str, ...]:
        """Texts of the columns."""
        one = self.quantity
        key = f"{self.key} ({self.worlds})" if self.worlds else self.key
        return key, _shown(one.value), one.unit, _range(one), one.source, one.status

    def holds(self, words: Sequence[str], status: str | None) -> bool:
        """Whether all words are in its key, unit or source, and the status is the one asked for."""
        text = f"{self.key} {self.quantity.unit} {self.quantity.source}".lower()
        return (status is None or self.quantity.status == status) and all(
            word.lower() in text for word in words
        )


def evidence_text(
    worlds: Sequence[tuple[str, Study]], words: Sequence[str] = (), status: str | None = None
) -> str:
    """Table of the quantities of all worlds, counts by status, and refused scope.

    Parameters
    ----------
    worlds : sequence of (str, Study)
        A quantity that is the same in all of them stands there once.
    words : sequence of str
        Only rows whose key, unit or source holds every word, in upper or lower case.
    status : str, optional
        Only rows of this status.

    Returns
    -------
    str
    """
    rows = _rows(worlds)
    listed = [row for row in rows if row.holds(words, status)]
    parts = [_table([_HEADS, *(row.cells() for row in listed)])] if listed else ["Nothing matches."]
    if len(listed) < len(rows):
        parts.append(f"Listed, by status: {_counts(listed)}")
    parts.append(f"All quantities, by status: {_counts(rows)}")
    if status is None:
        parts.append(_refused(worlds, words))
    return "\n\n".join(parts) + "\n"


_COLUMNS: Final = (
    "key",
    "worlds",
    "value",
    "unit",
    "low",
    "high",
    "status",
    "source",
    "title",
    "note",
    "range_note",
)


def evidence_csv(
    worlds: Sequence[tuple[str, Study]], words: Sequence[str] = (), status: str | None = None
) -> str:
    """Return the quantities as comma-separated values, one line each.

    Parameters
    ----------
    worlds, words, status
        As for `evidence_text`; `worlds` of a line is empty where all worlds share it.

    Returns
    -------
    str
        Columns key, worlds, value, unit, low, high (the choices of a choice in low), status, source (keys), title
        (of the sources), note, range_note.
    """
    sources = {key: source for _, study in worlds for key, source in study.sources.items()}
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(_COLUMNS)
    for row in _rows(worlds):
        if not row.holds(words, status):
            continue
        one = row.quantity
        low = " | ".join(map(_exact, one.choices)) if one.choices else _exact(one.low)
        titles = "; ".join(sources[key].title for key in one.sources)
        high = "" if one.choices else _exact(one.high)
        facts = (row.key, row.worlds, _exact(one.value), one.unit, low, high, one.status)
        table.writerow((*facts, one.source, titles, one.note, one.range_note))
    return text.getvalue()


def _exact(value: Any) -> str:
    """Value with all its digits; lists in brackets."""
    if value is None:
        return ""
    if isinstance(value, tuple):
        return f"[{', '.join(map(_exact, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _rows(worlds: Sequence[tuple[str, Study]]) -> list[_Row]:
    """Every quantity; where worlds differ, once for each value, with the names of its worlds."""
    found: dict[str, list[tuple[str, Quantity]]] = {}
    for name, study in worlds:
        for key, quantity in study.quantities():
            found.setdefault(key, []).append((name, quantity))
    rows = []
    for key in sorted(found):
        distinct: dict[Any, list[str]] = {}
        for name, quantity in found[key]:
            distinct.setdefault(quantity, []).append(name)
        everywhere = len(distinct) == 1 and len(found[key]) == len(worlds)
        rows += [
            _Row(key, "" if everywhere else ", ".join(names), quantity)
            for quantity, names in distinct.items()
        ]
    return rows


def _table(rows: Sequence[Sequence[str]]) -> str:
    """Columns below each other; a long cell pushes only its own line."""
    widths = [min(widest, max(len(row[column]) for row in rows)) for column, widest in enumerate(_WIDEST)]
    return "\n".join(
        _GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _counts(rows: Iterable[_Row]) -> str:
    """Number of rows of every status, and in all."""
    counts = Counter(row.quantity.status for row in rows)
    by_status = ", ".join(f"{counts[status]} {status}" for status in STATUSES)
    return f"{by_status}; {counts.total()} in all"


def _refused(worlds: Sequence[tuple[str, Study]], words: Sequence[str]) -> str:
    """What the law does not give the roles, and which of it a protocol asks for."""
    asked = {(one.role, one.task) for _, study in worlds for one in study.refused}
    lines: dict[str, None] = {}
    study = worlds[0][1]
    for role in study.roles.values():
        for task, scope in role.scope.items():
            if task == "all" or task in role.permitted:
                continue
            line = f"  {role.name}: {task}{' (in the protocol)' if (role.name, task) in asked else ''}: {scope.text}"
            if all(word.lower() in line.lower() for word in words):
                lines[f"{line} [{scope.source}]"] = None
    for one in (refusal for _, world in worlds for refusal in world.refused):
        if one.task not in study.roles[one.role].scope:
            lines[f"  {one.role}: {one.task} (in the protocol): {one.text}"] = None
    head = f"Refused scope on {study.value('calendar.as_of')}: not delegated, whatever a protocol asks"
    return "\n".join([head, *(lines or ["  none"])])


def _range(quantity: Quantity) -> str:
    """Range as low..high, or the choices."""
    if quantity.choices:
        return " | ".join(_shown(choice) for choice in quantity.choices)
    if quantity.low is None:
        return "-"
    return f"{_end(quantity.low)}..{_end(quantity.high)}"


def _end(value: Any) -> str:
    """End of a range; one number where all of a list have the same."""
    return _shown(value[0] if isinstance(value, tuple) and len(set(value)) == 1 else value)


def _shown(value: Any) -> str:
    """Value as a user would write it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(map(_shown, value))}]"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
