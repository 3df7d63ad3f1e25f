"""Desk work fills the gaps of a day: hand examples in minutes, and a count of every minute of random days."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from careload.day.gaps import GpDay, Services, fill_gaps
from careload.ticks import NEVER

END_OF_DAY = 4095
OFF, REST, WORK = "off", "rest", "work"
LUNCH = (720, 780, OFF)
HOME = (1200, END_OF_DAY, OFF)
Service = tuple[int, int, str]


def day(
    services: Sequence[Service],
    desk: int = 0,
    limit: int = 20,
    session: tuple[int, int] = (480, 1140),
    desk_block: tuple[int, int] = (780, 960),
) -> dict[str, int]:
    """One GP in one lane, on a day from 8:00 to 19:00 with a desk block from 13:00 to 16:00."""
    return team([services], desk, limit, [session], [desk_block])


def team(
    people: Sequence[Sequence[Service]],
    desk: int,
    limit: int,
    sessions: Sequence[tuple[int, int]],
    blocks: Sequence[tuple[int, int]],
) -> dict[str, int]:
    """Several GPs in one lane; a session that begins NEVER is that of somebody absent."""
    rows = [(person, *service) for person, services in enumerate(people) for service in services]
    n = len(rows)
    found = fill_gaps(
        Services(
            lane=np.zeros(n, np.int64),
            person=np.array([row[0] for row in rows], np.int64),
            start=np.array([row[1] for row in rows], np.int64),
            end=np.array([row[2] for row in rows], np.int64),
            off=np.array([row[3] == OFF for row in rows], bool),
            rest=np.array([row[3] == REST for row in rows], bool),
        ),
        gps=np.arange(len(people)),
        free=np.array([[session[0]] for session in sessions]),
        close=np.array([[session[1] if session[0] < NEVER else 0] for session in sessions]),
        desk_begin=np.array([[block[0]] for block in blocks]),
        desk_end=np.array([[block[1]] for block in blocks]),
        desk=np.array([desk]),
        crumb_limit=np.array([limit]),
    )
    return {name: int(value[0]) for name, value in vars(found).items()}


def expected(presence: int, **others: int) -> dict[str, int]:
    """A day in which everything not named is zero."""
    names = ("presence", "after_closing", "evening", "rest", "usable", "crumbs")
    return dict.fromkeys(names, 0) | {"presence": presence} | others


def test_an_empty_day_is_one_of_usable_gaps() -> None:
    """Nobody comes: the sessions are idle, lunch and going home are no presence."""
    assert day([LUNCH, HOME]) == expected(600, usable=600)


def test_desk_work_goes_to_the_desk_block_first() -> None:
    """100 minutes of desk work leave the morning gaps as they are; 400 fill the afternoon and 40 of the morning."""
    visits = [(480, 500, WORK), (515, 600, WORK)]
    assert day([*visits, LUNCH, HOME], desk=100) == expected(600, usable=120 + 260, crumbs=15)
    assert day([*visits, LUNCH, HOME], desk=360) == expected(600, usable=120, crumbs=15)
    assert day([*visits, LUNCH, HOME], desk=370) == expected(600, usable=120, crumbs=5)
    assert day([*visits, LUNCH, HOME], desk=400) == expected(600, usable=95)


def test_a_gap_of_the_limit_is_usable_and_a_shorter_one_a_crumb() -> None:
    """Pieces are judged after filling: 20 minutes are usable, 19 are not, a gap cut down to 19 is a crumb."""
    visits = [(480, 600, WORK), (620, 700, WORK), (719, 720, WORK), LUNCH, (780, 1140, WORK), HOME]
    assert day(visits) == expected(600, usable=20, crumbs=19)
    assert day(visits, desk=1) == expected(600, crumbs=19 + 19)
    assert day(visits, limit=0, desk=20) == expected(600, usable=19)


def test_a_lunch_overrun_is_presence() -> None:
    """A patient seen into the lunch break shortens it: lunch ends on time and the overrun is worked."""
    visits = [(480, 735, WORK), (735, 780, OFF), HOME]
    assert day(visits) == expected(660 - 45, usable=360)


def test_a_visit_through_the_lunch_break_leaves_one_tick_of_it() -> None:
    visits = [(480, 800, WORK), (800, 801, OFF), HOME]
    assert day(visits) == expected(660 - 1, usable=339)


def test_a_visit_through_the_afternoon_swallows_lunch() -> None:
    """A break that could begin only after closing is no absence any more."""
    visits = [(480, 1150, WORK), (1150, 1151, OFF), HOME]
    assert day(visits) == expected(670, after_closing=10)


def test_work_after_closing_is_presence_until_its_end() -> None:
    """Overtime counts until the last end, waiting for it included; the desk may use the wait."""
    late = [(480, 720, WORK), LUNCH, (780, 1150, WORK), (1180, 1190, WORK), HOME]
    assert day(late) == expected(650, after_closing=50, usable=30)
    assert day(late, desk=25) == expected(650, after_closing=50, crumbs=5)


def test_going_home_ends_presence() -> None:
    """Nobody is present between the last end, or closing if it is later, and going home."""
    early = [(480, 720, WORK), LUNCH, (780, 1100, WORK), (1145, END_OF_DAY, OFF)]
    assert day(early) == expected(600, usable=40)


def test_what_no_gap_takes_is_evening_work() -> None:
    """Desk work beyond the gaps lengthens the day in the evening, minute by minute."""
    visits = [(480, 720, WORK), LUNCH, (790, 1140, WORK), HOME]
    assert day(visits, desk=10) == expected(600)
    assert day(visits, desk=75) == expected(665, evening=65)
    assert day([LUNCH, HOME], desk=601) == expected(601, evening=1)


def test_breaks_are_presence_and_take_no_desk_work() -> None:
    visits = [(480, 600, WORK), (600, 610, REST), (610, 720, WORK), LUNCH, (780, 1140, WORK), HOME]
    assert day(visits, desk=7) == expected(607, rest=10, evening=7)


def test_gps_share_the_desk_work() -> None:
    """The desk blocks of all come before any other gap, then gaps in order of time, whoever has them."""
    first = [(480, 600, WORK), (640, 720, WORK)]
    second = [(480, 660, WORK)]
    sessions = [(480, 720), (480, 720)]
    blocks = [(NEVER, 0), (700, 720)]
    assert team([first, second], 0, 20, sessions, blocks) == expected(480, usable=40 + 60)
    assert team([first, second], 30, 20, sessions, blocks) == expected(480, usable=60, crumbs=10)
    assert team([first, second], 30, 20, sessions, [(NEVER, 0), (650, 720)]) == expected(480, usable=40 + 30)


def test_an_absent_gp_is_not_there() -> None:
    away = (NEVER, NEVER)
    both = team([[LUNCH, HOME], []], 30, 20, [(480, 1140), away], [(780, 960), (NEVER, 0)])
    assert both == expected(600, usable=570)
    assert team([[]], 0, 20, [away], [(NEVER, 0)]) == expected(0)


def test_desk_work_without_anybody_is_evening_work() -> None:
    """Desk work of a day without GPs is done in somebody's evening: no minute is lost."""
    assert team([[]], 45, 20, [(NEVER, NEVER)], [(NEVER, 0)]) == expected(45, evening=45)


def random_day(g: np.random.Generator) -> tuple[list[Service], tuple[int, int], tuple[int, int]]:
    """Services and absences of one GP on a short day of some 200 minutes, in order and disjoint."""
    opens, length = int(g.integers(0, 20)), int(g.integers(20, 150))
    closes = opens + length
    rows: list[Service] = []
    tick = opens
    while tick < closes + 20:
        tick += int(g.integers(0, 3)) * int(g.integers(0, 25))
        end = tick + int(g.integers(1, 30))
        kind = str(g.choice([WORK, WORK, WORK, OFF, REST]))
        if tick >= closes and kind == REST:
            kind = WORK
        if kind == OFF and tick < closes:
            end = min(end, closes)
        rows.append((tick, end, kind))
        tick = end
    leaves = tick + int(g.integers(0, 20))
    begin = int(g.integers(opens, closes))
    block = (begin, begin + int(g.integers(0, 60)))
    return [*rows, (leaves, END_OF_DAY, OFF)], (opens, closes), block


def minute_by_minute(
    people: Sequence[tuple[list[Service], tuple[int, int], tuple[int, int]]], desk: int, limit: int
) -> dict[str, int]:
    """The same day, every minute looked at."""
    presence = after = rest = 0
    gaps: list[tuple[bool, int, int, int]] = []
    for person, (services, (opens, closes), block) in enumerate(people):
        last = max([closes, *(end for _, end, kind in services if kind != OFF)])
        after += last - closes
        absent = {
            minute
            for start, end, kind in services
            if kind == OFF and start < closes
            for minute in range(start, end)
        }
        busy = {minute for start, end, kind in services if kind != OFF for minute in range(start, end)}
        presence += last - opens - len(absent)
        rest += sum(end - start for start, end, kind in services if kind == REST)
        idle = [minute for minute in range(opens, last) if minute not in absent and minute not in busy]
        for minute in idle:
            if gaps and gaps[-1][3] == person and gaps[-1][1] + gaps[-1][2] == minute:
                gaps[-1] = (*gaps[-1][:2], gaps[-1][2] + 1, person)
            else:
                gaps.append((not block[0] <= minute < block[1], minute, 1, person))
    usable = crumbs = 0
    for _, _, length, _ in sorted(gaps, key=lambda gap: gap[:2]):
        filled = min(desk, length)
        desk -= filled
        if length - filled >= limit:
            usable += length - filled
        else:
            crumbs += length - filled
    return {
        "presence": presence + desk,
        "after_closing": after,
        "evening": desk,
        "rest": rest,
        "usable": usable,
        "crumbs": crumbs,
    }


def test_random_days_minute_by_minute() -> None:
    """On 300 random days of one to three GPs every minute is counted once, as by hand."""
    g = np.random.default_rng(11)
    for _ in range(300):
        people = [random_day(g) for _ in range(int(g.integers(1, 4)))]
        desk, limit = int(g.integers(0, 120)), int(g.integers(1, 25))
        services, sessions, blocks = zip(*people, strict=True)
        found = team(services, desk, limit, sessions, blocks)
        assert found == minute_by_minute(people, desk, limit)
        work = sum(end - start for rows in services for start, end, kind in rows if kind == WORK)
        idle = found["usable"] + found["crumbs"] + found["rest"]
        assert found["presence"] == work + desk + idle


def test_lanes_do_not_see_each_other() -> None:
    """Lanes solved together give what each gives alone."""
    g = np.random.default_rng(12)
    days = [random_day(g) for _ in range(20)]
    rows = [(lane, *row) for lane, (services, _, _) in enumerate(days) for row in services]
    order = g.permutation(len(rows))
    rows = [rows[place] for place in order]
    column: list[NDArray[np.int64]] = [np.array([row[k] for row in rows]) for k in range(3)]
    kinds = np.array([row[3] for row in rows])
    desk = g.integers(0, 120, len(days))
    found: GpDay = fill_gaps(
        Services(column[0], np.zeros(len(rows), np.int64), column[1], column[2], kinds == OFF, kinds == REST),
        gps=np.array([0]),
        free=np.array([[session[0] for _, session, _ in days]]),
        close=np.array([[session[1] for _, session, _ in days]]),
        desk_begin=np.array([[block[0] for _, _, block in days]]),
        desk_end=np.array([[block[1] for _, _, block in days]]),
        desk=desk,
        crumb_limit=np.full(len(days), 9),
    )
    for lane, (services, session, block) in enumerate(days):
        alone = day(services, int(desk[lane]), 9, session, block)
        assert {name: int(value[lane]) for name, value in vars(found).items()} == alone


def test_gaps_that_begin_together_are_filled_by_number() -> None:
    """Of gaps that begin at the same tick the first GP's is filled first, in one lane as in 500."""
    g = np.random.default_rng(13)
    n_lanes = 500
    first, second = g.integers(5, 60, n_lanes), g.integers(5, 60, n_lanes)
    desk = g.integers(0, 60, n_lanes)
    zero = np.zeros(2 * n_lanes, bool)
    found = fill_gaps(
        Services(
            lane=np.tile(np.arange(n_lanes), 2),
            person=np.repeat([0, 1], n_lanes),
            start=np.concatenate((first, second)),
            end=np.full(2 * n_lanes, 100),
            off=zero,
            rest=zero,
        ),
        gps=np.array([0, 1]),
        free=np.zeros((2, n_lanes), np.int64),
        close=np.full((2, n_lanes), 100),
        desk_begin=np.full((2, n_lanes), NEVER),
        desk_end=np.zeros((2, n_lanes), np.int64),
        desk=desk,
        crumb_limit=np.full(n_lanes, 20),
    )
    left_first = first - np.minimum(first, desk)
    left_second = second - np.minimum(second, desk - (first - left_first))
    usable = np.where(left_first >= 20, left_first, 0) + np.where(left_second >= 20, left_second, 0)
    assert np.array_equal(found.usable, usable)
    assert np.array_equal(found.crumbs, left_first + left_second - usable)
