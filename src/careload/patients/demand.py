"""Where work comes from: candidates at a scenario-free rate, due dates, and what a contact carries.

Everything here is drawn once per (replication, practice) and shared by all scenarios (docs/day.md, section 10).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from careload.draws import child, name_key, poisson, uniform
from careload.patients.calendar import Calendar
from careload.patients.population import CONDITIONS, Population

__all__ = [
    "CALL_ONLY",
    "Arrivals",
    "DemandTables",
    "DueDates",
    "Strata",
    "candidates",
    "due_dates",
    "multimorbid",
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
class DemandTables:
    """Rates of visits and what they depend on; V visits, 7 age bands.

    Attributes
    ----------
    names : tuple of str
        Visit names, in the order of the axis V.
    key : ndarray of uint64, shape (V,)
    rate : ndarray of float, shape (V, 7)
        Requests per person of the band and year, losses of the reference practice added back.
    due : ndarray of bool, shape (V,)
        True where visits come from due dates.
    condition : ndarray of uint8, shape (V,)
        Only persons with one of these conditions (bit mask); 0 is everybody.
    condition_share : ndarray of float, shape (V, 7)
        Share of the band that may have the visit.
    only_nursing_home, only_multimorbid : ndarray of bool, shape (V,)
    frail_ratio : ndarray of float, shape (V,)
    frail_share : ndarray of float, shape (7,)
    women_share, women_ratio, men_ratio : ndarray of float, shape (7,)
    bim_share, bim_ratio : ndarray of float, shape (7,)
    seasonal : ndarray of bool, shape (V,)
    weekday_weight : ndarray of float, shape (5,)
        Mean 1 over a week.
    season : ndarray of float, shape (53,)
        Factor by ISO week for seasonal visits; mean 1 over the open weeks. Index 0 is unused.
    call_only_rate : float
        Calls that carry no request, per person and year.
    seeking_bound : float
        Largest factor a scenario may put on a rate.
    """

    names: tuple[str, ...]
    key: NDArray[np.uint64]
    rate: NDArray[np.float64]
    due: NDArray[np.bool_]
    condition: NDArray[np.uint8]
    condition_share: NDArray[np.float64]
    only_nursing_home: NDArray[np.bool_]
    only_multimorbid: NDArray[np.bool_]
    frail_ratio: NDArray[np.float64]
    frail_share: NDArray[np.float64]
    women_share: NDArray[np.float64]
    women_ratio: NDArray[np.float64]
    men_ratio: NDArray[np.float64]
    bim_share: NDArray[np.float64]
    bim_ratio: NDArray[np.float64]
    seasonal: NDArray[np.bool_]
    weekday_weight: NDArray[np.float64]
    season: NDArray[np.float64]
    call_only_rate: float
    seeking_bound: float


@dataclass(frozen=True)
class Strata:
    """Patients in weight classes, rates of a class within a factor of 2; K classes, M members.

    Attributes
    ----------
    visit, cell : ndarray of int64, shape (K,)
    first, count : ndarray of int64, shape (K,)
        Slice of `patient` and `weight`.
    bound : ndarray of float, shape (K,)
        Dominating rate of one member, per year.
    key : ndarray of uint64, shape (K,)
    patient : ndarray of int64, shape (M,)
        Row in the population.
    weight : ndarray of float, shape (M,)
        The member's own rate, per year.
    """

    visit: NDArray[np.int64]
    cell: NDArray[np.int64]
    first: NDArray[np.int64]
    count: NDArray[np.int64]
    bound: NDArray[np.float64]
    key: NDArray[np.uint64]
    patient: NDArray[np.int64]
    weight: NDArray[np.float64]


@dataclass(frozen=True)
class DueDates:
    """All due visits of a run, by open day; day d owns rows `offset[d]` to `offset[d + 1]`.

    Attributes
    ----------
    offset : ndarray of int64, shape (days + 1,)
    cell, patient, visit, occurrence : ndarray of int64, shape (n,)
    interval_days : ndarray of float, shape (n,)
        Interval of the series, open days.
    key : ndarray of uint64, shape (n,)
    """

    offset: NDArray[np.int64]
    cell: NDArray[np.int64]
    patient: NDArray[np.int64]
    visit: NDArray[np.int64]
    occurrence: NDArray[np.int64]
    interval_days: NDArray[np.float64]
    key: NDArray[np.uint64]


@dataclass(frozen=True)
class Arrivals:
    """Candidates of one day, all cells, sorted by (cell, key); n candidates.

    Attributes
    ----------
    cell, patient, visit : ndarray of int64, shape (n,)
        `visit` is CALL_ONLY for a call without request; `patient` is then -1.
    key : ndarray of uint64, shape (n,)
    threshold : ndarray of float, shape (n,)
        Accepted by a lane whose care-seeking factor for the patient exceeds it; 0 for due work and bare calls.
    occurrence : ndarray of int64, shape (n,)
        Number in the due series, -1 for work that is not due.
    interval_days : ndarray of float, shape (n,)
        Interval of the due series in open days, 0 for work that is not due.
    """

    cell: NDArray[np.int64]
    patient: NDArray[np.int64]
    visit: NDArray[np.int64]
    key: NDArray[np.uint64]
    threshold: NDArray[np.float64]
    occurrence: NDArray[np.int64]
    interval_days: NDArray[np.float64]


def multimorbid(people: Population) -> NDArray[np.bool_]:
    """Patients with at least two of six conditions, COPD and asthma counted as one; shape (patients,)."""
    lung = np.uint8((1 << CONDITIONS.index("copd")) | (1 << CONDITIONS.index("asthma")))
    others = np.bitwise_count(people.conditions & ~lung)
    result: NDArray[np.bool_] = others + ((people.conditions & lung) > 0) >= 2
    return result


def person_rates(tables: DemandTables, people: Population, visit: int) -> NDArray[np.float64]:
    """Requests a year of every patient for one visit, heterogeneity left out.

    Returns
    -------
    ndarray of float, shape (patients,)
        Zero for patients who cannot have the visit. The mean over a band is the rate of the band.
    """
    band = people.band
    women = tables.women_share * tables.women_ratio + (1 - tables.women_share) * tables.men_ratio
    sex = np.where(people.woman, (tables.women_ratio / women)[band], (tables.men_ratio / women)[band])
    poor = 1 + tables.bim_share * (tables.bim_ratio - 1)
    income = np.where(people.bim, (tables.bim_ratio / poor)[band], (1 / poor)[band])
    ratio = tables.frail_ratio[visit]
    frail = np.where(people.frail, ratio, 1.0) / (1 + tables.frail_share * (ratio - 1))[band]
    share = tables.condition_share[visit]
    rate = np.divide(tables.rate[visit], share, out=np.zeros(len(share)), where=share > 0)[band]
    rate = rate * sex * income * frail
    if tables.condition[visit]:
        rate = np.where(people.conditions & tables.condition[visit], rate, 0.0)
    if tables.only_nursing_home[visit]:
        rate = np.where(people.nursing_home, rate, 0.0)
    if tables.only_multimorbid[visit]:
        rate = np.where(multimorbid(people), rate, 0.0)
    result: NDArray[np.float64] = rate
    return result


def strata(tables: DemandTables, people: Population, cell_key: NDArray[np.uint64]) -> Strata:
    """Sort the patients of every cell into weight classes, visit by visit.

    Parameters
    ----------
    cell_key : ndarray of uint64, shape (C,)
        Key of (seed, replication, practice).
    """
    sizes = np.diff(people.offset)
    cell_of = np.repeat(np.arange(len(sizes)), sizes)
    parts: list[tuple[NDArray[np.int64], ...]] = []
    members: list[NDArray[np.int64]] = []
    weights: list[NDArray[np.float64]] = []
    total = 0
    for visit in np.flatnonzero(~tables.due):
        weight = person_rates(tables, people, int(visit)) * people.heterogeneity
        patient = np.flatnonzero(weight > 0)
        octave = np.floor(np.log2(weight[patient])).astype(np.int64)
        order = np.lexsort((patient, octave, cell_of[patient]))
        patient, octave = patient[order], octave[order]
        group = cell_of[patient] * 4096 + (octave + 2048)
        _, first, count = np.unique(group, return_index=True, return_counts=True)
        parts.append(
            (np.full(len(first), visit), cell_of[patient[first]], first + total, count, octave[first])
        )
        members.append(patient)
        weights.append(weight[patient])
        total += len(patient)
    visit_, cell, first, count, octave = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Strata(
        visit=visit_,
        cell=cell,
        first=first,
        count=count,
        bound=np.exp2(octave + 1.0),
        key=child(cell_key[cell], tables.key[visit_], octave + 2048),
        patient=np.concatenate(members),
        weight=np.concatenate(weights),
    )


def due_dates(
    tables: DemandTables, people: Population, cell_key: NDArray[np.uint64], calendar: Calendar
) -> DueDates:
    """Every due visit of the run: a fixed grid per patient and visit, stationary from the first day."""
    days = len(calendar)
    sizes = np.diff(people.offset)
    cell_of = np.repeat(np.arange(len(sizes)), sizes)
    columns: list[tuple[NDArray[np.int64], ...]] = []
    intervals: list[NDArray[np.float64]] = []
    keys: list[NDArray[np.uint64]] = []
    for visit in np.flatnonzero(tables.due):
        rate = person_rates(tables, people, int(visit))
        patient = np.flatnonzero(rate > 0)
        interval = calendar.year_days / rate[patient]
        series = child(people.key[patient], tables.key[visit], cell_key[cell_of[patient]])
        phase = uniform(series, _PHASE) * interval
        count = np.maximum(0, np.ceil((days - phase) / interval)).astype(np.int64)
        row = np.repeat(np.arange(len(patient)), count)
        occurrence = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
        day = np.floor(phase[row] + occurrence * interval[row]).astype(np.int64)
        inside = day < days
        row, occurrence, day = row[inside], occurrence[inside], day[inside]
        columns.append((day, cell_of[patient[row]], patient[row], np.full(len(row), visit), occurrence))
        intervals.append(interval[row])
        keys.append(child(series[row], _DUE, occurrence))
    day, cell, patient_, visit_, occurrence_ = (
        np.concatenate(column) for column in zip(*columns, strict=True)
    )
    key = np.concatenate(keys)
    order = np.lexsort((key, cell, day))
    return DueDates(
        offset=np.searchsorted(day[order], np.arange(days + 1)),
        cell=cell[order],
        patient=patient_[order],
        visit=visit_[order],
        occurrence=occurrence_[order],
        interval_days=np.concatenate(intervals)[order],
        key=key[order],
    )


def _calls(
    tables: DemandTables, sizes: NDArray[np.int64], cell_key: NDArray[np.uint64], day: int, factor: float
) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """Cell and key of the calls that carry no request."""
    prefix = child(cell_key, _CALL, day)
    count = poisson(uniform(prefix, _COUNT), tables.call_only_rate * sizes * factor)
    cell = np.repeat(np.arange(len(sizes)), count)
    ordinal = np.arange(len(cell)) - np.repeat(np.cumsum(count) - count, count)
    return cell, child(prefix[cell], ordinal)


def candidates(
    tables: DemandTables,
    people: Population,
    classes: Strata,
    due: DueDates,
    cell_key: NDArray[np.uint64],
    calendar: Calendar,
    day: int,
) -> Arrivals:
    """Candidates of open day `day`: exact thinning of a Poisson count per weight class, plus what is due.

    Raises
    ------
    ArithmeticError
        If a patient's rate exceeds the dominating rate of her class.
    """
    per_day = 1.0 / calendar.year_days
    factor = tables.weekday_weight[calendar.weekday[day]] * np.where(
        tables.seasonal, tables.season[calendar.week[day]], 1.0
    )
    bound = classes.bound * tables.seeking_bound
    prefix = child(classes.key, day)
    count = poisson(uniform(prefix, _COUNT), bound * classes.count * factor[classes.visit] * per_day)
    stratum = np.repeat(np.arange(len(count)), count)
    ordinal = np.arange(len(stratum)) - np.repeat(np.cumsum(count) - count, count)
    key = child(prefix[stratum], ordinal)
    member = classes.first[stratum] + (uniform(key, _PATIENT) * classes.count[stratum]).astype(np.int64)
    weight = classes.weight[member]
    if np.any(weight * tables.seeking_bound > bound[stratum]):
        raise ArithmeticError("a patient's rate exceeds the dominating rate of her weight class")
    threshold = uniform(key, _ACCEPT) * bound[stratum] / weight
    keep = threshold < tables.seeking_bound
    stratum, key, member, threshold = stratum[keep], key[keep], member[keep], threshold[keep]
    call_factor = float(tables.weekday_weight[calendar.weekday[day]]) * per_day
    call_cell, call_key = _calls(tables, np.diff(people.offset), cell_key, day, call_factor)
    rows = slice(due.offset[day], due.offset[day + 1])
    none, zero = np.full(len(call_cell), -1), np.zeros(len(call_cell))
    n_due, n_rate = rows.stop - rows.start, len(key)
    cell = np.concatenate((classes.cell[stratum], due.cell[rows], call_cell))
    keys = np.concatenate((key, due.key[rows], call_key))
    order = np.lexsort((keys, cell))
    return Arrivals(
        cell=cell[order],
        patient=np.concatenate((classes.patient[member], due.patient[rows], none))[order],
        visit=np.concatenate((classes.visit[stratum], due.visit[rows], none))[order],
        key=keys[order],
        threshold=np.concatenate((threshold, np.zeros(n_due), zero))[order],
        occurrence=np.concatenate((np.full(n_rate, -1), due.occurrence[rows], none))[order],
        interval_days=np.concatenate((np.zeros(n_rate), due.interval_days[rows], zero))[order],
    )
