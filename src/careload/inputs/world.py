"""One world of a study: chosen files, vocabulary and values put together and checked, nothing raised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from careload.inputs.check import check_tree, words
from careload.inputs.compose import compose_choices
from careload.inputs.consistency import consistency_faults, source_form_faults
from careload.inputs.faults import Fault, near
from careload.inputs.overrides import Overrides, ValueOverride, apply_values, parse_overrides
from careload.inputs.quantity import Quantity
from careload.inputs.schema import (
    KINDS,
    any_task_schema,
    choice_schema,
    role_schema,
    section_schema,
    task_schema,
)
from careload.inputs.vocabulary import GROUPS, Vocabulary, read_vocabulary, search_path

__all__ = ["CHOSEN", "Base", "World", "file_values", "read_base", "read_world"]

CHOSEN: Final = tuple(group for group in GROUPS if group != "scenario")
"""Groups of which every world has one file."""


@dataclass(frozen=True)
class Base:
    """What all worlds share."""

    folders: tuple[Path, ...]
    vocabulary: Vocabulary
    overrides: Overrides
    faults: tuple[Fault, ...]


@dataclass(frozen=True)
class World:
    """One world, read and checked but not yet refused or accepted."""

    tree: Mapping[str, Any]
    choices: Mapping[str, Mapping[str, Any]]
    quantities: Mapping[str, Quantity]
    seed: int
    faults: list[Fault]
    failed: list[tuple[ValueOverride, Fault]]


def read_base(overrides: Sequence[str], config_dirs: Sequence[str | Path]) -> Base:
    """Read what all worlds share."""
    folders, faults = search_path(config_dirs)
    parsed, found = parse_overrides(overrides, folders)
    vocabulary = read_vocabulary(folders)
    return Base(
        folders, vocabulary, parsed, (*faults, *vocabulary.faults, *found, *source_form_faults(vocabulary))
    )


def read_world(base: Base, chosen: Mapping[str, str], values: Sequence[ValueOverride]) -> World:
    """Put one world together and check it."""
    vocabulary = base.vocabulary
    config, named, faults = compose_choices(base.folders, chosen)
    if faults and base.faults:
        faults = []
    named = {**named, **chosen}
    choices = _choice_trees(config, named, vocabulary)
    faults += _choice_faults(choices, named) + _stray_faults(config)
    sections, found = _sections(choices["country"], vocabulary)
    faults += found
    tree = _only_staff(sections, words(choices["practice"].get("staff")))
    tree |= {"task": dict(vocabulary.tasks), "role": dict(vocabulary.roles)}
    fixed, found = _choice_values(choices)
    faults += found
    tree, of_files = apply_values(tree, (*fixed, *values))
    faults += [replace(fault, path=f"{over.text}.{fault.path}") for over, fault in of_files.failed]
    seed, own, found = _seed(config, base.overrides.values)
    faults += found
    tree, of_user = apply_values(tree, own)
    quantities, found = _quantities(tree, {**of_user.declared, **of_files.declared})
    faults += found
    faults += consistency_faults(quantities, tree, choices, vocabulary, base.folders)
    failed = [
        (over, _absent_role(over, fault, sections, choices["practice"])) for over, fault in of_user.failed
    ]
    return World(tree, choices, quantities, seed, faults, failed)


def _choice_faults(choices: Mapping[str, Mapping[str, Any]], named: Mapping[str, str]) -> list[Fault]:
    """Faults of the chosen files, each by itself."""
    faults = []
    for group, tree in choices.items():
        name = tree.get("name")
        faults += check_tree(f"{group}.{name}", choice_schema(group), tree, {})[1]
        if group in named and name != named[group]:
            faults.append(
                Fault(f"{group}.name", name, f"the name of its file, {named[group]}", f"name: {named[group]}")
            )
    return faults


def _stray_faults(config: Mapping[str, Any]) -> list[Fault]:
    """Keys that a chosen file puts outside its own group, where nothing would read them."""
    known = (*GROUPS, "seed")
    remedy = "the `values` of a chosen file, without a `# @package` line"
    return [
        Fault(name, below, "a key inside its group", remedy)
        for name, below in config.items()
        if name not in known
    ]


def _absent_role(
    override: ValueOverride, fault: Fault, sections: Mapping[str, Any], practice: Mapping[str, Any]
) -> Fault:
    """Say so where a key is missing only because the practice does not have the role."""
    node: Any = sections
    for name in override.path[:3]:
        node = node.get(name) if isinstance(node, Mapping) else None
    if len(override.path) < 3 or override.path[:2] != ("practice", "team") or node is None:
        return fault
    if override.path[2] in words(practice.get("staff")):
        return fault
    expectation = f"a role of the practice {practice.get('name')}"
    return replace(
        fault, expectation=expectation, remedy=f"a practice with a {override.path[2]}: practice=solo_nurse"
    )


def _choice_trees(
    config: Mapping[str, Any], named: Mapping[str, str], vocabulary: Vocabulary
) -> dict[str, Mapping[str, Any]]:
    """Tree of every choice: as Hydra put it together, or the bare file where Hydra could not."""
    trees: dict[str, Mapping[str, Any]] = {}
    for group in CHOSEN:
        tree = config.get(group)
        if not isinstance(tree, Mapping):
            files = vocabulary.choices[group]
            tree = files.get(named.get(group, ""), next(iter(files.values()), {}))
        trees[group] = tree
    return trees


def _sections(country: Mapping[str, Any], vocabulary: Vocabulary) -> tuple[dict[str, Any], list[Fault]]:
    """Join the sections of the country; no key may stand in two of them."""
    tree: dict[str, Any] = {}
    faults: list[Fault] = []
    for name in words(country.get("sections")):
        if name not in vocabulary.sections:
            remedy = near(name, vocabulary.sections, ", ".join(vocabulary.sections))
            faults.append(Fault("country.sections", name, "a file of section/", remedy))
        tree = _joined(tree, vocabulary.sections.get(name, {}), name, "", faults)
    countries = [country, *vocabulary.choices["country"].values()]
    named = {name for other in countries for name in words(other.get("sections"))}
    for name in vocabulary.sections:
        if name not in named:
            remedy = near(name, named, "to name it in country/")
            faults.append(Fault(f"section/{name}.yaml", name, "a section that a country names", remedy))
    return tree, faults


def _joined(
    first: Mapping[str, Any], second: Mapping[str, Any], section: str, path: str, faults: list[Fault]
) -> dict[str, Any]:
    """Join two trees; a key in both that is no part of the way is a fault."""
    joined = dict(first)
    for name, below in second.items():
        where = f"{path}.{name}" if path else name
        old = joined.get(name)
        if isinstance(old, Mapping) and isinstance(below, Mapping) and "value" not in old:
            joined[name] = _joined(old, below, section, where, faults)
        elif name in joined:
            faults.append(
                Fault(where, section, "every key in one section", "to remove it from one of the two")
            )
        else:
            joined[name] = below
    return joined


def _only_staff(tree: dict[str, Any], staff: Sequence[str]) -> dict[str, Any]:
    """Drop what the sections say about roles that the practice does not have."""
    practice = tree.get("practice")
    team = practice.get("team") if isinstance(practice, Mapping) else None
    if not isinstance(practice, Mapping) or not isinstance(team, Mapping):
        return tree
    return {**tree, "practice": {**practice, "team": {role: team[role] for role in team if role in staff}}}


def _choice_values(choices: Mapping[str, Mapping[str, Any]]) -> tuple[list[ValueOverride], list[Fault]]:
    """Values that the chosen files set; two files may not set one key."""
    values: list[ValueOverride] = []
    faults: list[Fault] = []
    by: dict[tuple[str, ...], str] = {}
    for group in CHOSEN:
        given = choices[group].get("values", {})
        for value in file_values(f"{group}.{choices[group].get('name')}", given):
            if value.path in by:
                faults.append(
                    Fault(
                        ".".join(value.path),
                        value.value,
                        f"one choice to set it, not {by[value.path]} and {group}",
                        "to remove it from one of the two",
                    )
                )
            by[value.path] = group
            values.append(value)
    return values, faults


def file_values(where: str, given: Any) -> list[ValueOverride]:
    """Values of a file, as if the user had written them."""
    if not isinstance(given, Mapping):
        return []
    return [
        ValueOverride(f"{where}.values", tuple(str(key).split(".")), value) for key, value in given.items()
    ]


def _seed(
    config: Mapping[str, Any], values: Sequence[ValueOverride]
) -> tuple[int, list[ValueOverride], list[Fault]]:
    """Return the seed, the other values, and the fault of a seed that is none."""
    seed: Any = config.get("seed", 1)
    others = [value for value in values if value.path != ("seed",)]
    for value in values:
        if value.path == ("seed",):
            seed = value.value
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**63:
        return 1, others, [Fault("seed", seed, "a whole number of at least 0", "seed=1")]
    return seed, others, []


def _quantities(
    tree: Mapping[str, Any], declared: Mapping[str, Any]
) -> tuple[dict[str, Quantity], list[Fault]]:
    """Check sections, tasks and roles against their schema."""
    sections = {name: below for name, below in tree.items() if name not in ("task", "role")}
    quantities, faults = check_tree("", section_schema(), sections, declared)
    for name in sorted(tree["task"]):
        task = tree["task"][name]
        kind = task.get("kind") if isinstance(task, Mapping) else None
        schema = task_schema(kind) if kind in KINDS else any_task_schema()
        found, wrong = check_tree(f"task.{name}", schema, task, declared)
        quantities |= found
        faults += wrong
    for name in sorted(tree["role"]):
        found, wrong = check_tree(f"role.{name}", role_schema(), tree["role"][name], declared)
        quantities |= found
        faults += wrong
    return quantities, faults
