"""The evidence as a table: every number with unit, range, source and status, and what the law refuses."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from careload.inputs.faults import near
from careload.inputs.quantity import STATUSES, Quantity
from careload.inputs.study import Study

__all__ = ["evidence_csv", "evidence_text"]

_HEADS: Final = ("key", "value", "unit", "range", "source", "status")
_WIDEST: Final = (52, 26, 22, 16, 34, 8)
_GAP: Final = "  "
_MOST_KEYS: Final = 4


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
        """Whether all words are in it, and the status is the one asked for."""
        one = self.quantity
        asked = status is None or one.status == status
        return asked and _has(words, *self._listed, *one.label.values(), one.note)

    def aside(self, words: Sequence[str]) -> str:
        """Name and note, where the words are found only with them; else empty."""
        if _has(words, *self._listed):
            return ""
        return (
            f"    {'; '.join(text for text in (*self.quantity.label.values(), self.quantity.note) if text)}"
        )

    @property
    def _listed(self) -> tuple[str, ...]:
        """What of it the table shows and words are looked for in."""
        return self.key, self.quantity.unit, self.quantity.source


def _has(words: Sequence[str], *texts: str) -> bool:
    """Whether every word is in the texts, in upper or lower case."""
    text = " ".join(texts).lower()
    return all(word.lower() in text for word in words)


def evidence_text(
    worlds: Sequence[tuple[str, Study]],
    words: Sequence[str] = (),
    status: str | None = None,
    others: Mapping[str, Sequence[tuple[str, Study]]] = MappingProxyType({}),
) -> str:
    """Table of the quantities of all worlds, drivers of tasks, counts, refused scope, and what other scenarios have.

    Parameters
    ----------
    worlds : sequence of (str, Study)
        A quantity that is the same in all of them stands there once.
    words : sequence of str
        Only rows whose key, unit, source, label or note hold every word, in upper or lower case.
    status : str, optional
        Only rows of this status.
    others : mapping of str to sequence of (str, Study)
        Worlds of scenarios that are not listed; keys that only they have are named with their scenario.

    Returns
    -------
    str
    """
    rows = _rows(worlds)
    listed = [row for row in rows if row.holds(words, status)]
    parts = [_table(listed, words)] if listed else [_nothing(rows, words)]
    parts += _drivers(worlds[0][1], {row.key for row in listed})
    parts += _elsewhere({row.key for row in rows}, others, words, status)
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
    "label",
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
        (of the sources), note, range_note, label (English).
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
        table.writerow((*facts, one.source, titles, one.note, one.range_note, one.label.get("en", "")))
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


def _nothing(rows: Sequence[_Row], words: Sequence[str]) -> str:
    """What to say where no row matches: parts of keys like the words that are found nowhere."""
    names = sorted({name for row in rows for name in row.key.split(".")})
    lost = [word for word in words if not any(row.holds([word], None) for row in rows)]
    like = [found for found in (near(word, names, "") for word in lost) if found]
    return f"Nothing matches in these worlds{'; near: ' if like else ''}{', '.join(like)}."


def _elsewhere(
    known: Set[str],
    others: Mapping[str, Sequence[tuple[str, Study]]],
    words: Sequence[str],
    status: str | None,
) -> list[str]:
    """Keys that match and that only other scenarios have, each with the choice that lists it; one part or none."""
    lines = []
    for scenario, worlds in others.items():
        keys = [row.key for row in _rows(worlds) if row.key not in known and row.holds(words, status)]
        keys = list(dict.fromkeys(keys))
        if keys:
            more = f" and {len(keys) - _MOST_KEYS} more" if len(keys) > _MOST_KEYS else ""
            lines.append(f"  scenario={scenario}: {', '.join(keys[:_MOST_KEYS])}{more}")
    return ["\n".join(["Listed only with another scenario:", *lines])] if lines else []


def _table(listed: Sequence[_Row], words: Sequence[str]) -> str:
    """Columns below each other; a long cell pushes only its own line."""
    rows = [_HEADS, *(row.cells() for row in listed)]
    widths = [min(widest, max(len(row[column]) for row in rows)) for column, widest in enumerate(_WIDEST)]
    lines = [
        _GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    asides = ["", *(row.aside(words) for row in listed)]
    return "\n".join(text for pair in zip(lines, asides, strict=True) for text in pair if text)


def _counts(rows: Iterable[_Row]) -> str:
    """Number of rows of every status, and in all."""
    counts = Counter(row.quantity.status for row in rows)
    by_status = ", ".join(f"{counts[status]} {status}" for status in STATUSES)
    return f"{by_status}; {counts.total()} in all"


def _drivers(study: Study, listed: Set[str]) -> list[str]:
    """What makes the tasks arise whose rate is listed, in words."""
    lines = [
        f"  {name}: {task.driver}" for name, task in study.tasks.items() if f"task.{name}.rate" in listed
    ]
    return ["\n".join(["What makes tasks arise", *lines])] if lines else []


def _refused(worlds: Sequence[tuple[str, Study]], words: Sequence[str]) -> str:
    """What the law does not give the roles, and which of it a protocol asks for."""
    asked = {(one.role, one.task) for _, study in worlds for one in study.refused}
    lines: dict[str, str] = {}
    study = worlds[0][1]
    for role in study.roles.values():
        for task, scope in role.scope.items():
            if task == "all" or task in role.permitted:
                continue
            line = f"  {role.name}: {task}{' (in the protocol)' if (role.name, task) in asked else ''}: {scope.text}"
            lines[f"{line} [{scope.source}]"] = task
    for one in (refusal for _, world in worlds for refusal in world.refused):
        if one.task not in study.roles[one.role].scope:
            lines[f"  {one.role}: {one.task} (in the protocol): {one.text}"] = one.task
    names = {name: " ".join(task.label.values()) for name, task in study.tasks.items()}
    found = [line for line, task in lines.items() if _has(words, line, names.get(task, ""))]
    head = f"Refused scope on {study.value('calendar.as_of')}: not delegated, whatever a protocol asks"
    if not found:
        found = [f"  none that match; {len(lines)} in all" if lines else "  none"]
    return "\n".join([head, *found])


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
