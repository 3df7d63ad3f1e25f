"""Requests for a place, today or on a coming day, and the check that they fit the book."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from careload.practice.places import Places

__all__ = ["DAY_END", "LaterRequests", "TodayRequests", "check_later", "check_today"]

IntArray: TypeAlias = NDArray[np.int64]
CountArray: TypeAlias = NDArray[np.integer[Any]]

MAX_DIARIES: Final = 63
"""Most diaries a bit mask can name."""

MAX_DAYS: Final = 401
"""Most days of a book, today included."""

MAX_NEED: Final = 1023
"""Most places one request may need."""

MAX_ROWS: Final = 1 << 30
"""Most diaries x lanes."""

MAX_ORDER: Final = 1 << 20
"""Highest rank of a diary."""

DAY_END: Final = (1 << 32) - 1
"""Ticks before which every place starts."""


@dataclass(frozen=True)
class LaterRequests:
    """Requests for a place on a coming day, lane-major, within a lane in booking order.

    Parameters
    ----------
    lane : ndarray of int64, shape (n,)
        Lane, not decreasing.
    may : ndarray of int64, shape (n,)
        Bit d is set if diary d may serve the request.
    need : ndarray of int64, shape (D, n)
        Consecutive ordinary places needed in each diary, at least 1.
    usual : ndarray of int64, shape (n,)
        Number of the patient's usual clinician, -1 if she has none.
    continuity_days : ndarray of int64, shape (n,)
        Calendar days the patient waits to see her usual clinician.
    not_before : ndarray of int64, shape (n,)
        First day ahead she may come; 1 is tomorrow.
    person_of_diary : ndarray of int64, shape (D,)
        Person number of each diary, not decreasing.
    """

    lane: IntArray
    may: IntArray
    need: IntArray
    usual: IntArray
    continuity_days: IntArray
    not_before: IntArray
    person_of_diary: IntArray


@dataclass(frozen=True)
class TodayRequests:
    """Requests for a place today, lane-major, within a lane in the order (minute, key).

    Parameters
    ----------
    lane : ndarray of int64, shape (n,)
        Lane, not decreasing.
    minute : ndarray of int64, shape (n,)
        Ticks at which the request leaves first contact, not decreasing within a lane.
    may : ndarray of int64, shape (n,)
        Bit d is set if diary d may serve the request.
    need : ndarray of int64, shape (D, n)
        Free places needed in each diary, at least 1.
    order : ndarray of int64, shape (D, n)
        Rank of each diary for the request, by (delay, person number), at least 0; the lowest is tried first,
        equal ranks by diary number.
    """

    lane: IntArray
    minute: IntArray
    may: IntArray
    need: IntArray
    order: IntArray


def _check_requests(lane: IntArray, may: IntArray, need: IntArray, n_diaries: int, n_lanes: int) -> None:
    """Refuse flat requests that do not fit the diaries and lanes of the book."""
    if not 1 <= n_diaries <= MAX_DIARIES or n_diaries * n_lanes > MAX_ROWS:
        raise ValueError(f"a book has 1 to {MAX_DIARIES} diaries in {MAX_ROWS} diary-lanes at most")
    if may.shape != lane.shape or need.shape != (n_diaries, lane.size):
        raise ValueError("may must have shape (n,) and need (D, n), as lane and the book have")
    if not lane.size:
        return
    if (lane[1:] < lane[:-1]).any() or lane[0] < 0 or lane[-1] >= n_lanes:
        raise ValueError(f"lane must not decrease and must lie in 0..{n_lanes - 1}")
    if need.min() < 1 or need.max() > MAX_NEED:
        raise ValueError(f"every request needs 1 to {MAX_NEED} places of a diary")


def check_later(used: CountArray, ordinary: CountArray, requests: LaterRequests) -> None:
    """Refuse a book and later requests that do not fit each other."""
    if used.shape != ordinary.shape or used.ndim != 3:
        raise ValueError("used and ordinary must have one shape (D, H + 1, L)")
    if not 1 <= used.shape[1] <= MAX_DAYS:
        raise ValueError(f"a book has 1 to {MAX_DAYS} days, today included")
    _check_requests(requests.lane, requests.may, requests.need, used.shape[0], used.shape[2])
    for values in (requests.usual, requests.continuity_days, requests.not_before):
        if values.shape != requests.lane.shape:
            raise ValueError("usual, continuity_days and not_before must have shape (n,)")
    person = requests.person_of_diary
    if person.shape != used.shape[:1] or np.any(np.diff(person) < 0) or np.any(person < 0):
        raise ValueError("person_of_diary must have shape (D,) and follow the person numbers")
    if requests.continuity_days.min(initial=0) < 0:
        raise ValueError("continuity_days must not be negative")


def check_today(used_today: CountArray, places: Places, requests: TodayRequests) -> None:
    """Refuse places and requests for today that do not fit each other."""
    start = places.start
    if start.ndim != 3 or places.held.shape != start.shape or used_today.shape != start.shape[::2]:
        raise ValueError("places must have shape (D, Z, L) and used_today (D, L)")
    _check_requests(requests.lane, requests.may, requests.need, len(start), start.shape[2])
    if requests.minute.shape != requests.lane.shape or requests.order.shape != requests.need.shape:
        raise ValueError("minute must have shape (n,) and order (D, n)")
    if requests.order.min(initial=0) < 0 or requests.order.max(initial=0) > MAX_ORDER:
        raise ValueError(f"order must hold ranks of diaries between 0 and {MAX_ORDER}")
    first, last, ordered = places.span
    if first < 0 or last >= DAY_END or not ordered:
        raise ValueError(f"places must start in time order, from 0 to before {DAY_END} ticks, or NEVER")
    same = requests.lane[1:] == requests.lane[:-1]
    if (same & (requests.minute[1:] < requests.minute[:-1])).any():
        raise ValueError("minute must not decrease within a lane: places are given in the order of the clock")
