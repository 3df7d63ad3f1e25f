"""After the schedule: who did what, what it leaves behind, and what is carried to the next day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from careload.columns import Table, join, replace, take
from careload.day.accounts import MOST_ACCESS_DAYS, Account, Fate
from careload.day.block import Block, Experience, State, usual_gp
from careload.day.contacts import Contacts, follow_on_parts, item_key
from careload.day.delegate import Split, hands_back
from careload.day.parts import WITH_PATIENT, Part, Parts, call_rows, contents
from careload.day.schedule import Schedule
from careload.day.slips import Errand, Slips, Step, no_slips, with_columns
from careload.draws import name_key, uniform
from careload.patients.bundle import Channel, Urgency
from careload.ticks import CARRIED_DAY, MINUTE, NEVER

__all__ = [
    "Served",
    "carry",
    "count_contacts",
    "credit",
    "new_errands",
    "next_day_follow_ons",
    "served",
]

_WHOLE_DAY: Final = 24 * 60 * MINUTE
_EXTRA: Final = name_key("extra follow-up")


@dataclass(frozen=True)
class Served(Table):
    """Starts of the day, as positions in its parts, with who, when and how long.

    Attributes
    ----------
    index : ndarray of int64
    person, role : ndarray of int64
    start, end, ticks : ndarray of int64
    by_gp : ndarray of bool
    """

    index: NDArray[np.int64]
    person: NDArray[np.int64]
    role: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    ticks: NDArray[np.int64]
    by_gp: NDArray[np.bool_]


def served(block: Block, parts: Parts, schedule: Schedule) -> tuple[Parts, Served]:
    """Pick out what was started: its parts, and what the schedule says of each."""
    index = np.flatnonzero(schedule.start < NEVER)
    person = schedule.person.take(index).astype(np.int64)
    role = block.layout.person_role.take(person)
    start, end = schedule.start.take(index), schedule.end.take(index)
    done = Served(
        index=index,
        person=person,
        role=role,
        start=start,
        end=end,
        ticks=end - start,
        by_gp=role == block.layout.gp,
    )
    return take(parts, index), done


def credit(block: Block, state: State, day: int, started: Parts, done: Served) -> None:
    """Write what was done with patients and on the telephone to the outcomes and accounts."""
    measured = bool(block.calendar.in_window[day])
    _credit_calls(block, state, measured, started, done)
    _credit_follow_ons(block, state, measured, started, done)
    carrying = np.flatnonzero(WITH_PATIENT.take(started.part))
    _credit_tasks(block, state, measured, take(started, carrying), take(done, carrying))


def _credit_tasks(block: Block, state: State, measured: bool, parts: Parts, done: Served) -> None:
    """Divide each start among its tasks: shares of the sum, the last task takes the remainder."""
    layout, accounts = block.layout, state.accounts
    inside = contents(
        state.register, layout, block.practices.mean_ticks, parts.lane, parts.request, parts.visit, parts.acts
    )
    n, of = len(parts.lane), inside.contact
    lane, role = parts.lane.take(of), done.role.take(of)
    reference = inside.ticks.reshape(-1).take(np.arange(len(role)) * inside.ticks.shape[1] + role)
    total = np.maximum(np.bincount(of, reference, minlength=n), 1.0)
    # Below 2**53 the quotient of doubles rounds to a whole number only where it is one.
    share = np.floor(done.ticks.take(of) * reference / total.take(of)).astype(np.int64)
    given = np.bincount(of, share, minlength=n).astype(np.int64)
    last = np.flatnonzero(np.diff(of, append=n))
    share[last] += (done.ticks - given).take(of.take(last))
    own = (parts.errand != Errand.EXTRA).take(of)
    by_gp = done.by_gp.take(of)
    gp_ticks = share * (by_gp & measured)
    fate = np.where(done.by_gp, Fate.BY_GP, Fate.BY_OTHER).take(of)
    if own.all():
        state.outcomes.record(lane, inside.row, fate, gp_ticks)
    else:
        mine = np.flatnonzero(own)
        state.outcomes.record(lane[mine], inside.row[mine], fate[mine], gp_ticks[mine])
    if measured:
        accounts.add_tasks(role, inside.task, lane, share)
        default = np.ascontiguousarray(inside.ticks[:, layout.gp])
        kind = own * 2 + by_gp.astype(np.int64)
        extra, by_other, by_own = np.array([_EXTRA_GP]), np.array([_OWN_OTHER]), np.array([_OWN_GP])
        both = ((Account.DEFAULT_ALL, np.append(by_other, by_own)), (Account.DEFAULT_SHIFTED, by_other))
        accounts.tally(both, kind, lane, default)
        excess = share - default * own
        accounts.tally(
            ((Account.EXCESS, np.append(extra, by_own)), (Account.INDUCED, extra)), kind, lane, excess
        )


_EXTRA_GP, _OWN_OTHER, _OWN_GP = 1, 2, 3
"""Kinds of a task row, twice whether it is no extra follow-up plus whether a GP does it."""


def _credit_calls(block: Block, state: State, measured: bool, parts: Parts, done: Served) -> None:
    calls = np.flatnonzero(parts.part == Part.CALL)
    lane, row, ticks = parts.lane[calls], call_rows(state.register, parts.request[calls]), done.ticks[calls]
    by_gp = done.by_gp[calls]
    fate = np.where(by_gp, Fate.BY_GP, Fate.BY_OTHER)
    state.outcomes.record(lane, row, fate, np.where(by_gp & measured, ticks, 0))
    if measured:
        default = parts.service[calls, block.layout.gp]
        task = np.full(len(lane), block.bundles.call_task)
        state.accounts.add_tasks(done.role[calls], task, lane, ticks)
        state.accounts.count(Account.CALLS, lane)
        state.accounts.count(Account.CALLS_BY_STAFF, lane[~by_gp])
        state.accounts.add(Account.DEFAULT_ALL, lane, default)
        state.accounts.add(Account.DEFAULT_SHIFTED, lane[~by_gp], default[~by_gp])
        state.accounts.add(Account.EXCESS, lane[by_gp], (ticks - default)[by_gp])


def _credit_follow_ons(block: Block, state: State, measured: bool, parts: Parts, done: Served) -> None:
    if not measured:
        return
    rules = block.practices.delegation
    signed = parts.part == Part.SUPERVISION
    lane, ticks = parts.lane[signed], done.ticks[signed]
    over = np.minimum(rules.hand_over[lane], ticks)
    state.accounts.add(Account.SUPERVISION, lane, ticks - over)
    state.accounts.add(Account.HAND_OVER, lane, over)
    state.accounts.count(Account.SUPERVISIONS, lane)
    back = parts.part == Part.HAND_BACK
    state.accounts.add(Account.HAND_BACK, parts.lane[back], done.ticks[back])
    state.accounts.count(Account.HAND_BACKS, parts.lane[back])


def count_contacts(block: Block, state: State, day: int, started: Parts, done: Served) -> None:
    """Count contacts by channel, waits, overtime and the time of everybody."""
    if not block.calendar.in_window[day]:
        return
    accounts, rota = state.accounts, block.rota(day)
    lane, part, ticks = started.lane, started.part, done.ticks
    visit = (part == Part.CONTACT) & (started.errand == Errand.VISIT)
    visit_number = np.zeros(len(lane), np.int64)
    asked = np.flatnonzero(started.request >= 0)
    visit_number[asked] = state.register.requests.visit.take(started.request.take(asked))
    kind = _KIND_OF_START.take(
        _traits(part, done.by_gp, visit, block.bundles.channel.take(visit_number), started.carried > 0)
    )
    accounts.tally(_STARTS_COUNTED, kind, lane)
    accounts.tally(_STARTS_TIMED, kind, lane, ticks)
    accounts.tally(_WAITS_TIMED, kind, lane, done.start - started.release)
    held = np.flatnonzero(visit)
    _count_access(block, state, day, take(started, held), done.start.take(held))
    at_home = held[done.by_gp.take(held)]
    accounts.add(Account.GP_TRAVEL, lane.take(at_home), block.travel_ticks.take(visit_number.take(at_home)))
    worked = np.flatnonzero(done.by_gp & (part != Part.REST) & (part != Part.OFF))
    closes = rota.close[done.person.take(worked), lane.take(worked)]
    end = done.end.take(worked)
    late = np.flatnonzero(end > closes)
    over = worked.take(late)
    spent = end.take(late) - np.maximum(done.start.take(over), closes.take(late))
    accounts.add(Account.GP_OVERTIME, lane.take(over), spent)


_TRAITS: Final = (len(Part), 2, 2, len(Channel), 2)
"""What the accounts of a start depend on: part, by a GP, a visit held, channel, carried."""


def _traits(
    part: NDArray[np.integer],
    by_gp: NDArray[np.integer | np.bool_],
    visit: NDArray[np.integer | np.bool_],
    channel: NDArray[np.integer],
    carried: NDArray[np.integer | np.bool_],
) -> NDArray[np.int16]:
    """Number of each combination of traits."""
    number = part.astype(np.int16)
    for trait, size in zip((by_gp, visit, channel, carried), _TRAITS[1:], strict=True):
        number *= size
        number += trait
    return number


def _kinds_of_starts() -> tuple[NDArray[np.int64], dict[Account, NDArray[np.int64]]]:
    """Kind of a start by its traits, and the kinds that every account takes."""
    part, gp, visit, channel, carried = np.indices(_TRAITS).reshape(len(_TRAITS), -1)
    contact, delegated, call, meeting = (
        part == one for one in (Part.CONTACT, Part.DELEGATED, Part.CALL, Part.MEETING)
    )
    service = ~meeting & (part != Part.REST) & (part != Part.OFF)
    seen = contact & (channel == Channel.OFFICE) & (carried == 0)
    by_gp, held = gp == 1, contact & (visit == 1)
    takes = {
        Account.SERVED: held,
        Account.OFFICE: held & by_gp & (channel == Channel.OFFICE),
        Account.HOME: held & by_gp & (channel == Channel.HOME),
        Account.PHONE: held & by_gp & (channel == Channel.PHONE),
        Account.DELEGATE_CONTACTS: contact & ~by_gp,
        Account.EXTRA_TRIPS: contact & (visit == 0),
        Account.DELEGATED_PARTS: delegated & ~by_gp,
        Account.OVERFLOWED_PARTS: delegated & by_gp,
        Account.CARRIED: contact & (carried == 1),
        Account.WAIT_STARTS: seen,
        Account.WAIT_TICKS: seen,
        Account.CALL_WAITS: call & (carried == 0),
        Account.CALL_WAIT_TICKS: call & (carried == 0),
        Account.GP_SERVICE: service & by_gp,
        Account.STAFF_SERVICE: service & ~by_gp,
        Account.GP_MEETING: meeting & by_gp,
        Account.STAFF_MEETING: meeting & ~by_gp,
    }
    which, kind = np.unique(np.stack(list(takes.values())), axis=1, return_inverse=True)
    return kind.reshape(-1), {account: np.flatnonzero(row) for account, row in zip(takes, which, strict=True)}


_KIND_OF_START, _KINDS_TAKEN = _kinds_of_starts()
_TIMED: Final = (Account.GP_SERVICE, Account.STAFF_SERVICE, Account.GP_MEETING, Account.STAFF_MEETING)
_WAITS: Final = (Account.WAIT_TICKS, Account.CALL_WAIT_TICKS)
_STARTS_TIMED: Final = [(one, kinds) for one, kinds in _KINDS_TAKEN.items() if one in _TIMED]
_WAITS_TIMED: Final = [(one, kinds) for one, kinds in _KINDS_TAKEN.items() if one in _WAITS]
_STARTS_COUNTED: Final = [
    (one, kinds) for one, kinds in _KINDS_TAKEN.items() if one not in (*_TIMED, *_WAITS)
]


def _count_access(block: Block, state: State, day: int, visits: Parts, start: NDArray[np.int64]) -> None:
    """Days from the patient's own first call to the contact, by true urgency, and how long urgent needs took."""
    requests, accounts = state.register.requests, state.accounts
    own = np.flatnonzero(~requests.set_by_practice[visits.request])
    request, lane = visits.request[own], visits.lane[own]
    asked = requests.day[request].astype(np.int64)
    urgency = requests.urgency[request].astype(np.int64)
    days = np.minimum(day - asked, MOST_ACCESS_DAYS)
    kinds, n_days, n_lanes = accounts.access.shape
    place = ((urgency - Urgency.URGENT) * n_days + days) * n_lanes + lane
    accounts.access += np.bincount(place, minlength=accounts.access.size).reshape(kinds, n_days, n_lanes)
    calendar_days = block.calendar.number[day] - block.calendar.number[asked]
    delay = calendar_days * _WHOLE_DAY + start[own] - requests.minute[request]
    urgent = urgency == Urgency.URGENT
    missed = urgent & (visits.list[own] > Urgency.URGENT)
    for which, seen, total in (
        (urgent, Account.URGENT_SEEN, Account.URGENT_DELAY_TICKS),
        (missed, Account.MISSED_SEEN, Account.MISSED_DELAY_TICKS),
    ):
        accounts.count(seen, lane[which])
        accounts.add(total, lane[which], delay[which])


def next_day_follow_ons(block: Block, state: State, started: Parts, done: Served) -> Parts:
    """Supervision and hand-back of acts that a delegate did within a GP's contact: work of the next day."""
    rules, layout = block.practices.delegation, block.layout
    acts = np.flatnonzero((started.part == Part.DELEGATED) & ~done.by_gp)
    origin = take(started, acts)
    gp = _who_signs(block, state, origin)
    key = state.register.requests.key.take(origin.request)
    back = hands_back(rules, key, origin.lane, origin.errand, np.ones(len(acts), np.bool_))
    service = np.zeros((len(acts), len(layout.roles)), np.int64)
    service[:, layout.gp] = rules.supervision_act[origin.lane] + rules.hand_over[origin.lane]
    signed = service[:, layout.gp] > 0
    again = np.zeros_like(service)
    again[:, layout.gp] = origin.service[:, layout.gp] + rules.hand_back_extra[origin.lane]
    none = np.zeros(len(acts), np.int64)
    released = done.end.take(acts) - CARRIED_DAY
    born = []
    for part, which, work in ((Part.SUPERVISION, signed, service), (Part.HAND_BACK, back, again)):
        made = follow_on_parts(layout, take(origin, which), part, gp[which], work[which], none[which])
        tries = np.zeros(len(made.lane), np.int8)
        key_ = item_key(state.register, made.request, part, made.errand, tries)
        born.append(replace(made, release=released[which], key=key_))
    return join(born)


def new_errands(
    block: Block,
    state: State,
    day: int,
    contacts: Contacts,
    division: Split,
    done: Served,
) -> Slips:
    """What served contacts bring: acts booked with the delegate for another day, and extra follow-ups."""
    rules, register = block.practices.delegation, state.register
    n_main = int(np.searchsorted(done.index, len(contacts.lane)))
    main = done.index[:n_main]
    hers = np.flatnonzero(~done.by_gp[:n_main])
    hers = main.take(hers)
    hers = hers.take(np.flatnonzero(contacts.errand.take(hers) == Errand.VISIT))
    key = register.requests.key.take(contacts.request.take(hers))
    follow = hers[uniform(key, _EXTRA) < rules.extra_follow_up.take(contacts.lane.take(hers))]
    index = np.minimum(day + rules.extra_follow_up_days, len(block.calendar) - 1)
    ahead = np.maximum(1, block.calendar.number[index] - block.calendar.number[day])
    none, once = np.zeros(len(follow), np.int64), np.ones(1, np.int64)
    performer = contacts.role[follow].astype(np.int64)
    made = [_errand(contacts, follow, Errand.EXTRA, performer, none, ahead[contacts.lane[follow]])]
    for role in block.layout.others:
        acts = division.booked[role].take(main)
        some = np.flatnonzero(acts)
        rows = main.take(some)
        made.append(_errand(contacts, rows, Errand.ACTS, np.full(len(rows), role), acts.take(some), once))
    return join(made)


def _errand(
    contacts: Contacts,
    rows: NDArray[np.int64],
    errand: int,
    role: NDArray[np.int64],
    acts: NDArray[np.int64],
    ahead: NDArray[np.int64],
) -> Slips:
    n = len(rows)
    empty = no_slips()
    blank = type(empty)(**{name: np.zeros(n, column.dtype) for name, column in vars(empty).items()})
    return with_columns(
        blank,
        lane=contacts.lane[rows],
        request=contacts.request[rows],
        errand=errand,
        step=Step.ASK,
        role=role,
        acts=acts,
        diary=-1,
        ahead=np.broadcast_to(ahead, n),
        urgency=3,
    )


def carry(
    block: Block, state: State, day: int, contacts: Contacts, parts: Parts, schedule: Schedule, born: Parts
) -> None:
    """Keep what was not started for the next day, or let it go when it has been carried long enough."""
    waiting = schedule.created & (schedule.start == NEVER) & (parts.part < Part.MEETING)
    index = np.flatnonzero(waiting)
    limit = block.practices.book.carry_days[parts.lane[index]]
    keeps = parts.carried[index] < limit
    lost, kept = index[~keeps], index[keeps]
    is_contact = kept < len(contacts.lane)
    held = take(contacts, kept[is_contact])
    state.contacts = replace(held, release=held.release - CARRIED_DAY, carried=held.carried + np.int8(1))
    others = take(parts, kept[~is_contact])
    zero = np.zeros(len(others.lane), np.int64)
    released = np.where(others.parent < 0, others.release, schedule.end[np.maximum(others.parent, 0)])
    moved = replace(
        others,
        release=released - CARRIED_DAY,
        parent=zero - 1,
        ordinal=zero,
        responsible=zero - 1,
        carried=others.carried + np.int8(1),
    )
    state.parts = join([moved, born])
    if block.calendar.in_window[day]:
        part = parts.part[lost]
        state.accounts.count(Account.CALLS_UNANSWERED, parts.lane[lost[part == Part.CALL]])
        visits = (part == Part.CONTACT) & (parts.errand[lost] == Errand.VISIT)
        state.accounts.count(Account.DISPLACED, parts.lane[lost[visits]])
        state.accounts.count(Account.LAPSED_FOLLOW_ONS, parts.lane[lost[(part > Part.CONTACT)]])


def learn_episodes(block: Block, state: State, day: int, started: Parts, done: Served) -> None:
    """Add the day's delegated episodes to the week of each GP, and count them."""
    episode = ~done.by_gp & ((started.part == Part.CONTACT) | (started.part == Part.DELEGATED))
    chosen = take(started, episode)
    if block.calendar.in_window[day]:
        state.accounts.count(Account.EPISODES, chosen.lane)
    key = state.register.requests.key.take(chosen.request)
    back = hands_back(
        block.practices.delegation, key, chosen.lane, chosen.errand, chosen.part == Part.DELEGATED
    )
    column = np.searchsorted(block.layout.gps, _who_signs(block, state, chosen))
    n_gps = len(block.layout.gps)
    cell = chosen.lane * n_gps + column
    shape = (block.n_lanes, n_gps)
    good = np.bincount(cell[~back], minlength=shape[0] * n_gps).reshape(shape)
    bad = np.bincount(cell[back], minlength=shape[0] * n_gps).reshape(shape)
    week: Experience = state.week
    state.week = replace(week, good_episodes=week.good_episodes + good, hand_backs=week.hand_backs + bad)


def _who_signs(block: Block, state: State, parts: Parts) -> NDArray[np.int64]:
    """Person number of the GP who signs for each part: the patient's own."""
    return usual_gp(block, parts.lane, state.register.requests.patient.take(parts.request))
