"""The day of one lane as an event list in plain Python integers, written from docs/day.md alone.

At each instant (a session start, a release, a release + delay, an end, also of a room) it repeats "the first such
person, her first such task" until none can start. `Rule` holds what the page fixes, so that a test can break one thing.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field

from careload.day.schedule import ABSENCE, FOLLOW_ON, Items, Roster
from careload.ticks import NEVER


def by_since_role_free_number(since: int, role: int, free: int, number: int) -> tuple[int, ...]:
    return (since, role, free, number)


@dataclass(frozen=True)
class Rule:
    """What section 3 to 6 fix: ranks of the lists, who is first, what is first, how long, what is created."""

    rank: tuple[int, ...] = (0, 1, 2, 3, 2)
    first_person: Callable[[int, int, int, int], tuple[int, ...]] = by_since_role_free_number
    own_before_shared: bool = True
    shortest: int = 1
    creation: int = 1
    conditional: bool = True
    delays_count_in_order: bool = False
    cap_is_open: bool = True
    more_rooms: int = 0
    room_in_order: int = 1
    room_blocks_all: bool = False
    room_until_end: bool = True


@dataclass(frozen=True)
class Start:
    start: int
    person: int
    item: int
    end: int
    room_wait: int


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
    rooms: list[int] | None
    """When each room is free; None if the practice is not short of rooms."""
    waiting: list[Waiting] = field(default_factory=list)
    instants: list[int] = field(default_factory=list)
    created: int = 0


def lane_day(roster: Roster, items: Items, lane: int, rule: Rule | None = None) -> list[Start]:
    """Starts of one lane in the order in which they happen."""
    rule = rule or Rule()
    members = [i for i in range(len(items.lane)) if int(items.lane[i]) == lane]
    people = [person_of(roster, p, lane) for p in range(len(roster.role))]
    day = Day(people, rooms_of(roster, items, members, people, lane, rule))
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
            since = could_start(day, items, person)
            starts.append(begin(day, items, members, rule, person, task, now, now - since))
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


def rooms_of(
    roster: Roster, items: Items, members: list[int], people: list[Person], lane: int, rule: Rule
) -> list[int] | None:
    """Rooms, all free; None if there is one for everybody here who may take work that needs a room."""
    work = {int(items.stream[i]) for i in members if items.needs_room[i]}
    users = [p for p in people if p.free != NEVER and work & {stream for stream, _ in p.streams}]
    rooms = int(roster.rooms[lane])
    return [0] * (rooms + rule.more_rooms) if rooms < len(users) else None


def could_start(day: Day, items: Items, person: Person) -> int:
    """When she could start something if rooms were enough."""
    ready = (
        task.release + delay
        for stream, delay in person.streams
        for task in day.waiting
        if int(items.stream[task.item]) == stream
    )
    return max(person.free, min(ready, default=NEVER))


def next_start(day: Day, items: Items, rule: Rule, now: int) -> tuple[Person, Waiting] | None:
    full = day.rooms is not None and min(day.rooms) > now

    def in_room(task: Waiting) -> bool:
        return day.rooms is not None and bool(items.needs_room[task.item])

    def precedence(p: Person) -> tuple[int, ...]:
        return rule.first_person(could_start(day, items, p), p.role, p.free, p.number)

    for person in sorted((p for p in day.people if p.free <= now), key=precedence):
        choices = []
        for position, (stream, delay) in enumerate(person.streams):
            for task in day.waiting:
                if int(items.stream[task.item]) == stream and task.release + delay <= now:
                    if full and in_room(task) and not rule.room_blocks_all:
                        continue
                    which = int(items.list[task.item])
                    since = task.release + delay * rule.delays_count_in_order
                    place = position if rule.own_before_shared else -position
                    order = (rule.rank[which], since, in_room(task) * rule.room_in_order, place, which)
                    choices.append(((*order, task.turn), task))
        if choices:
            task = min(choices, key=lambda choice: choice[0])[1]
            if not (full and in_room(task)):
                return person, task
    return None


def begin(
    day: Day,
    items: Items,
    members: list[int],
    rule: Rule,
    person: Person,
    task: Waiting,
    now: int,
    room_wait: int,
) -> Start:
    day.waiting.remove(task)
    if int(items.list[task.item]) == ABSENCE:
        end = max(now + 1, int(items.fixed_end[task.item]))
    else:
        reference = int(items.service[person.role, task.item])
        end = now + max(rule.shortest, reference * person.pace // 1024)
    person.free = end
    heapq.heappush(day.instants, end)
    if day.rooms is not None and items.needs_room[task.item]:
        day.rooms[day.rooms.index(min(day.rooms))] = end if rule.room_until_end else now + 1
    children = [i for i in members if int(items.parent[i]) == task.item]
    for child in sorted(children, key=lambda i: (int(items.ordinal[i]), i)):
        if not rule.conditional or int(items.responsible[child]) != person.role:
            day.created += 1
            arrive(day, items, child, end, (1, rule.creation * day.created))
    return Start(now, person.number, task.item, end, room_wait)
