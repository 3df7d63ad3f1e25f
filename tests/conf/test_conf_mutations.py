"""Whatever stands in the files, the answer is a study or a list of faults."""

from __future__ import annotations

import copy
import random
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from careload.inputs.faults import Faults
from careload.inputs.load import load_comparison, load_study
from careload.inputs.vocabulary import conf_dir

LINE = re.compile(r".+ = .*: expected .+; try .+")
STRANGE: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    3.5,
    1e9,
    "",
    "strange",
    "nurse",
    [],
    [1, "a"],
    {},
    {"value": 1},
    [[]],
    "08:00",
)
FOLDERS = (
    "task",
    "role",
    "section",
    "practice",
    "protocol",
    "country",
    "population",
    "behaviour",
    "picture",
    "run",
)


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths of all nodes below the root."""
    steps = (
        list(node.items())
        if isinstance(node, dict)
        else list(enumerate(node))
        if isinstance(node, list)
        else []
    )
    found = []
    for step, below in steps:
        found += [(*path, step), *places(below, (*path, step))]
    return found


def mutated(tree: Any, chance: random.Random) -> Any:
    """Copy of the tree with one node dropped, renamed or replaced."""
    tree = copy.deepcopy(tree)
    *way, last = chance.choice(places(tree))
    node = tree
    for step in way:
        node = node[step]
    action = chance.choice(("drop", "rename", "replace", "replace"))
    if action == "drop":
        del node[last]
    elif action == "rename" and isinstance(node, dict):
        node[f"{last}x"] = node.pop(last)
    else:
        node[last] = chance.choice(STRANGE)
    return tree


def outcome(folder: Path, compare: bool) -> int:
    """Number of faults, each in its form; 0 for a study with a digest."""
    try:
        if compare:
            digests = [study.digest for _, study in load_comparison([], [folder]).worlds]
        else:
            digests = [load_study(["practice=solo_nurse"], [folder]).digest]
    except Faults as faults:
        for line in str(faults).splitlines():
            assert LINE.fullmatch(line), line
        return len(faults.faults)
    assert all(len(digest) == 64 for digest in digests)
    return 0


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_mutated_file_gives_faults_and_no_crash(tmp_path: Path, folder: str) -> None:
    chance = random.Random(folder)
    paths = sorted((conf_dir() / folder).glob("*.yaml"))
    with_faults = 0
    for trial in range(5):
        path = chance.choice(paths)
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
        target = tmp_path / str(trial) / folder / path.name
        target.parent.mkdir(parents=True)
        target.write_text(yaml.safe_dump(mutated(tree, chance), allow_unicode=True), encoding="utf-8")
        with_faults += outcome(tmp_path / str(trial), compare=False) > 0
    assert with_faults > 0


def test_a_mutated_scenario_gives_faults_and_no_crash(tmp_path: Path) -> None:
    chance = random.Random("scenario")
    tree = yaml.safe_load((conf_dir() / "scenario/half_time_nurse.yaml").read_text(encoding="utf-8"))
    with_faults = 0
    for trial in range(8):
        target = tmp_path / str(trial) / "scenario/half_time_nurse.yaml"
        target.parent.mkdir(parents=True)
        target.write_text(yaml.safe_dump(mutated(tree, chance), allow_unicode=True), encoding="utf-8")
        with_faults += outcome(tmp_path / str(trial), compare=True) > 0
    assert with_faults > 3


def test_mutated_text_gives_faults_and_no_crash(tmp_path: Path) -> None:
    chance = random.Random("text")
    paths = sorted(conf_dir().rglob("*.yaml"))
    for trial in range(12):
        path = chance.choice(paths)
        text = path.read_text(encoding="utf-8")
        at = chance.randrange(len(text))
        text = text[:at] + chance.choice("{}[]:,'\"#-&*!|>%@`\t\n ~?0") + text[at + chance.randrange(3) :]
        target = tmp_path / str(trial) / path.relative_to(conf_dir())
        target.parent.mkdir(parents=True)
        target.write_text(text, encoding="utf-8")
        outcome(tmp_path / str(trial), compare=False)


@pytest.mark.parametrize("seed", range(4))
def test_strange_overrides_give_faults_and_no_crash(seed: int) -> None:
    chance = random.Random(seed)
    keys = [key for key, _ in load_study(["practice=solo_nurse"]).quantities()]
    fields = ("", ".value", ".range", ".unit", ".source", ".status", ".note", ".other")
    values = (
        "null",
        "true",
        "-1",
        "1e300",
        ".inf",
        ".nan",
        "''",
        "word",
        "[]",
        "[1,2]",
        "[a,[b]]",
        "{}",
        "{value: 3}",
        "{a: 1}",
    )
    for _ in range(10):
        wrong = [
            f"{chance.choice(keys)}{chance.choice(fields)}={chance.choice(values)}"
            for _ in range(chance.randrange(1, 8))
        ]
        try:
            load_study(["practice=solo_nurse", *wrong])
        except Faults as faults:
            for line in str(faults).splitlines():
                assert LINE.fullmatch(line), (line, wrong)
