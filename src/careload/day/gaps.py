"""Work without a patient fills the GPs' idle gaps after the day is scheduled (docs/day.md, section 9)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from careload.ticks import NEVER

__all__ = ["GpDay", "Services", "fill_gaps"]

_TICK_BITS: Final = 33
"""Room for a tick of a day in a packed sort key."""


@dataclass(frozen=True)
class Services:
    """Starts of GPs on one day, absences included; n rows in any order.

    `off` marks time between sessions and going home, `rest` a break.
    """

    lane: NDArray[np.int64]
    person: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    off: NDArray[np.bool_]
    rest: NDArray[np.bool_]


@dataclass(frozen=True)
class GpDay:
    """A day of the GPs of each lane, in ticks; shape (L,) each.

    Attributes
    ----------
    presence : ndarray of int64
        From the first session to the last end, less time off, plus the evening.
    after_closing : ndarray of int64
        Part of it after the last session, before the evening desk.
    evening : ndarray of int64
        Desk work that no gap could take.
    rest : ndarray of int64
        Breaks.
    usable : ndarray of int64
        Idle pieces of at least the crumb limit, after filling.
    crumbs : ndarray of int64
        Shorter idle pieces.
    """

    presence: NDArray[np.int64]
    after_closing: NDArray[np.int64]
    evening: NDArray[np.int64]
    rest: NDArray[np.int64]
    usable: NDArray[np.int64]
    crumbs: NDArray[np.int64]


def fill_gaps(
    services: Services,
    gps: NDArray[np.int64],
    free: NDArray[np.int64],
    close: NDArray[np.int64],
    desk_begin: NDArray[np.int64],
    desk_end: NDArray[np.int64],
    desk: NDArray[np.int64],
    crumb_limit: NDArray[np.int64],
) -> GpDay:
    """Fill idle gaps with desk work: those of the desk block first, then the others in order of time.

    Parameters
    ----------
    gps : ndarray of int64, shape (G,)
        Numbers of the GPs.
    free, close : ndarray of int64, shape (C, L)
        Start of the first session (NEVER if absent) and end of the last.
    desk_begin, desk_end : ndarray of int64, shape (C, L)
        The desk block, an empty interval if there is none.
    desk : ndarray of int64, shape (L,)
        Ticks of work without a patient.
    crumb_limit : ndarray of int64, shape (L,)
    """
    n_lanes = len(desk)
    gp_number = np.full(int(gps.max()) + 1, -1)
    gp_number[gps] = np.arange(len(gps))
    group = gp_number[services.person] * n_lanes + services.lane
    here = (free[gps] < NEVER).reshape(-1)
    opens = np.where(here, free[gps].reshape(-1), 0)
    closes = close[gps].reshape(-1)
    work, off = np.flatnonzero(~services.off), np.flatnonzero(services.off)
    last = closes.copy()
    np.maximum.at(last, group.take(work), services.end.take(work))
    went_home = services.start.take(off) >= closes.take(group.take(off))
    homes, high = np.flatnonzero(here), group << _TICK_BITS
    end_of_day = (homes << _TICK_BITS) + last.take(homes)
    begin = np.concatenate((high + services.start, end_of_day))
    end = np.concatenate((high + services.end, end_of_day))
    home = off.compress(went_home)
    begin[home] = end[home] = high.take(home) + last.take(group.take(home))
    # Nobody does two things at once, so starts and ends have one order.
    begin.sort()
    end.sort()
    before = np.empty_like(end)
    before[1:] = end[:-1]
    starts = np.bincount(group, minlength=len(here)) + here
    begins_day = np.flatnonzero(starts)
    before[(np.cumsum(starts) - starts).take(begins_day)] = (begins_day << _TICK_BITS) + opens.take(
        begins_day
    )
    length = begin - before
    found = np.flatnonzero(length > 0)
    length, piece_group = length.take(found), begin.take(found) >> _TICK_BITS
    piece_start = before.take(found) & (1 << _TICK_BITS) - 1
    lane = piece_group % n_lanes
    in_block = piece_start >= desk_begin[gps].take(piece_group)
    in_block &= piece_start < desk_end[gps].take(piece_group)
    left, evening = _fill(lane, piece_start, length, ~in_block, desk)
    usable = left >= crumb_limit.take(lane)
    between = _time(services, off.compress(~went_home), n_lanes)
    rest = _time(services, np.flatnonzero(services.rest), n_lanes)
    span = np.where(here, last - opens, 0).reshape(len(gps), n_lanes).sum(0)
    after = np.where(here, last - closes, 0).reshape(len(gps), n_lanes).sum(0)
    return GpDay(
        presence=span - between + evening,
        after_closing=after,
        evening=evening,
        rest=rest,
        usable=np.bincount(lane[usable], left[usable], minlength=n_lanes).astype(np.int64),
        crumbs=np.bincount(lane[~usable], left[~usable], minlength=n_lanes).astype(np.int64),
    )


def _time(services: Services, rows: NDArray[np.int64], n_lanes: int) -> NDArray[np.int64]:
    """Ticks of some rows by lane."""
    ticks = services.end[rows] - services.start[rows]
    return np.bincount(services.lane[rows], ticks, minlength=n_lanes).astype(np.int64)


def _fill(
    lane: NDArray[np.int64],
    start: NDArray[np.int64],
    length: NDArray[np.int64],
    later: NDArray[np.bool_],
    desk: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """What remains of each piece, and what remains of the desk work of each lane."""
    order = np.argsort(((lane << 1) + later << _TICK_BITS) + start, kind="stable")
    sorted_lane, sorted_length = lane[order], length[order]
    running = np.cumsum(sorted_length)
    total = np.bincount(lane, length, minlength=len(desk)).astype(np.int64)
    offset = np.cumsum(total) - total
    before = running - sorted_length - offset[sorted_lane]
    filled = np.clip(desk[sorted_lane] - before, 0, sorted_length)
    left = np.empty_like(length)
    left[order] = sorted_length - filled
    return left, desk - np.minimum(desk, total)
