"""What a contact carries: minute, urgency, acts and the desk work it leaves, drawn once for all scenarios."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from careload.draws import child, index16, name_key, uniform
from careload.patients.calendar import Calendar
from careload.patients.demand import CALL_ONLY, Arrivals
from careload.patients.population import Population
from careload.ticks import MINUTE

__all__ = ["CALL_ROW", "VISIT_ROW", "BundleTables", "Channel", "Register", "Urgency", "draw_bundles"]

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


@dataclass(frozen=True)
class Requests:
    """Requests of one day, sorted by (cell, key); one row each.

    `acts` is a bit mask over the A acts; `first` is the first of the request's `1 + 1 + acts + desk` task rows
    (one row only for a bare call); `day` is the open day on which they come up; `tolerance` is the number of
    calendar days by which due work may move, 0 for other work.
    """

    cell: NDArray[np.int32]
    day: NDArray[np.int16]
    patient: NDArray[np.int64]
    visit: NDArray[np.int16]
    key: NDArray[np.uint64]
    threshold: NDArray[np.float64]
    occurrence: NDArray[np.int32]
    minute: NDArray[np.int64]
    urgency: NDArray[np.int8]
    set_by_practice: NDArray[np.bool_]
    walk_in: NDArray[np.bool_]
    tolerance: NDArray[np.int16]
    acts: NDArray[np.int64]
    first: NDArray[np.int64]
    n_acts: NDArray[np.int16]
    n_desk: NDArray[np.int16]


@dataclass(frozen=True)
class TaskRows:
    """Task instances: the unit of the ledger. `luck` is the place of the duration in its law, whoever serves it."""

    request: NDArray[np.int64]
    task: NDArray[np.int16]
    luck: NDArray[np.uint16]
    parent: NDArray[np.int8]


class Growing:
    """A one-dimensional array that grows at its end."""

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self._store: NDArray[Any] = np.zeros(1024, dtype)
        self.size = 0

    def append(self, values: NDArray[Any]) -> None:
        """Add values at the end."""
        need = self.size + len(values)
        if need > len(self._store):
            grown = np.zeros(max(need, 2 * len(self._store)), self._store.dtype)
            grown[: self.size] = self._store[: self.size]
            self._store = grown
        self._store[self.size : need] = values
        self.size = need

    @property
    def values(self) -> NDArray[Any]:
        """The values so far, a view."""
        return self._store[: self.size]


class Register:
    """All requests and task rows of a run so far; both are named by their position.

    Attributes
    ----------
    requests : Requests
    rows : TaskRows
        Views of the columns, renewed when a day is added.
    """

    def __init__(self) -> None:
        self._requests = {name: Growing(np.dtype(kind)) for name, kind in _REQUEST_DTYPES.items()}
        self._rows = {name: Growing(np.dtype(kind)) for name, kind in _ROW_DTYPES.items()}
        self._look()

    @property
    def n_requests(self) -> int:
        """Requests so far."""
        return self._requests["cell"].size

    @property
    def n_rows(self) -> int:
        """Task rows so far."""
        return self._rows["task"].size

    def add(self, requests: Requests, rows: TaskRows) -> None:
        """Append one day."""
        for name, column in self._requests.items():
            column.append(getattr(requests, name))
        for name, column in self._rows.items():
            column.append(getattr(rows, name))
        self._look()

    def _look(self) -> None:
        self.requests = Requests(**{name: column.values for name, column in self._requests.items()})
        self.rows = TaskRows(**{name: column.values for name, column in self._rows.items()})


_REQUEST_DTYPES = {
    "cell": np.int32,
    "day": np.int16,
    "patient": np.int64,
    "visit": np.int16,
    "key": np.uint64,
    "threshold": np.float64,
    "occurrence": np.int32,
    "minute": np.int64,
    "urgency": np.int8,
    "set_by_practice": np.bool_,
    "walk_in": np.bool_,
    "tolerance": np.int16,
    "acts": np.int64,
    "first": np.int64,
    "n_acts": np.int16,
    "n_desk": np.int16,
}
_ROW_DTYPES = {"request": np.int64, "task": np.int16, "luck": np.uint16, "parent": np.int8}


def call_minute(tables: BundleTables, key: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Tick at which a call comes in, by the profile of the day."""
    minute = np.interp(uniform(key, _MINUTE), tables.minute_cumulated, tables.minute_edge)
    return np.rint(minute * MINUTE).astype(np.int64)


def _true_urgency(
    tables: BundleTables, visit: NDArray[np.int64], key: NDArray[np.uint64]
) -> NDArray[np.int8]:
    same_day = uniform(key, _URGENCY) < tables.urgent_share[visit]
    urgent = same_day & (uniform(key, _RANK_ONE) < tables.rank_one_share[visit])
    return np.where(urgent, Urgency.URGENT, np.where(same_day, Urgency.SAME_DAY, Urgency.ROUTINE)).astype(
        np.int8
    )


def _acts(
    tables: BundleTables,
    visit: NDArray[np.int64],
    band: NDArray[np.int64],
    key: NDArray[np.uint64],
    week: int,
) -> NDArray[np.bool_]:
    """Which acts each contact carries, shape (n, A)."""
    rest = np.where(tables.carries_rest[:, None, None], tables.act_residual, 0.0)
    share = (tables.act_share[:, None, :] + rest) * tables.act_season[week]
    by_kind = np.ascontiguousarray(share.reshape(-1, share.shape[2]).T)
    kind = visit * share.shape[1] + band
    drawn = np.empty((len(by_kind), len(kind)), dtype=bool)
    for act, task in enumerate(tables.act_task):
        np.less(uniform(key, tables.task_key[task]), by_kind[act].take(kind), out=drawn[act])
    return np.ascontiguousarray(drawn.T)


def _desk(
    tables: BundleTables, visit: NDArray[np.int64], acts: NDArray[np.bool_], key: NDArray[np.uint64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Desk work left: contact, kind and parent act (-1 for the visit), sorted by contact."""
    contact, act = np.nonzero(acts)
    parent_of = np.concatenate((np.arange(len(visit)), contact))
    parent = np.concatenate((np.full(len(visit), -1), act))
    share = np.concatenate((tables.visit_desk[visit], tables.act_desk[act]))
    parent_task = np.concatenate((tables.visit_task[visit], tables.act_task[act]))
    prefix = child(key[parent_of], tables.task_key[parent_task])
    hit = np.empty(share.shape, dtype=bool)
    for kind, task in enumerate(tables.desk_task):
        hit[:, kind] = uniform(prefix, tables.task_key[task]) < share[:, kind]
    row, kind_ = np.nonzero(hit)
    order = np.lexsort((kind_, parent[row], parent_of[row]))
    return parent_of[row][order], kind_[order], parent[row][order]


def draw_bundles(
    tables: BundleTables,
    people: Population,
    arrivals: Arrivals,
    calendar: Calendar,
    day: int,
    register: Register,
) -> slice:
    """Draw what every candidate of the day carries and enter it in the register.

    Returns
    -------
    slice
        Positions of the day's requests in the register.
    """
    n, key = len(arrivals.key), arrivals.key
    bare = arrivals.visit == CALL_ONLY
    real = np.flatnonzero(~bare)
    visit, real_key = arrivals.visit[real], key[real]
    acts = _acts(
        tables, visit, people.band[arrivals.patient[real]].astype(np.int64), real_key, int(calendar.week[day])
    )
    desk_of, desk_kind, desk_parent = _desk(tables, visit, acts, real_key)
    n_acts = np.zeros(n, dtype=np.int16)
    n_desk = np.zeros(n, dtype=np.int16)
    mask = np.zeros(n, dtype=np.int64)
    urgency = np.full(n, Urgency.ROUTINE, dtype=np.int8)
    set_by_practice = np.zeros(n, dtype=bool)
    n_acts[real] = acts.sum(1)
    n_desk[real] = np.bincount(desk_of, minlength=len(real))
    mask[real] = acts @ (1 << np.arange(acts.shape[1], dtype=np.int64))
    urgency[real] = _true_urgency(tables, visit, real_key)
    due = arrivals.occurrence >= 0
    set_by_practice[real] = due[real] | (uniform(real_key, _SET) < tables.set_share[visit])
    office = np.zeros(n, dtype=bool)
    office[real] = tables.channel[visit] == Channel.OFFICE
    walk_in = office & ~set_by_practice & (uniform(key, _WALK_IN) < tables.walk_in_share)
    urgency[set_by_practice] = Urgency.ROUTINE
    size = np.where(bare, 1, VISIT_ROW + 1 + n_acts.astype(np.int64) + n_desk)
    first = register.n_rows + np.cumsum(size) - size
    requests = Requests(
        cell=arrivals.cell.astype(np.int32),
        day=np.full(n, day, np.int16),
        patient=arrivals.patient,
        visit=arrivals.visit.astype(np.int16),
        key=key,
        threshold=arrivals.threshold,
        occurrence=arrivals.occurrence.astype(np.int32),
        minute=call_minute(tables, key),
        urgency=urgency,
        set_by_practice=set_by_practice,
        walk_in=walk_in,
        tolerance=_tolerance(tables, arrivals, due, calendar),
        acts=mask,
        first=first,
        n_acts=n_acts,
        n_desk=n_desk,
    )
    rows = _task_rows(tables, requests, register, real, acts, desk_of, desk_kind, desk_parent)
    start = register.n_requests
    register.add(requests, rows)
    return slice(start, start + n)


def _tolerance(
    tables: BundleTables, arrivals: Arrivals, due: NDArray[np.bool_], calendar: Calendar
) -> NDArray[np.int16]:
    """Calendar days by which due work may move: a share of its interval, within limits; 0 for other work."""
    interval = arrivals.interval_days * 365.0 / calendar.year_days
    days = np.clip(
        np.rint(tables.follow_up_tolerance * interval), tables.least_tolerance_days, _MOST_TOLERANCE
    )
    return np.where(due, days, 0).astype(np.int16)


def _task_rows(
    tables: BundleTables,
    requests: Requests,
    register: Register,
    real: NDArray[np.int64],
    acts: NDArray[np.bool_],
    desk_of: NDArray[np.int64],
    desk_kind: NDArray[np.int64],
    desk_parent: NDArray[np.int64],
) -> TaskRows:
    """Rows of the day's requests: call, visit, acts in order, desk work in order of parent and kind."""
    start = register.n_rows
    visit = requests.visit[real]
    size = np.ones(len(requests.key), dtype=np.int64)
    size[real] += 1 + requests.n_acts[real].astype(np.int64) + requests.n_desk[real]
    request = np.repeat(np.arange(len(size)), size)
    task = np.full(len(request), tables.call_task, dtype=np.int16)
    parent = np.full(len(request), -1, dtype=np.int8)
    first = requests.first - start
    task[first[real] + VISIT_ROW] = tables.visit_task[visit]
    contact, act = np.nonzero(acts)
    within = np.arange(len(contact)) - np.repeat(
        np.cumsum(requests.n_acts[real], dtype=np.int64) - requests.n_acts[real], requests.n_acts[real]
    )
    task[first[real[contact]] + VISIT_ROW + 1 + within] = tables.act_task[act]
    n_desk = requests.n_desk[real].astype(np.int64)
    within = np.arange(len(desk_of)) - np.repeat(np.cumsum(n_desk) - n_desk, n_desk)
    place = first[real[desk_of]] + VISIT_ROW + 1 + requests.n_acts[real[desk_of]] + within
    task[place] = tables.desk_task[desk_kind]
    parent[place] = desk_parent
    left_by = np.zeros(len(request), dtype=np.uint64)
    left_by[place] = tables.task_key[_parent_task(tables, visit[desk_of], desk_parent)]
    key = child(requests.key[request], tables.task_key[task], left_by)
    luck = index16(key, _LUCK).astype(np.uint16)
    return TaskRows(request=request + register.n_requests, task=task, luck=luck, parent=parent)


def _parent_task(tables: BundleTables, visit: NDArray[np.int16], act: NDArray[np.int64]) -> NDArray[np.int64]:
    """Task that leaves desk work: the act, or the visit where `act` is -1."""
    return np.where(act < 0, tables.visit_task[visit], tables.act_task[np.maximum(act, 0)])
