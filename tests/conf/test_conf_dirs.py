"""A user's own folder: files added and replaced, order without effect, faults with file and line."""

from __future__ import annotations

import copy
import random
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from careload.inputs.faults import Faults
from careload.inputs.load import load_comparison, load_study
from careload.inputs.vocabulary import conf_dir
from careload.inputs.yaml_files import read_yaml


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return folder


def read(path: Path) -> Any:
    tree, faults = read_yaml(path, path.name)
    assert not faults
    return copy.deepcopy(tree)


def faults_with(folder: Path, *overrides: str) -> str:
    with pytest.raises(Faults) as caught:
        load_study(overrides, [folder])
    return str(caught.value)


def test_a_practice_of_ones_own_is_a_short_file(tmp_path: Path) -> None:
    write(
        tmp_path,
        "practice/mine.yaml",
        "name: mine\n"
        "label: {en: Ours, fr: La nôtre, nl: De onze}\n"
        "staff: [gp, nurse]\n"
        "values:\n"
        "  practice.list_size: {value: 1500, source: our_list, status: verified}\n"
        "  practice.team.nurse.fte: 0.8\n",
    )
    write(tmp_path, "sources.yaml", "our_list: {title: Our own list, url: null, year: 2026, note: counted}\n")
    study = load_study(["practice=mine"], [tmp_path])
    assert study.practice.label["en"] == "Ours"
    assert study.value("practice.list_size") == 1500
    assert study.quantity("practice.list_size").status == "verified"
    assert study.value("practice.team.nurse.fte") == 0.8
    assert study.sources["our_list"].year == 2026


def test_a_file_may_build_on_another(tmp_path: Path) -> None:
    write(
        tmp_path,
        "practice/big.yaml",
        "defaults: [solo_nurse, _self_]\nname: big\nvalues: {practice.list_size: 2000}\n",
    )
    study = load_study(["practice=big"], [tmp_path])
    assert study.staff == ("nurse", "gp")
    assert study.value("practice.list_size") == 2000


def test_a_file_of_the_same_name_replaces_the_packaged_one(tmp_path: Path) -> None:
    text = (conf_dir() / "task/ecg.yaml").read_text(encoding="utf-8")
    write(tmp_path, "task/ecg.yaml", text.replace("rate: {value: 25,", "rate: {value: 30,"))
    solo = (conf_dir() / "practice/solo.yaml").read_text(encoding="utf-8")
    write(tmp_path, "practice/solo.yaml", solo.replace("Solo GP", "Alone"))
    study = load_study([], [tmp_path])
    assert study.value("task.ecg.rate") == 30
    assert study.practice.label["en"] == "Alone"
    assert load_study().value("task.ecg.rate") == 25


def test_the_last_folder_wins(tmp_path: Path) -> None:
    text = (conf_dir() / "task/ecg.yaml").read_text(encoding="utf-8")
    first = write(tmp_path / "a", "task/ecg.yaml", text.replace("rate: {value: 25,", "rate: {value: 30,"))
    second = write(tmp_path / "b", "task/ecg.yaml", text.replace("rate: {value: 25,", "rate: {value: 35,"))
    assert load_study([], [first, second]).value("task.ecg.rate") == 35
    assert load_study([], [second, first]).value("task.ecg.rate") == 30


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    text = (conf_dir() / "task/ecg.yaml").read_text(encoding="utf-8")
    write(tmp_path, "task/ecg.yaml", text.replace("rate: {value: 25,", "rate: {value: 30,"))
    assert load_study([], [tmp_path]).value("task.ecg.rate") == 30
    write(tmp_path, "task/ecg.yaml", text.replace("rate: {value: 25,", "rate: {value: 30.5,"))
    assert load_study([], [tmp_path]).value("task.ecg.rate") == 30.5


def test_a_task_and_a_protocol_of_ones_own_need_no_code(tmp_path: Path) -> None:
    model = (conf_dir() / "task/poc_test.yaml").read_text(encoding="utf-8")
    write(tmp_path, "task/retina_photo.yaml", model)
    nurse = (conf_dir() / "role/nurse.yaml").read_text(encoding="utf-8")
    scope = '  retina_photo: {allowed: true, status: derived, from: "2020-01-01", source: S39, text: "A photo."}\n'
    write(tmp_path, "role/nurse.yaml", nurse + scope)
    write(
        tmp_path,
        "protocol/photo.yaml",
        "name: photo\nlabel: {en: Photo, fr: Photo, nl: Foto}\ndelegate_roles: [nurse]\nresponsible_role: gp\n"
        "acts: [retina_photo, cervical_smear]\nvisits: []\nrequires_stable: []\n",
    )
    study = load_study(["practice=solo_nurse", "protocol=photo"], [tmp_path])
    assert study.protocol.acts == {"retina_photo": "nurse"}
    (refusal,) = study.refused
    assert (refusal.role, refusal.task) == ("nurse", "cervical_smear")
    assert "legal check" in refusal.text


def test_a_scenario_of_ones_own_may_set_values(tmp_path: Path) -> None:
    write(
        tmp_path,
        "scenario/posts.yaml",
        "name: posts\nlabel: {en: Posts, fr: Postes, nl: Posten}\n"
        "question: {en: How large?, fr: Quelle taille ?, nl: Hoe groot?}\n"
        "worlds:\n"
        "  - {name: half, choices: {practice: solo_nurse}}\n"
        "  - {name: full, choices: {practice: solo_nurse}, values: {practice.team.nurse.fte: 1.0}}\n",
    )
    half, full = (study for _, study in load_comparison(["scenario=posts"], [tmp_path]).worlds)
    assert (half.value("practice.team.nurse.fte"), full.value("practice.team.nurse.fte")) == (0.5, 1.0)
    with pytest.raises(Faults, match="leaves open"):
        load_comparison(["scenario=posts", "practice.team.nurse.fte=0.7"], [tmp_path])


def shuffled(node: Any, chance: random.Random) -> Any:
    """The same tree with its keys in another order."""
    if isinstance(node, dict):
        names = list(node)
        chance.shuffle(names)
        return {name: shuffled(node[name], chance) for name in names}
    return [shuffled(item, chance) for item in node] if isinstance(node, list) else node


def test_order_of_files_and_keys_changes_nothing(tmp_path: Path) -> None:
    chance = random.Random(1)
    paths = sorted(conf_dir().rglob("*.yaml"))
    chance.shuffle(paths)
    for path in paths:
        name = path.relative_to(conf_dir())
        if name.name == "config.yaml":
            continue
        tree = shuffled(read(path), chance)
        write(tmp_path, str(name), yaml.safe_dump(tree, sort_keys=False, allow_unicode=True))
    choices = ["practice=solo_nurse"]
    plain, mixed = load_study(choices), load_study(choices, [tmp_path])
    assert mixed.digest == plain.digest
    assert list(mixed.quantities()) == list(plain.quantities())
    assert list(mixed.tasks) == list(plain.tasks)
    assert mixed.staff == plain.staff


def test_protocol_and_section_lists_may_stand_in_any_order(tmp_path: Path) -> None:
    for name, keys in (
        ("protocol/technical_chronic_prevention.yaml", ("acts", "visits", "requires_stable")),
        ("country/belgium.yaml", ("sections",)),
        ("practice/solo_nurse.yaml", ("staff",)),
    ):
        tree = read(conf_dir() / name)
        for key in keys:
            tree[key].reverse()
        write(tmp_path, name, yaml.safe_dump(tree, allow_unicode=True))
    choices = ["practice=solo_nurse"]
    assert load_study(choices, [tmp_path]).digest == load_study(choices).digest


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("task/new.yaml", "kind: act\nrate: {value: 3, unit: minute\n", "new.yaml, line 3"),
        ("task/new.yaml", "kind: act\n  rate: 3\n", "new.yaml, line 2"),
        ("practice/mine.yaml", "name: mine\nlabel: [en\n", "mine.yaml, line"),
        ("task/new.yaml", "kind: act\nkind: act\n", "every key once"),
        ("task/new.yaml", "kind: act\n_target_: os.system\n", "no code path"),
        ("practice/mine.yaml", "name: ${seed}\n", "no interpolation"),
        ("task/new.yaml", "- act\n", "keys with values"),
        ("tasks/new.yaml", "kind: act\n", "try task"),
        ("config.yaml", "seed: 2\n", "sources.yaml or a file in a folder"),
        ("section/extra.yaml", "book: {new: 3}\n", "a section that a country names"),
        ("sources.yaml", "mine: {title: Mine}\n", "title, url (or null), year and note"),
        ("task/new.yaml", "kind: act\n", "task.new.rate = null"),
        ("task/new.yaml", "kind: chore\n", "visit, act, desk, org"),
        ("role/cook.yaml", "label: Cook\nkind: staff\norder: 5\n", "role.cook.scope"),
        (
            "country/belgium.yaml",
            "name: belgium\nlabel: {en: a, fr: b, nl: c}\nsections: [calender]\n",
            "calendar",
        ),
    ],
)
def test_faults_of_files_say_where(tmp_path: Path, name: str, text: str, words: str) -> None:
    found = faults_with(write(tmp_path, name, text))
    assert words in found, found


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name: other\nlabel: {en: a, fr: b, nl: c}\nstaff: [gp]\nvalues: {}\n", "the name of its file"),
        ("name: mine\nlabel: {en: a}\nstaff: [gp]\nvalues: {}\n", "a text in en, fr, nl"),
        ("name: mine\nlabel: {en: a, fr: b, nl: c}\nstaff: [cook]\nvalues: {}\n", "a role of role/"),
        ("name: mine\nlabel: {en: a, fr: b, nl: c}\nstaff: [nurse]\nvalues: {}\n", "a GP"),
        (
            "name: mine\nlabel: {en: a, fr: b, nl: c}\nstaff: [gp]\nvalues: {book.cary_days: 2}\n",
            "book.carry_days",
        ),
        (
            "name: mine\nlabel: {en: a, fr: b, nl: c}\nstaff: [gp]\nvalues: {trust.active: true}\n",
            "one choice to set it",
        ),
        ("name: mine\nlabel: {en: a, fr: b, nl: c}\nstaff: [gp]\nvalues: {}\ncolour: red\n", "a known key"),
        ("# @package _global_\nbook: {carry_days: 2}\n", "a key inside its group"),
        ("3\n", "keys with values"),
    ],
)
def test_faults_of_a_chosen_file(tmp_path: Path, text: str, words: str) -> None:
    found = faults_with(write(tmp_path, "practice/mine.yaml", text), "practice=mine")
    assert words in found, found


def test_faults_of_several_files_come_together(tmp_path: Path) -> None:
    write(tmp_path, "task/new.yaml", "kind: act\n  rate: 3\n")
    write(tmp_path, "practice/mine.yaml", "name: mine\nlabel: {en: [a\n")
    write(tmp_path, "sources.yaml", "mine: {title: Mine}\n")
    found = faults_with(tmp_path, "practice=mine", "book.carry_days=9", "+nope=1")
    for words in ("new.yaml, line 2", "mine.yaml, line 3", "sources.mine", "book.carry_days.value", "nope"):
        assert words in found, found


def test_a_protocol_with_wrong_names_is_a_fault(tmp_path: Path) -> None:
    write(
        tmp_path,
        "protocol/odd.yaml",
        "name: odd\nlabel: {en: a, fr: b, nl: c}\ndelegate_roles: [nurs]\nresponsible_role: gp\n"
        "acts: [blood_drw, minor_illness]\nvisits: [ecg]\nrequires_stable: [chronic_ckd]\n",
    )
    found = faults_with(tmp_path, "protocol=odd", "practice=solo_nurse")
    for words in (
        "try blood_draw",
        "minor_illness",
        "try nurse",
        "a task of kind visit",
        "a visit of this protocol",
    ):
        assert words in found, found


def test_delegated_work_needs_the_minutes_of_the_delegate(tmp_path: Path) -> None:
    ecg = read(conf_dir() / "task/ecg.yaml")
    del ecg["minutes"]["nurse"]
    write(tmp_path, "task/ecg.yaml", yaml.safe_dump(ecg))
    assert load_study([], [tmp_path]).staff == ("gp",)
    assert "task.ecg.minutes.nurse" in faults_with(tmp_path, "practice=solo_nurse")


def test_a_copy_of_all_files_may_stand_anywhere(tmp_path: Path) -> None:
    folder = tmp_path / "a folder, with ümlaut, 'quotes' and [brackets]"
    shutil.copytree(conf_dir(), folder, ignore=shutil.ignore_patterns("config.yaml"))
    assert load_study([], [folder]).digest == load_study().digest
