"""Traps T1 and T6: delegation does not always win, and part of a post is not there all week."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from careload.day.accounts import Account
from careload.day.parts import Part
from careload.inputs.load import load_comparison
from careload.patients.calendar import WEEK_DAYS
from careload.results.ledger import Ledger
from careload.simulate import make_block
from careload.ticks import MINUTE
from runs import ALWAYS_DELEGATED, ledgers, run_through, short, watched

SOLO = ("practice=solo", "protocol=none")
DELEGATING: Mapping[str, tuple[str, ...]] = {
    "nurse": ("practice=solo_nurse",),
    "assistant": ("practice=solo_assistant", "protocol=technical_administration", "protocol.desk=[]"),
    "team": (
        "practice=solo_nurse",
        "practice.staff=[gp,nurse,assistant]",
        "protocol=everything_lawful",
        "protocol.desk=[]",
    ),
}
"""Acts and contacts of the shipped protocols, without clerical work and telephone, which nobody signs."""
CELLS = 12
FEW = np.arange(6)
ALARM = 1e-4
HOUR = 60 * MINUTE


def half_width(values: NDArray[np.float64]) -> float:
    """Half the width of an interval about a mean over cells that misses the expectation once in 10,000 times."""
    error = values.std(ddof=1) / np.sqrt(len(values))
    return float(stats.t.ppf(1 - ALARM / 2, len(values) - 1) * error)


@pytest.fixture(scope="module")
def shipped() -> tuple[dict[str, Ledger], dict[str, NDArray[np.float64]]]:
    """Ledger of every way to delegate as it ships, and GP minutes of an episode had he done it, by practice."""
    model = run_through(make_block([short(SOLO), *(short(way) for way in DELEGATING.values())], FEW))
    found = dict(zip(DELEGATING, ledgers(model), strict=True))
    episodes = model.state.accounts.totals[Account.EPISODES].reshape(-1, len(FEW))[1:]
    minutes = (one.moved / number / MINUTE for one, number in zip(found.values(), episodes, strict=True))
    return found, dict(zip(DELEGATING, minutes, strict=True))


@pytest.fixture(scope="module")
def signed_in_full(shipped: tuple[dict[str, Ledger], dict[str, NDArray[np.float64]]]) -> dict[str, Ledger]:
    """The same, if each practice signs every episode for as long as its GP would have taken, on average."""
    worlds = [short(SOLO)]
    for name, way in DELEGATING.items():
        for minutes in shipped[1][name]:
            signing = {f"delegation.supervision_minutes.{of}": float(minutes) for of in ("act", "contact")}
            worlds.append(short(way, signing))
    lanes = np.concatenate((np.zeros(len(FEW), np.int64), np.arange(1, len(worlds))))
    model = run_through(make_block(worlds, FEW, world_of_lane=lanes))
    return dict(zip(DELEGATING, ledgers(model), strict=True))


@pytest.mark.parametrize("name", DELEGATING)
def test_work_signed_for_as_long_as_it_takes_is_a_loss(
    name: str,
    shipped: tuple[dict[str, Ledger], dict[str, NDArray[np.float64]]],
    signed_in_full: dict[str, Ledger],
) -> None:
    """T1: if signing takes as long as doing, R < 0 in every practice and every way to delegate that ships."""
    before, after = shipped[0][name], signed_in_full[name]
    assert (after.released < before.released).all()
    assert (after.released < 0).all()
    assert after.supervision.sum() == pytest.approx(after.moved.sum(), rel=0.1)


def test_a_half_time_nurse_releases_time_as_shipped(
    shipped: tuple[dict[str, Ledger], dict[str, NDArray[np.float64]]],
) -> None:
    """T1: the same test would see a gain: as shipped R > 0 in every practice with a half-time nurse."""
    assert (shipped[0]["nurse"].released > 0).all()


WORST_END = {
    "delegation.supervision_minutes.act": True,
    "delegation.supervision_minutes.contact": True,
    "delegation.hand_back.contact": True,
    "delegation.hand_over_minutes.shared_record": True,
    "meeting.huddle": True,
    "delegation.stable_share": False,
    "delegation.review_every_n": False,
    "delegation.nurse_absent": False,
}
"""Inputs of the scenario at the end of their declared range where a nurse releases least: whether it is the upper."""
COSTS = tuple(WORST_END)[:5]


def test_a_half_time_nurse_releases_nothing_in_part_of_the_range_of_her_inputs() -> None:
    """T1: in the shipped scenario R > 0; with its inputs at an end of their declared ranges R < 0.

    With hand-over, supervision and meetings alone at the costly end it is less than a third of the shipped value.
    """
    comparison = load_comparison(["scenario=half_time_nurse"])
    (_, solo), (_, nurse) = comparison.worlds
    assert set(WORST_END) <= set(comparison.scenario.inputs)
    ranges = {key: nurse.quantity(key) for key in WORST_END}
    worst = {key: ranges[key].high if costs else ranges[key].low for key, costs in WORST_END.items()}
    overrides: list[Mapping[str, Any]] = [{}, {key: worst[key] for key in COSTS}, worst]
    studies = [short(("practice=solo_nurse",), values) for values in overrides]
    assert solo.staff == ("gp",)
    model = run_through(make_block([short(SOLO), *studies], np.arange(CELLS)))
    shipped, costly, least = (ledger.released / HOUR for ledger in ledgers(model))
    assert shipped.mean() - half_width(shipped) > 0
    assert costly.mean() < shipped.mean() / 3
    assert least.mean() + half_width(least) < 0


NOBODY_MEETS = {"meeting.huddle": 0, "meeting.monthly": 0}
CANNOT_WAIT = {
    **ALWAYS_DELEGATED,
    **NOBODY_MEETS,
    "care_seeking.active": False,
    "practice.team.nurse.pattern": "full_days",
}
"""Acts are done when the contact is, by the nurse if she is there and else by the GP; none is booked apart."""
ONLY_ACTS = ("practice=solo_nurse", "protocol.visits=[]", "protocol.requires_stable=[]")


def test_acts_that_cannot_wait_are_moved_only_while_she_is_there() -> None:
    """T6: a nurse of 0.2 FTE works on Mondays, of 0.3 also on Tuesday mornings; acts that cannot wait stay otherwise.

    A whole post would move acts on every day. What part of a post moves is what the whole post moves in its sessions,
    in 40 practices 0.21 and 0.41 of it, of acts as of released time: a fifth for one day of five, and more than 0.3
    for 0.3, because contacts with acts are in the morning more than in the afternoon. No part of a post is that part
    of every day.
    """
    posts, cells = (0.2, 0.3, 1.0), 8
    studies = [
        short(SOLO),
        *(short(ONLY_ACTS, {**CANNOT_WAIT, "practice.team.nurse.fte": fte}) for fte in posts),
    ]
    with watched() as days:
        block = make_block(studies, np.arange(cells))
        model = run_through(block)
    moved = np.zeros((WEEK_DAYS, len(studies)), np.int64)
    for number, day in enumerate(days):
        if not block.calendar.in_window[number]:
            continue
        hers = (day.parts.part[day.done.index] == Part.DELEGATED) & ~day.done.by_gp
        world = day.parts.lane[day.done.index[hers]] // cells
        moved[block.calendar.weekday[number]] += np.bincount(world, minlength=len(studies))
    monday, part, whole = moved[:, 1:].T
    assert not moved[:, 0].any()
    assert (whole > 100).all()
    assert not monday[1:].any()
    assert not part[2:].any()
    assert monday[0] == pytest.approx(whole[0], rel=0.02)
    assert part[0] == pytest.approx(whole[0], rel=0.02)
    assert 0.4 * whole[1] < part[1] < whole[1]
    *few, much = (ledger.released.sum() for ledger in ledgers(model))
    for hers, little in zip((monday, part), few, strict=True):
        assert little / much == pytest.approx(hers.sum() / whole.sum(), abs=0.06)
    assert few[0] < 0.3 * much
    assert few[1] < 0.5 * much
