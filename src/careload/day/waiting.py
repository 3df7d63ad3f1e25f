"""Slips whose next step lies ahead, kept by calendar day: each is written once and read once."""

from __future__ import annotations

from dataclasses import fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from careload.columns import join, rows
from careload.day.slips import DTYPES, Slips, no_slips

__all__ = ["Waiting"]

_RECORD: Final = np.dtype(
    [
        ("request", np.int64),
        ("acts", np.int64),
        ("lane", np.int32),
        ("day", np.int32),
        ("start", np.int32),
        ("lead_days", np.int16),
        ("ahead", np.int16),
        *((name, np.int8) for name in ("errand", "step", "role", "diary", "tries", "urgency")),
        ("refused", np.bool_),
    ],
    align=True,
)
"""A slip as one record; the ticks of a day and the days of a run fill less than 31 bits."""

_BYTES: Final = np.dtype((np.void, _RECORD.itemsize))
"""A record as bytes: rows without fields are taken and joined far faster."""


class Waiting:
    """Slips by the calendar day of their step; those of a day come out in the order in which they were put in."""

    def __init__(self) -> None:
        self._of_day: dict[int, list[NDArray[np.void]]] = {}
        self._new: list[Slips] = []

    def put(self, slips: Slips) -> None:
        """Keep slips until their day; what is put in between two reads is written at once."""
        if rows(slips):
            self._new.append(slips)

    def _write(self) -> None:
        if not self._new:
            return
        slips, self._new = join(self._new), []
        records = np.empty(len(slips.day), _RECORD)
        for field in fields(slips):
            records[field.name] = getattr(slips, field.name)
        packed, day = records.view(_BYTES), slips.day
        order = np.argsort(day, kind="stable")
        sorted_day = day.take(order)
        edge = np.flatnonzero(sorted_day[1:] != sorted_day[:-1]) + 1
        for first, end in zip([0, *edge.tolist()], [*edge.tolist(), len(day)], strict=True):
            of_day = self._of_day.setdefault(int(sorted_day[first]), [])
            of_day.append(packed.take(order[first:end]))

    def take_until(self, day: int) -> Slips:
        """Take out the slips of a calendar day, and any of a day before it."""
        self._write()
        return _unpacked(
            [part for one in sorted(self._of_day) if one <= day for part in self._of_day.pop(one)]
        )

    def table(self) -> Slips:
        """All slips that wait, by day."""
        self._write()
        return _unpacked([part for one in sorted(self._of_day) for part in self._of_day[one]])

    def requests(self) -> list[NDArray[np.int64]]:
        """Request of every slip, as views: a new value moves the slip to another row of the register."""
        self._write()
        return [part.view(_RECORD)["request"] for parts in self._of_day.values() for part in parts]


def _unpacked(parts: list[NDArray[np.void]]) -> Slips:
    """Records as a table."""
    if not parts:
        return no_slips()
    records = np.concatenate(parts).view(_RECORD)
    return Slips(**{name: records[name].astype(dtype) for name, dtype in DTYPES.items()})
