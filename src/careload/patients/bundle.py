"""What a contact carries: minute, urgency, acts and the desk work it leaves, drawn once for all scenarios."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from careload.codes import Codes
from careload.columns import take
from careload.draws import child, happens, index16, name_key, uniform
from careload.patients.calendar import Calendar
from careload.patients.carried import BundleTables, Channel, acts_of, desk_of
from careload.patients.demand import CALL_ONLY, Arrivals
from careload.patients.population import Population
from careload.patients.register import Register, Requests
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


class Urgency(Codes):
    """Urgency of a request; the number is its rank on the day."""

    URGENT = 1
    SAME_DAY = 2
    ROUTINE = 3


def call_minute(tables: BundleTables, key: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Tick at which a call comes in, by the profile of the day."""
    profile, drawn = tables.minutes, uniform(key, _MINUTE)
    hour = profile.hour.take((drawn * len(profile.hour)).astype(np.int64))
    late = np.flatnonzero(drawn >= profile.until.take(hour))
    while len(late):
        hour[late] += 1
        late = late.compress(drawn.take(late) >= profile.until.take(hour.take(late)))
    drawn -= profile.since.take(hour)
    drawn *= profile.slope.take(hour)
    drawn += profile.minute.take(hour)
    drawn *= MINUTE
    return np.rint(drawn, out=drawn).astype(np.int64)


def _marks(
    tables: BundleTables, arrivals: Arrivals, kind: NDArray[np.int64]
) -> tuple[NDArray[np.int8], NDArray[np.bool_]]:
    """True urgency, and whether the practice set the visit; bare calls are routine and set by nobody."""
    key = arrivals.key
    set_by_practice = happens(key, _SET, tables.set_limit, kind)
    set_by_practice |= arrivals.occurrence >= 0
    soon = np.flatnonzero(happens(key, _URGENCY, tables.urgent_limit, kind) & ~set_by_practice)
    urgent = happens(key.take(soon), _RANK_ONE, tables.rank_one_limit, kind.take(soon))
    urgency = np.full(len(key), Urgency.ROUTINE, dtype=np.int8)
    urgency[soon] = np.where(urgent, Urgency.URGENT, Urgency.SAME_DAY)
    return urgency, set_by_practice


def accepted(requests: Requests, seeking: NDArray[np.float64], alike: bool) -> NDArray[np.bool_]:
    """Which requests each world accepts: the care-seeking factor counts but for urgent requests and bare calls.

    Parameters
    ----------
    seeking : ndarray of float, shape (S, cells) if the patients of a cell are alike, else (S, patients)
    alike : bool

    Returns
    -------
    ndarray of bool, shape (S, n)
    """
    steady = np.flatnonzero((requests.urgency == Urgency.URGENT) | (requests.visit == CALL_ONLY))
    threshold = requests.threshold.copy()
    threshold[steady] = np.where(threshold.take(steady) < 1.0, -np.inf, np.inf)
    column = requests.cell if alike else requests.patient
    result: NDArray[np.bool_] = threshold < seeking.take(column, axis=1, mode="clip")
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
    kind = arrivals.visit + 1
    urgency, set_by_practice = _marks(tables, arrivals, kind)
    kept = np.flatnonzero((urgency != Urgency.URGENT) | (arrivals.threshold < 1.0))
    if len(kept) < len(urgency):
        arrivals, kind = take(arrivals, kept), kind.take(kept)
        urgency, set_by_practice = urgency.take(kept), set_by_practice.take(kept)
    n, key, band = len(kept), arrivals.key, people.band.take(arrivals.patient, mode="clip")
    acts = acts_of(tables, kind, band, calendar.week.take(arrivals.day), key)
    desk = desk_of(tables, kind, acts, key)
    n_acts, n_desk = np.bincount(acts[0], minlength=n), np.bincount(desk[0], minlength=n)
    first, rows = _task_rows(tables, kind, key, (n_acts, n_desk), acts, desk)
    first += register.n_rows
    rows["request"] += register.n_requests
    register.add(
        {
            "cell": arrivals.cell,
            "day": arrivals.day,
            "patient": arrivals.patient,
            "visit": arrivals.visit,
            "key": key,
            "threshold": arrivals.threshold,
            "occurrence": arrivals.occurrence,
            "minute": call_minute(tables, key),
            "urgency": urgency,
            "set_by_practice": set_by_practice,
            "walk_in": happens(key, _WALK_IN, tables.walk_in_limit, kind) & ~set_by_practice,
            "tolerance": _tolerance(tables, arrivals, calendar),
            "acts": _masks(acts, n_acts),
            "first": first,
            "n_acts": n_acts,
            "n_desk": n_desk,
        },
        rows,
    )
    return arrivals.day


def _masks(acts: tuple[NDArray[np.int64], NDArray[np.int64]], n_acts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Bit mask of the acts of each request; pairs are sorted by request."""
    mask = np.zeros(len(n_acts), np.int64)
    some = np.flatnonzero(n_acts)
    if len(some):
        first = np.cumsum(n_acts.take(some)) - n_acts.take(some)
        mask[some] = np.bitwise_or.reduceat(np.int64(1) << acts[1], first)
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
    kind: NDArray[np.int64],
    key: NDArray[np.uint64],
    counts: tuple[NDArray[np.int64], NDArray[np.int64]],
    acts: tuple[NDArray[np.int64], NDArray[np.int64]],
    desk: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
) -> tuple[NDArray[np.int64], dict[str, NDArray[Any]]]:
    """Rows of requests: call, visit, acts in order, desk work in order of parent and kind.

    Parameters
    ----------
    counts : numbers of acts and of desk work of each request
    acts : request and act of every act
    desk : request, kind and parent act of all desk work

    Returns
    -------
    first : ndarray of int64
        First row of each request.
    rows : dict
        Columns of the rows; `request` counts the requests given.
    """
    (n_acts, n_desk), (asked, act), (left, what, origin) = counts, acts, desk
    size = 1 + (kind > 0) + n_acts + n_desk
    first, request = np.cumsum(size) - size, np.repeat(np.arange(len(size)), size)
    task, parent = np.full(len(request), tables.call_task), np.full(len(request), -1, np.int8)
    left_by = np.zeros(len(request), np.uint64)
    real = np.flatnonzero(kind)
    task[first.take(real) + VISIT_ROW] = tables.kind_task.take(kind.take(real))
    after = first + (VISIT_ROW + 1)
    task[_places(after, n_acts, asked)] = tables.act_task.take(act)
    at = _places(after + n_acts, n_desk, left)
    task[at], parent[at] = tables.desk_task.take(what), origin
    of_visit, of_act = tables.kind_task.take(kind.take(left)), tables.act_task.take(origin, mode="clip")
    left_by[at] = tables.task_key.take(np.where(origin < 0, of_visit, of_act))
    own = child(key.take(request), tables.task_key.take(task), left_by)
    return first, {"request": request, "task": task, "luck": index16(own, _LUCK), "parent": parent}


def _places(
    first: NDArray[np.int64], count: NDArray[np.int64], group: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Places of elements, of which each group has `count` from its `first` on; groups stand in order."""
    place = (first - np.cumsum(count) + count).take(group)
    place += np.arange(len(group))
    return place
