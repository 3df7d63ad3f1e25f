"""The clinical day of all lanes at once, start by start (docs/day.md, sections 1 and 3 to 6).

One iteration starts exactly one item in every lane that is still open: the person who can start first takes
the lowest of the heads that are ready for her. Nothing in a lane can start before the earliest such moment,
and every later release is in its list before it can be chosen, so the result is exact. A room is held from a
start to an end that is known at the start, so the moment at which one comes free is known as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from careload.day.schedule_kernel import Starts, run
from careload.day.schedule_lists import SPARE, build
from careload.ticks import MINUTE, NEVER

__all__ = [
    "ABSENCE",
    "FOLLOW_ON",
    "HORIZON",
    "MAX_COLUMNS",
    "MAX_PACE",
    "MAX_PEOPLE",
    "MAX_ROOMS",
    "ROUTINE",
    "SAME_DAY",
    "URGENT",
    "Items",
    "Roster",
    "Schedule",
    "check",
    "schedule",
]

IntArray: TypeAlias = NDArray[np.int64]
BoolArray: TypeAlias = NDArray[np.bool_]

ABSENCE: Final = 0
"""List of breaks, meetings, leave and going home; rank 0."""
URGENT: Final = 1
"""List of urgent work; rank 1."""
SAME_DAY: Final = 2
"""List of work for the same day; rank 2."""
ROUTINE: Final = 3
"""List of routine work; rank 3."""
FOLLOW_ON: Final = 4
"""List of work created by other work; rank 2."""

HORIZON: Final = 131_072 * MINUTE
"""Largest time, delay or reference in ticks; releases reach as far below 0."""
MAX_PEOPLE: Final = 31
"""People of one practice."""
MAX_COLUMNS: Final = 100
"""Streams one person may read."""
MAX_ROOMS: Final = (1 << 15) - 1
"""Rooms of one practice."""
MAX_PACE: Final = 1 << 14
"""Slowest pace: sixteen times the reference."""

_REACH: Final = 1 << 43


@dataclass(frozen=True)
class Roster:
    """Who works today and what she may take: C people, E streams, X columns of a table, L lanes.

    Attributes
    ----------
    role : ndarray of int64, shape (C,)
        Row of `Items.service`; never decreasing, because people are numbered by (role order, id).
    streams : ndarray of int64, shape (C, X)
        Streams a person reads, her own first; the value E fills unused columns.
    n_streams : int
        E.
    pace : ndarray of int64, shape (C, L)
        Ticks she needs for 1,024 reference ticks.
    free : ndarray of int64, shape (C, L)
        Start of her first session in ticks, NEVER if absent.
    delay : ndarray of int64, shape (C, X, L)
        Ticks after a release from which she may take it: 0 for her own stream, NEVER for not at all.
    cap : ndarray of int64, shape (L,)
        Nobody starts anything at or after this tick.
    rooms : ndarray of int64, shape (L,)
        Rooms of the practice, one at least; with one for everybody nobody waits for a room.
    """

    role: IntArray
    streams: IntArray
    n_streams: int
    pace: IntArray
    free: IntArray
    delay: IntArray
    cap: IntArray
    rooms: IntArray


@dataclass(frozen=True)
class Items:
    """Everything that may start today, n items in any order.

    Attributes
    ----------
    lane, stream : ndarray of int64, shape (n,)
    list : ndarray of int8, shape (n,)
        ABSENCE, URGENT, SAME_DAY, ROUTINE or FOLLOW_ON.
    release : ndarray of int64, shape (n,)
        Tick; negative for carried work; not read where the item has a parent.
    key : ndarray of uint64, shape (n,)
        Order among equal releases of one list; not read for follow-ons.
    service : ndarray of int64, shape (n_roles, n)
        Reference ticks by the performer's role; not read for absences.
    fixed_end : ndarray of int64, shape (n,)
        Tick at which an absence ends; 0 for everything else.
    parent : ndarray of int64, shape (n,)
        Item whose start creates this one and whose end releases it, no absence; -1 if it is there from the start.
    ordinal : ndarray of int64, shape (n,)
        Order among the creations of one start.
    responsible : ndarray of int8, shape (n,)
        Role whose own starts create no such follow-on; -1 if every start does.
    needs_room : ndarray of bool, shape (n,)
        True if a room is held from start to end; never for an absence.
    """

    lane: IntArray
    stream: IntArray
    list: NDArray[np.int8]
    release: IntArray
    key: NDArray[np.uint64]
    service: IntArray
    fixed_end: IntArray
    parent: IntArray
    ordinal: IntArray
    responsible: NDArray[np.int8]
    needs_room: BoolArray


@dataclass(frozen=True)
class Schedule:
    """What became of each item, n items in the order of `Items`.

    Attributes
    ----------
    start, end : ndarray of int64, shape (n,)
        Ticks; NEVER if not started.
    person : ndarray of int16, shape (n,)
        Number of the performer, -1 if not started.
    room_wait : ndarray of int64, shape (n,)
        Ticks by which her start would have been earlier with rooms enough; 0 if not started.
    created : ndarray of bool, shape (n,)
        False for follow-ons that were not created, True otherwise.
    """

    start: IntArray
    end: IntArray
    person: NDArray[np.int16]
    room_wait: IntArray
    created: BoolArray


def schedule(roster: Roster, items: Items) -> Schedule:
    """Start every item that can start, in the order of the rule, in each lane on its own.

    Parameters
    ----------
    roster : Roster
    items : Items

    Returns
    -------
    Schedule

    Raises
    ------
    ValueError
        If an array does not fit the others or holds a value the rule has no meaning for.

    Notes
    -----
    Equal (release, key) in one list are taken in order of appearance; so are carried follow-ons of equal
    release and creations of one start with equal ordinal.
    """
    check(roster, items)
    if not len(items.lane):
        nothing = np.empty(0, np.int64)
        return Schedule(nothing, nothing, nothing.astype(np.int16), nothing, nothing.astype(np.bool_))
    return _result(roster, items, run(build(roster, items)))


def _result(roster: Roster, items: Items, starts: Starts) -> Schedule:
    """Bring the recorded starts into the order of the items; what lies at or after the cap did not happen."""
    n = len(items.lane)
    start, end, person = np.full(n + 1, NEVER), np.full(n + 1, NEVER), np.full(n + 1, -1, np.int16)
    start[starts.item], end[starts.item] = starts.start, starts.end
    person[starts.item] = starts.person
    start, end, person = start[:n], end[:n], person[:n]
    room_wait = np.zeros(n + 1, np.int64)
    if len(starts.room_wait):
        room_wait[starts.item] = starts.room_wait
    room_wait = room_wait[:n]
    late = np.flatnonzero(start >= roster.cap.take(items.lane))
    start[late], end[late], person[late], room_wait[late] = NEVER, NEVER, -1, 0
    created = np.ones(n, np.bool_)
    child = np.flatnonzero(items.parent >= 0)
    performer = person[items.parent[child]]
    created[child] = (performer >= 0) & (roster.role[performer] != items.responsible[child])
    return Schedule(start, end, person, room_wait, created)


def check(roster: Roster, items: Items) -> None:
    """Refuse input the rule has no meaning for.

    Raises
    ------
    ValueError
        One sentence naming the array and, where it helps, the first item.
    """
    _check_roster(roster)
    _check_items(roster, items)
    _check_absences(roster, items)
    _check_parents(items)
    _check_reach(roster, items)


def _refuse(wrong: bool | np.bool_, sentence: str) -> None:
    if wrong:
        raise ValueError(sentence)


def _refuse_items(wrong: BoolArray, sentence: str) -> None:
    if wrong.any():
        raise ValueError(f"item {int(wrong.argmax())} {sentence}")


def _outside(values: NDArray[np.integer], low: int, high: int) -> bool:
    return values.size > 0 and bool(values.min() < low or values.max() > high)


def _check_roster(roster: Roster) -> None:
    people, lanes = len(roster.role), len(roster.cap)
    columns = roster.streams.shape[1] if roster.streams.ndim == 2 else 0
    shapes = {
        "role": (people,),
        "streams": (people, columns),
        "pace": (people, lanes),
        "free": (people, lanes),
        "delay": (people, columns, lanes),
        "cap": (lanes,),
        "rooms": (lanes,),
    }
    for name, shape in shapes.items():
        found = getattr(roster, name).shape
        _refuse(found != shape, f"roster.{name} has shape {found}, expected {shape}")
    _refuse(not 1 <= people <= MAX_PEOPLE, f"a roster needs 1 to {MAX_PEOPLE} people, found {people}")
    _refuse(
        not 1 <= columns <= MAX_COLUMNS, f"roster.streams needs 1 to {MAX_COLUMNS} columns, found {columns}"
    )
    _refuse(
        roster.role[0] < 0 or bool((np.diff(roster.role) < 0).any()),
        "roster.role must be 0 or more, never decreasing",
    )
    _refuse(
        _outside(roster.streams, 0, roster.n_streams), f"roster.streams must lie in 0 to {roster.n_streams}"
    )
    for person, table in enumerate(roster.streams):
        read = table[table < roster.n_streams]
        _refuse(len(set(read.tolist())) < len(read), f"person {person} reads a stream twice")
    _refuse(_outside(roster.pace, 1, MAX_PACE), f"roster.pace must lie in 1 to {MAX_PACE}")
    _refuse(_outside(roster.cap, 0, HORIZON), f"roster.cap must lie in 0 to {HORIZON} ticks")
    _refuse(_outside(roster.rooms, 1, MAX_ROOMS), f"roster.rooms must lie in 1 to {MAX_ROOMS}")
    for name in ("free", "delay"):
        ticks = getattr(roster, name)
        wrong = ((ticks < 0) | (ticks > HORIZON)) & (ticks != NEVER)
        _refuse(wrong.any(), f"roster.{name} must be NEVER or lie in 0 to {HORIZON} ticks")
    _refuse(roster.delay[:, 0].any(), "roster.delay must be 0 for a person's own stream")


def _check_items(roster: Roster, items: Items) -> None:
    n = len(items.lane)
    columns = ("stream", "list", "release", "key", "fixed_end", "parent", "ordinal", "responsible")
    for name in (*columns, "needs_room"):
        found = getattr(items, name).shape
        _refuse(found != (n,), f"items.{name} has shape {found}, expected {(n,)}")
    roles = int(roster.role[-1]) + 1
    shape = items.service.shape
    _refuse(
        len(shape) != 2 or shape[0] < roles or shape[1] != n,
        f"items.service has shape {shape}, expected at least {roles} rows of {n}",
    )
    bounds = {
        "lane": (0, len(roster.cap) - 1),
        "stream": (0, roster.n_streams - 1),
        "list": (ABSENCE, FOLLOW_ON),
        "release": (-HORIZON, HORIZON),
        "fixed_end": (0, HORIZON),
        "parent": (-1, n - 1),
        "service": (0, HORIZON),
    }
    for name, (low, high) in bounds.items():
        values = getattr(items, name)
        _refuse(_outside(values, low, high), f"items.{name} must lie in {low} to {high}")


def _check_absences(roster: Roster, items: Items) -> None:
    absent = items.list == ABSENCE
    _refuse_items(absent & items.needs_room, "is an absence that needs a room")
    if np.count_nonzero(items.fixed_end) > np.count_nonzero(items.fixed_end[absent]):
        _refuse_items((items.fixed_end > 0) & ~absent, "has a fixed end but is no absence")
    readers = np.bincount(roster.streams.ravel(), minlength=roster.n_streams + 1)
    own = np.bincount(roster.streams[:, 0], minlength=roster.n_streams + 1)
    shared = (readers != 1) | (own != 1)
    if shared[items.stream[absent]].any():
        _refuse_items(absent & shared[items.stream], "is an absence in a stream that is not one person's own")


def _check_parents(items: Items) -> None:
    child = np.flatnonzero(items.parent >= 0)
    if not len(child):
        return
    parent = items.parent[child]
    follow = items.list == FOLLOW_ON
    sentences = {
        "has a parent but is not in the follow-on list": ~follow[child],
        "is a follow-on of a follow-on": follow[parent],
        "is a follow-on of an absence": items.list[parent] == ABSENCE,
        "has its parent in another lane": items.lane[child] != items.lane[parent],
    }
    for sentence, wrong in sentences.items():
        _refuse(wrong.any(), f"item {int(child[wrong.argmax()])} {sentence}")


def _check_reach(roster: Roster, items: Items) -> None:
    """Even if the cap stopped nobody, no time may reach the marks of the kernel."""
    n = len(items.lane)
    if not n:
        return
    longest = int(items.service.max()) * int(roster.pace.max()) // 1024 + 1
    if (n + SPARE) * longest > _REACH:
        busiest = int(np.bincount(items.lane).max())
        most = _REACH // (busiest + SPARE)
        _refuse(
            longest > most,
            f"items.service times pace must stay below {most} ticks with {busiest} items a lane",
        )
