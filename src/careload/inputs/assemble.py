"""The frozen study of a world that has no faults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from careload.inputs.check import words
from careload.inputs.law import permitted, share
from careload.inputs.quantity import Quantity
from careload.inputs.study import Choice, FirstContact, Protocol, Refusal, Role, Scope, Source, Study, Task
from careload.inputs.vocabulary import find_file
from careload.inputs.world import CHOSEN, World

__all__ = ["assemble"]

_TASK_QUANTITIES = (
    "urgent_share",
    "age_rates",
    "set_by_practice_share",
    "interval_days",
    "frail_ratio",
    "travel_minutes",
    "age_weights",
    "window_weeks",
    "delegable_share",
)


def assemble(
    world: World, sources: Mapping[str, Any], folders: Sequence[Path], texts: tuple[str, ...]
) -> Study:
    """Freeze a checked world.

    Parameters
    ----------
    world : World
        Without faults.
    sources : mapping
        Entries of sources.yaml.
    folders : sequence of Path
        Search path, for the population table.
    texts : tuple of str
        Overrides as written.
    """
    quantities = MappingProxyType(dict(sorted(world.quantities.items())))
    tasks = {
        name: _task(name, world.tree["task"][name], world.tree["role"], quantities)
        for name in sorted(world.tree["task"])
    }
    as_of = str(quantities["calendar.as_of"].value)
    made = [_role(name, content, quantities, tasks, as_of) for name, content in world.tree["role"].items()]
    roles = {role.name: role for role in sorted(made, key=lambda role: (role.order, role.name))}
    staff = tuple(name for name in roles if name in world.choices["practice"]["staff"])
    protocol, refused = _protocol(world, staff, roles, as_of)
    table = find_file(folders, str(quantities["population.table"].value))
    assert table is not None
    return Study(
        seed=world.seed,
        tasks=MappingProxyType(tasks),
        roles=MappingProxyType(roles),
        staff=staff,
        protocol=protocol,
        first_contact=_first_contact(world.choices["first_contact"]),
        refused=refused,
        labels=MappingProxyType(_choices(world, roles, staff)),
        sources=MappingProxyType({key: Source(key, **entry) for key, entry in sorted(sources.items())}),
        table_path=table,
        overrides=texts,
        _quantities=quantities,
    )


def _choices(world: World, roles: Mapping[str, Role], staff: Sequence[str]) -> dict[str, Choice]:
    """Names and labels of the chosen files; a practice whose staff was set says who works there."""
    choices = {group: _choice(group, world.choices[group]) for group in CHOSEN}
    if world.other_staff:
        label = {
            language: f"{text} ({', '.join(roles[name].label[language] for name in reversed(staff))})"
            for language, text in choices["practice"].label.items()
        }
        choices["practice"] = Choice("practice", choices["practice"].name, MappingProxyType(label))
    return choices


def _choice(group: str, tree: Mapping[str, Any]) -> Choice:
    """Name and labels of a chosen file."""
    return Choice(group, str(tree["name"]), MappingProxyType(dict(tree["label"])))


def _task(
    name: str, tree: Mapping[str, Any], roles: Mapping[str, Any], quantities: Mapping[str, Quantity]
) -> Task:
    """One task with its quantities."""
    key = f"task.{name}"
    places = {role: f"{key}.minutes.{role}" for role in tree["minutes"]}
    places |= {
        role: f"role.{role}.minutes.{name}" for role, own in roles.items() if name in own.get("minutes", ())
    }
    condition = tree.get("condition")
    conditions = tuple(condition) if isinstance(condition, list) else (condition,) if condition else ()
    return Task(
        name=name,
        label=MappingProxyType(dict(tree.get("label", {}))),
        kind=tree["kind"],
        group=tree["group"],
        channel=tree["channel"],
        driver=tree["driver"],
        rate=quantities[f"{key}.rate"],
        cv=quantities[f"{key}.cv"],
        minutes=MappingProxyType({role: quantities[place] for role, place in places.items()}),
        children=MappingProxyType(
            {c: quantities[f"{key}.children.{c}"] for c in sorted(tree.get("children", {}))}
        ),
        children_only=bool(tree.get("children_only", False)),
        arrival=str(tree.get("arrival", "rate")),
        conditions=conditions,
        seasonal=bool(tree.get("seasonal", False)),
        **{field: quantities.get(f"{key}.{field}") for field in _TASK_QUANTITIES},
    )


def _role(
    name: str,
    tree: Mapping[str, Any],
    quantities: Mapping[str, Quantity],
    tasks: Mapping[str, Task],
    as_of: str,
) -> Role:
    """One role with what it may do on the date of the study."""
    scope = {
        task: Scope(
            allowed=entry["allowed"],
            status=entry["status"],
            since=entry["from"],
            source=entry["source"],
            text=entry["text"],
            doctor_on_site=entry.get("doctor_on_site", False),
        )
        for task, entry in sorted(tree["scope"].items())
    }
    return Role(
        name=name,
        label=MappingProxyType(dict(tree["label"])),
        order=int(tree["order"]),
        pace=quantities[f"role.{name}.pace"],
        scope=MappingProxyType(scope),
        permitted=permitted(tree["scope"], tasks, as_of),
    )


def _protocol(
    world: World, staff: Sequence[str], roles: Mapping[str, Role], as_of: str
) -> tuple[Protocol, tuple[Refusal, ...]]:
    """Protocol inside the law, and what was refused."""
    tree = world.choices["protocol"]
    sharing = share(world.tree, tree, staff, as_of)
    protocol = Protocol(
        name=tree["name"],
        label=MappingProxyType(dict(tree["label"])),
        delegate_roles=sharing.delegates,
        responsible_role=tree["responsible_role"],
        acts=MappingProxyType(dict(sharing.acts)),
        visits=MappingProxyType(dict(sharing.visits)),
        desk=MappingProxyType(dict(sharing.desk)),
        requires_stable=tuple(
            sorted(name for name in words(tree.get("requires_stable")) if name in sharing.visits)
        ),
    )
    return protocol, tuple(
        Refusal(role, task, _law(roles[role], task, as_of)) for role, task in sharing.refused
    )


def _first_contact(tree: Mapping[str, Any]) -> FirstContact:
    """Who answers the telephone."""
    return FirstContact(tree["name"], MappingProxyType(dict(tree["label"])), tree["answered_by"])


def _law(role: Role, task: str, as_of: str) -> str:
    """Why a role may not do a task, with what the law says."""
    scope = role.scope.get(task)
    if scope is None:
        return f"The scope of the {role.name} does not name this task."
    if scope.allowed and scope.since > as_of:
        return f"In force only from {scope.since}. {scope.text}"
    if scope.allowed:
        return f"The scope is {scope.status}, not verified. {scope.text}"
    return scope.text
