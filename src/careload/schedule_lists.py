"""The ragged lists of a day: every item in the order its list gives it, ended by a sentinel (docs/day.md, section 3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from careload.ticks import NEVER

if TYPE_CHECKING:
    from careload.schedule import Items, Roster

__all__ = ["CHILD", "FAR", "LIMIT", "RELEASE", "SERVICE", "STEP", "Children", "Lists", "build"]

IntArray: TypeAlias = NDArray[np.int64]

STEP: Final = 10
"""Bits below a tick. Inside the kernel times are ticks << STEP: room for the position of a list in a packed key,
and the product of reference ticks and pace (1/1024) is already such a time."""

LIMIT: Final = 1 << 60
"""When a stream without work is 'ready': later than any time, earlier than any sentinel."""

FAR: Final = 1 << 61
"""Release of a sentinel and delay that never ends; their sum still fits in 63 bits."""

CHILD: Final = 0
"""Column of an entry: first of its follow-ons in `Children`, 0 if none."""
RELEASE: Final = 1
"""Column of an entry: release, FAR for a sentinel."""
SERVICE: Final = 2
"""First of the columns of an entry that hold reference ticks by role; minus the fixed end for absences."""

_ABSENCE: Final = 0
_FOLLOW_ON: Final = 4
_RANK: Final = (0, 1, 2, 3, 2)
_RELEASE_BITS: Final = 33
_SPARE: Final = 16


@dataclass(frozen=True)
class Children:
    """Follow-ons that a start of today may create, by (parent, ordinal); entry 0 stands for none.

    Attributes
    ----------
    item, stream, responsible : ndarray of int64
    entry : ndarray of int64, shape (number, width)
        What is written into the list.
    more : ndarray of bool
        True if the next one has the same parent.
    """

    item: IntArray
    stream: IntArray
    responsible: IntArray
    entry: IntArray
    more: NDArray[np.bool_]


@dataclass(frozen=True)
class Lists:
    """Everything the kernel reads; C people, E streams, X columns, R lists in use, L lanes.

    Attributes
    ----------
    entry : ndarray of int64, shape (entries, 2 + n_roles)
        Rows of all lists; behind the last list stands a run of sentinels for lanes without work.
    item : ndarray of int64, shape (entries,)
        Item of each entry; the number of items for sentinels.
    first : ndarray of int64, shape (R, E + 1, L)
        Row of the first entry of each list; stream E is void.
    tail : ndarray of int64, shape (E + 1, L)
        Row behind the last entry of each follow-on list.
    rank : ndarray of int64, shape (R,)
    follow : int
        Index of the follow-on list among the R, -1 if it is not in use.
    longest : ndarray of int64, shape (L,)
        Number of items of each lane.
    streams : ndarray of int64, shape (X, C)
    delay : ndarray of int64, shape (X, C, L)
    free, pace : ndarray of int64, shape (C, L)
    cap : ndarray of int64, shape (L,)
    role : ndarray of int64, shape (C,)
    children : Children
    """

    entry: IntArray
    item: IntArray
    first: IntArray
    tail: IntArray
    rank: IntArray
    follow: int
    longest: IntArray
    streams: IntArray
    delay: IntArray
    free: IntArray
    pace: IntArray
    cap: IntArray
    role: IntArray
    children: Children


@dataclass(frozen=True)
class _Layout:
    """Where the entries of each (lane, stream, list) stand, lists numbered lane-major."""

    kinds: list[int]
    rows: IntArray
    waiting: IntArray
    first: IntArray
    counts: IntArray
    size: int


def build(roster: Roster, items: Items) -> Lists:
    """Sort the items into lists, each ended by a sentinel.

    Parameters
    ----------
    roster : Roster
    items : Items
        Both checked.
    """
    n, lanes = len(items.lane), len(roster.cap)
    longest = np.bincount(items.lane, minlength=lanes)
    layout = _layout(roster, items)
    order = _order(items, layout)
    shift = layout.first - np.cumsum(layout.counts) + layout.counts
    row = np.arange(len(order)) + np.repeat(shift, layout.counts)
    entries = layout.size + int(longest.max(initial=0)) + _SPARE
    entry = np.zeros((entries, SERVICE + len(items.service)), np.int64)
    item = np.full(entries, n)
    entry[:, RELEASE] = FAR
    entry[row] = _entries(items, order)
    item[row] = order
    children = _children(items, entry, order, row)
    first, tail = _starts(roster, layout, entry)
    streams, delay = _tables(roster, items)
    follow = layout.kinds.index(_FOLLOW_ON) if _FOLLOW_ON in layout.kinds else -1
    return Lists(
        entry=entry,
        item=item,
        first=first,
        tail=tail,
        rank=np.array([_RANK[k] for k in layout.kinds], np.int64),
        follow=follow,
        longest=longest,
        streams=streams,
        delay=delay,
        free=np.where(roster.free < NEVER, roster.free << STEP, LIMIT),
        pace=roster.pace,
        cap=roster.cap << STEP,
        role=roster.role,
        children=children,
    )


def _layout(roster: Roster, items: Items) -> _Layout:
    """Give every list its room: its entries, the follow-ons it may get, a sentinel; a guard before follow-ons."""
    used = np.bincount(items.list, minlength=_FOLLOW_ON + 1) > 0
    kinds = np.flatnonzero(used).tolist() or [_ABSENCE]
    number = np.zeros(_FOLLOW_ON + 1, np.int64)
    number[kinds] = np.arange(len(kinds))
    per_lane = roster.n_streams * len(kinds)
    rows = items.lane * per_lane + items.stream * len(kinds) + number[items.list]
    n_lists = len(roster.cap) * per_lane
    waiting = items.parent < 0
    everything = np.bincount(rows, minlength=n_lists)
    counts = np.bincount(rows[waiting], minlength=n_lists) if not waiting.all() else everything
    guard = np.tile(np.array(kinds) == _FOLLOW_ON, n_lists // len(kinds))
    room = everything + 1 + guard
    behind = np.cumsum(room)
    first = behind - room + guard
    return _Layout(kinds, rows, waiting, first, counts, int(behind[-1]) if n_lists else 0)


def _order(items: Items, layout: _Layout) -> IntArray:
    """Items that wait from the start, by (lane, stream, list, release, key, appearance)."""
    index = np.flatnonzero(layout.waiting)
    release = items.release[index] + (1 << (_RELEASE_BITS - 1))
    packed = (layout.rows[index] << _RELEASE_BITS) | release
    order = np.argsort(packed)
    ordered = packed[order]
    same = ordered[1:] == ordered[:-1]
    if same.any():
        tied = np.zeros(len(order), np.bool_)
        tied[1:] = same
        tied[:-1] |= same
        place = np.flatnonzero(tied)
        rival = order[place]
        key = np.where(items.list[index[rival]] == _FOLLOW_ON, np.uint64(0), items.key[index[rival]])
        order[place] = rival[np.lexsort((rival, key, ordered[place]))]
    return index[order]


def _entries(items: Items, order: IntArray) -> IntArray:
    """Child, release and reference ticks of the items in `order`, one row each."""
    rows = np.zeros((len(order), SERVICE + len(items.service)), np.int64)
    rows[:, RELEASE] = items.release[order] << STEP
    rows[:, SERVICE:] = items.service[:, order].T
    absent = np.flatnonzero(items.list[order] == _ABSENCE)
    rows[absent, SERVICE:] = -(items.fixed_end[order[absent]] << STEP)[:, None]
    return rows


def _children(items: Items, entry: IntArray, order: IntArray, row: IntArray) -> Children:
    """Collect today's follow-ons and tell each parent's entry where its own begin."""
    child = np.flatnonzero(items.parent >= 0)
    child = child[np.lexsort((items.ordinal[child], items.parent[child]))]
    parent = items.parent[child]
    leads = np.ones(len(child), np.bool_)
    leads[1:] = parent[1:] != parent[:-1]
    if len(child):
        row_of = np.zeros(len(items.lane), np.int64)
        row_of[order] = row
        entry[row_of[parent[leads]], CHILD] = np.flatnonzero(leads) + 1

    def behind_none(values: NDArray[Any]) -> IntArray:
        return np.concatenate([np.zeros(1, np.int64), values.astype(np.int64)])

    return Children(
        item=behind_none(child),
        stream=behind_none(items.stream[child]),
        responsible=behind_none(items.responsible[child]),
        entry=np.concatenate([np.zeros((1, entry.shape[1]), np.int64), _entries(items, child)]),
        more=np.concatenate([np.zeros(1, np.bool_), ~leads[1:], np.zeros(1, np.bool_)])[: len(child) + 1],
    )


def _starts(roster: Roster, layout: _Layout, entry: IntArray) -> tuple[IntArray, IntArray]:
    """First rows (R, E + 1, L) and follow-on tails (E + 1, L); guards before the follow-ons are never passed."""
    lanes, kinds = len(roster.cap), layout.kinds
    shape = (lanes, roster.n_streams, len(kinds))
    first = np.full((len(kinds), roster.n_streams + 1, lanes), layout.size)
    first[:, :-1] = layout.first.reshape(shape).transpose(2, 1, 0)
    tail = np.full((roster.n_streams + 1, lanes), layout.size)
    if _FOLLOW_ON in kinds:
        k = kinds.index(_FOLLOW_ON)
        begin = layout.first.reshape(shape)[:, :, k]
        entry[begin - 1, RELEASE] = -FAR
        tail[:-1] = (begin + layout.counts.reshape(shape)[:, :, k]).T
    return first, tail


def _tables(roster: Roster, items: Items) -> tuple[IntArray, IntArray]:
    """Streams (X, C) and delays (X, C, L) without the columns nobody needs today; own streams stay."""
    used = np.zeros(roster.n_streams + 1, np.bool_)
    used[items.stream] = True
    useful = used[roster.streams]
    useful[:, 0] = True
    column = np.argsort(~useful, axis=1, kind="stable")[:, : int(useful.sum(1).max())]
    useful = np.take_along_axis(useful, column, 1)
    streams = np.where(useful, np.take_along_axis(roster.streams, column, 1), roster.n_streams)
    delay = np.take_along_axis(roster.delay, column[:, :, None], 1)
    never = (streams == roster.n_streams)[:, :, None] | (delay == NEVER)
    never[:, 0] = False
    delay = np.where(never, FAR, delay << STEP)
    return np.ascontiguousarray(streams.T), np.ascontiguousarray(delay.transpose(1, 0, 2))
