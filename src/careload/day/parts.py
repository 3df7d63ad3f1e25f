"""Parts of contacts: what one person does in one start, and the tasks in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from careload.codes import Codes
from careload.columns import Table, spread
from careload.day.schedule import Items
from careload.patients.bundle import CALL_ROW, VISIT_ROW, Register
from careload.practice.tables import VISIT_BIT, Layout
from careload.quantiles import POINTS, SHIFT

__all__ = [
    "WITH_PATIENT",
    "Contents",
    "Part",
    "Parts",
    "as_items",
    "contents",
    "desk_rows",
    "durations_of",
    "expand_acts",
    "no_parts",
    "reference_ticks",
    "ticks_by_part",
]


class Part(Codes):
    """What a start is."""

    CALL = 0
    CONTACT = 1
    DELEGATED = 2
    """Acts of a GP's contact done by a delegate."""
    REMAINDER = 3
    """Acts of a delegate's contact that only the GP may do."""
    SUPERVISION = 4
    HAND_BACK = 5
    MEETING = 6
    REST = 7
    """A break inside a session."""
    OFF = 8
    """Between two sessions, and going home."""


_BIT_OF_ACT: Final = np.left_shift(1, np.arange(64), dtype=np.int64)
"""Bits of a mask of acts; the last one, also that of act -1, is VISIT_BIT."""

WITH_PATIENT: Final = np.isin(np.arange(len(Part)), (Part.CONTACT, Part.DELEGATED, Part.REMAINDER))
"""Whether a part is work with a patient, by its number."""


@dataclass(frozen=True)
class Parts(Table):
    """Possible starts of one day, n rows; the scheduling columns are those of `careload.day.schedule.Items`.

    Attributes
    ----------
    lane, request : ndarray of int64
        `request` is -1 for absences.
    part, errand : ndarray of int8
    acts : ndarray of int64
        Acts in the part, bit mask.
    visit : ndarray of bool
        True if the visit itself is in the part.
    stream, list : ndarray of int64
    release : ndarray of int64
        Ticks; carried work keeps its first release less `CARRIED_DAY` a day.
    key : ndarray of uint64
    channel : ndarray of int8
        Of the visit; that of the office for calls and absences.
    service : ndarray of int64, shape (R, n)
        Reference ticks by role.
    fixed_end : ndarray of int64
    parent, ordinal : ndarray of int64
        Row of the parent, -1 without.
    responsible : ndarray of int64
        Created only if the performer's role is another; -1 for always.
    carried : ndarray of int8
        Days carried.
    """

    lane: NDArray[np.int64]
    request: NDArray[np.int64]
    part: NDArray[np.int8]
    errand: NDArray[np.int8]
    acts: NDArray[np.int64]
    visit: NDArray[np.bool_]
    stream: NDArray[np.int64]
    list: NDArray[np.int64]
    release: NDArray[np.int64]
    key: NDArray[np.uint64]
    channel: NDArray[np.int8]
    service: NDArray[np.int64]
    fixed_end: NDArray[np.int64]
    parent: NDArray[np.int64]
    ordinal: NDArray[np.int64]
    responsible: NDArray[np.int64]
    carried: NDArray[np.int8]


@dataclass(frozen=True)
class Contents(Table):
    """Tasks of parts, m task rows.

    Attributes
    ----------
    part : ndarray of int64, shape (m,)
        Row of the part.
    row : ndarray of int64, shape (m,)
        Task row in the register, rising within a part.
    task : ndarray of int64, shape (m,)
    ticks : ndarray of int64, shape (R, m)
        Reference ticks by role, same luck.
    """

    part: NDArray[np.int64]
    row: NDArray[np.int64]
    task: NDArray[np.int64]
    ticks: NDArray[np.int64]


def no_parts(n_roles: int) -> Parts:
    """An empty table."""
    empty = np.zeros(0, np.int64)
    narrow = np.zeros(0, np.int8)
    return Parts(
        lane=empty,
        request=empty,
        part=narrow,
        errand=narrow,
        acts=empty,
        visit=np.zeros(0, np.bool_),
        stream=empty,
        list=empty,
        release=empty,
        key=np.zeros(0, np.uint64),
        channel=narrow,
        service=np.zeros((n_roles, 0), np.int64),
        fixed_end=empty,
        parent=empty,
        ordinal=empty,
        responsible=empty,
        carried=narrow,
    )


def as_items(parts: Parts, needs_room: NDArray[np.bool_]) -> Items:
    """Parts as the schedule takes them; `needs_room` (n,) says which hold a room."""
    return Items(
        lane=parts.lane,
        stream=parts.stream,
        list=parts.list.astype(np.int8),
        release=parts.release,
        key=parts.key,
        service=parts.service,
        fixed_end=parts.fixed_end,
        parent=parts.parent,
        ordinal=parts.ordinal,
        responsible=parts.responsible.astype(np.int8),
        needs_room=needs_room,
    )


def durations_of(
    layout: Layout,
    mean_by_role: NDArray[np.int64],
    lane: NDArray[np.int64],
    task: NDArray[np.int64],
    luck: NDArray[np.uint16],
) -> NDArray[np.int64]:
    """Reference ticks by role of task instances.

    Parameters
    ----------
    mean_by_role : ndarray of int64, shape (R, L * T)
    lane, task, luck : ndarray, shape (n,)

    Returns
    -------
    ndarray of int64, shape (R, n)
        At least one tick where the role has a time for the task, else 0.
    """
    mean = mean_by_role.take(lane * len(layout.tasks) + task, axis=1)
    return reference_ticks(mean, layout.units.reshape(-1).take((layout.law * POINTS).take(task) + luck))


def reference_ticks(mean: NDArray[np.int64], unit: NDArray[np.int32]) -> NDArray[np.int64]:
    """Reference ticks by role from means (R, n) and entries of a table of a law (n,); at least one, 0 without mean."""
    ticks, least = np.empty_like(mean), np.empty(len(unit), np.int64)
    for of_role, reference in zip(mean, ticks, strict=True):
        # Role by role and in place: memory that is new to the process costs more than the sums.
        np.multiply(of_role, unit, out=reference)
        reference += 1 << (SHIFT - 1)
        reference >>= SHIFT
        np.maximum(reference, np.minimum(of_role, 1, out=least), out=reference)
    return ticks


def contents(
    register: Register,
    layout: Layout,
    mean_by_role: NDArray[np.int64],
    lane: NDArray[np.int64],
    request: NDArray[np.int64],
    visit: NDArray[np.bool_],
    acts: NDArray[np.int64],
) -> Contents:
    """Task rows of parts, grouped by part: the visit where `visit` is True, and the acts of the mask `acts`."""
    rows, requests = register.rows, register.requests
    n_acts = requests.n_acts.take(request)
    part, row = spread(1 + n_acts.astype(np.int64))
    row += (requests.first.take(request) + VISIT_ROW).take(part)
    task = rows.task.take(row).astype(np.int64)
    doubtful = np.flatnonzero((~visit | (np.bitwise_count(acts) < n_acts)).take(part))
    inside = _in_part(part.take(doubtful), layout.bit_of_task.take(task.take(doubtful)), acts, visit)
    if len(inside) < len(doubtful):
        wanted = np.ones(len(part), np.bool_)
        wanted[doubtful] = False
        wanted[doubtful.take(inside)] = True
        kept = np.flatnonzero(wanted)
        part, row, task = (column.take(kept) for column in (part, row, task))
    ticks = durations_of(layout, mean_by_role, lane.take(part), task, rows.luck.take(row))
    return Contents(part=part, row=row, task=task, ticks=ticks)


def _in_part(
    part: NDArray[np.int64], bit: NDArray[np.int64], acts: NDArray[np.int64], visit: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Task rows that belong to what is done in their part: the visit and acts of all parts, a bit for every row."""
    done = acts | visit * VISIT_BIT
    hit: NDArray[np.int64] = np.flatnonzero(done.take(part) & bit)
    return hit


def expand_acts(layout: Layout, acts: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Acts of each mask one by one: (position of the mask, task number)."""
    bits = np.unpackbits(acts.astype("<i8", copy=False).view(np.uint8), bitorder="little")
    place = np.flatnonzero(bits.view(np.bool_))
    return place >> 6, layout.act_tasks.take(place & 63)


def ticks_by_part(part: NDArray[np.int64], ticks: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Reference ticks by role of n parts, shape (R, n), from those of their tasks; later parts are left out."""
    total = np.empty((len(ticks), n), np.int64)
    for role, of_role in enumerate(ticks):
        total[role] = np.bincount(part, of_role, minlength=n)[:n]
    return total


def desk_rows(
    register: Register, request: NDArray[np.int64], visit: NDArray[np.bool_], acts: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Desk work that the visit and acts of finished parts leave: (part, task row), grouped by part."""
    rows, requests = register.rows, register.requests
    n_desk = requests.n_desk[request]
    leaving = np.flatnonzero(n_desk)
    asked = request.take(leaving)
    of, row = spread(n_desk.take(leaving))
    row += (requests.first[asked] + (VISIT_ROW + 1) + requests.n_acts[asked]).take(of)
    part = leaving.take(of)
    hit = _in_part(part, _BIT_OF_ACT.take(rows.parent.take(row)), acts, visit)
    return part.take(hit), row.take(hit)


def call_rows(register: Register, request: NDArray[np.int64]) -> NDArray[np.int64]:
    """Task rows of calls."""
    return register.requests.first[request] + CALL_ROW
