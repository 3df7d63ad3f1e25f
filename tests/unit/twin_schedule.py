"""The day of one lane as an event list in plain Python integers, written from docs/day.md alone.

At each instant (a session start, a release, a release + delay, an end) it repeats "the first such person, her
first such task" until none can start. `Rule` holds what the page fixes, so that a test can break one thing.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field

from careload.day.schedule import ABSENCE, FOLLOW_ON, Items, Roster
from careload.ticks import NEVER


def by_role_free_number(role: int, free: int, number: int) -> tuple[int, ...]:
    return (role, free, number)


@dataclass(frozen=True)
class Rule:
    """What section 3 to 6 fix: ranks of the lists, who is first, what is first, how long, what is created."""

    rank: tuple[int, ...] = (0, 1, 2, 3, 2)
    first_person: Callable[[int, int, int], tuple[int, ...]] = by_role_free_number
    own_before_shared: bool = True
    shortest: int = 1
    creation: int = 1
    conditional: bool = True
    delays_count_in_order: bool = False
    cap_is_open: bool = True


@dataclass(frozen=True)
class Start:
    start: int
    person: int
    item: int
    end: int


@dataclass(frozen=True)
class Waiting:
    item: int
    release: int
    turn: tuple[int, ...]


@dataclass
class Person:
    number: int
    role: int
    pace: int
    free: int
    streams: list[tuple[int, int]]
    """(stream, delay) in the order of her table, without what she never takes."""


@dataclass
class Day:
    people: list[Person]
    waiting: list[Waiting] = field(default_factory=list)
    instants: list[int] = field(default_factory=list)
    created: int = 0


def lane_day(roster: Roster, items: Items, lane: int, rule: Rule | None = None) -> list[Start]:
    """Starts of one lane in the order in which they happen."""
    rule = rule or Rule()
    members = [i for i in range(len(items.lane)) if int(items.lane[i]) == lane]
    day = Day([person_of(roster, p, lane) for p in range(len(roster.role))])
    day.instants = [p.free for p in day.people if p.free != NEVER]
    for i in members:
        if int(items.parent[i]) < 0:
            arrive(day, items, i, int(items.release[i]), turn_of(items, i))
    heapq.heapify(day.instants)
    cap, starts = int(roster.cap[lane]), []
    while day.instants:
        now = heapq.heappop(day.instants)
        if now > cap or (now == cap and rule.cap_is_open):
            break
        while (found := next_start(day, items, rule, now)) is not None:
            person, task = found
            starts.append(begin(day, items, members, rule, person, task, now))
    return starts


def person_of(roster: Roster, p: int, lane: int) -> Person:
    table = []
    for x, stream in enumerate(roster.streams[p].tolist()):
        delay = int(roster.delay[p, x, lane])
        if stream < roster.n_streams and delay != NEVER:
            table.append((stream, delay))
    return Person(p, int(roster.role[p]), int(roster.pace[p, lane]), int(roster.free[p, lane]), table)


def turn_of(items: Items, i: int) -> tuple[int, ...]:
    """Place among equal releases of its list: by key; carried follow-ons by appearance, before today's."""
    return (0, i) if items.list[i] == FOLLOW_ON else (int(items.key[i]), i)


def arrive(day: Day, items: Items, i: int, release: int, turn: tuple[int, ...]) -> None:
    day.waiting.append(Waiting(i, release, turn))
    for person in day.people:
        for stream, delay in person.streams:
            if stream == int(items.stream[i]):
                heapq.heappush(day.instants, release + delay)


def next_start(day: Day, items: Items, rule: Rule, now: int) -> tuple[Person, Waiting] | None:
    def precedence(p: Person) -> tuple[int, ...]:
        return rule.first_person(p.role, p.free, p.number)

    for person in sorted((p for p in day.people if p.free <= now), key=precedence):
        choices = []
        for position, (stream, delay) in enumerate(person.streams):
            for task in day.waiting:
                if int(items.stream[task.item]) == stream and task.release + delay <= now:
                    which = int(items.list[task.item])
                    since = task.release + delay * rule.delays_count_in_order
                    place = position if rule.own_before_shared else -position
                    choices.append(((rule.rank[which], since, place, which, task.turn), task))
        if choices:
            return person, min(choices, key=lambda choice: choice[0])[1]
    return None


def begin(
    day: Day, items: Items, members: list[int], rule: Rule, person: Person, task: Waiting, now: int
) -> Start:
    day.waiting.remove(task)
    if int(items.list[task.item]) == ABSENCE:
        end = max(now + 1, int(items.fixed_end[task.item]))
    else:
        reference = int(items.service[person.role, task.item])
        end = now + max(rule.shortest, reference * person.pace // 1024)
    person.free = end
    heapq.heappush(day.instants, end)
    children = [i for i in members if int(items.parent[i]) == task.item]
    for child in sorted(children, key=lambda i: (int(items.ordinal[i]), i)):
        if not rule.conditional or int(items.responsible[child]) != person.role:
            day.created += 1
            arrive(day, items, child, end, (1, rule.creation * day.created))
    return Start(now, person.number, task.item, end)
