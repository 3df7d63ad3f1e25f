"""The coupled schedule against queueing theory: people, streams and lists instead of servers and classes.

As `test_theory_queues.py`, with fewer tasks: a start of the schedule costs many times that of the station, which it
equals start by start (`tests/unit/test_station_twin.py`). Releases reach up to 131,000 minutes. Each of the 12
comparisons, quick or long, has a false-alarm rate of 1e-4.
"""

from __future__ import annotations

import numpy as np
import pytest
from formulas import cobham, d_m_1, delay_probability, m_m_c
from numpy.typing import NDArray
from replications import compare, draw_ticks, lane_keys, stream_keys

from careload.day.schedule import HORIZON, ROUTINE, URGENT, Items, Roster, schedule
from careload.draws import name_key, uniform
from careload.quantiles import Law
from careload.ticks import MINUTE, NEVER

MEAN = 10.0
LANES = 120
EFFORTS = [
    pytest.param((2500, 500, 0.13), id="quick"),
    pytest.param((9000, 1000, 0.06), id="long", marks=pytest.mark.slow),
]
effort = pytest.mark.parametrize("effort", EFFORTS)
Effort = tuple[int, int, float]
IntArray = NDArray[np.int64]


def team(people: int, rooms: int | None = None) -> Roster:
    """People of one role with a common stream behind their own, and a room for each of them or as many as said."""
    return Roster(
        role=np.zeros(people, np.int64),
        streams=np.column_stack([np.arange(people), np.full(people, people)]),
        n_streams=people + 1,
        pace=np.full((people, LANES), 1024),
        free=np.zeros((people, LANES), np.int64),
        delay=np.zeros((people, 2, LANES), np.int64),
        cap=np.full(LANES, HORIZON),
        rooms=np.full(LANES, rooms or people),
    )


def waits(
    roster: Roster, stream: int, time: IntArray, service: IntArray, which: IntArray
) -> NDArray[np.float64]:
    """Minutes waited, shape (lanes, n) as `time`; `which` is the list of each task."""
    n = time.size
    zero = np.zeros(n, np.int64)
    items = Items(
        lane=np.repeat(np.arange(LANES), time.shape[1]),
        stream=zero + stream,
        list=which.ravel().astype(np.int8),
        release=time.ravel(),
        key=np.arange(n, dtype=np.uint64),
        service=service.reshape(1, n),
        fixed_end=zero,
        parent=zero - 1,
        ordinal=zero,
        responsible=np.full(n, -1, np.int8),
        needs_room=np.ones(n, np.bool_),
    )
    found = schedule(roster, items)
    assert (found.start < NEVER).all()
    return ((found.start - items.release) / MINUTE).reshape(time.shape)


@effort
@pytest.mark.parametrize("people", [2, 4])
def test_a_pool_of_two_and_four_people_in_two_rooms_are_erlang_c(people: int, effort: Effort) -> None:
    n, warm_up, precision = effort
    rate = 9.6 / 60
    keys = stream_keys(lane_keys("pool of two", np.arange(LANES)), n)
    time = np.cumsum(draw_ticks(keys, "gap", Law.EXPONENTIAL, 1.0, 1 / rate), axis=1)
    service = draw_ticks(keys, "service", Law.EXPONENTIAL, 1.0, MEAN)
    waited = waits(team(people, rooms=2), people, time, service, np.full(time.shape, ROUTINE))[:, warm_up:]
    counted = waited.shape[1]
    share = compare((waited > 0).sum(axis=1), counted, delay_probability(2, rate * MEAN))
    assert share.holds(precision), share
    mean = compare(waited.sum(axis=1), counted, m_m_c(2, rate, MEAN))
    assert mean.holds(precision), mean


@effort
@pytest.mark.parametrize("gap", [12.5, 14.5])
def test_booked_work_in_an_own_stream_is_d_m_1(gap: float, effort: Effort) -> None:
    n, warm_up, precision = effort
    keys = stream_keys(lane_keys(f"booked {gap}", np.arange(LANES)), n)
    time = np.tile(np.arange(1, n + 1) * int(gap * MINUTE), (LANES, 1))
    service = draw_ticks(keys, "service", Law.EXPONENTIAL, 1.0, MEAN)
    waited = waits(team(1), 0, time, service, np.full(time.shape, ROUTINE))[:, warm_up:]
    mean = compare(waited.sum(axis=1), waited.shape[1], d_m_1(gap, MEAN))
    assert mean.holds(precision), mean


@effort
def test_urgent_and_routine_lists_are_cobham(effort: Effort) -> None:
    n, warm_up, precision = effort
    rate, share = 0.8 / MEAN, 0.2
    keys = stream_keys(lane_keys("urgent and routine", np.arange(LANES)), n)
    time = np.cumsum(draw_ticks(keys, "gap", Law.EXPONENTIAL, 1.0, 1 / rate), axis=1)
    service = draw_ticks(keys, "service", Law.LOGNORMAL, 0.5, MEAN)
    urgent = uniform(keys, name_key("urgent")) < share
    waited = waits(team(1), 1, time, service, np.where(urgent, URGENT, ROUTINE))[:, warm_up:]
    expected = cobham([rate * share, rate * (1 - share)], [MEAN, MEAN], [0.5, 0.5])
    for mine, value in zip((urgent[:, warm_up:], ~urgent[:, warm_up:]), expected, strict=True):
        result = compare(np.where(mine, waited, 0.0).sum(axis=1), mine.sum(axis=1), value)
        assert result.holds(precision), result
