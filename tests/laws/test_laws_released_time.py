"""R = V + taken home + usable gaps + crumbs, and the book-keeping of one run, over practices drawn at random."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from careload.agents.model import CareModel
from careload.day.accounts import Account
from careload.simulate import make_block
from runs import ledgers, run_through, short

NURSE = ("practice=solo_nurse",)
WORLDS = 8
LISTS = np.array([400, 1100, 2000, 4000])
WORKED = (Account.GP_SERVICE, Account.GP_MEETING, Account.GP_DESK)
ADDED = (
    Account.DEFAULT_ALL,
    Account.SUPERVISION,
    Account.HAND_BACK,
    Account.HAND_OVER,
    Account.GP_MEETING,
    Account.EXCESS,
)


def random_values(seed: int) -> dict[str, Any]:
    """Values of a practice with a nurse, some far outside what is plausible."""
    chance = np.random.default_rng([31, seed])
    share, minutes = chance.random(12), chance.uniform(0, 6, 6)
    return {
        "practice.team.gp.heads": int(chance.integers(1, 4)),
        "practice.team.nurse.heads": int(chance.integers(1, 3)),
        "practice.team.nurse.fte": float(chance.uniform(0.1, 1)),
        "practice.team.nurse.pattern": ("mornings", "full_days")[seed % 2],
        "practice.shared_record": bool(seed % 3),
        "role.gp.pace": int(chance.integers(820, 1281)),
        "role.nurse.pace": int(chance.integers(1024, 1639)),
        "practice.team.gp.slot_minutes": float(chance.integers(8, 25)),
        "book.held_share": float(share[0] / 2),
        "book.carry_days": int(chance.integers(0, 4)),
        "book.fit_in": int(chance.integers(0, 11)),
        "book.horizon_days": int(chance.integers(14, 85)),
        "book.no_place.retry": float(share[1] / 2),
        "book.no_place.leave": float(share[2] / 2),
        "first_contact.gp.closed_share": float(share[3] / 2),
        "first_contact.gp.elsewhere_share": float(share[4] / 4),
        "call.recontact_share": float(share[5]),
        "delegation.hand_back.act": float(share[6]),
        "delegation.hand_back.contact": float(share[7]),
        "delegation.nurse_absent": float(share[8]),
        "delegation.extra_follow_up": float(share[9] / 2),
        "delegation.review_every_n": int(chance.integers(1, 7)),
        "delegation.supervision_minutes.act": float(minutes[0]),
        "delegation.supervision_minutes.contact": float(minutes[1]),
        "delegation.hand_over_minutes.separate_records": float(minutes[2]),
        "delegation.hand_back_minutes": float(minutes[3]),
        "delegation.overflow_minutes": float(10 * minutes[4] + 5),
        "meeting.huddle": float(2 * minutes[5]),
        "trust.start": float(0.4 + 0.6 * share[10]),
    }


@pytest.fixture(scope="module")
def model() -> CareModel:
    """A GP alone and eight practices drawn at random, each with lists from 400 to 4,000."""
    studies = [short(("practice=solo", "protocol=none"))]
    studies += [short(NURSE, random_values(seed)) for seed in range(WORLDS)]
    return run_through(make_block(studies, np.arange(len(LISTS)), list_sizes=LISTS))


def test_released_time_has_four_destinations_and_no_rest(model: CareModel) -> None:
    """R = V + taken home + usable gaps + crumbs, in ticks, whatever the practice; each of the five moves somewhere."""
    found = ledgers(model)
    for ledger in found:
        assert (ledger.residual == 0).all()
        destinations = ledger.reinvested + ledger.home + ledger.usable + ledger.crumbs
        assert (ledger.released == destinations).all()
    for name in ("released", "reinvested", "home", "usable", "crumbs"):
        assert all(getattr(ledger, name).any() for ledger in found), name


def test_minutes_worked_follow_from_the_reference_and_who_did_the_work(model: CareModel) -> None:
    """GP minutes = reference of all work - part done by others + sign-off, hand-back, hand-over, meetings, excess."""
    totals = model.state.accounts.totals
    worked = totals[list(WORKED)].sum(0)
    assert (worked == totals[list(ADDED)].sum(0) - totals[Account.DEFAULT_SHIFTED]).all()
    for account in (*ADDED, Account.DEFAULT_SHIFTED):
        assert totals[account].any(), account.name


def test_the_two_books_agree(model: CareModel) -> None:
    """Fewer minutes by matching instance by instance are the fewer minutes of the two runs, without matching."""
    totals = model.state.accounts.totals
    worked = totals[list(WORKED)].sum(0).reshape(1 + WORLDS, -1)
    for one, ledger in enumerate(ledgers(model), 1):
        by_runs = worked[0] - worked[one]
        assert (ledger.fewer_minutes == by_runs).all()
        assert (ledger.released - ledger.reinvested == by_runs).all()
