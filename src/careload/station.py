"""One station of identical servers in all lanes at once, start by start (docs/day.md, section 4).

Servers take a task of the most urgent class that has one waiting, first come first served within the class,
and finish what they start. This is the rule of `careload.day.schedule` where everybody reads one and the same
stream; it costs a small part of that, because nobody has to be chosen. Where the work of one station is the
end of another's, stations are solved one after the other: ends at the first are arrivals at the second.

All lanes stand on one clock: lane l begins at ``l * span``. So the arrivals of a class are one rising array,
and a list that is done needs no mark: its head is work of a later lane, too late to be chosen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
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
_SHRINK: Final = 64
"""Fewest closed lanes that are worth dropping."""
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
    time = np.concatenate([first.time, second.time])
    order = np.argsort(time, kind="stable")
    return Queue(time.take(order), np.concatenate([first.service, second.service]).take(order))


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
    service = np.maximum(queue.service, 1)
    work = np.cumsum(service)
    end = queue.time - work
    end += service
    busy = np.flatnonzero(edges[1:] > edges[:-1])
    head = edges[busy]
    end[head] += np.maximum(free[busy] - queue.time[head], 0)
    np.maximum.accumulate(end, out=end)
    end += work
    done = free.copy()
    done[busy] = end[edges[busy + 1] - 1]
    return [Served(np.subtract(end, service, out=service), end)], done


def _serve_by_starts(
    queues: Sequence[Queue], edges: IntArray, free: IntArray
) -> tuple[list[Served], IntArray]:
    """Any servers and classes, block by block; also when each lane is done."""
    size = np.array([len(queue.time) + 1 for queue in queues])
    begin = np.cumsum(size) - size
    time = np.concatenate([part for queue in queues for part in (queue.time, [_LAST])])
    service = np.concatenate([part for queue in queues for part in (queue.service, [1])])
    np.maximum(service, 1, out=service)
    heads = edges + begin[:, None]
    start = np.full_like(time, _LAST)
    for block in range(0, free.shape[1], _BLOCK):
        lanes = slice(block, block + _BLOCK)
        first, behind = heads[:, :-1][:, lanes], heads[:, 1:][:, lanes]
        task, at = _start_block(time, service, first, (behind - first).sum(axis=0), free[:, lanes])
        start[task] = at
    end = np.add(start, service, out=service)
    done = free.max(axis=0)
    for head in heads:
        busy = np.flatnonzero(head[1:] > head[:-1])
        if len(busy):
            done[busy] = np.maximum(done[busy], np.maximum.reduceat(end[: head[-1]], head[busy]))
    rows = [slice(b, b + n - 1) for b, n in zip(begin.tolist(), size.tolist(), strict=True)]
    return [Served(start[row], end[row]) for row in rows], done


def _start_block(
    time: IntArray, service: IntArray, first: IntArray, count: IntArray, free: IntArray
) -> tuple[IntArray, IntArray]:
    """Tasks in the order in which they start, and their starts.

    Lanes are ordered by their number of tasks, so that those still open are always the first. Those closed
    are dropped now and then; until then they go through the motions, and what they start is the last task,
    which is none.

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
    most = int(count.max())
    order = np.argsort((most - count).astype(np.min_scalar_type(most)), kind="stable")
    open_lanes = (len(count) - np.cumsum(np.bincount(count))[:-1]).tolist()
    widths = list(_widths(open_lanes, len(count)))
    state = _State.of(first.take(order, axis=1), free.take(order, axis=1))
    tasks, starts = np.empty((2, sum(widths)), np.int64)
    begin = 0
    for width, run in groupby(widths):
        rounds = len(list(run))
        part = slice(begin, begin + rounds * width)
        begin = part.stop
        _step(
            state.narrow(width),
            time,
            service,
            tasks[part].reshape(rounds, -1),
            starts[part].reshape(rounds, -1),
        )
    begin = 0
    for m, width in zip(open_lanes, widths, strict=True):
        tasks[begin + m : begin + width] = len(time) - 1
        begin += width
    return tasks, starts


def _widths(open_lanes: list[int], width: int) -> Iterator[int]:
    """How many lanes step in each round: those open, and some closed ones that are not worth dropping yet."""
    for m in open_lanes:
        if width - m > max(_SHRINK, width >> 3):
            width = m
        yield width


@dataclass(frozen=True)
class _State:
    """What changes from start to start in m lanes with P classes; rows of int64, shape (m,).

    Attributes
    ----------
    pointer : list of P rows
        Sum of the heads of the classes up to p, as positions. A start moves it by one if any of these classes
        has a task by now, so no row needs to know which of them was served; the last one always moves.
    head, earliest : list of P rows
        Head of class p, and the first arrival among the heads of the classes up to p.
    free : list of rows
        When the servers are free, rising.
    spare : tuple of two rows
    ready : ndarray of bool, shape (m,)
    """

    pointer: list[IntArray]
    head: list[IntArray]
    earliest: list[IntArray]
    free: list[IntArray]
    spare: tuple[IntArray, IntArray]
    ready: NDArray[np.bool_]

    @classmethod
    def of(cls, first: IntArray, free: IntArray) -> _State:
        """At the first task of each class, shape (P, m), with servers free from `free` on, shape (servers, m)."""
        pointer, head, earliest = (
            list(rows) for rows in (np.cumsum(first, axis=0), first.copy(), first.copy())
        )
        head[0] = pointer[0]
        return cls(pointer, head, earliest, list(free), (free[0].copy(), free[0].copy()), free[0] < 0)

    def narrow(self, m: int) -> _State:
        """The first m lanes of it."""
        pointer, head, earliest, free = (
            [row[:m] for row in rows] for rows in (self.pointer, self.head, self.earliest, self.free)
        )
        return _State(pointer, head, earliest, free, (self.spare[0][:m], self.spare[1][:m]), self.ready[:m])


def _step(state: _State, time: IntArray, service: IntArray, tasks: IntArray, starts: IntArray) -> None:
    """Start one task per lane and round: as soon as a server and a task of any class are there.

    Parameters
    ----------
    tasks, starts : ndarray of int64, shape (rounds, m)
        Written: which task, and when.
    """
    pointer, head, earliest, free = state.pointer, state.head, state.earliest, state.free
    (end, spare), ready = state.spare, state.ready
    lower, upper, later = range(1, len(pointer)), range(len(pointer) - 2, -1, -1), range(1, len(free))
    inserted = [*[end] * len(later), free[-1]]
    for task, start in zip(tasks, starts, strict=True):
        time.take(pointer[0], None, earliest[0], "clip")
        if lower:
            head[-1] = task
        else:
            np.copyto(task, pointer[0])
        for p in lower:
            np.subtract(pointer[p], pointer[p - 1], head[p])
            time.take(head[p], None, earliest[p], "clip")
            np.minimum(earliest[p], earliest[p - 1], out=earliest[p])
        np.maximum(earliest[-1], free[0], out=start)
        for p in upper:
            np.less_equal(earliest[p], start, ready)
            np.copyto(task, head[p], where=ready)
            np.copyto(spare, ready)
            np.add(pointer[p], spare, pointer[p])
        np.add(pointer[-1], _ONE, pointer[-1])
        service.take(task, None, spare, "clip")
        np.add(start, spare, inserted[0])
        for i in later:
            np.minimum(inserted[i - 1], free[i], out=free[i - 1])
            np.maximum(inserted[i - 1], free[i], out=inserted[i])
