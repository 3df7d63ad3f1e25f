"""Rooms for everybody change nothing; with fewer people wait, and who is slow keeps others waiting."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from careload.day.accounts import Account
from careload.day.parts import Part
from careload.day.premises import crowd
from careload.patients.bundle import Channel
from careload.simulate import make_block
from careload.ticks import MINUTE, NEVER
from runs import run_through, short, watched

NURSE = ("practice=solo_nurse",)
WORLDS = {
    "two rooms": {"practice.extra_rooms": 1},
    "four rooms": {"practice.extra_rooms": 3},
    "one room": {"practice.extra_rooms": 0},
    "one room, quick nurse": {"practice.extra_rooms": 0, "role.nurse.pace": 512},
    "one room, slow nurse": {"practice.extra_rooms": 0, "role.nurse.pace": 2048},
    "one seat": {"practice.waiting_room_seats": 1},
}
CELLS = 6


@cache
def totals() -> dict[str, NDArray[np.int64]]:
    """Accounts of every world on the same patients, shape (accounts, cells)."""
    studies = [short(NURSE, values) for values in WORLDS.values()]
    with watched() as days:
        model = run_through(make_block(studies, np.arange(CELLS)))
    for day in days:
        held_at_once(day.items.lane, day.items.needs_room, day.timed.start, day.timed.end, day.roster.rooms)
        assert len(day.parts.lane) == len(day.items.lane)
        contact = np.isin(day.parts.part, (Part.CONTACT, Part.DELEGATED, Part.REMAINDER))
        visit = model.state.register.requests.visit[np.maximum(day.parts.request, 0)]
        office = model.block.bundles.channel[visit] == Channel.OFFICE
        assert np.array_equal(day.items.needs_room, contact & office)
    found = model.state.accounts.totals.reshape(len(Account), len(WORLDS), CELLS)
    return {name: found[:, number] for number, name in enumerate(WORLDS)}


def held_at_once(
    lane: NDArray[np.int64],
    needs_room: NDArray[np.bool_],
    start: NDArray[np.int64],
    end: NDArray[np.int64],
    rooms: NDArray[np.int64],
) -> None:
    """No practice holds more rooms than it has."""
    held = np.flatnonzero(needs_room & (start < NEVER))
    place, time = np.concatenate([lane[held]] * 2), np.concatenate([end[held], start[held]])
    step = np.repeat([-1, 1], len(held))
    order = np.lexsort((step, time, place))
    assert (np.cumsum(step[order]) <= rooms[place[order]]).all()


def test_more_rooms_than_people_change_nothing() -> None:
    two, four = totals()["two rooms"], totals()["four rooms"]
    others = [account for account in Account if account != Account.ROOM_OPEN]
    assert np.array_equal(two[others], four[others])
    assert np.array_equal(4 * two[Account.ROOM_OPEN], 2 * four[Account.ROOM_OPEN])
    assert (two[Account.ROOM_WAIT] == 0).all() and (two[Account.ROOM_USE] > 0).all()


def test_with_one_room_people_wait_longer() -> None:
    one, two = totals()["one room"], totals()["two rooms"]

    def wait(found: NDArray[np.int64]) -> NDArray[np.float64]:
        return found[Account.WAIT_TICKS] / found[Account.WAIT_STARTS]

    assert (one[Account.ROOM_WAIT] > 0).all()
    assert (wait(one) > 1.5 * wait(two)).all()
    assert (one[Account.ROOM_USE] <= one[Account.ROOM_OPEN]).all()
    assert (one[Account.GP_AFTER_CLOSING] > two[Account.GP_AFTER_CLOSING]).all()


def test_a_quick_nurse_leaves_the_room_to_the_gp() -> None:
    """A nurse who is faster than the GP wins time only where she does not wait for the room, and he not for her."""
    quick, slow = totals()["one room, quick nurse"], totals()["one room, slow nurse"]
    normal = totals()["one room"]
    assert (quick[Account.ROOM_WAIT] < normal[Account.ROOM_WAIT]).all()
    assert (normal[Account.ROOM_WAIT] < slow[Account.ROOM_WAIT]).all()


def test_seats_are_measured_only() -> None:
    eight, one = totals()["two rooms"], totals()["one seat"]
    seats = [Account.NO_SEAT, Account.NO_SEAT_PEOPLE]
    others = [account for account in Account if account not in seats]
    assert np.array_equal(eight[others], one[others])
    assert (one[seats] > eight[seats]).all()


def test_the_crowd_is_counted_moment_by_moment() -> None:
    g = np.random.default_rng(7)
    lanes, n = 9, 400
    lane = g.integers(0, lanes, n)
    arrival = g.integers(0, 300, n) * MINUTE
    start = arrival + g.integers(1, 90, n) * MINUTE
    seats = g.integers(0, 16, lanes)
    found = crowd(lane, arrival, start, seats)
    minutes, people = np.zeros(lanes, np.int64), np.zeros(lanes, np.int64)
    for one in range(lanes):
        mine = lane == one
        for now in range(500):
            here = np.count_nonzero(mine & (arrival <= now * MINUTE) & (start > now * MINUTE))
            beyond = max(0, here - int(seats[one]))
            minutes[one] += beyond
            people[one] += min(beyond, np.count_nonzero(mine & (arrival == now * MINUTE)))
    assert np.array_equal(found.ticks, minutes * MINUTE)
    assert np.array_equal(found.people, people)
    assert (people > 0).sum() > 4 and (people == 0).any()
