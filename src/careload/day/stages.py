"""The day: one list of stages, in the order of docs/day.md, section 11."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from careload.columns import join, replace, take
from careload.day.accounts import Account
from careload.day.attend import arrivals, due_slips, places_of_today
from careload.day.block import Block, Decisions, State
from careload.day.booking import Refusals, advance_book, ask_later
from careload.day.calls import first_contact
from careload.day.contacts import Contacts, contact_parts
from careload.day.counts import count_contacts
from careload.day.delegate import Split, split
from careload.day.desk import desk_work, inside_sessions
from careload.day.gaps import GpDay, Services, fill_gaps
from careload.day.parts import Contents, Part, Parts, as_items, contents
from careload.day.premises import count_premises, needs_room
from careload.day.schedule import Roster, Schedule, schedule
from careload.day.settle import (
    Served,
    carry,
    credit,
    delegated_episodes,
    learn_episodes,
    new_errands,
    next_day_follow_ons,
    served,
)
from careload.day.slips import Errand, Slips
from careload.practice.rota import DayRota, in_session
from careload.ticks import NEVER

__all__ = ["run_day"]


def run_day(block: Block, state: State, decisions: Decisions, day: int) -> None:
    """Run one open day of every lane; `state` is carried to the next day."""
    due = due_slips(block, state, day)
    new, bare_calls = arrivals(block, state, decisions, day)
    judged, calls, front = first_contact(block, state, day, join([due, new]), bare_calls)
    attendance = places_of_today(block, state, decisions, day, judged)
    contacts = join([_carried(block, state, day), attendance.contacts])
    division, parts, tasks = _divide(block, state, decisions, day, contacts)
    parts = _with_other_work(block, state, day, parts, calls)
    timed = _schedule(block, day, parts)
    parts, timed = join([parts, front.parts]), join([timed, front.timed])
    started, done = served(block, parts, timed)
    credit(block, state, day, started, done, tasks)
    desk = desk_work(block, state, day, started, done)
    gp_day = _fill(block, day, started, done, desk)
    _settle(block, state, day, contacts, parts, timed, started, done, gp_day)
    errands = new_errands(block, state, day, contacts, division, done)
    _book(block, state, day, join([attendance.later, errands]))
    advance_book(block, state, day)


def _carried(block: Block, state: State, day: int) -> Contacts:
    """Contacts of the day before; those of somebody absent today go to the shared stream of who may take them."""
    contacts, layout = state.contacts, block.layout
    own = contacts.stream < len(layout.person_role)
    free = block.rota(day).free[np.where(own, contacts.stream, 0), contacts.lane]
    shared = layout.shared(contacts.role.astype(np.int64))
    return replace(contacts, stream=np.where(own & (free == NEVER), shared, contacts.stream))


def _own_stream(block: Block, day: int, lane: NDArray[np.int64], gp: NDArray[np.int64]) -> NDArray[np.int64]:
    """Stream of a GP who signs: his own if he is there today, else that of all GPs."""
    here = block.rota(day).free[gp, lane] < NEVER
    return np.where(here, gp, block.layout.shared_gp)


def _divide(
    block: Block, state: State, decisions: Decisions, day: int, contacts: Contacts
) -> tuple[Split, Parts, Contents]:
    """Divide today's contacts between GP and delegate: acts, parts, and the part of every task."""
    layout, rules = block.layout, block.practices.delegation
    with_acts = np.flatnonzero(contacts.acts)
    division = _divide_acts(block, state, decisions, day, take(contacts, with_acts), with_acts)
    visit = contacts.errand != Errand.ACTS
    inside = contents(
        state.register,
        layout,
        block.mean_by_role,
        contacts.lane,
        contacts.request,
        visit,
        contacts.acts,
    )
    own = _own_stream(block, day, contacts.lane, contacts.gp)
    parts, tasks = contact_parts(layout, rules, state.register, contacts, division, inside, own)
    return division, parts, tasks


def _divide_acts(
    block: Block, state: State, decisions: Decisions, day: int, contacts: Contacts, rows: NDArray[np.int64]
) -> Split:
    """Divide the acts of contacts that have some; `rows` are theirs among all contacts."""
    layout, rota = block.layout, block.rota(day)
    released = np.maximum(contacts.release, rota.free[layout.gps[0]].take(contacts.lane))
    present = np.zeros((len(layout.roles), len(released)), np.bool_)
    for role in layout.others:
        present[role] = in_session(rota, np.flatnonzero(layout.person_role == role), contacts.lane, released)
    on_site = in_session(rota, layout.gps, contacts.lane, released, with_places=True)
    trust = decisions.trust[contacts.lane, np.searchsorted(layout.gps, contacts.gp)]
    rules = block.practices.delegation
    return split(layout, rules, state.register, block.people, trust, present, on_site, contacts, rows)


def _with_other_work(block: Block, state: State, day: int, parts: Parts, calls: Parts) -> Parts:
    """Add carried work, calls and absences to the parts of the contacts."""
    carried = state.parts
    own = carried.stream < len(block.layout.person_role)
    free = block.rota(day).free[np.where(own, carried.stream, 0), carried.lane]
    stream = np.where(own & (free == NEVER), block.layout.shared_gp, carried.stream)
    away = block.rota(day).absences
    at_desk = block.desk_people[away.stream, away.lane]
    return join([parts, replace(carried, stream=stream), calls, take(away, ~at_desk)])


def _schedule(block: Block, day: int, parts: Parts) -> Schedule:
    """Solve the clinical day of every lane."""
    layout, rota, practices = block.layout, block.rota(day), block.practices
    streams, delay = block.streams_read
    roster = Roster(
        role=layout.person_role,
        streams=streams,
        n_streams=layout.n_streams,
        pace=practices.rota.pace.T,
        free=np.where(block.desk_people, NEVER, rota.free),
        delay=delay,
        cap=practices.rota.cap,
        rooms=practices.rota.rooms,
    )
    return schedule(roster, as_items(parts, needs_room(parts)))


def _fill(block: Block, day: int, started: Parts, done: Served, desk: NDArray[np.int64]) -> GpDay:
    """Let desk work fill the GPs' gaps."""
    rota: DayRota = block.rota(day)
    gp = np.flatnonzero(done.by_gp)
    part = started.part.take(gp)
    services = Services(
        lane=started.lane.take(gp),
        person=done.person.take(gp),
        start=done.start.take(gp),
        end=done.end.take(gp),
        off=part == Part.OFF,
        rest=part == Part.REST,
    )
    return fill_gaps(
        services, block.layout.gps, rota.free, rota.close, *rota.desk_block, desk, block.crumb_limit
    )


def _settle(
    block: Block,
    state: State,
    day: int,
    contacts: Contacts,
    parts: Parts,
    timed: Schedule,
    started: Parts,
    done: Served,
    gp_day: GpDay,
) -> None:
    """Count the day, remember its episodes and carry what was not started."""
    count_contacts(block, state, day, started, done)
    count_premises(block, state, day, parts, timed, started, done)
    episodes = delegated_episodes(block, state, started, done)
    learn_episodes(block, state, episodes)
    born = next_day_follow_ons(block, episodes)
    carry(block, state, day, contacts, parts, timed, born)
    if block.calendar.in_window[day]:
        for account, amount in _GP_DAY.items():
            state.accounts.add_lanes(account, getattr(gp_day, amount))
        _count_presence(block, state, block.rota(day), started, done)


_GP_DAY: Final = {
    Account.GP_PRESENCE: "presence",
    Account.GP_AFTER_CLOSING: "after_closing",
    Account.GP_EVENING: "evening",
    Account.GP_REST: "rest",
    Account.GP_USABLE: "usable",
    Account.GP_CRUMBS: "crumbs",
}


def _count_presence(block: Block, state: State, rota: DayRota, started: Parts, done: Served) -> None:
    """Paid time of the staff: their sessions, and what they work or meet outside them."""
    layout = block.layout
    for role in layout.others:
        paid = rota.length[layout.person_role == role].sum(0)
        state.accounts.present[role] += paid
        state.accounts.add_lanes(Account.STAFF_PRESENCE, paid)
    busy = np.flatnonzero(~done.by_gp & (started.part <= Part.MEETING))
    lane, performer, ticks = started.lane.take(busy), done.role.take(busy), done.ticks.take(busy)
    start, end = done.start.take(busy), done.end.take(busy)
    outside = ticks - inside_sessions(rota, done.person.take(busy), lane, start, end)
    state.accounts.add(Account.STAFF_PRESENCE, lane, outside)
    present, met = state.accounts.present, state.accounts.met
    np.add.at(present, (performer, lane), outside)
    meeting = np.flatnonzero(started.part.take(busy) == Part.MEETING)
    np.add.at(met, (performer.take(meeting), lane.take(meeting)), ticks.take(meeting))


def _book(block: Block, state: State, day: int, asking: Slips) -> None:
    """Book later days; count the waits, and those who found no place."""
    booked, again, refusals = ask_later(block, state, day, asking)
    state.slips.put(booked)
    state.slips.put(again)
    requests = state.register.requests
    own = ~requests.set_by_practice[booked.request] & (booked.errand == Errand.VISIT) & (booked.tries == 0)
    lane = booked.lane[own]
    ahead = block.calendar.number[day] + booked.lead_days[own].astype(np.int64)
    wait = np.searchsorted(block.calendar.number, ahead) - day
    n_lanes = block.n_lanes
    waited = np.bincount(lane, minlength=n_lanes)
    days = np.bincount(lane, wait, minlength=n_lanes).astype(np.int64)
    week = state.week
    state.week = replace(week, waited=week.waited + waited, wait_open_days=week.wait_open_days + days)
    if block.calendar.in_window[day]:
        state.accounts.add_lanes(Account.WAITED, waited)
        state.accounts.add_lanes(Account.WAIT_OPEN_DAYS, days)
        _count_refusals(state, refusals)


def _count_refusals(state: State, refusals: Refusals) -> None:
    for account, slips in ((Account.LEFT, refusals.left), (Account.DISPLACED, refusals.displaced)):
        state.accounts.count(account, slips.lane[slips.errand == Errand.VISIT])
