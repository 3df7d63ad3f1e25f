"""Today's contacts, and the parts that they become."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from careload.columns import Table, join, replace, take
from careload.day.delegate import Split, hands_back
from careload.day.parts import Contents, Part, Parts, ticks_by_part
from careload.day.schedule import FOLLOW_ON, URGENT
from careload.day.slips import Errand
from careload.draws import child
from careload.patients.bundle import Register
from careload.practice.tables import VISIT_BIT, DelegationRules, Layout

__all__ = ["Contacts", "call_parts", "contact_parts", "follow_on_parts", "no_contacts"]

_KEY_TRIES: Final = 7

ANYBODY: Final = -1
"""A follow-on that arises whoever performs its parent."""


@dataclass(frozen=True)
class Contacts(Table):
    """Contacts of today, n rows.

    Attributes
    ----------
    lane, request : ndarray of int64
    errand, role, tries : ndarray of int8
    acts : ndarray of int64
        Bit mask of all acts to be done.
    list : ndarray of int64
        List of the schedule, by judged urgency.
    stream : ndarray of int64
    release : ndarray of int64
    channel : ndarray of int8
        Of the visit.
    gp : ndarray of int64
        The patient's own GP, a person number; who signs for what is delegated.
    carried : ndarray of int8
        Days carried so far.
    """

    lane: NDArray[np.int64]
    request: NDArray[np.int64]
    errand: NDArray[np.int8]
    role: NDArray[np.int8]
    tries: NDArray[np.int8]
    acts: NDArray[np.int64]
    list: NDArray[np.int64]
    stream: NDArray[np.int64]
    release: NDArray[np.int64]
    channel: NDArray[np.int8]
    gp: NDArray[np.int64]
    carried: NDArray[np.int8]


def no_contacts() -> Contacts:
    """An empty table."""
    wide, narrow = np.zeros(0, np.int64), np.zeros(0, np.int8)
    return Contacts(wide, wide, narrow, narrow, narrow, wide, wide, wide, wide, narrow, wide, narrow)


def _keys(register: Register, contacts: Contacts) -> NDArray[np.uint64]:
    """Keys that break ties of release in the schedule."""
    code = (Part.CONTACT * 4 + contacts.errand.astype(np.int64)) * 8 + np.minimum(contacts.tries, _KEY_TRIES)
    return child(register.requests.key.take(contacts.request), code)


def call_parts(
    lane: NDArray[np.int64],
    request: NDArray[np.int64],
    minute: NDArray[np.int64],
    key: NDArray[np.uint64],
    ticks: NDArray[np.int64],
    stream: NDArray[np.int64],
) -> Parts:
    """Calls, taken between two patients; `ticks` (R, n)."""
    n = len(lane)
    zero = np.zeros(n, np.int64)
    return Parts(
        lane=lane,
        request=request,
        part=np.full(n, Part.CALL, np.int8),
        errand=np.zeros(n, np.int8),
        acts=zero,
        visit=np.zeros(n, np.bool_),
        stream=stream,
        list=zero + URGENT,
        release=minute,
        key=key,
        channel=np.zeros(n, np.int8),
        service=ticks,
        fixed_end=zero,
        parent=zero - 1,
        ordinal=zero,
        responsible=zero - 1,
        carried=np.zeros(n, np.int8),
    )


def contact_parts(
    layout: Layout,
    rules: DelegationRules,
    register: Register,
    contacts: Contacts,
    division: Split,
    tasks: Contents,
    own_stream: NDArray[np.int64],
) -> tuple[Parts, Contents]:
    """Contacts as starts, each with the starts it creates: supervision, hand-back, the other's part.

    Parameters
    ----------
    division : Split
        Acts of the contacts; what is `own` in a delegate's contact is left to the GP, right after it.
    tasks : Contents
        Tasks of the contacts.
    own_stream : ndarray of int64, shape (n,)
        Stream of the GP who signs.

    Returns
    -------
    parts : Parts
        First the n contacts in order, then what they may create.
    tasks : Contents
        The same tasks with their parts; -1 for those booked apart.
    """
    n = len(contacts.lane)
    visit, acts = contacts.errand != Errand.ACTS, division.kept(n)
    zero = np.zeros(n, np.int64)
    births = _births(layout, rules, register, contacts, division, own_stream)
    rows = np.concatenate([birth.rows for birth in births])
    part_of = _part_of_task(layout, contacts, acts, tasks, births)
    service = ticks_by_part(part_of, tasks.ticks, n + len(rows))
    part_of[part_of == n + len(rows)] = -1
    _add_signing(layout, rules, contacts, births, service)
    main = Parts(
        lane=contacts.lane,
        request=contacts.request,
        part=np.full(n, Part.CONTACT, np.int8),
        errand=contacts.errand,
        acts=acts,
        visit=visit,
        stream=contacts.stream,
        list=contacts.list,
        release=contacts.release,
        key=_keys(register, contacts),
        channel=contacts.channel,
        service=service[:, :n],
        fixed_end=zero,
        parent=zero - 1,
        ordinal=zero,
        responsible=zero - 1,
        carried=contacts.carried,
    )
    size = [len(birth.rows) for birth in births]
    born = follow_on_parts(
        take(main, rows),
        part=np.repeat(np.array([birth.part for birth in births], np.int8), size),
        acts=np.concatenate([birth.acts for birth in births]),
        stream=np.concatenate([birth.stream for birth in births]),
        service=service[:, n:],
        parent=rows,
        ordinal=np.repeat(np.arange(len(births)), size),
        responsible=np.repeat([birth.responsible for birth in births], size),
    )
    return join([main, born]), replace(tasks, part=part_of)


class _Birth(NamedTuple):
    """What some contacts create: their rows, for each of them stream and acts, and the role that creates none."""

    rows: NDArray[np.int64]
    part: int
    stream: NDArray[np.int64]
    responsible: int
    acts: NDArray[np.int64]


def _births(
    layout: Layout,
    rules: DelegationRules,
    register: Register,
    contacts: Contacts,
    division: Split,
    own_stream: NDArray[np.int64],
) -> list[_Birth]:
    """Supervision, hand-backs, what a delegate leaves to the GP, what others do within his contacts; in this order."""
    hers = np.flatnonzero(contacts.role != layout.gp)
    lane, errand = contacts.lane.take(hers), contacts.errand.take(hers)
    key = register.requests.key.take(contacts.request.take(hers))
    back = hers.compress(hands_back(rules, key, lane, errand, errand == Errand.ACTS))
    signed = hers.compress(_signing(rules, lane, errand) > 0)
    births = [
        _Birth(rows, part, own_stream.take(rows), layout.gp, np.zeros(len(rows), np.int64))
        for part, rows in ((Part.SUPERVISION, signed), (Part.HAND_BACK, back))
    ]
    rows, acts = division.left_to_gp()
    births.append(_Birth(rows, Part.REMAINDER, own_stream.take(rows), ANYBODY, acts))
    for role in layout.others:
        rows, acts = division.given_to(role)
        shared = np.full(len(rows), layout.shared(role))
        births.append(_Birth(rows, Part.DELEGATED, shared, ANYBODY, acts))
    return births


def _signing(rules: DelegationRules, lane: NDArray[np.int64], errand: NDArray[np.int8]) -> NDArray[np.int64]:
    """Ticks of supervision and hand-over after contacts of others."""
    acts, contact = rules.supervision_act.take(lane), rules.supervision_contact.take(lane)
    ticks: NDArray[np.int64] = np.where(errand == Errand.ACTS, acts, contact) + rules.hand_over.take(lane)
    return ticks


def _add_signing(
    layout: Layout,
    rules: DelegationRules,
    contacts: Contacts,
    births: list[_Birth],
    service: NDArray[np.int64],
) -> None:
    """Write what the GP needs for the first two births, supervision and hand-backs."""
    signed, back = births[0].rows, births[1].rows
    first, middle, gp = len(contacts.lane), len(contacts.lane) + len(signed), service[layout.gp]
    gp[first:middle] = _signing(rules, contacts.lane.take(signed), contacts.errand.take(signed))
    again = gp.take(back) + rules.hand_back_extra.take(contacts.lane.take(back))
    gp[middle : middle + len(back)] = again


def _part_of_task(
    layout: Layout, contacts: Contacts, acts: NDArray[np.int64], tasks: Contents, births: list[_Birth]
) -> NDArray[np.int64]:
    """Row of the part of every task of n contacts that keep the `acts`; beyond all parts where it is booked apart."""
    n = len(acts)
    divided = np.flatnonzero((contacts.acts != acts).take(tasks.part))
    contact, bit = tasks.part.take(divided), layout.bit_of_task.take(tasks.task.take(divided))
    # Nobody else makes the visit, the act of the last bit.
    own = acts.take(contact) | VISIT_BIT
    part_of, beyond = tasks.part.copy(), n + sum(len(birth.rows) for birth in births)
    part_of[divided] = np.where(own & bit, contact, beyond)
    given, place, first = np.zeros(n, np.int64), np.zeros(n, np.int64), n
    for birth in births:
        last = first + len(birth.rows)
        if birth.acts.any():
            given[:] = 0
            given[birth.rows], place[birth.rows] = birth.acts, np.arange(first, last)
            hit = np.flatnonzero(given.take(contact) & bit)
            part_of[divided.take(hit)] = place.take(contact.take(hit))
        first = last
    return part_of


def follow_on_parts(parents: Parts, **columns: Any) -> Parts:
    """Follow-ons of some parents, with columns of their own."""
    n = len(parents.lane)
    zero = np.zeros(n, np.int64)
    own = {"release": zero, "parent": zero - 1, "ordinal": zero, "responsible": zero - 1} | columns
    return replace(
        parents,
        visit=np.zeros(n, np.bool_),
        list=zero + FOLLOW_ON,
        fixed_end=zero,
        carried=np.zeros(n, np.int8),
        **own,
    )
