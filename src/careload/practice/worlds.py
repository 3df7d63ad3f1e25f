"""The practice's side of a study as arrays: people, presence, places, durations and rules of one world."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from careload.inputs.feasible import MOST_PLACES, MOST_RESTS, MOST_SESSIONS
from careload.inputs.study import Study
from careload.patients.tables import clock_ticks, minutes_ticks, task_names
from careload.practice.places import spread_held
from careload.practice.tables import (
    BookRules,
    DelegationRules,
    FirstContactRules,
    Layout,
    Practices,
    Rota,
    WeeklyRules,
)
from careload.quantiles import Law, unit_table
from careload.ticks import MINUTE, NEVER

__all__ = ["make_layout", "world_table"]

_DAYS: Final = 5
_NO_SHOW_DAYS: Final = 120


def make_layout(studies: Sequence[Study]) -> Layout:
    """Number the people, diaries and tasks that any of the worlds has; what no world has takes no number."""
    first = studies[0]
    roles = sorted(
        {role for study in studies for role in study.staff if _heads(study, role) > 0},
        key=lambda role: (first.roles[role].order, role),
    )
    heads = [max(_heads(study, role) for study in studies) for role in roles]
    person_role = np.repeat(np.arange(len(roles)), heads)
    gp = roles.index("gp")
    diary_person, planned = [], []
    for person, role in enumerate(person_role.tolist()):
        for is_planned in (False,) if role == gp else (True, False):
            diary_person.append(person)
            planned.append(is_planned)
    names = task_names(first)
    spreads = sorted({float(first.value(f"task.{name}.cv")) for name in names})
    return Layout(
        roles=tuple(roles),
        gp=gp,
        person_role=person_role,
        diary_person=np.array(diary_person),
        diary_planned=np.array(planned),
        tasks=names,
        groups=tuple(first.tasks[name].group for name in names),
        act_tasks=_numbers(first, names, "act"),
        visit_tasks=_numbers(first, names, "visit"),
        units=np.stack([unit_table(Law.LOGNORMAL if cv > 0 else Law.CONSTANT, cv) for cv in spreads]),
        law=np.array([spreads.index(float(first.value(f"task.{name}.cv"))) for name in names]),
    )


def _heads(study: Study, role: str) -> int:
    key = f"practice.team.{role}.heads"
    return int(study.value(key)) if study.has(key) else 0


def _numbers(study: Study, names: tuple[str, ...], kind: str) -> NDArray[np.int64]:
    return np.array([place for place, name in enumerate(names) if study.tasks[name].kind == kind])


def world_table(study: Study, layout: Layout) -> Practices:
    """All tables of one world, with a first axis of length one."""
    return Practices(
        heads=np.array([[_heads(study, role) for role in layout.roles]]),
        mean_ticks=_mean_ticks(study, layout)[None],
        rota=_rota(study, layout),
        book=_book_rules(study),
        first_contact=_first_contact_rules(study),
        delegation=_delegation_rules(study, layout),
        weekly=_weekly_rules(study),
    )


def _mean_ticks(study: Study, layout: Layout) -> NDArray[np.int64]:
    """Mean duration of every task by role in ticks, 0 where there is none; shape (T, R)."""
    mean = np.zeros((len(layout.tasks), len(layout.roles)), np.int64)
    for row, name in enumerate(layout.tasks):
        for column, role in enumerate(layout.roles):
            minutes = study.task_minutes(name, role)
            if minutes is not None:
                mean[row, column] = minutes_ticks(minutes)
    call = layout.tasks.index("call_handling")
    mean[call, layout.gp] += minutes_ticks(study.value("call.recovery_minutes"))
    return mean


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


def _rota(study: Study, layout: Layout) -> Rota:
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
        if rank >= _heads(study, role):
            continue
        days = _sessions(study, role)
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
        place=place,
        held=held,
        slot=slot,
        home_round=np.array([clock_ticks(study.value("gp.home_round_start"))]),
        rooms=_whole(_heads(study, "gp") + study.value("practice.extra_rooms")),
        seats=_whole(study.value("practice.waiting_room_seats")),
    )


def _sessions(study: Study, role: str) -> list[list[tuple[float, float, str]]]:
    """Sessions of a role on the five weekdays, after the slot policy."""
    if not study.has(f"practice.team.{role}.sessions"):
        return _staff_sessions(study, role)
    spans = _spans(study.value(f"practice.team.{role}.sessions"))
    if study.value("practice.slot_policy") == "shorten_session":
        begin, end, word = spans[-1]
        spans[-1] = (begin, max(begin, end - float(study.value("practice.session_shortening_minutes"))), word)
    return [spans] * _DAYS


def _leaves(study: Study, role: str, last: float) -> int:
    """Tick of going home."""
    if study.has(f"practice.team.{role}.leaves_at"):
        return clock_ticks(study.value(f"practice.team.{role}.leaves_at"))
    return minutes_ticks(last + float(study.value(f"practice.team.{role}.leaves_after_minutes")))


def _places(
    study: Study, role: str, planned: bool, sessions: Sequence[tuple[float, float, str]]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Starts of the places of a diary on one weekday, and which are held.

    A shortened session keeps its places and makes them shorter. A delegate's planned reviews stand at the end of
    her day, the other places before them.
    """
    if not study.has(key := f"practice.team.{role}.slot_minutes"):
        return np.zeros(0, np.int64), np.zeros(0, np.bool_)
    length = float(study.value(key))
    cut = 0.0
    if study.value("practice.slot_policy") == "shorten_session" and role == "gp":
        cut = float(study.value("practice.session_shortening_minutes"))
    starts: list[float] = []
    with_places = [(begin, end) for begin, end, word in sessions if word == "places"]
    for k, (begin, end) in enumerate(with_places):
        full = end + (cut if k == len(with_places) - 1 else 0.0)
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


def _one(value: Any) -> NDArray[np.float64]:
    return np.array([float(value)])


def _whole(value: Any) -> NDArray[np.int64]:
    return np.array([round(float(value))])


def _ticks(minutes: Any) -> NDArray[np.int64]:
    return np.array([minutes_ticks(float(minutes))])


def _book_rules(study: Study) -> BookRules:
    value = study.value
    shares = np.array(value("book.no_show_by_lead"))
    last_days = np.array(value("book.no_show_lead_days"))
    by_day = shares[np.searchsorted(last_days, np.arange(_NO_SHOW_DAYS))]
    early, late = value("book.punctuality.earliest"), value("book.punctuality.latest")
    return BookRules(
        horizon_days=_whole(value("book.horizon_days")),
        retry=_one(value("book.no_place.retry")),
        leave=_one(value("book.no_place.leave")),
        most_tries=_whole(value("book.retry_max")),
        carry_days=_whole(value("book.carry_days")),
        fit_in=_whole(value("book.fit_in")),
        no_show=by_day[None],
        no_show_rebooks=_one(value("book.no_show_rebooks")),
        no_show_after_days=_whole(value("book.no_show_rebook_days")),
        punctuality=np.array([[minutes_ticks(early), minutes_ticks(late)]]),
        travel=_ticks(value("book.travel_after_call")),
    )


def _first_contact_rules(study: Study) -> FirstContactRules:
    value = study.value
    return FirstContactRules(
        closed=_one(value("first_contact.gp.closed_share")),
        elsewhere=_one(value("first_contact.gp.elsewhere_share")),
        recontact=_one(value("call.recontact_share")),
        recontact_days=_whole(value("call.recontact_days")),
        under=_one(value("first_contact.gp.under_share")),
        over=_one(value("first_contact.gp.over_share")),
    )


def _delegation_rules(study: Study, layout: Layout) -> DelegationRules:
    value = study.value
    taken = {**study.protocol.acts, **study.protocol.visits}
    role = next(iter(taken.values()), None)
    present = role in layout.roles and _heads(study, str(role)) > 0
    acts = [layout.tasks[task] for task in layout.act_tasks]
    visits = [layout.tasks[task] for task in layout.visit_tasks]
    allowed = {task for task, taker in taken.items() if present and taker == role}
    over = "shared_record" if value("practice.shared_record") else "separate_records"
    return DelegationRules(
        delegate=np.array([layout.roles.index(str(role)) if present else -1]),
        may_act=np.array([[name in allowed for name in acts]]),
        may_visit=np.array([[name in allowed for name in visits]]),
        needs_stable=np.array([[name in study.protocol.requires_stable for name in visits]]),
        stable_share=_one(value("delegation.stable_share")),
        review_every=_whole(value("delegation.review_every_n")),
        red_flag=_one(value("delegation.red_flag_share")),
        overflow=_ticks(value("delegation.overflow_minutes")),
        absent_booked=_one(value("delegation.nurse_absent")),
        supervision_act=_ticks(value("delegation.supervision_minutes.act")),
        supervision_contact=_ticks(value("delegation.supervision_minutes.contact")),
        hand_back_act=_one(value("delegation.hand_back.act")),
        hand_back_contact=_one(value("delegation.hand_back.contact")),
        hand_back_extra=_ticks(value("delegation.hand_back_minutes")),
        hand_over=_ticks(value(f"delegation.hand_over_minutes.{over}")),
        extra_follow_up=_one(value("delegation.extra_follow_up")),
        extra_follow_up_days=_whole(value("delegation.extra_follow_up_days")),
    )


def _weekly_rules(study: Study) -> WeeklyRules:
    value = study.value
    trust, seeking = bool(value("trust.active")), bool(value("care_seeking.active"))
    return WeeklyRules(
        trust_start=_one(value("trust.start")),
        trust_gain=_one(value("trust.gain_per_good_episode") if trust else 0.0),
        trust_loss=_one(value("trust.loss_per_hand_back") if trust else 0.0),
        trust_least=_one(value("trust.floor") if trust else 0.0),
        trust_most=_one(value("trust.ceiling") if trust else 1.0),
        seeking_elasticity=_one(value("care_seeking.elasticity") if seeking else 0.0),
        seeking_reference_days=_one(value("care_seeking.reference_days")),
        seeking_least=_one(value("care_seeking.factor_floor")),
        seeking_most=_one(value("care_seeking.factor_ceiling")),
    )
