"""Start-ordered stepping: one start in every open lane per iteration (docs/day.md, sections 4 and 6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from careload.day.schedule_lists import CHILD, ITEM, STEP, Lists
from careload.day.schedule_steps import LARGEST_KEY, ChoosePerson, ChooseTask, FollowOn, Rooms, Serve, State

__all__ = ["Starts", "run"]

IntArray: TypeAlias = NDArray[np.int64]

_STATE: Final = 1 << 19
"""Numbers in the state of the lanes that step together; more would not stay in the cache."""
_LOOK: Final = 2
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
    records = [np.empty((4 + bool(len(lists.rooms)), 0), np.int64)]
    for block in range(blocks):
        records += _run_block(lists, slice(block * lanes // blocks, (block + 1) * lanes // blocks))
    t, person, entry, end, *since = np.concatenate(records, axis=1)
    room_wait = (t - since[0]) >> STEP if since else np.empty(0, np.int64)
    t >>= STEP
    end >>= STEP
    item = lists.entry.reshape(-1)[ITEM:].take(entry)
    item &= (1 << CHILD) - 1
    return Starts(item, t, end, person, room_wait)


def _block(lists: Lists) -> int:
    """Most lanes that step together."""
    n_lists, streams, _ = lists.first.shape
    columns, people = lists.streams.shape
    rows = 2 * (n_lists + 1) * streams + (columns + 2) * people + streams + 1 + len(lists.rooms)
    return int(min(_STATE // rows, LARGEST_KEY // max(people, len(lists.slot_column))))


def _run_block(lists: Lists, lanes: slice) -> list[IntArray]:
    """Step until every lane is closed; each record has rows start, person, entry, end, start with rooms enough."""
    state = State.of(lists, lanes)
    records: list[IntArray] = []
    while True:
        begin, still = len(records), _run_while_wide(lists, state, records)
        for record in records[begin:]:
            record[1] //= len(state.cap)
        if not still.any():
            return records
        state = state.keep(lists, still)


def _run_while_wide(lists: Lists, state: State, records: list[IntArray]) -> NDArray[np.bool_]:
    """Step until so many lanes are closed that dropping them pays; return the open ones."""
    m = len(state.cap)
    rooms = Rooms(state)
    choose_person, choose_task = ChoosePerson(lists, state, rooms), ChooseTask(lists, state, rooms)
    serve, follow_on = Serve(lists, state, choose_task, rooms), FollowOn(lists, state)
    has_follow_ons = len(lists.children.stream) > 1
    enough = m - max(_SHRINK, m >> 3)
    while True:
        record = np.empty((4 + rooms.short, _LOOK, m), np.int64)
        for k in range(_LOOK):
            t, person, entry, end, *since = record[:, k]
            choose_person(t, person, *since)
            choose_task(t, person)
            serve(t, person, entry, end)
            if has_follow_ons:
                follow_on(choose_task.role, entry, end)
        records.append(record.reshape(len(record), -1))
        open_lanes: NDArray[np.bool_] = t < state.cap
        still = np.count_nonzero(open_lanes)
        if still <= enough or not still:
            return open_lanes
