"""The calendar of a run: open days, weeks, warm-up, window and tail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["WEEK_DAYS", "Calendar", "make_calendar"]

WEEK_DAYS = 5
"""Open days of an open week (Monday to Friday)."""


@dataclass(frozen=True)
class Calendar:
    """Open days of a run, in order.

    Attributes
    ----------
    number : ndarray of int64, shape (days,)
        Calendar day, weekends and closed weeks counted; lead times are differences of it.
    weekday : ndarray of int64, shape (days,)
        0 is Monday.
    week : ndarray of int64, shape (days,)
        ISO week, 1 to 52.
    in_window : ndarray of bool, shape (days,)
        True on the days that are measured; the others warm the book or let it run out.
    year_days : int
        Open days of a year, the divisor of annual rates.
    year_weeks : ndarray of int64, shape (weeks,)
        ISO weeks of a year in which the practice is open, whatever the window covers.
    """

    number: NDArray[np.int64]
    weekday: NDArray[np.int64]
    week: NDArray[np.int64]
    in_window: NDArray[np.bool_]
    year_days: int
    year_weeks: NDArray[np.int64]

    def __len__(self) -> int:
        """Open days in all."""
        return len(self.number)

    @property
    def window_weeks(self) -> float:
        """Working weeks measured."""
        return float(self.in_window.sum()) / WEEK_DAYS

    def open_ahead(self, index: int, horizon: int) -> NDArray[np.int64]:
        """Weekday of each calendar day from 1 to `horizon` ahead of open day `index`; -1 when closed."""
        ahead = np.full(horizon + 1, -1, dtype=np.int64)
        later = self.number[index + 1 : index + 2 + horizon] - self.number[index]
        reach = later <= horizon
        ahead[later[reach]] = self.weekday[index + 1 : index + 2 + horizon][reach]
        return ahead

    def share_of_weeks(self, weeks: Sequence[int]) -> float:
        """Share of the open days of a year that fall in the ISO weeks given."""
        return float(np.isin(self.year_weeks, np.asarray(weeks)).mean())


def make_calendar(years: float, leave_weeks: Sequence[int], warm_up_days: int, tail_days: int) -> Calendar:
    """Open days of `years` years of 52 weeks, with warm-up before and tail after.

    Parameters
    ----------
    years : float
        Length of the window; rounded to whole weeks, at least one.
    leave_weeks : sequence of int
        ISO weeks in which the practice is closed.
    warm_up_days, tail_days : int
        Open days before and after the window.

    Returns
    -------
    Calendar
    """
    closed = {int(week) for week in leave_weeks}
    window = max(1, round(52 * years))
    weeks = np.arange(-104, window + 104)
    iso = weeks % 52 + 1
    is_open = ~np.isin(iso, sorted(closed))
    weeks, iso = weeks[is_open], iso[is_open]
    number = (weeks[:, None] * 7 + np.arange(WEEK_DAYS)).ravel()
    weekday = np.tile(np.arange(WEEK_DAYS), len(weeks))
    iso_days = np.repeat(iso, WEEK_DAYS)
    inside = (number >= 0) & (number < window * 7)
    first, last = np.flatnonzero(inside)[[0, -1]]
    keep = slice(first - warm_up_days, last + 1 + tail_days)
    return Calendar(
        number=number[keep],
        weekday=weekday[keep],
        week=iso_days[keep],
        in_window=inside[keep],
        year_days=WEEK_DAYS * (52 - len(closed)),
        year_weeks=np.setdiff1d(np.arange(1, 53), sorted(closed)),
    )
