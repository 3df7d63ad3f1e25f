"""Nothing is lost: every request ends somewhere, and every paid minute is worked, idle or rest."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from careload.agents.model import CareModel
from careload.day.accounts import Account
from careload.day.slips import Errand
from careload.simulate import make_block
from runs import ARRANGEMENTS, count_all_days, only, run_out, run_through, short

SOLO = ("practice=solo", "protocol=none")
NURSE = ("practice=solo_nurse",)
ENDS = (
    Account.SERVED,
    Account.CLOSED,
    Account.ELSEWHERE,
    Account.NOT_COME,
    Account.LEFT,
    Account.DISPLACED,
)
WORLDS = (
    (SOLO, {}),
    (NURSE, {}),
    (NURSE, {"practice.team.nurse.fte": 0.1, "delegation.overflow_minutes": 600}),
    (NURSE, {"practice.team.nurse.pattern": "full_days", "meeting.monthly": 90, "meeting.huddle": 0}),
    (
        NURSE,
        {"practice.team.gp.heads": 2, "book.held_share": 0.5, "first_contact.gp.elsewhere_share": 0.2},
    ),
    (
        SOLO,
        {
            "book.carry_days": 0,
            "book.fit_in": 10,
            "book.horizon_days": 14,
            "gp.last_start_cap": "19:00",
            "practice.team.gp.leaves_at": "19:00",
        },
    ),
    *ARRANGEMENTS.values(),
)
LISTS = np.array([300, 1200, 3000])


@pytest.fixture(scope="module")
def whole() -> CareModel:
    """Fourteen worlds of three practices, one of them saturated; every day from the first to the last is counted."""
    studies = [short(overrides, values) for overrides, values in WORLDS]
    return run_through(count_all_days(make_block(studies, np.arange(len(LISTS)), list_sizes=LISTS)))


@pytest.fixture(scope="module")
def run_down() -> CareModel:
    """The first two of these worlds and the last, with no new request in the last weeks."""
    studies = [short(*world) for world in (*WORLDS[:2], WORLDS[-1])]
    return run_out(make_block(studies, np.arange(len(LISTS)), list_sizes=LISTS), weeks=6)


def still_waiting(model: CareModel) -> NDArray[np.int64]:
    """Requests of every lane whose next step lies ahead, and contacts carried to the next day."""
    state = model.state
    waiting = np.zeros(model.block.n_lanes, np.int64)
    for table in (state.slips.table(), state.contacts):
        waiting += np.bincount(table.lane[table.errand == Errand.VISIT], minlength=len(waiting))
    return waiting


def gp_worked(totals: NDArray[np.int64]) -> NDArray[np.int64]:
    return totals[[Account.GP_SERVICE, Account.GP_MEETING, Account.GP_DESK]].sum(0)


def test_every_request_is_served_or_waits_or_ends_elsewhere(whole: CareModel) -> None:
    """Requests = served + closed + sent elsewhere + not come + given up + displaced + still waiting, in every lane."""
    totals = whole.state.accounts.totals
    ended = totals[list(ENDS)].sum(0)
    assert (totals[Account.REQUESTS] == ended + still_waiting(whole)).all()
    assert all((totals[account] > 0).any() for account in ENDS)
    assert (still_waiting(whole) > 0).any()


def test_nobody_waits_for_ever(run_down: CareModel) -> None:
    """When no new request comes, the last one ends: requests = served + closed + not come + given up + displaced."""
    totals, state = run_down.state.accounts.totals, run_down.state
    assert not len(state.slips.table().lane)
    assert not len(state.contacts.lane)
    assert not len(state.parts.lane)
    assert (totals[Account.REQUESTS] == totals[list(ENDS)].sum(0)).all()


def test_contacts_by_channel_and_performer_are_the_contacts_served(run_down: CareModel) -> None:
    """Office, home and telephone contacts of GPs and the contacts of delegates are all contacts there are."""
    totals = run_down.state.accounts.totals
    by_gp = totals[[Account.OFFICE, Account.HOME, Account.PHONE]].sum(0)
    by_delegate = totals[Account.DELEGATE_CONTACTS] - totals[Account.EXTRA_TRIPS]
    assert (totals[Account.SERVED] == by_gp + by_delegate).all()


def test_every_minute_of_the_gps_is_worked_idle_or_rest(whole: CareModel) -> None:
    """Presence of GPs = worked + usable gaps + crumbs + rest, in ticks, in every lane."""
    totals = whole.state.accounts.totals
    idle = totals[[Account.GP_USABLE, Account.GP_CRUMBS, Account.GP_REST]].sum(0)
    assert (totals[Account.GP_PRESENCE] == gp_worked(totals) + idle).all()
    assert (totals[Account.GP_REST] > 0).all()


def test_minutes_by_task_are_the_minutes_worked(whole: CareModel) -> None:
    """Minutes by task of GPs and staff, with supervision, hand-back and hand-over, are their minutes of service."""
    totals, by_role = whole.state.accounts.totals, whole.state.accounts.task_ticks.sum(1)
    gp = whole.block.layout.gp
    follow_ons = totals[[Account.SUPERVISION, Account.HAND_BACK, Account.HAND_OVER]].sum(0)
    assert (by_role[gp] + follow_ons == totals[Account.GP_SERVICE] + totals[Account.GP_DESK]).all()
    by_staff = totals[Account.STAFF_SERVICE] + totals[Account.STAFF_DESK]
    assert (np.delete(by_role, gp, 0).sum(0) == by_staff).all()


def test_every_call_is_answered_or_tried_again(whole: CareModel) -> None:
    """Calls answered by GPs and by staff are all calls, and their minutes are those of the task of answering."""
    totals, layout = whole.state.accounts.totals, whole.block.layout
    by_role = whole.state.accounts.task_ticks[:, layout.tasks.index("call_handling")]
    by_staff = np.delete(by_role, layout.gp, 0).sum(0)
    assert (totals[Account.CALLS_BY_STAFF] <= totals[Account.CALLS]).all()
    assert ((totals[Account.CALLS_BY_STAFF] > 0) == (by_staff > 0)).all()
    assert ((totals[Account.CALLS_BY_STAFF] < totals[Account.CALLS]) == (by_role[layout.gp] > 0)).all()


def test_nobody_works_more_than_is_paid(whole: CareModel) -> None:
    """Paid minutes of the staff are at least those they work, also where they work beyond their sessions."""
    totals, accounts, layout = whole.state.accounts.totals, whole.state.accounts, whole.block.layout
    others = list(layout.others)
    worked = totals[[Account.STAFF_SERVICE, Account.STAFF_DESK, Account.STAFF_MEETING]].sum(0)
    with_staff = totals[Account.STAFF_PRESENCE] > 0
    assert (totals[Account.STAFF_PRESENCE] >= worked).all()
    assert (with_staff == (worked > 0)).all()
    alone = [all(part != "practice=solo" for part in overrides) for overrides, _ in WORLDS]
    assert with_staff.reshape(-1, len(LISTS)).all(1).tolist() == alone
    by_role = accounts.task_ticks[others].sum(1) + accounts.met[others]
    assert (accounts.present[others] >= by_role).all()
    assert (accounts.present[others].sum(0) == totals[Account.STAFF_PRESENCE]).all()


def test_no_counter_is_negative(whole: CareModel) -> None:
    """No count, no wait and no time is below zero, but what GPs need above or below the reference."""
    totals = whole.state.accounts.totals
    assert (np.delete(totals, Account.EXCESS, 0) >= 0).all()
    assert (whole.state.accounts.task_ticks >= 0).all()


def test_no_demand_no_work() -> None:
    """Without demand nobody works, but for the meetings that the practice holds."""
    studies = [only(short(SOLO), [], {}, {}), only(short(NURSE), [], {}, {"meeting.huddle": 10})]
    totals = run_through(make_block(studies, np.arange(2))).state.accounts.totals.reshape(-1, 2, 2)
    meetings = totals[Account.GP_MEETING]
    assert (gp_worked(totals) == meetings).all()
    assert (meetings[0] == 0).all()
    assert (meetings[1] == totals[Account.STAFF_MEETING, 1]).all()
    assert (meetings[1] > 0).all()
    here = (
        Account.GP_MEETING,
        Account.GP_PRESENCE,
        Account.GP_REST,
        Account.GP_USABLE,
        Account.GP_CRUMBS,
        Account.STAFF_MEETING,
        Account.STAFF_PRESENCE,
        Account.ROOM_OPEN,
    )
    assert not np.delete(totals, here, 0).any()
