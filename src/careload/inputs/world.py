"""One world of a study: chosen files, vocabulary and values put together and checked, nothing raised."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from careload.inputs.check import check_tree, words
from careload.inputs.compose import compose_choices
from careload.inputs.consistency import consistency_faults, source_form_faults
from careload.inputs.faults import Fault, near
from careload.inputs.law import DELEGATES, LISTS
from careload.inputs.overrides import (
    WORLDS,
    Changes,
    Overrides,
    ValueOverride,
    apply_values,
    parse_overrides,
)
from careload.inputs.quantity import Quantity
from careload.inputs.schema import (
    KINDS,
    any_task_schema,
    choice_schema,
    role_schema,
    section_schema,
    task_schema,
    team_schema,
)
from careload.inputs.vocabulary import GROUPS, Vocabulary, read_vocabulary, search_path

__all__ = ["CHOSEN", "Base", "World", "file_values", "read_base", "read_world"]

CHOSEN: Final = tuple(group for group in GROUPS if group != "scenario")
"""Groups of which every world has one file."""

RESPONSIBLE: Final = "gp"
"""Role that has the final responsibility and answers where nobody else does."""

FIRST_CONTACT_WORDS: Final = ("name", "label", "answered_by")
"""Keys of a file of first contact that are no quantities."""


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
    other_staff: bool
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


def read_world(
    base: Base, chosen: Mapping[str, str], values: Sequence[ValueOverride], name: str = ""
) -> World:
    """Put one world together and check it.

    Parameters
    ----------
    base : Base
    chosen : mapping
        Group to name, where it differs from the defaults.
    values : sequence of ValueOverride
        Values of the scenario for this world.
    name : str
        Of the world in its scenario, for the overrides that hold in it alone.
    """
    vocabulary = base.vocabulary
    alone = base.overrides.worlds.get(name, Changes({}, ()))
    alone_values = [value for value in alone.values if value.path != ("seed",)]
    chosen = {**chosen, **alone.choices}
    config, named, faults = compose_choices(base.folders, chosen)
    if faults and base.faults:
        faults = []
    named = {**named, **chosen}
    choices = _choice_trees(config, named, vocabulary)
    faults += _stray_faults(config)
    sections, found = _sections(choices["country"], vocabulary)
    faults += found
    fixed, found = _choice_values(choices)
    faults += found
    of_files = (*fixed, *values)
    seed, own, found = _seed(config, base.overrides.values)
    faults += found
    staff = _staff(choices["practice"], (*of_files, *own, *alone_values))
    other_staff = staff != words(choices["practice"].get("staff"))
    tree, spare = _open_tree(sections, choices, named, staff, vocabulary)
    tree, by_files = apply_values(tree, of_files)
    faults += [replace(fault, path=f"{over.text}.{fault.path}") for over, fault in by_files.failed]
    tree, by_user = apply_values(tree, own)
    tree, by_world = apply_values(tree, alone_values)
    absent = Absent(vocabulary, choices, staff)
    faults += [
        replace(absent.explained(over, fault), path=f"{WORLDS}.{name}.{fault.path}")
        for over, fault in by_world.failed
    ]
    choices, tree = _closed(choices, tree)
    faults += _choice_faults(choices, named)
    teams = tree["practice"]["team"]
    quantities, found = _quantities(
        tree, {**by_world.declared, **by_user.declared, **by_files.declared}, [*teams, *spare]
    )
    faults += found + _spare_faults(spare)
    faults += consistency_faults(quantities, tree, spare, choices, vocabulary, base.folders)
    failed = [(over, absent.explained(over, fault)) for over, fault in by_user.failed]
    return World(tree, choices, quantities, seed, other_staff, faults, failed)


def _staff(practice: Mapping[str, Any], values: Sequence[ValueOverride]) -> list[str]:
    """Staff of the practice, or what was set in its place last."""
    given = [value.value for value in values if value.path == ("practice", "staff")]
    return words(given[-1] if given else practice.get("staff"))


def _open_tree(
    sections: Mapping[str, Any],
    choices: Mapping[str, Mapping[str, Any]],
    named: Mapping[str, str],
    staff: Sequence[str],
    vocabulary: Vocabulary,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """All that values may be set in: sections, tasks, roles, teams of the staff, first contact, lists of choices.

    Returns
    -------
    tree : dict
    spare : dict
        Teams of the roles that the practice does not have: checked, but no values of this world.
    """
    practice = sections.get("practice")
    teams = {name: role["team"] for name, role in vocabulary.roles.items() if "team" in role}
    here = {name: team for name, team in teams.items() if name in staff or name == RESPONSIBLE}
    spare = {name: team for name, team in teams.items() if name not in here}
    tree = dict(sections)
    tree["practice"] = {**practice, "team": here} if isinstance(practice, Mapping) else {"team": here}
    if "staff" in choices["practice"]:
        tree["practice"]["staff"] = choices["practice"]["staff"]
    tree["protocol"] = {key: choices["protocol"].get(key, []) for key in (*LISTS, "requires_stable")}
    if DELEGATES in choices["protocol"]:
        tree["protocol"][DELEGATES] = choices["protocol"][DELEGATES]
    known = vocabulary.choices["first_contact"]
    tree["first_contact"] = {
        name: {key: below for key, below in content.items() if key not in FIRST_CONTACT_WORDS}
        for name, content in (
            (RESPONSIBLE, known.get(RESPONSIBLE, {})),
            (named.get("first_contact", RESPONSIBLE), choices["first_contact"]),
        )
    }
    tree["task"] = dict(vocabulary.tasks)
    tree["role"] = {
        name: {key: below for key, below in role.items() if key != "team"}
        for name, role in vocabulary.roles.items()
    }
    return tree, spare


def _closed(
    choices: Mapping[str, Mapping[str, Any]], tree: Mapping[str, Any]
) -> tuple[dict[str, Mapping[str, Any]], dict[str, Any]]:
    """Lists of practice and protocol, as set, back where they belong; the tree without them."""
    closed = dict(choices)
    practice = dict(tree["practice"])
    if "staff" in practice:
        closed["practice"] = {**choices["practice"], "staff": practice.pop("staff")}
    closed["protocol"] = {**choices["protocol"], **tree["protocol"]}
    first = choices["first_contact"]
    closed["first_contact"] = {key: first[key] for key in FIRST_CONTACT_WORDS if key in first}
    return closed, {**{key: tree[key] for key in tree if key != "protocol"}, "practice": practice}


def _spare_faults(spare: Mapping[str, Any]) -> list[Fault]:
    """Faults in the teams of roles that the practice does not have."""
    faults: list[Fault] = []
    for name, team in spare.items():
        faults += check_tree(f"practice.team.{name}", team_schema(name), team, {})[1]
    return faults


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


@dataclass(frozen=True)
class Absent:
    """What a world does not have because of its choices."""

    vocabulary: Vocabulary
    choices: Mapping[str, Mapping[str, Any]]
    staff: Sequence[str]

    def explained(self, override: ValueOverride, fault: Fault) -> Fault:
        """Say so where a key is missing only because the practice lacks the role, or another file was chosen."""
        first, second, third = (*override.path, "", "", "")[:3]
        roles, contacts = self.vocabulary.roles, self.vocabulary.choices["first_contact"]
        if (first, second) == ("practice", "team") and third in roles and third not in self.staff:
            practices = [
                f"practice={name}"
                for name, content in self.vocabulary.choices["practice"].items()
                if third in words(content.get("staff"))
            ]
            remedy = " or ".join([*practices[:2], f"practice.staff=[{','.join([*self.staff, third])}]"])
            expectation = f"a role of the practice {self.choices['practice'].get('name')}"
            return replace(
                fault, expectation=expectation, remedy=f"a practice with the role {third}: {remedy}"
            )
        if first == "first_contact" and second in contacts:
            chosen = dict.fromkeys((self.choices["first_contact"].get("name"), RESPONSIBLE))
            expectation = f"the first contact of this world, {' or '.join(map(str, chosen))}"
            return replace(fault, expectation=expectation, remedy=f"first_contact={second}")
        return fault


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
    practice = tree.get("practice")
    homes: list[tuple[str, Any, str]] = [
        ("first_contact", tree, "first_contact/NAME.yaml"),
        ("protocol", tree, "protocol/NAME.yaml"),
    ]
    homes += [("team", practice, "role/NAME.yaml"), ("staff", practice, "practice/NAME.yaml")]
    for name, node, home in homes:
        if isinstance(node, Mapping) and name in node:
            faults.append(Fault(f"section.{name}", name, f"it in {home}", "to move it there"))
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
    tree: Mapping[str, Any], declared: Mapping[str, Any], teams: Iterable[str]
) -> tuple[dict[str, Quantity], list[Fault]]:
    """Check sections, tasks and roles against their schema; `teams` are the roles that have one."""
    sections = {name: below for name, below in tree.items() if name not in ("task", "role")}
    quantities, faults = check_tree("", section_schema(), sections, declared)
    for name in sorted(tree["task"]):
        task = tree["task"][name]
        kind = task.get("kind") if isinstance(task, Mapping) else None
        schema = task_schema(kind) if kind in KINDS else any_task_schema()
        found, wrong = check_tree(f"task.{name}", schema, task, declared)
        quantities |= found
        faults += wrong
    faults += [
        Fault(f"role.{name}.team", None, "this key", "to add `team:` there")
        for name in tree["role"]
        if name not in teams
    ]
    for name in sorted(tree["role"]):
        found, wrong = check_tree(f"role.{name}", role_schema(), tree["role"][name], declared)
        quantities |= found
        faults += wrong
    return quantities, faults
