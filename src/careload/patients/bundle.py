"""What a contact carries: minute, urgency, acts and the desk work it leaves, drawn once for all scenarios."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from careload.columns import take
from careload.draws import child, happens, index16, limit_of, name_key, uniform
from careload.patients.calendar import Calendar
from careload.patients.demand import CALL_ONLY, Arrivals
from careload.patients.population import Population
from careload.patients.register import Register, Requests, TaskRows
from careload.ticks import MINUTE

__all__ = [
    "CALL_ROW",
    "VISIT_ROW",
    "BundleTables",
    "Channel",
    "Register",
    "Requests",
    "Urgency",
    "accepted",
    "draw_bundles",
]

CALL_ROW = 0
"""Position of the call among the rows of a request."""

VISIT_ROW = 1
"""Position of the visit among the rows of a request; its acts follow, then its desk work."""

_MINUTE = name_key("minute of the call")
_URGENCY = name_key("true urgency")
_RANK_ONE = name_key("urgent of the same day")
_SET = name_key("set by the practice")
_WALK_IN = name_key("comes without appointment")
_LUCK = name_key("duration")
_MOST_TOLERANCE = 366


class Channel(IntEnum):
    """Where a visit takes place."""

    OFFICE = 0
    HOME = 1
    PHONE = 2


class Urgency(IntEnum):
    """Urgency of a request; the number is its rank on the day."""

    URGENT = 1
    SAME_DAY = 2
    ROUTINE = 3


@dataclass(frozen=True)
class BundleTables:
    """What contacts carry; V visits, A acts, K kinds of desk work, T tasks in all.

    Attributes
    ----------
    channel : ndarray of int64, shape (V,)
    urgent_share : ndarray of float, shape (V,)
        Share that needs care the same day.
    rank_one_share : ndarray of float, shape (V,)
        Share of those that is urgent.
    set_share : ndarray of float, shape (V,)
        Share that the practice sets itself.
    walk_in_share : float
        Share of the patients' own office requests that comes without a call.
    minute_edge, minute_cumulated : ndarray of float, shape (hours + 1,)
        Minutes since midnight and cumulated share of the calls.
    follow_up_tolerance : float
        Share of the interval by which due work may move.
    least_tolerance_days : int
        Calendar days.
    act_share : ndarray of float, shape (V, A)
        Probability of an act in a visit that names it.
    act_residual : ndarray of float, shape (7, A)
        Probability of an act in any office visit that may carry the rest, by age band.
    carries_rest : ndarray of bool, shape (V,)
    act_season : ndarray of float, shape (53, A)
        Factor by ISO week on both; mean 1 over the open days.
    visit_desk, act_desk : ndarray of float, shape (V, K) and (A, K)
        Probability of desk work left by a visit or an act.
    visit_task, act_task, desk_task : ndarray of int64, shape (V,), (A,), (K,)
        Task numbers.
    call_task : int
    task_key : ndarray of uint64, shape (T,)
    """

    channel: NDArray[np.int64]
    urgent_share: NDArray[np.float64]
    rank_one_share: NDArray[np.float64]
    set_share: NDArray[np.float64]
    walk_in_share: float
    minute_edge: NDArray[np.float64]
    minute_cumulated: NDArray[np.float64]
    follow_up_tolerance: float
    least_tolerance_days: int
    act_share: NDArray[np.float64]
    act_residual: NDArray[np.float64]
    carries_rest: NDArray[np.bool_]
    act_season: NDArray[np.float64]
    visit_desk: NDArray[np.float64]
    act_desk: NDArray[np.float64]
    visit_task: NDArray[np.int64]
    act_task: NDArray[np.int64]
    desk_task: NDArray[np.int64]
    call_task: int
    task_key: NDArray[np.uint64]


def call_minute(tables: BundleTables, key: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Tick at which a call comes in, by the profile of the day."""
    minute = np.interp(uniform(key, _MINUTE), tables.minute_cumulated, tables.minute_edge)
    return np.rint(minute * MINUTE).astype(np.int64)


def _acts(
    tables: BundleTables,
    visit: NDArray[np.int64],
    band: NDArray[np.int8],
    key: NDArray[np.uint64],
    week: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Acts of contacts: contact and act, sorted by contact and act.

    Only contacts whose kind may have an act are drawn for it.
    """
    weeks, of_week = np.unique(week, return_inverse=True)
    rest = np.where(tables.carries_rest[:, None, None], tables.act_residual, 0.0)
    share = (tables.act_share[:, None, :] + rest) * tables.act_season[weeks][:, None, None, :]
    n_acts = share.shape[3]
    by_kind = share.reshape(-1, n_acts)
    may: NDArray[np.bool_] = np.any(share, axis=(0, 2))
    kind = (of_week.reshape(-1) * share.shape[1] + visit) * share.shape[2] + band
    limit = limit_of(np.ascontiguousarray(by_kind.T))
    contacts: list[NDArray[np.int64]] = []
    acts: list[NDArray[np.int64]] = []
    for group in (tables.carries_rest, ~tables.carries_rest & may.any(axis=1)):
        chosen = np.flatnonzero(group.take(visit))
        keys, kinds = key.take(chosen), kind.take(chosen)
        for act in np.flatnonzero(may[group].any(axis=0)):
            hit = np.flatnonzero(happens(keys, tables.task_key[tables.act_task[act]], limit[act], kinds))
            contacts.append(chosen.take(hit))
            acts.append(np.full(len(hit), act))
    if not contacts:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    pair = np.concatenate(contacts) * n_acts + np.concatenate(acts)
    pair.sort()
    contact, act = np.divmod(pair, n_acts)
    return contact, act


def _desk(
    tables: BundleTables,
    visit: NDArray[np.int64],
    contact: NDArray[np.int64],
    act: NDArray[np.int64],
    key: NDArray[np.uint64],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Desk work left: contact, kind and parent act (-1 for the visit), sorted by contact, parent and kind."""
    n_kinds, n_acts = len(tables.desk_task), len(tables.act_task)
    by_act = np.flatnonzero(tables.act_desk.any(axis=1).take(act))
    origins = (
        (np.arange(len(visit)), np.full(len(visit), -1), visit, tables.visit_desk, tables.visit_task),
        (contact[by_act], act[by_act], act[by_act], tables.act_desk, tables.act_task),
    )
    found: list[NDArray[np.int64]] = [np.zeros(0, np.int64)]
    for of, parent, kind, share, task in origins:
        prefix = child(key[of], tables.task_key[task[kind]])
        limit = limit_of(np.ascontiguousarray(share.T))
        for desk in np.flatnonzero(share.any(axis=0)):
            may = np.flatnonzero((share[:, desk] > 0).take(kind))
            purpose = tables.task_key[tables.desk_task[desk]]
            hit = may.take(np.flatnonzero(happens(prefix.take(may), purpose, limit[desk], kind.take(may))))
            found.append((of[hit] * (n_acts + 1) + parent[hit] + 1) * n_kinds + desk)
    code = np.concatenate(found)
    code.sort()
    pair, kinds = np.divmod(code, n_kinds)
    contacts, parents = np.divmod(pair, n_acts + 1)
    return contacts, kinds, parents - 1


def _marks(tables: BundleTables, arrivals: Arrivals) -> tuple[NDArray[np.int8], NDArray[np.bool_]]:
    """True urgency, and whether the practice set the visit; bare calls are routine and set by nobody."""
    urgency = np.full(len(arrivals.key), Urgency.ROUTINE, dtype=np.int8)
    set_by_practice = arrivals.occurrence >= 0
    real = np.flatnonzero(arrivals.visit != CALL_ONLY)
    visit, key = arrivals.visit.take(real), arrivals.key.take(real)
    set_by_practice[real] |= happens(key, _SET, limit_of(tables.set_share), visit)
    soon = np.flatnonzero(happens(key, _URGENCY, limit_of(tables.urgent_share), visit))
    soon = soon.compress(~set_by_practice.take(real.take(soon)))
    urgent = happens(key.take(soon), _RANK_ONE, limit_of(tables.rank_one_share), visit.take(soon))
    urgency[real.take(soon)] = np.where(urgent, Urgency.URGENT, Urgency.SAME_DAY)
    return urgency, set_by_practice


def accepted(requests: Requests, seeking: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which requests each world accepts: the care-seeking factor counts but for urgent requests and bare calls.

    Parameters
    ----------
    seeking : ndarray of float, shape (S, patients)

    Returns
    -------
    ndarray of bool, shape (S, n)
    """
    steady = np.flatnonzero((requests.urgency == Urgency.URGENT) | (requests.visit == CALL_ONLY))
    result: NDArray[np.bool_] = requests.threshold < seeking.take(requests.patient, axis=1, mode="clip")
    result[:, steady] = requests.threshold[steady] < 1.0
    return result


def draw_bundles(
    tables: BundleTables,
    people: Population,
    arrivals: Arrivals,
    calendar: Calendar,
    register: Register,
) -> NDArray[np.int64]:
    """Draw what candidates carry and enter them in the register, but for urgent ones that no world can accept.

    Returns
    -------
    ndarray of int64, shape (n,)
        Open day of each request entered, in the order of the register.
    """
    urgency, set_by_practice = _marks(tables, arrivals)
    kept = np.flatnonzero((urgency != Urgency.URGENT) | (arrivals.threshold < 1.0))
    if len(kept) < len(urgency):
        arrivals, urgency, set_by_practice = take(arrivals, kept), urgency[kept], set_by_practice[kept]
    n, key = len(arrivals.key), arrivals.key
    real = np.flatnonzero(arrivals.visit != CALL_ONLY)
    visit, real_key = arrivals.visit.take(real), key.take(real)
    week = calendar.week[arrivals.day[real]]
    contact, act = _acts(tables, visit, people.band.take(arrivals.patient.take(real)), real_key, week)
    desk_of, desk_kind, desk_parent = _desk(tables, visit, contact, act, real_key)
    n_acts, n_desk, mask = np.zeros(n, np.int16), np.zeros(n, np.int16), np.zeros(n, np.int64)
    n_acts[real] = np.bincount(contact, minlength=len(real))
    n_desk[real] = np.bincount(desk_of, minlength=len(real))
    mask[real] = _masks(contact, act, len(real))
    office = np.flatnonzero((tables.channel == Channel.OFFICE).take(visit))
    office = real.take(office.compress(~set_by_practice.take(real.take(office))))
    walk_in = np.zeros(n, dtype=bool)
    walk_in[office] = happens(
        key.take(office), _WALK_IN, limit_of([tables.walk_in_share]), np.zeros_like(office)
    )
    size = 1 + n_acts.astype(np.int64) + n_desk
    size[real] += 1
    requests = Requests(
        cell=arrivals.cell.astype(np.int32),
        day=arrivals.day.astype(np.int16),
        patient=arrivals.patient,
        visit=arrivals.visit.astype(np.int16),
        key=key,
        threshold=arrivals.threshold,
        occurrence=arrivals.occurrence.astype(np.int32),
        minute=call_minute(tables, key),
        urgency=urgency,
        set_by_practice=set_by_practice,
        walk_in=walk_in,
        tolerance=_tolerance(tables, arrivals, calendar),
        acts=mask,
        first=register.n_rows + np.cumsum(size) - size,
        n_acts=n_acts,
        n_desk=n_desk,
    )
    of_acts, of_desk = (real.take(contact), act), (real.take(desk_of), desk_kind, desk_parent)
    register.add(requests, _task_rows(tables, requests, register, size, real, of_acts, of_desk))
    return arrivals.day


def _masks(contact: NDArray[np.int64], act: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Bit mask of the acts of each contact; pairs are sorted by contact."""
    mask = np.zeros(n, np.int64)
    fresh = np.flatnonzero(np.diff(contact, prepend=-1))
    if len(fresh):
        mask[contact[fresh]] = np.bitwise_or.reduceat(np.int64(1) << act, fresh)
    return mask


def _tolerance(tables: BundleTables, arrivals: Arrivals, calendar: Calendar) -> NDArray[np.int16]:
    """Calendar days by which due work may move: a share of its interval, within limits; 0 for other work."""
    result = np.zeros(len(arrivals.key), np.int16)
    due = np.flatnonzero(arrivals.occurrence >= 0)
    interval = arrivals.interval_days[due] * 365.0 / calendar.year_days
    result[due] = np.clip(
        np.rint(tables.follow_up_tolerance * interval), tables.least_tolerance_days, _MOST_TOLERANCE
    )
    return result


def _task_rows(
    tables: BundleTables,
    requests: Requests,
    register: Register,
    size: NDArray[np.int64],
    real: NDArray[np.int64],
    of_acts: tuple[NDArray[np.int64], NDArray[np.int64]],
    of_desk: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
) -> TaskRows:
    """Rows of requests: call, visit, acts in order, desk work in order of parent and kind.

    Parameters
    ----------
    size : ndarray of int64
        Rows of each request.
    real : ndarray of int64
        Requests with a visit.
    of_acts : request and act of every act
    of_desk : request, kind and parent act of all desk work
    """
    first = requests.first - register.n_rows
    request = np.repeat(np.arange(len(size)), size)
    task = np.full(len(request), tables.call_task)
    parent = np.full(len(request), -1, dtype=np.int8)
    visit = requests.visit.astype(np.int64)
    task[first[real] + VISIT_ROW] = tables.visit_task[visit[real]]
    after_visit = first + VISIT_ROW + 1
    asked, act = of_acts
    task[after_visit[asked] + _number_within(asked)] = tables.act_task[act]
    left, kind, origin = of_desk
    place = after_visit[left] + requests.n_acts[left] + _number_within(left)
    task[place] = tables.desk_task[kind]
    parent[place] = origin
    left_by = np.zeros(len(request), dtype=np.uint64)
    left_by[place] = tables.task_key[
        np.where(origin < 0, tables.visit_task[visit[left]], tables.act_task[np.maximum(origin, 0)])
    ]
    key = child(requests.key.take(request), tables.task_key.take(task), left_by)
    luck = index16(key, _LUCK).astype(np.uint16)
    request += register.n_requests
    return TaskRows(request=request, task=task.astype(np.int16), luck=luck, parent=parent)


def _number_within(group: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number of each element within its group; groups stand together."""
    fresh = np.flatnonzero(np.diff(group, prepend=-1))
    return np.arange(len(group)) - np.repeat(fresh, np.diff(fresh, append=len(group)))
