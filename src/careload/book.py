"""The book: places of the coming days and of today, given to all lanes at once (docs/day.md, section 8).

A diary is a list of places of one person; diaries are numbered by (person number, order), so a person may
have several. A diary-day of a coming day stores only how many of its ordinary places are used, because they
are given from the first on. Held places are given only on the day itself.

Requests are served rank by rank: the k-th request of every lane is one vector step, so that the order within
a lane is kept exactly and lanes never see each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from careload.places import Places, ordinary_start, spread_held
from careload.requests import DAY_END, LaterRequests, TodayRequests, check_later, check_today
from careload.ticks import NEVER

__all__ = [
    "NO_DIARY",
    "LaterBookings",
    "LaterRequests",
    "Places",
    "TodayBookings",
    "TodayRequests",
    "book_later",
    "book_today",
    "ordinary_start",
    "spread_held",
]

IntArray: TypeAlias = NDArray[np.int64]
BoolArray: TypeAlias = NDArray[np.bool_]
CountArray: TypeAlias = NDArray[np.integer[Any]]
Step: TypeAlias = tuple[int, int]

NO_DIARY: Final = -1
"""Diary, day and place of a request that found no place."""

_DIARY_BITS: Final = 6
_DIARY_MASK: Final = (1 << _DIARY_BITS) - 1
_WORD_BITS: Final = 5
_WORD_DAYS: Final = 1 << _WORD_BITS
_FLOAT_ONE: Final = 1023
_FLOAT_SHIFT: Final = 52
_NOWHERE: Final = 1 << 62
_TICK_BITS: Final = 32


@dataclass(frozen=True)
class LaterBookings:
    """Outcome of each later request; ``NO_DIARY`` in all three where the book is full.

    Parameters
    ----------
    diary : ndarray of int64, shape (n,)
        Diary that serves the request.
    day : ndarray of int64, shape (n,)
        Calendar days ahead.
    place : ndarray of int64, shape (n,)
        Index of the first place among the ordinary places of that diary-day.
    """

    diary: IntArray
    day: IntArray
    place: IntArray


@dataclass(frozen=True)
class TodayBookings:
    """Outcome of each request for today.

    Parameters
    ----------
    diary : ndarray of int64, shape (n,)
        Diary that serves the request, ``NO_DIARY`` if none has a place.
    start : ndarray of int64, shape (n,)
        Ticks of the first place given, ``NEVER`` if none.
    """

    diary: IntArray
    start: IntArray


def book_later(used: CountArray, ordinary: CountArray, requests: LaterRequests) -> LaterBookings:
    """Give ordinary places of coming days: the earliest day, with grace for the usual clinician.

    For each eligible diary the earliest day from ``max(1, not_before)`` on with enough ordinary places left;
    the lowest (day less the grace of the usual clinician, person number, diary number) is taken.

    Parameters
    ----------
    used : ndarray of signed int, shape (D, H + 1, L)
        Ordinary places used on each day ahead; day 0 is today and is not touched. Changed in place.
    ordinary : ndarray of signed int, shape (D, H + 1, L)
        Ordinary places of each day, 0 on a closed day.
    requests : LaterRequests
        n requests.

    Returns
    -------
    LaterBookings
    """
    check_later(used, ordinary, requests)
    bookings = LaterBookings(*(np.full(requests.lane.size, NO_DIARY, np.int64) for _ in range(3)))
    if not requests.lane.size:
        return bookings
    free = np.ascontiguousarray(ordinary - used)
    order, steps = _ranks(requests.lane)
    request, diary, day, left = _give_later(free, _later_queue(requests, order, free.shape), steps)
    given = order[request]
    bookings.diary[given], bookings.day[given] = diary, day
    lane = requests.lane[given]
    bookings.place[given] = ordinary[diary, day, lane] - left - requests.need[diary, given]
    used[...] = ordinary - free
    return bookings


def book_today(used_today: CountArray, places: Places, requests: TodayRequests) -> TodayBookings:
    """Give today's places: at opening the held places join the ordinary places not used.

    For each request the first diary in her order that has a free place at or after her minute with enough
    free places after it; places skipped or taken are lost to later requests of the day.

    Parameters
    ----------
    used_today : ndarray of signed int, shape (D, L)
        Ordinary places booked ahead for today.
    places : Places
        Today's places.
    requests : TodayRequests
        n requests.

    Returns
    -------
    TodayBookings
    """
    check_today(used_today, places, requests)
    n = requests.lane.size
    bookings = TodayBookings(np.full(n, NO_DIARY, np.int64), np.full(n, NEVER, np.int64))
    free = _free_places(used_today, places)
    if not n or not free.start.size:
        return bookings
    order, steps = _ranks(requests.lane)
    request, diary, spot = _give_today(free, _today_queue(requests, order, free), steps)
    bookings.diary[order[request]], bookings.start[order[request]] = diary, free.start[spot]
    return bookings


def _ranks(lane: IntArray) -> tuple[IntArray, list[Step]]:
    """Order that puts the k-th requests of all lanes together, and the bounds of each such rank."""
    n = lane.size
    fresh = np.flatnonzero(np.diff(lane, prepend=-1))
    count = np.diff(fresh, append=n)
    rank = np.arange(n) - np.repeat(fresh, count)
    small = rank.astype(np.uint16) if count.max() < 1 << 16 else rank
    ends = np.cumsum(np.bincount(rank)).tolist()
    return np.argsort(small, kind="stable"), list(zip([0, *ends], ends, strict=False))


def _eligible(may: IntArray, n_diaries: int) -> BoolArray:
    """Bit mask of each request as a table, shape (D, n)."""
    eligible: BoolArray = (may >> np.arange(n_diaries)[:, None]) & 1 == 1
    return eligible


@dataclass(frozen=True)
class _LaterQueue:
    """Later requests in rank order; a cell is a flat index into days open by (word, size, diary, lane)."""

    lane: IntArray
    need: IntArray
    cell: IntArray
    allowed: IntArray
    offset: IntArray


def _later_queue(requests: LaterRequests, order: IntArray, shape: tuple[int, ...]) -> _LaterQueue:
    """Everything that does not change while the book fills, for all requests at once."""
    n_diaries, n_days, n_lanes = shape
    diary = np.arange(n_diaries)[:, None]
    lane, need = requests.lane[order], requests.need[:, order]
    words = np.arange(-(-n_days // _WORD_DAYS))[:, None]
    before = np.clip(np.maximum(requests.not_before[order], 1) - words * _WORD_DAYS, 0, _WORD_DAYS)
    onward = np.left_shift(np.int64(-1), before)[:, None, :]
    allowed = np.where(_eligible(requests.may[order], n_diaries), onward, 0)
    usual = requests.person_of_diary[:, None] == requests.usual[order]
    grace = np.where(usual, requests.continuity_days[order], 0)
    cell = ((need - 1) * n_diaries + diary) * n_lanes + lane
    return _LaterQueue(lane, need, cell, allowed, diary - (grace << _DIARY_BITS))


def _open_days(free: CountArray, n_sizes: int) -> IntArray:
    """Days with at least 1, 2, ... places left as bits of words of 32 days, shape (words, sizes, D, L)."""
    n_diaries, n_days, n_lanes = free.shape
    n_words = -(-n_days // _WORD_DAYS)
    result = np.empty((n_words, n_sizes, n_diaries, n_lanes), np.int64)
    for word in range(n_words):
        days = free[:, word * _WORD_DAYS : (word + 1) * _WORD_DAYS]
        bit = (np.int64(1) << np.arange(days.shape[1]))[:, None]
        for size in range(n_sizes):
            np.sum((days > size) * bit, axis=1, out=result[word, size])
    return result


def _first_day(open_flat: IntArray, stride: int, cell: IntArray, allowed: IntArray) -> IntArray:
    """Earliest open and allowed day plus 1023 (the exponent of its bit as a float), 0 where there is none."""
    found = np.zeros(cell.shape, np.int64)
    for word in range(len(allowed) - 1, -1, -1):
        days = open_flat.take(cell + word * stride if word else cell)
        days &= allowed[word]
        days &= -days
        first = days.astype(np.float64).view(np.int64) >> _FLOAT_SHIFT
        if word:
            first += word * _WORD_DAYS
        found = first if len(allowed) == 1 else np.where(days == 0, found, first)
    return found


def _give_later(
    free: CountArray, queue: _LaterQueue, steps: list[Step]
) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """Serve the ranks in turn; ``free`` is changed in place. Returns request, diary, day and places left."""
    n_diaries, n_days, n_lanes = free.shape
    n, n_sizes = queue.lane.size, int(queue.need.max())
    open_flat, free_flat = _open_days(free, n_sizes).reshape(-1), free.reshape(-1)
    need_flat, size = queue.need.reshape(-1), np.arange(1, n_sizes + 1)[:, None]
    per_size = n_diaries * n_lanes
    size_row, stride = (size - 1) * per_size, n_sizes * per_size
    given = []
    for begin, end in steps:
        first = _first_day(open_flat, stride, queue.cell[:, begin:end], queue.allowed[:, :, begin:end])
        score = first << _DIARY_BITS
        score += queue.offset[:, begin:end]
        score[first == 0] = _NOWHERE
        best = score.min(axis=0)
        who = np.flatnonzero(best < _NOWHERE)
        diary = best.take(who) & _DIARY_MASK
        day = first.take(diary * (end - begin) + who) - _FLOAT_ONE
        request = who + begin
        lane = queue.lane.take(request)
        spot = (diary * n_days + day) * n_lanes + lane
        left = free_flat.take(spot) - need_flat.take(diary * n + request)
        free_flat[spot] = left
        cells = (day >> _WORD_BITS) * stride + diary * n_lanes + lane + size_row
        closed = (left < size) * np.left_shift(np.int64(1), day & (_WORD_DAYS - 1))
        open_flat[cells] = open_flat.take(cells) & ~closed
        given.append((request, diary, day, left))
    request, diary, day, left = (np.concatenate(column) for column in zip(*given, strict=True))
    return request, diary, day, left


@dataclass(frozen=True)
class _FreePlaces:
    """Free places of the day in one flat list by (diary, lane, time); each diary-lane has its bounds."""

    start: IntArray
    first: IntArray
    end: IntArray


def _free_places(used_today: CountArray, places: Places) -> _FreePlaces:
    """Held places and the ordinary places from index ``used_today`` on."""
    ordinary = places.ordinary
    number = np.cumsum(ordinary, axis=1) - 1
    free = places.exists & (places.held | (number >= used_today[:, None, :]))
    end = np.cumsum(free.sum(axis=1).reshape(-1)).astype(np.int64)
    start = places.start.transpose(0, 2, 1)[free.transpose(0, 2, 1)]
    return _FreePlaces(start, np.concatenate(([0], end[:-1])), end)


@dataclass(frozen=True)
class _TodayQueue:
    """Requests for today in rank order; positions count in the flat list of free places."""

    cell: IntArray
    need: IntArray
    from_minute: IntArray
    last: IntArray
    score: IntArray


def _today_queue(requests: TodayRequests, order: IntArray, free: _FreePlaces) -> _TodayQueue:
    """First place by the clock, last place that leaves enough, and score of every diary for every request."""
    n_diaries = len(requests.need)
    n_lanes = free.end.size // n_diaries
    diary = np.arange(n_diaries)[:, None]
    row = diary * n_lanes + requests.lane
    of_place = np.repeat(np.arange(free.end.size), free.end - free.first)
    clock = np.clip(requests.minute, 0, DAY_END)
    from_minute = np.searchsorted((of_place << _TICK_BITS) + free.start, (row << _TICK_BITS) + clock)
    last = np.where(_eligible(requests.may, n_diaries), free.end[row] - requests.need, -1)
    score = (requests.order << _DIARY_BITS) + diary
    return _TodayQueue(*(table[:, order] for table in (row, requests.need, from_minute, last, score)))


def _give_today(
    free: _FreePlaces, queue: _TodayQueue, steps: list[Step]
) -> tuple[IntArray, IntArray, IntArray]:
    """Serve the ranks in turn with one pointer per diary and lane. Returns request, diary and flat place."""
    n = queue.cell.shape[1]
    pointer, cell_flat, need_flat = free.first.copy(), queue.cell.reshape(-1), queue.need.reshape(-1)
    given = []
    for begin, end in steps:
        place = np.maximum(pointer.take(queue.cell[:, begin:end]), queue.from_minute[:, begin:end])
        score = np.where(place > queue.last[:, begin:end], _NOWHERE, queue.score[:, begin:end])
        best = score.min(axis=0)
        who = np.flatnonzero(best < _NOWHERE)
        diary = best.take(who) & _DIARY_MASK
        request = who + begin
        at = diary * n + request
        spot = place.take(diary * (end - begin) + who)
        pointer[cell_flat.take(at)] = spot + need_flat.take(at)
        given.append((request, diary, spot))
    request, diary, spot = (np.concatenate(column) for column in zip(*given, strict=True))
    return request, diary, spot
