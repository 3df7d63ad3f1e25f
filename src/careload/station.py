"""One station of identical servers in all lanes at once, start by start (docs/day.md, section 4).

Servers take a task of the most urgent class that has one waiting, first come first served within the class,
and finish what they start. This is the rule of `careload.schedule` where everybody reads one and the same
stream; it costs a small part of that, because nobody has to be chosen. Where the work of one station is the
end of another's, stations are solved one after the other: ends at the first are arrivals at the second.

All lanes stand on one clock: lane l begins at ``l * span``. So the arrivals of a class are one rising array,
and a list that is done needs no mark: its head is work of a later lane, too late to be chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from careload.ticks import CARRIED_DAY

__all__ = ["DAY_SPAN", "LONG_SPAN", "Queue", "Served", "merge", "serve"]

IntArray: TypeAlias = NDArray[np.int64]

DAY_SPAN: Final = CARRIED_DAY
"""Ticks from the beginning of a lane to that of the next: 4,096 minutes, longer than a practice day."""

LONG_SPAN: Final = 1 << 36
"""The same for long runs of theory: four million minutes."""

_CLOCK: Final = 1 << 60
"""No lane begins later."""
_LAST: Final = 1 << 61
"""Later than every arrival."""
_BLOCK: Final = 4096
"""Lanes that step together; many more would not stay in the cache."""
_ONE: Final = np.array(1)


@dataclass(frozen=True)
class Queue:
    """Tasks of one class in all lanes, in the order in which they arrive.

    Attributes
    ----------
    time : ndarray of int64, shape (n,)
        Arrivals on the common clock in ticks, never falling; equal arrivals are served in this order.
    service : ndarray of int64, shape (n,)
        Ticks of service; less than one counts as one.
    """

    time: IntArray
    service: IntArray


@dataclass(frozen=True)
class Served:
    """When the tasks of a queue were served, in the order of the queue.

    Attributes
    ----------
    start, end : ndarray of int64, shape (n,)
        Ticks on the common clock.
    """

    start: IntArray
    end: IntArray


def serve(
    queues: Sequence[Queue], servers: int, lanes: int, span: int = DAY_SPAN, free: IntArray | None = None
) -> list[Served]:
    """Serve everything, however late it gets.

    Parameters
    ----------
    queues : sequence of Queue
        One per class, the most urgent first.
    servers : int
        Servers of each lane, 1 or more.
    lanes : int
        Number of lanes.
    span : int
        Ticks between the beginnings of two lanes; every lane must be done within them.
    free : ndarray of int64, shape (servers, lanes), optional
        Ticks after the beginning of the lane at which each server begins; at once if not given.

    Returns
    -------
    list of Served
        One per queue. A lane alone gives what it gives among others.

    Raises
    ------
    ValueError
        If the arguments do not fit each other, or a lane is not done within its span.
    """
    _check(queues, servers, lanes, span, free)
    queues = [Queue(queue.time, np.maximum(queue.service, 1)) for queue in queues]
    begin = np.arange(lanes + 1) * span
    first_free = np.tile(begin[:-1], (servers, 1))
    if free is not None:
        first_free += np.sort(free, axis=0)
    edges = np.stack([np.searchsorted(queue.time, begin) for queue in queues])
    if first_free.shape[0] == edges.shape[0] == 1:
        served, done = _serve_in_turn(queues[0], edges[0], first_free[0])
    else:
        served, done = _serve_by_starts(queues, edges, first_free)
    late = done > begin[1:]
    _refuse(bool(late.any()), f"lane {int(late.argmax())} is not done within its span of {span} ticks")
    return served


def merge(first: Queue, second: Queue) -> Queue:
    """Put two queues into one, in the order of arrival.

    Parameters
    ----------
    first, second : Queue
        Of equal arrivals, those of the first come first.

    Returns
    -------
    Queue
    """
    place = np.searchsorted(first.time, second.time, side="right") + np.arange(len(second.time))
    is_first = np.ones(len(first.time) + len(second.time), np.bool_)
    is_first[place] = False
    kept = np.flatnonzero(is_first)
    time, service = np.empty(len(is_first), np.int64), np.empty(len(is_first), np.int64)
    time[place], time[kept] = second.time, first.time
    service[place], service[kept] = second.service, first.service
    return Queue(time, service)


def _refuse(wrong: bool, sentence: str) -> None:
    if wrong:
        raise ValueError(sentence)


def _check(queues: Sequence[Queue], servers: int, lanes: int, span: int, free: IntArray | None) -> None:
    """Refuse what the rule has no meaning for."""
    _refuse(servers < 1 or lanes < 1, f"servers = {servers}, lanes = {lanes}: expected 1 or more of each")
    _refuse(not queues, "queues: expected one or more")
    _refuse(
        not 1 <= span <= _CLOCK // lanes, f"span = {span}: expected 1 to {_CLOCK // lanes} for {lanes} lanes"
    )
    if free is not None:
        _refuse(free.shape != (servers, lanes), f"free has shape {free.shape}, expected {(servers, lanes)}")
        _refuse(bool(free.min() < 0 or free.max() > span), f"free must lie in 0 to {span}")
    n, longest = sum(len(queue.time) for queue in queues), 0
    for number, queue in enumerate(queues):
        time, service = queue.time, queue.service
        _refuse(
            time.shape != service.shape or time.ndim != 1, f"queue {number}: time and service differ in shape"
        )
        if len(time):
            _refuse(bool((time[1:] < time[:-1]).any()), f"queue {number}: time falls")
            beyond = time[0] < 0 or time[-1] >= lanes * span
            _refuse(bool(beyond), f"queue {number}: time must lie in 0 to before {lanes * span}")
            longest = max(longest, int(service.max()))
    _refuse(
        n * longest > _CLOCK,
        f"service of {longest} ticks: expected at most {_CLOCK // max(n, 1)} for {n} tasks",
    )


def _serve_in_turn(queue: Queue, edges: IntArray, free: IntArray) -> tuple[list[Served], IntArray]:
    """One server, one class, in closed form; also when each lane is done.

    With C the work up to and including a task, its end is C plus the largest (arrival - C + service) so far;
    those of the lanes before are too early to count.
    """
    work = np.cumsum(queue.service)
    end = queue.time - work
    end += queue.service
    busy = np.flatnonzero(edges[1:] > edges[:-1])
    head = edges[busy]
    end[head] += np.maximum(free[busy] - queue.time[head], 0)
    np.maximum.accumulate(end, out=end)
    end += work
    done = free.copy()
    done[busy] = end[edges[busy + 1] - 1]
    return [Served(end - queue.service, end)], done


def _serve_by_starts(
    queues: Sequence[Queue], edges: IntArray, free: IntArray
) -> tuple[list[Served], IntArray]:
    """Any servers and classes, block by block; also when each lane is done."""
    size = np.array([len(queue.time) + 1 for queue in queues])
    begin = np.cumsum(size) - size
    time = np.concatenate([part for queue in queues for part in (queue.time, [_LAST])])
    service = np.concatenate([part for queue in queues for part in (queue.service, [1])])
    heads = edges + begin[:, None]
    start, done = np.empty_like(time), np.empty_like(free[0])
    for block in range(0, len(done), _BLOCK):
        lanes = slice(block, block + _BLOCK)
        first, behind = heads[:, :-1][:, lanes], heads[:, 1:][:, lanes]
        tasks, starts, done[lanes] = _start_block(
            time, service, first, (behind - first).sum(axis=0), free[:, lanes]
        )
        start[tasks] = starts
    served = []
    for b, queue in zip(begin.tolist(), queues, strict=True):
        at = start[b : b + len(queue.time)]
        served.append(Served(at, at + queue.service))
    return served, done


def _start_block(
    time: IntArray, service: IntArray, first: IntArray, count: IntArray, free: IntArray
) -> tuple[IntArray, IntArray, IntArray]:
    """Tasks in the order in which they start, their starts, and when each lane is done.

    Lanes are ordered by their number of tasks, so that those still open are always the first.

    Parameters
    ----------
    time, service : ndarray of int64, shape (tasks,)
        Class after class, each closed by an arrival later than all others.
    first : ndarray of int64, shape (P, m)
        First task of each class and lane.
    count : ndarray of int64, shape (m,)
        Tasks of each lane.
    free : ndarray of int64, shape (servers, m)
        Rising along the servers.
    """
    order = np.argsort(-count, kind="stable")
    open_lanes = len(count) - np.cumsum(np.bincount(count))[:-1]
    step = _Step(time, service, first.take(order, axis=1), free.take(order, axis=1))
    tasks, starts = np.empty((2, int(count.sum())), np.int64)
    begin = 0
    for m in open_lanes.tolist():
        end = begin + m
        step(m, tasks[begin:end], starts[begin:end])
        begin = end
    done = np.empty_like(count)
    done[order] = step.free[-1]
    return tasks, starts, done


class _Step:
    """One start in each of the first m lanes.

    Row p of `pointer` is the sum of the heads of the classes up to p, as positions. A start moves it by one
    if any of these classes has a task by now, so no row needs to know which of them was served; the last row
    always moves. Row p of `earliest` is the first arrival among these heads.
    """

    def __init__(self, time: IntArray, service: IntArray, first: IntArray, free: IntArray) -> None:
        self.time, self.service, self.free = time, service, free
        self.pointer = np.cumsum(first, axis=0)
        self.head, self.earliest = np.empty_like(first), np.empty_like(first)
        self.end, self.moves = np.empty_like(free[0]), np.empty_like(free[0])
        self.ready = np.empty(len(self.end), np.bool_)
        self._narrow(len(self.end))

    def __call__(self, m: int, task: IntArray, start: IntArray) -> None:
        """Write the tasks that start, and when."""
        if m != self.width:
            self._narrow(m)
        self._choose(task, start)
        self.service.take(task, None, self.end_now, "clip")
        self._occupy(start)

    def _narrow(self, m: int) -> None:
        """Step in the first m lanes from now on."""
        self.width = m
        self.pointer_now = [row[:m] for row in self.pointer]
        self.head_now = [self.pointer_now[0], *(row[:m] for row in self.head[1:])]
        self.earliest_now = [row[:m] for row in self.earliest]
        self.free_now = [row[:m] for row in self.free]
        self.end_now, self.moves_now, self.ready_now = self.end[:m], self.moves[:m], self.ready[:m]

    def _choose(self, task: IntArray, start: IntArray) -> None:
        """Start when a server and a task are there: the most urgent class that has one by then."""
        pointer, head, earliest, ready = self.pointer_now, self.head_now, self.earliest_now, self.ready_now
        self.time.take(pointer[0], None, earliest[0], "clip")
        for p in range(1, len(pointer)):
            np.subtract(pointer[p], pointer[p - 1], head[p])
            self.time.take(head[p], None, earliest[p], "clip")
            np.minimum(earliest[p], earliest[p - 1], out=earliest[p])
        np.maximum(earliest[-1], self.free_now[0], out=start)
        np.copyto(task, head[-1])
        for p in range(len(pointer) - 2, -1, -1):
            np.less_equal(earliest[p], start, ready)
            np.copyto(task, head[p], where=ready)
            np.copyto(self.moves_now, ready)
            np.add(pointer[p], self.moves_now, pointer[p])
        np.add(pointer[-1], _ONE, pointer[-1])

    def _occupy(self, start: IntArray) -> None:
        """Put the end of the service, which `end_now` holds the length of, among the free times in rising order."""
        free, end = self.free_now, self.end_now
        np.add(start, end, end)
        for i in range(1, len(free)):
            np.minimum(end, free[i], out=free[i - 1])
            np.maximum(end, free[i], out=end)
        np.copyto(free[-1], end)
