"""Laws of the book that hold for every set of diaries and requests."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from careload.day.book import (
    NO_DIARY,
    LaterRequests,
    Places,
    TodayRequests,
    book_later,
    book_today,
    ordinary_start,
    spread_held,
)
from careload.ticks import MINUTE, NEVER

LANES, DIARIES, HORIZON, LONGEST = 20, 3, 28, 10
SEEDS = range(12)
Ints = NDArray[np.int64]


def draw_later(seed: int, busy: float = 1.0) -> tuple[Ints, Ints, LaterRequests]:
    """Used places, ordinary places and requests; persons 0, 1, 1."""
    rng = np.random.default_rng([21, seed])
    ordinary = rng.integers(0, 6, (DIARIES, HORIZON + 1, LANES))
    ordinary[:, rng.random(HORIZON + 1) < 2 / 7] = 0
    used = rng.integers(0, ordinary + 1)
    size = rng.poisson(busy * 60, LANES)
    lane, n = np.repeat(np.arange(LANES), size), int(size.sum())
    requests = LaterRequests(
        lane=lane,
        may=rng.integers(1, 1 << DIARIES, n),
        need=rng.integers(1, 4, (DIARIES, n)),
        usual=rng.integers(-1, 2, n),
        continuity_days=rng.integers(0, 8, n),
        not_before=np.where(rng.random(n) < 0.5, 1, rng.integers(1, HORIZON + 2, n)),
        person_of_diary=np.array([0, 1, 1]),
    )
    return used, ordinary, requests


def draw_today(seed: int) -> tuple[Ints, Places, TodayRequests]:
    """Places used ahead, places of the day and requests of the day."""
    rng = np.random.default_rng([22, seed])
    n_places = rng.integers(0, LONGEST + 1, (DIARIES, LANES))
    held = np.moveaxis(spread_held(n_places, n_places // 3, LONGEST), 2, 1)
    exists = np.arange(LONGEST)[:, None] < n_places[:, None]
    start = np.where(exists, np.sort(rng.integers(0, 600, (DIARIES, LONGEST, LANES)), axis=1) * MINUTE, NEVER)
    used = rng.integers(0, n_places - n_places // 3 + 1)
    size = rng.poisson(10, LANES)
    lane, n = np.repeat(np.arange(LANES), size), int(size.sum())
    minute = rng.integers(0, 600, n) * MINUTE
    requests = TodayRequests(
        lane=lane,
        minute=minute[np.lexsort((minute, lane))],
        may=rng.integers(1, 1 << DIARIES, n),
        need=rng.integers(1, 4, (DIARIES, n)),
        order=np.argsort(rng.random((DIARIES, n)), axis=0),
    )
    return used, Places(start, held), requests


def pick_later(requests: LaterRequests, chosen: Ints, lane: Ints) -> LaterRequests:
    return LaterRequests(
        lane,
        requests.may[chosen],
        requests.need[:, chosen],
        requests.usual[chosen],
        requests.continuity_days[chosen],
        requests.not_before[chosen],
        requests.person_of_diary,
    )


def pick_today(requests: TodayRequests, chosen: Ints, lane: Ints) -> TodayRequests:
    return TodayRequests(
        lane,
        requests.minute[chosen],
        requests.may[chosen],
        requests.need[:, chosen],
        requests.order[:, chosen],
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_a_lane_alone_is_the_lane_in_the_batch(seed: int) -> None:
    used, ordinary, later = draw_later(seed)
    used_today, places, today = draw_today(seed)
    after = used.copy()
    all_later, all_today = book_later(after, ordinary, later), book_today(used_today, places, today)
    for lane in range(LANES):
        chosen, one = np.flatnonzero(later.lane == lane), slice(lane, lane + 1)
        alone_used = used[:, :, one].copy()
        zero = np.zeros(chosen.size, np.int64)
        alone = book_later(alone_used, ordinary[:, :, one], pick_later(later, chosen, zero))
        assert np.array_equal(alone.diary, all_later.diary[chosen])
        assert np.array_equal(alone.day, all_later.day[chosen])
        assert np.array_equal(alone.place, all_later.place[chosen])
        assert np.array_equal(alone_used, after[:, :, one])
        chosen = np.flatnonzero(today.lane == lane)
        zero = np.zeros(chosen.size, np.int64)
        day = Places(places.start[:, :, one], places.held[:, :, one])
        alone_today = book_today(used_today[:, one], day, pick_today(today, chosen, zero))
        assert np.array_equal(alone_today.diary, all_today.diary[chosen])
        assert np.array_equal(alone_today.start, all_today.start[chosen])


@pytest.mark.parametrize("seed", SEEDS)
def test_the_order_of_lanes_changes_nothing(seed: int) -> None:
    turn = np.random.default_rng(seed).permutation(LANES)
    used, ordinary, later = draw_later(seed)
    used_today, places, today = draw_today(seed)
    chosen = np.concatenate([np.flatnonzero(later.lane == lane) for lane in turn])
    turned_lane = np.repeat(np.arange(LANES), np.bincount(later.lane, minlength=LANES)[turn])
    turned_used = used[:, :, turn]
    turned = book_later(turned_used, ordinary[:, :, turn], pick_later(later, chosen, turned_lane))
    straight = book_later(used, ordinary, later)
    assert np.array_equal(turned.diary, straight.diary[chosen])
    assert np.array_equal(turned.day, straight.day[chosen])
    assert np.array_equal(turned.place, straight.place[chosen])
    assert np.array_equal(turned_used, used[:, :, turn])
    chosen = np.concatenate([np.flatnonzero(today.lane == lane) for lane in turn])
    turned_lane = np.repeat(np.arange(LANES), np.bincount(today.lane, minlength=LANES)[turn])
    day = Places(places.start[:, :, turn], places.held[:, :, turn])
    turned_today = book_today(used_today[:, turn], day, pick_today(today, chosen, turned_lane))
    straight_today = book_today(used_today, places, today)
    assert np.array_equal(turned_today.diary, straight_today.diary[chosen])
    assert np.array_equal(turned_today.start, straight_today.start[chosen])


@pytest.mark.parametrize("seed", SEEDS)
def test_places_used_are_places_given_and_never_more_than_there_are(seed: int) -> None:
    used, ordinary, requests = draw_later(seed)
    before = used.copy()
    given = book_later(used, ordinary, requests)
    got = np.flatnonzero(given.diary != NO_DIARY)
    more = np.zeros_like(used)
    np.add.at(
        more, (given.diary[got], given.day[got], requests.lane[got]), requests.need[given.diary[got], got]
    )
    assert np.array_equal(used, before + more)
    assert np.all(used <= ordinary)
    assert np.array_equal(used[:, 0], before[:, 0])
    assert np.all((requests.may[got] >> given.diary[got]) & 1)
    assert np.all(given.day[got] >= requests.not_before[got])


@pytest.mark.parametrize("seed", SEEDS)
def test_no_place_is_given_twice_ahead(seed: int) -> None:
    used, ordinary, requests = draw_later(seed)
    before = used.copy()
    given = book_later(used, ordinary, requests)
    taken = np.zeros((*used.shape, int(ordinary.max())), np.int64)
    for i in np.flatnonzero(given.diary != NO_DIARY):
        diary, place = given.diary[i], given.place[i]
        assert place >= before[diary, given.day[i], requests.lane[i]]
        taken[diary, given.day[i], requests.lane[i], place : place + requests.need[diary, i]] += 1
    assert taken.max() == 1


@pytest.mark.parametrize("seed", SEEDS)
def test_who_finds_nothing_leaves_no_place_that_would_have_done(seed: int) -> None:
    used, ordinary, requests = draw_later(seed, busy=2.0)
    given = book_later(used, ordinary, requests)
    nobody = np.flatnonzero(given.diary == NO_DIARY)
    assert nobody.size
    assert np.all(given.day[nobody] == NO_DIARY) and np.all(given.place[nobody] == NO_DIARY)
    left = (ordinary - used)[:, :, requests.lane[nobody]]
    allowed = np.arange(HORIZON + 1)[:, None] >= np.maximum(requests.not_before[nobody], 1)
    may = (requests.may[nobody] >> np.arange(DIARIES)[:, None]) & 1 == 1
    assert not np.any((left >= requests.need[:, None, nobody]) & allowed & may[:, None])


def test_a_full_book_gives_nothing_and_stays() -> None:
    _, ordinary, later = draw_later(0)
    used = ordinary.copy()
    given = book_later(used, ordinary, later)
    assert (
        np.all(given.diary == NO_DIARY) and np.all(given.day == NO_DIARY) and np.all(given.place == NO_DIARY)
    )
    assert np.array_equal(used, ordinary)
    _, places, today = draw_today(0)
    nothing_held = Places(places.start, np.zeros_like(places.held))
    given_today = book_today(nothing_held.ordinary.sum(axis=1), nothing_held, today)
    assert np.all(given_today.diary == NO_DIARY) and np.all(given_today.start == NEVER)


@pytest.mark.parametrize("seed", SEEDS)
def test_grace_beyond_the_horizon_is_grace_of_the_horizon(seed: int) -> None:
    used, ordinary, requests = draw_later(seed)
    far = replace(requests, continuity_days=np.full_like(requests.usual, 1 << 40))
    near = replace(requests, continuity_days=np.full_like(requests.usual, HORIZON))
    given, expected = book_later(used.copy(), ordinary, far), book_later(used, ordinary, near)
    assert np.array_equal(given.diary, expected.diary) and np.array_equal(given.day, expected.day)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_diary_nobody_may_use_changes_nothing(seed: int) -> None:
    used, ordinary, later = draw_later(seed)
    wide_used, wide_ordinary = np.repeat(used, [2, 1, 1], axis=0), np.repeat(ordinary, [2, 1, 1], axis=0)
    spread = (later.may & 1) | ((later.may >> 1) << 2)
    wide = replace(
        later,
        may=spread,
        need=np.repeat(later.need, [2, 1, 1], axis=0),
        person_of_diary=np.array([0, 0, 1, 1]),
    )
    given, expected = book_later(wide_used, wide_ordinary, wide), book_later(used, ordinary, later)
    assert np.array_equal(given.diary, expected.diary + (expected.diary > 0))
    assert np.array_equal(given.day, expected.day)
    assert np.array_equal(np.delete(wide_used, 1, axis=0), used)


@pytest.mark.parametrize("seed", SEEDS)
def test_today_gives_free_places_once_and_not_before_the_minute(seed: int) -> None:
    used, places, requests = draw_today(seed)
    given = book_today(used, places, requests)
    n_free = places.exists.sum(axis=1) - used
    for diary in range(DIARIES):
        for lane in range(LANES):
            got = np.flatnonzero((given.diary == diary) & (requests.lane == lane))
            assert requests.need[diary, got].sum() <= n_free[diary, lane]
            assert np.all(np.diff(given.start[got]) >= 0)
            assert np.all(given.start[got] >= requests.minute[got])
            assert np.all((requests.may[got] >> diary) & 1)
            gone = ordinary_start(places, *np.broadcast_arrays(diary, lane, np.arange(used[diary, lane])))
            start, times = np.unique(np.concatenate([given.start[got], gone]), return_counts=True)
            there = (places.start[diary, :, lane] == start[:, None]).sum(axis=1)
            assert np.all(times <= there)


@pytest.mark.parametrize("seed", SEEDS)
def test_nobody_is_overtaken_today_by_a_later_request_of_the_same_needs(seed: int) -> None:
    used, places, requests = draw_today(seed)
    first = np.searchsorted(requests.lane, requests.lane)
    alike = replace(
        requests, may=requests.may[first], need=requests.need[:, first], order=requests.order[:, first]
    )
    given = book_today(used, places, alike)
    choice = np.where(given.diary < 0, DIARIES, alike.order[given.diary, np.arange(given.diary.size)])
    same = np.diff(alike.lane) == 0
    assert np.all(np.diff(choice)[same] >= 0)
    again = same & (np.diff(given.diary) == 0) & (given.diary[1:] != NO_DIARY)
    assert again.any()
    assert np.all(np.diff(given.start)[again] >= 0)


@pytest.mark.parametrize("seed", SEEDS)
def test_places_booked_ahead_are_never_held(seed: int) -> None:
    _, places, _ = draw_today(seed)
    diary, place, lane = np.nonzero(np.ones_like(places.held))
    start = ordinary_start(places, diary, lane, place)
    n_ordinary = places.ordinary.sum(axis=1)[diary, lane]
    assert np.array_equal(start < NEVER, place < n_ordinary)
    for d in range(DIARIES):
        for k in range(LANES):
            mine = start[(diary == d) & (lane == k)]
            assert np.array_equal(mine[mine < NEVER], places.start[d, places.ordinary[d, :, k], k])
