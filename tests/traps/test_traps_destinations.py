"""Traps T9 and T10: a saturated practice saves all and takes home nothing; crumbs are no evenings."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from careload.agents.model import CareModel
from careload.day.accounts import Account
from careload.inputs.study import Study
from careload.results.ledger import Ledger
from careload.simulate import make_block
from careload.ticks import MINUTE
from runs import delegating, ledgers, nurse_all_day, only, run_out, run_through, short
from support import with_values

SOLO = ("practice=solo", "protocol=none")
NURSE = ("practice=solo_nurse",)
NOBODY_MEETS = {"meeting.huddle": 0, "meeting.monthly": 0}
CELLS = 16
SATURATED = 3000
UNMET = (Account.LEFT, Account.DISPLACED)
SURE = 4.0
"""Standard errors: a mean of zero lies outside once in sixteen thousand."""


def without_desk_work(study: Study) -> Study:
    """The same study with patients only: desk work has no limit and would grow with every patient more."""
    changed: dict[str, Any] = {}
    for name, task in study.tasks.items():
        if task.kind in ("desk", "org"):
            changed[f"task.{name}.rate"] = 0.0
        for child in task.children:
            if study.tasks[child].kind == "desk":
                changed[f"task.{name}.children.{child}"] = 0.0
    return with_values(study, changed)


@pytest.fixture(scope="module")
def saturated() -> CareModel:
    """Three thousand patients for one GP, without and with a half-time nurse."""
    studies = [without_desk_work(short(SOLO)), without_desk_work(short(NURSE, NOBODY_MEETS))]
    return run_through(make_block(studies, np.arange(CELLS), list_sizes=np.full(CELLS, SATURATED)))


def mean_and_error(ticks: NDArray[np.int64]) -> tuple[float, float]:
    """Mean over cells and its standard error, in hours."""
    hours = ticks / (60 * MINUTE)
    return float(hours.mean()), float(hours.std(ddof=1) / math.sqrt(len(hours)))


def test_in_a_saturated_practice_nothing_is_taken_home(saturated: CareModel) -> None:
    """T9: where need is left unmet, released time is positive and time taken home is nil, within noise."""
    (ledger,) = ledgers(saturated)
    released, released_error = mean_and_error(ledger.released)
    home, home_error = mean_and_error(ledger.home)
    assert released > SURE * released_error
    assert abs(home) < SURE * home_error
    assert abs(home) < 0.1 * released
    assert not ledger.usable.any()


def test_in_a_saturated_practice_released_time_meets_unmet_need(saturated: CareModel) -> None:
    """T9: where need is left unmet, what is released is reinvested, and fewer requests are refused."""
    (ledger,) = ledgers(saturated)
    released, _ = mean_and_error(ledger.released)
    rest, error = mean_and_error(ledger.released - ledger.reinvested)
    assert abs(rest) < SURE * error
    assert abs(rest) < 0.1 * released
    unmet = saturated.state.accounts.totals[list(UNMET)].sum(0).reshape(2, -1)
    assert (unmet[1] < unmet[0]).all()
    assert (unmet > 0.1 * saturated.state.accounts.totals[Account.REQUESTS].reshape(2, -1)).all()


REVIEW, ACT = "chronic_diabetes", "vaccination_flu"
CARRYING = {f"{REVIEW}.{ACT}": 1.0, f"{REVIEW}.results_inbox": 1.0}
FULL_SLOTS = {
    f"task.{REVIEW}.rate": 2500.0,
    f"task.{REVIEW}.minutes.gp": 12.0,
    f"task.{ACT}.minutes.gp": 3.0,
    f"task.{ACT}.window_weeks": (1, 52),
    "book.held_share": 0.0,
    "practice.team.gp.rests": (),
}
"""Reviews of twelve minutes that each carry an act of three: a place of fifteen minutes is full."""
SHORTENED = {"practice.slot_policy": "shorten_session", "practice.slot_policy_minutes": 30}
LISTS = np.array([600, 900, 1200, 1500])
OPEN_DAYS = 60


@pytest.fixture(scope="module")
def met() -> CareModel:
    """All need met: alone; acts to a nurse; acts to a nurse and the session shortened by half an hour."""
    alone, nurse, shorter = (
        only(short(overrides), [REVIEW], CARRYING, {**FULL_SLOTS, **values})
        for overrides, values in ((SOLO, {}), (NURSE, {}), (NURSE, SHORTENED))
    )
    studies = [alone, delegating(nurse, acts=[ACT]), delegating(shorter, acts=[ACT])]
    return run_out(nurse_all_day(make_block(studies, np.arange(len(LISTS)), list_sizes=LISTS)), weeks=8)


@pytest.fixture(scope="module")
def kept_and_shortened(met: CareModel) -> tuple[Ledger, Ledger]:
    """Ledger with the slots unchanged, and with the session shortened."""
    unchanged, shortened = ledgers(met)
    return unchanged, shortened


def test_with_all_need_met_nothing_is_reinvested(met: CareModel) -> None:
    """T9: where no need is unmet and nothing refills the diary, released time is time at home, gaps and crumbs."""
    totals = met.state.accounts.totals
    assert not totals[list(UNMET)].any()
    for ledger in ledgers(met):
        assert (ledger.released > 0).all()
        assert not ledger.reinvested.any()
        assert (ledger.released == ledger.home + ledger.usable + ledger.crumbs).all()


def test_three_minutes_saved_here_and_there_are_crumbs(
    met: CareModel, kept_and_shortened: tuple[Ledger, Ledger]
) -> None:
    """T10: three minutes saved per contact with the slots unchanged take nobody home earlier: they are crumbs."""
    unchanged, _ = kept_and_shortened
    assert (met.state.accounts.totals[Account.GP_DESK] > 0).all()
    assert not met.state.accounts.totals[Account.GP_EVENING].any()
    assert not unchanged.home.any()
    assert (unchanged.crumbs > 0).all()
    assert (unchanged.crumbs > unchanged.usable).all()


def test_a_shortened_session_takes_the_gp_home(kept_and_shortened: tuple[Ledger, Ledger]) -> None:
    """T10: the same minutes with the session shortened by half an hour take the GP home half an hour earlier."""
    unchanged, shortened = kept_and_shortened
    assert (shortened.released == unchanged.released).all()
    assert (shortened.home == OPEN_DAYS * 30 * MINUTE).all()
    assert (shortened.home_session == shortened.home).all()
