"""Traps T5 and T8: no infinite substitution, and nothing from a nurse whom nobody may use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from careload.day.accounts import Account
from careload.patients.calendar import WEEK_DAYS
from careload.simulate import make_block
from careload.ticks import MINUTE
from runs import ledgers, run_through, short

SOLO = ("practice=solo", "protocol=none")
NURSE = ("practice=solo_nurse",)
NOBODY_MEETS = {"meeting.huddle": 0, "meeting.monthly": 0}
HOUR = 60 * MINUTE
CELLS = 24
POSTS = (0.1, 0.2, 0.3, 0.5, 0.75, 1.0)
MOST_MOVED = 10.3
"""Hours a week of acts and shared follow-up in the catalogue, for 1,200 patients."""
NOISE = 3.0
"""Standard errors of a mean: six bends of a straight line would fail this once in a hundred."""


@dataclass(frozen=True)
class Frontier:
    """Hours a week by nurse FTE; shape (posts, cells) each, the first post is none and the last two nurses."""

    fte: NDArray[np.float64]
    released: NDArray[np.float64]
    moved: NDArray[np.float64]
    present: NDArray[np.float64]
    idle: NDArray[np.float64]


def frontier(pattern: str) -> Frontier:
    """A solo practice of 1,200 without nurse, with part of a nurse, with a nurse and with two; nobody meets."""
    posts: list[dict[str, Any]] = [{"practice.team.nurse.fte": fte} for fte in POSTS]
    posts.append({"practice.team.nurse.fte": 1.0, "practice.team.nurse.heads": 2})
    common = {**NOBODY_MEETS, "practice.team.nurse.pattern": pattern}
    block = make_block([short(SOLO), *(short(NURSE, {**common, **post}) for post in posts)], np.arange(CELLS))
    model = run_through(block)
    hours = HOUR * block.calendar.in_window.sum() / WEEK_DAYS
    totals = model.state.accounts.totals.reshape(len(Account), -1, CELLS) / hours
    found = ledgers(model)
    nothing = np.zeros((1, CELLS))
    worked = totals[Account.STAFF_SERVICE] + totals[Account.STAFF_MEETING]
    return Frontier(
        fte=np.array([0.0, *POSTS, 2.0]),
        released=np.vstack([nothing, *(ledger.released / hours for ledger in found)]),
        moved=np.vstack([nothing, *(ledger.moved / hours for ledger in found)]),
        present=totals[Account.STAFF_PRESENCE],
        idle=totals[Account.STAFF_PRESENCE] - worked,
    )


@pytest.fixture(scope="module")
def whole_days() -> Frontier:
    """Posts of whole days."""
    return frontier("full_days")


@pytest.fixture(scope="module")
def mornings() -> Frontier:
    """Posts of a part of every morning."""
    return frontier("mornings")


def bends(fte: NDArray[np.float64], released: NDArray[np.float64]) -> NDArray[np.float64]:
    """Change of slope from each post to the next, in standard errors of its mean; positive where the curve bends up."""
    slope = np.diff(released, axis=0) / np.diff(fte)[:, None]
    bend = np.diff(slope, axis=0)
    return bend.mean(1) / (bend.std(1, ddof=1) / np.sqrt(bend.shape[1]))


def test_each_further_hour_of_a_nurse_releases_less(whole_days: Frontier) -> None:
    """T5: released time is concave in nurse FTE, from none over 0.1, 0.2, 0.3, 0.5, 0.75 to 1 and 2, within noise."""
    bend = bends(whole_days.fte, whole_days.released)
    assert len(bend) == len(POSTS)
    assert (bend < NOISE).all()
    assert (bend[:3] < -NOISE).all()


def test_each_further_hour_of_mornings_releases_less_once_a_review_fits_in(mornings: Frontier) -> None:
    """T5: with a part of every morning the same holds from 0.2 FTE on; below, her day has no room for one review."""
    from_02 = np.array([0, 2, 3, 4, 5, 6, 7])
    assert (bends(mornings.fte[from_02], mornings.released[from_02]) < NOISE).all()


@pytest.mark.parametrize("pattern", ["whole_days", "mornings"])
def test_beyond_what_can_be_delegated_a_nurse_is_idle(pattern: str, request: pytest.FixtureRequest) -> None:
    """T5: a second nurse releases next to nothing more and is idle for next to all of her hours."""
    found: Frontier = request.getfixturevalue(pattern)
    more = (found.released[-1] - found.released[-2]).mean()
    assert abs(more) < 0.02 * found.released[-2].mean()
    added, idle = (np.diff(hours, axis=0)[-1].mean() for hours in (found.present, found.idle))
    assert added > 30
    assert idle > 0.98 * added
    assert (np.diff(found.idle.mean(1)) > 0).all()


@pytest.mark.parametrize("pattern", ["whole_days", "mornings"])
def test_no_nurse_moves_more_than_there_is_to_move(pattern: str, request: pytest.FixtureRequest) -> None:
    """T5: in a practice of 1,200 no number of nurses moves more than 10.3 hours a week; released is less than moved."""
    found: Frontier = request.getfixturevalue(pattern)
    assert (found.moved <= MOST_MOVED).all()
    assert (found.released[1:].mean(1) < found.moved[1:].mean(1)).all()


@pytest.mark.slow
def test_no_nurse_moves_more_in_a_whole_year_than_there_is_to_move() -> None:
    """T5: the same holds over a year, with the vaccinations of autumn in it."""
    two = {**NOBODY_MEETS, "practice.team.nurse.fte": 1.0, "practice.team.nurse.heads": 2, "run.years": 1.0}
    block = make_block([short(SOLO, {"run.years": 1.0}), short(NURSE, two)], np.arange(4))
    (ledger,) = ledgers(run_through(block))
    moved = ledger.moved / (HOUR * block.calendar.in_window.sum() / WEEK_DAYS)
    assert (moved <= MOST_MOVED).all()
    assert (moved > 0.1 * MOST_MOVED).all()


LISTS = np.array([600, 1200, 2400])


@pytest.fixture(scope="module")
def unused() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Released ticks, and more GP meeting ticks, of a nurse without protocol: without meetings, and with them."""
    forbidden = ("practice=solo_nurse", "protocol=none")
    studies = [short(SOLO), short(forbidden, NOBODY_MEETS), short(forbidden)]
    model = run_through(make_block(studies, np.arange(len(LISTS)), list_sizes=LISTS))
    meeting = model.state.accounts.totals[Account.GP_MEETING].reshape(3, -1)
    return np.array([one.released for one in ledgers(model)]), meeting[1:] - meeting[0]


def test_a_nurse_whom_nobody_may_use_releases_nothing(
    unused: tuple[NDArray[np.int64], NDArray[np.int64]],
) -> None:
    """T8: a nurse to whom nothing is delegated releases not one tick, whatever the list."""
    released, meeting = unused
    assert (released[0] == 0).all()
    assert (meeting[0] == 0).all()


def test_meeting_a_nurse_whom_nobody_may_use_costs_the_meetings(
    unused: tuple[NDArray[np.int64], NDArray[np.int64]],
) -> None:
    """T8: if the GP meets her all the same, released time is minus his minutes in meetings, to the tick."""
    released, meeting = unused
    assert (released[1] == -meeting[1]).all()
    assert (meeting[1] > 0).all()
