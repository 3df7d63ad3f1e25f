"""Who comes today: new requests, calls, places taken, and those who leave the line before any service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from careload.columns import settled, take
from careload.day.accounts import Account
from careload.day.block import Block, Decisions, State, usual_gp
from careload.day.booking import ask_today, call_key
from careload.day.calls import Calls
from careload.day.contacts import Contacts
from careload.day.delegate import route
from careload.day.slips import Errand, Slips, Step, new_slips, with_columns, with_rows
from careload.draws import name_key, uniform
from careload.patients.bundle import Channel, Urgency, accepted, draw_bundles
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
    wanted = np.flatnonzero(accepted(requests, decisions.seeking, decisions.alike))
    scenario, row = np.divmod(wanted, max(1, len(real)))
    lane_of, asks = block.lane_of[scenario, requests.cell.take(row)], real.take(row)
    lane, asked = lane_of.compress(asks), row.compress(asks)
    reach = block.practices.book.horizon_days[lane] // 2
    slips = new_slips(requests, span.start, asked, lane, reach, block.layout.gp)
    if block.calendar.in_window[day]:
        state.accounts.count(Account.REQUESTS, slips.lane)
    bare = row.compress(~asks)
    minute, key = requests.minute.take(bare), requests.key.take(bare)
    none = np.zeros(len(bare), np.bool_)
    return slips, Calls(lane_of.compress(~asks), span.start + bare, minute, key, none)


def _span(block: Block, state: State, day: int) -> slice:
    """Requests of the day in the register; days of the week are drawn together while they are few."""
    if day not in state.drawn:
        most = max(1, _DRAWN_TOGETHER // max(1, len(block.people.age)))
        days = range(day, min(day + most, (day // WEEK_DAYS + 1) * WEEK_DAYS, len(block.calendar)))
        found = candidates(
            block.demand, block.people, block.strata, block.due, block.cell_key, block.calendar, days
        )
        first, n_rows = state.register.n_requests, state.register.n_rows
        of_day = draw_bundles(block.bundles, block.people, found, block.calendar, state.register)
        requests = state.register.requests
        state.outcomes.add(requests.cell.take(state.register.rows.request[n_rows:]))
        edge = (first + np.searchsorted(of_day, np.arange(days.start, days.stop + 1))).tolist()
        state.drawn = {one: slice(edge[k], edge[k + 1]) for k, one in enumerate(days)}
    return state.drawn[day]


def places_of_today(block: Block, state: State, decisions: Decisions, day: int, slips: Slips) -> Attendance:
    """Decide for every slip of the day: comes with a place, is fitted in, is visited or called, or asks for later."""
    ways = _ways(block, state, slips)
    gp = usual_gp(block, slips.lane, state.register.requests.patient.take(slips.request))
    slips, placed, without = _ask_today(block, state, day, slips, ways)
    fits = _fits(block, slips.lane.take(without), gp.take(without))
    unbooked = np.concatenate((ways.urgent, without[fits]))
    come = np.concatenate((ways.placed, placed))
    key = call_key(state.register, take(slips, come))
    absent, again = _shows(block, state, day, take(slips, come), key)
    slips = _book_again(block, day, slips, come[again])
    rows = np.concatenate((ways.later, without[~fits], come[again]))
    later = _delegated(block, state, decisions, take(slips, rows), gp.take(rows))
    come, away, release = come[~absent], *_away(block, state, day, slips, ways)
    starts = (
        _booked(block, day, take(slips, come), key[~absent]),
        _unbooked(block, day, take(slips, unbooked), gp.take(unbooked), ways.minute.take(unbooked)),
        (_on_round(block, day, slips.lane.take(away), gp.take(away)), release),
    )
    stream, release = (np.concatenate(column) for column in zip(*starts, strict=True))
    rows = np.concatenate((come, unbooked, away))
    contacts = _contacts(take(slips, rows), ways.channel.take(rows), gp.take(rows), stream, release)
    return Attendance(contacts=contacts, later=later)


@dataclass(frozen=True)
class _Ways:
    """Rows of the day's n slips by where they turn to, each in order.

    Attributes
    ----------
    placed : ndarray of int64
        Have a place today.
    same_day, later : ndarray of int64
        Ask the book for a place today, or on a later day.
    urgent : ndarray of int64
        Walk in, or come at once.
    away : ndarray of int64
        Are visited at home or called.
    minute : ndarray of int64, shape (n,)
        Tick at which each could be at the practice.
    channel : ndarray of int8, shape (n,)
        Where the contact is held.
    """

    placed: NDArray[np.int64]
    same_day: NDArray[np.int64]
    later: NDArray[np.int64]
    urgent: NDArray[np.int64]
    away: NDArray[np.int64]
    minute: NDArray[np.int64]
    channel: NDArray[np.int8]


def _ways(block: Block, state: State, slips: Slips) -> _Ways:
    requests, urgency = state.register.requests, slips.urgency
    channel = block.bundles.channel.astype(np.int8).take(requests.visit.take(slips.request))
    placed, in_office = slips.step == Step.ATTEND, channel == Channel.OFFICE
    office = ~placed & in_office
    walk_in = office & requests.walk_in.take(slips.request) & (slips.step == Step.CALL) & (slips.tries == 0)
    asks = office & ~walk_in
    travel = block.practices.book.travel.take(slips.lane)
    travel[walk_in] = 0
    return _Ways(
        placed=np.flatnonzero(placed),
        same_day=np.flatnonzero(asks & (urgency == Urgency.SAME_DAY)),
        later=np.flatnonzero(asks & (urgency == Urgency.ROUTINE)),
        urgent=np.flatnonzero(walk_in | (office & (urgency == Urgency.URGENT))),
        away=np.flatnonzero(~placed & ~in_office),
        minute=slips.start + travel,
        channel=channel,
    )


def _ask_today(
    block: Block, state: State, day: int, slips: Slips, ways: _Ways
) -> tuple[Slips, NDArray[np.int64], NDArray[np.int64]]:
    """Ask the book for places of today: the slips with them, rows with a place and rows without."""
    asking = take(slips, ways.same_day)
    order, booked = ask_today(block, state, day, asking, ways.minute.take(ways.same_day))
    asked, found = ways.same_day.take(order), booked.diary >= 0
    start = np.where(found, booked.start, slips.start.take(asked))
    slips = with_rows(slips, asked, diary=booked.diary, start=start, lead_days=0)
    return slips, asked[found], asked[~found]


def _fits(block: Block, lane: NDArray[np.int64], gp: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Who of those without a place is fitted in: the first ones of each GP."""
    group = lane * (int(block.layout.gps[-1]) + 1) + gp
    order = np.argsort(group, kind="stable")
    _, first, count = np.unique(group.take(order), return_index=True, return_counts=True)
    rank = np.empty(len(group), np.int64)
    rank[order] = np.arange(len(group)) - np.repeat(first, count)
    fits: NDArray[np.bool_] = rank < block.practices.book.fit_in.take(lane)
    return fits


def _shows(
    block: Block, state: State, day: int, slips: Slips, key: NDArray[np.uint64]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Who does not come, and who of them asks for another place."""
    rules, lane = block.practices.book, slips.lane
    lead = np.minimum(slips.lead_days, rules.no_show.shape[1] - 1)
    absent = uniform(key, _NO_SHOW) < rules.no_show[lane, lead]
    again = absent & (uniform(key, _REBOOK) < rules.no_show_rebooks.take(lane))
    again &= slips.tries + 1 < rules.most_tries.take(lane)
    if block.calendar.in_window[day]:
        state.accounts.count(Account.NO_SHOWS, lane[absent])
        ended = absent & ~again & (slips.errand == Errand.VISIT)
        state.accounts.count(Account.NOT_COME, lane[ended])
    return absent, again


def _book_again(block: Block, day: int, slips: Slips, rows: NDArray[np.int64]) -> Slips:
    """The slips, of which those rows ask for another place after some open days."""
    number = block.calendar.number
    after = block.practices.book.no_show_after_days.take(slips.lane.take(rows))
    ahead = np.maximum(1, number[np.minimum(day + after, len(block.calendar) - 1)] - number[day])
    tries = slips.tries.take(rows) + 1
    return with_rows(slips, rows, step=Step.ASK, tries=tries, ahead=ahead, diary=-1)


def _delegated(
    block: Block, state: State, decisions: Decisions, slips: Slips, gp: NDArray[np.int64]
) -> Slips:
    """The slips that ask for a later day, with the role that is to perform each."""
    layout = block.layout
    trust = decisions.trust[slips.lane, np.searchsorted(layout.gps, gp)]
    bookable = slips.errand == Errand.VISIT
    bookable &= slips.urgency == Urgency.ROUTINE
    bookable &= slips.role == layout.gp
    chosen = route(
        block.bundles, layout, block.practices.delegation, state.register, block.people, trust, slips
    )
    return with_columns(slips, role=np.where(bookable, chosen, slips.role))


def _away(
    block: Block, state: State, day: int, slips: Slips, ways: _Ways
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Home visits and telephone contacts of today: rows and releases; routine home visits wait for the next open day.

    What is released at its call is released one tick after it, so that the call itself comes first.
    """
    rows = ways.away
    home, own = ways.channel.take(rows) == Channel.HOME, slips.step.take(rows) == Step.CALL
    wait = own & home & (slips.urgency.take(rows) == Urgency.ROUTINE)
    on_round = block.practices.rota.home_round.take(slips.lane.take(rows))
    after_call = slips.start.take(rows) + 1
    release = np.where(home, np.maximum(on_round, after_call), after_call)
    release = np.where(own, release, on_round)
    next_day = block.calendar.number[min(day + 1, len(block.calendar) - 1)]
    state.slips.put(with_columns(take(slips, rows[wait]), step=Step.ROUND, day=next_day))
    return rows[~wait], release[~wait]


def _booked(
    block: Block, day: int, slips: Slips, key: NDArray[np.uint64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Streams and releases of contacts with a place: at their place, early or late, in that of its person."""
    person = block.layout.diary_person.take(slips.diary)
    early, late = (limit.take(slips.lane) for limit in block.practices.book.punctuality.T)
    shift = uniform(key, _PUNCTUAL) * (late - early)
    opens = block.rota(day).free[person, slips.lane]
    opens[opens >= NEVER] = 0
    return person, np.maximum(slips.start + early + np.rint(shift).astype(np.int64), opens)


def _unbooked(
    block: Block, day: int, slips: Slips, gp: NDArray[np.int64], minute: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Streams and releases of contacts without a place: at the minute, or when the next session with places opens."""
    urgent = slips.urgency == Urgency.URGENT
    release = next_opening(block.rota(day), gp, slips.lane, minute, urgent)
    return np.full(len(gp), block.layout.shared_gp), release


def _on_round(block: Block, day: int, lane: NDArray[np.int64], gp: NDArray[np.int64]) -> NDArray[np.int64]:
    """Streams of home visits and telephone contacts of today: that of the patient's GP if he is there."""
    return np.where(block.rota(day).free[gp, lane] < NEVER, gp, block.layout.shared_gp)


def _contacts(
    slips: Slips,
    channel: NDArray[np.int8],
    gp: NDArray[np.int64],
    stream: NDArray[np.int64],
    release: NDArray[np.int64],
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
        channel=channel,
        gp=gp,
        carried=np.zeros(len(gp), np.int8),
    )
