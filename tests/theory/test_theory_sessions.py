"""A session of appointments, from the book to the schedule, against exact values.

Requests are booked for the next day in places by rule: one every 10 minutes (individual), the first two at the
start (Bailey and Welch), or two every 20 minutes. Patients are punctual, the mean service is 10 minutes. A
replication is a lane. Each of the 48 comparisons, 24 by the schedule and 24 with more lanes by the station, has a
false-alarm rate of 1e-4.
"""

from __future__ import annotations

import numpy as np
import pytest
from formulas import appointments
from numpy.typing import NDArray
from replications import Comparison, compare, draw_ticks, lane_keys, stream_keys

from careload.day.book import LaterRequests, Places, book_later, ordinary_start
from careload.day.schedule import HORIZON, MAX_ROOMS, ROUTINE, Items, Roster, schedule
from careload.quantiles import Law
from careload.station import DAY_SPAN, Queue, serve
from careload.ticks import MINUTE

MEAN = 10.0
RULES = ("individual", "two at the start", "two at a time")
LAWS = {1: (Law.EXPONENTIAL, 1.0), 4: (Law.GAMMA, 0.5)}
IntArray = NDArray[np.int64]

cases = pytest.mark.parametrize(
    ("rule", "phases", "n"), [(rule, phases, n) for rule in RULES for phases in LAWS for n in (10, 20)]
)


def slots(rule: str, n: int) -> IntArray:
    """Minutes of the places of a session."""
    place = np.arange(n)
    if rule == "individual":
        return place * 10
    return np.maximum(place - 1, 0) * 10 if rule == "two at the start" else place // 2 * 20


def booked(rule: str, n: int, lanes: int) -> IntArray:
    """Ticks at which n patients of every lane are asked to come, shape (lanes, n)."""
    start = np.broadcast_to(slots(rule, n)[None, :, None] * MINUTE, (1, n, lanes))
    places = Places(start, np.zeros(start.shape, np.bool_))
    ordinary = np.zeros((1, 2, lanes), np.int64)
    ordinary[:, 1] = places.ordinary.sum(axis=1)
    lane = np.repeat(np.arange(lanes), n)
    requests = LaterRequests(
        lane=lane,
        may=np.ones(len(lane), np.int64),
        need=np.ones((1, len(lane)), np.int64),
        usual=np.full(len(lane), -1),
        continuity_days=np.zeros(len(lane), np.int64),
        not_before=np.ones(len(lane), np.int64),
        person_of_diary=np.zeros(1, np.int64),
    )
    found = book_later(np.zeros_like(ordinary), ordinary, requests)
    assert (found.day == 1).all()
    return ordinary_start(places, found.diary, lane, found.place).reshape(lanes, n)


def by_schedule(time: IntArray, service: IntArray) -> IntArray:
    """Starts in the own stream of one doctor, shape (lanes, n)."""
    lanes, n = time.shape
    roster = Roster(
        role=np.zeros(1, np.int64),
        streams=np.zeros((1, 1), np.int64),
        n_streams=1,
        pace=np.full((1, lanes), 1024),
        free=np.zeros((1, lanes), np.int64),
        delay=np.zeros((1, 1, lanes), np.int64),
        cap=np.full(lanes, HORIZON),
        rooms=np.full(lanes, MAX_ROOMS),
    )
    zero = np.zeros(time.size, np.int64)
    items = Items(
        lane=np.repeat(np.arange(lanes), n),
        stream=zero,
        list=np.full(time.size, ROUTINE, np.int8),
        release=time.ravel(),
        key=np.arange(time.size, dtype=np.uint64),
        service=service.reshape(1, -1),
        fixed_end=zero,
        parent=zero - 1,
        ordinal=zero,
        responsible=np.full(time.size, -1, np.int8),
        needs_room=np.zeros(time.size, np.bool_),
    )
    return schedule(roster, items).start.reshape(time.shape)


def by_station(time: IntArray, service: IntArray) -> IntArray:
    clock = np.arange(len(time))[:, None] * DAY_SPAN
    served = serve([Queue((time + clock).ravel(), service.ravel())], 1, len(time))[0]
    return served.start.reshape(time.shape) - clock


def session(
    time: IntArray, start: IntArray, service: IntArray, expected: tuple[float, float]
) -> list[Comparison]:
    """Wait of a patient, and idle time of the doctor until the last one leaves."""
    wait, idle = expected
    idled = (start[:, -1] + service[:, -1] - service.sum(axis=1)) / MINUTE
    return [compare((start - time).sum(axis=1) / MINUTE, time.shape[1], wait), compare(idled, 1, idle)]


@cases
def test_session_by_the_schedule(rule: str, phases: int, n: int) -> None:
    lanes = 4000
    time = booked(rule, n, lanes)
    keys = stream_keys(lane_keys(f"schedule {rule} {phases} {n}", np.arange(lanes)), n)
    service = draw_ticks(keys, "service", *LAWS[phases], MEAN)
    expected = appointments(slots(rule, n).astype(np.float64), MEAN, phases)
    for result in session(time, by_schedule(time, service), service, expected):
        assert result.holds(0.12), result


@cases
def test_session_by_the_station(rule: str, phases: int, n: int) -> None:
    lanes = 60_000
    time = booked(rule, n, lanes)
    keys = stream_keys(lane_keys(f"station {rule} {phases} {n}", np.arange(lanes)), n)
    service = draw_ticks(keys, "service", *LAWS[phases], MEAN)
    expected = appointments(slots(rule, n).astype(np.float64), MEAN, phases)
    for result in session(time, by_station(time, service), service, expected):
        assert result.holds(0.03), result


def test_two_at_the_start_trade_idle_time_for_waiting() -> None:
    lanes, n = 4000, 20
    keys = stream_keys(lane_keys("trade", np.arange(lanes)), n)
    service = draw_ticks(keys, "service", Law.GAMMA, 0.5, MEAN)
    mean = {}
    for rule in RULES:
        time = booked(rule, n, lanes)
        start = by_schedule(time, service)
        mean[rule] = (start - time).mean(), start[:, -1].mean()
    assert mean["two at the start"][0] > mean["individual"][0]
    assert mean["two at the start"][1] < mean["individual"][1]
