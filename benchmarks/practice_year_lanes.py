"""PY-1 by careload: the station kernel, keyed draws and quantile tables, all practices of a block at once.

A request has two keyed words of 64 bits. Half of the first is its minute, half its patient; the second is cut into
four indices of 16 bits: two for the quantile tables, one for the route, one for what the nurse leaves.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from practice_year_workload import (
    CLINIC_CV,
    CLINIC_MINUTES,
    COLUMN,
    COLUMNS,
    DAYS,
    FREQUENT,
    GPS,
    NURSE_SHARE,
    OPEN,
    PATIENTS,
    RECEPTION_MINUTES,
    REQUESTS,
    SUPERVISED_SHARE,
    SUPERVISION_MINUTES,
    URGENT_SHARE,
)
from scipy import stats

from careload.draws import child, index16, name_key, root_key, uniform
from careload.quantiles import Law, durations, unit_table
from careload.station import DAY_SPAN, Queue, Served, merge, serve
from careload.ticks import MINUTE

IntArray: TypeAlias = NDArray[np.int64]

BLOCK = 3000
"""Practices in flight."""
CLOSE = OPEN * MINUTE
WITHIN = DAY_SPAN - 1
"""Bits of a time on the common clock that are the time of the lane."""
ONE = np.uint8(1)
HALF = np.uint64(32)
LOWER = np.uint64((1 << 32) - 1)
KEPT = 32_000_000
"""Bytes. Once an array of this size was freed, glibc keeps what is freed for the next day, not only half of it."""

COUNT, ATTRIBUTES, SUPERVISION = (name_key(name) for name in ("count", "attributes", "supervision"))


@cache
def requests_law() -> NDArray[np.float64]:
    """Distribution function of the requests of a day."""
    law: NDArray[np.float64] = stats.poisson.cdf(np.arange(4 * REQUESTS), REQUESTS)
    return law


def minutes(law: Law, cv: float, mean: float, index: NDArray[np.integer]) -> IntArray:
    """Ticks of service; the index is drawn from 0 to 65,535."""
    return durations(unit_table(law, cv), index.astype(np.int64), int(mean * MINUTE))


def years(lanes: int, seed: int, days: int = DAYS, together: int = 1) -> NDArray[np.float64]:
    """Rows of `COLUMNS`, shape (lanes, 17); a practice does not depend on how many run with it.

    Parameters
    ----------
    lanes : int
        Practices.
    together : int
        Days of a practice that run side by side, as lanes of the kernel: in PY-1 every day starts empty.
    """
    np.empty(KEPT, np.uint8)
    keys = child(root_key(seed), np.arange(lanes))
    block = max(1, BLOCK // together)
    return np.concatenate([Block(keys[b : b + block], together).run(days) for b in range(0, lanes, block)])


@dataclass(frozen=True)
class Requests:
    """Requests of one day of all practices in order of time, n in all.

    Attributes
    ----------
    patient : ndarray of int64, shape (n,)
        0 to 1,999.
    time : ndarray of int64, shape (n,)
        Common clock, ticks.
    edges : ndarray of int64, shape (lanes + 1,)
        Requests of lane l are edges[l] to edges[l + 1].
    key : ndarray of uint64, shape (n,)
        For all else that is drawn.
    """

    patient: IntArray
    time: IntArray
    edges: IntArray
    key: NDArray[np.uint64]


class Block:
    """Practices that run together, and what has been counted so far; a lane is one practice on one day."""

    def __init__(self, keys: NDArray[np.uint64], together: int) -> None:
        self.keys, self.together = keys, together
        self.lanes = len(keys) * together
        self.begin = np.arange(self.lanes + 1) * DAY_SPAN
        self.ticks = np.zeros((len(COLUMNS), self.lanes), np.int64)
        self.contacts = np.zeros(len(keys) * PATIENTS, np.uint8)
        self.practice = np.repeat(np.arange(len(keys)), together)

    def run(self, days: int) -> NDArray[np.float64]:
        """Rows of `COLUMNS` after so many days."""
        for day in range(0, days, self.together):
            self._day(child(self.keys[:, None], np.arange(day, day + self.together)).ravel())
        ticks = self.ticks.reshape(len(COLUMNS), -1, self.together).sum(axis=2)
        rows = ticks / MINUTE
        counted = [COLUMN[name] for name in COLUMNS if name.split()[0] in ("requests", "tasks")]
        rows[counted] = ticks[counted]
        frequent = self.contacts.reshape(len(self.keys), PATIENTS) >= FREQUENT
        rows[COLUMN["frequent patients"]] = np.count_nonzero(frequent, axis=1)
        return rows.T

    def _day(self, keys: NDArray[np.uint64]) -> None:
        requests = self._requests(keys)
        self.ticks[COLUMN["requests"]] += np.diff(requests.edges)
        practice = np.repeat(self.practice * PATIENTS, np.diff(requests.edges))
        np.add.at(self.contacts, practice + requests.patient, ONE)
        reception, clinic, route, supervised = requests.key.view(np.uint16).reshape(-1, 4).T
        service = minutes(Law.EXPONENTIAL, 1.0, RECEPTION_MINUTES, reception)
        queue = Queue(requests.time, service)
        asked = serve([queue], 1, self.lanes)[0]
        self._count("reception", [queue], [asked], ["wait reception"])
        service = minutes(Law.LOGNORMAL, CLINIC_CV, CLINIC_MINUTES, clinic)
        rows = routed(route)
        queues = [Queue(asked.end.take(mine), service.take(mine)) for mine in rows]
        nursed = serve(queues[:2], 1, self.lanes)
        self._count("nurse", queues[:2], nursed, ["nurse urgent", "nurse routine"])
        has_more = supervised < sixteen_bits(SUPERVISED_SHARE)
        for p in (0, 1):
            left = np.flatnonzero(has_more.take(rows[p]))
            queues[2 + p] = merge(queues[2 + p], supervision(nursed[p].end, left, requests.key.take(rows[p])))
        seen = serve(queues[2:], GPS, self.lanes)
        self._count("GP", queues[2:], seen, ["GP urgent", "GP routine"])

    def _requests(self, keys: NDArray[np.uint64]) -> Requests:
        """A Poisson number in each lane, evenly over the open minutes."""
        count = np.searchsorted(requests_law(), uniform(keys, COUNT))
        edges = np.concatenate(([0], np.cumsum(count)))
        ordinal = np.arange(edges[-1])
        ordinal -= np.repeat(edges[:-1], count)
        word = child(np.repeat(keys, count), ordinal)
        key = child(word, ATTRIBUTES)
        time = scaled(word >> HALF, CLOSE)
        time += np.repeat(self.begin[:-1], count)
        time.sort()
        word &= LOWER
        return Requests(scaled(word, PATIENTS), time, edges, key)

    def _count(self, role: str, queues: list[Queue], served: list[Served], names: list[str]) -> None:
        """Add tasks, waits, minutes and overtime of a station."""
        ticks = self.ticks
        for name, queue, one in zip(names, queues, served, strict=True):
            edges = np.searchsorted(queue.time, self.begin)
            if role != "reception":
                ticks[COLUMN[f"tasks {name}"]] += np.diff(edges)
                name = f"wait {name}"
            ticks[COLUMN[name]] += lane_sums(one.start - queue.time, edges)
            ticks[COLUMN[f"minutes {role}"]] += lane_sums(queue.service, edges)
            late = np.flatnonzero(one.end & WITHIN > CLOSE)
            end, start = one.end.take(late), one.start.take(late)
            over = (end & WITHIN) - np.maximum(start & WITHIN, CLOSE)
            ticks[COLUMN[f"overtime {role}"]] += np.bincount(end // DAY_SPAN, over, self.lanes).astype(
                np.int64
            )


def scaled(bits: NDArray[np.uint64], below: int) -> IntArray:
    """Whole numbers from 0 to before a bound, all alike, from 32 bits each, which are used up."""
    bits *= np.uint64(below)
    bits >>= HALF
    return bits.view(np.int64)


def sixteen_bits(share: float) -> int:
    """Draws of 16 bits below this are so large a share of all."""
    return round(share * (1 << 16))


def routed(draw: NDArray[np.uint16]) -> list[IntArray]:
    """Rows of the requests for the nurse, urgent and routine, and for the GPs, urgent and routine."""
    shares = NURSE_SHARE * URGENT_SHARE, NURSE_SHARE, NURSE_SHARE + (1 - NURSE_SHARE) * URGENT_SHARE
    nurse_urgent, nurse, all_but_last = (draw < sixteen_bits(share) for share in shares)
    masks = nurse_urgent, nurse ^ nurse_urgent, all_but_last ^ nurse, ~all_but_last
    return [np.flatnonzero(mask) for mask in masks]


def supervision(end: IntArray, left: IntArray, keys: NDArray[np.uint64]) -> Queue:
    """What the tasks `left` of the nurse leave for the GPs; a single nurse ends those of a class in their order."""
    index = index16(keys.take(left), SUPERVISION)
    return Queue(end.take(left), minutes(Law.EXPONENTIAL, 1.0, SUPERVISION_MINUTES, index))


def lane_sums(values: IntArray, edges: IntArray) -> IntArray:
    """Sums of the values between edges, shape (lanes,)."""
    sums = np.zeros(len(edges) - 1, np.int64)
    filled = np.flatnonzero(edges[1:] > edges[:-1])
    if len(filled):
        sums[filled] = np.add.reduceat(values, edges[filled])
    return sums
