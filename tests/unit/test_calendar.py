"""Open days, weeks, warm-up, window and tail of a run."""

from __future__ import annotations

import numpy as np
import pytest

from careload.patients.calendar import Calendar, make_calendar

LEAVE = (1, 8, 15, 29, 30, 31, 52)


def test_a_year_of_the_default_practice() -> None:
    """52 weeks less seven of leave are 45 weeks, 225 open days, all of them measured."""
    calendar = make_calendar(1, LEAVE, 0, 0)
    assert len(calendar) == 225
    assert calendar.year_days == 225
    assert calendar.in_window.all()
    assert calendar.window_weeks == 45
    assert sorted(set(calendar.week.tolist())) == [week for week in range(1, 53) if week not in LEAVE]
    assert calendar.year_weeks.tolist() == sorted(set(calendar.week.tolist()))


def test_days_are_numbered_through_weekends_and_leave() -> None:
    """Monday to Friday are open; the number jumps over weekends and closed weeks, Monday of week 1 is day 0."""
    calendar = make_calendar(5 / 52, (2, 4), 0, 0)
    assert calendar.number.tolist() == [
        *range(5),
        *range(14, 19),
        *range(28, 33),
    ]
    assert calendar.weekday.tolist() == [0, 1, 2, 3, 4] * 3
    assert calendar.week.tolist() == [1] * 5 + [3] * 5 + [5] * 5


def test_warm_up_and_tail_lie_around_the_window() -> None:
    """Warm-up and tail are open days before and after the window, leave skipped, and are not measured."""
    calendar = make_calendar(2 / 52, (3, 52), warm_up_days=7, tail_days=6)
    assert calendar.in_window.tolist() == [False] * 7 + [True] * 10 + [False] * 6
    assert calendar.week.tolist() == [50] * 2 + [51] * 5 + [1] * 5 + [2] * 5 + [4] * 5 + [5]
    assert calendar.number[7] == 0
    assert calendar.number[:7].tolist() == [-18, -17, -14, -13, -12, -11, -10]
    assert calendar.window_weeks == 2


@pytest.mark.parametrize("years", [0.5, 1, 2, 3.25])
def test_every_window_has_its_weeks(years: float) -> None:
    """The window has as many open weeks as its calendar weeks less the closed ones."""
    calendar = make_calendar(years, LEAVE, 20, 20)
    weeks = [week % 52 + 1 for week in range(round(52 * years))]
    assert calendar.in_window.sum() == 5 * sum(week not in LEAVE for week in weeks)
    assert len(calendar) == calendar.in_window.sum() + 40
    assert calendar.year_days == 225
    assert (np.diff(calendar.number) > 0).all()
    assert np.array_equal(calendar.number % 7, calendar.weekday)


def test_days_ahead_by_hand() -> None:
    """Weekday of each coming calendar day as far as the horizon reaches, -1 where closed; today is never ahead."""
    calendar = make_calendar(3 / 52, (2,), 0, 0)
    friday = 4
    ahead = calendar.open_ahead(friday, 12)
    assert ahead.tolist() == [-1] * 10 + [0, 1, 2]
    assert calendar.open_ahead(0, 7).tolist() == [-1, 1, 2, 3, 4, -1, -1, -1]
    assert calendar.open_ahead(3, 3).tolist() == [-1, 4, -1, -1]
    assert (calendar.open_ahead(len(calendar) - 1, 5) == -1).all()


def naive_ahead(calendar: Calendar, index: int, horizon: int) -> list[int]:
    """Look every calendar day up."""
    weekday = dict(zip(calendar.number.tolist(), calendar.weekday.tolist(), strict=True))
    today = int(calendar.number[index])
    return [weekday.get(today + days, -1) if days else -1 for days in range(horizon + 1)]


@pytest.mark.parametrize("horizon", [0, 1, 6, 28, 84])
def test_days_ahead_are_looked_up(horizon: int) -> None:
    calendar = make_calendar(0.4, LEAVE, 5, 5)
    for index in range(len(calendar)):
        assert calendar.open_ahead(index, horizon).tolist() == naive_ahead(calendar, index, horizon)


def test_the_share_of_a_season_is_that_of_a_year() -> None:
    """A season has the same share of the open days whether or not the window covers it."""
    autumn = list(range(40, 51))
    shares = [make_calendar(years, LEAVE, 0, 0).share_of_weeks(autumn) for years in (0.1, 0.5, 1, 2)]
    assert shares == [11 / 45] * 4
    assert make_calendar(1, LEAVE, 0, 0).share_of_weeks(LEAVE) == 0
