"""Where work comes from: candidates at a scenario-free rate, due dates, and what a contact carries.

Everything here is drawn once per (replication, practice) and shared by all scenarios (docs/day.md, section 10).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from careload.columns import spread
from careload.draws import child, name_key, poisson, uniform
from careload.patients.calendar import Calendar
from careload.patients.population import Population
from careload.patients.rates import (
    DemandTables,
    kinds,
    may_have,
    multimorbid,
    person_rates,
    rates_of_kinds,
)

__all__ = [
    "CALL_ONLY",
    "Arrivals",
    "DemandTables",
    "DueDates",
    "Strata",
    "candidates",
    "due_dates",
    "multimorbid",
    "person_rates",
    "strata",
]

CALL_ONLY: Final = -1
"""Visit index of a call that carries no request."""

_COUNT = name_key("candidate count")
_PATIENT = name_key("candidate patient")
_ACCEPT = name_key("candidate acceptance")
_CALL = name_key("call without request")
_DUE = name_key("due date")
_PHASE = name_key("due date phase")


@dataclass(frozen=True)
class Strata:
    """Patients in weight classes, rates of a class within a factor of 2; K classes, M members, N patients.

    Attributes
    ----------
    visit, cell : ndarray of int64, shape (K,)
        Classes stand by (cell, visit, rate).
    first, count : ndarray of int64, shape (K,)
        Slice of `member`.
    bound : ndarray of float, shape (K,)
        Dominating rate of one member, per year.
    key : ndarray of uint64, shape (K,)
    member : ndarray of unsigned int, shape (M,)
        Place in the list of the cell.
    rate : ndarray of float, shape (V, kinds)
        `rates_of_kinds`. A member's weight is the rate of her kind times her heterogeneity.
    kind : ndarray of uint8, shape (N,)
    heterogeneity : ndarray of float, shape (N,)
    """

    visit: NDArray[np.int64]
    cell: NDArray[np.int64]
    first: NDArray[np.int64]
    count: NDArray[np.int64]
    bound: NDArray[np.float64]
    key: NDArray[np.uint64]
    member: NDArray[np.unsignedinteger]
    rate: NDArray[np.float64]
    kind: NDArray[np.uint8]
    heterogeneity: NDArray[np.float64]


@dataclass(frozen=True)
class DueDates:
    """All due visits of a run, by cell and open day; cell c owns rows `offset[c, d]` to `offset[c, d + 1]` of day d.

    Attributes
    ----------
    offset : ndarray of int64, shape (C, days + 1)
    member : ndarray of unsigned int, shape (n,)
        Place in the list of the cell.
    visit : ndarray of uint8, shape (n,)
    occurrence : ndarray of uint16, shape (n,)
        Number in the series of the patient and visit.
    rate : ndarray of float, shape (V, kinds)
        `rates_of_kinds`; the interval of a series is one over the rate of the patient's kind.
    kind : ndarray of uint8, shape (N,)
    """

    offset: NDArray[np.int64]
    member: NDArray[np.unsignedinteger]
    visit: NDArray[np.uint8]
    occurrence: NDArray[np.uint16]
    rate: NDArray[np.float64]
    kind: NDArray[np.uint8]


@dataclass(frozen=True)
class Arrivals:
    """Candidates of some open days, all cells, by (day, cell); n candidates.

    Attributes
    ----------
    day, cell, patient, visit : ndarray of int64, shape (n,)
        `visit` is CALL_ONLY for a call without request; `patient` is then -1.
    key : ndarray of uint64, shape (n,)
    threshold : ndarray of float, shape (n,)
        Accepted by a lane whose care-seeking factor for the patient exceeds it; 0 for due work and bare calls.
    occurrence : ndarray of int64, shape (n,)
        Number in the due series, -1 for work that is not due.
    interval_days : ndarray of float, shape (n,)
        Interval of the due series in open days, 0 for work that is not due.
    """

    day: NDArray[np.int64]
    cell: NDArray[np.int64]
    patient: NDArray[np.int64]
    visit: NDArray[np.int64]
    key: NDArray[np.uint64]
    threshold: NDArray[np.float64]
    occurrence: NDArray[np.int64]
    interval_days: NDArray[np.float64]


def _narrow(sizes: NDArray[np.int64]) -> np.dtype[np.unsignedinteger]:
    """Type that holds a place in every list."""
    return np.dtype(np.uint16 if sizes.max(initial=0) <= 1 << 16 else np.uint32)


def strata(tables: DemandTables, people: Population, cell_key: NDArray[np.uint64]) -> Strata:
    """Sort the patients of every cell into weight classes, visit by visit.

    Parameters
    ----------
    cell_key : ndarray of uint64, shape (C,)
        Key of (seed, replication, practice).
    """
    sizes = np.diff(people.offset)
    rated = np.flatnonzero(~tables.due)
    rate, kind = rates_of_kinds(tables), kinds(people)
    narrow = _narrow(sizes)
    classes: list[tuple[NDArray[np.int64], ...]] = []
    members: list[NDArray[np.unsignedinteger]] = []
    for cell, (begin, end) in enumerate(zip(people.offset[:-1], people.offset[1:], strict=True)):
        rows = slice(begin, end)
        weight = rate[rated].take(kind[rows], axis=1) * people.heterogeneity[rows]
        weight *= may_have(tables, people, rows)[rated]
        pair = np.flatnonzero(weight)
        octave = np.frexp(weight.reshape(-1)[pair])[1].astype(np.int64) - 1
        visit, member = np.divmod(pair, max(1, end - begin))
        least = int(octave.min(initial=0))
        span = int(octave.max(initial=0)) - least + 1
        group = visit * span + (octave - least)
        short = group.astype(np.uint16) if span * len(rated) <= 1 << 16 else group
        members.append(member[np.argsort(short, kind="stable")].astype(narrow))
        count = np.bincount(group, minlength=span * len(rated))
        used = np.flatnonzero(count)
        classes.append((np.full(len(used), cell), rated[used // span], used % span + least, count[used]))
    cells, visits, octaves, counts = (np.concatenate(column) for column in zip(*classes, strict=True))
    return Strata(
        visit=visits,
        cell=cells,
        first=np.cumsum(counts) - counts,
        count=counts,
        bound=np.exp2(octaves + 1.0),
        key=child(cell_key[cells], tables.key[visits], octaves + 2048),
        member=np.concatenate(members),
        rate=rate,
        kind=kind,
        heterogeneity=people.heterogeneity,
    )


def due_dates(
    tables: DemandTables, people: Population, cell_key: NDArray[np.uint64], calendar: Calendar
) -> DueDates:
    """Every due visit of the run: a fixed grid per patient and visit, stationary from the first day."""
    days, sizes = len(calendar), np.diff(people.offset)
    due = np.flatnonzero(tables.due)
    rate, kind = rates_of_kinds(tables), kinds(people)
    narrow = _narrow(sizes)
    offset = np.zeros((len(sizes), days + 1), np.int64)
    columns: list[tuple[NDArray[np.unsignedinteger], ...]] = []
    total = 0
    for cell, (begin, end) in enumerate(zip(people.offset[:-1], people.offset[1:], strict=True)):
        rows = slice(begin, end)
        may = may_have(tables, people, rows)[due] & (rate[due].take(kind[rows], axis=1) > 0)
        which, member = np.nonzero(may)
        visit = due[which]
        interval = calendar.year_days / rate[visit, kind[rows][member]]
        series = _series(tables, people, cell_key, begin + member, visit, np.full(len(member), cell))
        phase = uniform(series, _PHASE) * interval
        count = np.maximum(0, np.ceil((days - phase) / interval)).astype(np.int64)
        row, occurrence = spread(count)
        day = np.floor(phase[row] + occurrence * interval[row]).astype(np.int64)
        inside = np.flatnonzero(day < days)
        order = inside[np.argsort(day[inside], kind="stable")]
        row = row[order]
        columns.append(
            (member[row].astype(narrow), visit[row].astype(np.uint8), occurrence[order].astype(np.uint16))
        )
        offset[cell, 1:] = np.cumsum(np.bincount(day[order], minlength=days))
        offset[cell] += total
        total += len(row)
    members, visits, occurrences = (np.concatenate(column) for column in zip(*columns, strict=True))
    return DueDates(offset=offset, member=members, visit=visits, occurrence=occurrences, rate=rate, kind=kind)


def _series(
    tables: DemandTables,
    people: Population,
    cell_key: NDArray[np.uint64],
    patient: NDArray[np.int64],
    visit: NDArray[np.int64],
    cell: NDArray[np.int64],
) -> NDArray[np.uint64]:
    """Keys of due series."""
    return child(people.key[patient], tables.key[visit], cell_key[cell])


def _calls(
    tables: DemandTables,
    sizes: NDArray[np.int64],
    cell_key: NDArray[np.uint64],
    days: NDArray[np.int64],
    factor: NDArray[np.float64],
) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """Place in (day, cell) and key of the calls that carry no request."""
    prefix = child(child(cell_key, _CALL), days[:, None])
    count = poisson(uniform(prefix, _COUNT), tables.call_only_rate * sizes * factor[:, None])
    place, ordinal = spread(count.reshape(-1))
    return place, child(prefix.reshape(-1)[place], ordinal)


def candidates(
    tables: DemandTables,
    people: Population,
    classes: Strata,
    due: DueDates,
    cell_key: NDArray[np.uint64],
    calendar: Calendar,
    days: range,
) -> Arrivals:
    """Candidates of open days: exact thinning of a Poisson count per weight class, what is due, and bare calls.

    Raises
    ------
    ArithmeticError
        If a patient's rate exceeds the dominating rate of her class.
    """
    n_cells, on = len(cell_key), np.arange(days.start, days.stop)
    weekday = tables.weekday_weight[calendar.weekday[on]]
    rated, rated_key, patient, visit, threshold = _rated(tables, people, classes, calendar, on, weekday)
    due_at, due_row = _due_rows(due, on)
    cell = due_at % n_cells
    due_patient, due_visit = people.offset[cell] + due.member[due_row], due.visit[due_row].astype(np.int64)
    occurrence = due.occurrence[due_row].astype(np.int64)
    due_key = child(_series(tables, people, cell_key, due_patient, due_visit, cell), _DUE, occurrence)
    interval = calendar.year_days / due.rate[due_visit, due.kind[due_patient]]
    per_day = 1.0 / calendar.year_days
    call, call_key = _calls(tables, np.diff(people.offset), cell_key, on, weekday * per_day)
    order, place = _merged((rated, due_at, call), len(on) * n_cells)
    n_rated, n_due, n_calls = len(rated), len(due_at), len(call)

    def column(of_rated: Any, of_due: Any, of_calls: Any) -> NDArray[Any]:
        parts = zip((of_rated, of_due, of_calls), (n_rated, n_due, n_calls), strict=True)
        return np.concatenate([np.broadcast_to(part, n) for part, n in parts])[order]

    day, cell = np.divmod(place, n_cells)
    return Arrivals(
        day=days.start + day,
        cell=cell,
        patient=column(patient, due_patient, -1),
        visit=column(visit, due_visit, CALL_ONLY),
        key=column(rated_key, due_key, call_key),
        threshold=column(threshold, 0.0, 0.0),
        occurrence=column(-1, occurrence, -1),
        interval_days=column(0.0, interval, 0.0),
    )


def _rated(
    tables: DemandTables,
    people: Population,
    classes: Strata,
    calendar: Calendar,
    days: NDArray[np.int64],
    weekday: NDArray[np.float64],
) -> tuple[NDArray[np.int64], NDArray[np.uint64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Place in (day, cell), key, patient, visit and threshold of what comes at a rate."""
    season = np.where(tables.seasonal, tables.season[calendar.week[days]][:, None], 1.0)
    factor = weekday[:, None] * season
    bound = classes.bound * tables.seeking_bound
    prefix = child(classes.key, days[:, None]).reshape(-1)
    mean = bound * classes.count * factor.take(classes.visit, axis=1) * (1.0 / calendar.year_days)
    place, ordinal = spread(poisson(uniform(prefix, _COUNT), mean.reshape(-1)))
    key = child(prefix[place], ordinal)
    stratum = place if len(days) == 1 else place % len(classes.key)
    member = classes.first[stratum] + (uniform(key, _PATIENT) * classes.count[stratum]).astype(np.int64)
    patient = people.offset[classes.cell[stratum]] + classes.member[member]
    visit = classes.visit[stratum]
    weight = classes.rate.reshape(-1)[visit * classes.rate.shape[1] + classes.kind[patient]]
    weight *= classes.heterogeneity[patient]
    dominating = bound[stratum]
    if np.any(weight * tables.seeking_bound > dominating):
        raise ArithmeticError("a patient's rate exceeds the dominating rate of her weight class")
    threshold = uniform(key, _ACCEPT) * dominating / weight
    keep = np.flatnonzero(threshold < tables.seeking_bound)
    at = classes.cell[stratum[keep]]
    if len(days) > 1:
        at += place[keep] // len(classes.key) * (len(people.offset) - 1)
    return at, key[keep], patient[keep], visit[keep], threshold[keep]


def _due_rows(due: DueDates, days: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Place in (day, cell) and row of what is due on consecutive days."""
    begin = due.offset.T[days].reshape(-1)
    place, ordinal = spread(due.offset.T[days + 1].reshape(-1) - begin)
    return place, begin[place] + ordinal


def _merged(
    places: tuple[NDArray[np.int64], ...], n_places: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Order that merges rising sequences, one after the other, into one that rises; and the merged sequence."""
    counts = np.stack([np.bincount(one, minlength=n_places) for one in places])
    total = counts.sum(0)
    starts = np.cumsum(total) - total + np.cumsum(counts, axis=0) - counts
    order = np.empty(int(total.sum()), np.int64)
    first = 0
    for one, count, start in zip(places, counts, starts, strict=True):
        own = np.arange(len(one))
        order[(start - np.cumsum(count) + count)[one] + own] = first + own
        first += len(one)
    return order, np.repeat(np.arange(n_places), total)
