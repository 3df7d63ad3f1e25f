"""The steps of an iteration: rooms, person, task, service, follow-ons (docs/day.md, sections 4 and 6).

A step owns its buffers and is made anew when lanes are dropped. Whether a head is ready is told in two places
only, `ChoosePerson` and `ChooseTask`, both as release + delay against a time of the lane.

Choices are minima of packed keys: what decides stands in the high bits, where the winner stands in an array in
the low ones. A key of all ones means that somebody or something is not ready.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from careload.day.schedule_lists import CHILD, ITEM, LIMIT, RELEASE, SERVICE, STEP, Lists, rows_of

__all__ = ["LARGEST_KEY", "ChoosePerson", "ChooseTask", "FollowOn", "Serve", "State"]

IntArray: TypeAlias = NDArray[np.int64]

LARGEST_KEY: Final = (1 << STEP) - 1
"""People times lanes and lists of a person times lanes must not exceed this."""

_HIGH: Final = 50

# Arrays, because a ufunc takes them faster than it converts an int.
_ONE: Final = np.array(1)
_TICK: Final = np.array(1 << STEP)
_WHOLE: Final = np.array(-(1 << STEP))
_SIGN: Final = np.array(63)
_PARENT: Final = np.array(1 << CHILD)


def _low_bits(count: int) -> IntArray:
    """Mask that holds every number below `count`; all ones is none of them."""
    return np.array((1 << count.bit_length()) - 1)


@dataclass(frozen=True)
class State:
    """What changes during the day; m open lanes, C people, E streams, X columns, R lists.

    Attributes
    ----------
    matrix : ndarray of int64, shape (rows, m)
        All of the following, one below the other, so that lanes are dropped by one take.
    head : ndarray of int64, shape (R + 1, E + 1, m)
        Release of the first head of each stream, then of the head of each of its lists.
    entry : ndarray of int64, shape (R + 1, E + 1, m)
        Offset of the entry of each head; the first row is not in use.
    delay : ndarray of int64, shape (X - prompt, C, m)
    free, pace : ndarray of int64, shape (C, m)
    last : ndarray of int64, shape (E + 1, m)
    cap : ndarray of int64, shape (m,)
    rooms : ndarray of int64, shape (K, m)
        When each room is free, and its number.
    """

    matrix: IntArray
    head: IntArray
    entry: IntArray
    delay: IntArray
    free: IntArray
    pace: IntArray
    last: IntArray
    cap: IntArray
    rooms: IntArray

    @classmethod
    def of(cls, lists: Lists, lanes: slice) -> State:
        """Every list at its first entry, everybody at her first minute."""
        m = len(lists.cap[lanes])
        first = lists.first[:, :, lanes]
        head = lists.entry[:, RELEASE][first]
        earliest = np.minimum(head.min(0), LIMIT)
        offset = first * lists.entry.shape[1]
        parts = [earliest, head, earliest, offset, lists.delay[lists.prompt :, :, lanes]]
        parts += [a[:, lanes] for a in (lists.free, lists.pace, lists.last)]
        parts += [lists.cap[lanes], lists.rooms[:, lanes]]
        return cls.view(lists, np.concatenate([part.reshape(-1, m) for part in parts]))

    @classmethod
    def view(cls, lists: Lists, matrix: IntArray) -> State:
        """Name the parts of a matrix."""
        n_lists, streams = lists.first.shape[:2]
        columns, people = lists.streams.shape
        shapes: list[tuple[int, ...]] = [(n_lists + 1, streams)] * 2
        shapes += [
            (columns - lists.prompt, people),
            (people,),
            (people,),
            (streams,),
            (),
            (len(lists.rooms),),
        ]
        parts, begin = [], 0
        for shape in shapes:
            end = begin + int(np.prod(shape))
            parts.append(matrix[begin:end].reshape(*shape, matrix.shape[1]))
            begin = end
        return cls(matrix, *parts)

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

    def hold(self, holds: NDArray[np.bool_], end: IntArray) -> None:
        """Hold it until `end` where `holds`."""
        number = self.number
        np.subtract(self.first, self.free, number)
        held = np.where(holds, end + number, self.first)
        np.multiply(number, self.lanes, number)
        np.add(number, self.lane, number)
        self.rooms_flat[number] = held


class ChoosePerson:
    """When the lane's next start is, and who starts."""

    def __init__(self, lists: Lists, state: State, rooms: Rooms) -> None:
        (columns, people), m = lists.streams.shape, len(state.cap)
        self.first_heads = state.head[0]
        self.streams = lists.streams.reshape(-1)
        self.free, self.delay = state.free, state.delay
        self.order = np.arange(people * m).reshape(people, m) + (lists.role << _HIGH)[:, None]
        self.low = _low_bits(people * m)
        self.ready = np.empty((columns * people, m), np.int64)
        self.ready_by_column = self.ready.reshape(columns, people, m)
        self.ready_later = self.ready_by_column[lists.prompt :]
        free_columns = int(np.append(lists.slot_column, columns)[lists.free_slots])
        self.rooms, self.ready_in_room = rooms, self.ready_by_column[free_columns:]
        self.begin = np.empty((people, m), np.int64)
        self.late, self.claim = np.empty_like(self.begin), np.empty_like(self.begin)
        self.since = np.empty_like(self.begin)
        self.since_unsigned = self.since.view(np.uint64)
        self.claim_unsigned = self.claim.view(np.uint64)
        self.lowest = np.empty(m, np.int64)
        self.lowest_unsigned = self.lowest.view(np.uint64)

    def __call__(self, t: IntArray, person: IntArray, *since: IntArray) -> None:
        """Write the start `t` and who of those who can start then is first.

        She has waited longest for a room, then has the lowest (role order, free since, number). `person` is her
        index in a (C, m) array; `since`, where rooms are short, is when she could have started with rooms enough.
        """
        ready, begin, late, claim = self.ready, self.begin, self.late, self.claim
        self.first_heads.take(self.streams, 0, ready, "clip")
        if len(self.delay):
            np.add(self.ready_later, self.delay, self.ready_later)
        if since:
            self._wait_for_rooms()
        np.minimum.reduce(self.ready_by_column, axis=0, out=begin)
        np.maximum(begin, self.free, out=begin)
        np.minimum.reduce(begin, axis=0, out=t)
        np.subtract(t, begin, late)
        np.right_shift(late, _SIGN, late)
        for first in since:
            self._keep_the_longest_waiting(first)
        np.add(self.free, self.order, claim)
        np.bitwise_or(claim, late, claim)
        np.minimum.reduce(self.claim_unsigned, axis=0, out=self.lowest_unsigned)
        np.bitwise_and(self.lowest, self.low, person)

    def _wait_for_rooms(self) -> None:
        """Note when everybody could start if rooms were enough; then let their work wait for a room."""
        self.rooms.look()
        np.minimum.reduce(self.ready_by_column, axis=0, out=self.since)
        np.maximum(self.since, self.free, out=self.since)
        np.maximum(self.ready_in_room, self.rooms.free, out=self.ready_in_room)

    def _keep_the_longest_waiting(self, first: IntArray) -> None:
        """Of those who are not late, only those who could have started first stay."""
        since, late = self.since, self.late
        np.bitwise_or(since, late, since)
        np.minimum.reduce(self.since_unsigned, axis=0, out=first.view(np.uint64))
        np.subtract(first, since, since)
        np.right_shift(since, _SIGN, since)
        np.bitwise_or(late, since, late)


class ChooseTask:
    """Which of her lists she takes from.

    Attributes
    ----------
    streams : ndarray of int64, shape (X, m)
        Indices of her streams in `State.head`.
    role, pace : ndarray of int64, shape (m,)
    heads : ndarray of int64, shape (S, m)
        The heads of her lists, slot by slot.
    slot : ndarray of int64, shape (m,)
        Index of the chosen list in `heads`; behind the last if there is none.
    row : ndarray of int64, shape (m,)
        Index of the chosen list in `State.head`.
    """

    def __init__(self, lists: Lists, state: State, rooms: Rooms) -> None:
        streams, m = state.entry.shape[1:]
        columns, people = lists.streams.shape
        slots, lane, self.rooms = len(lists.slot_column), np.arange(m), rooms
        prompt = int(np.searchsorted(lists.slot_column, lists.prompt))
        delayed = lists.slot_column[prompt:] - lists.prompt
        self.head_flat, self.slot_column = state.head.reshape(-1), lists.slot_column
        role = np.broadcast_to(lists.role[:, None], (people, m))
        hers = [lists.streams[:, :, None] * m + lane, state.delay[delayed], role[None], state.pace[None]]
        self.table = np.concatenate([part.reshape(-1, people * m) for part in hers])
        self.hers = np.empty((len(self.table), m), np.int64)
        self.streams, self.delay = self.hers[:columns], self.hers[columns:-2]
        self.role, self.pace = self.hers[-2], self.hers[-1]
        self.list_at = ((lists.slot_list + 1) * (streams * m))[:, None]
        order = np.arange(slots * m).reshape(slots, m)
        self.order = order + ((lists.rank[lists.slot_list] + 1) << _HIGH)[:, None]
        self.low = _low_bits(slots * m)
        nothing = int(self.low)
        self.rows_flat, self.heads_flat = np.empty(nothing + 1, np.int64), np.empty(nothing + 1, np.int64)
        self.rows_flat[nothing] = (2 * streams - 1) * m
        self.rows = self.rows_flat[: slots * m].reshape(slots, m)
        self.heads = self.heads_flat[: slots * m].reshape(slots, m)
        self.wait, self.claim = np.empty_like(self.heads), np.empty_like(self.heads)
        self.claim_unsigned, self.wait_delayed = self.claim.view(np.uint64), self.wait[prompt:]
        self.wait_in_room, self.no_room = self.wait[lists.free_slots :], np.empty(m, np.int64)
        self.slot, self.row = np.empty(m, np.int64), np.empty(m, np.int64)
        self.slot_unsigned = self.slot.view(np.uint64)

    def __call__(self, t: IntArray, person: IntArray) -> None:
        """Find the lowest (rank, release, without a room, stream, list) of the heads ready by `t`."""
        self.table.take(person, 1, self.hers, "clip")
        self.streams.take(self.slot_column, 0, self.rows, "clip")
        np.add(self.rows, self.list_at, self.rows)
        self.head_flat.take(self.rows, None, self.heads, "clip")
        np.subtract(t, self.heads, self.wait)
        if len(self.delay):
            np.subtract(self.wait_delayed, self.delay, self.wait_delayed)
        np.right_shift(self.wait, _SIGN, self.wait)
        if self.rooms.short:
            np.subtract(t, self.rooms.free, self.no_room)
            np.right_shift(self.no_room, _SIGN, self.no_room)
            np.bitwise_or(self.wait_in_room, self.no_room, self.wait_in_room)
        np.add(self.heads, self.order, self.claim)
        np.bitwise_or(self.claim, self.wait, self.claim)
        np.minimum.reduce(self.claim_unsigned, axis=0, out=self.slot_unsigned)
        np.bitwise_and(self.slot, self.low, self.slot)
        self.rows_flat.take(self.slot, None, self.row, "clip")


class Serve:
    """The start itself: the list moves on, person and room are busy until the end."""

    def __init__(self, lists: Lists, state: State, choice: ChooseTask, rooms: Rooms) -> None:
        m = len(state.cap)
        self.rooms = rooms
        self.room_slots = np.array(lists.free_slots * m)
        self.holds = np.empty(m, np.bool_)
        flat = lists.entry.reshape(-1)
        self.release, self.service = flat[RELEASE:], flat[SERVICE:]
        self.width = np.array(lists.entry.shape[1])
        self.choice = choice
        self.head_flat, self.entry_flat = state.head.reshape(-1), state.entry.reshape(-1)
        self.free_flat = state.free.reshape(-1)
        self.following, self.head = np.empty(m, np.int64), np.empty(m, np.int64)
        self.reference, self.duration = np.empty(m, np.int64), np.empty(m, np.int64)
        self.first_heads = np.full_like(choice.streams, LIMIT)
        edges = np.searchsorted(lists.slot_column, np.arange(len(lists.streams) + 1))
        self.columns = [
            (choice.heads[begin:end], self.first_heads[x])
            for x, (begin, end) in enumerate(pairwise(edges))
            if begin < end
        ]

    def __call__(self, t: IntArray, person: IntArray, entry: IntArray, end: IntArray) -> None:
        """Write the `entry` that starts and its `end`."""
        self._advance(entry)
        reference, duration, choice = self.reference, self.duration, self.choice
        np.add(choice.role, entry, duration)
        self.service.take(duration, None, reference, "clip")
        np.multiply(reference, choice.pace, duration)
        np.bitwise_and(duration, _WHOLE, duration)
        np.maximum(duration, _TICK, out=duration)
        np.add(t, duration, end)
        np.negative(reference, reference)
        np.maximum(end, reference, out=end)
        self.free_flat[person] = end
        if self.rooms.short:
            np.greater_equal(choice.slot, self.room_slots, self.holds)
            self.rooms.hold(self.holds, end)

    def _advance(self, entry: IntArray) -> None:
        """Take the head off its list and bring the first heads of her streams up to date."""
        choice, first_heads = self.choice, self.first_heads
        self.entry_flat.take(choice.row, None, entry, "clip")
        np.add(entry, self.width, self.following)
        self.entry_flat[choice.row] = self.following
        self.release.take(self.following, None, self.head, "clip")
        self.head_flat[choice.row] = self.head
        choice.heads_flat[choice.slot] = self.head
        for heads, first in self.columns:
            np.minimum.reduce(heads, axis=0, out=first, initial=LIMIT)
        self.head_flat[choice.streams] = first_heads


class FollowOn:
    """Follow-ons enter their lists at their parent's start."""

    def __init__(self, lists: Lists, state: State) -> None:
        streams, m = state.last.shape
        children = lists.children
        self.child, self.responsible, self.more = (
            lists.entry.reshape(-1)[ITEM:],
            children.responsible,
            children.more,
        )
        self.stream = children.stream * m
        self.conditional, self.several = bool((self.responsible >= 0)[1:].any()), bool(self.more.any())
        self.entries, self.new_entries = rows_of(lists.entry), rows_of(children.entry)
        self.release = lists.entry[:, RELEASE]
        self.head_flat, self.last_flat = state.head.reshape(-1), state.last.reshape(-1)
        self.heads_at = np.array([[0], [(lists.follow + 1) * streams * m]])
        self.first, self.has = np.empty(m, np.int64), np.empty(m, np.bool_)

    def __call__(self, role: IntArray, entry: IntArray, end: IntArray) -> None:
        """Create the follow-ons of these starts, one ordinal after the other."""
        self.child.take(entry, None, self.first, "clip")
        np.greater_equal(self.first, _PARENT, self.has)
        lane = self.has.nonzero()[0]
        if not len(lane):
            return
        child, release = self.first[lane] >> CHILD, end[lane]
        performer = role[lane] if self.conditional else lane
        while True:
            if self.conditional:
                wanted = (self.responsible[child] != performer).nonzero()[0]
                self._insert(child[wanted], lane[wanted], release[wanted])
            else:
                self._insert(child, lane, release)
            if not self.several:
                return
            again = self.more[child].nonzero()[0]
            if not len(again):
                return
            child, lane = child[again] + _ONE, lane[again]
            release, performer = release[again], performer[again]

    def _insert(self, child: IntArray, lane: IntArray, release: IntArray) -> None:
        """Put at most one per lane behind the last of its list that is released no later."""
        stream = self.stream[child] + lane
        last = self.last_flat[stream]
        place = last + _ONE
        self.last_flat[stream] = place
        moves = (self.release[last] > release).nonzero()[0]
        while len(moves):
            later = last[moves]
            self.entries[place[moves]] = self.entries[later]
            place[moves] = later
            last[moves] = later - _ONE
            moves = moves[self.release[later - _ONE] > release[moves]]
        self.entries[place] = self.new_entries[child]
        self.release[place] = release
        heads = stream + self.heads_at
        self.head_flat[heads] = np.minimum(self.head_flat[heads], release)
