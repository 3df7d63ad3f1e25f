"""The ragged lists of a day: items in order, closed by a sentinel (docs/day.md, section 3)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from careload.ticks import NEVER

if TYPE_CHECKING:
    from careload.day.schedule import Items, Roster

__all__ = [
    "CHILD",
    "FAR",
    "ITEM",
    "LIMIT",
    "PACE",
    "RELEASE",
    "SERVICE",
    "SPARE",
    "STEP",
    "Children",
    "Lists",
    "build",
    "rows_of",
    "short_of_rooms",
]

IntArray: TypeAlias = NDArray[np.int64]

STEP: Final = 16
"""Bits below a tick: inside the kernel a time is ticks << STEP, so that one key holds a time and a position."""

PACE: Final = 10
"""Bits of a pace: 1 << PACE is the reference."""

LIMIT: Final = 1 << 60
"""When a stream without work is ready: later than any time, earlier than any sentinel."""

FAR: Final = 1 << 61
"""Release of a sentinel, and a delay that never ends; their sum still fits in 63 bits."""

CHILD: Final = 0
"""Column of an entry: first of its follow-ons in `Children`, 0 if none."""
RELEASE: Final = 1
"""Column of an entry: release, FAR for a sentinel."""
ITEM: Final = 2
"""Column of an entry: item, the number of items for a sentinel."""
SERVICE: Final = 3
"""First of the columns of an entry that hold the reference by role, ticks << STEP - PACE; for absences minus the
fixed end, as a time."""

SPARE: Final = 16
"""More iterations than a lane has items, at most."""

_ABSENCE: Final = 0
_FOLLOW_ON: Final = 4
_RANK: Final = (0, 1, 2, 3, 2)
_RELEASE_BITS: Final = 33
_PIECE: Final = 1 << 13


@dataclass(frozen=True)
class Children:
    """Follow-ons that a start of today may create, by (parent, ordinal); entry 0 stands for none.

    Attributes
    ----------
    stream, responsible : ndarray of int64, shape (children + 1,)
    entry : ndarray of int64, shape (children + 1, 3 + n_roles)
        What is written into the list, without the release.
    more : ndarray of bool, shape (children + 1,)
        True if the next one has the same parent.
    """

    stream: IntArray
    responsible: IntArray
    entry: IntArray
    more: NDArray[np.bool_]


@dataclass(frozen=True)
class Lists:
    """Everything the kernel reads; C people, E streams, X columns, R lists in use, L lanes.

    Attributes
    ----------
    entry : ndarray of int64, shape (entries, 3 + n_roles)
        Rows of all lists; behind the last list stands a run of sentinels for lanes without work.
    first : ndarray of int64, shape (R, E + 1, L)
        Row of the first entry of each list; stream E is void.
    last : ndarray of int64, shape (E + 1, L)
        Row of the last entry of each follow-on list, or of the guard before it.
    rank : ndarray of int64, shape (R,)
    follow : int
        Index of the follow-on list among the R, -1 if it is not in use.
    streams : ndarray of int64, shape (X, C)
        Streams of work that needs a room stand behind the others.
    delay : ndarray of int64, shape (X, C, L)
    free_columns : int
        Columns of streams that need no room; X if no lane is short of rooms.
    rooms : ndarray of int64, shape (K, L)
        When each room is free, with its number in the low bits; K is 0 if no lane is short of rooms.
    free, pace : ndarray of int64, shape (C, L)
    cap : ndarray of int64, shape (L,)
    role : ndarray of int64, shape (C,)
    children : Children
    """

    entry: IntArray
    first: IntArray
    last: IntArray
    rank: IntArray
    follow: int
    streams: IntArray
    delay: IntArray
    free_columns: int
    rooms: IntArray
    free: IntArray
    pace: IntArray
    cap: IntArray
    role: IntArray
    children: Children


@dataclass(frozen=True)
class _Layout:
    """Where each list stands; lists are numbered by (lane, stream, list in use), K in all.

    Attributes
    ----------
    kinds : list of int
        Lists in use.
    number : ndarray of int64, shape (n,)
        List of each item.
    count, first : ndarray of int64, shape (K,)
        Items of each list, those of today's follow-ons among them, and row of its first entry.
    size : int
        Rows of all lists.
    spare : int
        Sentinels behind them: one for each iteration a lane may go on without work.
    """

    kinds: list[int]
    number: IntArray
    count: IntArray
    first: IntArray
    size: int
    spare: int


def build(roster: Roster, items: Items) -> Lists:
    """Sort the items into lists, each closed by a sentinel.

    Today's follow-ons keep places at the end of their list, which are sentinels until they are created.

    Parameters
    ----------
    roster : Roster
    items : Items
        Both checked.
    """
    items = replace(items, service=np.ascontiguousarray(items.service))
    short = short_of_rooms(roster, items)
    tables = [roster.streams]
    if short.any():
        roster, items, in_room = _apart(roster, items, short)
        tables = [roster.streams, in_room]
    child = np.flatnonzero(items.parent >= 0)
    child = child[np.lexsort((items.ordinal[child], items.parent[child]))]
    layout = _layout(roster, items)
    first, last, guard = _starts(roster, layout, child)
    release = np.full(len(items.lane) + 1, FAR)
    release[:-1] = items.release << STEP
    release[child] = FAR
    entry = _entries(items, layout, child, release)
    entry[guard, RELEASE] = -FAR
    used = np.bincount(items.stream, minlength=roster.n_streams + 1) > 0
    reading = [_reading(table, roster.delay, used, k == 0) for k, table in enumerate(tables)]
    return Lists(
        entry=entry,
        first=first,
        last=last,
        rank=np.array([_RANK[k] for k in layout.kinds], np.int64),
        follow=layout.kinds.index(_FOLLOW_ON) if _FOLLOW_ON in layout.kinds else -1,
        streams=np.concatenate([streams for streams, _ in reading]),
        delay=np.concatenate([delay for _, delay in reading]),
        free_columns=len(reading[0][0]),
        rooms=_rooms(roster, short),
        free=np.where(roster.free < NEVER, roster.free << STEP, LIMIT),
        pace=roster.pace,
        cap=roster.cap << STEP,
        role=roster.role,
        children=_children(items, child, release),
    )


def _layout(roster: Roster, items: Items) -> _Layout:
    """Give every list its rows: a guard before follow-ons, its items, a sentinel."""
    kinds = [k for k in range(len(_RANK)) if (items.list == k).any()] or [_ABSENCE]
    kind = np.zeros(_FOLLOW_ON + 1, np.int64)
    kind[kinds] = np.arange(len(kinds))
    number = items.lane * roster.n_streams
    number += items.stream
    number *= len(kinds)
    number += kind.take(items.list)
    shape = (len(roster.cap), roster.n_streams, len(kinds))
    count = np.bincount(number, minlength=int(np.prod(shape)))
    guard = np.broadcast_to(np.array(kinds) == _FOLLOW_ON, shape).reshape(-1)
    room = count + 1 + guard
    behind = np.cumsum(room)
    busiest = int(count.reshape(shape).sum((1, 2)).max(initial=0))
    return _Layout(kinds, number, count, behind - room + guard, int(room.sum()), busiest + SPARE)


def _order(items: Items, layout: _Layout, child: IntArray) -> IntArray:
    """Items by (lane, stream, list, release, key, appearance), today's follow-ons last in their list."""
    packed = layout.number << _RELEASE_BITS
    packed += items.release
    packed += 1 << (_RELEASE_BITS - 1)
    packed[child] = (layout.number[child] + 1 << _RELEASE_BITS) - 1 - np.arange(len(child))
    order = np.argsort(packed)
    ordered = packed.take(order)
    same = ordered[1:] == ordered[:-1]
    if same.any():
        tied = np.zeros(len(order), np.bool_)
        tied[1:] = same
        tied[:-1] |= same
        place = np.flatnonzero(tied)
        rival = order[place]
        key = np.where(items.list[rival] == _FOLLOW_ON, np.uint64(0), items.key[rival])
        order[place] = rival[np.lexsort((rival, key, ordered[place]))]
    return order


def _entries(items: Items, layout: _Layout, child: IntArray, release: IntArray) -> IntArray:
    """Entries of all lists, piece by piece for the cache; today's follow-ons are sentinels at first."""
    n = len(items.lane)
    row = np.repeat(layout.first - np.cumsum(layout.count) + layout.count, layout.count)
    row += np.arange(n)
    item = np.full(layout.size + layout.spare, n)
    item[row] = _order(items, layout, child)
    first_child = np.zeros(n + 1, np.int64)
    first_child[items.parent[child[::-1]]] = np.arange(len(child), 0, -1)
    entry = np.empty((len(item), SERVICE + len(items.service)), np.int64)
    for begin in range(0, len(item), _PIECE):
        piece = slice(begin, begin + _PIECE)
        _fill(entry[piece], items, release, item[piece])
        entry[piece, CHILD] = first_child.take(item[piece])
    return entry


def _fill(entry: IntArray, items: Items, release: IntArray, item: IntArray) -> None:
    """Write release, item and reference ticks; the ticks of a sentinel are those of any item."""
    entry[:, RELEASE], entry[:, ITEM] = release.take(item), item
    for role, reference in enumerate(items.service):
        np.left_shift(reference.take(item, mode="clip"), STEP - PACE, out=entry[:, SERVICE + role])
    absent = np.flatnonzero(items.list.take(item, mode="clip") == _ABSENCE)
    fixed_end = items.fixed_end.take(item[absent], mode="clip")
    entry[absent, SERVICE:] = -(fixed_end << STEP)[:, None]


def rows_of(table: IntArray) -> NDArray[np.void]:
    """Rows of a table as one array of values, which move as one."""
    rows: NDArray[np.void] = table.view(np.dtype((np.void, table.itemsize * table.shape[1])))[:, 0]
    return rows


def _children(items: Items, child: IntArray, release: IntArray) -> Children:
    """Today's follow-ons, `child` in their order, behind an entry that stands for none."""
    parent = items.parent[child]
    more = np.zeros(len(child) + 1, np.bool_)
    more[1:-1] = parent[1:] == parent[:-1]
    entry = np.zeros((len(child) + 1, SERVICE + len(items.service)), np.int64)
    _fill(entry[1:], items, release, child)

    def behind_none(values: NDArray[Any]) -> IntArray:
        return np.concatenate([np.zeros(1, np.int64), values.astype(np.int64)])

    return Children(behind_none(items.stream[child]), behind_none(items.responsible[child]), entry, more)


def _starts(roster: Roster, layout: _Layout, child: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """First rows (R, E + 1, L), last follow-ons (E + 1, L), and the rows of guards before follow-ons."""
    lanes, kinds = len(roster.cap), layout.kinds
    shape = (lanes, roster.n_streams, len(kinds))
    first = np.full((len(kinds), roster.n_streams + 1, lanes), layout.size)
    first[:, :-1] = layout.first.reshape(shape).transpose(2, 1, 0)
    last = np.full((roster.n_streams + 1, lanes), layout.size)
    if _FOLLOW_ON not in kinds:
        return first, last, np.empty(0, np.int64)
    k = kinds.index(_FOLLOW_ON)
    todays = np.bincount(layout.number[child], minlength=len(layout.count))
    begin = layout.first.reshape(shape)[:, :, k]
    last[:-1] = (begin - 1 + (layout.count - todays).reshape(shape)[:, :, k]).T
    return first, last, begin.ravel() - 1


def _reading(
    streams: IntArray, delay: IntArray, used: NDArray[np.bool_], keep_own: bool
) -> tuple[IntArray, IntArray]:
    """Streams (X, C) and delays (X, C, L) without the columns nobody needs today; the last stream is void."""
    void = len(used) - 1
    useful = used[streams]
    useful[:, 0] |= keep_own
    column = np.argsort(~useful, axis=1, kind="stable")[:, : int(useful.sum(1).max())]
    useful = np.take_along_axis(useful, column, 1)
    streams = np.where(useful, np.take_along_axis(streams, column, 1), void)
    delay = np.take_along_axis(delay, column[:, :, None], 1)
    delay = np.where((streams == void)[:, :, None] | (delay == NEVER), FAR, delay << STEP)
    return np.ascontiguousarray(streams.T), np.ascontiguousarray(delay.transpose(1, 0, 2))


def short_of_rooms(roster: Roster, items: Items) -> NDArray[np.bool_]:
    """Whether fewer rooms are there than people present who may take work that needs one, shape (L,)."""
    present = roster.free < NEVER
    fewer: NDArray[np.bool_] = roster.rooms < present.sum(0)
    if not fewer.any():
        return fewer
    needed = np.zeros((roster.n_streams + 1, len(fewer)), np.bool_)
    needed[items.stream[items.needs_room], items.lane[items.needs_room]] = True
    may = (needed[roster.streams] & (roster.delay < NEVER)).any(1)
    short: NDArray[np.bool_] = roster.rooms < (present & may).sum(0)
    return short


def _apart(roster: Roster, items: Items, short: NDArray[np.bool_]) -> tuple[Roster, Items, IntArray]:
    """Give work that needs a room streams of its own where rooms are short; also the table of these streams."""
    n = roster.n_streams
    apart = items.needs_room & short[items.lane]
    streams = np.where(roster.streams == n, 2 * n, roster.streams)
    roster = replace(roster, streams=streams, n_streams=2 * n)
    return roster, replace(items, stream=items.stream + n * apart), np.minimum(streams + n, 2 * n)


def _rooms(roster: Roster, short: NDArray[np.bool_]) -> IntArray:
    """Rooms (K, L) with their numbers, free from the first tick; those that a lane has not are never free."""
    number = np.arange(int(roster.rooms[short].max(initial=0)))[:, None]
    return np.where(number < roster.rooms, 0, LIMIT) + number
