"""The telephone: who answers each call, and the desk, solved before the clinical day (docs/day.md, section 7)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from careload.columns import join, replace, spread, take
from careload.day.accounts import Account
from careload.day.block import Block, State
from careload.day.contacts import call_parts
from careload.day.first_contact import Answers, Outcome, answer, call_of
from careload.day.outcomes import Fate
from careload.day.parts import Part, Parts, as_items, call_rows, no_parts, reference_ticks
from careload.day.schedule import Roster, Schedule, schedule
from careload.day.slips import Slips, Step, with_columns
from careload.patients.bundle import VISIT_ROW
from careload.practice.rota import END_OF_DAY, in_session
from careload.ticks import NEVER

__all__ = ["Calls", "DeskDay", "first_contact", "no_desk_day"]


@dataclass(frozen=True)
class Calls:
    """Calls of today, n rows.

    Attributes
    ----------
    lane, request : ndarray of int64
    minute : ndarray of int64
        Tick at which the call comes in.
    key : ndarray of uint64
    asks : ndarray of bool
        Whether the call carries a request.
    """

    lane: NDArray[np.int64]
    request: NDArray[np.int64]
    minute: NDArray[np.int64]
    key: NDArray[np.uint64]
    asks: NDArray[np.bool_]


@dataclass(frozen=True)
class DeskDay:
    """The day of those who answer the telephone and have no patients of their own."""

    parts: Parts
    timed: Schedule


def first_contact(
    block: Block, state: State, day: int, slips: Slips, bare: Calls
) -> tuple[Slips, Parts, DeskDay]:
    """Answer the calls of the day.

    Closed needs that call again wait in the state; the other closed needs and those sent elsewhere end here.

    Parameters
    ----------
    bare : Calls
        Calls that carry no request.

    Returns
    -------
    judged : Slips
        What goes on, with its judged urgency and the minute at which it leaves first contact.
    calls : Parts
        Calls that clinicians answer, as work of theirs.
    desk : DeskDay
        Calls answered at the desk, with their times.
    """
    calling = slips.step == Step.CALL
    callers, others = take(slips, calling), take(slips, ~calling)
    requests = state.register.requests
    key, minute = call_of(block.bundles, state.register, callers)
    called = ~(requests.walk_in[callers.request] & (callers.tries == 0))
    said = np.flatnonzero(called)
    asking = Calls(
        callers.lane[said], callers.request[said], minute[said], key[said], np.ones(len(said), np.bool_)
    )
    calls = join([bare, asking])
    arranged, at_desk = _who_answers(block, day, calls)
    parts = _as_parts(block, state, calls, arranged)
    desk = _desk_day(block, day, take(parts, at_desk))
    _count_unanswered(block, state, day, desk)
    leaves = calls.minute.copy()
    leaves[at_desk] = desk.timed.end[: np.count_nonzero(at_desk)]
    minute[said], of_caller = leaves[len(bare.lane) :], np.zeros(len(called), np.bool_)
    of_caller[said] = arranged[len(bare.lane) :]
    answers = answer(block.practices.first_contact, state.register, callers, key, called, of_caller)
    reached = minute < NEVER
    _try_again(block, state, day, take(callers, ~reached))
    callers, answers = take(callers, reached), take(answers, reached)
    _end_calls(block, state, day, callers, answers)
    judged = with_columns(callers, urgency=answers.urgency, start=minute[reached])
    goes_on = take(judged, answers.outcome == Outcome.JUDGED)
    return join([goes_on, others]), take(parts, ~at_desk), desk


def _who_answers(block: Block, day: int, calls: Calls) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether the role of the arrangement answers, somebody of it being in session, and whether at the desk."""
    layout, rules, rota = block.layout, block.practices.first_contact, block.rota(day)
    role = rules.role[calls.lane]
    arranged = role == layout.gp
    for other in layout.others:
        mine, people = np.flatnonzero(role == other), np.flatnonzero(layout.person_role == other)
        arranged[mine] = in_session(rota, people, calls.lane.take(mine), calls.minute.take(mine))
    return arranged, arranged & rules.at_desk[calls.lane]


def _as_parts(block: Block, state: State, calls: Calls, arranged: NDArray[np.bool_]) -> Parts:
    """Calls as work in the common stream of the role that answers."""
    layout, rules, register = block.layout, block.practices.first_contact, state.register
    mean = rules.mean_by_role.take(calls.asks * block.n_lanes + calls.lane, axis=1)
    luck = register.rows.luck.take(call_rows(register, calls.request))
    ticks = reference_ticks(mean, layout.units[layout.law[block.bundles.call_task]].take(luck))
    stream = layout.shared(np.where(arranged, rules.role[calls.lane], layout.gp))
    return call_parts(calls.lane, calls.request, calls.minute, calls.key, ticks, stream)


def no_desk_day(n_roles: int) -> DeskDay:
    """A day on which nobody sits at the desk."""
    empty = np.zeros(0, np.int64)
    nobody, never = empty.astype(np.int16), empty.astype(np.bool_)
    return DeskDay(no_parts(n_roles), Schedule(empty, empty, nobody, empty, never))


def _desk_day(block: Block, day: int, calls: Parts) -> DeskDay:
    """Solve the desk of every lane that has one, with its breaks and meetings; nobody leaves while calls wait."""
    layout, practices, rota = block.layout, block.practices, block.rota(day)
    seats = block.desk_people
    people = np.flatnonzero(seats.any(1))
    if not len(people):
        return no_desk_day(len(layout.roles))
    away = rota.absences
    home = (away.part == Part.OFF) & (away.fixed_end == END_OF_DAY)
    parts = join([calls, take(away, seats[away.stream, away.lane] & ~home)])
    number = np.full(layout.n_streams, -1)
    number[people] = np.arange(len(people))
    role = layout.person_role[people]
    number[layout.shared(role)] = len(people) + role
    roster = Roster(
        role=role,
        streams=np.stack((np.arange(len(people)), len(people) + role), axis=1),
        n_streams=len(people) + len(layout.roles),
        pace=practices.rota.pace.T[people],
        free=np.where(seats[people], rota.free[people], NEVER),
        delay=np.zeros((len(people), 2, block.n_lanes), np.int64),
        cap=practices.rota.cap,
        rooms=np.full(block.n_lanes, len(people)),
    )
    items = as_items(replace(parts, stream=number[parts.stream]), np.zeros(len(parts.lane), np.bool_))
    timed = schedule(roster, items)
    started = timed.person >= 0
    person = np.where(started, people[np.maximum(timed.person, 0)], -1).astype(np.int16)
    return DeskDay(parts, replace(timed, person=person, created=timed.created & started))


def _count_unanswered(block: Block, state: State, day: int, desk: DeskDay) -> None:
    if block.calendar.in_window[day]:
        lost = (desk.parts.part == Part.CALL) & (desk.timed.start == NEVER)
        state.accounts.count(Account.CALLS_UNANSWERED, desk.parts.lane[lost])


def _try_again(block: Block, state: State, day: int, slips: Slips) -> None:
    """Callers whom the desk did not reach call again on the next open day, as often as the book lets them try."""
    if not len(slips.lane):
        return
    tries = slips.tries + 1
    again = tries < block.practices.book.most_tries[slips.lane]
    next_day = block.calendar.number[min(day + 1, len(block.calendar) - 1)]
    waiting = with_columns(slips, day=next_day, tries=tries)
    state.slips.put(take(waiting, again))
    if block.calendar.in_window[day]:
        state.accounts.count(Account.DISPLACED, slips.lane[~again])


def _end_calls(block: Block, state: State, day: int, callers: Slips, answers: Answers) -> None:
    """Book-keeping of calls that lead to no visit, and of urgency missed.

    A call closed after the book had no place leaves the need unmet: it is not the closing that ends it.
    """
    closed = answers.outcome == Outcome.CLOSED
    again = np.flatnonzero(closed & (answers.again_after > 0))
    ended = np.flatnonzero(closed & (answers.again_after == 0))
    index = np.minimum(day + answers.again_after.take(again), len(block.calendar) - 1)
    back = take(callers, again)
    state.slips.put(with_columns(back, day=block.calendar.number.take(index), tries=back.tries + 1))
    _set_fate(state, take(callers, ended.compress(~callers.refused.take(ended))), Fate.NOT_NEEDED)
    if block.calendar.in_window[day]:
        elsewhere = np.flatnonzero(answers.outcome == Outcome.ELSEWHERE)
        state.accounts.count(Account.CLOSED, callers.lane.take(ended))
        state.accounts.count(Account.ELSEWHERE, callers.lane.take(elsewhere))
        state.accounts.count(Account.MISSED_URGENT, callers.lane.compress(answers.missed))


def _set_fate(state: State, slips: Slips, fate: int) -> None:
    """Set the fate of visit, acts and desk work of slips."""
    requests = state.register.requests
    of, row = spread(1 + requests.n_acts.take(slips.request) + requests.n_desk.take(slips.request))
    row += (requests.first.take(slips.request) + VISIT_ROW).take(of)
    state.outcomes.record(slips.lane.take(of), row, fate, np.zeros(len(of), np.int64))
