"""Candidates are thinned exactly, due dates keep their rate, and every patient keeps her own luck."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Final

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from careload.columns import take
from careload.day.block import Block
from careload.draws import child, name_key
from careload.inputs.load import load_study
from careload.patients.calendar import make_calendar
from careload.patients.demand import (
    CALL_ONLY,
    Arrivals,
    DemandTables,
    Strata,
    candidates,
    due_dates,
    multimorbid,
    person_rates,
    strata,
)
from careload.patients.population import CONDITIONS, Population
from careload.simulate import make_block
from support import with_values

CELLS: Final = 5
FALSE_ALARM: Final = 1e-4
"""Of every statistical statement here, for a new seed."""


@cache
def block() -> Block:
    """Five cells of the default solo practice, one year without warm-up or tail."""
    study = load_study(["practice=solo", "protocol=none"])
    return make_block(
        [with_values(study, {"calendar.warm_up_days": 0, "calendar.tail_days": 0})], np.arange(CELLS)
    )


def on_day(block: Block, day: int) -> Arrivals:
    """Candidates of one day."""
    return candidates(
        block.demand,
        block.people,
        block.strata,
        block.due,
        block.cell_key,
        block.calendar,
        range(day, day + 1),
    )


@cache
def year() -> tuple[NDArray[np.int64], Arrivals]:
    """Candidates of all days, and the day of each."""
    days = [on_day(block(), day) for day in range(len(block().calendar))]
    day = np.repeat(np.arange(len(days)), [len(one.key) for one in days])
    names = vars(days[0])
    return day, Arrivals(**{name: np.concatenate([getattr(one, name) for one in days]) for name in names})


def factor(visit: int) -> NDArray[np.float64]:
    """Share of a year's rate that falls on every day."""
    one, calendar = block(), block().calendar
    season = one.demand.season[calendar.week] if one.demand.seasonal[visit] else np.ones(len(calendar))
    weight: NDArray[np.float64] = one.demand.weekday_weight[calendar.weekday] * season / calendar.year_days
    return weight


def own_rates(visit: int) -> NDArray[np.float64]:
    """Rate of every patient for one visit, heterogeneity included."""
    one = block()
    return person_rates(one.demand, one.people, visit) * one.people.heterogeneity


def is_poisson(count: int, mean: float, tests: int = 1) -> bool:
    """Whether a count is within its two-sided bounds, for a false alarm over all `tests` together."""
    tail = FALSE_ALARM / tests / 2
    return bool(stats.poisson.cdf(count, mean) > tail and stats.poisson.sf(count - 1, mean) > tail)


def fits(observed: NDArray[np.int64], expected: NDArray[np.float64]) -> bool:
    """Chi-square of independent Poisson counts with known means, none of them small."""
    assert expected.min() > 8
    statistic = float(((observed - expected) ** 2 / expected).sum())
    return bool(stats.chi2.sf(statistic, len(expected)) > FALSE_ALARM)


RATED: Final = [int(visit) for visit in np.flatnonzero(~block().demand.due)]


@pytest.mark.parametrize("seeking", [0.8, 1.0, 1.1])
def test_every_visit_comes_at_its_rate(seeking: float) -> None:
    """Accepted candidates of each kind are Poisson with the sum of the patients' rates, times care-seeking."""
    _, found = year()
    accepted = found.visit[found.threshold < seeking]
    for visit in RATED:
        mean = seeking * own_rates(visit).sum() * factor(visit).sum()
        count = int((accepted == visit).sum())
        assert is_poisson(count, mean, len(RATED)), block().demand.names[visit]


def test_patients_come_at_their_own_rates() -> None:
    """Requests by patients, sorted by rate in 40 groups, are what their rates say: heavy users are not capped."""
    _, found = year()
    accepted = (found.threshold < 1) & (found.occurrence < 0) & (found.visit != CALL_ONLY)
    mean = sum(own_rates(visit) * factor(visit).sum() for visit in RATED)
    group = np.empty(len(mean), np.int64)
    group[np.argsort(mean, kind="stable")] = np.arange(len(mean)) * 40 // len(mean)
    observed = np.bincount(group[found.patient[accepted]], minlength=40)
    assert fits(observed, np.bincount(group, mean))


def test_weekdays_and_seasons_are_those_of_the_tables() -> None:
    """Requests by weekday and by four-week season follow the factors."""
    day, found = year()
    accepted = (found.threshold < 1) & (found.occurrence < 0) & (found.visit != CALL_ONLY)
    expected = sum(own_rates(visit).sum() * factor(visit) for visit in RATED)
    observed = np.bincount(day[accepted], minlength=len(expected))
    weekday = block().calendar.weekday
    assert fits(np.bincount(weekday, observed).astype(np.int64), np.bincount(weekday, expected))
    season = np.arange(len(expected)) // 20
    assert fits(np.bincount(season, observed).astype(np.int64), np.bincount(season, expected))


def test_only_seasonal_visits_have_seasons() -> None:
    """With a season that doubles the second half of the year and empties the first, so do its visits; no others."""
    one = block()
    season = np.where(np.arange(53) > 26, 2.0, 0.0)
    tables = replace(one.demand, season=season)
    classes = strata(tables, one.people, one.cell_key, one.calendar)
    both = np.zeros((2, 2), np.int64)
    for day in range(0, len(one.calendar), 5):
        found = candidates(
            tables, one.people, classes, one.due, one.cell_key, one.calendar, range(day, day + 1)
        )
        rated = (found.occurrence < 0) & (found.visit != CALL_ONLY)
        seasonal = one.demand.seasonal[found.visit[rated]]
        both[int(one.calendar.week[day] > 26)] += np.bincount(seasonal, minlength=2)
    assert both[0, 1] == 0
    assert both[1, 1] > 100
    assert both[0, 0] > 100


def one_class(weights: NDArray[np.float64], bound: float) -> Strata:
    """One weight class of one cell."""
    n = len(weights)
    one = np.array([0])
    return Strata(
        visit=np.array(RATED[:1]),
        cell=one,
        first=one,
        count=np.array([n]),
        bound=np.array([bound]),
        key=np.array([name_key("a class")]),
        quiet=np.zeros(1, np.uint64),
        member=np.arange(n, dtype=np.uint16),
        rate=np.ones_like(block().strata.rate),
        kind=np.zeros(n, np.uint8),
        heterogeneity=weights,
    )


def test_thinning_within_a_class_is_exact() -> None:
    """Members of a class come Poisson at their own weights, every member and count by itself."""
    weights = np.array([200.0, 250.0, 310.0, 399.9])
    calendar = make_calendar(8, (), 0, 0)
    tables = replace(
        block().demand,
        weekday_weight=np.ones(5),
        season=np.ones(53),
        call_only_rate=0.0,
        seeking_bound=1.3,
    )
    none = due_dates(tables, empty(block().people), np.zeros(1, np.uint64), calendar)
    count = np.zeros((len(calendar), 4), np.int64)
    for day in range(len(calendar)):
        found = candidates(
            tables,
            empty(block().people),
            one_class(weights, 400.0),
            none,
            np.zeros(1, np.uint64),
            calendar,
            range(day, day + 1),
        )
        count[day] = np.bincount(found.patient[found.threshold < 1], minlength=4)
        assert (found.threshold < 1.3).all()
    mean = weights / 260
    assert fits(count.sum(0), mean * len(calendar))
    spread = (count.var(0, ddof=1) / mean - 1) * np.sqrt(len(calendar) / (2 + 1 / mean))
    assert (np.abs(spread) < stats.norm.isf(FALSE_ALARM / 8)).all()
    correlation = np.corrcoef(count.T)[np.triu_indices(4, 1)] * np.sqrt(len(calendar))
    assert (np.abs(correlation) < stats.norm.isf(FALSE_ALARM / 12)).all()


def empty(people: Population) -> Population:
    """A cell without anybody."""
    columns = {name: column[:0] for name, column in vars(people).items() if name != "offset"}
    return replace(people, offset=np.zeros(2, np.int64), **columns)


def test_exceeding_the_dominating_rate_is_a_fault() -> None:
    """A patient above the bound of her class is reported, not cut down."""
    one = block()
    classes = replace(one.strata, rate=one.strata.rate * 2.5)
    with pytest.raises(ArithmeticError, match="dominating rate"):
        candidates(one.demand, one.people, classes, one.due, one.cell_key, one.calendar, range(1))


def test_classes_hold_everybody_once_within_a_factor_of_two() -> None:
    """Every patient with a rate is in one class of each visit; members differ by at most two, the bound is above."""
    one = block().strata
    cell_of = np.repeat(np.arange(CELLS), np.diff(block().people.offset))
    patient = block().people.offset[np.repeat(one.cell, one.count)] + one.member
    for number in range(len(one.visit)):
        members = slice(one.first[number], one.first[number] + one.count[number])
        weight = own_rates(int(one.visit[number]))[patient[members]]
        assert weight.max() < one.bound[number] <= 2 * weight.min()
        assert (cell_of[patient[members]] == one.cell[number]).all()
    visit = np.repeat(one.visit, one.count)
    for kind in RATED:
        assert np.array_equal(np.sort(patient[visit == kind]), np.flatnonzero(own_rates(kind) > 0))
        rate = one.rate[kind].take(one.kind) * one.heterogeneity
        mine = own_rates(kind)
        assert np.array_equal(rate[mine > 0], mine[mine > 0])


def with_person(people: Population, row: int, **values: object) -> Population:
    """The same people, one of them changed."""
    columns = {}
    for name, value in values.items():
        column = getattr(people, name).copy()
        column[row] = value
        columns[name] = column
    return replace(people, **columns)


def found_with(people: Population, days: range) -> list[Arrivals]:
    """Candidates of some days with other people."""
    one = block()
    classes = strata(one.demand, people, one.cell_key, one.calendar)
    due = due_dates(one.demand, people, one.cell_key, one.calendar)
    return [
        candidates(one.demand, people, classes, due, one.cell_key, one.calendar, range(day, day + 1))
        for day in days
    ]


def of_others(
    found: Arrivals, row: int, classes: NDArray[np.bool_] | None = None
) -> list[tuple[object, ...]]:
    """Accepted requests of everybody else, in order."""
    kept = (found.patient != row) & (found.threshold < 1)
    columns = (found.cell, found.patient, found.visit, found.key, found.occurrence)
    return list(zip(*(column[kept].tolist() for column in columns), strict=True))


def test_changing_one_patient_changes_only_her_contacts() -> None:
    """Another rate within her weight class, or another key: everybody else asks for the same, key by key."""
    one, days = block(), range(60)
    people = one.people
    row = int(np.argmax(sum(own_rates(visit) for visit in RATED)))
    before = found_with(people, days)
    lighter = found_with(with_person(people, row, heterogeneity=people.heterogeneity[row] * 0.999), days)
    rekeyed = found_with(with_person(people, row, key=np.uint64(12345)), days)
    hers = 0
    for old, other, new in zip(before, lighter, rekeyed, strict=True):
        assert of_others(old, row) == of_others(other, row) == of_others(new, row)
        hers += int((old.patient == row).sum())
    assert hers > 5


def test_changing_her_class_leaves_the_other_classes_alone() -> None:
    """A patient who moves to another weight class touches that class and the one she leaves, and no other cell."""
    one, days = block(), range(40)
    people, offset = one.people, one.people.offset
    row = int(offset[2]) + int(np.argmax(own_rates(RATED[0])[offset[2] : offset[3]]))
    heavier = with_person(people, row, heterogeneity=people.heterogeneity[row] / 8)
    weight = [own_rates(visit) for visit in RATED]
    octave = {
        visit: np.floor(np.log2(np.maximum(rate, 1e-9))) for visit, rate in zip(RATED, weight, strict=True)
    }
    for old, new in zip(found_with(people, days), found_with(heavier, days), strict=True):

        def untouched(found: Arrivals) -> list[tuple[object, ...]]:
            return [
                one
                for one in of_others(found, row)
                if one[0] != 2
                or one[2] not in octave
                or octave[one[2]][one[1]] not in (octave[one[2]][row], octave[one[2]][row] - 3)
            ]

        assert untouched(old) == untouched(new)
        assert len(untouched(old)) > 20


def test_a_cell_alone_has_the_candidates_it_has_among_others() -> None:
    """Demand of a practice depends on its own key and people only."""
    study = load_study(["practice=solo", "protocol=none"])
    alone = make_block(
        [with_values(study, {"calendar.warm_up_days": 0, "calendar.tail_days": 0})], np.array([3])
    )
    start = block().people.offset[3]
    for day in (0, 1, 57, 224):
        mine, all_cells = on_day(alone, day), on_day(block(), day)
        rows = all_cells.cell == 3
        for name in ("visit", "key", "threshold", "occurrence", "interval_days"):
            assert np.array_equal(getattr(mine, name), getattr(all_cells, name)[rows]), name
        patient = all_cells.patient[rows]
        assert np.array_equal(mine.patient, np.where(patient >= 0, patient - start, -1))


def test_days_drawn_together_are_those_drawn_one_by_one() -> None:
    """Candidates stand by (day, cell); how many days are drawn at once changes nothing."""
    one = block()
    together = candidates(
        one.demand, one.people, one.strata, one.due, one.cell_key, one.calendar, range(50, 55)
    )
    alone = [on_day(one, day) for day in range(50, 55)]
    for name, column in vars(together).items():
        assert np.array_equal(column, np.concatenate([getattr(day, name) for day in alone])), name


def test_candidates_stand_by_day_and_cell() -> None:
    """No two candidates share a key, and every patient is in her own cell."""
    day, found = year()
    assert np.array_equal(found.day, day)
    assert (np.diff(day * CELLS + found.cell) >= 0).all()
    assert len(np.unique(found.key)) == len(found.key)
    cell_of = np.repeat(np.arange(CELLS), np.diff(block().people.offset))
    real = found.visit != CALL_ONLY
    assert np.array_equal(cell_of[found.patient[real]], found.cell[real])


def test_calls_without_a_request_come_at_their_rate() -> None:
    """They have no patient, wait for nobody's decision and follow the weekday."""
    day, found = year()
    bare = found.visit == CALL_ONLY
    assert (found.patient[bare] == -1).all()
    assert not found.threshold[bare].any()
    one = block()
    per_day = one.demand.call_only_rate * len(one.people.age) / one.calendar.year_days
    expected = per_day * one.demand.weekday_weight[one.calendar.weekday]
    weekday = one.calendar.weekday
    observed = np.bincount(weekday[day[bare]], minlength=5)
    assert fits(observed, np.bincount(weekday, expected))


@cache
def due_visits() -> Arrivals:
    """What is due in a year."""
    return take(year()[1], year()[1].occurrence >= 0)


def test_due_dates_keep_the_rate_of_every_patient() -> None:
    """A patient due every n open days is due on each n-th day from a day of her own: never one more or less."""
    one, due = block(), due_visits()
    days = len(one.calendar)
    for visit in np.flatnonzero(one.demand.due):
        rate = person_rates(one.demand, one.people, int(visit))
        mine = due.visit == visit
        count = np.bincount(due.patient[mine], minlength=len(rate))
        expected = rate * days / one.calendar.year_days
        assert (np.abs(count - expected) < 1).all()
        assert not count[rate == 0].any()
        assert np.allclose(due.interval_days[mine], one.calendar.year_days / rate[due.patient[mine]])
    order = np.lexsort((due.day, due.patient, due.visit))
    patient, visit, occurrence, on = (
        column[order] for column in (due.patient, due.visit, due.occurrence, due.day)
    )
    again = (patient[1:] == patient[:-1]) & (visit[1:] == visit[:-1])
    assert (np.diff(occurrence)[again] == 1).all()
    assert (occurrence[1:][~again] == 0).all()
    gap = np.diff(on)[again]
    interval = due.interval_days[order][1:][again]
    assert (np.abs(gap - interval) < 1).all()
    assert again.sum() > 100


def test_due_dates_are_stationary_from_the_first_day() -> None:
    """The first date of a series is uniform over its interval, so that no day is favoured.

    Equal parts of the year have equal numbers of due dates; as they stand on grids, they differ less than Poisson
    counts would.
    """
    one, due = block(), due_visits()
    first = due.occurrence == 0
    day = due.day
    phase = (day[first] + 0.5) / due.interval_days[first]
    short = due.interval_days[first] < 0.8 * len(one.calendar)
    assert short.sum() > 500
    edges = np.linspace(0, 1, 11)
    observed = np.histogram(np.minimum(phase[short], 1 - 1e-9), edges)[0]
    assert stats.chi2.sf(((observed - short.sum() / 10) ** 2 / (short.sum() / 10)).sum(), 9) > FALSE_ALARM
    parts = np.bincount(day * 9 // len(one.calendar), minlength=9)
    assert stats.chi2.sf(((parts - parts.mean()) ** 2 / parts.mean()).sum(), 8) > FALSE_ALARM


def eight(band: int) -> Population:
    """Eight persons of one band: all combinations of sex, increased reimbursement and frailty."""
    bits = np.arange(8)
    columns = {name: np.zeros(8, column.dtype) for name, column in vars(block().people).items()}
    return replace(
        block().people,
        **{
            **columns,
            "offset": np.array([0, 8]),
            "band": np.full(8, band, np.int8),
            "woman": bits % 2 == 1,
            "bim": bits // 2 % 2 == 1,
            "frail": bits // 4 == 1,
            "heterogeneity": np.ones(8),
            "key": child(name_key("eight"), np.arange(8)),
        },
    )


def half_of_everything() -> DemandTables:
    """Tables of a country in which half are women, half have the increase, half are frail."""
    tables, half = block().demand, np.full(7, 0.5)
    return replace(tables, women_share=half, bim_share=half, frail_share=half)


@pytest.mark.parametrize("band", range(7))
def test_rates_of_persons_have_the_rate_of_the_band_as_mean(band: int) -> None:
    """Sex, income and frailty share a band's rate out; they do not change it, and their ratios are kept."""
    tables, people = half_of_everything(), eight(band)
    for visit in range(len(tables.names)):
        if tables.condition[visit] or tables.only_nursing_home[visit] or tables.only_multimorbid[visit]:
            continue
        rate = person_rates(tables, people, visit)
        assert rate.mean() == pytest.approx(tables.rate[visit, band], rel=1e-12)
        if tables.rate[visit, band]:
            assert rate[1] / rate[0] == pytest.approx(tables.women_ratio[band] / tables.men_ratio[band])
            assert rate[2] / rate[0] == pytest.approx(tables.bim_ratio[band])
            assert rate[4] / rate[0] == pytest.approx(tables.frail_ratio[visit])


def test_visits_for_some_are_for_no_others() -> None:
    """Chronic visits need the condition, rounds the nursing home, multimorbidity reviews two conditions."""
    one = block()
    people = one.people
    for visit, name in enumerate(one.demand.names):
        rate = person_rates(one.demand, people, visit)
        may = np.ones(len(rate), bool)
        if one.demand.condition[visit]:
            may &= (people.conditions & one.demand.condition[visit]) > 0
        if one.demand.only_nursing_home[visit]:
            may &= people.nursing_home
        if one.demand.only_multimorbid[visit]:
            may &= multimorbid(people)
        assert not rate[~may].any(), name
        assert rate[may].any(), name


def test_lung_diseases_count_once() -> None:
    """COPD and asthma together are one condition of multimorbidity."""

    def bits(*names: str) -> int:
        return sum(1 << CONDITIONS.index(name) for name in names)

    masks = [0, bits("copd"), bits("copd", "asthma"), bits("copd", "ckd"), bits("asthma", "copd", "ckd")]
    masks += [bits("diabetes", "hypertension")]
    people = replace(block().people, conditions=np.array(masks, np.uint8))
    assert multimorbid(people).tolist() == [False, False, False, True, True, True]
