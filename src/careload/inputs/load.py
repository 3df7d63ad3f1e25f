"""From choices and overrides to a study, or to the studies of a comparison; all faults at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from careload.inputs.assemble import assemble
from careload.inputs.check import check_tree, words
from careload.inputs.faults import Fault, near, raise_any
from careload.inputs.feasible import shared_faults
from careload.inputs.overrides import WORLDS, Overrides, for_hydra
from careload.inputs.quantity import FIELDS, varies
from careload.inputs.schema import choice_schema
from careload.inputs.study import Comparison, Scenario, Study
from careload.inputs.vocabulary import DEFAULT_SCENARIO, Vocabulary
from careload.inputs.world import CHOSEN, Base, World, file_values, read_base, read_world

__all__ = ["load_comparison", "load_study", "route_overrides"]


def load_study(overrides: Sequence[str] = (), config_dirs: Sequence[str | Path] = ()) -> Study:
    """Load and check the study of one world.

    Parameters
    ----------
    overrides : sequence of str
        `group=name`, `dotted.key.value=5`, `dotted.key=5`, `dotted.key.range=[1,9]`, `seed=2`; those of Hydra
        itself are left aside.
    config_dirs : sequence of path
        Folders beside the packaged one; a file there is added or replaces the one of the same name.

    Returns
    -------
    Study

    Raises
    ------
    Faults
        All faults at once.
    """
    base = read_base(overrides, config_dirs)
    faults = list(base.faults)
    chosen = dict(base.overrides.choices)
    scenario = chosen.pop("scenario", None)
    if scenario is not None:
        faults.append(
            Fault("scenario", scenario, "no scenario for a run of one world", "the compare command")
        )
    faults += [
        Fault(f"{WORLDS}.{name}", name, "no world of a scenario in a run of one world", "the compare command")
        for name in base.overrides.worlds
    ]
    world = read_world(base, chosen, ())
    raise_any(faults + world.faults + [fault for _, fault in world.failed])
    return _study(base, world)


def load_comparison(overrides: Sequence[str] = (), config_dirs: Sequence[str | Path] = ()) -> Comparison:
    """Load and check the worlds of a scenario (`scenario=name`).

    An override holds in every world that has its key; one that no world has is a fault, and so is one that
    sets what the scenario itself sets. `worlds.NAME.` in front of it lets it hold in that world alone, where it
    goes before the scenario.

    Parameters
    ----------
    overrides, config_dirs
        As for `load_study`.

    Returns
    -------
    Comparison

    Raises
    ------
    Faults
        All faults at once.
    """
    base = read_base(overrides, config_dirs)
    faults = list(base.faults)
    chosen = dict(base.overrides.choices)
    name = chosen.pop("scenario", DEFAULT_SCENARIO)
    scenario, found = _scenario(base, name)
    faults += found
    listed = [] if found else scenario["worlds"]
    faults += _clashes(base.overrides, listed) + _world_faults(base.overrides, listed)
    worlds = []
    for entry in listed:
        where = f"scenario.{name}.{entry['name']}"
        choices, found = _world_choices(where, entry, base.vocabulary)
        faults += found
        values = file_values(where, entry.get("values", {}))
        worlds.append(read_world(base, {**chosen, **choices}, values, entry["name"]))
    faults += [fault for world in worlds for fault in world.faults]
    faults += _lost_everywhere(worlds)
    faults += shared_faults(
        [(entry["name"], _values(world)) for entry, world in zip(listed, worlds, strict=True)]
    )
    faults += _input_faults(name, scenario, worlds)
    raise_any(faults)
    studies = tuple((entry["name"], _study(base, world)) for entry, world in zip(listed, worlds, strict=True))
    inputs = tuple(scenario.get("inputs", worlds[0].choices["run"]["inputs"]))
    label = _with_changes(scenario["label"], base.overrides)
    return Comparison(Scenario(name, label, scenario["question"], inputs), studies)


def route_overrides(overrides: Iterable[str]) -> list[str]:
    """Rewrite overrides for Hydra's command line, which knows only choices; `load_study` takes both forms."""
    return for_hydra(overrides)


def _study(base: Base, world: World) -> Study:
    """Freeze a world that has no faults."""
    return assemble(world, base.vocabulary.sources, base.folders, base.overrides.texts)


def _values(world: World) -> dict[str, Any]:
    """Dotted key to value of the quantities without fault."""
    return {key: quantity.value for key, quantity in world.quantities.items()}


def _scenario(base: Base, name: str) -> tuple[Mapping[str, Any], list[Fault]]:
    """Read and check a scenario."""
    scenario = base.vocabulary.choices["scenario"].get(name, {})
    faults = check_tree(f"scenario.{name}", choice_schema("scenario"), scenario, {})[1]
    if scenario.get("name") != name:
        faults.append(Fault("scenario.name", scenario.get("name"), "the name of its file", f"name: {name}"))
    return scenario, faults


def _world_choices(
    where: str, entry: Mapping[str, Any], vocabulary: Vocabulary
) -> tuple[dict[str, str], list[Fault]]:
    """Choices of a world that exist, and the faults of those that do not."""
    choices: dict[str, str] = {}
    faults: list[Fault] = []
    for group, choice in entry.get("choices", {}).items():
        path, known = f"{where}.choices.{group}", vocabulary.choices.get(str(group), {})
        if group not in CHOSEN:
            remedy = near(str(group), CHOSEN, ", ".join(CHOSEN))
            faults.append(Fault(path, choice, "a group of choices", remedy))
        elif str(choice) not in known:
            listed = ", ".join(sorted(known)) or "none"
            faults.append(Fault(path, choice, f"one of {listed}", near(str(choice), known, listed)))
        else:
            choices[group] = str(choice)
    return choices, faults


def _clashes(overrides: Overrides, worlds: Iterable[Mapping[str, Any]]) -> list[Fault]:
    """Overrides of what the scenario itself sets."""
    faults = []
    remedy = f"`{WORLDS}.NAME.` in front of it, for one world, or another scenario"
    for world in worlds:
        for group in world.get("choices", {}):
            if group in overrides.choices:
                chosen = overrides.choices[group]
                faults.append(Fault(group, chosen, "a choice that the scenario leaves open", remedy))
        for key in world.get("values", {}):
            for value in overrides.values:
                if _sets_the_same(str(key), value.path):
                    faults.append(
                        Fault(str(key), value.value, "a value that the scenario leaves open", remedy)
                    )
    return faults


_NO_CHANGE: Final = ("scenario=", "seed=", "run.", "run=")
"""Beginnings of overrides that leave the worlds as they are: which scenario, how often, with what luck."""

_CHANGED: Final = {"en": "changed", "fr": "modifié", "nl": "gewijzigd"}


def _with_changes(label: Mapping[str, str], overrides: Overrides) -> Mapping[str, str]:
    """Label of a scenario that says what was changed, as it no longer is the scenario shipped."""
    given = [text.lstrip("+") for text in overrides.texts]
    changes = [text for text in given if not text.startswith(_NO_CHANGE)]
    if not changes:
        return label
    return {
        language: f"{text} ({_CHANGED[language]}: {', '.join(changes)})" for language, text in label.items()
    }


def _world_faults(overrides: Overrides, worlds: Sequence[Mapping[str, Any]]) -> list[Fault]:
    """Overrides of worlds that the scenario does not have, and of what all worlds share."""
    names = [str(world["name"]) for world in worlds]
    faults = []
    for name, changes in overrides.worlds.items():
        if worlds and name not in names:
            listed = ", ".join(names)
            faults.append(
                Fault(f"{WORLDS}.{name}", name, "a world of the scenario", near(name, names, listed))
            )
        if "scenario" in changes.choices:
            chosen, remedy = changes.choices["scenario"], f"scenario={changes.choices['scenario']}"
            faults.append(Fault(f"{WORLDS}.{name}.scenario", chosen, "one scenario for all worlds", remedy))
        faults += [
            Fault(f"{WORLDS}.{name}.seed", value.value, "one seed for all worlds", f"seed={value.value}")
            for value in changes.values
            if value.path == ("seed",)
        ]
    return faults


def _input_faults(name: str, scenario: Mapping[str, Any], worlds: Sequence[World]) -> list[Fault]:
    """Inputs to be varied that no world has, or that have no low and high end."""
    if not worlds:
        return []
    own = "inputs" in scenario
    run = worlds[0].choices["run"]
    where = f"scenario.{name}.inputs" if own else f"run.{run.get('name')}.inputs"
    known = {key: quantity for world in worlds for key, quantity in world.quantities.items()}
    numbers = [key for key, quantity in known.items() if varies(quantity)]
    return [
        Fault(where, key, "a number of the evidence command with a range", near(key, numbers, "another key"))
        for key in words(scenario["inputs"] if own else run.get("inputs"))
        if key not in numbers
    ]


def _sets_the_same(key: str, path: Sequence[str]) -> bool:
    """Whether a key of a world and the path of an override set one value; ranges and notes are free."""
    ours, theirs = (".".join(p).removesuffix(".value").split(".") for p in (key.split("."), path))
    shared = min(len(ours), len(theirs))
    return ours[:shared] == theirs[:shared] and theirs[shared : shared + 1] not in [[name] for name in FIELDS]


def _lost_everywhere(worlds: Sequence[World]) -> list[Fault]:
    """Overrides whose key no world has."""
    if not worlds:
        return []
    paths = [{override.path for override, _ in world.failed} for world in worlds]
    lost = set.intersection(*paths)
    return [fault for world in worlds for override, fault in world.failed if override.path in lost]
