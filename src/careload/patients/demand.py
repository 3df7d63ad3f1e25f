"""Where work comes from: candidates at a scenario-free rate, due dates, and what a contact carries.

Everything here is drawn once per (replication, practice) and shared by all scenarios (docs/day.md, section 10).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from careload.columns import spread
from careload.draws import child, limit_of, misses, name_key, uniform
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
from careload.poisson import poisson, poisson_rows

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
    quiet : ndarray of uint64, shape (K,)
        Limit (`careload.draws.limit_of`) of the draws that leave a class without candidates on every day.
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
    quiet: NDArray[np.uint64]
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


def strata(
    tables: DemandTables, people: Population, cell_key: NDArray[np.uint64], calendar: Calendar
) -> Strata:
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
    bound = np.exp2(octaves + 1.0)
    return Strata(
        visit=visits,
        cell=cells,
        first=np.cumsum(counts) - counts,
        count=counts,
        bound=bound,
        key=child(cell_key[cells], tables.key[visits], octaves + 2048),
        quiet=_quiet(tables, calendar, visits, bound * counts),
        member=np.concatenate(members),
        rate=rate,
        kind=kind,
        heterogeneity=people.heterogeneity,
    )


def _quiet(
    tables: DemandTables, calendar: Calendar, visit: NDArray[np.int64], weight: NDArray[np.float64]
) -> NDArray[np.uint64]:
    """Limits of the draws that stand for no candidate even on the busiest day of the year."""
    season = np.where(tables.seasonal, max(1.0, tables.season.max()), 1.0)
    busiest = tables.seeking_bound * tables.weekday_weight.max() * season / calendar.year_days
    # The limit lies a little lower than the exponential, so that rounding cannot matter.
    return limit_of(np.exp(-weight * busiest[visit]) * (1 - 1e-9))


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
    count = poisson_rows(uniform(prefix, _COUNT), tables.call_only_rate * sizes * factor[:, None])
    place, ordinal = spread(count.reshape(-1))
    return place, child(prefix.reshape(-1).take(place), ordinal)


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
    due_cell = due_at % n_cells
    due_patient, due_visit = (
        people.offset[due_cell] + due.member[due_row],
        due.visit[due_row].astype(np.int64),
    )
    occurrence = due.occurrence[due_row].astype(np.int64)
    due_key = child(_series(tables, people, cell_key, due_patient, due_visit, due_cell), _DUE, occurrence)
    interval = calendar.year_days / due.rate[due_visit, due.kind[due_patient]]
    per_day = 1.0 / calendar.year_days
    call, call_key = _calls(tables, np.diff(people.offset), cell_key, on, weekday * per_day)
    total, (to_rated, to_due, to_call) = _merged((rated, due_at, call), len(on) * n_cells)
    n = len(rated) + len(due_at) + len(call)

    def column(rest: Any, of_rated: Any, of_due: Any) -> NDArray[Any]:
        """Values of what comes at a rate and of what is due, in their places among the rest."""
        merged = np.full(n, rest)
        if of_rated is not None:
            merged[to_rated] = of_rated
        if of_due is not None:
            merged[to_due] = of_due
        return merged

    key = column(np.uint64(0), rated_key, due_key)
    key[to_call] = call_key
    return Arrivals(
        day=np.repeat(on, total.reshape(len(on), n_cells).sum(1)),
        cell=np.repeat(np.tile(np.arange(n_cells), len(on)), total),
        patient=column(-1, patient, due_patient),
        visit=column(CALL_ONLY, visit, due_visit),
        key=key,
        threshold=column(0.0, threshold, None),
        occurrence=column(-1, None, occurrence),
        interval_days=column(0.0, None, interval),
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
    # Most classes have no candidate on most days: what follows is about the others.
    day, stratum = np.divmod(misses(classes.key, days, _COUNT, classes.quiet), max(1, len(classes.key)))
    visit, cell, count = (column.take(stratum) for column in (classes.visit, classes.cell, classes.count))
    bound = classes.bound.take(stratum) * tables.seeking_bound
    prefix = child(classes.key.take(stratum), days.take(day))
    mean = bound * count * factor[day, visit] * (1.0 / calendar.year_days)
    of, ordinal = spread(poisson(uniform(prefix, _COUNT), mean))
    key = child(prefix.take(of), ordinal)
    member = (uniform(key, _PATIENT) * count.take(of)).astype(np.int64)
    member += classes.first.take(stratum).take(of)
    patient = people.offset.take(cell).take(of)
    patient += classes.member.take(member)
    of_kind = (visit * classes.rate.shape[1]).take(of)
    of_kind += classes.kind.take(patient)
    weight = classes.rate.reshape(-1).take(of_kind)
    weight *= classes.heterogeneity.take(patient)
    dominating = bound.take(of)
    if np.any(weight * tables.seeking_bound > dominating):
        raise ArithmeticError("a patient's rate exceeds the dominating rate of her weight class")
    threshold = uniform(key, _ACCEPT)
    threshold *= dominating
    threshold /= weight
    keep = np.flatnonzero(threshold < tables.seeking_bound)
    of = of.take(keep)
    at = (day * (len(people.offset) - 1) + cell).take(of)
    return at, key.take(keep), patient.take(keep), visit.take(of), threshold.take(keep)


def _due_rows(due: DueDates, days: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Place in (day, cell) and row of what is due on consecutive days."""
    begin = due.offset.T[days].reshape(-1)
    place, ordinal = spread(due.offset.T[days + 1].reshape(-1) - begin)
    return place, begin[place] + ordinal


def _merged(
    places: tuple[NDArray[np.int64], ...], n_places: int
) -> tuple[NDArray[np.int64], list[NDArray[np.int64]]]:
    """How rising sequences merge into one that rises, those named first before others of the same place.

    Returns
    -------
    total : ndarray of int64, shape (n_places,)
        Elements at each place.
    to : list of ndarray of int64
        Position in the merged sequence of every element, by sequence.
    """
    counts = [np.bincount(one, minlength=n_places) for one in places]
    total = np.sum(counts, axis=0)
    before = np.cumsum(total) - total
    to = []
    for one, count in zip(places, counts, strict=True):
        own = np.arange(len(one))
        own += (before - np.cumsum(count) + count).take(one)
        to.append(own)
        before = before + count
    return total, to
