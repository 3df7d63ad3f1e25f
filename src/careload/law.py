"""Who may do what on the date of the study, and what practice and protocol ask beyond it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from careload.faults import Fault, near

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
    staff = [role for role in practice.get("staff") or () if isinstance(role, str)]
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
    if delegate is None and (protocol.get("acts") or protocol.get("visits")):
        faults.append(Fault(f"{where}.delegate_role", None, "a role that takes the tasks named", "nurse"))
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
