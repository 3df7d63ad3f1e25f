"""Today's contacts, and the parts that they become."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from careload.columns import Table, join, replace, take
from careload.day.delegate import Split, hands_back
from careload.day.parts import Contents, Part, Parts, no_parts, part_ticks
from careload.day.schedule import FOLLOW_ON, URGENT
from careload.day.slips import Errand
from careload.draws import child
from careload.patients.bundle import Register
from careload.practice.tables import DelegationRules, Layout

__all__ = ["Contacts", "call_parts", "contact_parts", "follow_on_parts", "item_key", "no_contacts"]

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
    gp: NDArray[np.int64]
    carried: NDArray[np.int8]


def no_contacts() -> Contacts:
    """An empty table."""
    wide, narrow = np.zeros(0, np.int64), np.zeros(0, np.int8)
    return Contacts(wide, wide, narrow, narrow, narrow, wide, wide, wide, wide, wide, narrow)


def item_key(
    register: Register,
    request: NDArray[np.int64],
    part: int,
    errand: NDArray[np.int8],
    tries: NDArray[np.int8],
) -> NDArray[np.uint64]:
    """Key that breaks ties of release in the schedule."""
    code = (part * 4 + errand.astype(np.int64)) * 8 + np.minimum(tries, _KEY_TRIES)
    return child(register.requests.key[request], code)


def call_parts(
    lane: NDArray[np.int64],
    request: NDArray[np.int64],
    minute: NDArray[np.int64],
    key: NDArray[np.uint64],
    ticks: NDArray[np.int64],
    stream: NDArray[np.int64],
) -> Parts:
    """Calls, taken between two patients; `ticks` (n, R)."""
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
    inside: Contents,
    own_stream: NDArray[np.int64],
) -> Parts:
    """Contacts as starts, each with the starts it creates: supervision, hand-back, the other's part.

    Parameters
    ----------
    division : Split
        Acts of each contact; what is `own` in a delegate's contact is left to the GP, right after it.
    inside : Contents
        Tasks of the contacts.
    own_stream : ndarray of int64, shape (n,)
        Stream of the GP who signs.

    Returns
    -------
    Parts
        First the n contacts in order, then what they may create.
    """
    n = len(contacts.lane)
    acts = division.own.copy()
    hers = np.flatnonzero(contacts.role != layout.gp)
    acts[hers] = division.by_role[contacts.role.take(hers), hers]
    visit = contacts.errand != Errand.ACTS
    zero = np.zeros(n, np.int64)
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
        key=item_key(register, contacts.request, Part.CONTACT, contacts.errand, contacts.tries),
        service=part_ticks(inside, n, acts, visit),
        fixed_end=zero,
        parent=zero - 1,
        ordinal=zero,
        responsible=zero - 1,
        carried=contacts.carried,
    )
    parts = [main]
    births = _births(layout, rules, register, contacts, division, inside, main, own_stream)
    for ordinal, birth in enumerate(births):
        rows = birth.rows
        born = follow_on_parts(layout, take(main, rows), birth.part, birth.stream, birth.service, birth.acts)
        tries = contacts.tries.take(rows)
        parts.append(
            replace(
                born,
                parent=rows,
                ordinal=np.full(len(rows), ordinal),
                responsible=np.full(len(rows), birth.responsible),
                key=item_key(register, born.request, birth.part, born.errand, tries),
            )
        )
    return join(parts)


class _Birth(NamedTuple):
    """What some contacts create: their rows, and for each stream, ticks by role and acts."""

    rows: NDArray[np.int64]
    part: int
    stream: NDArray[np.int64]
    responsible: int
    service: NDArray[np.int64]
    acts: NDArray[np.int64]


def _births(
    layout: Layout,
    rules: DelegationRules,
    register: Register,
    contacts: Contacts,
    division: Split,
    inside: Contents,
    main: Parts,
    own_stream: NDArray[np.int64],
) -> list[_Birth]:
    """Supervision, hand-backs, what a delegate leaves to the GP, what others do within his contacts; in this order."""
    by_gp = contacts.role == layout.gp
    hers = np.flatnonzero(~by_gp)
    lane, errand = contacts.lane.take(hers), contacts.errand.take(hers)
    key = register.requests.key.take(contacts.request.take(hers))
    back = np.flatnonzero(hands_back(rules, key, lane, errand, np.zeros(len(hers), np.bool_)))
    sign = np.where(errand == Errand.ACTS, rules.supervision_act[lane], rules.supervision_contact[lane])
    sign += rules.hand_over[lane]
    signed = np.flatnonzero(sign)
    again = main.service[hers[back], layout.gp] + rules.hand_back_extra[lane[back]]
    births = [
        _of_gp(layout, Part.SUPERVISION, hers.take(signed), own_stream, sign.take(signed)),
        _of_gp(layout, Part.HAND_BACK, hers.take(back), own_stream, again),
    ]
    n, none = len(by_gp), np.zeros(len(by_gp), np.bool_)
    shares = [(Part.REMAINDER, np.where(by_gp, 0, division.own), own_stream)]
    for role in layout.others:
        shared = np.broadcast_to(layout.shared(role), n)
        shares.append((Part.DELEGATED, np.where(by_gp, division.by_role[role], 0), shared))
    for part, acts, stream in shares:
        rows = np.flatnonzero(acts)
        if len(rows):
            ticks = part_ticks(inside, n, acts, none).take(rows, axis=0)
            births.append(_Birth(rows, part, stream.take(rows), ANYBODY, ticks, acts.take(rows)))
    return births


def _of_gp(
    layout: Layout, part: int, rows: NDArray[np.int64], stream: NDArray[np.int64], ticks: NDArray[np.int64]
) -> _Birth:
    """What the GP who signs does after some contacts of others, if it was others who held them."""
    service = np.zeros((len(rows), len(layout.roles)), np.int64)
    service[:, layout.gp] = ticks
    return _Birth(rows, part, stream.take(rows), layout.gp, service, np.zeros(len(rows), np.int64))


def follow_on_parts(
    layout: Layout,
    parents: Parts,
    part: int,
    stream: NDArray[np.int64],
    service: NDArray[np.int64],
    acts: NDArray[np.int64],
) -> Parts:
    """Follow-ons of given parents, not yet tied to them."""
    n = len(parents.lane)
    if n == 0:
        return no_parts(len(layout.roles))
    zero = np.zeros(n, np.int64)
    return replace(
        parents,
        part=np.full(n, part, np.int8),
        acts=acts,
        visit=np.zeros(n, np.bool_),
        stream=stream,
        list=zero + FOLLOW_ON,
        release=zero,
        service=service,
        fixed_end=zero,
        parent=zero - 1,
        ordinal=zero,
        responsible=zero - 1,
        carried=np.zeros(n, np.int8),
    )
