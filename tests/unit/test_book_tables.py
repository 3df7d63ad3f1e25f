"""Held places, starts of ordinary places, small cases of the book by hand, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from careload.day.book import (
    LaterRequests,
    Places,
    TodayRequests,
    book_later,
    book_today,
    ordinary_start,
    spread_held,
)
from careload.ticks import MINUTE, NEVER

LATER = LaterRequests(
    lane=np.zeros(2, np.int64),
    may=np.full(2, 0b11),
    need=np.ones((2, 2), np.int64),
    usual=np.array([-1, 1]),
    continuity_days=np.full(2, 3),
    not_before=np.ones(2, np.int64),
    person_of_diary=np.array([0, 1]),
)
TODAY = TodayRequests(
    lane=np.zeros(2, np.int64),
    minute=np.array([10, 20]) * MINUTE,
    may=np.ones(2, np.int64),
    need=np.ones((1, 2), np.int64),
    order=np.zeros((1, 2), np.int64),
)
DAY = Places(np.array([0, 15, 30, 45])[None, :, None] * MINUTE, np.array([0, 0, 1, 0], bool)[None, :, None])


def test_six_of_28_held_places_stand_in_the_middles_of_six_parts() -> None:
    assert np.flatnonzero(spread_held(28, 6)).tolist() == [2, 6, 11, 16, 20, 25]


def test_held_places_are_exact_in_number_and_evenly_spread() -> None:
    places, held = (table.ravel() for table in np.meshgrid(np.arange(41), np.arange(41)))
    places, held = places[held <= places], held[held <= places]
    mask = spread_held(places, held)
    assert mask.shape == (places.size, 40)
    assert np.array_equal(mask.sum(axis=1), held)
    for row, n, h in zip(mask, places, held, strict=True):
        assert not row[n:].any()
        gaps = np.diff(np.flatnonzero(row))
        assert gaps.size == 0 or (gaps.max() <= -(-n // h) and gaps.min() >= n // h)


def test_held_places_keep_the_shape_and_width_asked_for() -> None:
    assert spread_held([[4, 0], [2, 3]], 0).shape == (2, 2, 4)
    assert spread_held(3, 1, width=5).tolist() == [False, True, False, False, False]
    assert spread_held(0, 0).shape == (0,)


def test_more_held_places_than_places_are_refused() -> None:
    with pytest.raises(ValueError, match="n_held must lie between 0 and n_places"):
        spread_held([3, 2], [1, 3])
    with pytest.raises(ValueError, match="shorter than the longest day of 4 places"):
        spread_held(4, 1, width=3)


def test_ordinary_places_are_counted_past_the_held_ones() -> None:
    zero = np.zeros(5, np.int64)
    start = ordinary_start(DAY, zero, zero, np.array([0, 1, 2, 3, -1]))
    assert start.tolist() == [0, 15 * MINUTE, 45 * MINUTE, NEVER, NEVER]


def test_the_usual_clinician_is_worth_three_days_and_a_tie_goes_to_the_lower_number() -> None:
    ordinary = np.zeros((2, 8, 1), np.int64)
    ordinary[0, 1:] = 1
    for first_free, expected in ((3, 1), (4, 1), (5, 0), (6, 0)):
        ordinary[1] = 0
        ordinary[1, first_free] = 1
        given = book_later(np.zeros_like(ordinary), ordinary, LATER)
        assert given.diary.tolist() == [0, expected]
        assert given.day.tolist() == [1, first_free if expected else 2]


def test_today_gives_the_held_place_and_what_is_not_used() -> None:
    given = book_today(np.array([[1]]), DAY, TODAY)
    assert given.start.tolist() == [15 * MINUTE, 30 * MINUTE]
    given = book_today(np.array([[3]]), DAY, TODAY)
    assert given.start.tolist() == [30 * MINUTE, NEVER]


def test_no_requests_and_no_places_are_fine() -> None:
    none = np.zeros(0, np.int64)
    used = np.ones((2, 5, 3), np.int16)
    later = LaterRequests(none, none, np.zeros((2, 0), np.int64), none, none, none, np.array([0, 0]))
    assert book_later(used, used, later).diary.size == 0
    closed = Places(np.zeros((1, 0, 1), np.int64), np.zeros((1, 0, 1), np.bool_))
    assert book_today(np.zeros((1, 1), np.int64), closed, TODAY).start.tolist() == [NEVER, NEVER]
    filling = Places(np.full((1, 2, 1), NEVER), np.ones((1, 2, 1), np.bool_))
    assert book_today(np.zeros((1, 1), np.int64), filling, TODAY).diary.tolist() == [-1, -1]


def test_a_view_of_the_book_is_changed_in_place() -> None:
    whole = np.zeros((1, 2, 12), np.int16)
    used = whole.transpose(1, 2, 0)[:, 2:10]
    book_later(used, np.ones((2, 8, 1), np.int16), LATER)
    assert whole[0].sum() == 2 and whole[0, 0, 3] == 1


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.int64])
def test_the_type_of_the_book_changes_nothing(dtype: type[np.signedinteger[Any]]) -> None:
    given = book_later(np.zeros((2, 8, 1), dtype), np.ones((2, 8, 1), dtype), LATER)
    assert given.diary.tolist() == [0, 1] and given.day.tolist() == [1, 1] and given.diary.dtype == np.int64


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lane": np.array([1, 0])}, "lane must not decrease"),
        ({"lane": np.array([0, 1])}, "lane must not decrease and must lie in 0..0"),
        ({"need": np.zeros((2, 2), np.int64)}, "needs 1 to 1023 places"),
        ({"need": np.ones((3, 2), np.int64)}, "need \\(D, n\\)"),
        ({"usual": np.zeros(3, np.int64)}, "must have shape \\(n,\\)"),
        ({"person_of_diary": np.array([1, 0])}, "follow the person numbers"),
        ({"continuity_days": np.array([-1, 0])}, "must not be negative"),
    ],
)
def test_later_requests_that_do_not_fit_are_refused(change: dict[str, Any], message: str) -> None:
    book = np.ones((2, 8, 1), np.int64)
    with pytest.raises(ValueError, match=message):
        book_later(book, book, replace(LATER, **change))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"minute": np.array([20, 10])}, "order of the clock"),
        ({"minute": np.zeros(3, np.int64)}, "minute must have shape"),
        ({"order": np.array([[0, -1]])}, "order must hold ranks"),
        ({"may": np.zeros(3, np.int64)}, "may must have shape"),
    ],
)
def test_requests_for_today_that_do_not_fit_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        book_today(np.zeros((1, 1), np.int64), DAY, replace(TODAY, **change))


def test_books_and_places_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="one shape"):
        book_later(np.ones((2, 8, 1), np.int64), np.ones((2, 7, 1), np.int64), LATER)
    with pytest.raises(ValueError, match="1 to 401 days"):
        book_later(np.ones((2, 402, 1), np.int64), np.ones((2, 402, 1), np.int64), LATER)
    with pytest.raises(ValueError, match="in time order"):
        book_today(np.zeros((1, 1), np.int64), Places(DAY.start[:, ::-1], DAY.held), TODAY)
    with pytest.raises(ValueError, match="used_today"):
        book_today(np.zeros((2, 1), np.int64), DAY, TODAY)
