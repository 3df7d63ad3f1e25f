"""Law 5, in expectation: without delegation and behaviour, more work for the same people never shortens a wait.

Each comparison is over independent practices with the same patients in both worlds: paired where the world changes
people or minutes, two samples where it changes the list. It fails if the wait is shorter by more than chance explains
once in 10,000 times; and some wait must be clearly longer, so that a test that sees nothing fails too. Seeds are fixed.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from careload.day.accounts import Account
from careload.inputs.study import Study
from careload.simulate import make_block
from runs import run_through, short

CELLS = 10
ALARM = 1e-4
GROUP = ("practice=group", "protocol=none", "first_contact=receptionist")
STEADY: Mapping[str, Any] = {
    "care_seeking.active": False,
    "trust.active": False,
    "meeting.huddle": 0,
    "meeting.monthly": 0,
    "practice.team.gp.days_off": (0, 0, 0),
}
"""Nobody's behaviour moves, and nobody meets."""
WAITS = {
    "for a place": (Account.WAIT_OPEN_DAYS, Account.WAITED),
    "in the practice": (Account.WAIT_TICKS, Account.WAIT_STARTS),
    "for an answer": (Account.CALL_WAIT_TICKS, Account.CALL_WAITS),
    "of urgent needs": (Account.URGENT_DELAY_TICKS, Account.URGENT_SEEN),
}
LIST, LONGER_LIST = 2700, 3300


def longer_tasks(study: Study) -> dict[str, float]:
    """Minutes of visits, acts and calls, a sixth longer."""
    keys = [key for key, _ in study.quantities() if key.startswith("task.") and ".minutes." in key]
    return {key: 7 / 6 * float(study.value(key)) for key in keys}


@cache
def totals() -> dict[str, NDArray[np.int64]]:
    """Counters of each world, shape (accounts, cells); in the last one other practices with longer lists."""
    usual = short(GROUP, STEADY)
    worlds = {
        "usual": usual,
        "longer tasks": short(GROUP, {**STEADY, **longer_tasks(usual)}),
        "fewer GPs": short(GROUP, {**STEADY, "practice.team.gp.heads": 2}),
        "fewer receptionists": short(GROUP, {**STEADY, "practice.team.receptionist.fte": 0.3}),
    }
    cells = np.arange(2 * CELLS)
    lists = np.where(cells < CELLS, LIST, LONGER_LIST)
    model = run_through(make_block(list(worlds.values()), cells, list_sizes=lists))
    found = model.state.accounts.totals.reshape(len(Account), len(worlds), -1)
    by_world = {name: found[:, number, :CELLS] for number, name in enumerate(worlds)}
    return by_world | {"more demand": found[:, 0, CELLS:]}


def mean_wait(world: str, wait: str) -> NDArray[np.float64]:
    """Mean wait of one kind by practice."""
    summed, number = WAITS[wait]
    waits: NDArray[np.float64] = totals()[world][summed] / totals()[world][number]
    return waits


def change(world: str, wait: str) -> tuple[float, float]:
    """How much longer the wait is on average, and what chance exceeds once in 10,000 times on one side."""
    usual, other = mean_wait("usual", wait), mean_wait(world, wait)
    if world == "more demand":
        error = np.sqrt((usual.var(ddof=1) + other.var(ddof=1)) / CELLS)
    else:
        error = (other - usual).std(ddof=1) / np.sqrt(CELLS)
    return float(other.mean() - usual.mean()), float(stats.t.ppf(1 - ALARM, CELLS - 1) * error)


MORE_WORK = ("more demand", "longer tasks", "fewer GPs", "fewer receptionists")


@pytest.mark.parametrize("wait", WAITS)
@pytest.mark.parametrize("world", MORE_WORK)
def test_more_work_for_the_same_people_never_shortens_a_wait(world: str, wait: str) -> None:
    """Law 5: more demand, longer tasks or fewer staff do not shorten any wait in expectation."""
    longer, margin = change(world, wait)
    assert longer >= -margin


@pytest.mark.parametrize(
    ("world", "wait"),
    [
        ("more demand", "for a place"),
        ("longer tasks", "for a place"),
        ("longer tasks", "in the practice"),
        ("fewer GPs", "for a place"),
        ("fewer receptionists", "for an answer"),
    ],
)
def test_the_wait_that_must_grow_grows(world: str, wait: str) -> None:
    """Law 5: the wait that the change bears on is clearly longer, so that the law is not kept by blindness."""
    longer, margin = change(world, wait)
    assert longer > margin
