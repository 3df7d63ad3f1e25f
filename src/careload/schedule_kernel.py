"""Start-ordered stepping: one start in every open lane per iteration (docs/day.md, sections 4 and 6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from careload.schedule_lists import CHILD, FAR, LIMIT, RELEASE, SERVICE, STEP, Lists

__all__ = ["Starts", "run"]

IntArray: TypeAlias = NDArray[np.int64]

_TICK: Final = 1 << STEP
_WHOLE: Final = -_TICK
_SIGN: Final = 63
_NUMBER: Final = 31
_PLACE: Final = _TICK - 1
_HIGH: Final = 46
_LIST_BITS: Final = 3
_LIST: Final = (1 << _LIST_BITS) - 1
_BLOCK: Final = 1024
_LOOK: Final = 4
_SHRINK: Final = 64


@dataclass(frozen=True)
class Starts:
    """Starts in no particular order; those of the item behind the last are void.

    Attributes
    ----------
    item, start, end, person : ndarray of int64, shape (starts,)
        Times in ticks.
    """

    item: IntArray
    start: IntArray
    end: IntArray
    person: IntArray


class _Day:
    """State and buffers of the open lanes of one block; m lanes, C people, E streams, X columns, R lists.

    All state stands in one matrix of rows by lanes, so that closed lanes are dropped by one take:
    ``head`` (R + 1, E + 1, m), whose row 0 is the earliest head of each stream and whose others are the heads
    of its lists; ``next`` of the same shape with the entries' offsets; ``delay`` (X, C, m), ``free`` (C, m),
    ``pace`` (C, m), ``tail`` (E + 1, m) and ``cap`` (m,).
    """

    def __init__(self, lists: Lists, state: IntArray) -> None:
        self.lists = lists
        n_lists, streams = lists.first.shape[:2]
        columns, people = lists.streams.shape
        self.shape = (n_lists, streams, columns, people)
        self.width = lists.entry.shape[1]
        flat = lists.entry.reshape(-1)
        self.child, self.release, self.service = flat[CHILD:], flat[RELEASE:], flat[SERVICE:]
        self.number = np.arange(people)[:, None] + (lists.role << _HIGH)[:, None]
        self.has_children = len(lists.children.item) > 1
        self.conditional = bool((lists.children.responsible[1:] >= 0).any())
        self.hold(state)

    def hold(self, state: IntArray) -> None:
        """Take over a state matrix, name its parts and make room for the steps."""
        n_lists, streams, columns, people = self.shape
        m = state.shape[1]
        sizes = [
            (n_lists + 1) * streams,
            (n_lists + 1) * streams,
            columns * people,
            people,
            people,
            streams,
            1,
        ]
        ends = np.cumsum(sizes).tolist()
        head, following, delay, free, pace, tail, cap = (
            state[e - s : e] for s, e in zip(sizes, ends, strict=True)
        )
        self.state, self.m, self.lane = state, m, np.arange(m)
        self.first_heads, self.head, self.following = head[:streams], head.reshape(-1), following.reshape(-1)
        self.delay, self.delay_flat = delay, delay.reshape(-1)
        self.free, self.free_flat = free, free.reshape(-1)
        self.pace, self.tail, self.cap = pace.reshape(-1), tail.reshape(-1), cap[0]
        self._tables(m)
        self._buffers(m)

    def _tables(self, m: int) -> None:
        n_lists, streams, columns, people = self.shape
        lists = self.lists
        self.read = lists.streams.reshape(-1)
        self.stream_at = np.ascontiguousarray(lists.streams * m)
        self.delay_at = (np.arange(columns) * (people * m))[:, None]
        self.list_at = ((np.arange(n_lists) + 1) * (streams * m))[:, None, None]
        column, kind = np.meshgrid(np.arange(columns), np.arange(n_lists))
        place = (column << _LIST_BITS) | kind
        self.order = ((lists.rank[:, None] + 1) << _HIGH) + place
        self.order = self.order[:, :, None]
        self.slot_at = np.full(_TICK, n_lists * columns * m)
        self.slot_at[place] = (kind * columns + column) * m
        self.follow_at = (lists.follow + 1) * streams * m

    def _buffers(self, m: int) -> None:
        n_lists, streams, columns, people = self.shape
        slots = n_lists * columns

        def room(*shape: int) -> IntArray:
            return np.empty((*shape, m), np.int64)

        self.ready, self.begin, self.late, self.rival = (
            room(columns * people),
            room(people),
            room(people),
            room(people),
        )
        self.at, self.slot, self.key, self.work, self.more = room(), room(), room(), room(), room()
        self.own, self.until, self.until_at = room(columns), room(columns), room(columns)
        self.base, self.heads = room(slots + 1), room(slots + 1)
        self.base[-1] = (2 * streams - 1) * m + self.lane
        self.wait, self.claim = room(n_lists, columns), room(n_lists, columns)

    def choose_person(self, t: IntArray, person: IntArray) -> None:
        """Write the lane's next start and who starts: lowest (role order, free since, number) of those free then."""
        _, _, columns, people = self.shape
        self.first_heads.take(self.read, axis=0, out=self.ready, mode="clip")
        np.add(self.ready, self.delay, out=self.ready)
        np.minimum.reduce(self.ready.reshape(columns, people, self.m), axis=0, out=self.begin)
        np.maximum(self.begin, self.free, out=self.begin)
        np.minimum.reduce(self.begin, axis=0, out=t)
        np.subtract(t, self.begin, out=self.late)
        np.right_shift(self.late, _SIGN, out=self.late)
        np.add(self.free, self.number, out=self.rival)
        np.bitwise_or(self.rival, self.late, out=self.rival)
        np.minimum.reduce(self.rival.view(np.uint64), axis=0, out=self.key.view(np.uint64))
        np.bitwise_and(self.key, _NUMBER, out=person)

    def choose_task(self, t: IntArray, person: IntArray) -> None:
        """Find her list: lowest (rank, release, stream, list) of the heads ready by `t`."""
        n_lists, _, columns, _ = self.shape
        slots, m = n_lists * columns, self.m
        np.multiply(person, m, out=self.at)
        np.add(self.at, self.lane, out=self.at)
        self.stream_at.take(person, axis=1, out=self.own, mode="clip")
        np.add(self.own, self.lane, out=self.own)
        base = self.base[:slots].reshape(n_lists, columns, m)
        np.add(self.own, self.list_at, out=base)
        heads = self.heads[:slots].reshape(n_lists, columns, m)
        self.head.take(base, out=heads, mode="clip")
        np.add(self.at, self.delay_at, out=self.until_at)
        self.delay_flat.take(self.until_at, out=self.until, mode="clip")
        np.subtract(t, self.until, out=self.until)
        np.subtract(self.until, heads, out=self.wait)
        np.right_shift(self.wait, _SIGN, out=self.wait)
        np.add(heads, self.order, out=self.claim)
        np.bitwise_or(self.claim, self.wait, out=self.claim)
        claim = self.claim.reshape(slots, m).view(np.uint64)
        np.minimum.reduce(claim, axis=0, out=self.key.view(np.uint64))
        np.bitwise_and(self.key, _PLACE, out=self.key)
        self.slot_at.take(self.key, out=self.slot, mode="clip")
        np.add(self.slot, self.lane, out=self.slot)

    def perform(self, t: IntArray, person: IntArray, entry: IntArray, end: IntArray) -> None:
        """Start the head of that list: write its entry and end, advance the list, occupy the person."""
        row = self.base.reshape(-1).take(self.slot, out=self.work, mode="clip")
        self.following.take(row, out=entry, mode="clip")
        np.add(entry, self.width, out=self.more)
        self.following[row] = self.more
        self.release.take(self.more, out=self.key, mode="clip")
        self.head[row] = self.key
        self.heads.reshape(-1)[self.slot] = self.key
        self._first_heads()
        self.lists.role.take(person, out=self.work, mode="clip")
        np.add(self.work, entry, out=self.work)
        self.service.take(self.work, out=self.more, mode="clip")
        self.pace.take(self.at, out=self.key, mode="clip")
        np.multiply(self.more, self.key, out=self.key)
        np.bitwise_and(self.key, _WHOLE, out=self.key)
        np.maximum(self.key, _TICK, out=self.key)
        np.add(t, self.key, out=end)
        np.negative(self.more, out=self.more)
        np.maximum(end, self.more, out=end)
        self.free_flat[self.at] = end

    def _first_heads(self) -> None:
        """Bring the earliest heads of her streams up to date."""
        n_lists, _, columns, _ = self.shape
        heads = self.heads[:-1].reshape(n_lists, columns, self.m)
        np.minimum.reduce(heads, axis=0, out=self.until)
        np.minimum(self.until, LIMIT, out=self.until)
        self.head[self.own] = self.until

    def create(self, person: IntArray, entry: IntArray, end: IntArray) -> None:
        """Put the follow-ons of these starts into their lists, one ordinal after the other."""
        first = self.child.take(entry, out=self.work, mode="clip")
        lane = first.nonzero()[0]
        if not len(lane):
            return
        children, child, release = self.lists.children, first[lane], end[lane]
        role = self.lists.role[person[lane]] if self.conditional else None
        while True:
            if role is None:
                self._insert(child, lane, release)
            else:
                wanted = (children.responsible[child] != role).nonzero()[0]
                self._insert(child[wanted], lane[wanted], release[wanted])
            again = children.more[child].nonzero()[0]
            if not len(again):
                return
            child, lane, release = child[again] + 1, lane[again], release[again]
            role = role[again] if role is not None else None

    def _insert(self, child: IntArray, lane: IntArray, release: IntArray) -> None:
        """Insert one follow-on per lane behind the last of its list that is released no later."""
        lists = self.lists
        entries, dates = lists.entry, lists.entry[:, RELEASE]
        slot = lists.children.stream[child] * self.m + lane
        row = self.tail[slot]
        self.tail[slot] = row + 1
        moves = (dates[row - 1] > release).nonzero()[0]
        while len(moves):
            to = row[moves]
            entries[to] = entries[to - 1]
            lists.item[to] = lists.item[to - 1]
            row[moves] = to - 1
            moves = moves[dates[to - 2] > release[moves]]
        entries[row] = lists.children.entry[child]
        dates[row] = release
        lists.item[row] = lists.children.item[child]
        for at in (slot, slot + self.follow_at):
            self.head[at] = np.minimum(self.head[at], release)

    def drop(self, open_lanes: NDArray[np.bool_]) -> None:
        """Keep the open lanes only."""
        self.hold(self.state.take(open_lanes.nonzero()[0], axis=1))


def run(lists: Lists) -> Starts:
    """Start everything that can start.

    Parameters
    ----------
    lists : Lists
        Follow-ons are written into their lists.

    Returns
    -------
    Starts
        Includes starts at or after the cap, which did not happen.
    """
    found: list[tuple[IntArray, IntArray]] = []
    for begin in range(0, len(lists.cap), _BLOCK):
        _run_block(lists, slice(begin, begin + _BLOCK), found)
    empty = np.empty((4, 0), np.int64)
    t, person, entry, end = np.concatenate([empty, *(r.reshape(4, -1) for r in found)], axis=1)
    width = lists.entry.shape[1]
    return Starts(lists.item.take(entry // width), t >> STEP, end >> STEP, person)


def _run_block(lists: Lists, lanes: slice, found: list[IntArray]) -> None:
    """Step until every lane of the block is closed."""
    day = _Day(lists, _state(lists, lanes))
    while True:
        record = np.empty((4, _LOOK, day.m), np.int64)
        for k in range(_LOOK):
            t, person, entry, end = record[:, k]
            day.choose_person(t, person)
            day.choose_task(t, person)
            day.perform(t, person, entry, end)
            if day.has_children:
                day.create(person, entry, end)
        found.append(record)
        open_lanes = t < day.cap
        still = int(np.count_nonzero(open_lanes))
        if not still:
            return
        if day.m - still >= max(_SHRINK, day.m >> 3):
            day.drop(open_lanes)


def _state(lists: Lists, lanes: slice) -> IntArray:
    """Stack the state of some lanes: every list at its first entry, everybody at her first minute."""
    m = len(lists.cap[lanes])
    width = lists.entry.shape[1]
    head = lists.entry[:, RELEASE][lists.first[:, :, lanes]]
    earliest = np.minimum(head.min(0), LIMIT)
    offset = lists.first[:, :, lanes] * width
    parts = [
        earliest,
        head,
        np.zeros_like(earliest),
        offset,
        lists.delay[:, :, lanes],
        lists.free[:, lanes],
        lists.pace[:, lanes],
        lists.tail[:, lanes],
        lists.cap[lanes],
    ]
    return np.concatenate([p.reshape(-1, m) for p in parts])
