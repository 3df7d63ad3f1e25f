"""Who performs what: whole visits when booked, acts of the GP's contacts on the day (docs/day.md, section 2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from careload.day.slips import Slips
from careload.draws import child, name_key, uniform
from careload.patients.bundle import BundleTables, Channel, Register
from careload.patients.population import Population
from careload.practice.tables import DelegationRules, Layout

__all__ = ["Split", "hands_back", "may_delegate", "route", "split"]

_STABLE: Final = name_key("stable condition")
_TURN: Final = name_key("review turn")
_TRUST: Final = name_key("trusted episode")
_RED_FLAG: Final = name_key("red flag")
_ABSENT: Final = name_key("act with the delegate absent")
_HAND_BACK: Final = name_key("hand-back")


class Divisible(Protocol):
    """What dividing a contact reads: lane, request, performer's role, channel and acts of each."""

    @property
    def lane(self) -> NDArray[np.int64]: ...
    @property
    def request(self) -> NDArray[np.int64]: ...
    @property
    def role(self) -> NDArray[np.int8]: ...
    @property
    def channel(self) -> NDArray[np.int8]: ...
    @property
    def acts(self) -> NDArray[np.int64]: ...


@dataclass(frozen=True)
class Split:
    """Acts of today's contacts as disjoint bit masks; k contacts with acts, R roles.

    Attributes
    ----------
    contact : ndarray of int64, shape (k,)
        Row of the contact.
    role : ndarray of int8, shape (k,)
        Role that holds it.
    by_gp : ndarray of bool, shape (k,)
        Whether that is the GP.
    own : ndarray of int64, shape (k,)
        Done by the GP: within his own contact, or after that of a delegate.
    by_role : ndarray of int64, shape (R, k)
        Done by others, within the GP's contact or in their own.
    booked : ndarray of int64, shape (R, k)
        Booked apart with others for another day.
    """

    contact: NDArray[np.int64]
    role: NDArray[np.int8]
    by_gp: NDArray[np.bool_]
    own: NDArray[np.int64]
    by_role: NDArray[np.int64]
    booked: NDArray[np.int64]

    def kept(self, n: int) -> NDArray[np.int64]:
        """Acts that are done in the contact itself by its holder, of all n contacts."""
        acts = np.zeros(n, np.int64)
        acts[self.contact] = self.own
        others = np.flatnonzero(~self.by_gp)
        acts[self.contact.take(others)] = self.by_role[self.role.take(others), others]
        return acts

    def left_to_gp(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Contacts of others that leave acts to the GP, and these acts."""
        some = np.flatnonzero((self.own != 0) & ~self.by_gp)
        return self.contact.take(some), self.own.take(some)

    def given_to(self, role: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Contacts of the GP within which a role has acts to do, and these acts."""
        some = np.flatnonzero((self.by_role[role] != 0) & self.by_gp)
        return self.contact.take(some), self.by_role[role].take(some)


def may_delegate(
    register: Register, people: Population, trust: NDArray[np.float64], request: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Whether the GP trusts and the patient consents; the luck of an episode is the same in every scenario.

    Parameters
    ----------
    trust : ndarray of float, shape (n,)
        Trust of the patient's GP in the delegate's role.
    request : ndarray of int64, shape (n,)
    """
    requests = register.requests
    trusted = uniform(requests.key.take(request), _TRUST) < trust
    accepts: NDArray[np.bool_] = people.accepts_nurse.take(requests.patient.take(request))
    return trusted & accepts


def route(
    bundles: BundleTables,
    layout: Layout,
    rules: DelegationRules,
    register: Register,
    people: Population,
    trust: NDArray[np.float64],
    slips: Slips,
) -> NDArray[np.int8]:
    """Role that is to perform each visit that may be booked ahead.

    A visit is delegated if law and protocol allow it, the patient is stable where that is asked, it is not the
    GP's turn to review, no red flag is up, the GP trusts and the patient consents.

    Returns
    -------
    ndarray of int8, shape (n,)
    """
    requests = register.requests
    performer = np.full(len(slips.lane), layout.gp, np.int8)
    visit = requests.visit.take(slips.request)
    delegate = rules.visit_role[slips.lane, visit]
    some = np.flatnonzero(delegate >= 0)
    lane, request, visit = slips.lane.take(some), slips.request.take(some), visit.take(some)
    key = requests.key.take(request)
    person = child(
        people.key.take(requests.patient.take(request)), bundles.task_key[layout.visit_tasks].take(visit)
    )
    stable = uniform(person, _STABLE) < rules.stable_share.take(lane)
    every = rules.review_every.take(lane)
    occurrence = requests.occurrence.take(request).astype(np.int64)
    turn = (occurrence + np.floor(uniform(person, _TURN) * every).astype(np.int64)) % every == 0
    allowed = ~rules.needs_stable[lane, visit] | (stable & ~turn & (occurrence >= 0))
    allowed &= uniform(key, _RED_FLAG) >= rules.red_flag.take(lane)
    allowed &= may_delegate(register, people, trust.take(some), request)
    given = some[allowed]
    performer[given] = delegate[given]
    return performer


def split(
    layout: Layout,
    rules: DelegationRules,
    register: Register,
    people: Population,
    trust: NDArray[np.float64],
    present: NDArray[np.bool_],
    on_site: NDArray[np.bool_],
    contacts: Divisible,
    rows: NDArray[np.int64],
) -> Split:
    """Divide the acts of today's contacts between the GP, the others by qualification, and another day.

    Parameters
    ----------
    present : ndarray of bool, shape (R, k)
        Whether somebody of a role is in session when the contact is released.
    on_site : ndarray of bool, shape (k,)
        Whether a doctor is in the building then.
    contacts : Divisible
        The k contacts that have acts.
    rows : ndarray of int64, shape (k,)
        Their rows among the contacts of the day.
    """
    requests, lane, acts = register.requests, contacts.lane, contacts.acts
    by_gp = contacts.role == layout.gp
    shareable = np.flatnonzero(by_gp & (contacts.channel == Channel.OFFICE))
    shareable = shareable.compress(
        may_delegate(register, people, trust.take(shareable), contacts.request.take(shareable))
    )
    left = np.zeros(len(lane), np.int64)
    left[shareable] = acts.take(shareable)
    by_role = np.zeros((len(layout.roles), len(lane)), np.int64)
    booked = np.zeros_like(by_role)
    for role in layout.others:
        may = rules.acts_allowed[role].take(lane)
        by_role[role] = np.where(present[role], left & may, 0)
        hers = np.flatnonzero(contacts.role == role)
        forbidden = np.where(on_site.take(hers), 0, rules.acts_with_doctor[role].take(lane.take(hers)))
        by_role[role, hers] |= acts.take(hers) & may.take(hers) & ~forbidden
        left &= ~by_role[role]
    some = np.flatnonzero(left)
    request = contacts.request.take(some)
    second_trip = people.accepts_second_trip.take(requests.patient.take(request))
    absent = uniform(requests.key.take(request), _ABSENT)
    apart = some.compress(second_trip & (absent < rules.absent_booked.take(lane.take(some))))
    left = left.take(apart)
    for role in layout.others:
        booked[role, apart] = left & rules.acts_allowed[role].take(lane.take(apart))
        left &= ~booked[role, apart]
    own = acts & ~np.bitwise_or.reduce(by_role | booked, axis=0)
    return Split(contact=rows, role=contacts.role, by_gp=by_gp, own=own, by_role=by_role, booked=booked)


def hands_back(
    rules: DelegationRules,
    key: NDArray[np.uint64],
    lane: NDArray[np.int64],
    errand: NDArray[np.int8],
    acts: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Whether an episode, of acts or of a contact, comes back to the GP; same luck in every scenario."""
    share = np.where(acts, rules.hand_back_act.take(lane), rules.hand_back_contact.take(lane))
    return uniform(child(key, errand.astype(np.int64)), _HAND_BACK) < share
