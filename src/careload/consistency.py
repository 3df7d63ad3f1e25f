"""What must fit together across keys: sources, sums, hours, law, protocol, team."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from careload.check import clock_minutes, session_parts, span_minutes
from careload.faults import Fault, near
from careload.quantity import Quantity
from careload.vocabulary import CONDITIONS, Vocabulary, find_file

__all__ = ["PERSON_GROUPS", "SCOPE_STATUSES", "consistency_faults", "permitted", "source_form_faults"]

PERSON_GROUPS: Final = ("frail", "nursing_home", "multimorbid")
"""Words that stand for a group of persons in place of conditions."""

SCOPE_STATUSES: Final = ("verified", "derived")
"""Legal scope that may be used; what is recalled or assumed waits for a legal check."""

_SUM_SLACK: Final = 1e-6
_PROFILE_SLACK: Final = 0.02


def consistency_faults(
    quantities: Mapping[str, Quantity],
    tree: Mapping[str, Any],
    choices: Mapping[str, Mapping[str, Any]],
    vocabulary: Vocabulary,
    folders: Sequence[Path],
) -> list[Fault]:
    """Return the faults between keys; a check whose keys are at fault themselves is left out."""
    values = {key: quantity.value for key, quantity in quantities.items()}
    faults = _source_faults(quantities, tree, vocabulary)
    for check in (_share_sums, _orders, _lengths, _hours):
        faults += check(values)
    faults += _table_fault(values, folders)
    faults += _task_faults(tree["task"])
    faults += _team_faults(values, tree, choices["practice"])
    faults += _protocol_faults(tree, choices["protocol"], choices["practice"], values)
    return faults


def permitted(scope: Any, tasks: Iterable[str], as_of: str) -> frozenset[str]:
    """Tasks a role may perform on a date: allowed, with usable status, in force.

    Parameters
    ----------
    scope : mapping
        Task (or `all`) to allowed, status, from, source, text.
    tasks : iterable of str
    as_of : str
        ISO date.
    """
    if not isinstance(scope, Mapping):
        return frozenset()

    def allowed(name: str) -> bool:
        entry = scope.get(name, scope.get("all"))
        return (
            isinstance(entry, Mapping)
            and entry.get("allowed") is True
            and entry.get("status") in SCOPE_STATUSES
            and str(entry.get("from")) <= as_of
        )

    return frozenset(name for name in tasks if allowed(name))


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


def _source_faults(
    quantities: Mapping[str, Quantity], tree: Mapping[str, Any], vocabulary: Vocabulary
) -> list[Fault]:
    """Sources that sources.yaml does not hold."""
    named = [(f"{key}.source", source) for key, quantity in quantities.items() for source in quantity.sources]
    for role, content in tree["role"].items():
        scope = content.get("scope")
        for task, entry in scope.items() if isinstance(scope, Mapping) else ():
            if isinstance(entry, Mapping) and isinstance(entry.get("source"), str):
                named.append((f"role.{role}.scope.{task}.source", entry["source"]))
    return [
        Fault(
            where,
            source,
            "a key of sources.yaml",
            near(source, vocabulary.sources, "to add it to sources.yaml"),
        )
        for where, source in named
        if source not in vocabulary.sources
    ]


def _share_sums(values: Mapping[str, Any]) -> list[Fault]:
    """Shares that must sum to one, or to no more."""
    faults = []
    for key, slack in (
        ("first_contact.accuracy.gp", _SUM_SLACK),
        ("demand.call_minute_profile", _PROFILE_SLACK),
    ):
        if key in values and abs(sum(values[key]) - 1) > slack:
            faults.append(Fault(f"{key}.value", list(values[key]), "shares that sum to 1", "to scale them"))
    pairs = (
        ("book.no_place.retry", "book.no_place.leave"),
        ("first_contact.closed_share.gp", "first_contact.elsewhere_share.gp"),
    )
    for first, second in pairs:
        if first in values and second in values and values[first] + values[second] > 1 + _SUM_SLACK:
            total = values[first] + values[second]
            faults.append(Fault(f"{first} + {second}", total, "no more than 1", "a smaller share"))
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
    if any(later[0] < earlier[1] for earlier, later in zip(sessions, sessions[1:], strict=False)):
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


def _table_fault(values: Mapping[str, Any], folders: Sequence[Path]) -> list[Fault]:
    """Fault of a population table that does not exist."""
    name = values.get("population.table")
    if name is None or find_file(folders, name) is not None:
        return []
    return [
        Fault(
            "population.table.value",
            name,
            "an existing file",
            "a path relative to a configuration folder, or absolute",
        )
    ]


def _task_faults(tasks: Mapping[str, Mapping[str, Any]]) -> list[Fault]:
    """Children, conditions and intervals of tasks."""
    faults: list[Fault] = []
    brought: set[str] = set()
    may_follow = {name for name, task in tasks.items() if task.get("kind") in ("act", "desk")}
    for name, task in tasks.items():
        children = task.get("children")
        for child in children if isinstance(children, Mapping) else ():
            brought.add(child)
            if child not in may_follow:
                remedy = near(child, may_follow, "a task of kind act or desk")
                faults.append(Fault(f"task.{name}.children.{child}", child, "an act or desk task", remedy))
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


def _team_faults(
    values: Mapping[str, Any], tree: Mapping[str, Any], practice: Mapping[str, Any]
) -> list[Fault]:
    """Staff that is unknown, a practice without GP, tasks that nobody may do."""
    staff = practice.get("staff")
    if not isinstance(staff, list):
        return []
    where = f"practice.{practice.get('name')}.staff"
    faults = []
    for role in staff:
        if role not in tree["role"]:
            faults.append(
                Fault(where, role, "a role of role/", near(str(role), tree["role"], ", ".join(tree["role"])))
            )
        elif f"practice.team.{role}.heads" not in values:
            faults.append(
                Fault(
                    where, role, f"quantities practice.team.{role} for it", "a role that has them: gp, nurse"
                )
            )
    if "gp" not in staff:
        faults.append(Fault(where, staff, "a GP, who has the final responsibility", "[gp]"))
    as_of = str(values.get("calendar.as_of", "9999-12-31"))
    may = [permitted(tree["role"].get(role, {}).get("scope"), tree["task"], as_of) for role in staff]
    anybody = frozenset().union(*may)
    listed = ", ".join(map(str, staff))
    for task in tree["task"]:
        if task not in anybody:
            faults.append(
                Fault(
                    f"task.{task}",
                    listed,
                    f"somebody in the practice who may do it on {as_of}",
                    f"to allow it in the scope of one of {listed}",
                )
            )
    orders: dict[Any, str] = {}
    for role in staff:
        order = tree["role"].get(role, {}).get("order")
        if order in orders:
            faults.append(
                Fault(f"role.{role}.order", order, f"another number than {orders[order]}", "a free number")
            )
        orders[order] = role
    return faults


def _protocol_faults(
    tree: Mapping[str, Any],
    protocol: Mapping[str, Any],
    practice: Mapping[str, Any],
    values: Mapping[str, Any],
) -> list[Fault]:
    """Names that the protocol gets wrong, and delegated tasks without minutes; what law forbids is no fault."""
    where = f"protocol.{protocol.get('name')}"
    tasks, roles = tree["task"], tree["role"]
    faults = []
    for key, kind in (("acts", "act"), ("visits", "visit")):
        listed = protocol.get(key)
        known = [name for name, task in tasks.items() if task.get("kind") == kind]
        for name in listed if isinstance(listed, list) else ():
            if name not in known:
                faults.append(
                    Fault(
                        f"{where}.{key}",
                        name,
                        f"a task of kind {kind}",
                        near(str(name), known, "a name in task/"),
                    )
                )
    visits, stable = protocol.get("visits"), protocol.get("requires_stable")
    if isinstance(visits, list) and isinstance(stable, list):
        faults += [
            Fault(
                f"{where}.requires_stable",
                name,
                "a visit of this protocol",
                near(str(name), visits, "to add it to visits"),
            )
            for name in stable
            if name not in visits
        ]
    for key in ("delegate_role", "responsible_role"):
        role = protocol.get(key)
        if role not in roles and not (role is None and key == "delegate_role"):
            faults.append(
                Fault(f"{where}.{key}", role, "a role of role/", near(str(role), roles, ", ".join(roles)))
            )
    delegate = protocol.get("delegate_role")
    if delegate is not None and delegate == protocol.get("responsible_role"):
        faults.append(
            Fault(f"{where}.delegate_role", delegate, "another role than the responsible one", "nurse")
        )
    return faults + _minutes_faults(tree, protocol, practice, values)


def _minutes_faults(
    tree: Mapping[str, Any],
    protocol: Mapping[str, Any],
    practice: Mapping[str, Any],
    values: Mapping[str, Any],
) -> list[Fault]:
    """Delegated tasks for which the delegate's minutes are missing."""
    delegate, staff = protocol.get("delegate_role"), practice.get("staff")
    if delegate not in tree["role"] or not isinstance(staff, list) or delegate not in staff:
        return []
    names = [name for key in ("acts", "visits") for name in (protocol.get(key) or []) if name in tree["task"]]
    may = permitted(
        tree["role"][delegate].get("scope"), names, str(values.get("calendar.as_of", "9999-12-31"))
    )
    return [
        Fault(
            f"task.{name}.minutes.{delegate}",
            None,
            f"the minutes of the {delegate}",
            f"to add minutes.{delegate} or drop it from the protocol",
        )
        for name in names
        if name in may
        and f"task.{name}.minutes.{delegate}" not in values
        and isinstance(tree["task"][name].get("minutes"), Mapping)
        and delegate not in tree["task"][name]["minutes"]
    ]
