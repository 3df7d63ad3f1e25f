"""The book gives every place that its scalar twin gives, and a broken rule is found."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest
import twin_book as twin
from numpy.typing import NDArray

from careload.day.book import (
    LaterRequests,
    Places,
    TodayRequests,
    book_later,
    book_today,
    ordinary_start,
)
from careload.ticks import MINUTE, NEVER

N_CASES = 48
LANES = 8


@dataclass(frozen=True)
class Week:
    """Random diaries of some lanes: one week of places, repeated; weekday 0 is today."""

    days: list[list[list[list[tuple[int, bool]]]]]
    person: list[int]
    horizon: int

    def places(self, weekday: int) -> Places:
        """Lay out the places of one weekday."""
        rows = [[lane[weekday % 7][diary] for lane in self.days] for diary in range(len(self.person))]
        longest = max(len(day) for row in rows for day in row)
        start = np.full((len(rows), longest, len(self.days)), NEVER, np.int64)
        held = np.zeros(start.shape, np.bool_)
        for diary, row in enumerate(rows):
            for lane, day in enumerate(row):
                for i, (minute, kept) in enumerate(day):
                    start[diary, i, lane], held[diary, i, lane] = minute, kept
        return Places(start, held)

    def counts(self, keep_held: bool = True) -> NDArray[np.int16]:
        """Count ordinary places, shape (D, H + 1, L)."""
        week = [self.places(d) for d in range(7)]
        per = np.stack([(p.ordinary if keep_held else p.exists).sum(axis=1) for p in week], axis=1)
        return per[:, np.arange(self.horizon + 1) % 7].astype(np.int16)


def draw_week(rng: np.random.Generator) -> Week:
    """Draw up to 5 diaries of up to 3 persons, closed days, days without held or without ordinary places."""
    n_diaries = int(rng.integers(1, 6))
    person = sorted(rng.integers(0, 3, n_diaries).tolist())
    days = []
    for _ in range(LANES):
        week = []
        for _ in range(7):
            closed = rng.random() < 0.25
            row = []
            for _ in range(n_diaries):
                n = 0 if closed or rng.random() < 0.15 else int(rng.integers(1, 7))
                start = np.sort(rng.choice(60, n, replace=False)) * 10 * MINUTE
                row.append([(int(s), bool(rng.random() < 0.3)) for s in start])
            week.append(row)
        days.append(week)
    return Week(days, person, int(rng.choice([5, 14, 28, 51, 52, 70, 110])))


def draw_may(rng: np.random.Generator, n_diaries: int, n: int) -> NDArray[np.int64]:
    return rng.integers(0, 1 << n_diaries, n) | rng.integers(0, 1 << n_diaries, n)


def bits(may: int) -> set[int]:
    return {d for d in range(6) if may >> d & 1}


def draw_later(rng: np.random.Generator, week: Week) -> tuple[NDArray[np.int16], LaterRequests]:
    """Draw a partly used book and requests; one lane has none, some lanes overflow."""
    counts = week.counts()
    used = rng.integers(0, np.maximum(counts, 0) + 1).astype(np.int16)
    used[:, :, rng.random(LANES) < 0.3] = 0
    size = rng.integers(0, 4 * counts.shape[0] * min(week.horizon, 20) // 3, LANES)
    size[rng.integers(LANES)] = 0
    lane, n, n_diaries = np.repeat(np.arange(LANES), size), int(size.sum()), len(week.person)
    return used, LaterRequests(
        lane=lane,
        may=draw_may(rng, n_diaries, n),
        need=rng.choice(3, (n_diaries, n), p=[0.6, 0.3, 0.1]) + 1,
        usual=rng.integers(-1, 3, n),
        continuity_days=rng.integers(0, 7, n),
        not_before=np.where(rng.random(n) < 0.5, 1, rng.integers(-1, week.horizon + 3, n)),
        person_of_diary=np.array(week.person),
    )


def draw_today(rng: np.random.Generator, week: Week) -> tuple[NDArray[np.int16], TodayRequests]:
    """Draw places used ahead and requests of the day; equal minutes and equal ranks occur."""
    n_ordinary = week.counts()[:, 0]
    used = np.minimum(rng.integers(0, 5, n_ordinary.shape), n_ordinary).astype(np.int16)
    size = rng.integers(0, 10, LANES)
    lane, n, n_diaries = np.repeat(np.arange(LANES), size), int(size.sum()), len(week.person)
    minute = rng.integers(0, 120, n) * 5 * MINUTE
    return used, TodayRequests(
        lane=lane,
        minute=minute[np.lexsort((minute, lane))],
        may=draw_may(rng, n_diaries, n),
        need=rng.choice(3, (n_diaries, n), p=[0.6, 0.3, 0.1]) + 1,
        order=rng.integers(0, 4, (n_diaries, n)),
    )


def later_by_twin(
    week: Week, used: NDArray[np.int16], requests: LaterRequests, rules: twin.Rules
) -> tuple[list[tuple[int, int, int, int] | None], NDArray[np.int16]]:
    answers, after = [], used.copy()
    for lane in range(LANES):
        mine = np.flatnonzero(requests.lane == lane)
        asked = [
            twin.Later(
                bits(int(requests.may[i])),
                requests.need[:, i].tolist(),
                int(requests.usual[i]),
                int(requests.continuity_days[i]),
                int(requests.not_before[i]),
            )
            for i in mine
        ]
        days = [
            [week.days[lane][ahead % 7][diary] for ahead in range(week.horizon + 1)]
            for diary in range(len(week.person))
        ]
        book = used[:, :, lane].tolist()
        answers += twin.later(days, book, week.person, asked, rules)
        after[:, :, lane] = book
    return answers, after


def today_by_twin(
    week: Week, used: NDArray[np.int16], requests: TodayRequests, rules: twin.Rules
) -> list[tuple[int, int] | None]:
    answers = []
    for lane in range(LANES):
        mine = np.flatnonzero(requests.lane == lane)
        asked = [
            twin.Today(
                int(requests.minute[i]),
                bits(int(requests.may[i])),
                requests.need[:, i].tolist(),
                requests.order[:, i].tolist(),
            )
            for i in mine
        ]
        answers += twin.today(week.days[lane][0], used[:, lane].tolist(), asked, rules)
    return answers


def later_by_book(
    week: Week, used: NDArray[np.int16], requests: LaterRequests
) -> tuple[list[tuple[int, int, int, int] | None], NDArray[np.int16]]:
    after = used.copy()
    given = book_later(after, week.counts(), requests)
    start = np.full(given.day.size, NEVER)
    for weekday in range(7):
        here = (given.diary >= 0) & (given.day % 7 == weekday)
        start[here] = ordinary_start(
            week.places(weekday), given.diary[here], requests.lane[here], given.place[here]
        )
    rows = zip(given.diary, given.day, given.place, start, strict=True)
    return [None if row[0] < 0 else tuple(int(v) for v in row) for row in rows], after


def today_by_book(
    week: Week, used: NDArray[np.int16], requests: TodayRequests
) -> list[tuple[int, int] | None]:
    given = book_today(used, week.places(0), requests)
    assert np.array_equal(given.diary < 0, given.start == NEVER)
    rows = zip(given.diary, given.start, strict=True)
    return [None if d < 0 else (int(d), int(s)) for d, s in rows]


@cache
def later_cases() -> tuple[tuple[Week, NDArray[np.int16], LaterRequests], ...]:
    rngs = [np.random.default_rng([11, case]) for case in range(N_CASES)]
    weeks = [draw_week(rng) for rng in rngs]
    return tuple((week, *draw_later(rng, week)) for rng, week in zip(rngs, weeks, strict=True))


@cache
def today_cases() -> tuple[tuple[Week, NDArray[np.int16], TodayRequests], ...]:
    rngs = [np.random.default_rng([12, case]) for case in range(N_CASES)]
    weeks = [draw_week(rng) for rng in rngs]
    return tuple((week, *draw_today(rng, week)) for rng, week in zip(rngs, weeks, strict=True))


def test_later_days_are_given_as_by_the_twin() -> None:
    seen: Counter[str] = Counter()
    for week, used, requests in later_cases():
        mine, after = later_by_book(week, used, requests)
        theirs, expected = later_by_twin(week, used, requests, twin.RULES)
        assert mine == theirs
        assert np.array_equal(after, expected)
        seen["lane-days"] += LANES
        seen["booked"] += sum(b is not None for b in mine)
        seen["full"] += sum(b is None for b in mine)
        seen["not usual"] += sum(
            b is not None and 0 <= u != week.person[b[0]] for b, u in zip(mine, requests.usual, strict=True)
        )
        seen["several places"] += sum(
            b is not None and need[b[0]] > 1 for b, need in zip(mine, requests.need.T, strict=True)
        )
        seen["beyond one word"] += sum(b is not None and b[1] >= 52 for b in mine)
        seen["several diaries of one person"] += len(week.person) > len(set(week.person))
        seen["closed day"] += int((week.counts().sum(axis=0) == 0).sum())
    assert seen["lane-days"] >= 300
    assert all(count >= 20 for count in seen.values()), seen


def test_today_is_given_as_by_the_twin() -> None:
    seen: Counter[str] = Counter()
    for week, used, requests in today_cases():
        mine = today_by_book(week, used, requests)
        assert mine == today_by_twin(week, used, requests, twin.RULES)
        seen["lane-days"] += LANES
        seen["booked"] += sum(b is not None for b in mine)
        seen["full"] += sum(b is None for b in mine)
        seen["several places"] += sum(
            b is not None and need[b[0]] > 1 for b, need in zip(mine, requests.need.T, strict=True)
        )
        held = [
            b is not None and (b[1], True) in week.days[lane][0][b[0]]
            for b, lane in zip(mine, requests.lane, strict=True)
        ]
        seen["held given"] += sum(held)
        seen["same minute"] += int(((np.diff(requests.minute) == 0) & (np.diff(requests.lane) == 0)).sum())
    assert seen["lane-days"] >= 300
    assert all(count >= 20 for count in seen.values()), seen


LATER_SABOTAGE = {
    "held places ignored": replace(twin.RULES, held_kept_for_the_day=False),
    "not_before ignored": replace(twin.RULES, not_before=False),
    "grace dropped": replace(twin.RULES, grace=False),
    "changed tie order": replace(twin.RULES, ties_to_lowest=False),
}

TODAY_SABOTAGE = {
    "held places ignored": replace(twin.RULES, held_join_at_opening=False),
    "changed tie order": replace(twin.RULES, ties_to_lowest=False),
    "taken places not lost": replace(twin.RULES, taken_lost=False),
}


@pytest.mark.parametrize("rules", LATER_SABOTAGE.values(), ids=LATER_SABOTAGE)
def test_a_broken_rule_for_later_days_is_found(rules: twin.Rules) -> None:
    assert any(
        later_by_book(week, used, requests)[0] != later_by_twin(week, used, requests, rules)[0]
        for week, used, requests in later_cases()
    )


@pytest.mark.parametrize("rules", TODAY_SABOTAGE.values(), ids=TODAY_SABOTAGE)
def test_a_broken_rule_for_today_is_found(rules: twin.Rules) -> None:
    assert any(
        today_by_book(week, used, requests) != today_by_twin(week, used, requests, rules)
        for week, used, requests in today_cases()
    )


def test_skipped_places_are_behind_every_later_request() -> None:
    """Requests come in the order of the clock, so keeping skipped places would give nobody another place."""
    rules = replace(twin.RULES, skipped_lost=False)
    for week, used, requests in today_cases():
        assert today_by_twin(week, used, requests, rules) == today_by_twin(week, used, requests, twin.RULES)
