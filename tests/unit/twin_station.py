"""One lane of a station as an event list in plain Python integers, written from docs/day.md alone."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

__all__ = ["Task", "lane_starts"]

ARRIVAL, END = 1, 0


@dataclass(frozen=True)
class Task:
    """A task: its class (0 is the most urgent), its place in the queue of the class, arrival and service."""

    rank: int
    place: int
    time: int
    service: int


def lane_starts(tasks: list[Task], free: list[int]) -> dict[tuple[int, int], int]:
    """Start of each (class, place).

    Everything that happens at one tick is taken in before anybody starts.
    """
    events = [(at, END, number) for number, at in enumerate(free)]
    events += [(task.time, ARRIVAL, number) for number, task in enumerate(tasks)]
    heapq.heapify(events)
    idle: list[int] = []
    waiting: list[tuple[int, int, int]] = []
    starts: dict[tuple[int, int], int] = {}
    while events:
        now = events[0][0]
        while events and events[0][0] == now:
            _, kind, number = heapq.heappop(events)
            if kind == END:
                idle.append(number)
            else:
                heapq.heappush(waiting, (tasks[number].rank, tasks[number].place, number))
        while idle and waiting:
            rank, place, number = heapq.heappop(waiting)
            starts[rank, place] = now
            heapq.heappush(events, (now + max(1, tasks[number].service), END, idle.pop()))
    return starts
