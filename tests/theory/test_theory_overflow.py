"""Days on which more patients call than there are places, by the book, against the binomial law.

N patients ask for a place today with chance 0.008 each (Green, Savin and Murray 2007); one doctor has C places,
nothing is carried over. The number of days on which the book turns somebody away is binomial: the exact
two-sided test of each of the 21 panels and places has a false-alarm rate of 1e-4, and so has the mean number of
patients turned away where that is not rare. The panels share their patients.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray
from replications import ALARM, compare, lane_keys
from scipy import stats

from careload.day.book import NO_DIARY, Places, TodayRequests, book_today
from careload.draws import child, name_key, uniform
from careload.ticks import MINUTE

CHANCE = 0.008
PANELS = (1500, 1750, 2000, 2250, 2500, 2750, 3000)
PUBLISHED = {
    16: (0.100, 0.243, 0.434, 0.626, 0.780, 0.884, 0.944),
    20: (0.011, 0.047, 0.131, 0.269, 0.441, 0.614, 0.758),
    24: (0.001, 0.005, 0.022, 0.068, 0.156, 0.288, 0.446),
}
RARE = 0.02
"""Chance of overflow below which Student's t says little about a mean."""
CHUNK = 500
IntArray = NDArray[np.int64]


def calls(days: int) -> Iterator[tuple[IntArray, IntArray]]:
    """Day and patient of every call, 500 days at a time."""
    for first in range(0, days, CHUNK):
        keys = lane_keys("overflow", np.arange(first, first + CHUNK))
        asks = uniform(child(keys[:, None], np.arange(max(PANELS))), name_key("asks")) < CHANCE
        day, patient = np.nonzero(asks)
        yield day, patient


def turned_away(day: IntArray, n_places: int) -> IntArray:
    """Patients without a place on each of the days."""
    start = np.broadcast_to(np.arange(n_places)[None, :, None] * 15 * MINUTE, (1, n_places, CHUNK))
    one = np.ones((1, len(day)), np.int64)
    requests = TodayRequests(lane=day, minute=np.zeros_like(day), may=one[0], need=one, order=one - 1)
    places = Places(start, np.zeros(start.shape, np.bool_))
    found = book_today(np.zeros((1, CHUNK), np.int64), places, requests)
    return np.bincount(day[found.diary == NO_DIARY], minlength=CHUNK)


def all_turned_away(days: int) -> dict[tuple[int, int], IntArray]:
    """Patients without a place by places and panel, shape (days,)."""
    found: dict[tuple[int, int], list[IntArray]] = {(c, n): [] for c in PUBLISHED for n in PANELS}
    for day, patient in calls(days):
        for n_places, panel in found:
            found[n_places, panel].append(turned_away(day[patient < panel], n_places))
    return {case: np.concatenate(parts) for case, parts in found.items()}


@pytest.mark.parametrize("days", [20_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_overflow_is_binomial(days: int) -> None:
    for (n_places, panel), away in all_turned_away(days).items():
        chance = float(stats.binom.sf(n_places, panel, CHANCE))
        overflow = int(np.count_nonzero(away))
        assert stats.binomtest(overflow, days, chance).pvalue > ALARM, (n_places, panel, overflow)
        if chance < RARE:
            continue
        calls_above = stats.binom.expect(lambda k, c=n_places: np.maximum(k - c, 0), (panel, CHANCE))
        result = compare(away, 1, float(calls_above))
        assert abs(result.mean - result.expected) <= result.margin, (n_places, panel, result)


def test_the_law_gives_the_published_table() -> None:
    for n_places, row in PUBLISHED.items():
        found = stats.binom.sf(n_places, np.array(PANELS), CHANCE)
        assert found == pytest.approx(row, abs=6e-4)
