"""From names to numbers: a study becomes arrays once, before the first day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from careload.day.block import DeskTables
from careload.draws import name_key
from careload.inputs.study import Study
from careload.inputs.vocabulary import conf_dir, read_vocabulary
from careload.patients.bundle import BundleTables, Channel
from careload.patients.calendar import Calendar, make_calendar
from careload.patients.demand import DemandTables, multimorbid
from careload.patients.population import (
    CONDITIONS,
    Population,
    PopulationTables,
    Pyramid,
    band_counts,
    correlation_matrix,
    sample,
)
from careload.ticks import MINUTE, to_ticks

__all__ = [
    "DemandSide",
    "bundle_tables",
    "calendar_of",
    "demand_side",
    "demand_tables",
    "desk_tables",
    "population_tables",
    "task_names",
]

_CHANNEL: Final = {"office": Channel.OFFICE, "home": Channel.HOME, "phone": Channel.PHONE}
_REFERENCE_LIST: Final = 50_000
_ADULT_BANDS: Final = slice(2, 4)
_N_BANDS: Final = 7
_HETEROGENEITY_CLASSES: Final = 16


@dataclass(frozen=True)
class DemandSide:
    """All tables of the patients' side: the same for every scenario of a comparison."""

    calendar: Calendar
    demand: DemandTables
    bundles: BundleTables
    desk: DeskTables
    population: PopulationTables


def _names(study: Study, kind: str) -> tuple[str, ...]:
    """Names of the tasks of one class, in alphabetical order."""
    return tuple(sorted(name for name, task in study.tasks.items() if task.kind == kind))


def task_names(study: Study) -> tuple[str, ...]:
    """All tasks in alphabetical order: the task axis of every table."""
    return tuple(sorted(study.tasks))


def _per_task(study: Study, names: Sequence[str], field: str, missing: Any = 0.0) -> NDArray[np.float64]:
    """One number per task."""
    keys = [f"task.{name}.{field}" for name in names]
    return np.array([study.value(key) if study.has(key) else missing for key in keys], dtype=np.float64)


def calendar_of(study: Study) -> Calendar:
    """The calendar of a study."""
    return make_calendar(
        years=study.value("run.years"),
        leave_weeks=study.value("calendar.leave_weeks"),
        warm_up_days=study.value("calendar.warm_up_days"),
        tail_days=study.value("calendar.tail_days"),
    )


def population_tables(study: Study) -> PopulationTables:
    """What the attributes of patients depend on."""
    accepts = np.full(_N_BANDS, study.value("patient.accepts_nurse"), dtype=np.float64)
    accepts[5:] -= study.value("patient.accepts_nurse_75_drop")
    return PopulationTables(
        bim_share=np.array(study.value("patient.bim_share"), dtype=np.float64),
        frail_share=np.array(study.value("patient.frail_share"), dtype=np.float64),
        nursing_home_share=np.array(study.value("patient.nursing_home_share"), dtype=np.float64),
        prevalence=np.array(
            [study.value(f"condition.prevalence.{name}") for name in CONDITIONS], dtype=np.float64
        ),
        correlation=correlation_matrix(
            study.value("condition.correlation.any_pair"),
            study.value("condition.correlation.cardiometabolic"),
        ),
        heterogeneity_shape=study.value("patient.heterogeneity"),
        heterogeneity_classes=_HETEROGENEITY_CLASSES,
        heterogeneity_top=study.value("patient.heterogeneity_top"),
        accepts_nurse=np.clip(accepts, 0.0, 1.0),
        accepts_second_trip=study.value("patient.accepts_second_trip"),
        continuity_days=study.value("book.days_for_continuity"),
        continuity_ratio=study.value("book.continuity_factor_older_or_chronic"),
    )


def demand_side(study: Study, pyramid: Pyramid) -> DemandSide:
    """Every table of the patients' side."""
    calendar = calendar_of(study)
    people = population_tables(study)
    demand = demand_tables(study, calendar, people, pyramid)
    return DemandSide(
        calendar=calendar,
        demand=demand,
        bundles=bundle_tables(study, calendar, pyramid),
        desk=desk_tables(study),
        population=people,
    )


def _losses(study: Study, visits: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What must be asked for so that catalogue rates are contacts held, where the GP answers himself.

    Returns
    -------
    planned, own : ndarray of float, shape (V,)
        Requests per contact held, of visits set by the practice and of patients' own requests.
    """
    office = np.array([study.tasks[name].channel == "office" for name in visits])
    lost = study.value("reference.no_show_mean") * (1 - study.value("reference.no_show_rebooks"))
    planned = np.where(office, 1 / (1 - lost), 1.0)
    closed = study.value("reference.closed_share")
    kept = (1 - closed) / (1 - closed * study.value("reference.recontact"))
    return planned, planned / kept


def _call_only_rate(study: Study, visits: Sequence[str]) -> float:
    """Calls a year and patient beside those that carry a request, in the reference practice."""
    rate = _visit_rates(study, visits) / 1000
    own = rate * (1 - _per_task(study, visits, "set_by_practice_share"))
    _, grossed = _losses(study, visits)
    office = np.array([study.tasks[name].channel == "office" for name in visits])
    calls = own * grossed * np.where(office, 1 - _walk_in_share(study, visits), 1.0)
    closed = float(study.value("reference.closed_share"))
    repeated = 1 / (1 - closed * float(study.value("reference.recontact")))
    all_calls = float(study.value("task.call_handling.rate")) / 1000
    return max(0.0, all_calls - float(calls.sum()) * repeated)


def _walk_in_share(study: Study, visits: Sequence[str]) -> float:
    """Share of the patients' own office requests that come unbooked."""
    office = np.array([study.tasks[name].channel == "office" for name in visits])
    rate = _visit_rates(study, visits) * office
    own = rate * (1 - _per_task(study, visits, "set_by_practice_share"))
    share = float(study.value("care.share_unbooked"))
    return share * float(rate.sum() / own.sum()) if own.any() else 0.0


def _condition_mask(names: Sequence[str]) -> int:
    """Bit mask of named conditions; other restrictions are not conditions."""
    return sum(1 << CONDITIONS.index(name) for name in names if name in CONDITIONS)


def _condition_shares(
    study: Study, visits: Sequence[str], people: PopulationTables, pyramid: Pyramid
) -> NDArray[np.float64]:
    """Share of each band that may have each visit; joint shares from a large reference list of the pyramid."""
    share = np.ones((len(visits), _N_BANDS))
    reference: Population | None = None
    for row, name in enumerate(visits):
        wanted = study.tasks[name].conditions
        if "nursing_home" in wanted:
            share[row] = people.nursing_home_share
        elif "multimorbid" in wanted or len(wanted) > 1:
            if reference is None:
                key = np.array([name_key("reference list")])
                reference = sample(pyramid, people, np.array([_REFERENCE_LIST]), key)
            mask = _condition_mask(wanted)
            has = multimorbid(reference) if "multimorbid" in wanted else _any(reference, mask)
            inside = np.maximum(1, np.bincount(reference.band, minlength=_N_BANDS))
            share[row] = np.bincount(reference.band, has, minlength=_N_BANDS) / inside
        elif _condition_mask(wanted):
            share[row] = people.prevalence[CONDITIONS.index(wanted[0])]
    return share


def _any(people: Population, mask: int) -> NDArray[np.bool_]:
    return (people.conditions & np.uint8(mask)) > 0


def demand_tables(
    study: Study, calendar: Calendar, people: PopulationTables, pyramid: Pyramid
) -> DemandTables:
    """Rates of visits by age band and what they depend on."""
    visits = _names(study, "visit")
    tasks = [study.tasks[name] for name in visits]
    planned, own = _losses(study, visits)
    set_share = _per_task(study, visits, "set_by_practice_share")
    gross = set_share * planned + (1 - set_share) * own
    by_band = np.array([study.value(f"task.{name}.age_rates") for name in visits], dtype=np.float64) / 1000
    rate = by_band * _rate_factor(study, visits)[:, None] * gross[:, None]
    share = _condition_shares(study, visits, people, pyramid)
    women = _women_share(pyramid)
    weights = np.array(study.value("demand.weekday_weight"), dtype=np.float64)
    seasonal_week = _season(study, calendar)
    other_women, other_men = (
        study.value("demand.sex_ratio.women_other"),
        study.value("demand.sex_ratio.men_other"),
    )
    women_ratio, men_ratio = np.full(_N_BANDS, other_women), np.full(_N_BANDS, other_men)
    women_ratio[_ADULT_BANDS] = study.value("demand.sex_ratio.women_18_64")
    men_ratio[_ADULT_BANDS] = study.value("demand.sex_ratio.men_18_64")
    return DemandTables(
        names=visits,
        key=np.array([name_key(name) for name in visits], dtype=np.uint64),
        rate=rate,
        due=np.array([task.arrival == "due" for task in tasks]),
        condition=np.array([_condition_mask(task.conditions) for task in tasks], dtype=np.uint8),
        condition_share=share,
        only_nursing_home=np.array(["nursing_home" in task.conditions for task in tasks]),
        only_multimorbid=np.array(["multimorbid" in task.conditions for task in tasks]),
        frail_ratio=_per_task(study, visits, "frail_ratio", 1.0),
        frail_share=people.frail_share,
        women_share=women,
        women_ratio=women_ratio,
        men_ratio=men_ratio,
        bim_share=people.bim_share,
        bim_ratio=np.array(study.value("patient.bim_rate_ratio"), dtype=np.float64),
        seasonal=np.array([bool(task.seasonal) for task in tasks]),
        weekday_weight=weights / weights.mean(),
        season=seasonal_week,
        call_only_rate=_call_only_rate(study, visits),
        seeking_bound=float(study.value("care_seeking.factor_ceiling")),
    )


def _rate_factor(study: Study, visits: Sequence[str]) -> NDArray[np.float64]:
    """Factor on the age table of each visit: its rate, or for due work its interval, against the shipped ones.

    The age table gives the shape; a rate or an interval that the user changes scales the whole row.
    """
    rate = [_against_shipped(study, name, "rate") for name in visits]
    return np.array(rate) / [_against_shipped(study, name, "interval_days") for name in visits]


def _visit_rates(study: Study, visits: Sequence[str]) -> NDArray[np.float64]:
    """Visits per 1,000 patients and year: their rates, for due work moved by its interval."""
    interval = [_against_shipped(study, name, "interval_days") for name in visits]
    return np.array(_per_task(study, visits, "rate") / interval)


def _against_shipped(study: Study, task: str, field: str) -> float:
    """Value of a study over the shipped one; 1 for a task of the user's own or without the field."""
    if not study.has(key := f"task.{task}.{field}"):
        return 1.0
    value = float(study.value(key))
    return value / _shipped(task, field, value) if value else 0.0


def _shipped(task: str, field: str, missing: float) -> float:
    """Value in the packaged science files, before any override."""
    quantity = _shipped_tasks().get(task, {}).get(field)
    return float(quantity["value"]) if quantity else missing


@lru_cache(maxsize=1)
def _shipped_tasks() -> Mapping[str, Any]:
    """Tasks of the packaged science files, read once per process."""
    return read_vocabulary((conf_dir(),)).tasks


def _women_share(pyramid: Pyramid) -> NDArray[np.float64]:
    """Share of women in every care band."""
    men, women = band_counts(pyramid).T
    total = men + women
    share: NDArray[np.float64] = np.divide(women, total, out=np.full(_N_BANDS, 0.5), where=total > 0)
    return share


def _season(study: Study, calendar: Calendar) -> NDArray[np.float64]:
    """Factor of seasonal visits by ISO week; mean 1 over the open weeks."""
    week = np.arange(53)
    peak, amplitude = study.value("demand.season_peak_week"), study.value("demand.season_amplitude")
    factor = 1 + amplitude * np.cos(2 * np.pi * (week - peak) / 52)
    normalised: NDArray[np.float64] = factor / factor[calendar.year_weeks].mean()
    return normalised


def bundle_tables(study: Study, calendar: Calendar, pyramid: Pyramid) -> BundleTables:
    """What contacts carry."""
    names, visits, acts = task_names(study), _names(study, "visit"), _names(study, "act")
    number = {name: place for place, name in enumerate(names)}
    desks = tuple(name for name in _names(study, "desk") if study.tasks[name].children_only)
    rank1 = study.value("urgency.rank1")
    act_share = _child_shares(study, visits, acts)
    carries = np.array([study.tasks[name].channel == "office" and name != "urgent" for name in visits])
    season = np.ones((53, len(acts)))
    for column, name in enumerate(acts):
        if study.has(f"task.{name}.window_weeks"):
            first, last = study.value(f"task.{name}.window_weeks")
            weeks = np.arange(first, last + 1)
            share = calendar.share_of_weeks(weeks.tolist())
            season[:, column] = np.isin(np.arange(53), weeks) / share if share > 0 else 0.0
    profile = np.array(study.value("demand.call_minute_profile"), dtype=np.float64)
    opens, _ = study.value("practice.opening").split("-")
    first_minute = _clock(opens)
    edge: NDArray[np.float64] = first_minute + 60.0 * np.arange(len(profile) + 1, dtype=np.float64)
    return BundleTables(
        channel=np.array([_CHANNEL[study.tasks[name].channel] for name in visits], dtype=np.int64),
        urgent_share=_per_task(study, visits, "urgent_share"),
        rank_one_share=np.where([name == "urgent" for name in visits], 1.0, rank1),
        set_share=_per_task(study, visits, "set_by_practice_share"),
        walk_in_share=_walk_in_share(study, visits),
        minute_edge=edge,
        minute_cumulated=np.concatenate(([0.0], np.cumsum(profile / profile.sum()))),
        follow_up_tolerance=study.value("book.follow_up_tolerance"),
        least_tolerance_days=int(study.value("book.follow_up_tolerance_least_days")),
        act_share=act_share,
        act_residual=_residual_acts(study, visits, acts, act_share, carries, pyramid),
        carries_rest=carries,
        act_season=season,
        visit_desk=_child_shares(study, visits, desks),
        act_desk=_child_shares(study, acts, desks),
        visit_task=np.array([number[name] for name in visits], dtype=np.int64),
        act_task=np.array([number[name] for name in acts], dtype=np.int64),
        desk_task=np.array([number[name] for name in desks], dtype=np.int64),
        call_task=number["call_handling"],
        task_key=np.array([name_key(name) for name in names], dtype=np.uint64),
    )


def _clock(text: str) -> float:
    """Minutes since midnight of `HH:MM`."""
    hours, minutes = text.split(":")
    return 60.0 * int(hours) + float(minutes)


def _child_shares(study: Study, parents: Sequence[str], children: Sequence[str]) -> NDArray[np.float64]:
    """Probability of each child in each parent; the rate of a task without other origin scales its row of parents."""
    share = np.zeros((len(parents), len(children)))
    for row, parent in enumerate(parents):
        for column, name in enumerate(children):
            key = f"task.{parent}.children.{name}"
            if study.has(key):
                share[row, column] = study.value(key)
    for column, name in enumerate(children):
        if study.tasks[name].children_only:
            share[:, column] *= _against_shipped(study, name, "rate")
    return np.minimum(share, 1.0)


def _residual_acts(
    study: Study,
    visits: Sequence[str],
    acts: Sequence[str],
    act_share: NDArray[np.float64],
    carries: NDArray[np.bool_],
    pyramid: Pyramid,
) -> NDArray[np.float64]:
    """Probability, by age band, that a contact carries an act that no named parent explains; shape (7, A)."""
    rate = _visit_rates(study, visits)
    rest = np.maximum(0.0, _per_task(study, acts, "rate") - rate @ act_share)
    rest[[study.tasks[name].children_only for name in acts]] = 0.0
    persons = band_counts(pyramid).sum(1)
    share = persons / persons.sum()
    by_band = np.array([study.value(f"task.{name}.age_rates") for name in visits], dtype=np.float64)
    by_band *= _rate_factor(study, visits)[:, None]
    contacts = share * by_band[carries].sum(0)
    weights = np.ones((len(acts), _N_BANDS))
    for row, name in enumerate(acts):
        if study.has(f"task.{name}.age_weights"):
            weights[row] = study.value(f"task.{name}.age_weights")
    carried = (weights @ contacts)[:, None]
    residual: NDArray[np.float64] = np.divide(
        rest[:, None] * weights, carried, out=np.zeros_like(weights), where=carried > 0
    )
    return residual.T


def desk_tables(study: Study) -> DeskTables:
    """Work without a patient that comes at a rate: desk work without named parents, and the practice's own work."""
    names = task_names(study)
    kinds = [
        name
        for name in (*_names(study, "desk"), *_names(study, "org"))
        if not study.tasks[name].children_only and name != "call_handling"
    ]
    return DeskTables(
        task=np.array([names.index(name) for name in kinds], dtype=np.int64),
        key=np.array([name_key(name) for name in kinds], dtype=np.uint64),
        rate=_per_task(study, kinds, "rate") / 1000,
    )


def clock_ticks(text: str) -> int:
    """Ticks since midnight of `HH:MM`."""
    return int(to_ticks(_clock(text)))


def minutes_ticks(minutes: float) -> int:
    """Ticks of a number of minutes."""
    return round(minutes * MINUTE)
