"""Traps T2 and T3: hand-over is not free, and an act delegated does not remove the visit that carried it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from careload.agents.model import CareModel
from careload.day.accounts import Account
from careload.day.outcomes import Fate
from careload.inputs.study import Study
from careload.patients.bundle import VISIT_ROW
from careload.simulate import make_block
from careload.ticks import MINUTE
from runs import delegating, ledgers, nurse_all_day, only, outcomes, run_out, run_through, short

SOLO = ("practice=solo", "protocol=none")
NURSE = ("practice=solo_nurse",)
CELLS = 8
LISTS = np.full(CELLS, 2400)
REVIEW, ACT = "chronic_diabetes", "vaccination_flu"
HAND_BACK = 0.05
REVIEW_MINUTES, ACT_MINUTES, SUPERVISION, HAND_OVER = 15.0, 3.0, 2.0, 3.0
CARRYING = {f"{REVIEW}.{ACT}": 1.0}
EPISODES = {
    f"task.{REVIEW}.rate": 600.0,
    f"task.{REVIEW}.minutes.gp": REVIEW_MINUTES,
    f"task.{ACT}.minutes.gp": ACT_MINUTES,
    f"task.{ACT}.window_weeks": (1, 52),
    "practice.shared_record": False,
    "delegation.hand_over_minutes.separate_records": 0.0,
    "delegation.supervision_minutes.act": SUPERVISION,
    "delegation.supervision_minutes.contact": SUPERVISION,
    "delegation.hand_back.act": HAND_BACK,
    "delegation.hand_back.contact": HAND_BACK,
    "delegation.hand_back_minutes": 0.0,
}
WITH_HAND_OVER = {"delegation.hand_over_minutes.separate_records": HAND_OVER}
FALSE_ALARM = 1e-4


def world(
    overrides: tuple[str, ...], children: dict[str, float], values: dict[str, Any] | None = None
) -> Study:
    """Diabetes reviews and nothing else, every one of the same length, everybody on time."""
    return only(short(overrides), [REVIEW], children, {**EPISODES, **(values or {})})


@pytest.fixture(scope="module")
def acts() -> CareModel:
    """Reviews that each carry one vaccination; two worlds give it to a nurse who is always there."""
    free, costly = (world(NURSE, CARRYING, values) for values in ({}, WITH_HAND_OVER))
    studies = [world(SOLO, CARRYING), *(delegating(study, acts=[ACT]) for study in (free, costly))]
    return run_out(nurse_all_day(make_block(studies, np.arange(CELLS), list_sizes=LISTS)), weeks=8)


@pytest.fixture(scope="module")
def reviews() -> CareModel:
    """Reviews that carry nothing; two worlds give them to the nurse."""
    free, costly = (world(NURSE, {}, values) for values in ({}, WITH_HAND_OVER))
    studies = [world(SOLO, {}), *(delegating(study, visits=[REVIEW]) for study in (free, costly))]
    return run_out(nurse_all_day(make_block(studies, np.arange(CELLS), list_sizes=LISTS)), weeks=8)


@pytest.fixture(scope="module")
def apart() -> CareModel:
    """The same vaccinations with a nurse who is there in the morning only, and for whom patients come back."""
    nurse = delegating(world(NURSE, CARRYING, {"delegation.nurse_absent": 1.0}), acts=[ACT])
    return run_out(make_block([world(SOLO, CARRYING), nurse], np.arange(CELLS), list_sizes=LISTS), weeks=8)


def count(model: CareModel, account: Account, scenario: int) -> int:
    """A counter of one world, all cells together."""
    lanes = slice(scenario * CELLS, (scenario + 1) * CELLS)
    return int(model.state.accounts.totals[account, lanes].sum())


def released_per_episode(model: CareModel, scenario: int) -> tuple[float, float]:
    """Released minutes per delegated episode: as they came, and with hand-backs at their probability.

    The second takes the released time of the ledger, adds the minutes of the hand-backs that happened to come, and
    takes off the mean minutes of a hand-back times their probability: the expected value, without its luck.
    """
    ledger = ledgers(model)[scenario - 1]
    episodes, backs = count(model, Account.EPISODES, scenario), count(model, Account.HAND_BACKS, scenario)
    released, hand_back = int(ledger.released.sum()), int(ledger.hand_back.sum())
    expected = (released + hand_back) / episodes - HAND_BACK * hand_back / backs
    return released / episodes / MINUTE, expected / MINUTE


@pytest.mark.parametrize(
    ("which", "scenario", "net"),
    [("acts", 1, 0.85), ("acts", 2, -2.15), ("reviews", 1, 12.25), ("reviews", 2, 9.25)],
    ids=["vaccination", "vaccination and hand-over", "review", "review and hand-over"],
)
def test_an_episode_releases_its_minutes_less_what_delegating_costs(
    which: str, scenario: int, net: float, request: pytest.FixtureRequest
) -> None:
    """T2: an episode of m minutes nets m - s - h m - k: vaccination 0.85, with hand-over -2.15; review with it 9.25."""
    model: CareModel = request.getfixturevalue(which)
    minutes = ACT_MINUTES if which == "acts" else REVIEW_MINUTES
    hand_over = HAND_OVER if scenario == 2 else 0.0
    assert net == pytest.approx(minutes - SUPERVISION - HAND_BACK * minutes - hand_over)
    came, expected = released_per_episode(model, scenario)
    assert expected == pytest.approx(net, abs=0.01)
    share = count(model, Account.HAND_BACKS, scenario) / count(model, Account.EPISODES, scenario)
    assert came == pytest.approx(net + (HAND_BACK - share) * minutes, abs=1e-9)


@pytest.mark.parametrize("which", ["acts", "reviews"])
def test_every_episode_is_signed_and_the_expected_share_comes_back(
    which: str, request: pytest.FixtureRequest
) -> None:
    """T2: every delegated episode is signed once, and the share handed back is the probability, within chance."""
    model: CareModel = request.getfixturevalue(which)
    for scenario in (1, 2):
        episodes = count(model, Account.EPISODES, scenario)
        assert episodes > 1000
        assert count(model, Account.SUPERVISIONS, scenario) == episodes
        spread = math.sqrt(episodes * HAND_BACK * (1 - HAND_BACK))
        excess = count(model, Account.HAND_BACKS, scenario) - HAND_BACK * episodes
        assert math.erfc(abs(excess) / spread / math.sqrt(2)) > FALSE_ALARM


@pytest.mark.parametrize("which", ["acts", "reviews"])
def test_with_every_need_met_delegation_alone_moves_work(which: str, request: pytest.FixtureRequest) -> None:
    """T2: in these worlds nothing is reinvested, so that what an episode releases is all that changes."""
    for ledger in ledgers(request.getfixturevalue(which)):
        assert not ledger.reinvested.any()
        assert not ledger.ended.any()
        assert not ledger.induced.any()
        assert not ledger.meeting.any()


def test_an_act_delegated_frees_its_minutes_and_keeps_its_visit(acts: CareModel) -> None:
    """T3: delegating an act frees its own minutes and not one of its visit; the GP sees as many patients as before."""
    ledger = ledgers(acts)[0]
    assert int(ledger.moved.sum()) == count(acts, Account.DELEGATED_PARTS, 1) * ACT_MINUTES * MINUTE
    assert not ledger.kept.any()
    for account in (Account.REQUESTS, Account.SERVED, Account.OFFICE):
        assert count(acts, account, 1) == count(acts, account, 0)
    assert count(acts, Account.DELEGATED_PARTS, 1) == count(acts, Account.OFFICE, 0)
    assert count(acts, Account.EXTRA_TRIPS, 1) == 0


def test_an_act_done_apart_costs_the_patient_a_trip(apart: CareModel) -> None:
    """T3: an act for which the nurse is not there is a trip more for the patient, and the visit stays all the same."""
    ledger = ledgers(apart)[0]
    within, trips = count(apart, Account.DELEGATED_PARTS, 1), count(apart, Account.EXTRA_TRIPS, 1)
    assert within > 0
    assert trips > 0
    assert count(apart, Account.OFFICE, 1) == count(apart, Account.OFFICE, 0) >= within + trips
    assert int(ledger.moved.sum()) == (within + trips) * ACT_MINUTES * MINUTE
    assert not ledger.kept.any()


def test_in_the_default_practice_acts_alone_move_no_visit() -> None:
    """T3: a protocol of acts moves acts only; the visits they belong to stay with the GP or are done by nobody."""
    nurse = short(NURSE)
    studies = [short(SOLO), delegating(nurse, acts=nurse.protocol.acts)]
    model = run_through(make_block(studies, np.arange(2)))
    register = model.state.register
    fate = outcomes(model.state, 2)[0][1]
    real = register.requests.visit >= 0
    visits = register.requests.first[real] + VISIT_ROW
    assert not (fate[visits] == Fate.BY_OTHER).any()
    by_nurse = register.rows.task[fate == Fate.BY_OTHER]
    assert set(by_nurse.tolist()) <= set(model.block.layout.act_tasks.tolist())
    assert len(by_nurse) > 100
    ledger = ledgers(model)[0]
    shifted = model.state.accounts.totals[Account.DEFAULT_SHIFTED].reshape(2, -1)[1]
    assert (ledger.moved > 0).all()
    assert (ledger.released < shifted).all()
