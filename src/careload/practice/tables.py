"""What a practice is, as arrays: people, sessions, diaries, rules; the first axis is the world, later the lane."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "VISIT_BIT",
    "BookRules",
    "DelegationRules",
    "DeskRules",
    "FirstContactRules",
    "Layout",
    "Practices",
    "Rota",
    "WeeklyRules",
    "for_lanes",
    "stack",
]

T = TypeVar("T")

VISIT_BIT: Final = -(1 << 63)
"""Bit of the visit in a mask of acts, the last one."""


@dataclass(frozen=True)
class Layout:
    """Numbering shared by all lanes of a block: C people, D diaries, R roles, T tasks.

    Attributes
    ----------
    roles : tuple of str
        Roles by role order, the least qualified first.
    gp : int
        Number of the GP's role.
    person_role : ndarray of int64, shape (C,)
        People are numbered by (role order, number within the role).
    diary_person : ndarray of int64, shape (D,)
    diary_planned : ndarray of bool, shape (D,)
        True for the places a delegate keeps for planned reviews.
    tasks : tuple of str
    groups : tuple of str
        Task group of every task.
    act_tasks, visit_tasks : ndarray of int64
        Task number of every act and visit.
    units : ndarray of int32, shape (laws, 65536)
        Duration laws with mean one, fixed point (`careload.quantiles`); narrow, so that they stay in the cache.
    law : ndarray of int64, shape (T,)
    """

    roles: tuple[str, ...]
    gp: int
    person_role: NDArray[np.int64]
    diary_person: NDArray[np.int64]
    diary_planned: NDArray[np.bool_]
    tasks: tuple[str, ...]
    groups: tuple[str, ...]
    act_tasks: NDArray[np.int64]
    visit_tasks: NDArray[np.int64]
    units: NDArray[np.int32]
    law: NDArray[np.int64]

    @cached_property
    def gps(self) -> NDArray[np.int64]:
        """Numbers of the GPs among the people."""
        return np.flatnonzero(self.person_role == self.gp)

    @cached_property
    def others(self) -> tuple[int, ...]:
        """Numbers of the other roles, the least qualified first."""
        return tuple(role for role in range(len(self.roles)) if role != self.gp)

    @cached_property
    def bit_of_task(self) -> NDArray[np.int64]:
        """Bit of every task in a mask of acts, that of the visit for what is no act; shape (T,)."""
        bit = np.full(len(self.tasks), VISIT_BIT)
        bit[self.act_tasks] = 1 << np.arange(len(self.act_tasks))
        return bit

    def shared(self, role: NDArray[np.int64] | int) -> NDArray[np.int64]:
        """Stream of work that anybody of a role takes at once; the own streams stand before it.

        The GPs take that of another role after the overflow delay.
        """
        return np.asarray(len(self.person_role) + np.asarray(role, np.int64))

    @property
    def shared_gp(self) -> int:
        """Stream of work that any GP takes."""
        return len(self.person_role) + self.gp

    @property
    def n_streams(self) -> int:
        """Own streams of all people and shared streams of all roles."""
        return len(self.person_role) + len(self.roles)


@dataclass(frozen=True)
class Rota:
    """Presence of people and places of diaries, in ticks; NEVER where there is none.

    Attributes
    ----------
    session : ndarray of int64, shape (W, C, 5, S, 2)
        Start and end of the sessions of each weekday, in time order.
    desk_session : ndarray of bool, shape (W, C, 5, S)
        Sessions without places.
    rest : ndarray of int64, shape (W, C, B, 2)
    leaves_at : ndarray of int64, shape (W, C)
    cap : ndarray of int64, shape (W,)
        Nobody starts anything at or after it.
    pace : ndarray of int64, shape (W, C)
        In 1/1024 of the reference.
    huddle : ndarray of int64, shape (W, 2)
        Daily meeting of everybody present.
    monthly : ndarray of int64, shape (W, 2)
        Monthly meeting of everybody present.
    monthly_weekday, monthly_weeks : ndarray of int64, shape (W,)
        Its day, 0 for Monday, and the weeks from one to the next, counted from ISO week 1.
    place : ndarray of int64, shape (W, D, 5, Z)
        Start of every place, in time order.
    held : ndarray of bool, shape (W, D, 5, Z)
        Places given only on the day itself.
    slot : ndarray of int64, shape (W, D)
        Length of a place.
    home_round : ndarray of int64, shape (W,)
        Release of planned home visits.
    rooms : ndarray of int64, shape (W,)
        Rooms in which patients are seen.
    seats : ndarray of int64, shape (W,)
        Seats of the waiting room.
    """

    session: NDArray[np.int64]
    desk_session: NDArray[np.bool_]
    rest: NDArray[np.int64]
    leaves_at: NDArray[np.int64]
    cap: NDArray[np.int64]
    pace: NDArray[np.int64]
    huddle: NDArray[np.int64]
    monthly: NDArray[np.int64]
    monthly_weekday: NDArray[np.int64]
    monthly_weeks: NDArray[np.int64]
    place: NDArray[np.int64]
    held: NDArray[np.bool_]
    slot: NDArray[np.int64]
    home_round: NDArray[np.int64]
    rooms: NDArray[np.int64]
    seats: NDArray[np.int64]


@dataclass(frozen=True)
class BookRules:
    """Rules of the book; shape (W,) unless said, times in ticks, days in calendar days."""

    horizon_days: NDArray[np.int64]
    retry: NDArray[np.float64]
    leave: NDArray[np.float64]
    most_tries: NDArray[np.int64]
    carry_days: NDArray[np.int64]
    fit_in: NDArray[np.int64]
    no_show: NDArray[np.float64]
    """By lead in calendar days, shape (W, days)."""
    no_show_rebooks: NDArray[np.float64]
    no_show_after_days: NDArray[np.int64]
    punctuality: NDArray[np.int64]
    """Earliest and latest against the start of the place, shape (W, 2)."""
    travel: NDArray[np.int64]


@dataclass(frozen=True)
class FirstContactRules:
    """Who answers the telephone, and how well; shape (W,), or (W, 2): the GP as fallback, then the arrangement.

    Attributes
    ----------
    role : ndarray of int64, shape (W,)
        Role that answers while one of it is in session.
    at_desk : ndarray of bool, shape (W,)
        True if that role has no patients of its own: its calls are solved before the clinical day.
    closed, elsewhere, under, over : ndarray of float, shape (W, 2)
        Shares closed without visit, sent elsewhere, and judged one level too low or too high.
    recontact : ndarray of float
        Share of closed needs that call again.
    recontact_days : ndarray of int64
        Open days within which they do.
    bare_ticks, asking_ticks : ndarray of int64, shape (W, R)
        Mean length of a call that carries no request, and of one that does, by role.
    """

    role: NDArray[np.int64]
    at_desk: NDArray[np.bool_]
    closed: NDArray[np.float64]
    elsewhere: NDArray[np.float64]
    under: NDArray[np.float64]
    over: NDArray[np.float64]
    recontact: NDArray[np.float64]
    recontact_days: NDArray[np.int64]
    bare_ticks: NDArray[np.int64]
    asking_ticks: NDArray[np.int64]

    @cached_property
    def mean_by_role(self) -> NDArray[np.int64]:
        """Mean lengths of bare calls, then of those that ask, shape (R, 2 * W)."""
        return np.ascontiguousarray(np.concatenate((self.bare_ticks, self.asking_ticks)).T)


@dataclass(frozen=True)
class DeskRules:
    """Desk work that others than GPs take.

    Attributes
    ----------
    role : ndarray of int64, shape (W, T)
        Role that takes its share of a task, -1 for none.
    share : ndarray of float, shape (W, T)
        Share of the instances.
    """

    role: NDArray[np.int64]
    share: NDArray[np.float64]

    @cached_property
    def given(self) -> NDArray[np.bool_]:
        """Tasks of which somebody takes a share in some world, shape (T,)."""
        return np.asarray(np.any(self.role >= 0, axis=0))


@dataclass(frozen=True)
class DelegationRules:
    """Delegation of acts and visits; shape (W,) unless said, minutes in ticks."""

    may_act: NDArray[np.bool_]
    """Acts a role may do by law and protocol, shape (W, R, A)."""
    needs_doctor: NDArray[np.bool_]
    """Acts a role may do only with a doctor in the building, shape (W, R, A)."""
    visit_role: NDArray[np.int64]
    """Role of each visit that is delegated, -1 for none, shape (W, V)."""
    needs_stable: NDArray[np.bool_]
    """Visits delegated for stable patients only, shape (W, V)."""
    stable_share: NDArray[np.float64]
    review_every: NDArray[np.int64]
    red_flag: NDArray[np.float64]
    overflow: NDArray[np.int64]
    absent_booked: NDArray[np.float64]
    supervision_act: NDArray[np.int64]
    supervision_contact: NDArray[np.int64]
    hand_back_act: NDArray[np.float64]
    hand_back_contact: NDArray[np.float64]
    hand_back_extra: NDArray[np.int64]
    hand_over: NDArray[np.int64]
    extra_follow_up: NDArray[np.float64]
    extra_follow_up_days: NDArray[np.int64]
    """Open days from the delegated contact to its extra follow-up."""

    @cached_property
    def acts_allowed(self) -> NDArray[np.int64]:
        """`may_act` as bit masks of acts, shape (R, W)."""
        return _masks(self.may_act)

    @cached_property
    def acts_with_doctor(self) -> NDArray[np.int64]:
        """`needs_doctor` as bit masks of acts, shape (R, W)."""
        return _masks(self.needs_doctor)


def _masks(allowed: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Bit masks over the last axis of (W, R, A), shape (R, W)."""
    bits = allowed @ (1 << np.arange(allowed.shape[-1], dtype=np.int64))
    return np.ascontiguousarray(bits.T)


@dataclass(frozen=True)
class WeeklyRules:
    """Slow change; shape (W,)."""

    trust_start: NDArray[np.float64]
    trust_gain: NDArray[np.float64]
    trust_loss: NDArray[np.float64]
    trust_least: NDArray[np.float64]
    trust_most: NDArray[np.float64]
    seeking_elasticity: NDArray[np.float64]
    seeking_reference_days: NDArray[np.float64]
    seeking_memory_weeks: NDArray[np.int64]
    seeking_least: NDArray[np.float64]
    seeking_most: NDArray[np.float64]


@dataclass(frozen=True)
class Practices:
    """All that may differ between worlds.

    Attributes
    ----------
    heads : ndarray of int64, shape (W, R)
    mean_ticks : ndarray of int64, shape (W, T, R)
        Mean duration of a task by role; 0 where the role has no time for it.
    """

    heads: NDArray[np.int64]
    mean_ticks: NDArray[np.int64]
    rota: Rota
    book: BookRules
    first_contact: FirstContactRules
    desk: DeskRules
    delegation: DelegationRules
    weekly: WeeklyRules


def for_lanes(table: T, world: NDArray[np.int64]) -> T:
    """The table with one entry per lane: `world` (L,) names the world of every lane."""
    values = {}
    for field in fields(table):  # type: ignore[arg-type]
        value = getattr(table, field.name)
        values[field.name] = value[world] if isinstance(value, np.ndarray) else for_lanes(value, world)
    return type(table)(**values)


def stack(tables: list[T]) -> T:
    """Tables of single worlds (first axis 1), one after the other; ragged last axes are padded by the caller."""
    first = tables[0]
    values = {}
    for field in fields(first):  # type: ignore[arg-type]
        parts = [getattr(table, field.name) for table in tables]
        values[field.name] = np.concatenate(parts) if isinstance(parts[0], np.ndarray) else stack(parts)
    return type(first)(**values)
