"""What must fit together across keys: sources, sums, hours, tasks, law."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from careload.inputs.check import clock_minutes, session_parts, span_minutes
from careload.inputs.faults import Fault, near
from careload.inputs.feasible import WEEK_DAYS, feasibility_faults
from careload.inputs.law import first_contact_faults, protocol_faults, team_faults
from careload.inputs.quantity import Quantity
from careload.inputs.vocabulary import CONDITIONS, Vocabulary

__all__ = ["PERSON_GROUPS", "consistency_faults", "source_form_faults"]

PERSON_GROUPS: Final = ("frail", "nursing_home", "multimorbid")
"""Words that stand for a group of persons in place of conditions."""

_SUM_SLACK: Final = 1e-6
_PROFILE_SLACK: Final = 0.02


def consistency_faults(
    quantities: Mapping[str, Quantity],
    tree: Mapping[str, Any],
    spare: Mapping[str, Any],
    choices: Mapping[str, Mapping[str, Any]],
    vocabulary: Vocabulary,
    folders: Sequence[Path],
) -> list[Fault]:
    """Return the faults between keys; a check whose keys are at fault themselves is left out.

    `spare` are the teams of roles that the practice does not have; only their sources are checked here.
    """
    values = {key: quantity.value for key, quantity in quantities.items()}
    faults = _source_faults({**tree, "practice.team": spare}, vocabulary.sources)
    for check in (_share_sums, _orders, _lengths, _hours, _contracts):
        faults += check(values)
    faults += _task_faults(tree["task"])
    faults += feasibility_faults(values, tree["task"], choices["protocol"], folders)
    faults += team_faults(values, tree, choices["practice"])
    faults += protocol_faults(tree, choices["protocol"], choices["practice"], values)
    faults += first_contact_faults(tree, choices["first_contact"], choices["practice"], values)
    return faults


def source_form_faults(vocabulary: Vocabulary) -> list[Fault]:
    """Faults of the entries of sources.yaml."""
    faults = []
    for key, entry in vocabulary.sources.items():
        good = (
            isinstance(entry, Mapping)
            and set(entry) == {"title", "url", "year", "note"}
            and isinstance(entry["title"], str)
            and (entry["url"] is None or isinstance(entry["url"], str))
            and isinstance(entry["year"], int | str)
            and isinstance(entry["note"], str)
        )
        if not good:
            faults.append(
                Fault(f"sources.{key}", entry, "title, url (or null), year and note", "all four fields")
            )
    return faults


def _source_faults(tree: Mapping[str, Any], sources: Mapping[str, Any]) -> list[Fault]:
    """Sources of quantities and scopes that sources.yaml does not hold."""
    return [
        Fault(
            f"{path}.source" if path else "source",
            key,
            "a key of sources.yaml",
            near(key, sources, "to add it to sources.yaml"),
        )
        for path, key in _named_sources(tree)
        if key not in sources
    ]


_named: Final[dict[int, tuple[Any, list[tuple[str, str]]]]] = {}
"""Sources named below a part, by part, which is held: the points of a sweep share most of their parts."""

_MOST_NAMED: Final = 20_000


def _named_sources(node: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Path of every entry below a part that names sources, and each of them."""
    if id(node) in _named:
        return _named[id(node)][1]
    found: list[tuple[str, str]] = []
    for name, below in node.items():
        if isinstance(below, Mapping):
            found += [(f"{name}.{path}" if path else str(name), key) for path, key in _named_sources(below)]
        elif name == "source":
            keys = below if isinstance(below, list | tuple) else [below]
            found += [("", key) for key in keys if isinstance(key, str) and key]
    if len(_named) >= _MOST_NAMED:
        _named.clear()
    _named[id(node)] = node, found
    return found


def _share_sums(values: Mapping[str, Any]) -> list[Fault]:
    """Shares that must sum to one, or to no more."""
    faults = []
    key = "demand.call_minute_profile"
    if key in values and abs(sum(values[key]) - 1) > _PROFILE_SLACK:
        faults.append(Fault(f"{key}.value", list(values[key]), "shares that sum to 1", "to scale them"))
    pairs = [("book.no_place.retry", "book.no_place.leave")]
    for name in sorted({key.split(".")[1] for key in values if key.startswith("first_contact.")}):
        here = f"first_contact.{name}"
        pairs.append((f"{here}.closed_share", f"{here}.elsewhere_share"))
        pairs.append((f"{here}.under_share", f"{here}.over_share"))
    for first, second in pairs:
        if first in values and second in values and values[first] + values[second] > 1 + _SUM_SLACK:
            total = values[first] + values[second]
            faults.append(Fault(f"{first} + {second}", total, "no more than 1", "a smaller share"))
    return faults


def _contracts(values: Mapping[str, Any]) -> list[Fault]:
    """A day of the staff that starts before lunch and ends before midnight; no more days off than GPs."""
    faults = []
    if {"contract.week_hours", "contract.day_start", "contract.lunch"} <= set(values):
        start = clock_minutes(values["contract.day_start"])
        lunch = values["contract.lunch"]
        first, last = span_minutes(lunch[0] if isinstance(lunch, tuple) else lunch)
        day = 60 * values["contract.week_hours"] / WEEK_DAYS
        if start >= first:
            faults.append(
                Fault(
                    "contract.day_start.value",
                    values["contract.day_start"],
                    "a time before contract.lunch",
                    "an earlier time",
                )
            )
        elif last + day - (first - start) > clock_minutes("24:00"):
            faults.append(
                Fault(
                    "contract.week_hours.value",
                    values["contract.week_hours"],
                    f"a {WEEK_DAYS}th of it to end before midnight",
                    "fewer hours",
                )
            )
    heads, days = values.get("practice.team.gp.heads"), values.get("practice.team.gp.days_off")
    if heads is not None and days is not None and len(days) > heads:
        expectation = f"no more entries than GPs ({heads})"
        faults.append(Fault("practice.team.gp.days_off.value", list(days), expectation, "one for each GP"))
    return faults


def _orders(values: Mapping[str, Any]) -> list[Fault]:
    """Pairs of keys of which the first may not exceed the second."""
    pairs = (
        ("book.punctuality.earliest", "book.punctuality.latest"),
        ("trust.floor", "trust.start"),
        ("trust.start", "trust.ceiling"),
        ("condition.correlation.any_pair", "condition.correlation.cardiometabolic"),
    )
    return [
        Fault(
            first,
            values[first],
            f"no more than {second} ({values[second]:g})",
            f"another {first} or {second}",
        )
        for first, second in pairs
        if first in values and second in values and values[first] > values[second]
    ]


def _lengths(values: Mapping[str, Any]) -> list[Fault]:
    """Lists that belong together, and lists in order."""
    faults = []
    days, shares = values.get("book.no_show_lead_days"), values.get("book.no_show_by_lead")
    if days is not None and shares is not None and len(shares) != len(days) + 1:
        wanted = f"one share more than classes of lead time ({len(days) + 1})"
        faults.append(Fault("book.no_show_by_lead.value", list(shares), wanted, "one share for each class"))
    if days is not None and list(days) != sorted(set(days)):
        faults.append(Fault("book.no_show_lead_days.value", list(days), "rising days", "to sort them"))
    weeks = values.get("calendar.leave_weeks")
    if weeks is not None and len(set(weeks)) != len(weeks):
        faults.append(
            Fault("calendar.leave_weeks.value", list(weeks), "every week once", "to drop the doubled one")
        )
    if weeks is not None and len(set(weeks)) > 50:
        faults.append(
            Fault("calendar.leave_weeks.value", list(weeks), "at least two open weeks", "fewer weeks")
        )
    for key, window in values.items():
        if key.endswith(".window_weeks") and window[0] > window[1]:
            faults.append(
                Fault(f"{key}.value", list(window), "the first week before the last", "to swap them")
            )
    return faults


def _hours(values: Mapping[str, Any]) -> list[Fault]:
    """Sessions in order, inside the opening hours; rests inside sessions; leaving after the last session."""
    key = "practice.team.gp.sessions"
    if key not in values or "practice.opening" not in values:
        return []
    sessions = [session_parts(text)[:2] for text in values[key]]
    faults = []
    if any(later[0] < earlier[1] for earlier, later in pairwise(sessions)):
        faults.append(
            Fault(
                f"{key}.value", list(values[key]), "sessions one after the other", "to sort or shorten them"
            )
        )
    opening = values["practice.opening"]
    opens, closes = span_minutes(opening[0] if isinstance(opening, tuple) else opening)
    if sessions[0][0] < opens or max(end for _, end in sessions) > closes:
        faults.append(
            Fault(
                f"{key}.value",
                list(values[key]),
                f"sessions inside {opening}",
                "other sessions or practice.opening",
            )
        )
    rests = values.get("practice.team.gp.rests", ())
    for rest in rests if isinstance(rests, tuple) else (rests,):
        start, end = span_minutes(rest)
        if not any(first <= start and end <= last for first, last in sessions):
            faults.append(
                Fault("practice.team.gp.rests.value", rest, "a rest inside one session", "times of a session")
            )
    last_end = max(end for _, end in sessions)
    for name in ("practice.team.gp.leaves_at", "gp.last_start_cap"):
        if name in values and clock_minutes(values[name]) < last_end:
            faults.append(
                Fault(f"{name}.value", values[name], "a time after the last session", "a later time")
            )
    return faults


def _task_faults(tasks: Mapping[str, Mapping[str, Any]]) -> list[Fault]:
    """Children, conditions and intervals of tasks."""
    faults: list[Fault] = []
    brought: set[str] = set()
    desk = {name for name, task in tasks.items() if task.get("kind") == "desk"}
    acts = {name for name, task in tasks.items() if task.get("kind") == "act"}
    for name, task in tasks.items():
        children, may_follow = task.get("children"), desk if name in acts else desk | acts
        for child in children if isinstance(children, Mapping) else ():
            brought.add(child)
            if child not in may_follow:
                faults.append(_child_fault(name, child, may_follow, child in acts))
        faults += _condition_faults(name, task.get("condition"))
        if (task.get("arrival") == "due") != ("interval_days" in task) and task.get("kind") == "visit":
            expected = "interval_days if, and only if, arrival is due"
            faults.append(
                Fault(f"task.{name}.arrival", task.get("arrival"), expected, "to add or remove interval_days")
            )
        if task.get("arrival") == "due" and task.get("condition") is None:
            faults.append(Fault(f"task.{name}.condition", None, "the persons who are due", "[diabetes]"))
    for name, task in tasks.items():
        if task.get("children_only") is True and name not in brought:
            faults.append(
                Fault(f"task.{name}.children_only", True, "a parent that brings it", "children_only: false")
            )
    return faults


def _child_fault(name: str, child: str, may_follow: Set[str], is_act: bool) -> Fault:
    """Fault of a child that a task cannot bring; `is_act` if only visits could."""
    expectation = "desk work, as acts bring no acts" if is_act else "an act or desk task"
    remedy = (
        f"{child} as a child of the visits that bring {name}"
        if is_act
        else near(child, may_follow, "a task of kind act or desk")
    )
    return Fault(f"task.{name}.children.{child}", child, expectation, remedy)


def _condition_faults(name: str, condition: Any) -> list[Fault]:
    """Fault of a condition that nobody can have."""
    known = (*CONDITIONS, *PERSON_GROUPS)
    words = condition if isinstance(condition, list) else [] if condition is None else [condition]
    allowed = CONDITIONS if isinstance(condition, list) else PERSON_GROUPS
    return [
        Fault(
            f"task.{name}.condition",
            word,
            "one of " + ", ".join(allowed),
            near(str(word), known, ", ".join(known)),
        )
        for word in words
        if word not in allowed
    ]
