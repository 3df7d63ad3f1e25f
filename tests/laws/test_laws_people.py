"""Nobody does what law forbids, is in two places, starts at or after the cap, or before the work is there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

from careload.agents.model import CareModel
from careload.day.accounts import Account
from careload.day.parts import Part
from careload.inputs.load import load_study
from careload.inputs.study import Study
from careload.inputs.vocabulary import conf_dir
from careload.patients.bundle import VISIT_ROW
from careload.practice.tables import Layout
from careload.simulate import make_block
from careload.ticks import NEVER
from runs import ARRANGEMENTS, SHORT_YEARS, WatchedDay, run_through, short, watched
from support import with_values

SOLO = ("practice=solo", "protocol=none")
NURSE = ("practice=solo_nurse",)
TEAM = {
    "practice.team.gp.heads": 3,
    "practice.team.nurse.heads": 2,
    "practice.team.nurse.fte": 0.8,
    "practice.team.nurse.pattern": "full_days",
    "delegation.overflow_minutes": 10,
}
TIRED = {
    "gp.last_start_cap": "19:00",
    "practice.team.gp.leaves_at": "19:00",
    "book.carry_days": 0,
    "book.held_share": 0.0,
}
LISTS = np.array([1200, 3000])


@dataclass(frozen=True)
class Starts:
    """What was started on one day: columns of equal length."""

    lane: NDArray[np.int64]
    person: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    part: NDArray[np.int8]
    released: NDArray[np.int64]


@pytest.fixture(scope="module")
def watched_run() -> tuple[CareModel, list[WatchedDay]]:
    """Four worlds of a small and a saturated practice, every day watched: alone, nurse, team, early closing."""
    studies = [short(SOLO), short(NURSE), short(NURSE, TEAM), short(NURSE, TIRED)]
    with watched() as days:
        model = run_through(make_block(studies, np.arange(2), list_sizes=LISTS))
    return model, days


@pytest.fixture(scope="module")
def arranged() -> tuple[CareModel, list[WatchedDay]]:
    """The same practices with staff at the desk, an assistant, triage, a group, and too few rooms."""
    studies = [short(SOLO), *(short(*world) for world in ARRANGEMENTS.values())]
    with watched() as days:
        model = run_through(make_block(studies, np.arange(2), list_sizes=LISTS))
    return model, days


@pytest.fixture(scope="module", params=["watched_run", "arranged"])
def watched_days(request: pytest.FixtureRequest) -> list[WatchedDay]:
    """All days of either run."""
    days: list[WatchedDay] = request.getfixturevalue(request.param)[1]
    return days


def starts(days: list[WatchedDay]) -> Iterator[tuple[WatchedDay, Starts]]:
    """What was started day by day, at the desk and among patients."""
    for day in days:
        index = np.flatnonzero(day.whole.start < NEVER)
        parent = day.parts.parent[index]
        released = np.where(parent >= 0, day.whole.end[np.maximum(parent, 0)], day.parts.release[index])
        yield (
            day,
            Starts(
                lane=day.parts.lane[index],
                person=day.whole.person[index].astype(np.int64),
                start=day.whole.start[index],
                end=day.whole.end[index],
                part=day.parts.part[index],
                released=released,
            ),
        )


@pytest.mark.parametrize("run", ["watched_run", "arranged"])
def test_the_days_watched_hold_work_of_every_kind(run: str, request: pytest.FixtureRequest) -> None:
    """The days that the laws of this file are held against have calls, contacts, parts, follow-ons and absences."""
    model, days = request.getfixturevalue(run)
    assert len(days) == len(model.block.calendar)
    seen = np.unique(np.concatenate([one.part for _, one in starts(days)]))
    assert seen.tolist() == list(Part)


def test_no_one_is_in_two_places(watched_days: list[WatchedDay]) -> None:
    """Whatever a person starts, absences included, she has ended what she began before, at the desk or elsewhere."""
    for _, one in starts(watched_days):
        order = np.lexsort((one.start, one.person, one.lane))
        same = (np.diff(one.lane[order]) == 0) & (np.diff(one.person[order]) == 0)
        assert (one.start[order][1:] >= one.end[order][:-1])[same].all()
        assert (one.end > one.start).all()


def test_nobody_starts_at_or_after_the_cap(watched_days: list[WatchedDay]) -> None:
    """No start, not even of an absence, lies at or after the latest start of its practice."""
    latest = []
    for day, one in starts(watched_days):
        assert (one.start < day.cap[one.lane]).all()
        latest.append(int((day.cap[one.lane] - one.start).min()))
    assert min(latest) < 60 << 14


def test_nobody_starts_before_she_is_there(watched_days: list[WatchedDay]) -> None:
    """Nobody starts before her first session, and nobody without a session that day starts anything."""
    for day, one in starts(watched_days):
        assert (one.start >= day.free[one.person, one.lane]).all()


def test_no_wait_is_negative(watched_days: list[WatchedDay]) -> None:
    """No contact starts before its patient is there, and no follow-on before the work that it follows has ended."""
    for _, one in starts(watched_days):
        assert (one.start >= one.released).all()


def test_no_sum_of_waits_is_negative(
    watched_run: tuple[CareModel, list[WatchedDay]], arranged: tuple[CareModel, list[WatchedDay]]
) -> None:
    """Waits for a place, in the practice, for an answer and for urgent needs add up to no less than 0."""
    for model, _ in (watched_run, arranged):
        totals = model.state.accounts.totals
        assert (totals[Account.WAIT_OPEN_DAYS] >= totals[Account.WAITED]).all()
        for waits in (Account.WAIT_TICKS, Account.CALL_WAIT_TICKS, Account.URGENT_DELAY_TICKS):
            assert (totals[waits] >= 0).all()
        assert (totals[Account.CALL_WAITS] > 0).all()


def test_who_sits_at_the_desk_sees_no_patient(arranged: tuple[CareModel, list[WatchedDay]]) -> None:
    """A receptionist answers calls, meets and is absent; she starts no contact and no part of one."""
    model, days = arranged
    layout = model.block.layout
    allowed = (Part.CALL, Part.MEETING, Part.REST, Part.OFF)
    of_desk = layout.person_role == layout.roles.index("receptionist")
    calls = 0
    for _, one in starts(days):
        hers = of_desk[one.person]
        assert np.isin(one.part[hers], allowed).all()
        calls += np.count_nonzero(one.part[hers] == Part.CALL)
    assert calls > 1000


@pytest.mark.parametrize("name", ARRANGEMENTS)
def test_nobody_does_what_law_or_protocol_forbids(
    name: str, arranged: tuple[CareModel, list[WatchedDay]]
) -> None:
    """Every task that a member of staff spends time on is hers by law, and by protocol or by who answers."""
    model, _ = arranged
    layout, study = model.block.layout, short(*ARRANGEMENTS[name])
    number = 1 + list(ARRANGEMENTS).index(name)
    ticks = model.state.accounts.task_ticks
    spent = ticks.reshape(*ticks.shape[:2], model.block.n_scenarios, -1)[:, :, number].sum(2)
    given = {*study.protocol.acts, *study.protocol.visits, *study.protocol.desk}
    for role in layout.others:
        done = {layout.tasks[task] for task in np.flatnonzero(spent[role])}
        who = layout.roles[role]
        assert bool(done) == (who in study.staff)
        if done:
            answers = {"call_handling"} if study.first_contact.answered_by == who else set()
            assert done <= study.roles[who].permitted
            assert done <= given | answers


def tasks_of_nurses(model: CareModel, days: list[WatchedDay]) -> dict[str, int]:
    """How often nurses performed each task, on all days."""
    layout, register = model.block.layout, model.state.register
    nurse = layout.roles.index("nurse")
    count = np.zeros(len(layout.tasks), np.int64)
    for day in days:
        mine = day.done.index[day.done.role == nurse]
        done = mine[np.isin(day.parts.part[mine], (Part.CONTACT, Part.DELEGATED, Part.REMAINDER))]
        visit = day.parts.visit[done]
        row = register.requests.first[day.parts.request[done][visit]] + VISIT_ROW
        np.add.at(count, register.rows.task[row].astype(np.int64), 1)
        acts = (day.parts.acts[done][:, None] >> np.arange(len(layout.act_tasks))) & 1
        np.add.at(count, layout.act_tasks, acts.sum(0))
    return {name: int(n) for name, n in zip(layout.tasks, count, strict=True) if n}


def minutes_of_nurses(model: CareModel) -> set[str]:
    """Tasks on which nurses spent any time."""
    layout = model.block.layout
    spent = model.state.accounts.task_ticks[layout.roles.index("nurse")].sum(1)
    return {name for name, ticks in zip(layout.tasks, spent, strict=True) if ticks}


def test_nurses_do_only_what_law_and_protocol_allow(
    watched_run: tuple[CareModel, list[WatchedDay]],
) -> None:
    """Every task that a nurse performs is in her legal scope and in the protocol; she does most of what she may."""
    model, days = watched_run
    study = short(NURSE)
    done = tasks_of_nurses(model, days)
    allowed = {*study.protocol.acts, *study.protocol.visits}
    assert allowed <= study.roles["nurse"].permitted
    assert set(done) <= allowed
    assert minutes_of_nurses(model) <= allowed
    assert len(done) > len(allowed) / 2


@pytest.mark.parametrize("run", ["watched_run", "arranged"])
def test_only_gps_sign_and_take_back(run: str, request: pytest.FixtureRequest) -> None:
    """Supervision and hand-backs are the work of GPs; so are calls where nobody else is arranged to answer."""
    model, days = request.getfixturevalue(run)
    layout: Layout = model.block.layout
    signs = (Part.SUPERVISION, Part.HAND_BACK, *((Part.CALL,) if run == "watched_run" else ()))
    for _, one in starts(days):
        of_gp = np.isin(one.part, signs)
        assert (layout.person_role[one.person[of_gp]] == layout.gp).all()


def asking_for_everything(folder: Path) -> Study:
    """A protocol that gives the nurse every visit and act there is."""
    usual = load_study(NURSE)
    names = {
        kind: [name for name, task in usual.tasks.items() if task.kind == kind] for kind in ("act", "visit")
    }
    text = (conf_dir() / "protocol" / "technical_chronic_prevention.yaml").read_text(encoding="utf-8")
    tree = yaml.safe_load(text) | {
        "name": "everything",
        "acts": names["act"],
        "visits": names["visit"],
    }
    (folder / "protocol").mkdir()
    (folder / "protocol" / "everything.yaml").write_text(yaml.safe_dump(tree), encoding="utf-8")
    study = load_study([*NURSE, "protocol=everything"], [folder])
    return with_values(study, {"run.years": SHORT_YEARS})


def test_a_protocol_cannot_give_what_law_forbids(tmp_path: Path) -> None:
    """A protocol that asks the nurse to do everything changes nothing, to the last bit, beyond what law allows her."""
    everything, usual = asking_for_everything(tmp_path), short(NURSE)
    forbidden = {
        name
        for name, task in usual.tasks.items()
        if task.kind in ("act", "visit") and name not in usual.roles["nurse"].permitted
    }
    assert {refusal.task for refusal in everything.refused} == forbidden
    assert {"minor_illness", "cervical_smear"} <= forbidden
    totals = run_through(make_block([usual, everything], np.arange(2))).state.accounts.totals
    np.testing.assert_array_equal(totals[:, :2], totals[:, 2:])
