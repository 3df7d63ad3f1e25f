"""Every key of the schema, wrong in every way its row allows: a fault that names it, and never a traceback.

The mutations are read off the schema: whoever adds a row adds its mutations. In the default run each way of being wrong
is done to all keys at once, and a sample of keys is wrong alone; `-m slow` takes every key alone.
"""

from __future__ import annotations

import copy
import random
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from careload.command.cli import FAULTS, main
from careload.inputs.faults import Fault, Faults
from careload.inputs.load import load_comparison, load_study
from careload.inputs.quantity import FIELDS, REQUIRED, UNITS, is_number, is_quantity
from careload.inputs.schema import (
    Leaf,
    Node,
    choice_schema,
    role_schema,
    section_schema,
    task_schema,
    team_schema,
)
from careload.inputs.vocabulary import GROUPS, Vocabulary
from careload.inputs.world import Base, read_base, read_world

LINE = re.compile(r"\S.* = .*: expected \S.*; try \S.*")
CHOSEN = {
    "practice": "solo_nurse",
    "protocol": "technical_chronic_prevention",
    "first_contact": "nurse",
}
"""A world with staff, delegation and a first contact of its own, so that their keys are in force."""

DROP: Any = object()
"""Stands for a part that is taken out."""

SLOW_SHARE = 12
"""One key in so many is wrong alone in the default run."""


@dataclass(frozen=True)
class Key:
    """One key as it stands in a file.

    Attributes
    ----------
    path : str
        Dotted key that a fault must name.
    file : str
        `folder/name` of its file.
    place : tuple of str
        Where it stands in the tree of the file.
    leaf : Leaf
        Its row of the schema.
    required : bool
        Whether the schema names it and does not let it be absent.
    node : Any
        What stands there.
    """

    path: str
    file: str
    place: tuple[str, ...]
    leaf: Leaf
    required: bool
    node: Any


def below(
    schema: Node, tree: Mapping[str, Any], path: str, file: str, place: tuple[str, ...]
) -> Iterator[Key]:
    """Keys of the schema that the tree of a file holds."""
    for name, node in tree.items():
        part = schema.find(name)
        where, here = f"{path}.{name}".lstrip("."), (*place, name)
        if isinstance(part, Node):
            yield from below(part, node, where, file, here)
        elif isinstance(part, Leaf):
            required = name in schema.below and name not in schema.optional
            yield Key(where, file, here, part, required, node)


@cache
def packaged() -> Vocabulary:
    """The vocabulary as shipped."""
    return read_base((), ()).vocabulary


@cache
def keys() -> tuple[Key, ...]:
    """Every key of the files in force."""
    words = packaged()
    found: list[Key] = []
    for name, tree in words.sections.items():
        found += below(section_schema(), tree, "", f"section/{name}", ())
    for name, tree in words.tasks.items():
        found += below(task_schema(tree["kind"]), tree, f"task.{name}", f"task/{name}", ())
    for name, tree in words.roles.items():
        found += below(role_schema(), tree, f"role.{name}", f"role/{name}", ())
        found += below(team_schema(name), tree["team"], f"practice.team.{name}", f"role/{name}", ("team",))
    for group in GROUPS:
        name = CHOSEN.get(group, next(iter(words.choices[group])))
        tree = words.choices[group][name]
        found += below(choice_schema(group), tree, f"{group}.{name}", f"{group}/{name}", ())
        if group == "first_contact":
            numbers = section_schema().below["first_contact"]
            assert isinstance(numbers, Node)
            part = numbers.find(name)
            assert isinstance(part, Node)
            found += below(part, tree, f"first_contact.{name}", f"{group}/{name}", ())
    return tuple(found)


def quantities() -> list[Key]:
    """Keys that hold a quantity, but those whose value a chosen file replaces."""
    return [key for key in keys() if key.leaf.unit is not None and key.path not in replaced()]


@cache
def replaced() -> frozenset[str]:
    """Keys that the chosen files set: what stands in the vocabulary is not in force."""
    words = packaged()
    trees = [words.choices[group].get(CHOSEN.get(group, ""), {}) for group in GROUPS]
    trees += [words.choices["population"]["belgium"], words.choices["behaviour"]["weekly_rules"]]
    return frozenset(key for tree in trees for key in tree.get("values", {}))


def plain() -> list[Key]:
    return [key for key in keys() if key.leaf.unit is None]


def field(name: str, value: Any) -> Callable[[Key], Any]:
    """Give one field of a quantity another value, or drop it."""

    def change(key: Key) -> Any:
        node = {one: given for one, given in key.node.items() if one != name}
        return node if value is DROP else {**node, name: value}

    return change


def other_kind(key: Key) -> Any:
    """A value of another kind than the form asks for."""
    kind = key.leaf.form.partition(":")[0]
    strange = {"switch": "perhaps", "choice": "neither", "code": [1], "file": 3}
    numeric = kind.rstrip("s") in ("number", "integer")
    return {**key.node, "value": strange.get(kind, "often" if numeric else 3.25)}


def other_length(key: Key) -> Any:
    """A list where one value belongs, or one value where a list does."""
    value = key.node["value"]
    if key.leaf.form == "code":
        return DROP
    return {**key.node, "value": value[0] if isinstance(value, list) else [value, value]}


def other_unit(key: Key) -> Any:
    """A unit of something else."""
    if key.leaf.unit == "any":
        return DROP
    return {**key.node, "unit": next(unit for unit in UNITS if unit not in (key.leaf.unit, "any"))}


def turned_range(key: Key) -> Any:
    """The high end first."""
    ends = key.node["range"]
    if not isinstance(ends, list) or key.leaf.form in ("choice", "switch") or ends[0] == ends[1]:
        return DROP
    return {**key.node, "range": [ends[1], ends[0]]}


def beyond(key: Key) -> Any:
    """A value far beyond its range."""
    value, kind = key.node["value"], key.leaf.form.partition(":")[0]
    far = {"clock": "25:00", "date": "2024-13-01", "span": "23:00-24:00", "sessions": ["23:00-24:00 places"]}
    if kind == "span" and isinstance(value, list):
        return {**key.node, "value": ["23:00-24:00"]}
    if kind in far:
        return {**key.node, "value": far[kind]}
    items = value if isinstance(value, list) else [value]
    if not items or not all(map(is_number, items)):
        return DROP
    most = 10 * (max(map(abs, items)) + 10**6)
    return {**key.node, "value": [most] * len(items) if isinstance(value, list) else most}


QUANTITY_WAYS: dict[str, Callable[[Key], Any]] = {
    "value of another kind": other_kind,
    "list or single value": other_length,
    "value beyond its range": beyond,
    "nothing for a value": lambda key: DROP if key.leaf.form == "code" else {**key.node, "value": {}},
    "unknown unit": field("unit", "furlong"),
    "unit of something else": other_unit,
    "range of a word": field("range", "wide"),
    "range the wrong way round": turned_range,
    "unknown source": field("source", "hearsay"),
    "no source": field("source", []),
    "unknown status": field("status", "certain"),
    "unknown field": field("colour", "red"),
    "bare number": lambda key: 5,
    **{f"without its {name}": field(name, DROP) for name in REQUIRED},
}
"""Ways in which a quantity is wrong; DROP where a way does not apply to a row."""


def other_plain(key: Key) -> Any:
    """A plain value of another kind."""
    return {"flag": "perhaps", "order": "low", "text": 3.5}.get(key.leaf.form.partition(":")[0], 3.5)


PLAIN_WAYS: dict[str, Callable[[Key], Any]] = {
    "another kind": other_plain,
    "brackets": lambda key: [[{}]],
    "a mapping": lambda key: {"strange": [1]},
}


def put(tree: Mapping[str, Any], place: tuple[str, ...], node: Any) -> dict[str, Any]:
    """Copy of a tree with another part at a place, or without it."""
    first, *rest = place
    if rest:
        return {**tree, first: put(tree[first], tuple(rest), node)}
    return {**tree, first: node} if node is not DROP else {k: v for k, v in tree.items() if k != first}


def with_files(trees: Mapping[str, Any]) -> Base:
    """What worlds share, with other trees for some files of the vocabulary."""
    words = packaged()
    parts = {"task": dict(words.tasks), "role": dict(words.roles), "section": dict(words.sections)}
    for file, tree in trees.items():
        folder, _, name = file.partition("/")
        parts[folder][name] = tree
    changed = replace(words, tasks=parts["task"], roles=parts["role"], sections=parts["section"])
    return replace(read_base((), ()), vocabulary=changed)


def of_vocabulary(key: Key) -> bool:
    return key.file.partition("/")[0] in ("task", "role", "section")


def tree_of(file: str) -> Mapping[str, Any]:
    folder, _, name = file.partition("/")
    words = packaged()
    of = {"task": words.tasks, "role": words.roles, "section": words.sections}
    return of[folder][name] if folder in of else words.choices[folder][name]


def changed(key: Key, node: Any) -> dict[str, Any]:
    return put(copy.deepcopy(dict(tree_of(key.file))), key.place, node)


def faults_of(base: Base) -> list[Fault]:
    """Faults of the world, each in its form."""
    found = [*base.faults, *read_world(base, CHOSEN, ()).faults]
    for fault in found:
        assert_helps(fault)
    return found


def assert_helps(fault: Fault) -> None:
    """Path, value, expectation and remedy, on one line."""
    assert LINE.fullmatch(str(fault)), str(fault)
    assert fault.path.strip()
    assert fault.expectation.strip()
    assert fault.remedy.strip()


def names(fault: Fault, path: str) -> bool:
    """Whether a fault is at a key or below it."""
    return fault.path == path or fault.path.startswith(f"{path}.")


def test_the_schema_has_no_row_without_a_key() -> None:
    """A row that no packaged file uses would be mutated nowhere."""

    def rows(node: Node, path: str) -> Iterator[str]:
        for name, part in node.below.items():
            where = f"{path}.{name}".lstrip(".")
            if isinstance(part, Node):
                yield from rows(part, where)
            else:
                yield where

    seen = {re.sub(r"^(first_contact|target\.\w+)\.\w+", r"\1.*", key.path) for key in keys()}
    seen |= {re.sub(r"^practice\.team\.(?!gp)\w+", "practice.team.*", path) for path in seen}
    assert set(rows(section_schema(), "")) <= {
        re.sub(r"^(target\.\w+)\.\*.*", r"\1.*", path) for path in seen
    }
    assert len(quantities()) > 600


@pytest.mark.parametrize("way", QUANTITY_WAYS)
def test_all_quantities_wrong_at_once_are_all_named(way: str) -> None:
    """One load with every quantity of the vocabulary wrong in one way: each key has its fault."""
    trees: dict[str, Any] = {}
    wrong: list[Key] = []
    for key in filter(of_vocabulary, quantities()):
        node = QUANTITY_WAYS[way](key)
        if node is DROP:
            continue
        trees[key.file] = put(trees.get(key.file) or copy.deepcopy(dict(tree_of(key.file))), key.place, node)
        wrong.append(key)
    assert len(wrong) > 100 or way in ("range the wrong way round",)
    paths = [fault.path for fault in faults_of(with_files(trees))]
    named = {
        path[:end] for path in paths for end in [*(m.start() for m in re.finditer(r"\.", path)), len(path)]
    }
    missed = [key.path for key in wrong if key.path not in named]
    assert not missed, missed[:5]


def test_every_key_that_must_be_there_is_missed() -> None:
    """All required quantities taken out at once: each is asked for."""
    trees: dict[str, Any] = {}
    wrong = [key for key in quantities() if of_vocabulary(key) and key.required]
    for key in wrong:
        trees[key.file] = put(trees.get(key.file) or copy.deepcopy(dict(tree_of(key.file))), key.place, DROP)
    paths = {fault.path for fault in faults_of(with_files(trees))}
    missed = [key.path for key in wrong if key.path not in paths]
    assert not missed, missed[:5]


def test_every_misspelt_key_is_refused() -> None:
    """Every quantity under another name at once: each strange name is told."""
    trees: dict[str, Any] = {}
    wrong: list[str] = []
    for key in filter(of_vocabulary, quantities()):
        *way, last = key.place
        if key.path.split(".")[-2] in ("minutes", "children") or key.path.startswith("target."):
            continue
        tree = trees.get(key.file) or copy.deepcopy(dict(tree_of(key.file)))
        trees[key.file] = put(put(tree, key.place, DROP), (*way, f"{last}x"), key.node)
        wrong.append(f"{key.path}x")
    paths = {fault.path for fault in faults_of(with_files(trees))}
    missed = [path for path in wrong if path not in paths]
    assert not missed, missed[:5]


def cases(kind: list[Key], ways: Mapping[str, Callable[[Key], Any]]) -> list[tuple[Key, str]]:
    return [(key, way) for key in kind if of_vocabulary(key) for way in ways if ways[way](key) is not DROP]


def refuse_alone(key: Key, way: str, ways: Mapping[str, Callable[[Key], Any]]) -> None:
    """One key wrong in one way: it is named."""
    found = faults_of(with_files({key.file: changed(key, ways[way](key))}))
    root = ".".join(key.path.split(".")[:2])
    assert any(names(fault, key.path) or names(fault, root) for fault in found), (key.path, way, found[:3])


def test_a_sample_of_quantities_wrong_alone_is_named() -> None:
    every = cases(quantities(), QUANTITY_WAYS)
    for key, way in random.Random(1).sample(every, len(every) // (SLOW_SHARE * len(QUANTITY_WAYS) // 4)):
        refuse_alone(key, way, QUANTITY_WAYS)


@pytest.mark.slow
@pytest.mark.parametrize("way", QUANTITY_WAYS)
def test_every_quantity_wrong_alone_is_named(way: str) -> None:
    for key, one in cases(quantities(), {way: QUANTITY_WAYS[way]}):
        refuse_alone(key, one, QUANTITY_WAYS)


@pytest.mark.slow
@pytest.mark.parametrize("way", PLAIN_WAYS)
def test_every_plain_value_wrong_alone_is_named(way: str) -> None:
    for key, one in cases(plain(), {way: PLAIN_WAYS[way]}):
        if key.leaf.form != "values":
            refuse_alone(key, one, PLAIN_WAYS)


def test_a_sample_of_plain_values_wrong_alone_is_named() -> None:
    every = cases(plain(), PLAIN_WAYS)
    for key, way in random.Random(2).sample(every, 60):
        refuse_alone(key, way, PLAIN_WAYS)


SCOPES = {
    "allowed": "perhaps",
    "status": "certain",
    "from": "soon",
    "source": "hearsay",
    "text": 3,
    "colour": "red",
}


@pytest.mark.parametrize("part", [*SCOPES, *(f"no {name}" for name in SCOPES if name != "colour")])
def test_every_scope_wrong_at_once_is_named(part: str) -> None:
    """All legal scopes of all roles wrong in one field."""
    scopes = [key for key in plain() if key.leaf.form == "scope"]
    assert len(scopes) > 80
    trees: dict[str, Any] = {}
    name = part.removeprefix("no ")
    for key in scopes:
        node = {one: given for one, given in key.node.items() if one != name}
        node |= {} if part.startswith("no ") else {name: SCOPES[name]}
        trees[key.file] = put(trees.get(key.file) or copy.deepcopy(dict(tree_of(key.file))), key.place, node)
    paths = {fault.path for fault in faults_of(with_files(trees))}
    missed = [key.path for key in scopes if f"{key.path}.{name}" not in paths]
    assert not missed, missed[:5]


def chosen_cases() -> list[tuple[Key, str, Any]]:
    """Keys of the files that are chosen by `group=name`, with what is put in their place."""
    found: list[tuple[Key, str, Any]] = []
    for key in keys():
        if of_vocabulary(key):
            continue
        ways = QUANTITY_WAYS if is_quantity(key.node) else PLAIN_WAYS
        for way, change in ways.items():
            node = change(key)
            if node is not DROP and not (key.leaf.form == "values" and way == "a mapping"):
                found.append((key, way, node))
        if key.required:
            found.append((key, "missing", DROP))
    return found


def refuse_chosen(folder: Path, key: Key, node: Any) -> list[Fault]:
    """Faults of a chosen file with one key changed, read as any file is."""
    target = folder / f"{key.file}.yaml"
    target.parent.mkdir(parents=True)
    target.write_text(yaml.safe_dump(changed(key, node), allow_unicode=True), encoding="utf-8")
    group, _, name = key.file.partition("/")
    with pytest.raises(Faults) as caught:
        if group == "scenario":
            load_comparison([f"scenario={name}"], [folder])
        else:
            load_study([f"{one}={chosen}" for one, chosen in {**CHOSEN, group: name}.items()], [folder])
    for fault in caught.value.faults:
        assert_helps(fault)
    return list(caught.value.faults)


def test_the_chosen_files_have_keys_to_get_wrong() -> None:
    assert {key.file.partition("/")[0] for key, _, _ in chosen_cases()} == set(GROUPS)


def check_chosen(tmp_path: Path, some: list[tuple[Key, str, Any]]) -> None:
    for number, (key, way, node) in enumerate(some):
        found = refuse_chosen(tmp_path / str(number), key, node)
        group = key.path.split(".")[0]
        assert any(names(fault, key.path) or fault.path.startswith(group) for fault in found), (
            key.path, way, list(map(str, found)),
        )  # fmt: skip


def test_a_sample_of_chosen_files_wrong_in_one_key_is_refused(tmp_path: Path) -> None:
    every = chosen_cases()
    check_chosen(tmp_path, random.Random(3).sample(every, 25))


@pytest.mark.slow
@pytest.mark.parametrize("group", GROUPS)
def test_every_chosen_file_wrong_in_one_key_is_refused(tmp_path: Path, group: str) -> None:
    check_chosen(tmp_path, [case for case in chosen_cases() if case[0].file.startswith(f"{group}/")])


@pytest.mark.parametrize("seed", range(2))
def test_a_sample_is_refused_at_the_front_door(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Files on disk and the command itself: exit code 2, lines in their form, nothing printed, nothing written."""
    monkeypatch.setitem(sys.modules, "careload.command.launch", SimpleNamespace(launch=lambda *_: 0))
    every = cases(quantities(), QUANTITY_WAYS)
    for number, (key, way) in enumerate(random.Random(seed).sample(every, 8)):
        folder = tmp_path / str(number)
        target = folder / f"{key.file}.yaml"
        target.parent.mkdir(parents=True)
        node = QUANTITY_WAYS[way](key)
        target.write_text(yaml.safe_dump(changed(key, node), allow_unicode=True), encoding="utf-8")
        chosen = [f"{group}={name}" for group, name in CHOSEN.items()]
        code = main(["run", *chosen, f"--config-dir={folder}", f"output={folder / 'results'}"])
        out, err = capsys.readouterr()
        assert (code, out) == (FAULTS, ""), (key.path, way, err)
        assert all(LINE.fullmatch(line) for line in err.splitlines()), err
        assert key.path in err
        assert not (folder / "results").exists()


OVERRIDE_WAYS: dict[str, str] = {
    "": "[[strange]]",
    ".value": "{}",
    ".unit": "furlong",
    ".range": "wide",
    ".source": "hearsay",
    ".status": "certain",
    ".colour": "red",
}


@pytest.mark.parametrize("end", OVERRIDE_WAYS)
def test_every_key_overridden_wrongly_is_named(end: str) -> None:
    """An override of every key of a world at once, wrong in one way: each is named."""
    chosen = [f"{group}={name}" for group, name in CHOSEN.items()]
    every = [key for key, _ in load_study(chosen).quantities()]
    if end == ".colour":  # each unknown key is compared with all others
        every = random.Random(4).sample(every, 25)
    with pytest.raises(Faults) as caught:
        load_study([*chosen, *(f"{key}{end}={OVERRIDE_WAYS[end]}" for key in every)])
    for fault in caught.value.faults:
        assert_helps(fault)
    missed = [key for key in every if not any(names(fault, key) for fault in caught.value.faults)]
    assert not missed, missed[:5]


def test_fields_of_a_quantity_are_all_tried() -> None:
    assert set(REQUIRED) < set(FIELDS)
    assert {f"without its {name}" for name in REQUIRED} <= set(QUANTITY_WAYS)
