"""Whole runs for the tests of laws and traps: short, counted to the last day, watched, or without chance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from careload.agents.model import CareModel
from careload.day import stages as day_module
from careload.day.block import Block, State
from careload.day.closing import classes
from careload.day.parts import Parts
from careload.day.premises import count_premises
from careload.day.schedule import Items, Roster, Schedule, schedule
from careload.day.settle import Served
from careload.inputs.load import load_study
from careload.inputs.study import Study
from careload.results.ledger import Ledger, compare_worlds
from support import with_values

__all__ = [
    "ALWAYS_DELEGATED",
    "ARRANGEMENTS",
    "NO_CHANCE",
    "SHORT_YEARS",
    "WatchedDay",
    "classes_of_rows",
    "count_all_days",
    "delegating",
    "ledgers",
    "nurse_all_day",
    "only",
    "outcomes",
    "run_out",
    "run_through",
    "short",
    "watched",
    "without_demand",
]

SHORT_YEARS = 0.1
"""Length of the window: five weeks."""

RECEPTIONIST = ("practice=solo_receptionist", "protocol=administration", "first_contact=receptionist")
TEAM = ("protocol=everything_lawful", "practice.staff=[gp,nurse,assistant,receptionist]")

ARRANGEMENTS: Mapping[str, tuple[Sequence[str], Mapping[str, Any]]] = {
    "receptionist": (RECEPTIONIST, {}),
    "two receptionists": (RECEPTIONIST, {"practice.team.receptionist.heads": 2}),
    "assistant": (
        ("practice=solo_assistant", "protocol=technical_administration", "first_contact=assistant_protocol"),
        {},
    ),
    "nurse triage": (("practice=solo_nurse", "first_contact=nurse"), {}),
    "GP triage": (("practice=solo", "protocol=none", "first_contact=gp_triage"), {}),
    "group": (("practice=group", "protocol=administration", "first_contact=receptionist_protocol"), {}),
    "one room": (("practice=solo_nurse",), {"practice.extra_rooms": 0}),
    "team in one room": (
        ("practice=solo_nurse", "first_contact=receptionist_protocol", *TEAM),
        {"practice.extra_rooms": 0, "practice.team.nurse.pattern": "full_days"},
    ),
}
"""Ways to answer the telephone and to share work, and practices short of rooms: overrides and values of each."""

NO_CHANCE: Mapping[str, Any] = {
    "book.no_show_by_lead": (0.0,) * 7,
    "book.punctuality.earliest": 0,
    "book.punctuality.latest": 0,
    "first_contact.gp.under_share": 0.0,
    "first_contact.gp.over_share": 0.0,
    "first_contact.gp.closed_share": 0.0,
    "trust.active": False,
    "care_seeking.active": False,
    "meeting.huddle": 0,
    "meeting.monthly": 0,
}
"""Everybody comes on time, every call goes on as judged rightly, nobody's behaviour moves, nobody meets."""

ALWAYS_DELEGATED: Mapping[str, Any] = {
    "trust.start": 1.0,
    "patient.accepts_nurse": 1.0,
    "patient.accepts_nurse_75_drop": 0.0,
    "patient.accepts_second_trip": 1.0,
    "delegation.red_flag_share": 0.0,
    "delegation.stable_share": 1.0,
    "delegation.review_every_n": 1_000_000,
    "delegation.extra_follow_up": 0.0,
    "delegation.nurse_absent": 0.0,
    "delegation.overflow_minutes": 700,
}
"""What law and protocol allow is delegated whenever the delegate is there, and waits for her."""


def short(overrides: Sequence[str] = (), values: Mapping[str, Any] | None = None) -> Study:
    """A study of five weeks."""
    return with_values(load_study(list(overrides)), {"run.years": SHORT_YEARS, **(values or {})})


def only(
    study: Study, visits: Sequence[str], children: Mapping[str, float], values: Mapping[str, Any]
) -> Study:
    """A study without any work but some visits, which their practice sets, and what they carry; durations do not vary.

    Parameters
    ----------
    visits : sequence of str
        Tasks that keep their rate.
    children : mapping of str to float
        `visit.child` to probability; all others are 0.
    values : mapping of str to value
        Further values.
    """
    changed: dict[str, Any] = {}
    for name, task in study.tasks.items():
        changed[f"task.{name}.cv"] = 0.0
        if name not in visits and not task.children_only:
            changed[f"task.{name}.rate"] = 0.0
        elif task.set_by_practice_share is not None:
            changed[f"task.{name}.set_by_practice_share"] = 1.0
        for child in task.children:
            changed[f"task.{name}.children.{child}"] = children.get(f"{name}.{child}", 0.0)
    return with_values(study, {**changed, **NO_CHANCE, **ALWAYS_DELEGATED, **values})


def delegating(study: Study, acts: Sequence[str] = (), visits: Sequence[str] = ()) -> Study:
    """The same study with a protocol of some acts and visits."""
    protocol = replace(
        study.protocol,
        acts=dict.fromkeys(acts, "nurse"),
        visits=dict.fromkeys(visits, "nurse"),
        requires_stable=tuple(visits),
    )
    return replace(study, protocol=protocol)


def nurse_all_day(block: Block) -> Block:
    """The block with every nurse present as long as the day lasts."""
    rota = block.practices.rota
    nurse = block.layout.person_role == block.layout.roles.index("nurse")
    session, leaves = rota.session.copy(), rota.leaves_at.copy()
    here = nurse[None, :] & (session[:, :, 0, 0, 0] < rota.cap[:, None])
    whole = np.full(session.shape[2:], session.max())
    whole[:, 0] = 7 * 60 << 14, 20 * 60 << 14
    session[here] = whole
    leaves[here] = 20 * 60 << 14
    rota = replace(rota, session=session, leaves_at=leaves)
    return replace(block, practices=replace(block.practices, rota=rota), rotas={})


def count_all_days(block: Block) -> Block:
    """The block with warm-up and tail counted as well."""
    calendar = replace(block.calendar, in_window=np.ones_like(block.calendar.in_window))
    return replace(block, calendar=calendar)


def without_demand(block: Block) -> Block:
    """The block with no new work of any kind."""
    return replace(
        block,
        demand=replace(block.demand, call_only_rate=0.0),
        strata=replace(block.strata, count=np.zeros_like(block.strata.count)),
        due=replace(block.due, offset=np.zeros_like(block.due.offset)),
        desk=replace(block.desk, rate=np.zeros_like(block.desk.rate)),
    )


def run_through(block: Block) -> CareModel:
    """Run all days of a block; every day is counted if the block says so."""
    model = CareModel(block)
    model.run()
    return model


def run_out(block: Block, weeks: int) -> CareModel:
    """Run a block with all days counted: `weeks` weeks with demand, the others without, so that nothing is left."""
    model = CareModel(count_all_days(block))
    for _ in range(weeks):
        model.step()
    model.block = without_demand(model.block)
    model.run()
    return model


def ledgers(model: CareModel) -> list[Ledger]:
    """Every world of a finished model against the first."""
    found = compare_worlds(model.block, model.state)
    return [found[0, one] for one in range(1, model.block.n_scenarios)]


def outcomes(state: State, n_worlds: int) -> tuple[NDArray[np.int8], NDArray[np.int32]]:
    """Fate and GP time of every task row in every world, each run in all cells; shapes (S, rows)."""
    rows, register = np.arange(state.register.n_rows), state.register
    cell = register.requests.cell.take(register.rows.request)
    of = [state.outcomes.of(world, rows, cell) for world in range(n_worlds)]
    return np.stack([fate for fate, _ in of]), np.stack([ticks for _, ticks in of])


def classes_of_rows(state: State, baseline: int, scenario: int) -> NDArray[np.int64]:
    """Class of every task row in two worlds, each run in all cells: position in `CLASSES`, its length for none."""
    fate, ticks = outcomes(state, max(baseline, scenario) + 1)
    return classes(fate[baseline], fate[scenario], ticks[baseline], ticks[scenario])


@dataclass(frozen=True)
class WatchedDay:
    """One day: its clinical schedule, what all people started, the desk in, and who is there from when.

    Attributes
    ----------
    roster, items, timed
        Clinical schedule: what it was given and what it gave.
    parts, whole
        All work of the day and its times, that of the clinical schedule first, then that of the desk.
    done
        What was started, by whom.
    free, cap
        First presence of everybody, shape (C, L), and latest start, shape (L,).
    """

    roster: Roster
    items: Items
    timed: Schedule
    parts: Parts
    whole: Schedule
    done: Served
    free: NDArray[np.int64]
    cap: NDArray[np.int64]


@contextmanager
def watched() -> Iterator[list[WatchedDay]]:
    """Collect all days that are run inside the context."""
    days: list[WatchedDay] = []
    last: list[tuple[Roster, Items, Schedule]] = []

    def watch_schedule(roster: Roster, items: Items) -> Schedule:
        timed = schedule(roster, items)
        last[:] = [(roster, items, timed)]
        return timed

    def watch_count(
        block: Block, state: Any, day: int, parts: Parts, whole: Schedule, started: Parts, done: Served
    ) -> None:
        cap = block.practices.rota.cap
        days.append(WatchedDay(*last[0], parts, whole, done, block.rota(day).free, cap))
        count_premises(block, state, day, parts, whole, started, done)

    with (
        patch.object(day_module, "schedule", watch_schedule),
        patch.object(day_module, "count_premises", watch_count),
    ):
        yield days
