"""What must hold for every day, whatever the numbers: lanes, order, units, limits, refusals."""

from __future__ import annotations

from dataclasses import fields, replace
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from careload.day import schedule_lists
from careload.day.schedule import (
    ABSENCE,
    FOLLOW_ON,
    HORIZON,
    ROUTINE,
    URGENT,
    Items,
    Roster,
    Schedule,
    check,
    schedule,
)
from careload.day.schedule_lists import short_of_rooms
from careload.simulate import make_block
from careload.ticks import CARRIED_DAY, MINUTE, NEVER
from runs import ARRANGEMENTS, run_through, short, watched

LANES = 24
PEOPLE = 4
STREAMS = 7
SEEDS = range(6)


@cache
def day(seed: int) -> tuple[Roster, Items]:
    """Four people of two roles, each with her own stream and two of three shared ones."""
    g = np.random.default_rng([31, seed])
    streams = np.array([[0, 4, 6], [1, 4, 6], [2, 5, 4], [3, 5, 4]])
    delay = np.zeros((PEOPLE, 3, LANES), np.int64)
    delay[:, 2] = g.choice([1, 8 * MINUTE, NEVER], (PEOPLE, LANES))
    free = g.integers(0, 3, (PEOPLE, LANES)) * 30 * MINUTE
    free[g.random(free.shape) < 0.1] = NEVER
    cap = g.integers(200, 400, LANES) * MINUTE
    pace = g.integers(800, 1400, (PEOPLE, LANES))
    rooms = g.integers(1, PEOPLE + 1, LANES)
    roster = Roster(np.array([0, 0, 1, 1]), streams, STREAMS, pace, free, delay, cap, rooms)
    return roster, draw_items(g)


def draw_items(g: np.random.Generator) -> Items:
    """Work, two absences a person, carried work and follow-ons, lanes mixed."""
    n = 60 * LANES
    away, follow = np.arange(n) < 2 * PEOPLE * LANES, np.arange(n) >= 50 * LANES
    lane = np.where(away, np.arange(n) // (2 * PEOPLE), g.integers(0, LANES, n))
    parent = np.where(follow, g.integers(2 * PEOPLE * LANES, 50 * LANES, n), -1)
    lane = np.where(follow, lane[parent], lane)
    release = g.integers(0, 300 * MINUTE, n) - CARRIED_DAY * g.choice(3, n, p=[0.9, 0.07, 0.03])
    release = np.where(away, g.integers(6, 30, n) * 10 * MINUTE, release)
    kind = np.where(away, ABSENCE, np.where(follow, FOLLOW_ON, g.integers(URGENT, ROUTINE + 1, n)))
    return Items(
        lane=lane,
        stream=np.where(away, np.arange(n) // 2 % PEOPLE, g.integers(0, STREAMS, n)),
        list=kind.astype(np.int8),
        release=release,
        key=g.integers(0, 1 << 64, n, dtype=np.uint64),
        service=(g.gamma(2.0, 4.0, (2, n)) * MINUTE).astype(np.int64),
        fixed_end=np.where(away, release + 20 * MINUTE, 0),
        parent=parent,
        ordinal=np.arange(n),
        responsible=np.where(follow, g.integers(-1, 2, n), -1).astype(np.int8),
        needs_room=~away & (g.random(n) < 0.5),
    )


def pick(items: Items, chosen: NDArray[np.int64]) -> Items:
    """The chosen items in that order; parents follow."""
    place = np.full(len(items.lane) + 1, -1)
    place[chosen] = np.arange(len(chosen))
    columns = {f.name: getattr(items, f.name)[..., chosen] for f in fields(Items)}
    return Items(**columns | {"parent": place[items.parent[chosen]]})


def lanes_of(roster: Roster, lanes: NDArray[np.int64]) -> Roster:
    per_lane = {name: getattr(roster, name)[..., lanes] for name in ("pace", "free", "delay", "cap", "rooms")}
    return replace(roster, **per_lane)


def same(found: Schedule, expected: Schedule, which: NDArray[np.int64] | slice = slice(None)) -> bool:
    return all(
        np.array_equal(getattr(found, f.name), getattr(expected, f.name)[which]) for f in fields(Schedule)
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_a_lane_alone_is_the_lane_in_the_batch(seed: int) -> None:
    roster, items = day(seed)
    together = schedule(roster, items)
    for lane in range(LANES):
        members = np.flatnonzero(items.lane == lane)
        alone = replace(pick(items, members), lane=np.zeros(len(members), np.int64))
        assert same(schedule(lanes_of(roster, np.array([lane])), alone), together, members)


def test_a_lane_is_the_same_in_a_batch_of_many_blocks() -> None:
    roster, items = day(0)
    times = 200
    many = lanes_of(roster, np.tile(np.arange(LANES), times))
    n, copies = len(items.lane), np.repeat(np.arange(times), len(items.lane))
    items_of_many = pick(items, np.tile(np.arange(n), times))
    items_of_many = replace(
        items_of_many,
        lane=items_of_many.lane + copies * LANES,
        parent=np.where(np.tile(items.parent, times) >= 0, np.tile(items.parent, times) + copies * n, -1),
    )
    assert same(schedule(many, items_of_many), schedule(roster, items), np.tile(np.arange(n), times))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_order_of_the_items_changes_nothing(seed: int) -> None:
    roster, items = day(seed)
    shuffled = np.random.default_rng(seed).permutation(len(items.lane))
    assert same(schedule(roster, pick(items, shuffled)), schedule(roster, items), shuffled)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("bits", [24, 30, 45])
def test_a_short_sorting_key_changes_nothing(seed: int, bits: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where list, release and item do not fit one number, releases are compared apart."""
    roster, items = day(seed)
    expected = schedule(roster, items)
    monkeypatch.setattr(schedule_lists, "_KEY_BITS", bits)
    assert same(schedule(roster, items), expected)


def twice_as_slow(roster: Roster, items: Items) -> tuple[Roster, Items]:
    """The same day with every duration, release, delay and limit doubled."""
    more = replace(items, release=2 * items.release, service=2 * items.service, fixed_end=2 * items.fixed_end)
    free, delay = (np.where(one < NEVER, 2 * one, NEVER) for one in (roster.free, roster.delay))
    return replace(roster, free=free, delay=delay, cap=2 * roster.cap), more


def in_whole_paces(items: Items) -> Items:
    """Items whose references are multiples of 1,024 ticks, so that no pace rounds them."""
    return replace(items, service=(items.service + 1023) // 1024 * 1024)


def assert_twice(roster: Roster, items: Items) -> int:
    """Starts, ends and waits double, by the same people; returns how many were held against it.

    An absence that is over before it begins lasts one tick, which does not double: lanes with one are left out.
    """
    once, twice = schedule(roster, items), schedule(*twice_as_slow(roster, items))
    short_away = (items.list == ABSENCE) & (once.start < NEVER) & (once.end == once.start + 1)
    kept = ~np.isin(items.lane, items.lane[short_away])
    for first, second in ((once.start, twice.start), (once.end, twice.end)):
        assert np.array_equal(second[kept], np.where(first < NEVER, 2 * first, NEVER)[kept])
    assert np.array_equal(twice.person[kept], once.person[kept])
    assert np.array_equal(twice.room_wait[kept], 2 * once.room_wait[kept])
    here = kept & (once.start < NEVER) & (items.parent < 0)
    wait = once.start - items.release
    assert np.array_equal((twice.start - 2 * items.release)[here], 2 * wait[here])
    return int(np.count_nonzero(wait[here] > 0))


@pytest.mark.parametrize("seed", SEEDS)
def test_twice_the_ticks_are_twice_the_starts_and_waits(seed: int) -> None:
    """Law 4 on random days: people of every pace, rooms, follow-ons and carried work; with absences and without."""
    roster, items = day(seed)
    items = in_whole_paces(items)
    without = pick(items, np.flatnonzero(items.list != ABSENCE))
    assert assert_twice(roster, without) > 300
    late = replace(items, fixed_end=np.where(items.list == ABSENCE, items.fixed_end + 200 * MINUTE, 0))
    assert assert_twice(roster, late) > 100


def test_twice_the_ticks_of_whole_days_are_twice_the_starts_and_waits() -> None:
    """Law 4 on the clinical days of whole runs, with breaks, meetings, overflow and going home."""
    names = ("nurse triage", "group", "team in one room")
    with watched() as days:
        run_through(make_block([short(*ARRANGEMENTS[name]) for name in names], np.arange(1)))
    chosen = days[::4]
    waits = sum(assert_twice(one.roster, in_whole_paces(one.items)) for one in chosen)
    assert waits > 300
    assert all(((one.items.list == ABSENCE) & (one.timed.start < NEVER)).any() for one in chosen)


def test_no_items_no_work() -> None:
    roster, items = day(0)
    nothing = schedule(roster, pick(items, np.zeros(0, np.int64)))
    assert all(len(getattr(nothing, f.name)) == 0 for f in fields(Schedule))


def test_a_lane_without_items_or_without_people_rests() -> None:
    roster, items = day(1)
    members = np.flatnonzero(items.lane != 3)
    free = roster.free.copy()
    free[:, 5] = NEVER
    found = schedule(replace(roster, free=free), pick(items, members))
    expected = schedule(roster, items)
    away = items.lane[members] == 5
    assert (found.start[away] == NEVER).all() and (found.person[away] == -1).all()
    assert np.array_equal(found.start[~away], expected.start[members][~away])


def test_no_lanes() -> None:
    roster, items = day(0)
    none = np.zeros(0, np.int64)
    assert len(schedule(lanes_of(roster, none), pick(items, none)).start) == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_nobody_starts_too_early_too_late_or_in_two_places(seed: int) -> None:
    roster, items = day(seed)
    found = schedule(roster, items)
    started = np.flatnonzero(found.start < NEVER)
    start, end, who, lane = (
        found.start[started],
        found.end[started],
        found.person[started],
        items.lane[started],
    )
    release = np.where(items.parent >= 0, found.end[items.parent], items.release)[started]
    column = (roster.streams[who] == items.stream[started][:, None]).argmax(1)
    assert len(started) > 20 * LANES
    assert (start < roster.cap[lane]).all()
    assert (start >= release + roster.delay[who, column, lane]).all()
    assert (roster.streams[who, column] == items.stream[started]).all()
    assert (start >= roster.free[who, lane]).all()
    order = np.lexsort((start, who, lane))
    neighbours = (who[order][1:] == who[order][:-1]) & (lane[order][1:] == lane[order][:-1])
    assert (start[order][1:] >= end[order][:-1])[neighbours].all()
    reference = items.service[roster.role[who], started] * roster.pace[who, lane] // 1024
    fixed = items.list[started] == ABSENCE
    expected = np.where(
        fixed, np.maximum(start + 1, items.fixed_end[started]), start + np.maximum(1, reference)
    )
    assert np.array_equal(end, expected)


@pytest.mark.parametrize("seed", SEEDS)
def test_nobody_idles_while_she_could_work(seed: int) -> None:
    roster, items = day(seed)
    found = schedule(roster, items)
    waits_for_room = items.needs_room & short_of_rooms(roster, items)[items.lane]
    left = np.flatnonzero((found.start == NEVER) & found.created & (items.parent < 0) & ~waits_for_room)
    last = np.zeros((PEOPLE, LANES), np.int64)
    busy = np.flatnonzero(found.start < NEVER)
    np.maximum.at(last, (found.person[busy], items.lane[busy]), found.end[busy])
    last = np.maximum(last, roster.free)
    for p in range(PEOPLE):
        for x, stream in enumerate(roster.streams[p]):
            mine = left[items.stream[left] == stream]
            lane = items.lane[mine]
            ready = np.maximum(items.release[mine] + roster.delay[p, x, lane], last[p, lane])
            assert (ready >= roster.cap[lane]).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_an_unused_stream_or_an_absent_person_changes_nothing(seed: int) -> None:
    roster, items = day(seed)
    expected = schedule(roster, items)
    unused, void = STREAMS, STREAMS + 2
    wide = np.full((PEOPLE + 1, 5), void)
    wide[:PEOPLE, 0], wide[:PEOPLE, 2], wide[:PEOPLE, 4] = roster.streams.T
    wide[:PEOPLE, 1] = unused
    wide[PEOPLE] = [STREAMS + 1, 4, 5, 6, void]
    delay = np.zeros((PEOPLE + 1, 5, LANES), np.int64)
    delay[:PEOPLE, 2], delay[:PEOPLE, 4] = roster.delay[:, 1], roster.delay[:, 2]
    more = Roster(
        role=np.append(roster.role, 1),
        streams=wide,
        n_streams=void,
        pace=np.vstack([roster.pace, np.full(LANES, 1024)]),
        free=np.vstack([roster.free, np.full(LANES, NEVER)]),
        delay=delay,
        cap=roster.cap,
        rooms=roster.rooms,
    )
    assert same(schedule(more, items), expected)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_room_holds_one_and_none_stays_empty_while_somebody_waits(seed: int) -> None:
    roster, items = day(seed)
    found = schedule(roster, items)
    short = short_of_rooms(roster, items)
    assert (found.room_wait[~short[items.lane]] == 0).all()
    moments = 0
    for lane in np.flatnonzero(short):
        here = (items.lane == lane) & (found.start < NEVER)
        held = np.flatnonzero(here & items.needs_room)
        begin, end = found.start[held], found.end[held]
        waiting = np.flatnonzero(here & (found.room_wait > 0))
        since, until = (found.start - found.room_wait)[waiting], found.start[waiting]
        now = np.concatenate([begin, end, since])
        busy = ((begin <= now[:, None]) & (now[:, None] < end)).sum(1)
        somebody = ((since <= now[:, None]) & (now[:, None] < until)).any(1)
        assert busy.max() <= roster.rooms[lane]
        assert (busy[somebody] == roster.rooms[lane]).all()
        moments += somebody.sum()
    assert moments > 50


@pytest.mark.parametrize("seed", SEEDS)
def test_a_room_for_everybody_is_no_room_needed(seed: int) -> None:
    roster, items = day(seed)
    plenty = replace(roster, rooms=np.full(LANES, PEOPLE))
    nowhere = replace(items, needs_room=np.zeros_like(items.needs_room))
    expected = schedule(roster, nowhere)
    assert same(schedule(plenty, items), expected)
    assert not same(schedule(roster, items), expected)


@pytest.mark.parametrize("days", [1, 2, 3, 4])
def test_carried_work_precedes_todays_of_its_rank_and_its_delay_has_run(days: int) -> None:
    roster = one_person()
    items = simple_items(release=[0, 100 * MINUTE - days * CARRIED_DAY, 0, 0], which=[3, 3, 3, 1])
    found = schedule(replace(roster, delay=np.array([[[0], [30 * MINUTE]]])), items)
    assert np.argsort(found.start).tolist() == [1, 3, 0, 2]
    assert found.start[1] == 0


@pytest.mark.parametrize("release", [0, -4 * CARRIED_DAY, HORIZON - 1])
def test_never_is_not_reached(release: int) -> None:
    items = simple_items(release=[release] * 4, which=[1, 1, 3, 3])
    roster = replace(one_person(), delay=np.array([[[0], [NEVER]]]), cap=np.array([HORIZON]))
    assert (schedule(roster, items).start == NEVER).all()
    roster = replace(one_person(), free=np.array([[NEVER]]), cap=np.array([HORIZON]))
    assert (schedule(roster, items).start == NEVER).all()


def test_a_day_may_be_as_long_as_the_horizon() -> None:
    late = HORIZON - 10 * MINUTE
    items = simple_items(release=[late, late, late - 1, -4 * CARRIED_DAY], which=[3, 1, 3, 3])
    found = schedule(replace(one_person(), cap=np.array([HORIZON])), items)
    assert found.start.tolist() == [late + 4 * MINUTE - 1, late + 2 * MINUTE - 1, late - 1, 0]


def one_person() -> Roster:
    return Roster(
        role=np.array([0]),
        streams=np.array([[0, 1]]),
        n_streams=2,
        pace=np.array([[1024]]),
        free=np.array([[0]]),
        delay=np.zeros((1, 2, 1), np.int64),
        cap=np.array([600 * MINUTE]),
        rooms=np.array([1]),
    )


def simple_items(release: list[int], which: list[int]) -> Items:
    """Two-minute pieces of work in the shared stream of `one_person`."""
    n = len(release)
    zero = np.zeros(n, np.int64)
    return Items(
        lane=zero,
        stream=zero + 1,
        list=np.array(which, np.int8),
        release=np.array(release),
        key=np.arange(n, dtype=np.uint64),
        service=np.full((1, n), 2 * MINUTE),
        fixed_end=zero,
        parent=zero - 1,
        ordinal=zero,
        responsible=np.full(n, -1, np.int8),
        needs_room=np.zeros(n, np.bool_),
    )


def put(values: NDArray[np.int64], at: int, value: int) -> NDArray[np.int64]:
    changed = values.copy()
    changed[at] = value
    return changed


ITEM_FAULTS: dict[str, tuple[dict[str, int], str]] = {
    "lane": ({"lane": 1}, "items.lane"),
    "stream": ({"stream": 2}, "items.stream"),
    "list": ({"list": 5}, "items.list"),
    "release": ({"release": HORIZON + 1}, "items.release"),
    "fixed end": ({"fixed_end": 1}, "item 2 has a fixed end but is no absence"),
    "parent range": ({"parent": 9}, "items.parent"),
    "parent list": ({"parent": 0}, "item 2 has a parent but is not in the follow-on list"),
    "absence": ({"list": ABSENCE}, "item 2 is an absence in a stream that is not one person's own"),
}


@pytest.mark.parametrize("name", ITEM_FAULTS)
def test_wrong_items_are_refused(name: str) -> None:
    changes, sentence = ITEM_FAULTS[name]
    items = simple_items([0, 0, 0], [1, 2, 3])
    check(one_person(), items)
    wrong = replace(items, **{k: put(getattr(items, k), 2, v) for k, v in changes.items()})
    with pytest.raises(ValueError, match=sentence):
        schedule(one_person(), wrong)


def test_a_follow_on_of_a_follow_on_is_refused() -> None:
    items = replace(simple_items([0, 0, 0], [1, 4, 4]), parent=np.array([-1, 0, 1]))
    with pytest.raises(ValueError, match="item 2 is a follow-on of a follow-on"):
        schedule(one_person(), items)


def test_a_follow_on_of_an_absence_is_refused() -> None:
    items = replace(simple_items([0, 0], [0, 4]), stream=np.array([0, 1]), parent=np.array([-1, 0]))
    with pytest.raises(ValueError, match="item 1 is a follow-on of an absence"):
        schedule(one_person(), items)


def test_a_parent_in_another_lane_is_refused() -> None:
    items = replace(simple_items([0, 0], [1, 4]), parent=np.array([-1, 0]), lane=np.array([1, 0]))
    with pytest.raises(ValueError, match="item 1 has its parent in another lane"):
        schedule(lanes_of(one_person(), np.array([0, 0])), items)


def test_wrong_shapes_are_refused() -> None:
    items = simple_items([0, 0], [1, 2])
    with pytest.raises(ValueError, match=r"items.release has shape \(3,\)"):
        schedule(one_person(), replace(items, release=np.zeros(3, np.int64)))
    with pytest.raises(ValueError, match=r"items\.service has shape"):
        schedule(one_person(), replace(items, service=np.zeros((1, 5), np.int64)))
    with pytest.raises(ValueError, match=r"items\.service must lie in"):
        schedule(one_person(), replace(items, service=np.full((1, 2), -1)))


def test_work_beyond_all_measure_is_refused_and_the_longest_is_exact() -> None:
    many = simple_items([0] * 4000, [3] * 4000)
    slow = replace(one_person(), pace=np.array([[1 << 14]]))
    with pytest.raises(ValueError, match="must stay below"):
        schedule(slow, replace(many, service=np.full((1, 4000), HORIZON)))
    few = simple_items([0, 0], [3, 3])
    found = schedule(slow, replace(few, service=np.full((1, 2), HORIZON)))
    assert found.start.tolist() == [0, NEVER]
    assert found.end.tolist() == [16 * HORIZON, NEVER]


ROSTER_FAULTS: dict[str, tuple[dict[str, object], str]] = {
    "role order": ({"role": np.array([1, 0])}, "never decreasing"),
    "stream number": ({"streams": np.array([[0, 9], [1, 3]])}, "roster.streams must lie in"),
    "stream twice": ({"streams": np.array([[0, 0], [1, 3]])}, "person 0 reads a stream twice"),
    "pace": ({"pace": np.array([[0], [1024]])}, "roster.pace"),
    "first minute": ({"free": np.array([[-1], [0]])}, "roster.free"),
    "own delay": ({"delay": np.ones((2, 2, 1), np.int64)}, "person's own stream"),
    "delay": ({"delay": np.array([[[0], [-5]], [[0], [0]]])}, "roster.delay must be NEVER or"),
    "cap": ({"cap": np.array([HORIZON + 1])}, "roster.cap"),
    "rooms": ({"rooms": np.array([0])}, "roster.rooms"),
    "shape": ({"free": np.zeros((2, 3), np.int64)}, "roster.free has shape"),
}


@pytest.mark.parametrize("name", ROSTER_FAULTS)
def test_a_wrong_roster_is_refused(name: str) -> None:
    changes, sentence = ROSTER_FAULTS[name]
    roster = Roster(
        role=np.array([0, 0]),
        streams=np.array([[0, 2], [1, 2]]),
        n_streams=3,
        pace=np.full((2, 1), 1024),
        free=np.zeros((2, 1), np.int64),
        delay=np.zeros((2, 2, 1), np.int64),
        cap=np.array([100]),
        rooms=np.array([2]),
    )
    items = simple_items([0], [1])
    check(roster, replace(items, stream=np.array([2])))
    with pytest.raises(ValueError, match=sentence):
        schedule(replace(roster, **changes), items)
