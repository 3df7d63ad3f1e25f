"""Rooms and seats: which work needs a room, and how both are used (docs/day.md, section 3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from careload.day.accounts import Account
from careload.day.block import Block, State
from careload.day.parts import WITH_PATIENT, Parts
from careload.day.schedule import Schedule
from careload.day.settle import Served
from careload.patients.bundle import Channel
from careload.ticks import MINUTE, NEVER

__all__ = ["Crowd", "count_premises", "crowd", "needs_room"]

_BUCKET: Final = 32 * MINUTE
_BUCKETS: Final = 48
"""Enough for a day; what is later counts for the last of them."""

_TICK_BITS: Final = 33
"""Room for a tick of a day in a packed sort key."""


@dataclass(frozen=True)
class Crowd:
    """More people than seats.

    Attributes
    ----------
    ticks : ndarray of int64, shape (L,)
        Time of people without a seat, summed.
    people : ndarray of int64, shape (L,)
        Those who found no seat when they came.
    """

    ticks: NDArray[np.int64]
    people: NDArray[np.int64]


def needs_room(parts: Parts) -> NDArray[np.bool_]:
    """Parts of contacts in the office, shape (n,); calls, follow-ons of the GP alone and absences need none."""
    needed: NDArray[np.bool_] = WITH_PATIENT.take(parts.part) & (parts.channel == Channel.OFFICE)
    return needed


def count_premises(
    block: Block, state: State, day: int, parts: Parts, timed: Schedule, started: Parts, done: Served
) -> None:
    """Count the time that rooms are open, the waits for one, and those who find no seat.

    Rooms are open from the start of the first session of the practice to the end of the last one. Those sit in the
    waiting room who may be seen and are not yet, on the day they came.
    """
    if not block.calendar.in_window[day]:
        return
    rota, accounts = block.rota(day), state.accounts
    opens, closes = rota.free.min(0), rota.close.max(0)
    rooms = block.practices.rota.rooms
    accounts.add_lanes(Account.ROOM_OPEN, np.where(opens < NEVER, rooms * (closes - opens), 0))
    waited = np.flatnonzero(timed.room_wait)
    accounts.add(Account.ROOM_WAIT, parts.lane.take(waited), timed.room_wait.take(waited))
    used = np.flatnonzero(needs_room(started))
    lane, start = started.lane.take(used), done.start.take(used)
    parent, arrival = started.parent.take(used), started.release.take(used)
    child = np.flatnonzero(parent >= 0)
    arrival[child] = timed.end.take(parent.take(child))
    waits = np.flatnonzero((started.carried.take(used) == 0) & (start > arrival))
    found = crowd(lane.take(waits), arrival.take(waits), start.take(waits), block.practices.rota.seats)
    accounts.add_lanes(Account.NO_SEAT, found.ticks)
    accounts.add_lanes(Account.NO_SEAT_PEOPLE, found.people)


def crowd(
    lane: NDArray[np.int64],
    arrival: NDArray[np.int64],
    start: NDArray[np.int64],
    seats: NDArray[np.int64],
) -> Crowd:
    """Time and number of people beyond the seats.

    Parameters
    ----------
    lane, arrival, start : ndarray of int64, shape (n,)
        Who waits from `arrival` to `start`, in ticks from 0.
    seats : ndarray of int64, shape (L,)

    Returns
    -------
    Crowd
    """
    n_lanes = len(seats)
    full = np.flatnonzero(_may_be_full(lane, arrival, start, seats).take(lane))
    high = lane.take(full) << _TICK_BITS
    leaves, comes = ((high + tick.take(full)) << 1 for tick in (start, arrival))
    comes |= 1
    # By lane, then by time; at one time those who leave go first.
    moves = np.concatenate((leaves, comes))
    moves.sort()
    step = (moves & 1) * 2 - 1
    moves >>= 1
    place = moves >> _TICK_BITS
    beyond = np.cumsum(step) - seats.take(place)
    crowded = np.flatnonzero(beyond > 0)
    # Somebody waits while it is crowded, so the next move is one of the same lane.
    lasts = moves.take(crowded + 1) - moves.take(crowded)
    place, step = place.take(crowded), step.take(crowded)
    ticks = np.bincount(place, beyond.take(crowded) * lasts, minlength=n_lanes).astype(np.int64)
    return Crowd(ticks=ticks, people=np.bincount(place.compress(step > 0), minlength=n_lanes))


def _may_be_full(
    lane: NDArray[np.int64],
    arrival: NDArray[np.int64],
    start: NDArray[np.int64],
    seats: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Lanes where more people wait within some half hour than there are seats, shape (L,)."""
    shape = (len(seats), _BUCKETS + 1)
    size = shape[0] * shape[1]
    first = lane * shape[1] + np.minimum(arrival // _BUCKET, _BUCKETS - 1)
    last = lane * shape[1] + np.minimum(start // _BUCKET, _BUCKETS - 1)
    change = np.bincount(first, minlength=size) - np.bincount(last + 1, minlength=size)
    most: NDArray[np.int64] = np.cumsum(change.reshape(shape), axis=1).max(1)
    return most > seats
