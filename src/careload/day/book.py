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

from careload.day.book_requests import DAY_END, LaterRequests, TodayRequests, check_later, check_today
from careload.practice.places import Places, ordinary_start, spread_held
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

_WORD_DAYS: Final = 52
_EXPONENT: Final = 52
_EXPONENT_OF_ONE: Final = 1023
_ONES: Final = (1 << _EXPONENT) - 1
_NEED_BITS: Final = 10
_ROW_BITS: Final = 30
_NEED_MASK: Final = (1 << _NEED_BITS) - 1
_ROW_MASK: Final = (1 << _ROW_BITS) - 1
_BOOKED: Final = _EXPONENT_OF_ONE << _EXPONENT
_NOWHERE: Final = 1 << 62
_EVERYONE: Final = slice(None)
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
    # By (day, diary, lane): what lies together stays together, and a day ahead is a multiple of the rows.
    free = np.empty((used.shape[1], used.shape[0], used.shape[2]), np.result_type(ordinary, used))
    by_diary = free.transpose(1, 0, 2)
    np.subtract(ordinary, used, out=by_diary)
    order, steps = _ranks(requests.lane)
    spot, left = _give_later(free, _later_queue(requests, order, free.shape), steps)
    found = np.flatnonzero(spot >= 0)
    given = order.take(found)
    day, row = np.divmod(spot.take(found), free[0].size)
    diary = row // used.shape[2]
    bookings.diary[given], bookings.day[given] = diary, day
    taken = left.take(found) + requests.need[diary, given]
    bookings.place[given] = ordinary[diary, day, requests.lane.take(given)] - taken
    np.subtract(ordinary, by_diary, out=used)
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
    row, spot = _give_today(free, _today_queue(requests, order, free), steps)
    found = spot >= 0
    given = order[found]
    bookings.diary[given], bookings.start[given] = row[found] // used_today.shape[1], free.start[spot[found]]
    return bookings


def _ranks(lane: IntArray) -> tuple[IntArray, list[Step]]:
    """Order that puts the k-th requests of all lanes together, and the bounds of each such rank."""
    fresh = np.concatenate(([0], np.flatnonzero(lane[1:] != lane[:-1]) + 1, [lane.size]))
    rank = np.arange(lane.size) - np.repeat(fresh[:-1], fresh[1:] - fresh[:-1])
    ends = np.cumsum(np.bincount(rank)).tolist()
    small = rank.astype(np.uint16) if len(ends) < 1 << 16 else rank
    return np.argsort(small, kind="stable"), list(zip([0, *ends], ends, strict=False))


def _eligible(may: IntArray, n_diaries: int) -> IntArray:
    """Bit masks as a table of 0 and 1, shape (D, n)."""
    eligible: IntArray = (may >> np.arange(n_diaries)[:, None]) & 1
    return eligible


@dataclass(frozen=True)
class _LaterQueue:
    """Later requests in rank order: all that does not change while the book fills; a row is diary x L + lane.

    Attributes
    ----------
    row, need : ndarray of int64, shape (D, n)
    cell : ndarray of int64, shape (D, n)
        Place of the open days of (need, row).
    allowed : ndarray of int64, shape (words, D, n)
        Mask of the days she may come.
    offset : ndarray of int64, shape (D, n)
        Turns the bits of an earliest day into a score.
    start : ndarray of int64, shape (D, n)
        Place of the row in the book (H + 1, D, L) on the day whose score has no exponent.
    """

    row: IntArray
    need: IntArray
    cell: IntArray
    allowed: IntArray
    offset: IntArray
    start: IntArray


def _later_queue(requests: LaterRequests, order: IntArray, shape: tuple[int, ...]) -> _LaterQueue:
    """Lay out the requests for a book of shape (H + 1, D, L)."""
    n_days, n_diaries, n_lanes = shape
    n_rows, n_words = n_diaries * n_lanes, _n_words(n_days)
    need = requests.need.take(order, axis=1)
    row = np.arange(n_diaries)[:, None] * n_lanes + requests.lane.take(order)
    usual = requests.person_of_diary[:, None] == requests.usual.take(order)
    grace = np.minimum(requests.continuity_days, n_days).take(order) * usual
    start = (grace + (_EXPONENT_OF_ONE - 1 + n_words * _WORD_DAYS)) * n_rows
    start += row
    grace <<= _EXPONENT
    grace -= np.arange(need.size).reshape(need.shape)
    words = np.arange(n_words)[:, None] * _WORD_DAYS
    left_in_word = _WORD_DAYS - np.clip(np.arange(n_days + 1) - words, 0, _WORD_DAYS)
    not_before = np.clip(requests.not_before, 1, n_days).take(order)
    onward = ((np.int64(1) << left_in_word) - 1).take(not_before, axis=1)
    allowed = onward[:, None, :] * _eligible(requests.may.take(order), n_diaries)
    cell = need - 1
    cell *= n_rows
    cell += row
    return _LaterQueue(row, need, cell, allowed, offset=grace, start=start)


def _n_words(n_days: int) -> int:
    return -(-n_days // _WORD_DAYS)


def _open_days(free: CountArray, n_sizes: int) -> IntArray:
    """Days with at least 1, 2, ... places left, as bits, shape (words, sizes, D x L).

    A word holds 52 days, the earliest in the highest bit, so that the exponent of the word as a float names
    its earliest day.
    """
    n_days = len(free)
    by_row = free.reshape(n_days, -1).T
    result = np.empty((_n_words(n_days), n_sizes, len(by_row)), np.int64)
    days = np.zeros((len(by_row), 64), free.dtype)
    unused = np.uint64(64 - _WORD_DAYS)
    for word in range(len(result)):
        part = by_row[:, word * _WORD_DAYS : (word + 1) * _WORD_DAYS]
        days[:, : part.shape[1]] = part
        days[:, part.shape[1] :] = 0
        for size in range(n_sizes):
            result[word, size] = np.packbits(days > size).view(">u8").astype(np.uint64) >> unused
    return result


def _earliest(open_flat: IntArray, stride: int, cell: IntArray, allowed: IntArray) -> IntArray:
    """Earliest open and allowed day as exponent bits of a float, the higher the earlier; exponent 0: none."""
    n_words = len(allowed)
    days = open_flat.take(cell)
    days &= allowed[0]
    found = days.astype(np.float64).view(np.int64)
    if n_words > 1:
        found[days > 0] += (n_words - 1) * _WORD_DAYS << _EXPONENT
    for word in range(1, n_words):
        days = open_flat.take(cell + word * stride) & allowed[word]
        later = days.astype(np.float64).view(np.int64)
        later[days > 0] += (n_words - 1 - word) * _WORD_DAYS << _EXPONENT
        np.maximum(found, later, out=found)
    found |= _ONES
    return found


def _give_later(free: CountArray, queue: _LaterQueue, steps: list[Step]) -> tuple[IntArray, IntArray]:
    """Serve the ranks in turn; ``free`` (H + 1, D, L) is changed in place.

    The score of a diary is one integer. From bit 52 on it holds the earliest day, counted down, plus the
    grace; below, the complement of its place in the queue's tables: of equal days the lowest diary wins, and
    the score says whose it is.

    Returns the flat index in ``free`` of each booking, -1 for none, and the places left, in rank order.
    """
    n_rows, n_sizes = free[0].size, int(queue.need.max())
    open_days = _open_days(free, n_sizes)
    n_words, stride = len(open_days), open_days[0].size
    open_flat, free_flat = open_days.reshape(-1), free.reshape(-1)
    size = np.arange(1, n_sizes + 1)[:, None]
    size_row = (size - 1) * n_rows
    days = np.arange(len(free))
    without_day = ~(np.int64(1) << (_WORD_DAYS - 1 - days % _WORD_DAYS))
    spots = np.full(queue.cell.shape[1], -1)
    lefts = np.zeros_like(spots)
    for begin, end in steps:
        score = _earliest(open_flat, stride, queue.cell[:, begin:end], queue.allowed[:, :, begin:end])
        score += queue.offset[:, begin:end]
        best = np.maximum.reduce(score)
        served = _EVERYONE if best[best.argmin()] >= _BOOKED else np.flatnonzero(best >= _BOOKED)
        best = best[served]
        at = ~best
        at &= _ONES
        best >>= _EXPONENT
        best *= n_rows
        spot = queue.start.take(at)
        spot -= best
        left = free_flat.take(spot) - queue.need.take(at)
        free_flat[spot] = left
        spots[begin:end][served] = spot
        lefts[begin:end][served] = left
        near = np.flatnonzero(left < n_sizes)
        if len(near):
            row, left = queue.row.take(at.take(near)), left.take(near)
            day = spot.take(near) // n_rows
            cells = size_row + row
            if n_words > 1:
                cells += day // _WORD_DAYS * stride
            kept = open_flat.take(cells)
            kept &= np.where(left < size, without_day.take(day), -1)
            open_flat[cells] = kept
    return spots, lefts


@dataclass(frozen=True)
class _FreePlaces:
    """Free places of the day in one flat list by (diary, lane, time); each diary-lane has its bounds."""

    start: IntArray
    first: IntArray
    end: IntArray


def _free_places(used_today: CountArray, places: Places) -> _FreePlaces:
    """Held places and the ordinary places from index ``used_today`` on."""
    free = places.used_up >= used_today[:, :, None]
    end = np.cumsum(np.count_nonzero(free, axis=2))
    start = places.start_by_lane.take(np.flatnonzero(free))
    return _FreePlaces(start, np.concatenate(([0], end[:-1])), end)


@dataclass(frozen=True)
class _TodayQueue:
    """Requests for today in rank order, each table (D, n); positions are in the flat list of places."""

    row: IntArray
    by_clock: IntArray
    last: IntArray
    score: IntArray


def _today_queue(requests: TodayRequests, order: IntArray, free: _FreePlaces) -> _TodayQueue:
    """First place by the clock, last place that leaves enough, and score of every diary for every request."""
    n_diaries = len(requests.need)
    row = np.arange(n_diaries)[:, None] * (free.end.size // n_diaries) + requests.lane
    of_place = np.repeat(np.arange(free.end.size), free.end - free.first)
    clock = np.clip(requests.minute, 0, DAY_END)
    by_clock = np.searchsorted((of_place << _TICK_BITS) + free.start, (row << _TICK_BITS) + clock)
    last = np.where(_eligible(requests.may, n_diaries), free.end[row] - requests.need, -1)
    score = (((requests.order << _ROW_BITS) + row) << _NEED_BITS) + requests.need
    return _TodayQueue(*(table.take(order, axis=1) for table in (row, by_clock, last, score)))


def _give_today(free: _FreePlaces, queue: _TodayQueue, steps: list[Step]) -> tuple[IntArray, IntArray]:
    """Serve the ranks in turn with one pointer per row; the clock moves the pointers of all her diaries.

    Returns the row and the flat place of each booking in rank order, place -1 for none.
    """
    pointer = free.first.copy()
    rows = np.zeros(queue.row.shape[1], np.int64)
    spots = np.full(rows.size, -1)
    for begin, end in steps:
        step = slice(begin, end)
        cell = queue.row[:, step]
        place = np.maximum(pointer[cell], queue.by_clock[:, step])
        pointer[cell] = place
        best = np.minimum.reduce(np.where(place > queue.last[:, step], _NOWHERE, queue.score[:, step]))
        served = _EVERYONE if best[best.argmax()] < _NOWHERE else np.flatnonzero(best < _NOWHERE)
        best = best[served]
        row = (best >> _NEED_BITS) & _ROW_MASK
        spot = pointer[row]
        pointer[row] = spot + (best & _NEED_MASK)
        rows[step][served] = row
        spots[step][served] = spot
    return rows, spots
