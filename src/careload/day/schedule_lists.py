"""The ragged lists of a day: items in order, closed by a sentinel; who reads which (docs/day.md, section 3)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from careload.day.schedule_rows import (
    FAR,
    FOLLOW_ON,
    LIMIT,
    RELEASE,
    STEP,
    Children,
    children_in_order,
    children_of,
    performers_of,
    ranked,
    rows_of,
)
from careload.ticks import NEVER

if TYPE_CHECKING:
    from careload.day.schedule import Items, Roster

__all__ = ["SPARE", "Lists", "build", "short_of_rooms"]

IntArray: TypeAlias = NDArray[np.int64]

SPARE: Final = 16
"""More iterations than a lane has items, at most."""

_RANK: Final = (0, 1, 2, 3, 2)
_KEY_BITS: Final = 63
_COLUMN_BITS: Final = np.uint64(7)
_COLUMN_AT: Final = np.uint64(57)


@dataclass(frozen=True)
class Lists:
    """Everything the kernel reads; C people who are there, S slots of each, N lists in use, L lanes.

    Attributes
    ----------
    entry : ndarray of int64, shape (entries, 3 + kinds)
        Rows of all lists; behind the last list stands a run of sentinels for lanes without work.
    first : ndarray of int64, shape (N + 1, L)
        Row of the first entry of each list, those of follow-ons before all others; list N is void.
    last : ndarray of int64, shape (F, L)
        Row of the last entry of each of the F follow-on lists, or of the guard before it; nobody reads list F - 1.
    rank : ndarray of int64, shape (N + 1,)
    slots : ndarray of int64, shape (C, S)
        Lists that a person may choose from; those of work that needs a room stand behind the others.
    delay : ndarray of int64, shape (C, S, L)
        With the number of the person in the low bits.
    free_slots : int
        Slots of work that needs no room; S if no lane is short of rooms.
    rooms : ndarray of int64, shape (K, L)
        When each room is free, with its number in the low bits; K is 0 if no lane is short of rooms.
    free : ndarray of int64, shape (C, L)
        With the number of the person in the low bits.
    cap : ndarray of int64, shape (L,)
    role, people : ndarray of int64, shape (C,)
        Role and number in the roster.
    performer : ndarray of int64, shape (C,)
        Kind of performer.
    children : Children
    """

    entry: IntArray
    first: IntArray
    last: IntArray
    rank: IntArray
    slots: IntArray
    delay: IntArray
    free_slots: int
    rooms: IntArray
    free: IntArray
    cap: IntArray
    role: IntArray
    people: IntArray
    performer: IntArray
    children: Children


@dataclass(frozen=True)
class _Layout:
    """Where each list stands; lists are numbered by (lane, list in use), K in all.

    Attributes
    ----------
    list_of : ndarray of int64, shape (E + 1, 5)
        List by stream and kind of list, N where there is none.
    column : ndarray of int64, shape (E + 1,)
        Column of a stream whose lists are part of those of its only reader's own stream, 0 for all others.
    follow : int
        Lists of follow-ons, which come first; the last of them stays empty.
    rank : ndarray of int64, shape (N + 1,)
    number : ndarray of int64, shape (n,)
        List of each item.
    count, first : ndarray of int64, shape (K,)
        Items of each list, those of today's follow-ons among them, and row of its first entry.
    size : int
        Rows of all lists.
    spare : int
        Sentinels behind them: one for each iteration a lane may go on without work.
    """

    list_of: IntArray
    column: IntArray
    follow: int
    rank: IntArray
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
    short = short_of_rooms(roster, items)
    tables = [roster.streams]
    if short.any():
        roster, items, in_room = _apart(roster, items, short)
        tables = [roster.streams, in_room]
    people = np.flatnonzero((roster.free < NEVER).any(1))
    people = people if len(people) else np.zeros(1, np.int64)
    performers = performers_of(roster, people)
    child = children_in_order(items)
    layout = _layout(roster, items, *_homes(roster, tables, people))
    first, last, guard = _starts(roster, layout, child)
    rows = rows_of(roster, items, people, performers)
    into = layout.list_of[items.stream[child], FOLLOW_ON]
    children = children_of(roster, items, child, rows, performers, into, layout.follow - 1)
    entry = rows.take(_places(items, layout, child), axis=0)
    entry[guard, RELEASE] = -FAR
    entry[layout.size :, RELEASE] = LIMIT
    readings = [_slots(roster, table, layout, people, k == 0) for k, table in enumerate(tables)]
    number = np.arange(len(people))[:, None]
    return Lists(
        entry=entry,
        first=first,
        last=last,
        rank=layout.rank,
        slots=np.concatenate([slots for slots, _ in readings], axis=1),
        delay=np.concatenate([delay for _, delay in readings], axis=1),
        free_slots=readings[0][0].shape[1],
        rooms=_rooms(roster, short),
        free=np.where(roster.free[people] < NEVER, roster.free[people] << STEP, LIMIT) + number,
        cap=roster.cap << STEP,
        role=roster.role[people],
        people=people,
        performer=np.searchsorted(performers, people, side="right") - 1,
        children=children,
    )


def _homes(roster: Roster, tables: list[IntArray], people: IntArray) -> tuple[IntArray, IntArray]:
    """Streams whose lists take in those of each stream, (E + 1,); and the column of what was taken in, else 0.

    What one person alone reads, and at once, stands with her own work: a head less to look at.
    """
    home, column = np.arange(roster.n_streams + 1), np.zeros(roster.n_streams + 1, np.int64)
    read = [table[people] for table in tables]
    alone = np.bincount(np.concatenate(read, axis=None), minlength=len(home)) == 1
    alone[-1] = False
    at_once = ~roster.delay[people].any(2)
    for table in read:
        whose, x = np.nonzero(alone[table] & alone[table[:, :1]] & at_once)
        home[table[whose, x]], column[table[whose, x]] = table[whose, 0], x
    return home, column


def _layout(roster: Roster, items: Items, home: IntArray, column: IntArray) -> _Layout:
    """Give every list its rows: a guard before follow-ons, its items, a sentinel."""
    kinds, lanes = len(_RANK), len(roster.cap)
    cell = items.stream * kinds
    cell += items.list
    at = home[:, None] * kinds + np.arange(kinds)
    at[:, FOLLOW_ON] = np.arange(len(home)) * kinds + FOLLOW_ON
    at = at.reshape(-1)
    used = np.flatnonzero(np.bincount(at, np.bincount(cell, minlength=len(at)), minlength=len(at)))
    kind = used % kinds
    nobodys = roster.n_streams * kinds + FOLLOW_ON
    used = np.concatenate([used[kind == FOLLOW_ON], [nobodys], used[kind != FOLLOW_ON]])
    follow, n_lists = int(np.count_nonzero(kind == FOLLOW_ON)) + 1, len(used)
    list_of = np.full((roster.n_streams + 1) * kinds, n_lists)
    list_of[used] = np.arange(n_lists)
    list_of = list_of.take(at)
    rank = np.append(np.array(_RANK)[used % kinds], 0)
    number = items.lane * n_lists
    number += list_of.take(cell)
    list_of[nobodys] = n_lists
    count = np.bincount(number, minlength=lanes * n_lists)
    guard = np.tile(np.arange(n_lists) < follow, lanes)
    room = count + 1
    room += guard
    behind = np.cumsum(room)
    busiest = int(count.reshape(lanes, n_lists).sum(1).max(initial=0))
    first, size = behind - room + guard, int(behind[-1])
    return _Layout(
        list_of.reshape(-1, kinds), column, follow, rank, number, count, first, size, busiest + SPARE
    )


def _order(items: Items, layout: _Layout, child: IntArray) -> IntArray:
    """Items by (list, release, column, key, appearance), today's follow-ons last in their list.

    List, release and item are sorted as one number. Where it is too long, the last bits of the release are left out;
    what is then equal is compared in full.
    """
    n = len(items.lane)
    release = items.release - items.release.min(initial=0)
    release[child] = 0
    last = int(release.max(initial=0)) + 1
    release[child] = last
    release_bits = last.bit_length()
    cut = max(0, len(layout.count).bit_length() + release_bits + n.bit_length() - _KEY_BITS)
    order, code, place = ranked((layout.number << release_bits - cut) + (release >> cut))
    if not cut:
        place = place[items.parent[order[place]] < 0]
    rival = order[place]
    key = np.where(items.list[rival] == FOLLOW_ON, np.uint64(0), items.key[rival])
    column = layout.column.take(items.stream[rival]).astype(np.uint64)
    order[place] = rival[_untied(code[place], release[rival], column, key, cut)]
    return order


def _untied(
    code: IntArray, release: IntArray, column: NDArray[np.uint64], key: NDArray[np.uint64], cut: int
) -> IntArray:
    """Order by (code, release, column, key, position) where codes ascend.

    Releases of one code share all but their last `cut` bits. The first bits of what decides next are sorted with the
    code; what is then equal is compared in full.
    """
    n = len(code)
    bits = _KEY_BITS - 2 * n.bit_length()
    group = np.zeros(n, np.int64)
    np.cumsum(code[1:] != code[:-1], out=group[1:])
    decides = (column << _COLUMN_AT) | (key >> _COLUMN_BITS)
    if cut:
        decides = release.astype(np.uint64) << np.uint64(64 - cut)
    order, group, place = ranked((group << bits) + (decides >> np.uint64(64 - bits)).astype(np.int64))
    rival = order[place]
    order[place] = rival[np.lexsort((key[rival], column[rival], release[rival], group[place]))]
    return order


def _places(items: Items, layout: _Layout, child: IntArray) -> IntArray:
    """Item of every row of the lists; the number of items stands for a sentinel."""
    n = len(items.lane)
    row = np.repeat(layout.first - np.cumsum(layout.count) + layout.count, layout.count)
    row += np.arange(n)
    item = np.full(layout.size + layout.spare, n)
    item[row] = _order(items, layout, child)
    return item


def _starts(roster: Roster, layout: _Layout, child: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """First rows (N + 1, L), last follow-ons (F, L), and the rows of guards before follow-ons."""
    shape = (len(roster.cap), len(layout.rank) - 1)
    first = np.full((shape[1] + 1, shape[0]), layout.size)
    first[:-1] = layout.first.reshape(shape).T
    todays = np.bincount(layout.number[child], minlength=len(layout.count))
    before_todays = layout.first + layout.count - todays - 1
    follow = slice(layout.follow)
    return first, before_todays.reshape(shape).T[follow], (first[follow] - 1).ravel()


def _slots(
    roster: Roster, streams: IntArray, layout: _Layout, people: IntArray, keep_void: bool
) -> tuple[IntArray, IntArray]:
    """Slots (C, S) and delays (C, S, L) of `people`, by (column, list), filled up with the void list.

    With `keep_void` the first has at least one void slot, so that a lane without work has something to start.
    """
    void = len(layout.rank) - 1
    table = layout.list_of[streams[people]]
    table[(roster.delay[people] == NEVER).all(2)] = void
    # These lists are in her own stream's.
    table[layout.column[streams[people]] > 0, :FOLLOW_ON] = void
    slots = table.reshape(len(people), -1)
    useful = (slots < void).sum(1)
    size = int(useful.max())
    place = np.argsort(slots == void, axis=1, kind="stable")[:, :size]
    slots = np.take_along_axis(slots, place, 1)
    delay = roster.delay[people[:, None], place // len(_RANK)]
    delay = np.where(delay == NEVER, FAR, delay << STEP)
    delay[slots == void] = 0
    if keep_void and useful[0] == size:
        slots = np.pad(slots, ((0, 0), (0, 1)), constant_values=void)
        delay = np.pad(delay, ((0, 0), (0, 1), (0, 0)))
    return slots, delay + np.arange(len(people))[:, None, None]


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
