"""After the schedule: who did what, what it leaves behind, and what is carried to the next day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from careload.columns import Table, join, replace, take
from careload.day.accounts import Account
from careload.day.block import Block, Experience, State, usual_gp
from careload.day.contacts import Contacts, follow_on_parts
from careload.day.delegate import Split, hands_back
from careload.day.outcomes import Fate
from careload.day.parts import WITH_PATIENT, Contents, Part, Parts, call_rows, contents
from careload.day.schedule import Schedule
from careload.day.slips import Errand, Slips, Step, no_slips, with_columns
from careload.draws import name_key, uniform
from careload.ticks import CARRIED_DAY, NEVER

__all__ = [
    "Episodes",
    "Served",
    "carry",
    "credit",
    "delegated_episodes",
    "fate_of",
    "learn_episodes",
    "new_errands",
    "next_day_follow_ons",
    "served",
]

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


def credit(block: Block, state: State, day: int, started: Parts, done: Served, tasks: Contents) -> None:
    """Write what was done with patients and on the telephone to the outcomes, and time by task to the accounts.

    The time of a start is divided among its tasks in proportion to their reference; the last task takes the
    remainder.

    Parameters
    ----------
    tasks : Contents
        Tasks of the day's contacts, by their part in the schedule.
    """
    measured = bool(block.calendar.in_window[day])
    inside = _tasks_done(block, state, started, done, tasks)
    n, of, ticks = len(started.lane), inside.part, inside.ticks.reshape(-1)
    lane, role = started.lane.take(of), done.role.take(of)
    reference = ticks.take(role * len(of) + np.arange(len(of)))
    total = np.maximum(np.bincount(of, reference, minlength=n), 1.0)
    reference *= done.ticks.take(of)
    # Below 2**53 the quotient of doubles rounds to a whole number only where it is one.
    share = (reference / total.take(of)).astype(np.int64)
    given = np.bincount(of, share, minlength=n).astype(np.int64)
    last = np.full(n, -1)
    last[of] = np.arange(len(of))
    with_tasks = np.flatnonzero(last >= 0)
    share[last.take(with_tasks)] += (done.ticks - given).take(with_tasks)
    if measured:
        state.accounts.add_tasks(role, inside.task, lane, share)
    mine = np.flatnonzero((started.errand != Errand.EXTRA).take(of))
    start = of.take(mine)
    fate = fate_of(done.by_gp).take(start)
    gp_ticks = share.take(mine) * (done.by_gp & measured).take(start)
    state.outcomes.record(lane.take(mine), inside.row.take(mine), fate, gp_ticks)


def fate_of(by_gp: NDArray[np.bool_]) -> NDArray[np.int8]:
    """Fate of work that a GP does, or somebody else."""
    return np.where(by_gp, np.int8(Fate.BY_GP), np.int8(Fate.BY_OTHER))


def _tasks_done(block: Block, state: State, started: Parts, done: Served, tasks: Contents) -> Contents:
    """Tasks of what was started, by start: today's contacts, calls, and work with patients carried from yesterday."""
    # The entry behind those of the parts is that of tasks without one.
    start = np.full(2 + int(max(done.index.max(initial=-1), tasks.part.max(initial=-1))), -1)
    start[done.index] = np.arange(len(done.index))
    of = start.take(tasks.part)
    of_today = np.flatnonzero(of >= 0)
    calls = np.flatnonzero(started.part == Part.CALL)
    made = Contents(
        part=calls,
        row=call_rows(state.register, started.request.take(calls)),
        task=np.full(len(calls), block.bundles.call_task),
        ticks=started.service.take(calls, axis=1),
    )
    older = started.carried > 0
    older &= WITH_PATIENT.take(started.part) & (started.part != Part.CONTACT)
    left = np.flatnonzero(older)
    carried = take(started, left)
    theirs = contents(
        state.register,
        block.layout,
        block.mean_by_role,
        carried.lane,
        carried.request,
        carried.visit,
        carried.acts,
    )
    return join(
        [
            replace(take(tasks, of_today), part=of.take(of_today)),
            made,
            replace(theirs, part=left.take(theirs.part)),
        ]
    )


class Episodes(NamedTuple):
    """Delegated episodes that ended today: their parts and ends, the GP who signs, and whether they come back."""

    parts: Parts
    end: NDArray[np.int64]
    gp: NDArray[np.int64]
    back: NDArray[np.bool_]


def delegated_episodes(block: Block, state: State, started: Parts, done: Served) -> Episodes:
    """Contacts and acts of GPs' contacts that others did."""
    rows = np.flatnonzero(~done.by_gp & ((started.part == Part.CONTACT) | (started.part == Part.DELEGATED)))
    parts, requests = take(started, rows), state.register.requests
    acts = (parts.part == Part.DELEGATED) | (parts.errand == Errand.ACTS)
    key = requests.key.take(parts.request)
    back = hands_back(block.practices.delegation, key, parts.lane, parts.errand, acts)
    gp = usual_gp(block, parts.lane, requests.patient.take(parts.request))
    return Episodes(parts=parts, end=done.end.take(rows), gp=gp, back=back)


def next_day_follow_ons(block: Block, episodes: Episodes) -> Parts:
    """Supervision and hand-back of acts that a delegate did within a GP's contact: work of the next day."""
    rules, layout = block.practices.delegation, block.layout
    acts = np.flatnonzero(episodes.parts.part == Part.DELEGATED)
    lane = episodes.parts.lane.take(acts)
    sign = rules.supervision_act.take(lane) + rules.hand_over.take(lane)
    signed, back = np.flatnonzero(sign), np.flatnonzero(episodes.back.take(acts))
    which = np.concatenate((signed, back))
    rows = acts.take(which)
    service = np.zeros((len(layout.roles), len(rows)), np.int64)
    again = episodes.parts.service[layout.gp].take(acts.take(back)) + rules.hand_back_extra.take(
        lane.take(back)
    )
    service[layout.gp] = np.concatenate((sign.take(signed), again))
    return follow_on_parts(
        take(episodes.parts, rows),
        part=np.repeat(np.array((Part.SUPERVISION, Part.HAND_BACK), np.int8), (len(signed), len(back))),
        acts=np.zeros(len(rows), np.int64),
        stream=episodes.gp.take(rows),
        service=service,
        release=episodes.end.take(rows) - CARRIED_DAY,
    )


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
    held = np.zeros(len(contacts.lane), np.bool_)
    held[main] = True
    held = held.take(division.contact)
    for role in block.layout.others:
        some = np.flatnonzero((division.booked[role] != 0) & held)
        rows, acts = division.contact.take(some), division.booked[role].take(some)
        made.append(_errand(contacts, rows, Errand.ACTS, np.full(len(rows), role), acts, once))
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


def learn_episodes(block: Block, state: State, episodes: Episodes) -> None:
    """Add the day's delegated episodes to the week of each GP."""
    n_gps, back = len(block.layout.gps), episodes.back
    cell = episodes.parts.lane * n_gps + np.searchsorted(block.layout.gps, episodes.gp)
    shape = (block.n_lanes, n_gps)
    good = np.bincount(cell[~back], minlength=shape[0] * n_gps).reshape(shape)
    bad = np.bincount(cell[back], minlength=shape[0] * n_gps).reshape(shape)
    week: Experience = state.week
    state.week = replace(week, good_episodes=week.good_episodes + good, hand_backs=week.hand_backs + bad)
