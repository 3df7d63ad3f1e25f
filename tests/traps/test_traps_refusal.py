"""Trap T30: shutting the telephone frees nobody."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from careload.agents.model import CareModel
from careload.day.accounts import Account
from careload.results.ledger import Ledger
from careload.simulate import make_block
from runs import count_all_days, ledgers, run_through, short

SOLO = ("practice=solo", "protocol=none")
LISTS = np.array([900, 1200, 1600, 2400])
REFUSALS: dict[str, dict[str, Any]] = {
    "sent elsewhere": {"first_contact.gp.elsewhere_share": 0.3},
    "more places held": {"book.held_share": 0.5},
    "no places held": {"book.held_share": 0.0},
    "nobody fitted in": {"book.fit_in": 0},
    "a short book": {"book.horizon_days": 14},
    "no second call": {"book.no_place.retry": 0.0, "book.no_place.leave": 1.0},
    "nothing carried over": {"book.carry_days": 0},
    "all of it": {
        "first_contact.gp.elsewhere_share": 0.2,
        "book.held_share": 0.5,
        "book.fit_in": 0,
        "book.horizon_days": 14,
        "book.carry_days": 0,
    },
}
"""What a practice may do to refuse, delay or displace, and nothing else."""

SEND_AWAY = ("sent elsewhere", "more places held", "all of it")
"""Those that only turn patients away; the others also leave places for someone else."""
ENDS = (Account.ELSEWHERE, Account.LEFT, Account.DISPLACED)


@pytest.fixture(scope="module")
def model() -> CareModel:
    """A GP alone, and the same GP who refuses, delays or displaces in eight ways; small and saturated lists."""
    studies = [short(SOLO), *(short(SOLO, values) for values in REFUSALS.values())]
    return run_through(count_all_days(make_block(studies, np.arange(len(LISTS)), list_sizes=LISTS)))


def ledger_of(model: CareModel, way: str) -> Ledger:
    return ledgers(model)[list(REFUSALS).index(way)]


@pytest.mark.parametrize("way", REFUSALS)
def test_refusing_releases_nothing(model: CareModel, way: str) -> None:
    """T30: refusing, delaying or displacing requests releases not one tick, whatever the list."""
    ledger = ledger_of(model, way)
    assert not ledger.released.any()
    assert not ledger.ended.any()
    assert not ledger.moved.any()
    assert (ledger.residual == 0).all()


@pytest.mark.parametrize("way", SEND_AWAY)
def test_what_refusing_saves_is_need_abandoned(model: CareModel, way: str) -> None:
    """T30: the minutes that a GP who refuses no longer works are abandoned need: negative reinvestment, in A."""
    ledger = ledger_of(model, way)
    assert (ledger.abandoned > 0).all()
    net = ledger.abandoned - ledger.new - ledger.taken + ledger.kept
    assert (ledger.fewer_minutes == net).all()
    assert (ledger.reinvested == -net).all()
    assert ledger.abandoned.sum() > ledger.new.sum()


@pytest.mark.parametrize("way", SEND_AWAY)
def test_refusing_shows_the_need_displaced(model: CareModel, way: str) -> None:
    """T30: who is refused is counted: more go elsewhere, give up or are displaced, and fewer are served."""
    totals = model.state.accounts.totals.reshape(len(Account), -1, len(LISTS)).sum(2)
    one = 1 + list(REFUSALS).index(way)
    unmet = totals[list(ENDS)].sum(0)
    assert unmet[one] > 1.2 * unmet[0]
    assert totals[Account.SERVED, one] < totals[Account.SERVED, 0]


def test_in_every_practice_those_sent_elsewhere_are_counted(model: CareModel) -> None:
    """T30: sending three callers in ten elsewhere shows, small list or large, as need displaced and fewer served."""
    totals = model.state.accounts.totals.reshape(len(Account), -1, len(LISTS))
    one = 1 + list(REFUSALS).index("sent elsewhere")
    assert not totals[Account.ELSEWHERE, 0].any()
    assert (totals[Account.ELSEWHERE, one] > 0.1 * totals[Account.REQUESTS, one]).all()
    assert (totals[Account.SERVED, one] < totals[Account.SERVED, 0]).all()


def test_a_need_that_a_refused_patient_drops_on_the_telephone_is_not_ended(model: CareModel) -> None:
    """T30: a call closed after the book had no place is no release, though more calls are closed than before."""
    totals = model.state.accounts.totals.reshape(len(Account), -1, len(LISTS)).sum(2)
    one = 1 + list(REFUSALS).index("more places held")
    assert totals[Account.CALLS, one] > totals[Account.CALLS, 0]
    assert totals[Account.CLOSED, one] > totals[Account.CLOSED, 0]
    assert not ledger_of(model, "more places held").ended.any()
