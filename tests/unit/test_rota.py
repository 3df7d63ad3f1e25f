"""Who is there when: sessions, breaks, meetings, going home, places; all by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pytest

from careload.day.parts import Part
from careload.inputs.load import load_study
from careload.inputs.study import Study
from careload.practice.rota import END_OF_DAY, DayRota, day_rota, in_session, next_opening
from careload.practice.tables import Layout, Practices, for_lanes, stack
from careload.practice.worlds import make_layout, world_table
from careload.ticks import MINUTE, NEVER
from support import with_values

STUDY: Final = load_study(["practice=solo_nurse"])
MONDAY, THURSDAY, FRIDAY = 0, 3, 4
NO_MEETING: Final = np.zeros(1, np.bool_)
BASE: Final = {
    "practice.team.gp.sessions": ("08:00-12:00 places", "13:00-16:00 desk", "16:00-19:00 places"),
    "practice.team.gp.rests": ("10:00-10:10",),
    "practice.team.gp.leaves_at": "20:00",
    "practice.team.nurse.fte": 0.5,
    "practice.team.nurse.pattern": "mornings",
    "practice.team.nurse.leaves_after_minutes": 12.0,
    "practice.slot_policy": "unchanged",
    "meeting.huddle": 10.0,
    "meeting.huddle_start": "11:38",
    "meeting.monthly": 45.0,
    "meeting.monthly_start": "12:00",
}


def at(text: str) -> int:
    """Ticks of a clock time."""
    hours, minutes = text.split(":")
    return (60 * int(hours) + int(minutes)) * MINUTE


def worlds(*changes: Mapping[str, Any]) -> tuple[Layout, Practices]:
    """One lane per set of changes."""
    studies: list[Study] = [with_values(STUDY, {**BASE, **change}) for change in changes]
    layout = make_layout(studies)
    return layout, stack([world_table(study, layout) for study in studies])


def rota(weekday: int = MONDAY, monthly: bool = False, **change: Any) -> tuple[Layout, DayRota]:
    """Pattern of a weekday in one lane."""
    layout, practices = worlds({key.replace("__", "."): value for key, value in change.items()})
    return layout, day_rota(layout, practices, weekday, np.array([monthly]))


def absences(found: DayRota, person: int, lane: int = 0) -> list[tuple[int, int, int]]:
    """Absences of one person in one lane as (part, release, fixed end), in order of time."""
    parts = found.absences
    mine = np.flatnonzero((parts.stream == person) & (parts.lane == lane))
    rows = [(int(parts.part[row]), int(parts.release[row]), int(parts.fixed_end[row])) for row in mine]
    return sorted(rows, key=lambda row: row[1:])


def test_people_are_numbered_by_role_then_place() -> None:
    """Nurses stand before GPs; a world with fewer people leaves the last of each role away."""
    layout, practices = worlds(
        {"practice.team.gp.heads": 2, "practice.team.nurse.heads": 1},
        {"practice.team.gp.heads": 1, "practice.team.nurse.heads": 2},
        {"practice.team.gp.heads": 3, "practice.team.nurse.heads": 0},
    )
    assert layout.roles == ("nurse", "gp")
    assert layout.person_role.tolist() == [0, 0, 1, 1, 1]
    assert layout.gps.tolist() == [2, 3, 4]
    found = day_rota(layout, practices, MONDAY, NO_MEETING)
    present = (found.free < NEVER).T
    assert present.tolist() == [
        [True, False, True, True, False],
        [True, True, True, False, False],
        [False, False, True, True, True],
    ]
    for lane, here in enumerate(present):
        for person in range(5):
            assert bool(absences(found, person, lane)) == here[person]
            assert (found.close[person, lane] > 0) == here[person]
            places = found.places.exists[layout.diary_person == person, :, lane]
            assert places.any() == here[person]


def test_a_gp_day_by_hand() -> None:
    """Break, huddle, lunch and going home are absences; the afternoon sessions touch, so nothing lies between."""
    layout, found = rota()
    gp = int(layout.gps[0])
    assert found.free[gp, 0] == at("08:00")
    assert found.close[gp, 0] == at("19:00")
    assert absences(found, gp) == [
        (Part.REST, at("10:00"), at("10:10")),
        (Part.MEETING, at("11:38"), at("11:48")),
        (Part.OFF, at("12:00"), at("13:00")),
        (Part.OFF, at("20:00"), END_OF_DAY),
    ]
    assert found.desk_session[gp, :, 0].tolist() == [False, True, False, False]
    assert (found.absences.list == 0).all()
    assert not found.absences.service.any()


def test_the_monthly_meeting_cuts_lunch() -> None:
    """A meeting in the lunch break comes first; the break begins after it."""
    layout, found = rota(THURSDAY, monthly=True)
    assert absences(found, int(layout.gps[0]))[2:4] == [
        (Part.MEETING, at("12:00"), at("12:45")),
        (Part.OFF, at("12:45"), at("13:00")),
    ]


def test_a_meeting_that_fills_lunch_leaves_no_break() -> None:
    layout, found = rota(THURSDAY, monthly=True, meeting__monthly=60.0)
    assert [row[0] for row in absences(found, int(layout.gps[0]))] == [
        Part.REST,
        Part.MEETING,
        Part.MEETING,
        Part.OFF,
    ]


def test_without_minutes_nobody_meets() -> None:
    found = rota(THURSDAY, monthly=True, meeting__monthly=0.0, meeting__huddle=0.0)[1]
    assert Part.MEETING not in found.absences.part


def test_nobody_goes_home_before_the_meeting_ends() -> None:
    """A late meeting keeps everybody present; the nurse of the morning does not go before it."""
    found, nurse = rota(THURSDAY, monthly=True, meeting__monthly=90.0)[1], 0
    assert absences(found, nurse)[-1] == (Part.OFF, at("13:30"), END_OF_DAY)
    assert absences(rota(THURSDAY)[1], nurse)[-1] == (Part.OFF, at("12:00"), END_OF_DAY)


@pytest.mark.parametrize(
    ("fte", "pattern", "weekday", "sessions"),
    [
        (0.5, "mornings", MONDAY, [("08:00", "11:48")]),
        (0.5, "mornings", FRIDAY, [("08:00", "11:48")]),
        (1.0, "mornings", MONDAY, [("08:00", "12:00"), ("13:00", "16:36")]),
        (0.5, "full_days", MONDAY, [("08:00", "12:00"), ("13:00", "16:36")]),
        (0.5, "full_days", 2, [("08:00", "11:48")]),
        (0.5, "full_days", THURSDAY, []),
        (0.2, "full_days", MONDAY, [("08:00", "12:00"), ("13:00", "16:36")]),
        (0.2, "full_days", 1, []),
        (1.0, "full_days", FRIDAY, [("08:00", "12:00"), ("13:00", "16:36")]),
    ],
)
def test_a_contract_becomes_sessions(
    fte: float, pattern: str, weekday: int, sessions: list[tuple[str, str]]
) -> None:
    """38 hours a week at full time: a morning every day, or full days of 7.6 hours until the hours are used."""
    change = {"practice.team.nurse.fte": fte, "practice.team.nurse.pattern": pattern}
    layout, practices = worlds(change)
    found = day_rota(layout, practices, weekday, NO_MEETING)
    rows = found.session[0, :, :, 0]
    here = rows[rows[:, 0] < NEVER]
    assert here.tolist() == [[at(begin), at(end)] for begin, end in sessions]
    assert (found.free[0, 0] < NEVER) == bool(sessions)


def test_places_stand_in_sessions_with_places() -> None:
    """28 places of 15 minutes on a day of four and three hours; none at the desk; held ones are not ordinary."""
    layout, found = rota(book__held_share=0.25)
    diary = int(np.flatnonzero(layout.diary_person == layout.gps[0])[0])
    starts = found.places.start[diary, :, 0]
    by_hand = [at("08:00") + k * 15 * MINUTE for k in range(16)]
    by_hand += [at("16:00") + k * 15 * MINUTE for k in range(12)]
    assert starts[starts < NEVER].tolist() == by_hand
    held = found.places.held[diary, :, 0]
    assert held.sum() == 7
    assert found.ordinary[diary, 0] == 21
    ordinary = [start for start, kept in zip(by_hand, held, strict=False) if not kept]
    assert found.ordinary_start[diary, :21, 0].tolist() == ordinary
    assert (found.ordinary_start[diary, 21:, 0] == NEVER).all()


def test_planned_reviews_stand_at_the_end_of_the_nurse_day() -> None:
    """Two diaries share her places: the last 40 % are for planned reviews, none is in both."""
    layout, found = rota(
        practice__team__nurse__programme_share=0.4,
        practice__team__nurse__slot_minutes=15.0,
        book__held_share=0.5,
    )
    planned, other = 0, 1
    assert layout.diary_planned[:2].tolist() == [True, False]
    starts = [found.places.start[diary, :, 0] for diary in (other, planned)]
    by_hand = [at("08:00") + k * 15 * MINUTE for k in range(15)]
    assert starts[0][starts[0] < NEVER].tolist() == by_hand[:9]
    assert starts[1][starts[1] < NEVER].tolist() == by_hand[9:]
    assert not found.places.held[:2].any()


def test_a_shortened_session_keeps_its_places() -> None:
    """The last session ends earlier and its places are narrower; the others are as before."""
    change = {"practice__slot_policy": "shorten_session", "practice__slot_policy_minutes": 36.0}
    layout, found = rota(**change)
    gp = int(layout.gps[0])
    diary = int(np.flatnonzero(layout.diary_person == gp)[0])
    assert found.close[gp, 0] == at("18:24")
    starts = found.places.start[diary, :, 0]
    starts = starts[starts < NEVER]
    assert len(starts) == 28
    assert starts[16:].tolist() == [at("16:00") + k * 12 * MINUTE for k in range(12)]


def test_in_session_by_hand() -> None:
    """Anybody of those named is in a session; the end of a session is outside."""
    layout, found = rota()
    nurse, gp = np.array([0]), layout.gps
    ticks = np.array([at(text) for text in ("07:59", "08:00", "11:47", "11:48", "12:30", "16:00", "19:00")])
    lane = np.zeros(len(ticks), np.int64)
    assert in_session(found, nurse, lane, ticks).tolist() == [False, True, True, False, False, False, False]
    assert in_session(found, gp, lane, ticks).tolist() == [False, True, True, True, False, True, False]
    both = np.concatenate((nurse, gp))
    assert in_session(found, both, lane, ticks).tolist() == [False, True, True, True, False, True, False]
    assert not in_session(found, np.zeros(0, np.int64), lane, ticks).any()


@pytest.mark.parametrize(
    ("urgent", "opened"),
    [
        (False, "08:00 08:00 11:59 16:00 16:00 16:00 16:00 18:59 19:00 21:00"),
        (True, "08:00 08:00 11:59 13:00 13:00 14:00 16:00 18:59 19:00 21:00"),
    ],
)
def test_next_opening_by_hand(urgent: bool, opened: str) -> None:
    """Inside a session with places the tick itself, before one its start; after the last, the tick.

    Urgent patients are seen in any session.
    """
    layout, found = rota()
    asked = ["07:00", "08:00", "11:59", "12:00", "12:30", "14:00", "16:00", "18:59", "19:00", "21:00"]
    lane = np.zeros(len(asked), np.int64)
    ticks = np.array([at(text) for text in asked])
    opening = next_opening(found, layout.gps[0] + lane, lane, ticks, np.full(len(asked), urgent))
    assert opening.tolist() == [at(text) for text in opened.split()]


def test_lanes_follow_their_world() -> None:
    """Lanes of one block may have different practices; each has the pattern of its own."""
    change = {"practice.team.gp.sessions": ("09:00-12:00 places",), "practice.team.nurse.heads": 0}
    layout, tables = worlds({}, change)
    both = day_rota(layout, for_lanes(tables, np.array([1, 0, 0, 1])), MONDAY, NO_MEETING)
    for lane, world in enumerate([1, 0, 0, 1]):
        alone = day_rota(layout, for_lanes(tables, np.array([world])), MONDAY, NO_MEETING)
        for person in range(len(layout.person_role)):
            assert absences(both, person, lane) == absences(alone, person)
        assert np.array_equal(both.free[:, lane], alone.free[:, 0])
        assert np.array_equal(both.ordinary[:, lane], alone.ordinary[:, 0])
        assert np.array_equal(both.session[..., lane], alone.session[..., 0])
