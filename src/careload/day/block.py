"""A block of lanes: what is fixed for a run, and the values that are carried from day to day."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from careload.day.accounts import Accounts
from careload.day.closing import Closed, no_closed
from careload.day.contacts import Contacts, no_contacts
from careload.day.outcomes import Outcomes
from careload.day.parts import Parts, no_parts
from careload.day.waiting import Waiting
from careload.draws import name_key, uniform
from careload.patients.bundle import BundleTables, Channel, Register
from careload.patients.calendar import WEEK_DAYS, Calendar
from careload.patients.demand import DemandTables, DueDates, Strata
from careload.patients.population import Population
from careload.practice.rota import DayRota, day_rota
from careload.practice.tables import Layout, Practices
from careload.ticks import NEVER

__all__ = ["Block", "Decisions", "Experience", "State", "first_state", "usual_gp"]

_USUAL = name_key("usual GP")


@dataclass(frozen=True)
class Block:
    """Lanes of one run: a lane is one scenario in one cell.

    Attributes
    ----------
    lane_of : ndarray of int64, shape (S, C)
        Lane of each scenario and cell, numbered in this order; -1 where a scenario is not run in a cell.
    practices : Practices
        One entry per lane.
    crumb_limit : ndarray of int64, shape (L,)
        Ticks below which an idle piece is a crumb.
    rotas : dict
        Pattern by weekday and by who has the monthly meeting.
    contrasts : tuple of (int, int)
        Baseline and scenario of every comparison.
    """

    layout: Layout
    calendar: Calendar
    demand: DemandTables
    bundles: BundleTables
    practices: Practices
    people: Population
    strata: Strata
    due: DueDates
    cell_key: NDArray[np.uint64]
    lane_of: NDArray[np.int64]
    crumb_limit: NDArray[np.int64]
    desk: DeskTables
    travel_ticks: NDArray[np.int64]
    rotas: dict[tuple[int, bytes], DayRota]
    contrasts: tuple[tuple[int, int], ...]

    @cached_property
    def desk_people(self) -> NDArray[np.bool_]:
        """Who sits at the desk and not among the clinicians, shape (C, L)."""
        rules = self.practices.first_contact
        seats: NDArray[np.bool_] = rules.at_desk & (self.layout.person_role[:, None] == rules.role)
        return seats

    @cached_property
    def streams_read(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Streams of everybody, her own first, then that of her role; a GP also takes what others leave too long.

        Returns
        -------
        streams : ndarray of int64, shape (C, 1 + R)
        delay : ndarray of int64, shape (C, 1 + R, L)
        """
        layout = self.layout
        people, roles = len(layout.person_role), len(layout.roles)
        streams = np.full((people, 1 + roles), layout.n_streams)
        delay = np.full((people, 1 + roles, self.n_lanes), NEVER)
        streams[:, 0], delay[:, :2] = np.arange(people), 0
        streams[:, 1] = layout.shared(layout.person_role)
        streams[layout.gps, 2:] = layout.shared(np.array(layout.others))
        delay[layout.gps, 2:] = np.maximum(1, self.practices.delegation.overflow)
        return streams, delay

    @cached_property
    def mean_by_role(self) -> NDArray[np.int64]:
        """Mean ticks of the tasks by role, for lane after lane; shape (R, L * T)."""
        means = self.practices.mean_ticks
        return np.ascontiguousarray(means.reshape(-1, means.shape[2]).T)

    @cached_property
    def travelling(self) -> NDArray[np.bool_]:
        """Whether somebody travels to visits of a channel, by its number."""
        ticks = np.bincount(self.bundles.channel, self.travel_ticks, minlength=len(Channel))
        return np.asarray(ticks > 0)

    @property
    def n_cells(self) -> int:
        """Replications times practices."""
        return len(self.cell_key)

    @property
    def n_scenarios(self) -> int:
        """Scenarios, the first of them the baseline."""
        return len(self.lane_of)

    @property
    def n_lanes(self) -> int:
        """Lanes in the block."""
        return len(self.cell_of_lane)

    @cached_property
    def scenario_of_lane(self) -> NDArray[np.int64]:
        """Number of the scenario of every lane."""
        return np.nonzero(self.lane_of >= 0)[0]

    @cached_property
    def cell_of_lane(self) -> NDArray[np.int64]:
        """Number of the cell of every lane."""
        return np.nonzero(self.lane_of >= 0)[1]

    @cached_property
    def contrasts_by_cells(self) -> tuple[tuple[NDArray[np.bool_], tuple[int, ...]], ...]:
        """Cells, shape (C,), in which both worlds of a contrast are run, and the contrasts with these cells."""
        run, numbers = self.lane_of >= 0, dict[bytes, tuple[NDArray[np.bool_], list[int]]]()
        for number, (baseline, scenario) in enumerate(self.contrasts):
            cells = run[baseline] & run[scenario]
            numbers.setdefault(cells.tobytes(), (cells, []))[1].append(number)
        return tuple((cells, tuple(listed)) for cells, listed in numbers.values())

    @cached_property
    def diary_masks(self) -> NDArray[np.int64]:
        """Bit mask of the diaries of a role, for acts and extra follow-ups and for visits; shape (L, R, 2)."""
        layout = self.layout
        role_of_diary = layout.person_role[layout.diary_person]
        rank_in_role = layout.diary_person - np.searchsorted(layout.person_role, role_of_diary)
        exists = rank_in_role < self.practices.heads[:, role_of_diary]
        role = np.arange(len(layout.roles))[:, None, None] == role_of_diary
        kind = (role_of_diary == layout.gp) | (layout.diary_planned == np.array([[False], [True]]))
        may = exists[:, None, None, :] & role & kind
        masks: NDArray[np.int64] = may @ (1 << np.arange(len(role_of_diary), dtype=np.int64))
        return masks

    @cached_property
    def ordinary_start(self) -> NDArray[np.int64]:
        """Starts of the places that may be booked ahead, by weekday, in order; shape (5, D, Z, L)."""
        of_day = [self.rota_of_weekday(weekday).ordinary_start for weekday in range(WEEK_DAYS)]
        start = np.full((WEEK_DAYS, *np.max([one.shape for one in of_day], axis=0)), NEVER)
        for weekday, one in enumerate(of_day):
            start[weekday, :, : one.shape[1]] = one
        return start

    def rota(self, day: int) -> DayRota:
        """The pattern of an open day."""
        weekday, rules = int(self.calendar.weekday[day]), self.practices.rota
        monthly = weekday == rules.monthly_weekday
        monthly &= (self.calendar.week[day] - 1) % rules.monthly_weeks == 0
        return self._pattern(weekday, monthly)

    def rota_of_weekday(self, weekday: int) -> DayRota:
        """The pattern of a weekday without a monthly meeting."""
        return self._pattern(weekday, np.zeros(self.n_lanes, np.bool_))

    def _pattern(self, weekday: int, monthly: NDArray[np.bool_]) -> DayRota:
        """The pattern of a weekday and of meetings in some lanes, made at its first use."""
        mark = weekday, monthly.tobytes()
        if mark not in self.rotas:
            self.rotas[mark] = day_rota(self.layout, self.practices, weekday, monthly)
        return self.rotas[mark]


@dataclass(frozen=True)
class DeskTables:
    """Work without a patient that comes at a rate; K kinds.

    Attributes
    ----------
    task : ndarray of int64, shape (K,)
    key : ndarray of uint64, shape (K,)
    rate : ndarray of float, shape (K,)
        Per listed patient and year.
    """

    task: NDArray[np.int64]
    key: NDArray[np.uint64]
    rate: NDArray[np.float64]


@dataclass(frozen=True)
class Decisions:
    """What agents hand to the days of a week.

    Attributes
    ----------
    trust : ndarray of float, shape (L, G)
        Trust of each GP in the delegate's role.
    seeking : ndarray of float, shape (scenarios, patients) or (scenarios, cells)
        Care-seeking factor of each patient, or of all patients of a cell.
    alike : bool
        Whether the patients of a cell are alike, so that `seeking` goes by cell.
    """

    trust: NDArray[np.float64]
    seeking: NDArray[np.float64]
    alike: bool = False


@dataclass(frozen=True)
class Experience:
    """What a week's days hand to the agents.

    Attributes
    ----------
    good_episodes, hand_backs : ndarray of int64, shape (L, G)
        Delegated episodes of each GP's patients that went well, and that came back.
    waited, wait_open_days : ndarray of int64, shape (L,)
        Patients' own requests for a later day that got a place, and their open days of waiting, summed.
    """

    good_episodes: NDArray[np.int64]
    hand_backs: NDArray[np.int64]
    waited: NDArray[np.int64]
    wait_open_days: NDArray[np.int64]


@dataclass
class State:
    """Values carried from day to day.

    Attributes
    ----------
    drawn : dict of int to slice
        Requests in the register of each day of the current week drawn so far.
    slips : Waiting
        Requests whose next step lies ahead.
    contacts : Contacts
        Contacts carried from the day before.
    parts : Parts
        Calls and follow-ons carried from the day before.
    used : ndarray of int16, shape (D, H + 1, L)
        Ordinary places used on each calendar day ahead.
    week : Experience
        The current week so far.
    closed : Closed
        Sums over requests that nothing can change any more.
    """

    register: Register
    outcomes: Outcomes
    accounts: Accounts
    drawn: dict[int, slice]
    slips: Waiting
    contacts: Contacts
    parts: Parts
    used: NDArray[np.int16]
    week: Experience
    closed: Closed


def no_experience(n_lanes: int, n_gps: int) -> Experience:
    """An empty week."""
    episodes, lanes = (n_lanes, n_gps), n_lanes
    return Experience(
        good_episodes=np.zeros(episodes, np.int64),
        hand_backs=np.zeros(episodes, np.int64),
        waited=np.zeros(lanes, np.int64),
        wait_open_days=np.zeros(lanes, np.int64),
    )


def first_state(block: Block) -> State:
    """An empty book, before the first day."""
    layout = block.layout
    horizon = int(block.practices.book.horizon_days.max())
    return State(
        register=Register(),
        outcomes=Outcomes(block.lane_of),
        accounts=Accounts(
            block.n_lanes, len(layout.roles), len(layout.tasks), len(block.contrasts), block.n_cells
        ),
        drawn={},
        slips=Waiting(),
        contacts=no_contacts(),
        parts=no_parts(len(layout.roles)),
        used=np.zeros((len(layout.diary_person), horizon + 1, block.n_lanes), np.int16),
        week=no_experience(block.n_lanes, len(layout.gps)),
        closed=no_closed(block),
    )


def usual_gp(block: Block, lane: NDArray[np.int64], patient: NDArray[np.int64]) -> NDArray[np.int64]:
    """Person number of each patient's own GP; patients without one (-1) get the first."""
    if len(block.layout.gps) == 1:
        return np.full(len(lane), block.layout.gps[0])
    heads = block.practices.heads[lane, block.layout.gp]
    place = np.floor(uniform(block.people.key[np.maximum(patient, 0)], _USUAL) * heads).astype(np.int64)
    own: NDArray[np.int64] = block.layout.gps[place]
    return own
