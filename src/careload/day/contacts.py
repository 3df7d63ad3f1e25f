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
    part: Part,
    errand: NDArray[np.int8],
    tries: NDArray[np.int8],
) -> NDArray[np.uint64]:
    """Key that breaks ties of release in the schedule."""
    code = (int(part) * 4 + errand.astype(np.int64)) * 8 + np.minimum(tries, _KEY_TRIES)
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
    everything = np.arange(n)
    by_gp = contacts.role == layout.gp
    hers = division.by_role[contacts.role.astype(np.int64), everything]
    acts = np.where(by_gp, division.own, hers)
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
    for ordinal, birth in enumerate(
        _births(layout, rules, register, contacts, division, inside, main, own_stream)
    ):
        rows = birth.rows
        born = follow_on_parts(
            layout, take(main, rows), birth.part, birth.stream[rows], birth.service[rows], birth.acts[rows]
        )
        parts.append(
            replace(
                born,
                parent=rows,
                ordinal=np.full(len(rows), ordinal),
                responsible=np.full(len(rows), birth.responsible),
                key=item_key(register, born.request, birth.part, born.errand, contacts.tries[rows]),
            )
        )
    return join(parts)


class _Birth(NamedTuple):
    """What some contacts create: their rows, and for all contacts stream, ticks by role and acts."""

    rows: NDArray[np.int64]
    part: Part
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
    n, lane = len(contacts.lane), contacts.lane
    by_gp, zero, no_visit = contacts.role == layout.gp, np.zeros(n, np.int64), np.zeros(n, np.bool_)
    key = register.requests.key[contacts.request]
    back = ~by_gp & hands_back(rules, key, lane, contacts.errand, no_visit)
    apart = contacts.errand == Errand.ACTS
    sign = (
        np.where(apart, rules.supervision_act[lane], rules.supervision_contact[lane]) + rules.hand_over[lane]
    )
    again = main.service[:, layout.gp] + rules.hand_back_extra[lane]
    signed = np.flatnonzero(~by_gp & (sign > 0))
    left = np.where(by_gp, 0, division.own)
    rest = part_ticks(inside, n, left, no_visit)
    births = [
        _Birth(signed, Part.SUPERVISION, own_stream, layout.gp, _gp_only(layout, sign), zero),
        _Birth(np.flatnonzero(back), Part.HAND_BACK, own_stream, layout.gp, _gp_only(layout, again), zero),
        _Birth(np.flatnonzero(left), Part.REMAINDER, own_stream, ANYBODY, rest, left),
    ]
    for role in layout.others:
        acts = np.where(by_gp, division.by_role[role], 0)
        rows = np.flatnonzero(acts)
        if len(rows):
            ticks = part_ticks(inside, n, acts, no_visit)
            births.append(_Birth(rows, Part.DELEGATED, zero + layout.shared(role), ANYBODY, ticks, acts))
    return births


def _gp_only(layout: Layout, ticks: NDArray[np.int64]) -> NDArray[np.int64]:
    """Reference ticks by role of work that only the GP does."""
    service = np.zeros((len(ticks), len(layout.roles)), np.int64)
    service[:, layout.gp] = ticks
    return service


def follow_on_parts(
    layout: Layout,
    parents: Parts,
    part: Part,
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
