"""Law 6: Little's law on whole runs, in its exact form: numbers counted over time are waits added person by person.

Over a time that starts and ends empty, the time-average number waiting times the length of that time is the sum of the
waits. The left side is counted here from the moments at which somebody comes or goes; the right side is what the run
counted. Who is still there at the end is counted up to the end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from unittest.mock import patch

import numpy as np
import pytest
from numpy.typing import NDArray

from careload.agents import model as model_module
from careload.agents.model import CareModel
from careload.day.accounts import Account
from careload.day.block import Block, Decisions, State
from careload.day.parts import Part
from careload.day.schedule import ABSENCE
from careload.day.slips import Errand
from careload.day.stages import run_day
from careload.patients.bundle import Channel
from careload.simulate import make_block
from careload.ticks import MINUTE, NEVER
from runs import ARRANGEMENTS, NO_CHANCE, WatchedDay, count_all_days, run_out, run_through, short, watched

SOLO: Final = ("practice=solo", "protocol=none")
NAMES: Final = ("receptionist", "group", "team in one room")
LISTS: Final = np.array([900, 2600])
MIDNIGHT: Final = 24 * 60 * MINUTE


def number_over_time(
    lane: NDArray[np.int64], come: NDArray[np.int64], go: NDArray[np.int64], n_lanes: int
) -> NDArray[np.int64]:
    """Number present, integrated over time, by lane: between two moments it is what came less what went before."""
    place, at = np.concatenate((lane, lane)), np.concatenate((come, go))
    step = np.repeat([1, -1], len(lane))
    order = np.lexsort((at, place))
    place, at, present = place[order], at[order], np.cumsum(step[order])
    same = place[1:] == place[:-1]
    assert (present[:-1][~same] == 0).all()
    area = np.zeros(n_lanes, np.int64)
    np.add.at(area, place[:-1][same], (present[:-1] * np.diff(at))[same])
    return area


@dataclass(frozen=True)
class Watched:
    """A run of which every day was watched, every day counted."""

    model: CareModel
    days: list[WatchedDay]

    def count(self, account: Account) -> NDArray[np.int64]:
        counted: NDArray[np.int64] = self.model.state.accounts.totals[account]
        return counted


@pytest.fixture(scope="module")
def run() -> Watched:
    """A GP alone and three teams, one with too few rooms, in a small and in a saturated practice."""
    studies = [short(SOLO), *(short(*ARRANGEMENTS[name]) for name in NAMES)]
    with watched() as days:
        model = run_through(count_all_days(make_block(studies, np.arange(len(LISTS)), list_sizes=LISTS)))
    return Watched(model, days)


def waiting(
    run: Watched, chosen: Callable[[WatchedDay], NDArray[np.bool_]]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Number waiting over time, of what `chosen` picks from a day, and the part of it of those who are put off."""
    n_lanes = run.model.block.n_lanes
    area, put_off = np.zeros((2, n_lanes), np.int64)
    for day in run.days:
        rows = np.flatnonzero(chosen(day) & (day.parts.carried == 0) & (day.parts.parent < 0))
        lane, come = day.parts.lane[rows], day.parts.release[rows]
        go = np.minimum(day.whole.start[rows], MIDNIGHT)
        area += number_over_time(lane, come, go, n_lanes)
        late = go == MIDNIGHT
        put_off += np.bincount(lane[late], MIDNIGHT - come[late], minlength=n_lanes).astype(np.int64)
    return area, put_off


def in_office(run: Watched, day: WatchedDay) -> NDArray[np.bool_]:
    """Contacts held in the practice."""
    block, requests = run.model.block, run.model.state.register.requests
    visit = requests.visit[np.maximum(day.parts.request, 0)].astype(np.int64)
    office: NDArray[np.bool_] = block.bundles.channel[visit] == Channel.OFFICE
    return office & (day.parts.part == Part.CONTACT)


def test_the_waiting_room_holds_as_many_as_their_waits_say(run: Watched) -> None:
    """Patients waiting in the practice, integrated over all days, are their waits from release to start."""
    area, put_off = waiting(run, lambda day: in_office(run, day))
    assert np.array_equal(area - put_off, run.count(Account.WAIT_TICKS))
    assert (area > 0).all() and put_off.any()


def test_callers_waiting_are_their_waits_for_an_answer(run: Watched) -> None:
    """Callers on the line, at the desk and of the GP, integrated over all days, are their waits from call to answer."""
    area, put_off = waiting(run, lambda day: day.parts.part == Part.CALL)
    assert np.array_equal(area - put_off, run.count(Account.CALL_WAIT_TICKS))
    assert (area > 0).all()


def test_waits_are_divided_by_those_who_were_seen_and_answered(run: Watched) -> None:
    """Starts that mean waits are divided by, and calls by who answers them, are the starts of all days, one by one."""
    block = run.model.block
    found = {one: np.zeros(block.n_lanes, np.int64) for one in (Account.WAIT_STARTS, Account.CALL_WAITS)}
    by_staff, calls = np.zeros((2, block.n_lanes), np.int64)
    for day in run.days:
        started = day.whole.start < NEVER
        call, new = day.parts.part == Part.CALL, day.parts.carried == 0
        of_gp = block.layout.person_role[np.maximum(day.whole.person, 0)] == block.layout.gp
        for total, rows in (
            (found[Account.WAIT_STARTS], started & new & in_office(run, day)),
            (found[Account.CALL_WAITS], started & new & call),
            (calls, started & call),
            (by_staff, started & call & ~of_gp),
        ):
            total += np.bincount(day.parts.lane[rows], minlength=block.n_lanes)
    for account, number in {**found, Account.CALLS: calls, Account.CALLS_BY_STAFF: by_staff}.items():
        assert np.array_equal(number, run.count(account)), account.name
    assert by_staff.any() and (by_staff < calls).all()


def test_every_stream_of_the_schedule_keeps_the_law(run: Watched) -> None:
    """Of each stream of a clinical day, what waits in it over time is the wait of what was started in it."""
    n_lanes, seen = run.model.block.n_lanes, 0
    for day in run.days:
        items, timed, n_streams = day.items, day.timed, day.roster.n_streams
        first = np.flatnonzero((items.list != ABSENCE) & (timed.start < NEVER))
        born = items.parent[first] >= 0
        come = np.where(born, timed.end[np.maximum(items.parent[first], 0)], items.release[first])
        place = items.stream[first] * n_lanes + items.lane[first]
        area = number_over_time(place, come, timed.start[first], n_streams * n_lanes)
        wait = np.zeros_like(area)
        np.add.at(wait, place, timed.start[first] - come)
        assert np.array_equal(area, wait)
        seen += np.count_nonzero(area)
    assert seen > 1000


def test_gps_at_work_are_the_time_they_work(run: Watched) -> None:
    """GPs with a patient, at the telephone or signing, integrated over all days, are their time of service."""
    block = run.model.block
    area = np.zeros(block.n_lanes, np.int64)
    for day in run.days:
        index, part = day.done.index[day.done.by_gp], day.parts.part[day.done.index[day.done.by_gp]]
        index = index[part < Part.MEETING]
        times = (day.parts.lane[index], day.whole.start[index], day.whole.end[index])
        area += number_over_time(*times, block.n_lanes)
    assert np.array_equal(area, run.count(Account.GP_SERVICE))


ALL_ARE_SEEN: Final[Mapping[str, Any]] = {
    **NO_CHANCE,
    "book.no_place.retry": 1.0,
    "book.no_place.leave": 0.0,
    "book.retry_max": 100,
    "book.carry_days": 30,
}
"""Everybody comes, tries again as long as the book is full, and waits for the next day rather than be sent away."""
WEEKS: Final = 5


def own_on_their_way(block: Block, state: State) -> NDArray[np.int64]:
    """Patients' own requests that have come and are not yet seen, by lane."""
    number = np.zeros(block.n_lanes, np.int64)
    for table in (state.slips.table(), state.contacts):
        own = (table.errand == Errand.VISIT) & ~state.register.requests.set_by_practice[table.request]
        number += np.bincount(table.lane[own], minlength=block.n_lanes)
    return number


def test_requests_on_their_way_each_evening_are_the_days_they_wait() -> None:
    """Own requests on their way, summed over the evenings of a run that ends empty, are days from call to contact."""
    studies = [short(overrides, ALL_ARE_SEEN) for overrides in (SOLO, ("practice=solo_nurse",))]
    block = make_block(studies, np.arange(2), list_sizes=np.array([900, 2200]))
    evenings: list[NDArray[np.int64]] = []

    def watch(block_: Block, state: State, decisions: Decisions, day: int) -> None:
        run_day(block_, state, decisions, day)
        evenings.append(own_on_their_way(block_, state))

    with patch.object(model_module, "run_day", watch):
        model = run_out(block, WEEKS)
    totals, access = model.state.accounts.totals, model.state.accounts.access.sum(0)
    assert np.array_equal(totals[Account.SERVED], totals[Account.REQUESTS])
    assert not evenings[-1].any()
    assert not access[-1].any()
    days = np.arange(len(access)) @ access
    assert np.array_equal(np.sum(evenings, axis=0), days)
    assert (days > access.sum(0) / 2).all()
