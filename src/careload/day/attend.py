"""Who comes today: new requests, calls, places taken, and those who leave the line before any service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from careload.columns import join, settled, take
from careload.day.accounts import Account
from careload.day.block import Block, Decisions, State, usual_gp
from careload.day.booking import ask_today, call_key
from careload.day.calls import Calls
from careload.day.contacts import Contacts
from careload.day.delegate import route
from careload.day.slips import Slips, Step, new_slips, with_columns
from careload.draws import name_key, uniform
from careload.patients.bundle import Channel, Requests, Urgency, accepted, draw_bundles
from careload.patients.calendar import WEEK_DAYS
from careload.patients.demand import CALL_ONLY, candidates
from careload.practice.rota import next_opening
from careload.ticks import NEVER

__all__ = ["Attendance", "arrivals", "due_slips", "places_of_today"]

_DRAWN_TOGETHER: Final = 400_000
"""Patients times days drawn at once, at most: fewer calls for small blocks, arrays near the cache for large ones."""

_NO_SHOW: Final = name_key("does not come")
_REBOOK: Final = name_key("books again after not coming")
_PUNCTUAL: Final = name_key("punctuality")


@dataclass(frozen=True)
class Attendance:
    """Contacts of the day, and the slips that ask the book for a later day."""

    contacts: Contacts
    later: Slips


def due_slips(block: Block, state: State, day: int) -> Slips:
    """Take the slips whose next step is today out of those that wait."""
    state.contacts, state.parts = settled(state.contacts), settled(state.parts)
    return state.slips.take_until(int(block.calendar.number[day]))


def arrivals(block: Block, state: State, decisions: Decisions, day: int) -> tuple[Slips, Calls]:
    """New requests of the day in every lane, and the calls that carry none."""
    span = _span(block, state, day)
    requests = take(state.register.requests, span)
    real = requests.visit != CALL_ONLY
    wanted = accepted(requests, decisions.seeking)
    scenario, row = np.nonzero(wanted & real)
    lane = _lane(block, scenario, requests, row)
    reach = block.practices.book.horizon_days[lane] // 2
    slips = new_slips(requests, span.start, row, lane, reach, block.layout.gp)
    if block.calendar.in_window[day]:
        state.accounts.count(Account.REQUESTS, slips.lane)
    scenario, row = np.nonzero(wanted & ~real)
    lane = _lane(block, scenario, requests, row)
    asks = np.zeros(len(row), np.bool_)
    return slips, Calls(lane, span.start + row, requests.minute[row], requests.key[row], asks)


def _span(block: Block, state: State, day: int) -> slice:
    """Requests of the day in the register; days of the week are drawn together while they are few."""
    if day not in state.drawn:
        most = max(1, _DRAWN_TOGETHER // max(1, len(block.people.age)))
        days = range(day, min(day + most, (day // WEEK_DAYS + 1) * WEEK_DAYS, len(block.calendar)))
        found = candidates(
            block.demand, block.people, block.strata, block.due, block.cell_key, block.calendar, days
        )
        first = state.register.n_requests
        of_day = draw_bundles(block.bundles, block.people, found, block.calendar, state.register)
        state.outcomes.reserve(state.register.n_rows)
        edge = (first + np.searchsorted(of_day, np.arange(days.start, days.stop + 1))).tolist()
        state.drawn = {one: slice(edge[k], edge[k + 1]) for k, one in enumerate(days)}
    return state.drawn[day]


def _lane(
    block: Block, scenario: NDArray[np.int64], requests: Requests, row: NDArray[np.int64]
) -> NDArray[np.int64]:
    lanes: NDArray[np.int64] = scenario * block.n_cells + requests.cell[row]
    return lanes


def places_of_today(block: Block, state: State, decisions: Decisions, day: int, slips: Slips) -> Attendance:
    """Decide for every slip of the day: comes with a place, is fitted in, is visited or called, or asks for later."""
    requests = state.register.requests
    channel = block.bundles.channel[requests.visit[slips.request].astype(np.int64)]
    attending = slips.step == Step.ATTEND
    office = ~attending & (channel == Channel.OFFICE)
    walk_in = office & requests.walk_in[slips.request] & (slips.step == Step.CALL) & (slips.tries == 0)
    travel = np.where(walk_in, 0, block.practices.book.travel[slips.lane])
    minute = slips.start + travel
    asks_today = office & ~walk_in & (slips.urgency == Urgency.SAME_DAY)
    urgent = office & (walk_in | (slips.urgency == Urgency.URGENT))
    same_day = ask_today(block, state, day, take(slips, asks_today), minute[asks_today])
    placed = same_day.diary >= 0
    fitted, not_fitted = _fit_in(block, state, take(same_day, ~placed))
    come, later_again = _shows(block, state, day, join([take(slips, attending), take(same_day, placed)]))
    elsewhere = ~attending & ~office
    away, next_day = _away(block, day, take(slips, elsewhere), channel[elsewhere])
    state.slips.put(next_day)
    ask = office & ~walk_in & (slips.urgency == Urgency.ROUTINE)
    later = join([take(slips, ask), not_fitted, later_again])
    trust = decisions.trust[later.lane, _gp_column(block, state, later)]
    bookable = (later.errand == 0) & (later.urgency == Urgency.ROUTINE) & (later.role == block.layout.gp)
    chosen = route(
        block.bundles, block.layout, block.practices.delegation, state.register, block.people, trust, later
    )
    later = with_columns(later, role=np.where(bookable, chosen, later.role))
    unbooked = join([with_columns(take(slips, urgent), start=minute[urgent]), fitted])
    contacts = [
        _booked(block, state, day, come),
        _unbooked(block, state, day, unbooked),
        _round(block, state, day, away),
    ]
    return Attendance(contacts=join(contacts), later=later)


def _gp_column(block: Block, state: State, slips: Slips) -> NDArray[np.int64]:
    """Column of each patient's own GP among the GPs."""
    gp = usual_gp(block, slips.lane, state.register.requests.patient[slips.request])
    return np.searchsorted(block.layout.gps, gp)


def _fit_in(block: Block, state: State, slips: Slips) -> tuple[Slips, Slips]:
    """Same-day requests without a place: the first ones of each GP are fitted in, the others ask for a later day."""
    gp = usual_gp(block, slips.lane, state.register.requests.patient[slips.request])
    group = slips.lane * (int(block.layout.gps[-1]) + 1) + gp
    order = np.argsort(group, kind="stable")
    _, first, count = np.unique(group[order], return_index=True, return_counts=True)
    rank = np.empty(len(group), np.int64)
    rank[order] = np.arange(len(group)) - np.repeat(first, count)
    fits = rank < block.practices.book.fit_in[slips.lane]
    travel = block.practices.book.travel[slips.lane]
    fitted = with_columns(slips, start=slips.start + travel)
    return take(fitted, fits), take(slips, ~fits)


def _shows(block: Block, state: State, day: int, slips: Slips) -> tuple[Slips, Slips]:
    """Who comes; who does not may ask for another place after some open days."""
    rules = block.practices.book
    key = call_key(state.register, slips)
    lead = np.minimum(slips.lead_days.astype(np.int64), rules.no_show.shape[1] - 1)
    absent = uniform(key, _NO_SHOW) < rules.no_show[slips.lane, lead]
    tries = slips.tries + 1
    books = absent & (uniform(key, _REBOOK) < rules.no_show_rebooks[slips.lane])
    books &= tries < rules.most_tries[slips.lane]
    index = np.minimum(day + rules.no_show_after_days[slips.lane], len(block.calendar) - 1)
    ahead = np.maximum(1, block.calendar.number[index] - block.calendar.number[day])
    again = with_columns(slips, step=Step.ASK, tries=tries, ahead=ahead, diary=-1)
    if block.calendar.in_window[day]:
        state.accounts.count(Account.NO_SHOWS, slips.lane[absent])
        ended = absent & ~books & (slips.errand == 0)
        state.accounts.count(Account.NOT_COME, slips.lane[ended])
    return take(slips, ~absent), take(again, books)


def _away(block: Block, day: int, slips: Slips, channel: NDArray[np.int64]) -> tuple[Slips, Slips]:
    """Home visits and telephone contacts: those of today, and routine home visits left to the next open day.

    What is released at its call is released one tick after it, so that the call itself comes first.
    """
    own = slips.step == Step.CALL
    wait = own & (channel == Channel.HOME) & (slips.urgency == Urgency.ROUTINE)
    after_call = slips.start + 1
    start = np.where(channel == Channel.HOME, np.maximum(_round_start(block, slips), after_call), after_call)
    start = np.where(own, start, _round_start(block, slips))
    today = with_columns(slips, start=start)
    next_day = block.calendar.number[min(day + 1, len(block.calendar) - 1)]
    return take(today, ~wait), with_columns(take(slips, wait), step=Step.ROUND, day=next_day)


def _round_start(block: Block, slips: Slips) -> NDArray[np.int64]:
    return block.practices.rota.home_round[slips.lane]


def _booked(block: Block, state: State, day: int, slips: Slips) -> Contacts:
    """Contacts with a place: released at their place, early or late, in the own stream of its person."""
    person = block.layout.diary_person[slips.diary.astype(np.int64)]
    early, late = block.practices.book.punctuality[slips.lane].T
    shift = uniform(call_key(state.register, slips), _PUNCTUAL) * (late - early)
    opens = block.rota(day).free[person, slips.lane]
    release = np.maximum(
        slips.start + early + np.rint(shift).astype(np.int64), np.where(opens < NEVER, opens, 0)
    )
    return _contacts(block, state, slips, stream=person, release=release)


def _unbooked(block: Block, state: State, day: int, slips: Slips) -> Contacts:
    """Contacts without a place: released at the minute, or when the next session with places opens."""
    gp = usual_gp(block, slips.lane, state.register.requests.patient[slips.request])
    urgent = slips.urgency == Urgency.URGENT
    release = next_opening(block.rota(day), gp, slips.lane, slips.start, urgent)
    return _contacts(block, state, slips, stream=np.full(len(gp), block.layout.shared_gp), release=release)


def _round(block: Block, state: State, day: int, slips: Slips) -> Contacts:
    """Home visits and telephone contacts of today, in the own stream of the patient's GP if he is there."""
    gp = usual_gp(block, slips.lane, state.register.requests.patient[slips.request])
    here = block.rota(day).free[gp, slips.lane] < NEVER
    stream = np.where(here, gp, block.layout.shared_gp)
    return _contacts(block, state, slips, stream=stream, release=slips.start)


def _contacts(
    block: Block, state: State, slips: Slips, stream: NDArray[np.int64], release: NDArray[np.int64]
) -> Contacts:
    return Contacts(
        lane=slips.lane,
        request=slips.request,
        errand=slips.errand,
        role=slips.role,
        tries=slips.tries,
        acts=slips.acts,
        list=slips.urgency.astype(np.int64),
        stream=stream,
        release=release,
        gp=usual_gp(block, slips.lane, state.register.requests.patient[slips.request]),
        carried=np.zeros(len(slips.lane), np.int8),
    )
