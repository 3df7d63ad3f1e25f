"""Requests meet the book: places of today, later days, and what happens without a place (docs/day.md, section 8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from careload.columns import in_order, join, rows, take
from careload.day.block import Block, State, usual_gp
from careload.day.book import LaterRequests, TodayBookings, TodayRequests, book_later, book_today
from careload.day.parts import expand_acts
from careload.day.slips import Errand, Slips, Step, no_slips, with_columns
from careload.draws import child, name_key, uniform
from careload.patients.bundle import Register

__all__ = ["Refusals", "advance_book", "ask_later", "ask_today", "call_key"]

_TICK_BITS: Final = 27
"""Room for a tick of a day in a packed sort key."""

_NO_PLACE: Final = name_key("no place in the book")


@dataclass(frozen=True)
class Refusals:
    """Slips that found no place and do not try again: who gave up, and who was displaced."""

    left: Slips
    displaced: Slips


def call_key(register: Register, slips: Slips) -> NDArray[np.uint64]:
    """Key of the present try of each slip."""
    return child(
        register.requests.key.take(slips.request), slips.tries.astype(np.int64), slips.errand.astype(np.int64)
    )


def _places_needed(block: Block, register: Register, slips: Slips) -> NDArray[np.int64]:
    """Places that the planned minutes of each slip fill in every diary, rounded half up, at least 1; shape (D, n)."""
    layout, practices, lane = block.layout, block.practices, slips.lane
    n_tasks, n_roles = practices.mean_ticks.shape[1:]
    mean, n = practices.mean_ticks.reshape(-1), len(lane)
    first = lane * n_tasks
    visit = (first + layout.visit_tasks.take(register.requests.visit.take(slips.request))) * n_roles
    without_visit = np.flatnonzero(slips.errand == Errand.ACTS)
    slip, task = expand_acts(layout, slips.acts)
    act = (first.take(slip) + task) * n_roles
    role_of_diary = layout.person_role[layout.diary_person]
    need = np.empty((len(role_of_diary), n), np.int64)
    for role in np.unique(role_of_diary):
        planned = mean.take(visit + role)
        planned[without_visit] = 0
        planned += np.bincount(slip, mean.take(act + role), minlength=n).astype(np.int64)
        planned *= 2
        for diary in np.flatnonzero(role_of_diary == role):
            slot = practices.rota.slot[:, diary].take(lane)
            # Below 2**53 the quotient of doubles rounds to a whole number only where it is one.
            need[diary] = (planned + slot) / (2 * slot)
    return np.maximum(1, need, out=need)


def _diaries(block: Block, slips: Slips) -> NDArray[np.int64]:
    """Bit mask of the diaries that may serve each slip."""
    n_roles = len(block.layout.roles)
    kind = (slips.lane * n_roles + slips.role) * 2 + (slips.errand == Errand.VISIT)
    masks: NDArray[np.int64] = block.diary_masks.take(kind)
    return masks


def _in_order(
    register: Register, slips: Slips, group: NDArray[np.int64], tick: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Order of slips by (group, tick of the day, key)."""
    return in_order((group << _TICK_BITS) + tick, lambda tied: call_key(register, take(slips, tied)))


def ask_today(
    block: Block, state: State, day: int, slips: Slips, minute: NDArray[np.int64]
) -> tuple[NDArray[np.int64], TodayBookings]:
    """Give today's places to same-day requests in the order of the clock.

    Returns
    -------
    order : ndarray of int64, shape (n,)
        Rows of the slips in the order in which they ask.
    booked : TodayBookings
        What each got, in that order.
    """
    if not rows(slips):
        none = np.zeros(0, np.int64)
        return none, TodayBookings(none, none)
    order = _in_order(state.register, slips, slips.lane, minute)
    asked = take(slips, order)
    layout = block.layout
    usual = usual_gp(block, asked.lane, state.register.requests.patient.take(asked.request))
    preference = (layout.diary_person[:, None] != usual).astype(np.int64)
    requests = TodayRequests(
        lane=asked.lane,
        minute=minute.take(order),
        may=_diaries(block, asked),
        need=_places_needed(block, state.register, asked),
        order=preference,
    )
    return order, book_today(state.used[:, 0], block.rota(day).places, requests)


def ask_later(block: Block, state: State, day: int, slips: Slips) -> tuple[Slips, Slips, Refusals]:
    """Book later days in the order (urgency, minute, key); a delegate's full diary sends the patient to the GP.

    Returns
    -------
    booked : Slips
        With diary, day, start and lead.
    again : Slips
        Those who try again on the next open day.
    refusals : Refusals
    """
    booked, without = _give(block, state, day, slips)
    if not rows(without):
        return booked, without, Refusals(without, without)
    to_gp = (without.role != block.layout.gp) & (without.errand == Errand.VISIT)
    sent = with_columns(take(without, to_gp), role=block.layout.gp)
    by_gp, still = _give(block, state, day, sent)
    again, refusals = _without_place(block, state, day, join([still, take(without, ~to_gp)]))
    return join([booked, by_gp]), again, refusals


def _give(block: Block, state: State, day: int, slips: Slips) -> tuple[Slips, Slips]:
    """One pass over the book: slips with a place and slips without."""
    if not rows(slips):
        return slips, slips
    register, layout = state.register, block.layout
    order = _in_order(register, slips, slips.lane * 4 + slips.urgency, slips.start)
    asked = take(slips, order)
    patient = register.requests.patient.take(asked.request)
    booked = book_later(
        state.used,
        _ordinary_ahead(block, day),
        LaterRequests(
            lane=asked.lane,
            may=_diaries(block, asked),
            need=_places_needed(block, register, asked),
            usual=usual_gp(block, asked.lane, patient),
            continuity_days=np.floor(block.people.continuity_days.take(patient)).astype(np.int64),
            not_before=asked.ahead.astype(np.int64),
            person_of_diary=layout.diary_person,
        ),
    )
    found = booked.diary >= 0
    given, without = asked, no_slips()
    if not found.all():
        given, without, booked = take(asked, found), take(asked, ~found), take(booked, found)
    ahead = booked.day
    weekday = block.calendar.open_ahead(day, int(state.used.shape[1]) - 1).take(ahead)
    start = block.ordinary_start[weekday, booked.diary, booked.place, given.lane]
    number = int(block.calendar.number[day])
    given = with_columns(
        given, step=Step.ATTEND, diary=booked.diary, day=number + ahead, start=start, lead_days=ahead
    )
    return given, without


def _ordinary_ahead(block: Block, day: int) -> NDArray[np.int16]:
    """Ordinary places of every calendar day of the horizon; shape (D, H + 1, L)."""
    horizon = block.practices.book.horizon_days
    ahead = block.calendar.open_ahead(day, int(horizon.max()))
    ordinary = np.zeros((len(block.layout.diary_person), len(ahead), block.n_lanes), np.int16)
    for one in range(5):
        days = np.flatnonzero(ahead == one)
        within = days[:, None] <= horizon
        ordinary[:, days] = block.rota_of_weekday(one).ordinary[:, None] * within
    return ordinary


def _without_place(block: Block, state: State, day: int, slips: Slips) -> tuple[Slips, Refusals]:
    """Who found no place tries again on the next open day, gives up, or is displaced."""
    rules = block.practices.book
    draw = uniform(call_key(state.register, slips), _NO_PLACE)
    retry, leave = rules.retry[slips.lane], rules.leave[slips.lane]
    tries = slips.tries + 1
    again = (draw < retry) & (tries < rules.most_tries[slips.lane])
    left = (draw >= retry) & (draw < retry + leave)
    own_call = ~state.register.requests.set_by_practice[slips.request] & (slips.errand == Errand.VISIT)
    step = np.where(own_call, Step.CALL, Step.ASK)
    next_day = block.calendar.number[min(day + 1, len(block.calendar) - 1)]
    retried = with_columns(slips, step=step, day=next_day, tries=tries, ahead=1, refused=True)
    return take(retried, again), Refusals(take(slips, left), take(slips, ~again & ~left))


def advance_book(block: Block, state: State, day: int) -> None:
    """Move the book to the next open day."""
    if day + 1 < len(block.calendar):
        days = int(block.calendar.number[day + 1] - block.calendar.number[day])
        kept = max(0, state.used.shape[1] - days)
        state.used[:, :kept] = state.used[:, days : days + kept]
        state.used[:, kept:] = 0
