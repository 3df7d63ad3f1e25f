"""The four steps of an iteration: person, task, service, follow-ons (docs/day.md, sections 4 and 6).

A step owns its buffers and is made anew when lanes are dropped. Whether a head is ready is told in two places
only, `ChoosePerson` and `ChooseTask`, both as release + delay against a time of the lane.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from careload.schedule_lists import CHILD, LIMIT, RELEASE, SERVICE, STEP, Lists, rows_of

__all__ = ["ChoosePerson", "ChooseTask", "FollowOn", "Serve", "State"]

IntArray: TypeAlias = NDArray[np.int64]

_PLACES: Final = 1 << STEP
_LIST_BITS: Final = 3
_HIGH: Final = 46

# Arrays, because a ufunc takes them faster than it converts an int.
_ONE: Final = np.array(1)
_TICK: Final = np.array(1 << STEP)
_WHOLE: Final = np.array(-(1 << STEP))
_SIGN: Final = np.array(63)
_NUMBER: Final = np.array(31)
_PLACE: Final = np.array(_PLACES - 1)
_LIMIT: Final = np.array(LIMIT)


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
    delay : ndarray of int64, shape (X, C, m)
    free, pace : ndarray of int64, shape (C, m)
    tail : ndarray of int64, shape (E + 1, m)
    cap : ndarray of int64, shape (m,)
    """

    matrix: IntArray
    head: IntArray
    entry: IntArray
    delay: IntArray
    free: IntArray
    pace: IntArray
    tail: IntArray
    cap: IntArray

    @classmethod
    def of(cls, lists: Lists, lanes: slice) -> State:
        """Every list at its first entry, everybody at her first minute."""
        m = len(lists.cap[lanes])
        first = lists.first[:, :, lanes]
        head = lists.entry[:, RELEASE][first]
        earliest = np.minimum(head.min(0), LIMIT)
        offset = first * lists.entry.shape[1]
        parts = [earliest, head, earliest, offset, lists.delay[:, :, lanes]]
        parts += [a[:, lanes] for a in (lists.free, lists.pace, lists.tail)]
        parts.append(lists.cap[lanes])
        return cls.view(lists, np.concatenate([part.reshape(-1, m) for part in parts]))

    @classmethod
    def view(cls, lists: Lists, matrix: IntArray) -> State:
        """Name the parts of a matrix."""
        n_lists, streams = lists.first.shape[:2]
        columns, people = lists.streams.shape
        shapes = [(n_lists + 1, streams)] * 2 + [(columns, people), (people,), (people,), (streams,), ()]
        parts, begin = [], 0
        for shape in shapes:
            end = begin + int(np.prod(shape))
            parts.append(matrix[begin:end].reshape(*shape, -1))
            begin = end
        return cls(matrix, *parts)

    def keep(self, lists: Lists, lanes: NDArray[np.bool_]) -> State:
        """Drop the other lanes."""
        return self.view(lists, self.matrix.take(lanes.nonzero()[0], axis=1))


class ChoosePerson:
    """When the lane's next start is, and who starts."""

    def __init__(self, lists: Lists, state: State) -> None:
        columns, people, m = state.delay.shape
        self.first_heads = state.head[0]
        self.streams = lists.streams.reshape(-1)
        self.free, self.delay = state.free, state.delay.reshape(columns * people, m)
        self.number = np.repeat((np.arange(people) + (lists.role << _HIGH))[:, None], m, 1)
        self.ready = np.empty((columns * people, m), np.int64)
        self.ready_by_column = self.ready.reshape(columns, people, m)
        self.begin = np.empty((people, m), np.int64)
        self.late, self.rival = np.empty_like(self.begin), np.empty_like(self.begin)
        self.rival_unsigned = self.rival.view(np.uint64)
        self.lowest = np.empty(m, np.int64)
        self.lowest_unsigned = self.lowest.view(np.uint64)

    def __call__(self, t: IntArray, person: IntArray) -> None:
        """Write the start `t` and the lowest (role order, free since, number) of those who can start then."""
        ready, begin, late, rival = self.ready, self.begin, self.late, self.rival
        self.first_heads.take(self.streams, 0, ready, "clip")
        np.add(ready, self.delay, ready)
        np.minimum.reduce(self.ready_by_column, axis=0, out=begin)
        np.maximum(begin, self.free, out=begin)
        np.minimum.reduce(begin, axis=0, out=t)
        np.subtract(t, begin, late)
        np.right_shift(late, _SIGN, late)
        np.add(self.free, self.number, rival)
        np.bitwise_or(rival, late, rival)
        np.minimum.reduce(self.rival_unsigned, axis=0, out=self.lowest_unsigned)
        np.bitwise_and(self.lowest, _NUMBER, person)


class ChooseTask:
    """Which of her lists she takes from.

    Attributes
    ----------
    at : ndarray of int64, shape (m,)
        Index of the chosen person in a (C, m) array.
    streams : ndarray of int64, shape (X, m)
        Indices of her streams in `State.head`.
    heads : ndarray of int64, shape (R, X, m)
        The heads of her lists.
    slot : ndarray of int64, shape (m,)
        Index of the chosen list in `heads`; one row behind if there is none.
    row : ndarray of int64, shape (m,)
        Index of the chosen list in `State.head`.
    """

    def __init__(self, lists: Lists, state: State) -> None:
        n_lists, streams, m = state.entry[1:].shape
        columns, people = lists.streams.shape
        slots = n_lists * columns
        self.lane, self.m = np.arange(m), np.array(m)
        self.head_flat, self.delay_flat = state.head.reshape(-1), state.delay.reshape(-1)
        self.stream_at = np.ascontiguousarray(lists.streams * m)
        self.delay_at = (np.arange(columns) * (people * m))[:, None]
        self.list_at = ((np.arange(n_lists) + 1) * (streams * m))[:, None, None]
        kind, column = (a.reshape(-1) for a in np.indices((n_lists, columns)))
        place = column << _LIST_BITS | kind
        self.order = np.repeat((((lists.rank[kind] + 1) << _HIGH) + place)[:, None], m, 1)
        self.slot_of_place = np.full(_PLACES, slots * m)
        self.slot_of_place[place] = np.arange(slots) * m
        self.at, self.key = np.empty(m, np.int64), np.empty(m, np.int64)
        self.slot, self.row = np.empty(m, np.int64), np.empty(m, np.int64)
        self.key_unsigned = self.key.view(np.uint64)
        self.streams = np.empty((columns, m), np.int64)
        self.until, self.until_at = np.empty_like(self.streams), np.empty_like(self.streams)
        self.rows_flat, self.heads_flat = (
            np.empty((slots + 1) * m, np.int64),
            np.empty((slots + 1) * m, np.int64),
        )
        self.rows_flat[slots * m :] = (2 * streams - 1) * m + self.lane
        self.rows = self.rows_flat[: slots * m].reshape(n_lists, columns, m)
        self.heads = self.heads_flat[: slots * m].reshape(n_lists, columns, m)
        self.heads_by_slot = self.heads.reshape(slots, m)
        self.wait = np.empty_like(self.heads)
        self.wait_by_slot, self.claim = self.wait.reshape(slots, m), np.empty((slots, m), np.int64)
        self.claim_unsigned = self.claim.view(np.uint64)

    def __call__(self, t: IntArray, person: IntArray) -> None:
        """Find the lowest (rank, release, stream, list) of the heads ready by `t`."""
        at, until, key, slot = self.at, self.until, self.key, self.slot
        np.multiply(person, self.m, at)
        np.add(at, self.lane, at)
        self.stream_at.take(person, 1, self.streams, "clip")
        np.add(self.streams, self.lane, self.streams)
        np.add(self.streams, self.list_at, self.rows)
        self.head_flat.take(self.rows, None, self.heads, "clip")
        np.add(at, self.delay_at, self.until_at)
        self.delay_flat.take(self.until_at, None, until, "clip")
        np.subtract(t, until, until)
        np.subtract(until, self.heads, self.wait)
        np.right_shift(self.wait, _SIGN, self.wait)
        np.add(self.heads_by_slot, self.order, self.claim)
        np.bitwise_or(self.claim, self.wait_by_slot, self.claim)
        np.minimum.reduce(self.claim_unsigned, axis=0, out=self.key_unsigned)
        np.bitwise_and(key, _PLACE, key)
        self.slot_of_place.take(key, None, slot, "clip")
        np.add(slot, self.lane, slot)
        self.rows_flat.take(slot, None, self.row, "clip")


class Serve:
    """The start itself: the list moves on, the person is busy until the end."""

    def __init__(self, lists: Lists, state: State, choice: ChooseTask) -> None:
        m = state.matrix.shape[1]
        flat = lists.entry.reshape(-1)
        self.release, self.service = flat[RELEASE:], flat[SERVICE:]
        self.width = np.array(lists.entry.shape[1])
        self.role = lists.role
        self.choice = choice
        self.head_flat, self.entry_flat = state.head.reshape(-1), state.entry.reshape(-1)
        self.free_flat, self.pace_flat = state.free.reshape(-1), state.pace.reshape(-1)
        self.following, self.head = np.empty(m, np.int64), np.empty(m, np.int64)
        self.reference, self.ticks = np.empty(m, np.int64), np.empty(m, np.int64)
        self.first_heads = np.empty_like(choice.streams)

    def __call__(self, t: IntArray, person: IntArray, entry: IntArray, end: IntArray) -> None:
        """Write the `entry` that starts and its `end`."""
        self._advance(entry)
        reference, ticks, at = self.reference, self.ticks, self.choice.at
        self.role.take(person, None, ticks, "clip")
        np.add(ticks, entry, ticks)
        self.service.take(ticks, None, reference, "clip")
        self.pace_flat.take(at, None, ticks, "clip")
        np.multiply(ticks, reference, ticks)
        np.bitwise_and(ticks, _WHOLE, ticks)
        np.maximum(ticks, _TICK, out=ticks)
        np.add(t, ticks, end)
        np.negative(reference, reference)
        np.maximum(end, reference, out=end)
        self.free_flat[at] = end

    def _advance(self, entry: IntArray) -> None:
        """Take the head off its list and bring the first heads of her streams up to date."""
        choice, first_heads = self.choice, self.first_heads
        self.entry_flat.take(choice.row, None, entry, "clip")
        np.add(entry, self.width, self.following)
        self.entry_flat[choice.row] = self.following
        self.release.take(self.following, None, self.head, "clip")
        self.head_flat[choice.row] = self.head
        choice.heads_flat[choice.slot] = self.head
        np.minimum.reduce(choice.heads, axis=0, out=first_heads)
        np.minimum(first_heads, _LIMIT, out=first_heads)
        self.head_flat[choice.streams] = first_heads


class FollowOn:
    """Follow-ons enter their lists at their parent's start."""

    def __init__(self, lists: Lists, state: State) -> None:
        streams, m = state.tail.shape
        self.children, self.role = lists.children, lists.role
        self.child = lists.entry.reshape(-1)[CHILD:]
        self.entries, self.release = rows_of(lists.entry), lists.entry[:, RELEASE]
        self.new_entries = rows_of(lists.children.entry)
        self.conditional = bool((lists.children.responsible >= 0)[1:].any())
        self.head_flat, self.tail_flat = state.head.reshape(-1), state.tail.reshape(-1)
        self.m = np.array(m)
        self.heads_at = np.array([[0], [(lists.follow + 1) * streams * m]])
        self.first = np.empty(m, np.int64)

    def __call__(self, person: IntArray, entry: IntArray, end: IntArray) -> None:
        """Create the follow-ons of these starts, one ordinal after the other."""
        self.child.take(entry, None, self.first, "clip")
        lane = self.first.nonzero()[0]
        if not len(lane):
            return
        children, child, release, performer = self.children, self.first[lane], end[lane], person[lane]
        while True:
            if self.conditional:
                wanted = (children.responsible[child] != self.role[performer]).nonzero()[0]
                self._insert(child[wanted], lane[wanted], release[wanted])
            else:
                self._insert(child, lane, release)
            again = children.more[child].nonzero()[0]
            if not len(again):
                return
            child, lane = child[again] + _ONE, lane[again]
            release, performer = release[again], performer[again]

    def _insert(self, child: IntArray, lane: IntArray, release: IntArray) -> None:
        """Put at most one per lane behind the last of its list that is released no later."""
        stream = self.children.stream[child] * self.m + lane
        place = self.tail_flat[stream]
        self.tail_flat[stream] = place + _ONE
        moves = (self.release[place - _ONE] > release).nonzero()[0]
        while len(moves):
            place_of_later = place[moves]
            before = place_of_later - _ONE
            self.entries[place_of_later] = self.entries[before]
            place[moves] = before
            moves = moves[self.release[before - _ONE] > release[moves]]
        self.entries[place] = self.new_entries[child]
        self.release[place] = release
        heads = stream + self.heads_at
        self.head_flat[heads] = np.minimum(self.head_flat[heads], release)
