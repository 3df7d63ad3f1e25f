"""What a row of the lists of a day says, and what a start creates (docs/day.md, sections 3 and 6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from careload.day.schedule import Items, Roster

__all__ = [
    "DURATION",
    "FAR",
    "FIXED",
    "FOLLOW_ON",
    "ITEM",
    "LIMIT",
    "PERSON",
    "RELEASE",
    "STEP",
    "Children",
    "as_records",
    "children_in_order",
    "children_of",
    "performers_of",
    "ranked",
    "rows_of",
]

IntArray: TypeAlias = NDArray[np.int64]

STEP: Final = 16
"""Bits below a tick: inside the kernel a time is ticks << STEP, so that one key holds a time and a position."""

PERSON: Final = (1 << 5) - 1
"""Bits that hold the number of a person in the moments that concern her."""

LIMIT: Final = 1 << 60
"""When somebody without work starts a void item: later than any time, earlier than any sentinel."""

FAR: Final = 1 << 61
"""Release of a sentinel, and a delay that never ends; their sum still fits in 63 bits."""

ITEM: Final = 0
"""Column of an entry: item, the number of items for a sentinel."""
RELEASE: Final = 1
"""Column of an entry: release, FAR for a sentinel."""
FIXED: Final = 2
"""Column of an entry: the fixed end of an absence with the number of whom it concerns; for other work minus the first
family of its follow-ons in `Children`, 0 if none."""
DURATION: Final = 3
"""First of the columns of an entry that say by kind of performer what a start takes at least."""

FOLLOW_ON: Final = 4
"""Kind of list of follow-ons, as in `careload.day.schedule`."""
_ABSENCE: Final = 0
_PACE: Final = 10
_PIECE: Final = 1 << 13


@dataclass(frozen=True)
class Children:
    """Follow-ons that a start of today may create: families by (parent, kind of performer), W in each, some void.

    Attributes
    ----------
    table : ndarray of int64, shape (families, 4, W)
        Row in `entry`, list, how many the start puts into this list, and which of them this is, from 1 on. A void
        one is put into a list that nobody reads.
    entry : ndarray of int64, shape (children + 1, 3 + kinds)
        What is written into the list, but for the release.
    """

    table: IntArray
    entry: IntArray


def performers_of(roster: Roster, people: IntArray) -> IntArray:
    """The first of each run of `people` who take the same time for everything."""
    pace, role = roster.pace[people], roster.role[people]
    new = np.ones(len(people), np.bool_)
    new[1:] = (role[1:] != role[:-1]) | (pace[1:] != pace[:-1]).any(1)
    return people[new]


def ranked(code: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Order of codes by (code, position), which must fit in one number; the codes in order; places of equal ones."""
    n = len(code)
    bits = n.bit_length()
    packed = code << bits
    packed += np.arange(n)
    packed.sort()
    order = packed & (1 << bits) - 1
    packed >>= bits
    tied = np.zeros(n + 1, np.bool_)
    np.equal(packed[1:], packed[:-1], out=tied[1:n])
    return order, packed, np.flatnonzero(tied[1:] | tied[:-1])


def children_in_order(items: Items) -> IntArray:
    """Today's follow-ons by (parent, ordinal)."""
    child = np.flatnonzero(items.parent >= 0)
    order, parent, place = ranked(items.parent[child])
    siblings = order[place]
    order[place] = siblings[np.lexsort((items.ordinal[child[siblings]], parent[place]))]
    return child[order]


def as_records(table: IntArray) -> NDArray[np.void]:
    """Rows of a table as one array of values, which move as one."""
    records: NDArray[np.void] = table.view(np.dtype((np.void, table.itemsize * table.shape[1])))[:, 0]
    return records


def rows_of(roster: Roster, items: Items, people: IntArray, performers: IntArray) -> IntArray:
    """Entries in the order of the items, then a sentinel, without a word of follow-ons."""
    n = len(items.lane)
    rows = np.empty((n + 1, DURATION + len(performers)), np.int64)
    absent = np.flatnonzero(items.list == _ABSENCE)
    for begin in range(0, n, _PIECE):
        piece = slice(begin, min(n, begin + _PIECE))
        rows[piece, ITEM] = np.arange(piece.start, piece.stop)
        np.left_shift(items.release[piece], STEP, out=rows[piece, RELEASE])
        rows[piece, FIXED] = 0
        lane = items.lane[piece]
        for k, person in enumerate(performers):
            ticks = roster.pace[person].take(lane)
            ticks *= items.service[roster.role[person], piece]
            ticks >>= _PACE
            np.maximum(ticks, 1, out=ticks)
            np.left_shift(ticks, STEP, out=rows[piece, DURATION + k])
    whose = np.zeros(roster.n_streams + 1, np.int64)
    whose[roster.streams[people, 0]] = np.arange(len(people))
    rows[absent, DURATION:] = 1 << STEP
    rows[absent, FIXED] = (items.fixed_end[absent] << STEP) + whose.take(items.stream[absent])
    rows[n], rows[n, ITEM], rows[n, RELEASE], rows[n, FIXED] = 1 << STEP, n, FAR, 0
    return rows


def children_of(
    roster: Roster,
    items: Items,
    child: IntArray,
    rows: IntArray,
    performers: IntArray,
    into: IntArray,
    nobodys: int,
) -> Children:
    """Today's follow-ons, `child` in their order; `rows` learn of them.

    `into` are their lists, `nobodys` is the list that nobody reads.
    """
    n, kinds, parent = len(child), len(performers), items.parent[child]
    rows[child, RELEASE] = FAR
    first = np.flatnonzero(np.diff(parent, prepend=-1))
    size = np.diff(first, append=n)
    width = int(size.max(initial=1))
    family = np.repeat(np.arange(1, len(first) + 1), size)
    within = np.arange(1, n + 1) - np.repeat(first, size) - 1
    rows[parent[first], FIXED] = -kinds * np.arange(1, len(first) + 1)
    table = np.zeros((kinds * (len(first) + 1), 4, width), np.int64)
    table[:, 1], table[:, 3], flat = nobodys, 1, table.reshape(-1)
    for k, performer in enumerate(performers):
        wanted = np.flatnonzero(items.responsible[child] != roster.role[performer])
        whose, where = family[wanted], into[wanted]
        together, place = np.ones((2, len(wanted)), np.int64)
        for back in range(1, width):
            same = (whose[back:] == whose[:-back]) & (where[back:] == where[:-back])
            together[back:] += same
            together[:-back] += same
            place[back:] += same
        at = (whose * kinds + k) * table[0].size + within[wanted]
        for row, column in enumerate((wanted + 1, where, together, place)):
            flat[at + row * width] = column
    entry = rows[np.append(len(items.lane), child)]
    return Children(table, entry)
