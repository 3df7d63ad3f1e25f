"""The practice's side of a study as arrays: people, presence, places, durations and rules of one world."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from careload.inputs.study import Study
from careload.patients.tables import minutes_ticks, task_names
from careload.practice.tables import (
    BookRules,
    DelegationRules,
    DeskRules,
    FirstContactRules,
    Layout,
    Practices,
    WeeklyRules,
)
from careload.practice.timetable import heads, timetable
from careload.quantiles import Law, unit_table

__all__ = ["make_layout", "most_heads", "world_table"]

_DAYS: Final = 5
_NO_SHOW_DAYS: Final = 120


def most_heads(studies: Sequence[Study]) -> Counter[str]:
    """People of each role that any of the worlds has, as many as the world with most of them."""
    most: Counter[str] = Counter()
    for study in studies:
        most |= Counter({role: heads(study, role) for role in study.staff})
    return most


def make_layout(studies: Sequence[Study]) -> Layout:
    """Number the people, diaries and tasks that any of the worlds has; what no world has takes no number.

    A role without `slot_minutes` keeps no diary.
    """
    first = studies[0]
    most = most_heads(studies)
    roles = sorted(most, key=lambda role: (first.roles[role].order, role))
    person_role = np.repeat(np.arange(len(roles)), [most[role] for role in roles])
    gp = roles.index("gp")
    diary_person, planned = [], []
    for person, role in enumerate(person_role.tolist()):
        if not any(study.has(f"practice.team.{roles[role]}.slot_minutes") for study in studies):
            continue
        for is_planned in (False,) if role == gp else (True, False):
            diary_person.append(person)
            planned.append(is_planned)
    names = task_names(first)
    spreads = sorted({float(first.value(f"task.{name}.cv")) for name in names})
    laws = [unit_table(Law.LOGNORMAL if cv > 0 else Law.CONSTANT, cv) for cv in spreads]
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
        units=np.stack(laws).astype(np.int32),
        law=np.array([spreads.index(float(first.value(f"task.{name}.cv"))) for name in names]),
    )


def _numbers(study: Study, names: tuple[str, ...], kind: str) -> NDArray[np.int64]:
    return np.array([place for place, name in enumerate(names) if study.tasks[name].kind == kind])


def world_table(study: Study, layout: Layout) -> Practices:
    """All tables of one world, with a first axis of length one."""
    return Practices(
        heads=np.array([[heads(study, role) for role in layout.roles]]),
        mean_ticks=_mean_ticks(study, layout)[None],
        rota=timetable(study, layout),
        book=_book_rules(study),
        first_contact=_first_contact_rules(study, layout),
        desk=_desk_rules(study, layout),
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


def _first_contact_rules(study: Study, layout: Layout) -> FirstContactRules:
    chosen = study.first_contact
    present = chosen.answered_by in layout.roles and heads(study, chosen.answered_by) > 0
    role = layout.roles.index(chosen.answered_by) if present else layout.gp
    names = ("gp", chosen.name if present else "gp")
    misjudged = [_misjudged(study, name) for name in names]
    call = layout.tasks.index("call_handling")
    bare = _mean_ticks(study, layout)[call]
    asking = bare.copy()
    for name, answering in zip(names, (layout.gp, role), strict=True):
        key = f"first_contact.{name}.minutes"
        if study.has(key):
            recovery = study.value("call.recovery_minutes") if answering == layout.gp else 0
            asking[answering] = minutes_ticks(study.value(key)) + minutes_ticks(recovery)
    return FirstContactRules(
        role=np.array([role]),
        at_desk=np.array([role != layout.gp and layout.roles[role] not in _clinical_roles(study)]),
        closed=np.array([[float(study.value(f"first_contact.{name}.closed_share")) for name in names]]),
        elsewhere=np.array([[float(study.value(f"first_contact.{name}.elsewhere_share")) for name in names]]),
        under=np.array([[under for under, _ in misjudged]]),
        over=np.array([[over for _, over in misjudged]]),
        recontact=_one(study.value("call.recontact_share")),
        recontact_days=_whole(study.value("call.recontact_days")),
        bare_ticks=bare[None],
        asking_ticks=asking[None],
    )


def _misjudged(study: Study, name: str) -> tuple[float, float]:
    """Shares judged too low and too high; training takes its gain from both in equal parts."""
    gain = float(study.value(f"first_contact.{name}.training_gain")) / 2
    shares = (study.value(f"first_contact.{name}.{way}_share") for way in ("under", "over"))
    under, over = (max(0.0, float(share) - gain) for share in shares)
    return under, over


def _clinical_roles(study: Study) -> set[str]:
    """Roles with patients of their own: the GP, and those that may take acts or visits."""
    acts = {
        role
        for role in study.protocol.delegate_roles
        for act in study.protocol.acts
        if _may_take(study, role, act)
    }
    return {"gp", *acts, *study.protocol.visits.values()}


def _desk_rules(study: Study, layout: Layout) -> DeskRules:
    role = np.full((1, len(layout.tasks)), -1)
    share = np.zeros((1, len(layout.tasks)))
    for task, name in study.protocol.desk.items():
        if heads(study, name) == 0:
            continue
        row = layout.tasks.index(task)
        role[0, row] = layout.roles.index(name)
        share[0, row] = float(study.value(f"task.{task}.delegable_share"))
    return DeskRules(role=role, share=share)


def _delegation_rules(study: Study, layout: Layout) -> DelegationRules:
    value, protocol = study.value, study.protocol
    acts = [layout.tasks[task] for task in layout.act_tasks]
    visits = [layout.tasks[task] for task in layout.visit_tasks]
    may_act = np.zeros((1, len(layout.roles), len(acts)), np.bool_)
    needs_doctor = np.zeros_like(may_act)
    for number, role in enumerate(layout.roles):
        if role == "gp" or heads(study, role) == 0:
            continue
        for column, act in enumerate(acts):
            may_act[0, number, column] = _may_take(study, role, act)
            needs_doctor[0, number, column] = _needs_doctor(study, role, act)
    there = {name: role for name, role in protocol.visits.items() if heads(study, role) > 0}
    to = [layout.roles.index(there[name]) if name in there else -1 for name in visits]
    over = "shared_record" if value("practice.shared_record") else "separate_records"
    return DelegationRules(
        may_act=may_act,
        needs_doctor=needs_doctor,
        visit_role=np.array([to]),
        needs_stable=np.array([[name in protocol.requires_stable for name in visits]]),
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


def _may_take(study: Study, role: str, act: str) -> bool:
    """Whether protocol and law give an act to a role that has minutes for it."""
    protocol = study.protocol
    given = act in protocol.acts and role in protocol.delegate_roles
    return given and act in study.roles[role].permitted and study.task_minutes(act, role) is not None


def _needs_doctor(study: Study, role: str, act: str) -> bool:
    """Whether the law asks for a doctor in the building while the role does the act."""
    scope = study.roles[role].scope.get(act)
    return scope is not None and scope.doctor_on_site


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
        seeking_memory_weeks=_whole(value("care_seeking.memory_weeks")),
        seeking_least=_one(value("care_seeking.factor_floor")),
        seeking_most=_one(value("care_seeking.factor_ceiling")),
    )
