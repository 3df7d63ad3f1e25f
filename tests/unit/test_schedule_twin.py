"""The kernel starts what its event-list twin starts, when and by whom; a broken rule is found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import pytest
import twin_schedule as twin
from numpy.typing import NDArray

from careload.day.schedule import (
    ABSENCE,
    FOLLOW_ON,
    ROUTINE,
    SAME_DAY,
    URGENT,
    Items,
    Roster,
    Schedule,
    schedule,
)
from careload.day.schedule_lists import short_of_rooms
from careload.ticks import CARRIED_DAY, MINUTE, NEVER

N_CASES = 60
LANES = 8
Lists = dict[str, list[int]]


@dataclass(frozen=True)
class Case:
    roster: Roster
    items: Items
    found: Schedule


def random_roster(g: np.random.Generator) -> Roster:
    """One to seven people of up to three roles; each reads her own stream, her role's and some others."""
    people = int(g.integers(1, 8))
    role = np.sort(g.integers(0, 3, people))
    n_streams, columns = people + 4, int(g.integers(2, 6))
    streams = np.full((people, columns), n_streams)
    delay = np.full((people, columns, LANES), NEVER)
    choices = np.array([1, 5 * MINUTE, 20 * MINUTE, 45 * MINUTE, NEVER])
    for p in range(people):
        shared = [people + int(role[p]), *(people + s for s in g.permutation(4) if s != role[p])]
        table = [p, *shared][:columns]
        streams[p, : len(table)] = table
        delay[p, 0] = 0
        delay[p, 1] = 0
        delay[p, 2 : len(table)] = g.choice(choices, (len(table) - 2, LANES))
    free = g.integers(0, 4, (people, LANES)) * 15 * MINUTE
    free[g.random((people, LANES)) < 0.12] = NEVER
    pace = np.where(g.random((people, LANES)) < 0.5, 1024, g.integers(300, 2500, (people, LANES)))
    cap = g.integers(150, 420, LANES) * MINUTE
    rooms = g.integers(1, people + 2, LANES)
    return Roster(role, streams, n_streams, pace, free, delay, cap, rooms)


class Draft:
    """Items of a case, one by one."""

    def __init__(self) -> None:
        self.rows: list[dict[str, int]] = []
        self.service: list[list[int]] = []

    def add(self, service: list[int], **values: int) -> int:
        self.rows.append(
            {"fixed_end": 0, "parent": -1, "ordinal": 0, "responsible": -1, "release": 0, "needs_room": 0}
            | values
        )
        self.service.append(service)
        return len(self.rows) - 1

    def items(self, key: NDArray[np.uint64]) -> Items:
        def column(name: str, kind: type = np.int64) -> NDArray[Any]:
            return np.array([row[name] for row in self.rows], kind)

        return Items(
            lane=column("lane"),
            stream=column("stream"),
            list=column("list", np.int8),
            release=column("release"),
            key=key,
            service=np.array(self.service, np.int64).T,
            fixed_end=column("fixed_end"),
            parent=column("parent"),
            ordinal=column("ordinal"),
            responsible=column("responsible", np.int8),
            needs_room=column("needs_room", np.bool_),
        )


def random_items(g: np.random.Generator, roster: Roster) -> Items:
    """Absences, walk-ins, appointments on a grid, carried work, follow-ons, in shuffled lanes."""
    draft, people, coarse = Draft(), len(roster.role), bool(g.random() < 0.5)
    for lane in g.permutation(LANES):
        add_absences(g, draft, roster, int(lane))
        parents = [add_work(g, draft, roster, int(lane), coarse) for _ in range(g.poisson(8 * people))]
        for parent in parents:
            for ordinal in g.permutation(int(g.choice(4, p=[0.6, 0.25, 0.1, 0.05]))):
                add_follow_on(g, draft, roster, int(lane), parent, int(ordinal))
        for _ in range(g.poisson(1.5)):
            days = int(g.integers(1, 4))
            draft.add(
                minutes(g, 6, coarse),
                lane=int(lane),
                stream=int(g.integers(people, roster.n_streams)),
                list=FOLLOW_ON,
                release=int(g.integers(0, 3)) * 60 * MINUTE - days * CARRIED_DAY,
                needs_room=int(g.random() < 0.3),
            )
    return draft.items(g.integers(0, 1 << 64, len(draft.rows), dtype=np.uint64))


def minutes(g: np.random.Generator, mean: float, coarse: bool) -> list[int]:
    if g.random() < 0.05:
        return [0, 0, 0]
    if coarse:
        return (g.integers(1, 5, 3) * 5 * MINUTE).tolist()
    return (g.gamma(2.0, mean / 2, 3) * MINUTE).astype(np.int64).tolist()


def add_absences(g: np.random.Generator, draft: Draft, roster: Roster, lane: int) -> None:
    """A break, lunch, and going home until the end of the day."""
    for p in range(len(roster.role)):
        if g.random() < 0.8:
            begin = int(g.integers(6, 20)) * 10 * MINUTE
            for release, end in ((begin, begin + 15 * MINUTE), (begin + 60 * MINUTE, begin + 90 * MINUTE)):
                draft.add([0, 0, 0], lane=lane, stream=p, list=ABSENCE, release=release, fixed_end=end)
        leaves_at = int(g.integers(14, 45)) * 10 * MINUTE
        draft.add([0, 0, 0], lane=lane, stream=p, list=ABSENCE, release=leaves_at, fixed_end=4095 * MINUTE)


def add_work(g: np.random.Generator, draft: Draft, roster: Roster, lane: int, coarse: bool) -> int:
    people = len(roster.role)
    own, which = g.random() < 0.4, int(g.choice([URGENT, SAME_DAY, ROUTINE], p=[0.2, 0.4, 0.4]))
    on_grid = coarse or own
    release = int(g.integers(0, 40)) * 10 * MINUTE if on_grid else int(g.integers(0, 400 * MINUTE))
    if g.random() < 0.15:
        release -= int(g.integers(1, 5)) * CARRIED_DAY
    stream = int(g.integers(0, people)) if own else int(g.integers(people, roster.n_streams))
    room = int(g.random() < 0.5)
    return draft.add(
        minutes(g, 12, coarse), lane=lane, stream=stream, list=which, release=release, needs_room=room
    )


def add_follow_on(
    g: np.random.Generator, draft: Draft, roster: Roster, lane: int, parent: int, ordinal: int
) -> None:
    draft.add(
        minutes(g, 4, False),
        lane=lane,
        stream=int(g.choice([0, g.integers(0, roster.n_streams), roster.n_streams - 1])),
        list=FOLLOW_ON,
        parent=parent,
        ordinal=ordinal,
        responsible=int(g.integers(-1, 3)),
        needs_room=int(g.random() < 0.3),
    )


@cache
def case(number: int) -> Case:
    g = np.random.default_rng([20, number])
    roster = random_roster(g)
    items = random_items(g, roster)
    return Case(roster, items, schedule(roster, items))


def lanes_that_differ(
    roster: Roster, items: Items, found: Schedule, rule: twin.Rule | None = None
) -> tuple[int, list[twin.Start]]:
    """Lanes in which any start, person, item or end differs, and all starts of the twin."""
    differ, everything = 0, []
    for lane in range(LANES):
        expected = twin.lane_day(roster, items, lane, rule)
        started = np.flatnonzero((items.lane == lane) & (found.start < NEVER))
        columns = (found.start, found.person, np.arange(len(found.start)), found.end, found.room_wait)
        columns = tuple(column[started] for column in columns)
        ours = {twin.Start(*map(int, row)) for row in zip(*columns, strict=True)}
        differ += ours != set(expected)
        everything += expected
    return differ, everything


def test_every_start_is_the_twins() -> None:
    seen: Counter[str] = Counter()
    for number in range(N_CASES):
        day = case(number)
        differ, starts = lanes_that_differ(day.roster, day.items, day.found)
        assert differ == 0, f"case {number}: {differ} lanes differ"
        count(seen, day, starts)
    assert N_CASES * LANES >= 320
    assert seen["starts"] > 12_000
    rare = {what: n for what, n in seen.items() if n < 50}
    assert not rare and len(seen) == 18, seen


def count(seen: Counter[str], day: Case, starts: list[twin.Start]) -> None:
    """What the case exercised, by name."""
    roster, items, found = day.roster, day.items, day.found
    instants = Counter((int(items.lane[s.item]), s.start) for s in starts)
    role_of = roster.role[[s.person for s in starts]] if starts else np.zeros(0, np.int64)
    lists = Counter(int(items.list[s.item]) for s in starts)
    carried = [s.item for s in starts if items.release[s.item] < 0 and items.parent[s.item] < 0]
    seen["starts"] += len(starts)
    seen["starts at the instant of another start in the lane"] += sum(n - 1 for n in instants.values())
    for which, name in enumerate(("absences", "urgent", "same day", "routine", "follow-ons")):
        seen[name] += lists[which]
    seen["several people of one role"] += LANES * (len(set(roster.role.tolist())) < len(roster.role))
    seen["absent people"] += int((roster.free == NEVER).sum())
    seen["carried"] += sum(items.list[i] != FOLLOW_ON for i in carried)
    seen["carried follow-ons"] += sum(items.list[i] == FOLLOW_ON for i in carried)
    seen["follow-ons of the responsible role, not created"] += int(
        (~found.created & (found.start[items.parent] < NEVER)).sum()
    )
    seen["second choices"] += sum(second_choice(roster, int(items.stream[s.item]), s) for s in starts)
    seen["one tick at least"] += sum(
        int(items.service[r, s.item]) == 0 and items.list[s.item] != ABSENCE
        for r, s in zip(role_of, starts, strict=True)
    )
    short = short_of_rooms(roster, items)
    seen["starts in lanes short of rooms"] += sum(int(short[items.lane[s.item]]) for s in starts)
    seen["room work in lanes not short of rooms"] += sum(
        int(items.needs_room[s.item] and not short[items.lane[s.item]]) for s in starts
    )
    seen["starts that waited for a room"] += sum(s.room_wait > 0 for s in starts)
    seen["stopped by the cap"] += int(((found.start == NEVER) & found.created).sum())


def second_choice(roster: Roster, stream: int, start: twin.Start) -> bool:
    return stream in roster.streams[start.person, 2:].tolist()


def test_follow_ons_are_created_only_by_starts_of_another_role() -> None:
    for number in range(N_CASES):
        day = case(number)
        child = np.flatnonzero(day.items.parent >= 0)
        performer = day.found.person[day.items.parent[child]]
        role = np.where(performer >= 0, day.roster.role[performer], -2)
        expected = (performer >= 0) & (role != day.items.responsible[child])
        assert (day.found.created[child] == expected).all()
        others = np.delete(day.found.created, child)
        assert others.all()


def drop_carry(items: Items) -> Items:
    return replace(items, release=np.where(items.release < 0, items.release % CARRIED_DAY, items.release))


def longer_delay(roster: Roster) -> Roster:
    later = (roster.delay > 0) & (roster.delay < NEVER)
    return replace(roster, delay=np.where(later, roster.delay + 2 * MINUTE, roster.delay))


RULES: dict[str, twin.Rule] = {
    "routine ranked as same day": twin.Rule(rank=(0, 1, 2, 2, 2)),
    "follow-ons ranked as routine": twin.Rule(rank=(0, 1, 2, 3, 3)),
    "absence ranked as routine": twin.Rule(rank=(3, 1, 2, 3, 2)),
    "number before free since": twin.Rule(first_person=lambda since, role, free, n: (since, role, n, free)),
    "most qualified first": twin.Rule(first_person=lambda since, role, free, n: (since, -role, free, n)),
    "busiest first": twin.Rule(first_person=lambda since, role, free, n: (since, role, -free, n)),
    "no queue for rooms": twin.Rule(first_person=lambda since, role, free, n: (role, free, n)),
    "the last in the queue first": twin.Rule(
        first_person=lambda since, role, free, n: (-since, role, free, n)
    ),
    "one room more": twin.Rule(more_rooms=1),
    "a room held for one tick": twin.Rule(room_until_end=False),
    "with a room before without": twin.Rule(room_in_order=-1),
    "room and list order swapped": twin.Rule(room_in_order=0),
    "waiting for a room stops her": twin.Rule(room_blocks_all=True),
    "shared before own": twin.Rule(own_before_shared=False),
    "delay counted in the order": twin.Rule(delays_count_in_order=True),
    "no minimum tick": twin.Rule(shortest=0),
    "last created first": twin.Rule(creation=-1),
    "every start creates": twin.Rule(conditional=False),
    "starts at the cap": twin.Rule(cap_is_open=False),
}


@pytest.mark.parametrize("name", RULES)
def test_another_rule_is_found(name: str) -> None:
    assert any_difference(lambda day: lanes_that_differ(day.roster, day.items, day.found, RULES[name])[0])


INPUTS: dict[str, Callable[[Case], Schedule]] = {
    "carry offset dropped": lambda day: schedule(day.roster, drop_carry(day.items)),
    "delay two minutes longer": lambda day: schedule(longer_delay(day.roster), day.items),
    "pace ignored": lambda day: schedule(
        replace(day.roster, pace=np.full_like(day.roster.pace, 1024)), day.items
    ),
    "rooms enough": lambda day: schedule(replace(day.roster, rooms=day.roster.rooms + 9), day.items),
    "nothing needs a room": lambda day: schedule(
        day.roster, replace(day.items, needs_room=np.zeros_like(day.items.needs_room))
    ),
    "ordinals reversed": lambda day: schedule(day.roster, replace(day.items, ordinal=-day.items.ordinal)),
    "keys ignored": lambda day: schedule(day.roster, replace(day.items, key=np.zeros_like(day.items.key))),
}


@pytest.mark.parametrize("name", INPUTS)
def test_other_input_is_found(name: str) -> None:
    assert any_difference(
        lambda day: lanes_that_differ(day.roster, day.items, INPUTS[name](day))[0],
    )


def any_difference(differing: Callable[[Case], int]) -> bool:
    return any(differing(case(number)) > 0 for number in range(N_CASES))
