"""Start-ordered stepping: one start in every open lane per iteration (docs/day.md, sections 4 and 6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from careload.day.schedule_lists import Lists
from careload.day.schedule_rows import ITEM, PERSON, STEP
from careload.day.schedule_steps import LARGEST_KEY, Choose, FollowOn, Rooms, Serve, State

__all__ = ["Starts", "run"]

IntArray: TypeAlias = NDArray[np.int64]

_STATE: Final = 1 << 18
"""Numbers that an iteration of the lanes that step together reads and writes; more would not stay in the cache."""
_PASSES: Final = 4
"""Numbers of a slot among them."""
_LOOK: Final = 4
"""Iterations between two looks for closed lanes."""
_SHRINK: Final = 64
"""Fewest closed lanes that are worth dropping."""


@dataclass(frozen=True)
class Starts:
    """Starts in no particular order; those of the item behind the last are void.

    Attributes
    ----------
    item, start, end, person : ndarray of int64, shape (starts,)
        Times in ticks.
    room_wait : ndarray of int64, shape (starts,)
        Ticks waited for a room; empty if no lane is short of rooms.
    """

    item: IntArray
    start: IntArray
    end: IntArray
    person: IntArray
    room_wait: IntArray


def run(lists: Lists) -> Starts:
    """Start everything that can start, in blocks of lanes that fit the cache.

    Parameters
    ----------
    lists : Lists
        Follow-ons are written into their lists.

    Returns
    -------
    Starts
        Includes starts at or after the cap, which did not happen.
    """
    lanes = len(lists.cap)
    blocks = -(-lanes // _block(lists))
    records: list[IntArray] = []
    for block in range(blocks):
        _run_block(lists, slice(block * lanes // blocks, (block + 1) * lanes // blocks), records)
    t, entry, end, *since = np.concatenate(records, axis=1)
    person = lists.people.take(t & PERSON)
    t >>= STEP
    end >>= STEP
    room_wait = t - (since[0] >> STEP) if since else np.empty(0, np.int64)
    return Starts(lists.entry.reshape(-1)[ITEM:].take(entry), t, end, person, room_wait)


def _block(lists: Lists) -> int:
    """Most lanes that step together."""
    slots = lists.slots.size
    rows = 2 * len(lists.first) + _PASSES * slots + len(lists.rooms)
    return max(1, min(_STATE // rows, LARGEST_KEY // slots))


def _run_block(lists: Lists, lanes: slice, records: list[IntArray]) -> None:
    """Step until every lane is closed; each record has rows start, entry, end, start with rooms enough."""
    state = State.of(lists, lanes)
    while True:
        still = _run_while_wide(lists, state, records)
        if not still.any():
            return
        state = state.keep(lists, still)


def _run_while_wide(lists: Lists, state: State, records: list[IntArray]) -> NDArray[np.bool_]:
    """Step until so many lanes are closed that dropping them pays; return the open ones."""
    m = len(state.cap)
    rooms = Rooms(state)
    choose, serve = Choose(lists, state, rooms), Serve(lists, state, rooms)
    follow_on = FollowOn(lists, state, serve)
    has_follow_ons = len(lists.children.entry) > 1
    enough = m - max(_SHRINK, m >> 3)
    slot = np.empty(m, np.int64)
    while True:
        for _ in range(_LOOK):
            record = np.empty((3 + rooms.short, m), np.int64)
            t, entry, end, *since = record
            choose(t, slot, *since)
            serve(t, slot, entry, end)
            if has_follow_ons:
                follow_on(end)
            records.append(record)
        open_lanes: NDArray[np.bool_] = t < state.cap
        still = np.count_nonzero(open_lanes)
        if still <= enough or not still:
            return open_lanes
