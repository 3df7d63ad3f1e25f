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

ITEM: Final = 0
"""Column of an entry: item, the number of items for a sentinel; CHILD bits higher the first of its follow-ons in
`Children`, 0 if none."""
CHILD: Final = 32
RELEASE: Final = 1
"""Column of an entry: release, FAR for a sentinel."""
SERVICE: Final = 2
"""First of the columns of an entry that hold the reference by role, ticks << STEP - PACE; for absences minus the
fixed end, as a time."""

SPARE: Final = 16
"""More iterations than a lane has items, at most."""

_ABSENCE: Final = 0
_FOLLOW_ON: Final = 4
_RANK: Final = (0, 1, 2, 3, 2)
_KEY_BITS: Final = 63
_PIECE: Final = 1 << 13


@dataclass(frozen=True)
class Children:
    """Follow-ons that a start of today may create, by (parent, ordinal); entry 0 stands for none.

    Attributes
    ----------
    stream, responsible : ndarray of int64, shape (children + 1,)
    entry : ndarray of int64, shape (children + 1, 2 + n_roles)
        What is written into the list, but for the release.
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
    entry : ndarray of int64, shape (entries, 2 + n_roles)
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
    prompt : int
        Columns, from the first on, whose work nobody takes with a delay.
    slot_column, slot_list : ndarray of int64, shape (S,)
        Column and list of what a person may choose from, without the lists that are empty in all lanes.
    free_slots : int
        Slots of work that needs no room; S if no lane is short of rooms.
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
    prompt: int
    slot_column: IntArray
    slot_list: IntArray
    free_slots: int
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
    rows = _rows(items, child)
    entry = rows.take(_places(items, layout, child), axis=0)
    entry[guard, RELEASE] = -FAR
    used = np.bincount(items.stream, minlength=roster.n_streams + 1) > 0
    reading = [_reading(table, roster.delay, used, k == 0) for k, table in enumerate(tables)]
    streams = np.concatenate([streams for streams, _ in reading])
    delay = np.concatenate([delay for _, delay in reading])
    prompt = ((delay == 0).all(2) | (streams == roster.n_streams)).all(1)
    column, kind = _slots(streams, layout, roster.n_streams)
    return Lists(
        entry=entry,
        first=first,
        last=last,
        rank=np.array([_RANK[k] for k in layout.kinds], np.int64),
        follow=layout.kinds.index(_FOLLOW_ON) if _FOLLOW_ON in layout.kinds else -1,
        streams=streams,
        delay=delay,
        prompt=int(np.append(prompt, False).argmin()),
        slot_column=column,
        slot_list=kind,
        free_slots=int(np.count_nonzero(column < len(reading[0][0]))),
        rooms=_rooms(roster, short),
        free=np.where(roster.free < NEVER, roster.free << STEP, LIMIT),
        pace=roster.pace,
        cap=roster.cap << STEP,
        role=roster.role,
        children=_children(items, child, rows),
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
    """Items by (lane, stream, list, release, key, appearance), today's follow-ons last in their list.

    List, release and item are sorted as one number. Where it is too long, the last bits of the release are left out;
    what is then equal is compared in full.
    """
    n = len(items.lane)
    release = items.release - items.release.min(initial=0)
    release[child] = 0
    last = int(release.max(initial=0)) + 1
    release[child] = last
    item_bits, release_bits = n.bit_length(), last.bit_length()
    cut = max(0, len(layout.count).bit_length() + release_bits + item_bits - _KEY_BITS)
    packed = layout.number << release_bits - cut
    packed += release >> cut
    packed <<= item_bits
    packed += np.arange(n)
    packed.sort()
    order = packed & (1 << item_bits) - 1
    packed >>= item_bits
    same = packed[1:] == packed[:-1]
    if same.any():
        tied = np.zeros(n, np.bool_)
        tied[1:] = same
        tied[:-1] |= same
        if not cut:
            tied[items.parent[order] >= 0] = False
        place = np.flatnonzero(tied)
        rival = order[place]
        key = np.where(items.list[rival] == _FOLLOW_ON, np.uint64(0), items.key[rival])
        full = (key, release[rival], packed[place]) if cut else (key, packed[place])
        order[place] = rival[np.lexsort(full)]
    return order


def _places(items: Items, layout: _Layout, child: IntArray) -> IntArray:
    """Item of every row of the lists; the number of items stands for a sentinel."""
    n = len(items.lane)
    row = np.repeat(layout.first - np.cumsum(layout.count) + layout.count, layout.count)
    row += np.arange(n)
    item = np.full(layout.size + layout.spare, n)
    item[row] = _order(items, layout, child)
    return item


def _rows(items: Items, child: IntArray) -> IntArray:
    """Entries in the order of the items, then a sentinel; today's follow-ons are sentinels at first."""
    n = len(items.lane)
    rows = np.empty((n + 1, SERVICE + len(items.service)), np.int64)
    first_child = np.zeros(n, np.int64)
    first_child[items.parent[child[::-1]]] = np.arange(len(child), 0, -1)
    absent = np.flatnonzero(items.list == _ABSENCE)
    for begin in range(0, n, _PIECE):
        piece = slice(begin, min(n, begin + _PIECE))
        np.left_shift(first_child[piece], CHILD, out=rows[piece, ITEM])
        rows[piece, ITEM] += np.arange(piece.start, piece.stop)
        np.left_shift(items.release[piece], STEP, out=rows[piece, RELEASE])
        for role, reference in enumerate(items.service):
            np.left_shift(reference[piece], STEP - PACE, out=rows[piece, SERVICE + role])
    rows[absent, SERVICE:] = -(items.fixed_end[absent] << STEP)[:, None]
    rows[child, RELEASE] = FAR
    rows[n] = 0
    rows[n, ITEM], rows[n, RELEASE] = n, FAR
    return rows


def rows_of(table: IntArray) -> NDArray[np.void]:
    """Rows of a table as one array of values, which move as one."""
    rows: NDArray[np.void] = table.view(np.dtype((np.void, table.itemsize * table.shape[1])))[:, 0]
    return rows


def _children(items: Items, child: IntArray, rows: IntArray) -> Children:
    """Today's follow-ons, `child` in their order, behind an entry that stands for none."""
    parent = items.parent[child]
    more = np.zeros(len(child) + 1, np.bool_)
    more[1:-1] = parent[1:] == parent[:-1]

    def behind_none(values: NDArray[Any]) -> IntArray:
        return np.concatenate([np.zeros((1, *values.shape[1:]), np.int64), values.astype(np.int64)])

    stream, responsible = behind_none(items.stream[child]), behind_none(items.responsible[child])
    return Children(stream, responsible, behind_none(rows[child]), more)


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


def _slots(streams: IntArray, layout: _Layout, n_streams: int) -> tuple[IntArray, IntArray]:
    """Column and list of every slot, by (column, list)."""
    filled = np.zeros((n_streams + 1, len(layout.kinds)), np.bool_)
    filled[:-1] = layout.count.reshape(-1, n_streams, len(layout.kinds)).any(0)
    useful = np.array(filled[streams].any(1))
    useful[0, 0] = True
    column, kind = np.nonzero(useful)
    return column, kind


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
