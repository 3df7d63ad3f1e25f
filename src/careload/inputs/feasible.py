"""What no table could hold: values that are well formed one by one and yet leave nothing to simulate.

These checks need no more than the values of a world; all that the model divides by, counts into or looks up
is made sure of here, so that a run never ends on an error of arithmetic.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from careload.inputs.check import session_parts, span_minutes
from careload.inputs.faults import Fault, Faults
from careload.inputs.law import CALLS
from careload.inputs.vocabulary import find_file

__all__ = [
    "MOST_ACTS",
    "MOST_PLACES",
    "MOST_RESTS",
    "MOST_SESSIONS",
    "WEEK_DAYS",
    "feasibility_faults",
    "shared_faults",
    "table_faults",
]

MOST_SESSIONS: Final = 4
"""Sessions of a person on a day."""

MOST_RESTS: Final = 2
"""Breaks of a person on a day."""

MOST_PLACES: Final = 96
"""Places of a diary on a day."""

MOST_ACTS: Final = 62
"""Acts that a contact may carry, as bits of one number."""

WEEKS: Final = 52
WEEK_DAYS: Final = 5
YEARS_AROUND: Final = 2
"""Years before and after the window from which warm-up and tail take their open days."""

_URGENT: Final = "urgent"

_PATIENTS_SIDE: Final = (
    "calendar.leave_weeks",
    "calendar.tail_days",
    "calendar.warm_up_days",
    "care.",
    "care_seeking.factor_ceiling",
    "book.days_for_continuity",
    "book.continuity_factor_older_or_chronic",
    "book.follow_up_tolerance",
    "condition.",
    "demand.",
    "patient.",
    "population.",
    "practice.list_size",
    "practice.opening",
    "reference.",
    "run.",
    "urgency.",
)
_PATIENTS_TASK_FIELDS: Final = (
    "age_rates",
    "age_weights",
    "children",
    "cv",
    "frail_ratio",
    "interval_days",
    "rate",
    "set_by_practice_share",
    "travel_minutes",
    "urgent_share",
    "window_weeks",
)


def feasibility_faults(
    values: Mapping[str, Any],
    tasks: Mapping[str, Mapping[str, Any]],
    protocol: Mapping[str, Any],
    folders: Sequence[Path],
) -> list[Fault]:
    """Faults between values; a check whose keys are at fault themselves is left out.

    Parameters
    ----------
    values : mapping
        Dotted key to value, for the quantities without fault.
    tasks : mapping
        Name to tree.
    protocol : mapping
        Tree of the protocol.
    folders : sequence of Path
        Search path.
    """
    faults = [
        *_calendar(values),
        *_windows(values),
        *_people([values]),
        *_sessions(values),
        *_slot_policy(values),
        *_opening(values),
    ]
    faults += [
        *_places(values),
        *_weights(values),
        *_acts(values, tasks),
        *_walk_ins(values, tasks),
        *_task_kinds(tasks),
        *_roles(protocol),
    ]
    return faults + table_faults(values, folders)


def table_faults(values: Mapping[str, Any], folders: Sequence[Path]) -> list[Fault]:
    """Faults of the population table, every one of them."""
    name = values.get("population.table")
    if name is None:
        return []
    path = find_file(folders, name)
    if path is None:
        remedy = "a path from here, from a configuration folder, or from the root"
        return [Fault("population.table.value", name, "an existing file", remedy)]
    from careload.patients.pyramid import read_pyramid

    try:
        read_pyramid(path, values.get("population.nis_code"))
    except Faults as error:
        return list(error.faults)
    return []


def shared_faults(worlds: Sequence[tuple[str, Mapping[str, Any]]]) -> list[Fault]:
    """Faults of worlds that do not share their patients, or whose people cannot be numbered together.

    Parameters
    ----------
    worlds : sequence of (str, mapping)
        Name, and dotted key to value; the baseline first.
    """
    if not worlds:
        return []
    (baseline, first), *others = worlds
    alone = [fault for _, values in worlds for fault in _people([values])]
    together = [] if alone else _people([values for _, values in worlds])
    return together + [
        Fault(
            key,
            value,
            f"the value of {baseline} ({first[key]}) in {name} too, as worlds are compared on the same patients",
            "to set it for all worlds alike",
        )
        for name, values in others
        for key, value in values.items()
        if key in first and first[key] != value and _is_patients(key)
    ]


def _is_patients(key: str) -> bool:
    """Whether a key belongs to the patients' side, which all worlds share."""
    if key.startswith("task."):
        return key.split(".")[2] in _PATIENTS_TASK_FIELDS
    return key.startswith(_PATIENTS_SIDE)


def _calendar(values: Mapping[str, Any]) -> Iterator[Fault]:
    """A window with an open day, and open days enough around it."""
    years, closed = values.get("run.years"), set(values.get("calendar.leave_weeks") or ())
    if years is None or "calendar.leave_weeks" not in values or len(closed) >= WEEKS:
        return
    window = max(1, round(WEEKS * years))
    if all(week % WEEKS + 1 in closed for week in range(window)):
        expectation = f"a window with an open week; all its {window} weeks are in calendar.leave_weeks"
        yield Fault("run.years.value", years, expectation, "more years or other calendar.leave_weeks")
    around = YEARS_AROUND * (WEEKS - len(closed)) * WEEK_DAYS
    for key in ("calendar.warm_up_days", "calendar.tail_days"):
        if values.get(key, 0) > around:
            expectation = f"no more open days than {YEARS_AROUND} years have ({around})"
            yield Fault(f"{key}.value", values[key], expectation, "fewer days or fewer calendar.leave_weeks")


def _windows(values: Mapping[str, Any]) -> Iterator[Fault]:
    """An open week in the weeks of every act that has its season."""
    closed = set(values.get("calendar.leave_weeks") or ())
    for key, window in values.items():
        if key.endswith(".window_weeks") and closed.issuperset(range(int(window[0]), int(window[1]) + 1)):
            expectation = "weeks of which one at least is not in calendar.leave_weeks"
            yield Fault(f"{key}.value", list(window), expectation, "other weeks")


def _people(worlds: Sequence[Mapping[str, Any]]) -> list[Fault]:
    """No more people than the day holds, with as many of each role as the world with most of them has.

    With at most two diaries each they have no more diaries than a book holds.
    """
    from careload.day.schedule import MAX_PEOPLE

    most: dict[str, int] = {}
    for values in worlds:
        for key in values:
            if key.startswith("practice.team.") and key.endswith(".heads"):
                most[key] = max(most.get(key, 0), int(values[key]))
    people = sum(most.values())
    if people <= MAX_PEOPLE:
        return []
    expectation, remedy = f"at most {MAX_PEOPLE} people together", "fewer heads"
    if len(worlds) > 1:
        expectation += ", with as many of each role as any of the worlds has"
        remedy += ", or worlds with the same roles"
    return [Fault(" + ".join(sorted(key for key in most if most[key])), people, expectation, remedy)]


def _sessions(values: Mapping[str, Any]) -> Iterator[Fault]:
    """No more sessions and rests than a day holds."""
    for name, most in (("sessions", MOST_SESSIONS), ("rests", MOST_RESTS)):
        key = f"practice.team.gp.{name}"
        if key in values and len(_listed(values[key])) > most:
            expectation = f"at most {most} {name} a day"
            yield Fault(f"{key}.value", list(_listed(values[key])), expectation, "to join some of them")


def _slot_policy(values: Mapping[str, Any]) -> Iterator[Fault]:
    """A last session that the slot policy can change, where it changes it."""
    sessions, cut = values.get("practice.team.gp.sessions"), values.get("practice.slot_policy_minutes")
    policy = values.get("practice.slot_policy")
    if policy in (None, "unchanged") or not sessions or cut is None:
        return
    first, last, use = session_parts(sessions[-1])
    if policy == "desk_block" and len(sessions) == MOST_SESSIONS:
        expectation = f"fewer than {MOST_SESSIONS} sessions, as practice.slot_policy makes two of the last"
        yield Fault("practice.team.gp.sessions.value", list(sessions), expectation, "slot_policy=unchanged")
    elif use != "places":
        expectation = "a last session with places, as practice.slot_policy changes it"
        yield Fault("practice.team.gp.sessions.value", list(sessions), expectation, "slot_policy=unchanged")
    elif cut >= last - first:
        key = "practice.slot_policy_minutes.value"
        yield Fault(key, cut, f"less than the last session, {last - first} minutes", "fewer minutes")


def _opening(values: Mapping[str, Any]) -> Iterator[Fault]:
    """One share of the calls for every hour of opening."""
    opening, profile = values.get("practice.opening"), values.get("demand.call_minute_profile")
    if opening is None or profile is None:
        return
    opens, closes = span_minutes(_listed(opening)[0])
    if closes - opens != 60 * len(profile):
        expectation = f"{len(profile)} hours, one for each share of demand.call_minute_profile"
        remedy = "other hours, or a demand.call_minute_profile with one share for each hour"
        yield Fault("practice.opening.value", _listed(opening)[0], expectation, remedy)


def _places(values: Mapping[str, Any]) -> Iterator[Fault]:
    """No more places than a diary holds."""
    for key, slot in values.items():
        team, _, name = key.rpartition(".")
        if name != "slot_minutes" or not slot:
            continue
        number = sum(math.floor(length / slot) for length in _session_minutes(values, team))
        if number > MOST_PLACES:
            expectation = f"at most {MOST_PLACES} places a day, not {number}"
            yield Fault(f"{key}.value", slot, expectation, "longer places or shorter sessions")


def _session_minutes(values: Mapping[str, Any], team: str) -> list[float]:
    """Lengths of the sessions with places on the longest day of a role."""
    sessions, fte = values.get(f"{team}.sessions"), values.get(f"{team}.fte")
    if sessions is not None:
        spans = map(session_parts, sessions)
        return [last - first for first, last, use in spans if use == "places"]
    day = 60 * values.get("contract.week_hours", 0) / WEEK_DAYS
    return [day if values.get(f"{team}.pattern") == "full_days" else day * (fte or 0)]


def _weights(values: Mapping[str, Any]) -> Iterator[Fault]:
    """Weights of which one at least is above 0."""
    for key, weights in values.items():
        weighs = key == "demand.weekday_weight" or (key.startswith("task.") and key.endswith(".age_weights"))
        if weighs and not any(weights):
            yield Fault(f"{key}.value", list(weights), "a weight above 0", "1 where it may happen")


def _acts(values: Mapping[str, Any], tasks: Mapping[str, Mapping[str, Any]]) -> Iterator[Fault]:
    """No more acts than contacts to carry them, where their parents do not bring them.

    A rate at fault itself is no number, and no comparison with it holds.
    """
    kinds = {name: task.get("kind") for name, task in tasks.items()}
    rates = {name: float(values.get(f"task.{name}.rate", math.nan)) for name in tasks}
    visits = {name: rates[name] for name in tasks if kinds[name] == "visit"}
    carrying = math.fsum(
        rate for name, rate in visits.items() if tasks[name].get("channel") == "office" and name != _URGENT
    )
    for name, task in tasks.items():
        if kinds[name] != "act" or task.get("children_only") is True:
            continue
        brought = math.fsum(
            rate * values.get(f"task.{visit}.children.{name}", 0) for visit, rate in visits.items()
        )
        if (rates[name] - brought) * _season(values, name) > carrying:
            most = math.floor(brought + carrying / _season(values, name))
            expectation = (
                f"no more than its parents and other office contacts carry, {most} per 1,000 and year"
            )
            yield Fault(
                f"task.{name}.rate.value",
                values[f"task.{name}.rate"],
                expectation,
                "a lower rate, or more parents",
            )


def _walk_ins(values: Mapping[str, Any], tasks: Mapping[str, Mapping[str, Any]]) -> Iterator[Fault]:
    """No more unbooked visits than patients ask for."""
    office = [
        name for name, task in tasks.items() if (task.get("kind"), task.get("channel")) == ("visit", "office")
    ]
    rates = [float(values.get(f"task.{name}.rate", math.nan)) for name in office]
    own = [
        rate * (1 - float(values.get(f"task.{name}.set_by_practice_share", math.nan)))
        for name, rate in zip(office, rates, strict=True)
    ]
    share, asked, held = values.get("care.share_unbooked"), math.fsum(own), math.fsum(rates)
    if share is not None and asked > 0 and share * held > asked:
        expectation = f"no more than {asked / held:.3g}, the share of office visits that patients ask for"
        yield Fault("care.share_unbooked.value", share, expectation, "a smaller share")


def _season(values: Mapping[str, Any], name: str) -> float:
    """How many times more often an act is done in its season than over the year."""
    closed = set(values.get("calendar.leave_weeks") or ())
    first, last = values.get(f"task.{name}.window_weeks") or (1, WEEKS)
    inside = set(range(int(first), int(last) + 1)) - closed
    return (WEEKS - len(closed)) / len(inside) if inside else 1.0


def _task_kinds(tasks: Mapping[str, Mapping[str, Any]]) -> Iterator[Fault]:
    """Kinds and channels that the day can place."""
    acts = [name for name, task in tasks.items() if task.get("kind") == "act"]
    if len(acts) > MOST_ACTS:
        yield Fault("task", f"{len(acts)} acts", f"at most {MOST_ACTS} tasks of kind act", "to join some")
    for name, task in tasks.items():
        if task.get("kind") == "visit" and task.get("channel") == "none":
            expectation = "office, home or phone, as it is a visit"
            yield Fault(f"task.{name}.channel", "none", expectation, "office")
        if not name.isidentifier():
            yield Fault("task", name, "a name of letters, digits and _", "to rename the file")
    kind = tasks.get(CALLS, {}).get("kind")
    if kind != "desk":
        yield Fault(f"task.{CALLS}.kind", kind, "desk, as calls are answered without the patient", "desk")


def _roles(protocol: Mapping[str, Any]) -> Iterator[Fault]:
    """A GP who is responsible."""
    where = f"protocol.{protocol.get('name')}"
    if protocol.get("responsible_role") not in ("gp", None):
        given = protocol["responsible_role"]
        yield Fault(f"{where}.responsible_role", given, "gp, who has the final responsibility", "gp")


def _listed(value: Any) -> Sequence[Any]:
    """The value itself if it is a list, else a list of it."""
    return value if isinstance(value, tuple) else (value,)
