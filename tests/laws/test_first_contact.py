"""Who answers the telephone, and who does the desk work: rules of docs/day.md, sections 7 and 9, on whole runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final
from unittest.mock import patch

import numpy as np
import pytest
from numpy.typing import NDArray

from careload.agents.model import CareModel
from careload.day import calls as calls_module
from careload.day.accounts import Account
from careload.day.outcomes import Fate
from careload.day.parts import Part
from careload.practice.rota import in_session
from careload.results.ledger import compare_worlds
from careload.simulate import make_block
from careload.ticks import NEVER
from runs import count_all_days, ledgers, outcomes, run_through, short

SOLO: Final = ("practice=solo", "protocol=none")
DESK: Final = ("practice=solo_receptionist", "protocol=administration", "first_contact=receptionist")
ONLY_CALLS: Final = ("practice=solo_receptionist", "protocol=none", "first_contact=receptionist_protocol")
ASSISTANT: Final = (
    "practice=solo_assistant",
    "protocol=technical_administration",
    "first_contact=assistant_protocol",
)
NURSE_TRIAGE: Final = ("practice=solo_nurse", "first_contact=nurse")
GP_TRIAGE: Final = (*SOLO, "first_contact=gp_triage")
WORLDS: Final[Mapping[str, Sequence[str]]] = {
    "solo": SOLO,
    "desk": DESK,
    "only calls": ONLY_CALLS,
    "assistant": ASSISTANT,
    "nurse triage": NURSE_TRIAGE,
    "GP triage": GP_TRIAGE,
}
LISTS: Final = np.array([400, 1200, 2600])


@pytest.fixture(scope="module")
def model() -> CareModel:
    """Six ways to answer the telephone, in three practices; every day counts."""
    studies = [short(overrides) for overrides in WORLDS.values()]
    block = count_all_days(make_block(studies, np.arange(len(LISTS)), list_sizes=LISTS))
    return run_through(block)


def account(model: CareModel, account: Account) -> dict[str, NDArray[np.int64]]:
    """One counter by world."""
    rows = model.state.accounts.totals[account].reshape(model.block.n_scenarios, -1)
    return dict(zip(WORLDS, rows, strict=True))


def test_calls_go_to_who_is_arranged_and_the_others_to_the_gp(model: CareModel) -> None:
    """Nobody but GPs answers without an arrangement; with one, some calls are hers and some come when she is gone."""
    total, others = account(model, Account.CALLS), account(model, Account.CALLS_BY_STAFF)
    for world in ("solo", "GP triage"):
        assert not others[world].any()
    for world in ("desk", "only calls", "assistant", "nurse triage"):
        assert (others[world] > 0.3 * total[world]).all(), world
        assert (others[world] < 0.7 * total[world]).all(), world


def test_a_request_leaves_the_desk_when_its_call_ends() -> None:
    """What is judged at the desk goes on at the end of the call; nobody is seen before it."""
    checked = 0
    study = short(DESK)
    block = make_block([study], np.arange(3))
    first_contact = calls_module.first_contact

    def watch(block_: Any, state: Any, day: int, slips: Any, bare: Any) -> Any:
        nonlocal checked
        judged, parts, desk = first_contact(block_, state, day, slips, bare)
        asked = desk.parts.part == Part.CALL
        columns = (desk.parts.lane[asked], desk.parts.request[asked], desk.timed.end[asked])
        ends = {(lane, request): end for lane, request, end in zip(*columns, strict=True)}
        for lane, request, start in zip(judged.lane, judged.request, judged.start, strict=True):
            if (lane, request) in ends:
                assert start == ends[lane, request]
                checked += 1
        return judged, parts, desk

    with patch("careload.day.stages.first_contact", watch):
        run_through(block)
    assert checked > 300


def test_the_receptionist_answers_inside_her_session_only(model: CareModel) -> None:
    """Calls outside her session are never hers, and she goes on until the last one inside it is answered."""
    block = make_block([short(DESK)], np.arange(2))
    first_contact = calls_module.first_contact
    receptionist = block.layout.roles.index("receptionist")
    people = np.flatnonzero(block.layout.person_role == receptionist)

    def watch(block_: Any, state: Any, day: int, slips: Any, bare: Any) -> Any:
        judged, parts, desk = first_contact(block_, state, day, slips, bare)
        rota = block_.rota(day)
        asked = desk.parts.part == Part.CALL
        assert in_session(rota, people, desk.parts.lane[asked], desk.parts.release[asked]).all()
        assert not in_session(rota, people, parts.lane, parts.release).any()
        assert (desk.timed.start[asked] < NEVER).all()
        return judged, parts, desk

    with patch("careload.day.stages.first_contact", watch):
        run_through(block)


def test_calls_that_the_desk_does_not_reach_are_tried_again() -> None:
    """With a desk so slow that the day ends first, callers try again and are displaced in the end; none is lost."""
    study = short(ONLY_CALLS, {"task.call_handling.minutes.receptionist": 90.0})
    model = run_through(count_all_days(make_block([study], np.arange(2))))
    totals = model.state.accounts.totals
    assert (totals[Account.CALLS_UNANSWERED] > 100).all()
    assert (totals[Account.DISPLACED] > 10).all()
    ends = [
        Account.SERVED,
        Account.CLOSED,
        Account.ELSEWHERE,
        Account.NOT_COME,
        Account.LEFT,
        Account.DISPLACED,
    ]
    waiting = np.zeros(2, np.int64)
    for table in (model.state.slips.table(), model.state.contacts):
        waiting += np.bincount(table.lane[table.errand == 0], minlength=2)
    assert (totals[Account.REQUESTS] == totals[ends].sum(0) + waiting).all()


def test_books_balance_with_staff_at_the_desk(model: CareModel) -> None:
    """Presence is filled, work is made of its parts, and released time has four destinations, with any arrangement."""
    totals = model.state.accounts.totals
    worked = totals[[Account.GP_SERVICE, Account.GP_MEETING, Account.GP_DESK]].sum(0)
    overhead = totals[
        [Account.SUPERVISION, Account.HAND_BACK, Account.HAND_OVER, Account.GP_MEETING, Account.EXCESS]
    ].sum(0)
    assert (worked == totals[Account.DEFAULT_ALL] - totals[Account.DEFAULT_SHIFTED] + overhead).all()
    idle = totals[[Account.GP_USABLE, Account.GP_CRUMBS, Account.GP_REST]].sum(0)
    assert (totals[Account.GP_PRESENCE] == worked + idle).all()
    for ledger in ledgers(model):
        assert not ledger.residual.any()
        freed = ledger.moved + ledger.ended
        assert (ledger.released_by_group.sum(0) == freed).all()
    by_staff = np.delete(model.state.accounts.task_ticks, model.block.layout.gp, 0).sum((0, 1))
    assert (by_staff == totals[Account.STAFF_SERVICE] + totals[Account.STAFF_DESK]).all()


def test_staff_work_at_the_desk_inside_their_sessions(model: CareModel) -> None:
    """Desk work never makes anybody of the staff stay longer than she is paid for."""
    totals = model.state.accounts.totals
    worked = totals[[Account.STAFF_SERVICE, Account.STAFF_MEETING, Account.STAFF_DESK]].sum(0)
    assert (worked <= totals[Account.STAFF_PRESENCE]).all()
    desk = account(model, Account.STAFF_DESK)
    assert (desk["desk"] > 0).all()
    assert (desk["assistant"] > 0).all()
    assert not desk["only calls"].any()


def test_desk_work_of_a_world_is_the_same_work(model: CareModel) -> None:
    """Staff and GPs together do what the GP alone would do: the reference time of desk work is the same."""
    of, _ = outcomes(model.state, model.block.n_scenarios)
    desk_tasks = [
        place for place, name in enumerate(model.block.layout.tasks) if name in short(DESK).protocol.desk
    ]
    rows = np.isin(model.state.register.rows.task, desk_tasks)
    done = (of == Fate.BY_GP) | (of == Fate.BY_OTHER)
    assert (of[1][rows] == Fate.BY_OTHER).sum() > 200
    both = done[0] & done[1] & rows
    assert both.sum() > 0.9 * (done[0] & rows).sum()


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_the_share_of_a_desk_task_is_what_the_staff_takes(share: float) -> None:
    """None of it at a share of 0, all of it at 1 while her time lasts, which it does here."""
    study = short(DESK, {"task.letters_in.delegable_share": share, "practice.list_size": 500})
    model = run_through(make_block([study], np.arange(2)))
    layout = model.block.layout
    letters = model.state.accounts.task_ticks[:, layout.tasks.index("letters_in")]
    by_gp, by_staff = letters[layout.gp], letters[layout.roles.index("receptionist")]
    assert (by_staff > 0).all() == (share == 1.0)
    assert (by_gp > 0).all() == (share == 0.0)


def test_what_her_time_does_not_hold_stays_with_the_gp() -> None:
    """With half an hour a day she fills it, but for an end too short for what comes next; the rest is the GP's."""
    little = {"practice.team.receptionist.fte": 0.5 / 7.6, "meeting.huddle": 0.0, "meeting.monthly": 0.0}
    study = short(("practice=solo_receptionist", "protocol=administration", "first_contact=gp"), little)
    model = run_through(count_all_days(make_block([study], np.arange(2))))
    totals, days = model.state.accounts.totals, len(model.block.calendar)
    assert (totals[Account.STAFF_PRESENCE] == totals[Account.STAFF_PRESENCE][0]).all()
    used = totals[Account.STAFF_DESK] / totals[Account.STAFF_PRESENCE]
    assert (used > 0.75).all()
    assert (used <= 1).all()
    assert (totals[Account.GP_DESK] > 0).all()
    assert totals[Account.STAFF_PRESENCE][0] / days == pytest.approx(30 * (1 << 14), rel=1e-6)


def test_a_receptionist_whom_nobody_calls_and_nothing_reaches_changes_nothing() -> None:
    """A receptionist without telephone and without desk work leaves every count of the GP alone as it is."""
    nobody_meets = {"meeting.huddle": 0.0, "meeting.monthly": 0.0}
    idle = short(("practice=solo_receptionist", "protocol=none", "first_contact=gp"), nobody_meets)
    model = run_through(make_block([short(SOLO), idle], np.arange(2), list_sizes=np.array([900, 2400])))
    alone, beside = model.state.accounts.totals.reshape(len(Account), 2, -1).transpose(1, 0, 2)
    differing = np.flatnonzero((alone != beside).any(1))
    assert set(differing.tolist()) <= {Account.STAFF_PRESENCE, Account.ROOM_OPEN}


def test_the_arrangement_of_an_absent_role_is_the_gps() -> None:
    """Receptionists whom a practice does not employ answer nothing: the GP does, as if nothing were arranged."""
    nobody = short(
        DESK, {"practice.team.receptionist.heads": 0, "meeting.huddle": 0.0, "meeting.monthly": 0.0}
    )
    model = run_through(make_block([short(SOLO), nobody], np.arange(2)))
    alone, arranged = model.state.accounts.totals.reshape(len(Account), 2, -1).transpose(1, 0, 2)
    np.testing.assert_array_equal(*(np.delete(one, Account.ROOM_OPEN, 0) for one in (alone, arranged)))


def test_missed_urgency_follows_the_accuracy_of_who_answers(model: CareModel) -> None:
    """A receptionist without protocol misses more urgent needs than the GP, one under protocol fewer than without."""
    missed = {world: values.sum() for world, values in account(model, Account.MISSED_URGENT).items()}
    assert missed["desk"] > missed["only calls"] > missed["solo"]


def test_matching_of_desk_work_is_symmetric(model: CareModel) -> None:
    """What is moved from one world to another is taken over in the opposite contrast, tick for tick."""
    block = replace(model.block, contrasts=((0, 1), (1, 0)))
    again = run_through(replace(block, rotas={}))
    there, back = (compare_worlds(again.block, again.state)[pair] for pair in ((0, 1), (1, 0)))
    np.testing.assert_array_equal(again.state.accounts.desk_moved[0], again.state.accounts.desk_taken[1])
    assert (there.moved > 0).all()
    np.testing.assert_array_equal(there.fewer_minutes, -back.fewer_minutes)
