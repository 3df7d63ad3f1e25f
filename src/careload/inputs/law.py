"""Who may do what on the date of the study, and what practice and protocol ask beyond it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any, Final

from careload.inputs.check import words
from careload.inputs.faults import Fault, near

__all__ = ["SCOPE_STATUSES", "permitted", "protocol_faults", "team_faults"]

SCOPE_STATUSES: Final = ("verified", "derived")
"""Legal scope that may be used; what is recalled or assumed waits for a legal check."""


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


def team_faults(
    values: Mapping[str, Any], tree: Mapping[str, Any], practice: Mapping[str, Any]
) -> list[Fault]:
    """Return staff that is unknown, a practice without GP, tasks that nobody may do."""
    staff = words(practice.get("staff"))
    where = f"practice.{practice.get('name')}.staff"
    faults = []
    for role in staff:
        if role not in tree["role"]:
            faults.append(
                Fault(where, role, "a role of role/", near(role, tree["role"], ", ".join(tree["role"])))
            )
        elif f"practice.team.{role}.heads" not in values:
            expectation = f"quantities practice.team.{role} for it"
            faults.append(Fault(where, role, expectation, "a role that has them: gp, nurse"))
    if "gp" not in staff:
        faults.append(Fault(where, staff, "a GP, who has the final responsibility", "[gp]"))
    known = [role for role in staff if role in tree["role"]]
    listed = ", ".join(known)
    as_of = _as_of(values)
    anybody: set[str] = set()
    for role in known:
        anybody |= permitted(tree["role"][role].get("scope"), tree["task"], as_of)
    expectation = f"somebody in the practice who may do it on {as_of}"
    remedy = f"to allow it in the scope of one of {listed}"
    faults += [
        Fault(f"task.{task}", listed, expectation, remedy) for task in tree["task"] if task not in anybody
    ]
    orders = {role: tree["role"][role].get("order") for role in known}
    for role, other in pairwise(sorted(known, key=lambda role: str(orders[role]))):
        if orders[role] == orders[other]:
            faults.append(
                Fault(f"role.{other}.order", orders[other], f"another number than {role}", "a free number")
            )
    return faults


def protocol_faults(
    tree: Mapping[str, Any],
    protocol: Mapping[str, Any],
    practice: Mapping[str, Any],
    values: Mapping[str, Any],
) -> list[Fault]:
    """Return names that the protocol gets wrong and delegated tasks without minutes.

    What the law forbids is no fault: it is refused and listed.
    """
    where = f"protocol.{protocol.get('name')}"
    tasks, roles = tree["task"], tree["role"]
    faults = []
    for key, kind in (("acts", "act"), ("visits", "visit")):
        known = [name for name, task in tasks.items() if task.get("kind") == kind]
        for name in words(protocol.get(key)):
            if name not in known:
                remedy = near(name, known, "a name in task/")
                faults.append(Fault(f"{where}.{key}", name, f"a task of kind {kind}", remedy))
    visits = words(protocol.get("visits"))
    for name in words(protocol.get("requires_stable")):
        if name not in visits:
            remedy = near(name, visits, "to add it to visits")
            faults.append(Fault(f"{where}.requires_stable", name, "a visit of this protocol", remedy))
    for key in ("delegate_role", "responsible_role"):
        role = protocol.get(key)
        if str(role) not in roles and not (role is None and key == "delegate_role"):
            remedy = near(str(role), roles, ", ".join(roles))
            faults.append(Fault(f"{where}.{key}", role, "a role of role/", remedy))
    delegate = protocol.get("delegate_role")
    if delegate is None and (words(protocol.get("acts")) or visits):
        faults.append(Fault(f"{where}.delegate_role", None, "a role that takes the tasks named", "nurse"))
    if delegate is not None and delegate == protocol.get("responsible_role"):
        expectation = "another role than the responsible one"
        faults.append(Fault(f"{where}.delegate_role", delegate, expectation, "nurse"))
    return faults + _minutes_faults(tree, protocol, practice, values)


def _minutes_faults(
    tree: Mapping[str, Any],
    protocol: Mapping[str, Any],
    practice: Mapping[str, Any],
    values: Mapping[str, Any],
) -> list[Fault]:
    """Delegated tasks for which the delegate's minutes are missing."""
    delegate = str(protocol.get("delegate_role"))
    if delegate not in tree["role"] or delegate not in words(practice.get("staff")):
        return []
    names = [name for key in ("acts", "visits") for name in words(protocol.get(key)) if name in tree["task"]]
    may = permitted(tree["role"][delegate].get("scope"), names, _as_of(values))
    faults = []
    for name in names:
        minutes = tree["task"][name].get("minutes")
        if name in may and isinstance(minutes, Mapping) and delegate not in minutes:
            remedy = f"to add minutes.{delegate} or drop the task from the protocol"
            faults.append(
                Fault(f"task.{name}.minutes.{delegate}", None, f"the minutes of the {delegate}", remedy)
            )
    return faults


def _as_of(values: Mapping[str, Any]) -> str:
    """Date of the study; far in the future where it is at fault itself."""
    return str(values.get("calendar.as_of", "9999-12-31"))
