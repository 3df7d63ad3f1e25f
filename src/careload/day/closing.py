"""Requests that nothing can change any more: their outcomes are summed and their rows make room for others.

A run keeps rows for the requests that are still on their way, and sums for all others; results do not depend on when
requests are closed.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from careload.columns import replace, settled
from careload.day.outcomes import Fate
from careload.patients.bundle import VISIT_ROW, Channel
from careload.patients.demand import CALL_ONLY

if TYPE_CHECKING:
    from careload.day.block import Block, State

__all__ = ["Closed", "Kind", "classes", "close_requests", "count_contacts", "no_closed", "sums_of"]

T = TypeVar("T")

_MOST_ROWS = 2_000_000
"""Rows of the register up to which nothing is closed."""

_TOGETHER = 1 << 15
"""Requests summed at once: what is read of them stays in the cache."""


class Kind(IntEnum):
    """Class of a task instance in two worlds (docs/estimands.md)."""

    KEPT = 0
    MOVED = 1
    TAKEN = 2
    ENDED = 3
    ABANDONED = 4
    NEW = 5
    NONE = 6


@dataclass
class Closed:
    """Sums over closed requests; P contrasts, S worlds, C cells, N patients.

    Attributes
    ----------
    gained : ndarray of int64, shape (P, kinds, C)
        GP time in the baseline less that in the scenario, by `Kind`.
    freed : ndarray of int64, shape (P, T, C)
        Part of it on instances moved or ended, by task.
    contacts, home_visits : ndarray of int32, shape (S, N)
        Contacts held with a GP by person, and those at home.
    rows_left : int
        Rows of the register after the last closing.
    """

    gained: NDArray[np.int64]
    freed: NDArray[np.int64]
    contacts: NDArray[np.int32]
    home_visits: NDArray[np.int32]
    rows_left: int


def no_closed(block: Block) -> Closed:
    """Nothing closed so far."""
    gained, freed = _no_sums(block)
    persons = (block.n_scenarios, len(block.people.age))
    return Closed(
        gained=gained,
        freed=freed,
        contacts=np.zeros(persons, np.int32),
        home_visits=np.zeros(persons, np.int32),
        rows_left=0,
    )


def classes(
    before: NDArray[np.int8],
    after: NDArray[np.int8],
    ticks_before: NDArray[np.int32],
    ticks_after: NDArray[np.int32],
) -> NDArray[np.int64]:
    """Class of every instance from its fates in the two worlds, and GP time where those leave some without a class.

    A need that calls twice may reach the GP once and the desk the other time: it has the fate of the last answer and
    GP time all the same, and then counts as the GP's.
    """
    kind = _KIND_OF_FATES.take(before * len(Fate) + after.astype(np.int64))
    some = np.flatnonzero((kind == Kind.NONE) & ((ticks_before | ticks_after) != 0))
    by_gp = np.where(ticks_before[some] > 0, Fate.BY_GP, before[some])
    also_gp = np.where(ticks_after[some] > 0, Fate.BY_GP, after[some])
    kind[some] = _KIND_OF_FATES.take(by_gp * len(Fate) + also_gp.astype(np.int64))
    return kind


def _kind(before: int, after: int) -> Kind:
    if before == Fate.BY_GP:
        ends = {Fate.BY_GP: Kind.KEPT, Fate.BY_OTHER: Kind.MOVED, Fate.NOT_NEEDED: Kind.ENDED}
        return ends.get(after, Kind.ABANDONED)
    if before == Fate.NOT_DONE and after in (Fate.BY_GP, Fate.BY_OTHER):
        return Kind.NEW
    return Kind.TAKEN if after == Fate.BY_GP else Kind.NONE


_KIND_OF_FATES = np.array([_kind(before, after) for before in Fate for after in Fate], np.int64)


def sums_of(
    block: Block, state: State, requests: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """`gained` and `freed` of all rows of some requests in every contrast.

    Parameters
    ----------
    requests : ndarray of int64
        Positions in the register.

    Returns
    -------
    gained : ndarray of int64, shape (P, kinds, C)
    freed : ndarray of int64, shape (P, T, C)
    """
    register, n_cells = state.register, block.n_cells
    gained, freed = _no_sums(block)
    for begin in range(0, len(requests), _TOGETHER):
        some = requests[begin : begin + _TOGETHER]
        for cells, pairs in block.contrasts_by_cells:
            of_cells = some.compress(cells.take(register.requests.cell.take(some)))
            rows, which = register.rows_of(of_cells)
            cell = register.requests.cell.take(of_cells).astype(np.int64).take(which)
            place = register.rows.task.take(rows).astype(np.int64) * n_cells + cell
            for pair in pairs:
                (fate_before, before), (fate_after, after) = (
                    state.outcomes.of(world, rows, cell) for world in block.contrasts[pair]
                )
                kind = classes(fate_before, fate_after, before, after)
                won = before.astype(np.int64) - after
                _add(gained[pair], kind * n_cells + cell, won)
                out = np.flatnonzero((kind == Kind.MOVED) | (kind == Kind.ENDED))
                _add(freed[pair], place.take(out), won.take(out))
    return gained, freed


def _no_sums(block: Block) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    pairs, cells, tasks = len(block.contrasts), block.n_cells, len(block.layout.tasks)
    return np.zeros((pairs, len(Kind), cells), np.int64), np.zeros((pairs, tasks, cells), np.int64)


def _add(sums: NDArray[np.int64], place: NDArray[np.int64], amount: NDArray[np.int64]) -> None:
    """Add amounts to the places of a table."""
    sums += np.bincount(place, amount, minlength=sums.size).astype(np.int64).reshape(sums.shape)


def count_contacts(
    block: Block,
    state: State,
    requests: NDArray[np.int64],
    contacts: NDArray[np.int32],
    home_visits: NDArray[np.int32],
) -> None:
    """Add the contacts held with a GP inside the window that some requests led to, and those of them at home.

    Parameters
    ----------
    requests : ndarray of int64
        Positions in the register.
    contacts, home_visits : ndarray of int32, shape (S, N)
        By person, changed in place.
    """
    of = state.register.requests
    visits = requests.compress(of.visit.take(requests) != CALL_ONLY)
    # A number of the type of the table: NumPy adds any other one far more slowly.
    one = contacts.dtype.type(1)
    for world, lanes in enumerate(block.lane_of):
        request = visits.compress((lanes >= 0).take(of.cell.take(visits)))
        fate, ticks = state.outcomes.of(world, of.first.take(request) + VISIT_ROW, of.cell.take(request))
        request = request.compress((fate == Fate.BY_GP) & (ticks > 0))
        patient = of.patient.take(request)
        at_home = block.bundles.channel.take(of.visit.take(request)) == Channel.HOME
        np.add.at(contacts[world], patient, one)
        np.add.at(home_visits[world], patient.compress(at_home), one)


def close_requests(block: Block, state: State, day: int, most_rows: int = _MOST_ROWS) -> None:
    """Close what no slip, contact or part waits for, once the register is long; `day` is the next day.

    It is done when the rows have doubled since the last time, so that its cost stays a share of that of drawing them.
    """
    register, closed = state.register, state.closed
    if register.n_rows <= max(most_rows, 2 * closed.rows_left) or any(one >= day for one in state.drawn):
        return
    contacts, parts, slips = settled(state.contacts), settled(state.parts), state.slips.requests()
    live = np.zeros(register.n_requests, np.bool_)
    for request in (*slips, contacts.request, parts.request):
        live[request[request >= 0]] = True
    number = _sum_and_move(block, state, live)
    closed.rows_left = register.n_rows
    for request in slips:
        request[:] = number.take(request)
    state.contacts, state.parts = _renumbered(contacts, number), _renumbered(parts, number)


def _sum_and_move(block: Block, state: State, live: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Add up what is closed and move the rest together, some requests at a time; new positions of what lives."""
    register, closed = state.register, state.closed
    request = row = 0
    number = np.empty(len(live), np.int64)
    for first in range(0, len(live), _TOGETHER):
        lives = live[first : first + _TOGETHER]
        kept, ended = first + np.flatnonzero(lives), first + np.flatnonzero(~lives)
        gained, freed = sums_of(block, state, ended)
        closed.gained += gained
        closed.freed += freed
        count_contacts(block, state, ended, closed.contacts, closed.home_visits)
        kept_rows, _ = register.rows_of(kept)
        register.move(kept, kept_rows, (request, row))
        state.outcomes.move(kept_rows, row)
        number[kept] = np.arange(request, request + len(kept))
        request, row = request + len(kept), row + len(kept_rows)
    register.end_at(request, row)
    state.outcomes.end_at(row)
    return number


def _renumbered(table: T, number: NDArray[np.int64]) -> T:
    """The table with new positions of its requests; -1 stays."""
    request: NDArray[np.int64] = table.request  # type: ignore[attr-defined]
    return settled(replace(table, request=np.where(request >= 0, number.take(request, mode="clip"), -1)))
