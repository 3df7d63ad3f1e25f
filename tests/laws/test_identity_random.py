"""R = V + taken home + usable gaps + crumbs, to the tick, in 200 practices drawn at random."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from careload.agents.model import CareModel
from careload.day.accounts import Account
from careload.day.block import Block, State
from careload.inputs.load import load_study
from careload.inputs.study import Study
from careload.results.ledger import Ledger, compare_worlds, worked_ticks
from careload.simulate import make_block
from careload.ticks import MINUTE
from support import with_values

N_PRACTICES = 200
N_SATURATED = 24
N_BLOCKS = 2
HOUR = 60 * MINUTE
SEED = 20260415

WEEKS = (
    ("08:00-12:00 places", "13:00-16:00 desk", "16:00-19:00 places"),
    ("08:30-12:30 places", "14:00-18:00 places"),
    ("09:00-12:00 places",),
    ("08:00-10:30 places", "10:30-12:00 desk", "15:00-19:30 places"),
    ("08:00-11:00 places", "11:15-12:45 places", "16:00-18:00 desk"),
)
EVERYBODY = "practice.staff=[gp,nurse,assistant,receptionist]"
USUAL = ("technical_chronic_prevention", "gp")
SHARING = (
    ("administration", "receptionist"),
    ("technical_administration", "assistant_protocol"),
    ("everything_lawful", "receptionist_protocol"),
    ("technical_chronic_prevention", "nurse"),
    ("everything_lawful", "gp"),
    ("none", "gp_triage"),
    ("none", "receptionist"),
)
"""Protocols and arrangements of first contact."""
RESTS = ((), ("10:00-10:10",), ("09:30-09:45", "17:00-17:20"))


@dataclass(frozen=True)
class Randomised:
    """A finished block: baseline and scenario of each of its practices, the saturated ones last."""

    block: Block
    state: State
    ledger: Ledger
    saturated: NDArray[np.bool_]

    def account(self, account: Account, scenario: int) -> NDArray[np.int64]:
        """One counter of a scenario, per practice."""
        return self.state.accounts.totals[account].reshape(self.block.n_scenarios, -1)[scenario]


def staff(g: np.random.Generator) -> dict[str, Any]:
    """Who works when and how fast."""
    sessions = WEEKS[g.integers(len(WEEKS))]
    rests = RESTS[g.integers(len(RESTS))]
    return {
        "practice.team.gp.heads": int(g.integers(1, 4)),
        "practice.team.gp.sessions": sessions,
        "practice.team.gp.rests": rests,
        "practice.team.gp.leaves_at": str(g.choice(["19:40", "20:00", "21:00", "22:00"])),
        "gp.last_start_cap": str(g.choice(["19:00", "20:00", "21:30"])),
        "gp.home_round_start": str(g.choice(["11:30", "13:00", "14:10"])),
        "practice.slot_policy": str(g.choice(["unchanged", "shorten_session"])),
        "practice.slot_policy_minutes": float(g.integers(0, 50)),
        "role.gp.pace": int(g.choice([820, 931, 1023, 1025, 1280])),
    }


def nurse(g: np.random.Generator, heads: int) -> dict[str, Any]:
    """Delegates, and the rules of delegation."""
    return {
        "practice.team.nurse.heads": heads,
        "practice.team.nurse.fte": float(g.uniform(0.1, 1.0)),
        "practice.team.nurse.pattern": str(g.choice(["mornings", "full_days"])),
        "practice.team.nurse.programme_share": float(g.uniform(0.2, 0.7)),
        "practice.team.nurse.leaves_after_minutes": float(g.uniform(0, 60)),
        "role.nurse.pace": int(g.choice([1024, 1100, 1333, 1638])),
        "practice.shared_record": bool(g.random() < 0.5),
        "delegation.hand_over_minutes.separate_records": float(g.uniform(0, 6)),
        "delegation.hand_over_minutes.shared_record": float(g.choice([0.0, 1.3])),
        "delegation.supervision_minutes.act": float(g.choice([0.0, 0.37, 2.0])),
        "delegation.supervision_minutes.contact": float(g.uniform(0, 4)),
        "delegation.hand_back.act": float(g.uniform(0, 0.4)),
        "delegation.hand_back.contact": float(g.uniform(0, 0.4)),
        "delegation.hand_back_minutes": float(g.uniform(0, 8)),
        "delegation.overflow_minutes": float(g.uniform(0, 60)),
        "delegation.nurse_absent": float(g.uniform(0, 1)),
        "delegation.extra_follow_up": float(g.uniform(0, 0.6)),
        "delegation.red_flag_share": float(g.uniform(0, 0.1)),
        "delegation.stable_share": float(g.uniform(0.2, 1)),
        "delegation.review_every_n": int(g.integers(1, 7)),
        "trust.start": float(g.uniform(0.2, 1)),
        "trust.active": bool(g.random() < 0.7),
        "trust.gain_per_good_episode": float(g.uniform(0, 0.05)),
        "trust.loss_per_hand_back": float(g.uniform(0, 0.2)),
    }


def access(g: np.random.Generator) -> dict[str, Any]:
    """First contact and the book."""
    closed, elsewhere = g.uniform(0, 0.35), g.uniform(0, 0.25)
    under, over = g.uniform(0, 0.2, 2)
    retry, leave = g.uniform(0, 0.7), g.uniform(0, 0.3)
    return {
        "first_contact.gp.closed_share": float(closed),
        "first_contact.gp.elsewhere_share": float(elsewhere),
        "call.recontact_share": float(g.uniform(0, 1)),
        "call.recontact_days": int(g.integers(1, 11)),
        "first_contact.gp.under_share": float(under),
        "first_contact.gp.over_share": float(over),
        "practice.team.gp.slot_minutes": float(g.uniform(7.5, 25)),
        "practice.team.nurse.slot_minutes": float(g.uniform(7.5, 30)),
        "book.held_share": float(g.uniform(0, 0.5)),
        "book.horizon_days": int(g.integers(3, 30)),
        "book.fit_in": int(g.integers(0, 11)),
        "book.carry_days": int(g.integers(0, 4)),
        "book.no_place.retry": float(retry),
        "book.no_place.leave": float(leave),
        "book.retry_max": int(g.integers(1, 7)),
        "book.no_show_rebooks": float(g.uniform(0, 1)),
        "book.no_show_rebook_days": int(g.integers(1, 11)),
        "book.no_show_by_lead": tuple(np.sort(g.uniform(0, 0.3, 7)).tolist()),
        "book.punctuality.earliest": float(g.uniform(-25, 0)),
        "book.punctuality.latest": float(g.uniform(0, 20)),
        "book.travel_after_call": float(g.uniform(0, 60)),
        "call.recovery_minutes": float(g.uniform(0, 2)),
        "care_seeking.active": bool(g.random() < 0.7),
        "care_seeking.elasticity": float(g.uniform(-0.3, 0)),
    }


def meetings(g: np.random.Generator) -> dict[str, Any]:
    return {
        "meeting.huddle": float(g.choice([0.0, 10.0, 17.3])),
        "meeting.huddle_start": str(g.choice(["08:00", "10:05", "11:55", "12:30"])),
        "meeting.monthly": float(g.choice([0.0, 45.0, 90.0])),
        "meeting.monthly_start": str(g.choice(["09:00", "12:00", "18:30"])),
    }


def minutes(g: np.random.Generator, study: Study) -> dict[str, Any]:
    """Minutes of a third of the tasks, for GP and nurse, stretched or shortened."""
    keys = [key for key, _ in study.quantities() if ".minutes.gp" in key or ".minutes.nurse" in key]
    chosen = g.choice(keys, len(keys) // 3, replace=False)
    return {str(key): float(study.value(key) * g.uniform(0.4, 2.2)) for key in chosen if key[:4] == "task"}


def office(g: np.random.Generator, sharing: tuple[str, str]) -> dict[str, Any]:
    """Receptionists and assistants, or none, rooms, and how calls are answered and desk work is shared."""
    answers = sharing[1]
    closed, elsewhere = g.uniform(0, 0.4), g.uniform(0, 0.2)
    values: dict[str, Any] = {
        "practice.extra_rooms": int(g.integers(0, 3)),
        f"first_contact.{answers}.closed_share": float(closed),
        f"first_contact.{answers}.elsewhere_share": float(elsewhere),
        f"first_contact.{answers}.under_share": float(g.uniform(0, 0.3)),
        f"first_contact.{answers}.over_share": float(g.uniform(0, 0.3)),
        "task.letters_in.delegable_share": float(g.uniform(0, 1)),
        "task.billing_scheduling.delegable_share": float(g.uniform(0, 1)),
        "task.call_handling.minutes.receptionist": float(g.choice([0.5, 2.2, 25.0])),
        "task.call_handling.minutes.assistant": float(g.uniform(0.5, 6)),
    }
    for role in ("receptionist", "assistant"):
        values |= {
            f"practice.team.{role}.heads": int(g.integers(0, 3)),
            f"practice.team.{role}.fte": float(g.uniform(0.1, 1)),
            f"practice.team.{role}.pattern": str(g.choice(["mornings", "full_days"])),
            f"role.{role}.pace": int(g.choice([1024, 1333, 1638])),
        }
    return values


@cache
def study_of(sharing: tuple[str, str]) -> Study:
    """A study of a protocol and an arrangement of first contact, with everybody on the staff."""
    protocol, answers = sharing
    return load_study(["practice=solo_nurse", EVERYBODY, f"protocol={protocol}", f"first_contact={answers}"])


NOBODY_ELSE: Mapping[str, Any] = {
    "practice.team.receptionist.heads": 0,
    "practice.team.assistant.heads": 0,
}


def with_office(g: np.random.Generator, pair: list[dict[str, Any]]) -> list[Study]:
    """Baseline and scenario of a practice, half of them with staff at the desk or another protocol in the scenario."""
    worlds, values, sharing = [], dict(NOBODY_ELSE), USUAL
    for old in pair:
        if g.random() < 0.7:
            sharing = SHARING[g.integers(len(SHARING))]
            values = office(g, sharing)
        worlds.append(world(study_of(sharing), old | values))
    return worlds


def practice(g: np.random.Generator, study: Study) -> list[dict[str, Any]]:
    """Baseline and scenario: one practice before and after a random set of changes."""
    parts = [staff(g), nurse(g, int(g.integers(0, 2))), access(g), meetings(g), minutes(g, study)]
    again = [staff(g), nurse(g, int(g.integers(1, 3))), access(g), meetings(g), minutes(g, study)]
    change = g.random(5) < (0.3, 0.9, 0.5, 0.5, 0.3)
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for old, new, changed in zip(parts, again, change, strict=True):
        before |= old
        after |= old | new if changed else old
    return [before, after]


def saturated_practice(g: np.random.Generator) -> list[dict[str, Any]]:
    """One GP with far more patients than she can see; the scenario gives her nurses and changes nothing else."""
    before = {
        "practice.team.gp.heads": 1,
        "practice.team.nurse.heads": 0,
        "meeting.huddle": 0.0,
        "meeting.monthly": 0.0,
        "book.fit_in": int(g.integers(10, 30)),
        "book.carry_days": int(g.integers(0, 4)),
        "care_seeking.active": False,
        "delegation.hand_back.act": 0.03,
        "delegation.hand_back.contact": 0.05,
        "delegation.extra_follow_up": 0.0,
    }
    after = before | {
        "practice.team.nurse.heads": int(g.integers(1, 3)),
        "practice.team.nurse.fte": float(g.uniform(0.6, 1.0)),
        "practice.team.nurse.pattern": "full_days",
    }
    return [before, after]


def world(study: Study, values: Mapping[str, Any]) -> Study:
    short = {"run.years": 0.08, "calendar.warm_up_days": 10, "calendar.tail_days": 5}
    return with_values(study, {**short, **values})


def run_practices(part: int) -> Randomised:
    """Half of the practices as one block: two worlds of its own for each."""
    g = np.random.default_rng([SEED, part])
    study = load_study(["practice=solo_nurse"])
    n, n_full = N_PRACTICES // N_BLOCKS, N_SATURATED // N_BLOCKS
    pairs = [practice(g, study) for _ in range(n - n_full)]
    full = [saturated_practice(g) for _ in range(n_full)]
    of_office = np.random.default_rng([SEED, part, 1])
    worlds = [with_office(of_office, pair) for pair in pairs]
    usual = study_of(USUAL)
    worlds += [[world(usual, {**NOBODY_ELSE, **values}) for values in pair] for pair in full]
    sizes = np.concatenate((g.integers(300, 3001, n - n_full), g.integers(2600, 3001, n_full)))
    widest = {f"practice.team.{role}.heads": 2 for role in ("nurse", "assistant", "receptionist")}
    widest["practice.team.gp.heads"] = 3
    studies = [world(usual, widest)] + [pair[s] for s in (0, 1) for pair in worlds]
    block = make_block(
        studies,
        cells=np.arange(n) + part * n,
        list_sizes=sizes,
        world_of_lane=np.arange(1, 2 * n + 1),
    )
    block = replace(block, crumb_limit=np.tile(g.integers(0, 40, n) * MINUTE, 2))
    model = CareModel(block)
    state = model.run()
    model.close()
    return Randomised(block, state, compare_worlds(block, state)[0, 1], np.arange(n) >= n - n_full)


@pytest.fixture(scope="module")
def blocks() -> list[Randomised]:
    return [run_practices(part) for part in range(N_BLOCKS)]


def test_time_released_is_the_sum_of_its_destinations(blocks: list[Randomised]) -> None:
    """Whatever is changed in a practice, R = V + taken home + usable gaps + crumbs, to the tick."""
    for one in blocks:
        ledger = one.ledger
        places = ledger.reinvested + ledger.home + ledger.usable + ledger.crumbs
        assert (ledger.released == places).all()
        assert not ledger.residual.any()
        assert (ledger.released - ledger.reinvested == ledger.fewer_minutes).all()
        assert (ledger.home == ledger.home_session + ledger.home_after_closing + ledger.home_evening).all()


def test_time_worked_is_what_its_tasks_ask_for(blocks: list[Randomised]) -> None:
    """In every world by itself the GP works what is asked of GPs, less what others do, plus the overhead."""
    for one in blocks:
        totals = one.state.accounts.totals
        overhead = [Account.SUPERVISION, Account.HAND_BACK, Account.HAND_OVER, Account.GP_MEETING]
        asked = totals[Account.DEFAULT_ALL] - totals[Account.DEFAULT_SHIFTED]
        assert (worked_ticks(one.state) == asked + totals[overhead].sum(0) + totals[Account.EXCESS]).all()


def test_presence_is_work_and_idleness(blocks: list[Randomised]) -> None:
    """In every world by itself the GP is present for work, usable gaps, crumbs and breaks, and nothing else."""
    for one in blocks:
        totals = one.state.accounts.totals
        idle = totals[[Account.GP_USABLE, Account.GP_CRUMBS, Account.GP_REST]]
        assert (idle >= 0).all()
        assert (totals[Account.GP_PRESENCE] == worked_ticks(one.state) + idle.sum(0)).all()


def test_time_by_task_is_the_time_worked(blocks: list[Randomised]) -> None:
    """Minutes by role and task leave out only supervision, hand-back, hand-over and meetings."""
    for one in blocks:
        totals, layout = one.state.accounts.totals, one.block.layout
        overhead = totals[[Account.SUPERVISION, Account.HAND_BACK, Account.HAND_OVER, Account.GP_MEETING]]
        by_gp = one.state.accounts.task_ticks[layout.gp].sum(0)
        assert (by_gp + overhead.sum(0) == worked_ticks(one.state)).all()
        by_staff = np.delete(one.state.accounts.task_ticks, layout.gp, 0).sum((0, 1))
        assert (by_staff == totals[Account.STAFF_SERVICE] + totals[Account.STAFF_DESK]).all()


def test_the_practices_reach_every_part_of_the_ledger(blocks: list[Randomised]) -> None:
    """The identity is not kept by empty columns: every part is filled in many practices."""
    parts = ("moved", "ended", "supervision", "hand_back", "hand_over", "meeting", "kept")
    parts += ("taken", "new", "abandoned", "home", "usable", "crumbs")
    for name in parts:
        filled = sum(np.count_nonzero(getattr(one.ledger, name)) for one in blocks)
        assert filled >= 30, name
    counted = (Account.LEFT, Account.DISPLACED, Account.ELSEWHERE, Account.CLOSED, Account.CARRIED)
    counted += (Account.OVERFLOWED_PARTS, Account.EXTRA_TRIPS, Account.CALLS_UNANSWERED, Account.NOT_COME)
    counted += (Account.CALLS_BY_STAFF, Account.STAFF_DESK, Account.ROOM_WAIT, Account.MISSED_URGENT)
    for account in counted:
        filled = sum(np.count_nonzero(one.account(account, s)) for one in blocks for s in (0, 1))
        assert filled >= 5, account.name


def interval(values: NDArray[np.float64]) -> tuple[float, float]:
    """Mean plus and minus 3.8 standard errors: misses the expectation once in about 1,000 times (t, 23 d.f.)."""
    half = 3.77 * values.std(ddof=1) / np.sqrt(len(values))
    return float(values.mean() - half), float(values.mean() + half)


def of_saturated(blocks: list[Randomised], part: str) -> NDArray[np.float64]:
    """One part of the ledger in the saturated practices, hours a working week."""
    weeks = blocks[0].block.calendar.window_weeks
    return np.concatenate([getattr(one.ledger, part)[one.saturated] for one in blocks]) / HOUR / weeks


def test_a_saturated_practice_reinvests_what_a_nurse_releases(blocks: list[Randomised]) -> None:
    """Where need is far above capacity a nurse releases GP time, and all of it goes to need left unmet.

    The GP goes home no earlier: the time until the last patient stays within one per cent of the presence, and the
    evening desk grows by what the additional contacts leave. False alarms: about 1 in 250 for a new seed.
    """
    demand = np.concatenate([one.account(Account.REQUESTS, 0)[one.saturated] for one in blocks])
    served = np.concatenate([one.account(Account.SERVED, 0)[one.saturated] for one in blocks])
    assert len(demand) >= 20
    assert (demand > 1.5 * served).all()
    weeks = blocks[0].block.calendar.window_weeks
    presence = np.concatenate([one.account(Account.GP_PRESENCE, 0)[one.saturated] for one in blocks])
    percent = 0.01 * (presence / HOUR / weeks).mean()
    released, reinvested, home, evening = (
        of_saturated(blocks, part) for part in ("released", "reinvested", "home", "home_evening")
    )
    assert interval(released)[0] > 0
    assert interval(reinvested - released)[0] > -0.1
    low, high = interval(home - evening)
    assert -percent < low < high < percent
    low, high = interval(home)
    assert -2 * percent < low < high < 0.1


def test_a_saturated_practice_leaves_less_need_unmet(blocks: list[Randomised]) -> None:
    """A nurse in a saturated practice means fewer patients who give up or go elsewhere, in every practice."""
    for one in blocks:
        before, after = (
            sum(one.account(account, s)[one.saturated] for account in (Account.LEFT, Account.DISPLACED))
            for s in (0, 1)
        )
        assert (after < before).all()
        assert (one.account(Account.SERVED, 1) > one.account(Account.SERVED, 0))[one.saturated].all()
