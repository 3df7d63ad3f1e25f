"""What the starts of a day add to the accounts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from careload.columns import take
from careload.day.accounts import MOST_ACCESS_DAYS, Account, Tally
from careload.day.block import Block, State
from careload.day.parts import WITH_PATIENT, Part, Parts
from careload.day.settle import Served
from careload.day.slips import Errand
from careload.patients.bundle import Channel, Urgency
from careload.ticks import MINUTE

__all__ = ["count_contacts"]

_WHOLE_DAY: Final = 24 * 60 * MINUTE
_NOTHING: Final = len(Errand)
"""Errand of a delegate's acts of which the doctor's absence left none."""

_TRAITS: Final = (len(Part), 2, len(Errand) + 1, len(Channel), 2)
"""What the accounts of a start depend on: part, by a GP, errand, channel, carried."""


def count_contacts(block: Block, state: State, day: int, started: Parts, done: Served) -> None:
    """Count what was started, its time, waits, overtime and what a GP would have needed."""
    if not block.calendar.in_window[day]:
        return
    accounts, lane = state.accounts, started.lane
    place = _KIND_OF_START.take(_traits(started, done))
    place *= accounts.n_lanes
    place += lane
    accounts.tally(_STARTS, place)
    accounts.tally(_TIMES, place, done.ticks)
    accounts.tally(_WAITS, place, done.start - started.release)
    accounts.tally(_DEFAULTS, place, started.service[block.layout.gp])
    signed = np.flatnonzero(started.part == Part.SUPERVISION)
    over = np.minimum(block.practices.delegation.hand_over.take(lane.take(signed)), done.ticks.take(signed))
    accounts.add(Account.HAND_OVER, lane.take(signed), over)
    accounts.add(Account.SUPERVISION, lane.take(signed), -over)
    held = np.flatnonzero((started.part == Part.CONTACT) & (started.errand == Errand.VISIT))
    _count_access(block, state, day, take(started, held), done.start.take(held))
    _count_travel_and_overtime(block, state, day, started, done)


def _count_travel_and_overtime(block: Block, state: State, day: int, started: Parts, done: Served) -> None:
    """Count the travel of GPs to visits, and what they do after their last session."""
    accounts, lane, part = state.accounts, started.lane, started.part
    away = np.flatnonzero(block.travelling.take(started.channel) & (part == Part.CONTACT) & done.by_gp)
    visited = away.compress(started.errand.take(away) == Errand.VISIT)
    visit = state.register.requests.visit.take(started.request.take(visited))
    accounts.add(Account.GP_TRAVEL, lane.take(visited), block.travel_ticks.take(visit))
    worked = np.flatnonzero(done.by_gp & (part < Part.REST))
    end = done.end.take(worked)
    closes = block.rota(day).close[done.person.take(worked), lane.take(worked)]
    late = np.flatnonzero(end > closes)
    over = worked.take(late)
    spent = end.take(late) - np.maximum(done.start.take(over), closes.take(late))
    accounts.add(Account.GP_OVERTIME, lane.take(over), spent)


def _traits(started: Parts, done: Served) -> NDArray[np.int16]:
    """Number of the combination of traits of every start."""
    acts_only = np.flatnonzero(started.errand == Errand.ACTS)
    errand = started.errand.copy()
    errand[acts_only.compress(started.acts.take(acts_only) == 0)] = _NOTHING
    number = started.part.astype(np.int16)
    for trait, size in zip(
        (done.by_gp, errand, started.channel, started.carried > 0), _TRAITS[1:], strict=True
    ):
        number *= size
        number += trait.astype(np.int16, copy=False)
    return number


def _kinds_of_starts() -> tuple[NDArray[np.int64], list[Tally]]:
    """Kind of a start by its traits, and the kinds that the accounts take of starts, times, waits and defaults."""
    part, gp, errand, channel, carried = np.indices(_TRAITS).reshape(len(_TRAITS), -1)
    contact, delegated, call, meeting, signing, back = (
        part == one
        for one in (Part.CONTACT, Part.DELEGATED, Part.CALL, Part.MEETING, Part.SUPERVISION, Part.HAND_BACK)
    )
    service, with_patient = part < Part.MEETING, WITH_PATIENT[part]
    seen = contact & (channel == Channel.OFFICE) & (carried == 0)
    by_gp, held = gp == 1, contact & (errand == Errand.VISIT)
    extra = with_patient & (errand == Errand.EXTRA)
    own = (call | with_patient) & ~extra
    tallies: list[dict[Account, NDArray[np.bool_]]] = [
        {
            Account.SERVED: held,
            Account.OFFICE: held & by_gp & (channel == Channel.OFFICE),
            Account.HOME: held & by_gp & (channel == Channel.HOME),
            Account.PHONE: held & by_gp & (channel == Channel.PHONE),
            Account.DELEGATE_CONTACTS: contact & ~by_gp,
            Account.EXTRA_TRIPS: contact & ~held,
            Account.DELEGATED_PARTS: delegated & ~by_gp,
            Account.OVERFLOWED_PARTS: delegated & by_gp,
            Account.EPISODES: (contact | delegated) & ~by_gp,
            Account.CARRIED: contact & (carried == 1),
            Account.WAIT_STARTS: seen,
            Account.CALL_WAITS: call & (carried == 0),
            Account.CALLS: call,
            Account.CALLS_BY_STAFF: call & ~by_gp,
            Account.SUPERVISIONS: signing,
            Account.HAND_BACKS: back,
        },
        {
            Account.GP_SERVICE: service & by_gp,
            Account.STAFF_SERVICE: service & ~by_gp,
            Account.GP_MEETING: meeting & by_gp,
            Account.STAFF_MEETING: meeting & ~by_gp,
            Account.SUPERVISION: signing,
            Account.HAND_BACK: back,
            Account.ROOM_USE: with_patient & (channel == Channel.OFFICE),
            Account.EXCESS: (own | extra) & by_gp & (errand != _NOTHING),
            Account.INDUCED: extra & by_gp,
        },
        {Account.WAIT_TICKS: seen, Account.CALL_WAIT_TICKS: call & (carried == 0)},
        {
            Account.DEFAULT_ALL: own,
            Account.DEFAULT_SHIFTED: own & ~by_gp,
            Account.EXCESS: own & by_gp,
        },
    ]
    rows = np.stack([row for takes in tallies for row in takes.values()])
    which, kind = np.unique(rows, axis=1, return_inverse=True)
    split = np.cumsum([len(takes) for takes in tallies])[:-1]
    made = [_tally(takes, rows) for takes, rows in zip(tallies, np.split(which, split), strict=True)]
    return kind.reshape(-1), made


def _tally(takes: Mapping[Account, NDArray[np.bool_]], which: NDArray[np.bool_]) -> Tally:
    return Tally(np.array(list(takes), np.int64), which.astype(np.int64))


_KIND_OF_START, (_STARTS, _TIMES, _WAITS, _DEFAULTS) = _kinds_of_starts()
# Excess is time above the default: what is taken of it enters with the other sign.
_DEFAULTS.weight[_DEFAULTS.accounts == Account.EXCESS] *= -1


def _count_access(block: Block, state: State, day: int, visits: Parts, start: NDArray[np.int64]) -> None:
    """Days from the patient's own first call to the contact, by true urgency, and how long urgent needs took."""
    requests, accounts = state.register.requests, state.accounts
    own = np.flatnonzero(~requests.set_by_practice.take(visits.request))
    request, lane = visits.request.take(own), visits.lane.take(own)
    asked = requests.day.take(request).astype(np.int64)
    urgency = requests.urgency.take(request).astype(np.int64)
    kinds, n_days, n_lanes = accounts.access.shape
    place = np.minimum(day - asked, MOST_ACCESS_DAYS)
    place += (urgency - Urgency.URGENT) * n_days
    place *= n_lanes
    place += lane
    accounts.access += np.bincount(place, minlength=accounts.access.size).reshape(kinds, n_days, n_lanes)
    urgent = np.flatnonzero(urgency == Urgency.URGENT)
    own, request, lane, asked = (column.take(urgent) for column in (own, request, lane, asked))
    number = block.calendar.number
    delay = (number[day] - number.take(asked)) * _WHOLE_DAY + start.take(own) - requests.minute.take(request)
    accounts.count(Account.URGENT_SEEN, lane)
    accounts.add(Account.URGENT_DELAY_TICKS, lane, delay)
    missed = np.flatnonzero(visits.list.take(own) > Urgency.URGENT)
    accounts.count(Account.MISSED_SEEN, lane.take(missed))
    accounts.add(Account.MISSED_DELAY_TICKS, lane.take(missed), delay.take(missed))
