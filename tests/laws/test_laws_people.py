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
from runs import SHORT_YEARS, WatchedDay, run_through, short, watched
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


def starts(days: list[WatchedDay]) -> Iterator[tuple[WatchedDay, Starts]]:
    """What was started, day by day."""
    for day in days:
        index = np.flatnonzero(day.timed.start < NEVER)
        parent = day.items.parent[index]
        released = np.where(parent >= 0, day.timed.end[np.maximum(parent, 0)], day.items.release[index])
        yield (
            day,
            Starts(
                lane=day.items.lane[index],
                person=day.timed.person[index].astype(np.int64),
                start=day.timed.start[index],
                end=day.timed.end[index],
                part=day.parts.part[index],
                released=released,
            ),
        )


def test_the_days_watched_hold_work_of_every_kind(
    watched_run: tuple[CareModel, list[WatchedDay]],
) -> None:
    """The days that the laws of this file are held against have calls, contacts, parts, follow-ons and absences."""
    model, days = watched_run
    assert len(days) == len(model.block.calendar)
    seen = np.unique(np.concatenate([one.part for _, one in starts(days)]))
    assert seen.tolist() == [int(part) for part in Part]


def test_no_one_is_in_two_places(watched_run: tuple[CareModel, list[WatchedDay]]) -> None:
    """Whatever a person starts, absences included, she has ended what she began before."""
    for _, one in starts(watched_run[1]):
        order = np.lexsort((one.start, one.person, one.lane))
        same = (np.diff(one.lane[order]) == 0) & (np.diff(one.person[order]) == 0)
        assert (one.start[order][1:] >= one.end[order][:-1])[same].all()
        assert (one.end > one.start).all()


def test_nobody_starts_at_or_after_the_cap(watched_run: tuple[CareModel, list[WatchedDay]]) -> None:
    """No start, not even of an absence, lies at or after the latest start of its practice."""
    latest = []
    for day, one in starts(watched_run[1]):
        assert (one.start < day.roster.cap[one.lane]).all()
        latest.append(int((day.roster.cap[one.lane] - one.start).min()))
    assert min(latest) < 60 << 14


def test_nobody_starts_before_she_is_there(watched_run: tuple[CareModel, list[WatchedDay]]) -> None:
    """Nobody starts before her first session, and nobody without a session that day starts anything."""
    for day, one in starts(watched_run[1]):
        assert (one.start >= day.roster.free[one.person, one.lane]).all()


def test_no_wait_is_negative(watched_run: tuple[CareModel, list[WatchedDay]]) -> None:
    """No contact starts before its patient is there, and no follow-on before the work that it follows has ended."""
    for _, one in starts(watched_run[1]):
        assert (one.start >= one.released).all()
    totals = watched_run[0].state.accounts.totals
    assert (totals[Account.WAIT_OPEN_DAYS] >= totals[Account.WAITED]).all()
    assert (totals[Account.WAIT_TICKS] >= 0).all()


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


def test_only_gps_sign_and_take_back(watched_run: tuple[CareModel, list[WatchedDay]]) -> None:
    """Calls, supervision and hand-backs are the work of GPs."""
    model, days = watched_run
    layout: Layout = model.block.layout
    for _, one in starts(days):
        of_gp = np.isin(one.part, (Part.CALL, Part.SUPERVISION, Part.HAND_BACK))
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
