"""Who may do what on the date of the study, and what practice and protocol ask beyond it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from careload.inputs.check import ANY, words
from careload.inputs.faults import Fault, near

__all__ = [
    "CALLS",
    "DELEGATES",
    "LISTS",
    "SCOPE_STATUSES",
    "Sharing",
    "first_contact_faults",
    "permitted",
    "protocol_faults",
    "share",
    "team_faults",
]

SCOPE_STATUSES: Final = ("verified", "derived")
"""Legal scope that may be used; what is recalled or assumed waits for a legal check."""

LISTS: Final[Mapping[str, tuple[str, ...]]] = {
    "acts": ("act",),
    "visits": ("visit",),
    "desk": ("desk", "org"),
}
"""Lists of a protocol, and the kinds of tasks that each may name."""

DELEGATES: Final = "delegate_roles"
"""Key of a protocol: the roles that may take tasks."""

CALLS: Final = "call_handling"
"""Task of answering the telephone; first contact decides who does it, no protocol."""


@dataclass(frozen=True)
class Sharing:
    """Who takes what from the GP.

    Attributes
    ----------
    delegates : tuple of str
        Roles that may take tasks, by role order, in the practice or not.
    acts, visits, desk : mapping of str to str
        Task to the role that takes it.
    refused : tuple of (str, str)
        Role and task, for tasks that nobody takes because the law forbids it.
    """

    delegates: tuple[str, ...]
    acts: Mapping[str, str]
    visits: Mapping[str, str]
    desk: Mapping[str, str]
    refused: tuple[tuple[str, str], ...]


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


def share(tree: Mapping[str, Any], protocol: Mapping[str, Any], staff: Sequence[str], as_of: str) -> Sharing:
    """Give each task of a protocol to the least qualified delegate whom law, practice and minutes allow it.

    Parameters
    ----------
    tree : mapping
        Trees of the tasks and roles, by name, under `task` and `role`.
    protocol : mapping
        Tree of the protocol.
    staff : sequence of str
        Roles in the practice.
    as_of : str
        ISO date.
    """
    tasks, roles = tree["task"], tree["role"]
    delegates = _delegates(protocol, roles, staff)
    may = {role: permitted(roles[role].get("scope"), tasks, as_of) for role in delegates}
    taken: dict[str, dict[str, str]] = {}
    refused: list[tuple[str, str]] = []
    here = [role for role in delegates if role in staff]
    for key in LISTS:
        taken[key] = {}
        for task in _asked(protocol, key, tasks):
            takers = [role for role in here if task in may[role] and _has_minutes(tree, task, role)]
            if takers:
                taken[key][task] = takers[0]
            elif protocol.get(key) != ANY and protocol.get(DELEGATES) != ANY:
                refused += [(role, task) for role in here or delegates if task not in may[role]]
    return Sharing(delegates, taken["acts"], taken["visits"], taken["desk"], tuple(sorted(refused)))


def _delegates(
    protocol: Mapping[str, Any], roles: Mapping[str, Any], staff: Sequence[str]
) -> tuple[str, ...]:
    """Known roles that a protocol names, or all of the practice but the responsible one, by role order."""
    given = protocol.get(DELEGATES)
    names = list(staff) if given == ANY else words(given)
    known = [name for name in names if name in roles and name != protocol.get("responsible_role")]
    return tuple(sorted(known, key=lambda role: (_order(roles[role]), role)))


def _order(role: Mapping[str, Any]) -> int:
    """Place in the role order; a faulty one is told elsewhere."""
    order = role.get("order")
    return order if isinstance(order, int) else 0


def _asked(protocol: Mapping[str, Any], key: str, tasks: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Tasks of one list of a protocol, in order of their names; `any` stands for all that can be shared."""
    of_kind = {name for name, task in tasks.items() if task.get("kind") in LISTS[key] and name != CALLS}
    if protocol.get(key) != ANY:
        return sorted(of_kind.intersection(words(protocol.get(key))))
    if key == "visits":
        return sorted(name for name in of_kind if tasks[name].get("channel") == "office")
    return sorted(name for name in of_kind if key != "desk" or "delegable_share" in tasks[name])


def _has_minutes(tree: Mapping[str, Any], task: str, role: str) -> bool:
    """Whether the minutes of a task are known for a role, in the file of the one or the other."""
    of_task, of_role = tree["task"][task].get("minutes"), tree["role"][role].get("minutes")
    return (isinstance(of_task, Mapping) and role in of_task) or (
        isinstance(of_role, Mapping) and task in of_role
    )


def team_faults(
    values: Mapping[str, Any], tree: Mapping[str, Any], practice: Mapping[str, Any]
) -> list[Fault]:
    """Return staff that is unknown, a practice without GP, tasks that nobody may do, roles of one order."""
    staff = list(dict.fromkeys(words(practice.get("staff"))))
    where = f"practice.{practice.get('name')}.staff"
    faults = [
        Fault(where, role, "a role of role/", near(role, tree["role"], ", ".join(tree["role"])))
        for role in staff
        if role not in tree["role"]
    ]
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
        Fault(f"task.{task}", listed, expectation, remedy)
        for task in tree["task"]
        if task not in anybody and "gp" in staff
    ]
    orders = {role: tree["role"][role].get("order") for role in known}
    for role, other in pairwise(sorted(known, key=lambda role: str(orders[role]))):
        if orders[role] == orders[other]:
            faults.append(
                Fault(f"role.{other}.order", orders[other], f"another number than {role}", "a free number")
            )
    return faults + _name_faults(tree)


def _name_faults(tree: Mapping[str, Any]) -> list[Fault]:
    """Tasks and roles that scopes and minutes name and no file describes; minutes that stand in two files."""
    tasks, roles = tree["task"], tree["role"]
    faults = []
    for role, content in roles.items():
        for part in ("scope", "minutes"):
            named = content.get(part)
            for task in named if isinstance(named, Mapping) else ():
                if task not in tasks and (part, task) != ("scope", "all"):
                    remedy = near(str(task), tasks, "a name in task/")
                    faults.append(Fault(f"role.{role}.{part}.{task}", task, "a task of task/", remedy))
    for task, content in tasks.items():
        minutes = content.get("minutes")
        for role in minutes if isinstance(minutes, Mapping) else ():
            if role not in roles:
                remedy = near(str(role), roles, ", ".join(roles))
                faults.append(Fault(f"task.{task}.minutes.{role}", role, "a role of role/", remedy))
            elif isinstance(roles[role].get("minutes"), Mapping) and task in roles[role]["minutes"]:
                expectation = f"minutes in one place, not in task.{task}.minutes.{role} too"
                faults.append(
                    Fault(f"role.{role}.minutes.{task}", task, expectation, "to remove one of the two")
                )
    return faults


def protocol_faults(
    tree: Mapping[str, Any],
    protocol: Mapping[str, Any],
    practice: Mapping[str, Any],
    values: Mapping[str, Any],
) -> list[Fault]:
    """Return names that the protocol gets wrong, and delegated tasks without minutes, share or diary.

    What the law forbids is no fault: it is refused and listed.
    """
    where = f"protocol.{protocol.get('name')}"
    tasks = tree["task"]
    faults = []
    for key, kinds in LISTS.items():
        known = [name for name, task in tasks.items() if task.get("kind") in kinds and name != CALLS]
        for name in words(protocol.get(key)):
            if name not in known:
                expectation = f"a task of kind {' or '.join(kinds)}" + (
                    ", as first contact says who answers" if name == CALLS else ""
                )
                faults.append(
                    Fault(f"{where}.{key}", name, expectation, near(name, known, "a name in task/"))
                )
    visits = _asked(protocol, "visits", tasks)
    for name in words(protocol.get("requires_stable")):
        if name not in visits:
            remedy = near(name, visits, "to add it to visits")
            faults.append(Fault(f"{where}.requires_stable", name, "a visit of this protocol", remedy))
    return [
        *faults,
        *_role_faults(where, tree, protocol),
        *_minutes_faults(tree, protocol, practice, values),
        *_taker_faults(tree, protocol, practice, values),
    ]


def _role_faults(where: str, tree: Mapping[str, Any], protocol: Mapping[str, Any]) -> list[Fault]:
    """Roles of a protocol that are unknown, missing, or on both sides."""
    roles, responsible = tree["role"], protocol.get("responsible_role")
    faults = []
    named = words(protocol.get(DELEGATES))
    for key, role in [("responsible_role", responsible), *((DELEGATES, role) for role in named)]:
        if str(role) not in roles:
            remedy = near(str(role), roles, ", ".join(roles))
            faults.append(Fault(f"{where}.{key}", role, "a role of role/", remedy))
        elif key == DELEGATES and role == responsible:
            faults.append(Fault(f"{where}.{key}", role, "another role than the responsible one", "nurse"))
    if protocol.get(DELEGATES) == [] and any(protocol.get(key) for key in LISTS):
        faults.append(Fault(f"{where}.{DELEGATES}", [], "a role that takes the tasks named", "[nurse]"))
    return faults


def _minutes_faults(
    tree: Mapping[str, Any],
    protocol: Mapping[str, Any],
    practice: Mapping[str, Any],
    values: Mapping[str, Any],
) -> list[Fault]:
    """Named tasks that nobody takes although the law allows a delegate who is there: the minutes are missing."""
    staff = words(practice.get("staff"))
    sharing = share(tree, protocol, staff, _as_of(values))
    here = [role for role in sharing.delegates if role in staff]
    faults = []
    for key in LISTS:
        taken: Mapping[str, str] = getattr(sharing, key)
        for task in _asked(protocol, key, tree["task"]):
            if task in taken or protocol.get(key) == ANY or protocol.get(DELEGATES) == ANY:
                continue
            for role in here:
                if task in permitted(tree["role"][role].get("scope"), [task], _as_of(values)):
                    remedy = f"to add minutes.{role} or drop the task from the protocol"
                    faults.append(
                        Fault(f"task.{task}.minutes.{role}", None, f"the minutes of the {role}", remedy)
                    )
    return faults


def _taker_faults(
    tree: Mapping[str, Any],
    protocol: Mapping[str, Any],
    practice: Mapping[str, Any],
    values: Mapping[str, Any],
) -> list[Fault]:
    """Desk work without a share that can be given away; takers of patients who have no places for them."""
    sharing = share(tree, protocol, words(practice.get("staff")), _as_of(values))
    faults = [
        Fault(
            f"task.{task}.delegable_share",
            None,
            "the share that need not be the GP's",
            "to add it, or drop the task from the protocol",
        )
        for task in sharing.desk
        if "delegable_share" not in tree["task"][task]
    ]
    for role in sorted({*sharing.acts.values(), *sharing.visits.values()}):
        for name in ("slot_minutes", "programme_share"):
            key = f"practice.team.{role}.{name}"
            team = tree["practice"].get("team", {}).get(role, {})
            if isinstance(team, Mapping) and name not in team:
                faults.append(
                    Fault(key, None, "this key, as the role takes patients", f"to add `{name}:` to its team")
                )
    return faults


def first_contact_faults(
    tree: Mapping[str, Any],
    first_contact: Mapping[str, Any],
    practice: Mapping[str, Any],
    values: Mapping[str, Any],
) -> list[Fault]:
    """Return the fault of calls answered by a role that is unknown, absent, forbidden or without minutes."""
    name, role, roles = first_contact.get("name"), first_contact.get("answered_by"), tree["role"]
    staff = words(practice.get("staff"))
    where = f"first_contact.{name}.answered_by"
    if not isinstance(role, str):
        return []
    if role not in roles:
        return [Fault(where, role, "a role of role/", near(role, roles, ", ".join(roles)))]
    if role not in staff:
        remedy = f"practice.staff=[{','.join([*staff, role])}] or first_contact=gp, in the world concerned"
        return [Fault(where, role, f"a role of the practice {practice.get('name')}", remedy)]
    if not permitted(roles[role].get("scope"), [CALLS], _as_of(values)):
        expectation = f"a role that the law lets answer calls, by role.{role}.scope.{CALLS}"
        return [Fault(where, role, expectation, "another first_contact")]
    if CALLS in tree["task"] and not _has_minutes(tree, CALLS, role):
        return [Fault(f"role.{role}.minutes.{CALLS}", None, "the minutes of a call", "to add them")]
    return []


def _as_of(values: Mapping[str, Any]) -> str:
    """Date of the study; far in the future where it is at fault itself."""
    return str(values.get("calendar.as_of", "9999-12-31"))
