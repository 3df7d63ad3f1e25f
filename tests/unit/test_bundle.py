"""What contacts carry: the catalogue's rates, exact frequencies, rows in order, luck that depends on nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any, Final

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from careload.columns import take
from careload.day.block import Block
from careload.draws import child, index16, name_key
from careload.inputs.load import load_study
from careload.inputs.study import Study
from careload.patients.bundle import (
    CALL_ROW,
    VISIT_ROW,
    BundleTables,
    Channel,
    Register,
    Urgency,
    draw_bundles,
)
from careload.patients.demand import CALL_ONLY, candidates, person_rates
from careload.patients.population import sample
from careload.patients.tables import demand_side, task_names
from careload.plan import pyramid_of
from careload.simulate import make_block
from careload.ticks import MINUTE
from support import with_values

STUDY: Final = load_study(["practice=solo", "protocol=none"])
NAMES: Final = task_names(STUDY)
REFERENCE_LIST: Final = 60_000
FALSE_ALARM: Final = 1e-4
"""Of every statistical statement here, for a new seed."""


@cache
def block() -> Block:
    """Four cells of the default solo practice, one year without warm-up or tail."""
    values = {"calendar.warm_up_days": 0, "calendar.tail_days": 0}
    return make_block([with_values(STUDY, values)], np.arange(4))


def drawn(tables: BundleTables, days: range) -> Register:
    """Requests of some days, drawn with the tables given."""
    return drawn_by_day(tables, days)[0]


def drawn_by_day(tables: BundleTables, days: range) -> tuple[Register, NDArray[np.int64]]:
    """Requests of some days that patients with a care-seeking factor of 1 accept, and the day of each."""
    one, register = block(), Register()
    found = candidates(one.demand, one.people, one.strata, one.due, one.cell_key, one.calendar, days)
    found = take(found, found.threshold < 1)
    day = draw_bundles(tables, one.people, found, one.calendar, register)
    return register, day


@cache
def year() -> tuple[Register, NDArray[np.int64]]:
    """Requests of the whole year, and the ISO week of each."""
    calendar = block().calendar
    register, day = drawn_by_day(block().bundles, range(len(calendar)))
    return register, calendar.week[day]


def probabilities() -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Requests with a visit, and the probability of every act in each of them."""
    (register, week), tables = year(), block().bundles
    requests = register.requests
    real = np.flatnonzero(requests.visit != CALL_ONLY)
    visit = requests.visit[real].astype(np.int64)
    band = block().people.band[requests.patient[real]]
    rest = tables.carries_rest[visit][:, None] * tables.act_residual[band]
    return real, np.minimum(1, (tables.act_share[visit] + rest) * tables.act_season[week[real]])


def bits(masks: NDArray[np.int64], n: int) -> NDArray[np.bool_]:
    """Bit masks as columns."""
    return (masks[:, None] >> np.arange(n)) & 1 == 1


def is_sum_of_bernoullis(count: int, share: NDArray[np.float64], tests: int) -> bool:
    """Whether a count is that of independent events with these probabilities; normal law, Poisson if rare."""
    mean, variance = float(share.sum()), float((share * (1 - share)).sum())
    tail = FALSE_ALARM / tests / 2
    if mean < 50:
        return bool(stats.poisson.cdf(count, mean) > tail and stats.poisson.sf(count - 1, mean) > tail)
    if variance == 0:
        return count == mean
    return bool(abs(count - mean) < stats.norm.isf(tail) * np.sqrt(variance) + 0.5)


def rates(study: Study) -> dict[str, float]:
    """Rate of visits held, acts and desk work per 1,000 patients and year, on a large national list.

    Requests that the reference practice loses (closed calls, no-shows) are taken off again.
    """
    side = demand_side(study, pyramid_of(study))
    demand, tables = side.demand, side.bundles
    key = np.array([name_key("a large list")])
    people = sample(pyramid_of(study), side.population, np.array([REFERENCE_LIST]), key)
    lost = study.value("reference.no_show_mean") * (1 - study.value("reference.no_show_rebooks"))
    closed = study.value("reference.closed_share")
    kept = (1 - closed) / (1 - closed * study.value("reference.recontact"))
    found: dict[str, float] = {}
    act = np.zeros(len(tables.act_task))
    desk = np.zeros(len(tables.desk_task))
    for visit, name in enumerate(demand.names):
        come = 1 - lost if tables.channel[visit] == Channel.OFFICE else 1.0
        gross = tables.set_share[visit] / come + (1 - tables.set_share[visit]) / come / kept
        rate = person_rates(demand, people, visit) / gross / REFERENCE_LIST * 1000
        carried = tables.act_share[visit] + tables.carries_rest[visit] * tables.act_residual
        act += rate @ np.minimum(1, carried)[people.band]
        desk += rate.sum() * tables.visit_desk[visit]
        found[name] = float(rate.sum())
    desk += act @ tables.act_desk
    found |= {NAMES[task]: float(one) for task, one in zip(tables.act_task, act, strict=True)}
    return found | {NAMES[task]: float(one) for task, one in zip(tables.desk_task, desk, strict=True)}


def test_the_catalogue_is_reproduced() -> None:
    """Every visit, act and desk task that contacts bring comes at its rate of the catalogue, within 3.5 %.

    The rest is chance in who has which condition on a list of 60,000, and the rounding of the catalogue.
    """
    found = rates(STUDY)
    assert len(found) == 24 + 21 + 5
    for name, rate in found.items():
        assert rate == pytest.approx(STUDY.value(f"task.{name}.rate"), rel=0.035), name


CHANGES: Final[tuple[Mapping[str, Any], ...]] = (
    {"task.minor_illness.rate": 1400},
    {"task.undifferentiated.rate": 300, "task.prevention_check.rate": 20},
    {"task.chronic_diabetes.interval_days": 200},
)


@pytest.mark.parametrize("change", CHANGES)
def test_acts_keep_their_rate_when_visits_change(change: Mapping[str, Any]) -> None:
    """An act's rate is its own: with more or fewer visits it is carried by fewer or more of them.

    Acts that come from named parents only follow their parents instead.
    """
    study = with_values(STUDY, change)
    before, found = rates(STUDY), rates(study)
    for name in (NAMES[task] for task in block().bundles.act_task):
        if not STUDY.tasks[name].children_only:
            assert found[name] == pytest.approx(before[name], rel=0.02), name
    for key in change:
        name = key.split(".")[1]
        ratio = study.value(key) / STUDY.value(key)
        wanted = before[name] * (ratio if key.endswith("rate") else 1 / ratio)
        assert found[name] == pytest.approx(wanted, rel=1e-9)


def test_acts_are_drawn_with_their_probability() -> None:
    """Each act is in as many contacts of a year as the sum of its probabilities says."""
    register, _ = year()
    real, share = probabilities()
    acts = bits(register.requests.acts[real], share.shape[1])
    for act, task in enumerate(block().bundles.act_task):
        count = int(acts[:, act].sum())
        assert is_sum_of_bernoullis(count, share[:, act], share.shape[1]), NAMES[task]
    assert not acts[share == 0].any()


def test_acts_of_a_contact_are_independent() -> None:
    """Pairs of acts come together as often as the product of their probabilities says."""
    register, _ = year()
    real, share = probabilities()
    acts = bits(register.requests.acts[real], share.shape[1])
    pairs = [(a, b) for a in range(share.shape[1]) for b in range(a)]
    for a, b in pairs:
        count = int((acts[:, a] & acts[:, b]).sum())
        assert is_sum_of_bernoullis(count, share[:, a] * share[:, b], len(pairs))


def test_flu_vaccination_has_its_season() -> None:
    """No influenza vaccination outside its weeks; inside them more, so that the year keeps its rate."""
    register, week = year()
    tables = block().bundles
    act = [NAMES[task] for task in tables.act_task].index("vaccination_flu")
    has = bits(register.requests.acts, act + 1)[:, act]
    first, last = STUDY.value("task.vaccination_flu.window_weeks")
    assert has.sum() > 100
    assert ((week[has] >= first) & (week[has] <= last)).all()
    open_weeks = block().calendar.year_weeks
    assert tables.act_season[open_weeks, act].mean() == pytest.approx(1)
    assert (tables.act_season[:, np.arange(len(tables.act_task)) != act] == 1).all()


def test_desk_work_is_drawn_with_its_probability() -> None:
    """Each kind of desk work follows its parents: the visit, and every act by itself."""
    register, _ = year()
    tables, requests, rows = block().bundles, register.requests, register.rows
    real = np.flatnonzero(requests.visit != CALL_ONLY)
    visits = np.bincount(requests.visit[real], minlength=len(tables.visit_task))
    acts = bits(requests.acts[real], len(tables.act_task)).sum(0)
    for kind, task in enumerate(tables.desk_task):
        mine = rows.task == task
        of_visit = rows.parent[mine] < 0
        from_visits = np.repeat(tables.visit_desk[:, kind], visits)
        from_acts = np.repeat(tables.act_desk[:, kind], acts)
        tests = 2 * len(tables.desk_task)
        assert is_sum_of_bernoullis(int(of_visit.sum()), from_visits, tests), NAMES[task]
        assert is_sum_of_bernoullis(int((~of_visit).sum()), from_acts, tests), NAMES[task]


def test_desk_work_of_each_parent_has_its_own_luck() -> None:
    """A visit and its acts bring the same kind of desk work independently of each other."""
    tables = block().bundles
    kinds = len(tables.desk_task)
    both = replace(
        tables,
        visit_desk=np.full_like(tables.visit_desk, 0.5),
        act_desk=np.full_like(tables.act_desk, 0.5),
    )
    register = drawn(both, range(60, 90))
    requests, rows = register.requests, register.rows
    of_visit = np.zeros((register.n_requests, kinds), bool)
    of_act = np.zeros((register.n_requests, kinds), np.int64)
    desk = np.flatnonzero(np.isin(rows.task, tables.desk_task))
    kind = np.searchsorted(tables.desk_task, rows.task[desk])
    own = rows.parent[desk] < 0
    of_visit[rows.request[desk[own]], kind[own]] = True
    np.add.at(of_act, (rows.request[desk[~own]], kind[~own]), 1)
    one_act = requests.n_acts == 1
    pairs = of_visit[one_act] & (of_act[one_act] == 1)
    assert one_act.sum() > 300
    for column in range(kinds):
        assert is_sum_of_bernoullis(int(pairs[:, column].sum()), np.full(one_act.sum(), 0.25), kinds)


def test_requests_have_their_urgency() -> None:
    """Own requests need care the same day with their share, and are urgent with the share of those."""
    register, _ = year()
    tables, requests = block().bundles, register.requests
    own = (requests.visit != CALL_ONLY) & ~requests.set_by_practice
    assert (requests.urgency[~own] == Urgency.ROUTINE).all()
    for visit, task in enumerate(tables.visit_task):
        mine = requests.urgency[own & (requests.visit == visit)]
        same_day, urgent = int((mine != Urgency.ROUTINE).sum()), int((mine == Urgency.URGENT).sum())
        share = np.full(len(mine), tables.urgent_share[visit])
        assert is_sum_of_bernoullis(same_day, share, 48), NAMES[task]
        assert is_sum_of_bernoullis(urgent, share * tables.rank_one_share[visit], 48), NAMES[task]


def test_who_sets_a_visit_and_who_walks_in() -> None:
    """Due work is set by the practice; of the patients' own office requests a share comes without a call."""
    register, _ = year()
    tables, requests = block().bundles, register.requests
    real = requests.visit != CALL_ONLY
    visit = requests.visit[real].astype(np.int64)
    chosen, due = requests.set_by_practice[real], requests.occurrence[real] >= 0
    assert chosen[due].all()
    assert is_sum_of_bernoullis(int(chosen[~due].sum()), tables.set_share[visit[~due]], 2)
    office = tables.channel[visit] == Channel.OFFICE
    walks = requests.walk_in[real]
    assert not walks[~office | chosen].any()
    may = office & ~chosen
    assert is_sum_of_bernoullis(int(walks[may].sum()), np.full(may.sum(), tables.walk_in_share), 2)
    assert not requests.walk_in[~real].any()


def test_calls_come_by_the_profile_of_the_day() -> None:
    """Calls of every hour have the share of the profile, and lie inside the opening hours."""
    register, _ = year()
    minute = register.requests.minute / MINUTE
    profile = np.array(STUDY.value("demand.call_minute_profile"))
    edges = 8 * 60 + 60 * np.arange(len(profile) + 1)
    observed, _ = np.histogram(minute, edges)
    assert observed.sum() == len(minute)
    expected = profile / profile.sum() * len(minute)
    assert stats.chi2.sf(((observed - expected) ** 2 / expected).sum(), len(profile) - 1) > FALSE_ALARM
    within = (minute - 480) % 60 / 60
    assert stats.kstest(within, "uniform").pvalue > FALSE_ALARM


def test_due_work_may_move_by_a_share_of_its_interval() -> None:
    """The tolerance is a fifth of the interval in calendar days, at least two; work that is not due has none."""
    register, _ = year()
    requests = register.requests
    due = requests.occurrence >= 0
    assert not requests.tolerance[~due].any()
    assert requests.tolerance[due].min() >= STUDY.value("book.follow_up_tolerance_least_days")
    one = block()
    for visit in np.flatnonzero(one.demand.due):
        rate = person_rates(one.demand, one.people, int(visit))
        mine = due & (requests.visit == visit)
        days = 365 / rate[requests.patient[mine]] * STUDY.value("book.follow_up_tolerance")
        inside = (days > 3) & (days < 365)
        assert (np.abs(requests.tolerance[mine] - days) <= 0.5 + 1e-6)[inside].all()


def test_rows_of_a_request_stand_in_order() -> None:
    """Call, visit, acts in order, then desk work by parent and kind; a bare call is its call alone."""
    register = drawn(block().bundles, range(8))
    tables, requests, rows = block().bundles, register.requests, register.rows
    kinds = {"acts": 0, "desk": 0, "bare": 0}
    place = 0
    for number in range(register.n_requests):
        assert requests.first[number] == place
        visit, n_acts, n_desk = (int(c[number]) for c in (requests.visit, requests.n_acts, requests.n_desk))
        assert rows.task[place + CALL_ROW] == tables.call_task
        if visit == CALL_ONLY:
            kinds["bare"] += 1
            size = 1
            assert (n_acts, n_desk, requests.acts[number]) == (0, 0, 0)
        else:
            size = VISIT_ROW + 1 + n_acts + n_desk
            assert rows.task[place + VISIT_ROW] == tables.visit_task[visit]
            acts = np.flatnonzero(bits(requests.acts[number : number + 1], len(tables.act_task))[0])
            first = place + VISIT_ROW + 1
            assert rows.task[first : first + n_acts].tolist() == tables.act_task[acts].tolist()
            desk = slice(first + n_acts, first + n_acts + n_desk)
            kind = [tables.desk_task.tolist().index(task) for task in rows.task[desk]]
            pairs = list(zip(rows.parent[desk].tolist(), kind, strict=True))
            assert pairs == sorted(set(pairs))
            assert {parent for parent, _ in pairs} <= {-1, *acts.tolist()}
            kinds["acts"] += n_acts
            kinds["desk"] += n_desk
        assert (rows.request[place : place + size] == number).all()
        place += size
    assert place == register.n_rows
    assert min(kinds.values()) > 20


def luck_of(register: Register) -> dict[tuple[int, int, int], int]:
    """Luck by (key of the request, task, parent)."""
    rows, requests = register.rows, register.requests
    keys = requests.key[rows.request].tolist()
    names = zip(keys, rows.task.tolist(), rows.parent.tolist(), strict=True)
    return dict(zip(names, rows.luck.tolist(), strict=True))


def test_another_share_of_one_act_moves_that_act_only() -> None:
    """More of one act: no contact loses it, all other acts and every duration stay what they were."""
    tables, days = block().bundles, range(30, 45)
    act = [NAMES[task] for task in tables.act_task].index("poc_test")
    share = tables.act_share.copy()
    share[:, act] = np.minimum(1, share[:, act] * 3 + 0.05)
    old, new = drawn(tables, days), drawn(replace(tables, act_share=share), days)
    before, after = (bits(one.requests.acts, len(tables.act_task)) for one in (old, new))
    others = np.arange(len(tables.act_task)) != act
    assert np.array_equal(before[:, others], after[:, others])
    assert (after[:, act] >= before[:, act]).all()
    assert after[:, act].sum() > before[:, act].sum() > 5
    for name in ("minute", "urgency", "set_by_practice", "walk_in", "tolerance"):
        assert np.array_equal(getattr(old.requests, name), getattr(new.requests, name)), name
    known = luck_of(old)
    found = luck_of(new)
    assert {key: found[key] for key in known} == known


def test_luck_is_uniform_and_belongs_to_the_request_and_task() -> None:
    """Places in the duration law fill their range evenly; that of a visit follows from its key alone."""
    register, _ = year()
    rows, requests = register.rows, register.requests
    observed = np.bincount(rows.luck >> 8, minlength=256)
    expected = len(rows.luck) / 256
    assert stats.chi2.sf(((observed - expected) ** 2 / expected).sum(), 255) > FALSE_ALARM
    real = np.flatnonzero(requests.visit != CALL_ONLY)
    visit = requests.first[real] + VISIT_ROW
    alone = child(requests.key[real], block().bundles.task_key[rows.task[visit]])
    assert np.array_equal(rows.luck[visit], index16(child(alone, 0), name_key("duration")))
