"""When people are there and which places their diaries have: the week of one world as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from careload.inputs.feasible import MOST_PLACES, MOST_RESTS, MOST_SESSIONS
from careload.inputs.study import Study
from careload.patients.tables import clock_ticks, minutes_ticks
from careload.practice.places import spread_held
from careload.practice.tables import Layout, Rota
from careload.ticks import MINUTE, NEVER

__all__ = ["heads", "timetable"]

_DAYS: Final = 5


def heads(study: Study, role: str) -> int:
    """Persons of a role in the practice."""
    key = f"practice.team.{role}.heads"
    return int(study.value(key)) if study.has(key) else 0


def timetable(study: Study, layout: Layout) -> Rota:
    """Presence of everybody and places of every diary in one world, with a first axis of length one."""
    n_people, n_diaries = len(layout.person_role), len(layout.diary_person)
    session = np.full((1, n_people, _DAYS, MOST_SESSIONS, 2), NEVER)
    desk = np.zeros((1, n_people, _DAYS, MOST_SESSIONS), np.bool_)
    rest = np.full((1, n_people, MOST_RESTS, 2), NEVER)
    leaves = np.full((1, n_people), NEVER)
    pace = np.full((1, n_people), 1024)
    place = np.full((1, n_diaries, _DAYS, MOST_PLACES), NEVER)
    held = np.zeros((1, n_diaries, _DAYS, MOST_PLACES), np.bool_)
    slot = np.full((1, n_diaries), MINUTE)
    cap = clock_ticks(study.value("gp.last_start_cap"))
    for person in range(n_people):
        role = layout.roles[layout.person_role[person]]
        rank = person - int(np.searchsorted(layout.person_role, layout.person_role[person]))
        if rank >= heads(study, role):
            continue
        days = _sessions(study, role, rank)
        pace[0, person] = int(study.value(f"role.{role}.pace"))
        for weekday, sessions in enumerate(days):
            for k, (begin, end, word) in enumerate(sessions):
                session[0, person, weekday, k] = minutes_ticks(begin), minutes_ticks(end)
                desk[0, person, weekday, k] = word == "desk"
        last = max((end for sessions in days for _, end, _ in sessions), default=0.0)
        leaves[0, person] = _leaves(study, role, last)
        if study.has(f"practice.team.{role}.rests"):
            for k, (begin, end, _) in enumerate(
                _spans(study.value(f"practice.team.{role}.rests"))[:MOST_RESTS]
            ):
                rest[0, person, k] = minutes_ticks(begin), minutes_ticks(end)
        for diary in np.flatnonzero(layout.diary_person == person):
            if study.has(key := f"practice.team.{role}.slot_minutes"):
                slot[0, diary] = minutes_ticks(study.value(key))
            for weekday, sessions in enumerate(days):
                starts, hold = _places(study, role, bool(layout.diary_planned[diary]), sessions)
                place[0, diary, weekday, : len(starts)] = starts
                held[0, diary, weekday, : len(starts)] = hold
    return Rota(
        session=session,
        desk_session=desk,
        rest=rest,
        leaves_at=leaves,
        cap=np.array([cap]),
        pace=pace,
        huddle=_meeting(study, "meeting.huddle"),
        monthly=_meeting(study, "meeting.monthly"),
        monthly_weekday=np.array([round(study.value("meeting.monthly_weekday")) - 1]),
        monthly_weeks=np.array([round(study.value("meeting.monthly_every_weeks"))]),
        place=place,
        held=held,
        slot=slot,
        home_round=np.array([clock_ticks(study.value("gp.home_round_start"))]),
        rooms=np.array([heads(study, "gp") + round(float(study.value("practice.extra_rooms")))]),
        seats=np.array([round(float(study.value("practice.waiting_room_seats")))]),
    )


def _spans(texts: Sequence[str]) -> list[tuple[float, float, str]]:
    """Minutes and the word that follows of texts like `08:00-12:00 places`."""
    spans = []
    for text in texts:
        span, _, word = text.partition(" ")
        begin, end = span.split("-")
        spans.append((clock_ticks(begin) / MINUTE, clock_ticks(end) / MINUTE, word))
    return spans


def _staff_sessions(study: Study, role: str) -> list[list[tuple[float, float, str]]]:
    """Sessions of each weekday of a member of staff, from her contract: mornings every day, or full days."""
    full_week = 60.0 * float(study.value("contract.week_hours"))
    full_day = full_week / _DAYS
    week = float(study.value(f"practice.team.{role}.fte")) * full_week
    if study.value(f"practice.team.{role}.pattern") == "mornings":
        minutes = [week / _DAYS] * _DAYS
    else:
        minutes = [min(full_day, max(0.0, week - day * full_day)) for day in range(_DAYS)]
    starts = clock_ticks(study.value("contract.day_start")) / MINUTE
    (lunch, lunch_ends, _), *_ = _spans([study.value("contract.lunch")])
    before_lunch = lunch - starts
    days = []
    for length in minutes:
        sessions = [(starts, starts + min(length, before_lunch), "places")] if length >= 1 else []
        if length > before_lunch:
            sessions.append((lunch_ends, lunch_ends + length - before_lunch, "places"))
        days.append(sessions)
    return days


def _sessions(study: Study, role: str, rank: int) -> list[list[tuple[float, float, str]]]:
    """Sessions on the five weekdays of the person of a rank in her role, after the slot policy."""
    if not study.has(f"practice.team.{role}.sessions"):
        return _staff_sessions(study, role)
    spans = _spans(study.value(f"practice.team.{role}.sessions"))
    policy, minutes = _slot_policy(study)
    begin, end, word = spans[-1]
    middle = max(begin, end - minutes)
    if policy == "shorten_session":
        spans[-1] = (begin, middle, word)
    elif policy == "desk_block" and minutes > 0:
        spans[-1:] = [(begin, middle, word), (middle, end, "desk")]
    off = study.value(f"practice.team.{role}.days_off")
    day_off = int(off[rank]) if rank < len(off) else 0
    return [[] if weekday + 1 == day_off else spans for weekday in range(_DAYS)]


def _slot_policy(study: Study) -> tuple[str, float]:
    """What shorter contacts become, and the minutes of the GP's last session that this concerns."""
    return str(study.value("practice.slot_policy")), float(study.value("practice.slot_policy_minutes"))


def _leaves(study: Study, role: str, last: float) -> int:
    """Tick of going home."""
    if study.has(f"practice.team.{role}.leaves_at"):
        return clock_ticks(study.value(f"practice.team.{role}.leaves_at"))
    return minutes_ticks(last + float(study.value(f"practice.team.{role}.leaves_after_minutes")))


def _places(
    study: Study, role: str, planned: bool, sessions: Sequence[tuple[float, float, str]]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Starts of the places of a diary on one weekday, and which are held.

    A shortened session keeps its places and makes them shorter; with more places the last session takes those of a
    longer one. A delegate's planned reviews stand at the end of her day, the other places before them.
    """
    if not study.has(key := f"practice.team.{role}.slot_minutes"):
        return np.zeros(0, np.int64), np.zeros(0, np.bool_)
    length = float(study.value(key))
    policy, minutes = _slot_policy(study)
    squeezed = minutes if role == "gp" and policy in ("shorten_session", "more_places") else 0.0
    starts: list[float] = []
    with_places = [(begin, end) for begin, end, word in sessions if word == "places"]
    for k, (begin, end) in enumerate(with_places):
        full = end + (squeezed if k == len(with_places) - 1 else 0.0)
        number = int((full - begin) // length)
        width = length * (end - begin) / (full - begin) if full > begin else length
        starts += [begin + i * width for i in range(number)]
    if role != "gp":
        kept = round(float(study.value(f"practice.team.{role}.programme_share")) * len(starts))
        starts = starts[len(starts) - kept :] if planned else starts[: len(starts) - kept]
    ticks = np.array([minutes_ticks(start) for start in starts], dtype=np.int64)[:MOST_PLACES]
    share = float(study.value("book.held_share")) if role == "gp" else 0.0
    return ticks, spread_held(len(ticks), round(share * len(ticks)))


def _meeting(study: Study, key: str) -> NDArray[np.int64]:
    start = clock_ticks(study.value(f"{key}_start"))
    return np.array([[start, start + minutes_ticks(study.value(key))]])
