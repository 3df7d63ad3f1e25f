"""The steps of an iteration: rooms, choice, service, follow-ons (docs/day.md, sections 4 and 6).

A step owns its buffers and is made anew when lanes are dropped. A *slot* is a list in the eyes of one person. It can
start at the latest of three moments: release + delay, the end of what she does, a room. The earliest such moment in a
lane is the next start, and the slots that are ready then are those whose own moment equals it.

Choices are minima of packed keys: what decides stands in the high bits, who or what wins in the low ones. A key with
its highest bit set means that somebody or something is not ready.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from careload.day.schedule_lists import Lists
from careload.day.schedule_rows import DURATION, FIXED, PERSON, RELEASE, STEP, as_records

__all__ = ["LARGEST_KEY", "Choose", "FollowOn", "Rooms", "Serve", "State"]

IntArray: TypeAlias = NDArray[np.int64]

LARGEST_KEY: Final = (1 << STEP) - 1
"""Slots of all people times lanes must not exceed this."""

_HIGH: Final = 50

# Arrays, because a ufunc takes them faster than it converts an int.
_NONE: Final = np.array(0)
_ONE: Final = np.array(1)
_WHOLE: Final = np.array(-(1 << STEP))
_LOW: Final = np.array(LARGEST_KEY)
_PERSON: Final = np.array(PERSON)


@dataclass(frozen=True)
class State:
    """What changes during the day; m open lanes, C people, S slots of each, N lists, F of them of follow-ons.

    Attributes
    ----------
    matrix : ndarray of int64, shape (rows, m)
        All of the following, one below the other, so that lanes are dropped by one take.
    head : ndarray of int64, shape (N + 1, m)
        Release of the head of each list.
    entry : ndarray of int64, shape (N + 1, m)
        Offset of its entry.
    delay : ndarray of int64, shape (C * S, m)
    free : ndarray of int64, shape (C, m)
    last : ndarray of int64, shape (F, m)
    cap : ndarray of int64, shape (m,)
    rooms : ndarray of int64, shape (K, m)
        When each room is free, and its number.
    """

    matrix: IntArray
    head: IntArray
    entry: IntArray
    delay: IntArray
    free: IntArray
    last: IntArray
    cap: IntArray
    rooms: IntArray

    @classmethod
    def of(cls, lists: Lists, lanes: slice) -> State:
        """Every list at its first entry, everybody at her first minute."""
        first = lists.first[:, lanes]
        head, offset = lists.entry[:, RELEASE][first], first * lists.entry.shape[1]
        delay = lists.delay[:, :, lanes].reshape(-1, first.shape[1])
        rest = (lists.free, lists.last, lists.cap[None], lists.rooms)
        return cls.view(lists, np.concatenate([head, offset, delay, *(part[:, lanes] for part in rest)]))

    @classmethod
    def view(cls, lists: Lists, matrix: IntArray) -> State:
        """Name the parts of a matrix."""
        n_lists, people = len(lists.first), len(lists.free)
        sizes = [n_lists, n_lists, lists.slots.size, people, len(lists.last), 1]
        head, entry, delay, free, last, cap, rooms = np.split(matrix, np.cumsum(sizes))
        return cls(matrix, head, entry, delay, free, last, cap[0], rooms)

    def keep(self, lists: Lists, lanes: NDArray[np.bool_]) -> State:
        """Drop the other lanes."""
        return self.view(lists, self.matrix.take(lanes.nonzero()[0], axis=1))


class Rooms:
    """Which room comes free first, and when; without rooms that are short nothing is kept.

    Attributes
    ----------
    first : ndarray of int64, shape (m,)
        The earliest free room: the time with the number of the room in the low bits.
    free : ndarray of int64, shape (m,)
        The time alone.
    """

    def __init__(self, state: State) -> None:
        m = len(state.cap)
        self.short = len(state.rooms) > 0
        self.rooms, self.rooms_flat, self.lane, self.lanes = (
            state.rooms,
            state.rooms.reshape(-1),
            np.arange(m),
            np.array(m),
        )
        self.first, self.free, self.number = (np.empty(m, np.int64) for _ in range(3))

    def look(self) -> None:
        """Find the earliest free room."""
        np.minimum.reduce(self.rooms, axis=0, out=self.first)
        np.bitwise_and(self.first, _WHOLE, self.free)

    def hold(self, holds: IntArray, end: IntArray) -> None:
        """Hold it until `end` where `holds` is not 0."""
        number = self.number
        np.subtract(self.first, self.free, number)
        held = np.where(holds != 0, (end & _WHOLE) + number, self.first)
        np.multiply(number, self.lanes, number)
        np.add(number, self.lane, number)
        self.rooms_flat[number] = held


class Choose:
    """When the lane's next start is, who starts, and which of her lists she takes from."""

    def __init__(self, lists: Lists, state: State, rooms: Rooms) -> None:
        (people, slots), m = lists.slots.shape, len(state.cap)
        self.state_head, self.slots, self.delay = state.head, lists.slots.reshape(-1), state.delay
        self.heads, self.ready = np.empty((2, people * slots, m), np.int64)
        self.ready_by_person = self.ready.reshape(people, slots, m)
        rank = (lists.rank[self.slots] + 1) << _HIGH
        self.order = rank[:, None] + np.arange(people * slots * m).reshape(-1, m)
        self.free = state.free[:, None]
        self.ties = rooms.short or bool((np.diff(lists.role) == 0).any())
        self.break_ties = BreakTies(lists, state, self.ready_by_person, rooms)
        self.all_flat = [table.reshape(-1) for table in (self.heads, self.ready, self.order)]
        self.hers = np.empty((3, slots, m), np.int64)
        self.slots_apart, self.at = np.arange(slots)[:, None] * m, np.empty((slots, m), np.int64)

    def __call__(self, t: IntArray, slot: IntArray, *since: IntArray) -> None:
        """Write the start `t`, with the number of who starts in its low bits, and her `slot` in an array (C * S, m).

        It is the lowest (rank, release, without a room, stream, list) of the slots ready by `t`. `since`, where rooms
        are short, is when she could have started with rooms enough.
        """
        heads, ready, order = self.heads, self.ready, self.order
        self.state_head.take(self.slots, 0, heads, "clip")
        np.add(heads, self.delay, ready)
        if self.ties:
            np.add(self.break_ties(t, *since), self.slots_apart, self.at)
            heads, ready, order = self.hers
            for table, part in zip(self.all_flat, self.hers, strict=True):
                table.take(self.at, None, part, "clip")
            np.maximum(ready, t, out=ready)
        else:
            np.maximum(self.ready_by_person, self.free, out=self.ready_by_person)
            np.minimum.reduce(ready, axis=0, out=t)
        np.subtract(t, ready, ready)
        np.add(heads, order, heads)
        np.bitwise_or(heads, ready, heads)
        np.minimum.reduce(heads.view(np.uint64), axis=0, out=slot.view(np.uint64))
        np.bitwise_and(slot, _LOW, slot)


class BreakTies:
    """Who is first of those who can start at one moment, where that is more than the order of roles.

    She has waited longest for a room, then has the lowest (role order, free since, number). Her slots alone are looked
    at after that.
    """

    def __init__(self, lists: Lists, state: State, ready: IntArray, rooms: Rooms) -> None:
        people, m = state.free.shape
        self.rooms, self.ready, self.free = rooms, ready, state.free
        self.ready_in_room = ready[:, lists.free_slots :]
        self.number = np.arange(people)[:, None]
        self.role = (lists.role << _HIGH)[:, None]
        self.late, self.since, self.claim = np.empty((3, people, m), np.int64)
        self.lane, self.apart = np.arange(m), np.array(ready[0].size)
        self.claim_unsigned, self.since_unsigned = self.claim.view(np.uint64), self.since.view(np.uint64)
        self.first = np.empty(m, np.int64)
        self.first_unsigned = self.first.view(np.uint64)

    def __call__(self, t: IntArray, *since: IntArray) -> IntArray:
        """Write `t` and `since`, let work wait for a room; return where the first slot of who starts stands."""
        late, claim, first = self.late, self.claim, self.first
        if since:
            self.rooms.look()
            self._earliest(self.since)
            np.maximum(self.ready_in_room, (self.rooms.free + self.number)[:, None], out=self.ready_in_room)
        self._earliest(late)
        np.minimum.reduce(late, axis=0, out=t)
        # From here on 0 for those who can start first; the highest bit of all others is set.
        np.subtract(t, late, late)
        for earliest in since:
            np.bitwise_or(self.since, late, self.since)
            np.minimum.reduce(self.since_unsigned, axis=0, out=earliest.view(np.uint64))
            np.subtract(earliest, self.since, self.since)
            np.bitwise_or(late, self.since, late)
        np.add(self.free, self.role, claim)
        np.bitwise_or(claim, late, claim)
        np.minimum.reduce(self.claim_unsigned, axis=0, out=self.first_unsigned)
        np.bitwise_and(first, _PERSON, first)
        np.bitwise_or(t, first, t)
        np.multiply(first, self.apart, first)
        return np.add(first, self.lane, out=first)

    def _earliest(self, when: IntArray) -> None:
        """Write the earliest moment of everybody, without her number."""
        np.minimum.reduce(self.ready, axis=1, out=when)
        np.maximum(when, self.free, out=when)
        np.bitwise_and(when, _WHOLE, when)


class Serve:
    """The start itself: the list moves on, person and room are busy until the end.

    Attributes
    ----------
    performer, fixed : ndarray of int64, shape (m,)
        Kind of who starts, and column FIXED of what she starts.
    """

    def __init__(self, lists: Lists, state: State, rooms: Rooms) -> None:
        (people, slots), m = lists.slots.shape, len(state.cap)
        self.rooms = rooms
        flat = lists.entry.reshape(-1)
        self.release, self.fixed_end, self.duration = flat[RELEASE:], flat[FIXED:], flat[DURATION:]
        self.width = np.array(lists.entry.shape[1])
        self.head_flat, self.entry_flat = state.head.reshape(-1), state.entry.reshape(-1)
        self.free_flat = state.free.reshape(-1)
        shape, lane = (people, slots, m), np.arange(m)
        number = np.arange(people)[:, None, None]
        hers = [lists.slots[:, :, None] * m + lane, number * m + lane, lists.performer[:, None, None]]
        if rooms.short:
            hers.append(1 * (np.arange(slots) >= lists.free_slots)[:, None])
        self.table = np.stack([np.broadcast_to(part, shape).reshape(-1) for part in hers])
        self.hers = np.empty((len(hers), m), np.int64)
        self.row, self.person, self.performer, *self.holds = self.hers
        self.following, self.head, self.length, self.fixed = np.empty((4, m), np.int64)

    def __call__(self, t: IntArray, slot: IntArray, entry: IntArray, end: IntArray) -> None:
        """Write the `entry` that starts and its `end`."""
        row, length, following, head, fixed = self.row, self.length, self.following, self.head, self.fixed
        self.table.take(slot, 1, self.hers, "clip")
        self.entry_flat.take(row, None, entry, "clip")
        np.add(entry, self.width, following)
        self.entry_flat[row] = following
        self.release.take(following, None, head, "clip")
        self.head_flat[row] = head
        np.add(self.performer, entry, following)
        self.duration.take(following, None, length, "clip")
        self.fixed_end.take(entry, None, fixed, "clip")
        np.add(t, length, end)
        np.maximum(end, fixed, out=end)
        self.free_flat[self.person] = end
        for holds in self.holds:
            self.rooms.hold(holds, end)


class FollowOn:
    """Follow-ons enter their lists at their parent's start."""

    def __init__(self, lists: Lists, state: State, serve: Serve) -> None:
        m = len(state.cap)
        self.fixed, self.performer = serve.fixed, serve.performer
        self.table, self.lanes = lists.children.table, np.array(m)
        self.width = self.table.shape[2]
        self.entries, self.new_entries = as_records(lists.entry), as_records(lists.children.entry)
        self.release = lists.entry[:, RELEASE]
        self.head_flat, self.last_flat = state.head.reshape(-1), state.last.reshape(-1)
        self.has = np.empty(m, np.bool_)

    def __call__(self, end: IntArray) -> None:
        """Put the follow-ons of these starts behind the last of their lists that are released no later."""
        np.less(self.fixed, _NONE, self.has)
        lane = self.has.nonzero()[0]
        if not len(lane):
            return
        family = self.performer.take(lane)
        family -= self.fixed.take(lane)
        released = end.take(lane) & _WHOLE
        if self.width > 1:
            lane, released = lane.repeat(self.width), released.repeat(self.width)
        child, at, together, place = self.table.take(family, 0).transpose(1, 0, 2).reshape(4, -1)
        at *= self.lanes
        at += lane
        last = self.last_flat.take(at)
        self.last_flat[at] = last + together
        moves = (self.release[last] > released).nonzero()[0]
        while len(moves):
            later = last[moves]
            self.entries[later + together[moves]] = self.entries[later]
            last[moves] = later - _ONE
            moves = moves[self.release[later - _ONE] > released[moves]]
        place += last
        self.entries[place] = self.new_entries.take(child)
        self.release[place] = released
        self.head_flat[at] = np.minimum(self.head_flat.take(at), released)
