"""The front door: everything a command rests on is checked before anything is simulated, all faults at once."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hydra import compose, initialize
from hydra.core.config_store import ConfigStore
from hydra.core.override_parser.types import Quote, QuotedString
from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from careload.command.arguments import Command
from careload.command.points import points, read_line, without_globs
from careload.inputs.faults import Fault, Faults, near, raise_any
from careload.inputs.load import load_comparison, load_study, route_overrides
from careload.inputs.quantity import STATUSES
from careload.inputs.study import Comparison, Study
from careload.inputs.vocabulary import GROUPS, files_at_rest, options, search_path
from careload.inputs.yaml_files import read_yaml

__all__ = ["CONFIG_NAME", "Entry", "Worlds", "enter", "listed_worlds", "load_worlds", "other_scenarios"]

CONFIG_NAME: Final = "careload"
"""Name under which Hydra knows `config.yaml` with all its settings."""

_OPEN_BYTES: Final = 4e8
"""Memory of the requests that are kept before any are closed, measured over one and three years."""

Worlds = Study | Comparison


@dataclass(frozen=True)
class Entry:
    """A command that may start.

    Attributes
    ----------
    worlds : tuple of Study or Comparison
        What each point rests on; one point unless it is a sweep.
    points : tuple of tuple of str
        Overrides of every point, as written.
    arguments : tuple of str
        Command line for Hydra.
    folder : Path or None
        Where the results go; made. None if nothing is to be written.
    """

    worlds: tuple[Worlds, ...]
    points: tuple[tuple[str, ...], ...]
    arguments: tuple[str, ...]
    folder: Path | None


def load_worlds(verb: str, overrides: Sequence[str], config_dirs: Sequence[str | Path]) -> Worlds:
    """Study of a run, or studies of a comparison.

    Raises
    ------
    Faults
        All faults at once.
    """
    if verb == "compare":
        return load_comparison(overrides, config_dirs)
    return load_study(overrides, config_dirs)


def enter(command: Command, faults: Sequence[Fault]) -> Entry:
    """Check a run or a comparison, and make the folder of its results.

    Parameters
    ----------
    command : Command
        With the verb run or compare.
    faults : sequence of Fault
        Those of the command line itself.

    Returns
    -------
    Entry

    Raises
    ------
    Faults
        All faults at once; nothing is left on disk.
    """
    assert command.verb is not None
    folders, found = search_path(command.config_dirs)
    line, wrong = read_line(command.overrides)
    all_faults = [*faults, *found, *wrong, *_word_faults(command.words, folders), *_cfg_faults(command.cfg)]
    ours = without_globs(line.ours, folders)
    combinations, wrong = points(ours) if command.multirun else ([tuple(ours)], [])
    worlds, found = _load_points(command, combinations)
    all_faults += wrong + found
    if line.launcher and not command.multirun:
        choice, _, value = line.launcher[0].partition("=")
        all_faults.append(Fault(choice, value, "a sweep: it runs the points of one", "-m"))
    setting, given, wrong = _folder_setting(command, line.folders)
    all_faults += wrong
    search = _search_arguments(folders)
    name_primary(folders[0])
    if all_faults:
        folder, wrong = Path((given or "results").partition("${")[0]).expanduser().absolute(), []
    else:
        folder, wrong = _resolved_folder([*search, *_routed(combinations[0])], setting, given)
    all_faults += wrong
    made, wrong = ([], []) if command.cfg else _make(folder)
    if all_faults + wrong:
        _unmake(made)
    raise_any(all_faults + wrong)
    sweep = ["--multirun"] if command.multirun else []
    return Entry(
        worlds=tuple(worlds),
        points=tuple(combinations),
        arguments=(*search, *line.launcher, *_routed(ours), _quoted(setting, str(folder)), *sweep),
        folder=None if command.cfg else folder,
    )


def _load_points(command: Command, combinations: Sequence[Sequence[str]]) -> tuple[list[Worlds], list[Fault]]:
    """What every point rests on, and the faults of all of them."""
    assert command.verb is not None
    worlds: list[Worlds] = []
    faults: list[Fault] = []
    existing = _existing(command)
    with files_at_rest():
        for combination in combinations:
            try:
                worlds.append(load_worlds(command.verb, combination, existing))
                faults += _memory_faults(worlds[-1])
            except Faults as error:
                faults += error.faults
    return worlds, faults


def _existing(command: Command) -> list[str]:
    """Folders of the user that there are."""
    return [given for given in command.config_dirs if Path(given).expanduser().is_dir()]


def listed_worlds(command: Command, faults: Sequence[Fault]) -> tuple[list[tuple[str, Study]], str | None]:
    """Worlds whose quantities are to be listed, and the status asked for.

    Without a choice of practice, protocol or first contact these are the worlds of the scenario.

    Raises
    ------
    Faults
        All faults at once.
    """
    _, found = search_path(command.config_dirs)
    line, wrong = read_line(command.overrides)
    all_faults = [*faults, *found, *wrong]
    all_faults += [
        Fault("output", given, "no folder for a listing", "careload run or careload compare")
        for given in command.output
    ]
    for given in command.status:
        if given not in STATUSES:
            listed = ", ".join(STATUSES)
            all_faults.append(Fault("--status", given, f"one of {listed}", near(given, STATUSES, listed)))
    existing = _existing(command)
    chosen = {text.lstrip("+").partition("=")[0] for text in line.ours}
    worlds: list[tuple[str, Study]] = []
    try:
        if chosen & {"practice", "protocol", "first_contact", "practice.staff"}:
            study = load_study(line.ours, existing)
            worlds = [(study.practice.name, study)]
        else:
            worlds = list(load_comparison(line.ours, existing).worlds)
    except Faults as error:
        all_faults += error.faults
    raise_any(all_faults)
    return worlds, command.status[-1] if command.status else None


def other_scenarios(command: Command) -> dict[str, Sequence[tuple[str, Study]]]:
    """Worlds of every scenario but the one listed, as it ships; those with faults are left out."""
    folders, _ = search_path(command.config_dirs)
    line, _ = read_line(command.overrides)
    found: dict[str, Sequence[tuple[str, Study]]] = {}
    with files_at_rest():
        for name in sorted(options(folders, "scenario")):
            if f"scenario={name}" not in line.ours:
                with suppress(Faults):
                    found[name] = load_comparison([f"scenario={name}"], _existing(command)).worlds
    return found


def _memory_faults(worlds: Worlds) -> list[Fault]:
    """Fault of a run that this machine has not the memory for."""
    from careload.machine import memory_bytes, n_cores
    from careload.plan import MOST_LANES, PATIENT_BYTES

    first = worlds if isinstance(worlds, Study) else worlds.worlds[0][1]
    n_worlds = 1 if isinstance(worlds, Study) else len(worlds.worlds)
    fixed = 0 if isinstance(worlds, Study) else first.value("run.fixed_list_replications")
    lanes = min(n_worlds * (first.value("run.replications") + fixed), MOST_LANES * n_cores())
    size = first.value("practice.list_size")
    need = _OPEN_BYTES + PATIENT_BYTES * lanes * size
    have = memory_bytes(unknown=float("inf"))
    if need <= have:
        return []
    expectation = f"a run that fits into memory: it needs about {need / 1e9:.0f} GB of {have / 1e9:.0f} GB"
    remedy = "fewer practice.list_size or run.replications"
    return [Fault("practice.list_size.value", size, expectation, remedy)]


def _word_faults(words: Sequence[str], folders: Sequence[Path]) -> list[Fault]:
    """Faults of bare words where only overrides make sense."""
    names = {name: group for group in GROUPS for name in options(folders, group)}
    return [
        Fault(
            "argument",
            word,
            "group=name or key=value",
            f"{names[word]}={word}" if word in names else "careload evidence for the keys",
        )
        for word in words
    ]


def _cfg_faults(given: Sequence[str]) -> list[Fault]:
    """Faults of what is to be printed."""
    return [Fault("--cfg", word, "job", "--cfg job") for word in given if word != "job"]


def _folder_setting(command: Command, settings: Mapping[str, str]) -> tuple[str, str | None, list[Fault]]:
    """Setting of Hydra that names the folder, the folder given for it, and the fault of giving two or none."""
    setting = "hydra.sweep.dir" if command.multirun else "hydra.run.dir"
    given = [*command.output, *([settings[setting]] if setting in settings else [])]
    faults = []
    if len(given) > 1:
        faults.append(Fault("output", ", ".join(given), "one folder", "to keep one of them"))
    if any(not text for text in given):
        faults.append(Fault("output", None, "a folder", "output=results/mine"))
    if given and given[-1]:
        return setting, given[-1], faults
    if command.verb == "compare" and not command.multirun:
        return setting, "results/compare/${now:%Y-%m-%d_%H-%M-%S-%f}", faults
    return setting, None, faults


def _search_arguments(folders: Sequence[Path]) -> list[str]:
    """Folders in which Hydra looks, those of the user first."""
    listed = [QuotedString(f"file://{folder}", Quote.single).with_quotes() for folder in reversed(folders)]
    return [f"hydra.searchpath=[{','.join(listed)}]"]


def _routed(texts: Sequence[str]) -> list[str]:
    """Overrides as Hydra takes them: choices bare, values through their open node and never one below another."""
    keys = [text.lstrip("+").partition("=")[0] for text in texts]
    whole = []
    for text, key in zip(texts, keys, strict=True):
        if key in (*GROUPS, "seed"):
            whole.append(text.lstrip("+"))
        elif any(other.startswith(f"{key}.") for other in keys) and not text.endswith("}"):
            whole.append(text.replace(f"{key}=", f"{key}.value=", 1))
        else:
            whole.append(text)
    return route_overrides(whole)


def name_primary(packaged: Path) -> None:
    """Give Hydra the packaged `config.yaml` by name, so that the folders of the user come before the packaged one."""
    tree, _ = read_yaml(packaged / "config.yaml", "conf/config.yaml")
    ConfigStore.instance().store(CONFIG_NAME, tree)


def _resolved_folder(arguments: Sequence[str], setting: str, given: str | None) -> tuple[Path, list[Fault]]:
    """Folder that Hydra makes of the setting, with the time of day filled in."""
    written = [] if given is None else [_quoted(setting, given)]
    try:
        with initialize(config_path=None, version_base="1.3", job_name="careload"):
            config: Any = compose(CONFIG_NAME, overrides=[*arguments, *written], return_hydra_config=True)
        folder = str(config.hydra.sweep.dir if setting.startswith("hydra.sweep") else config.hydra.run.dir)
    except (HydraException, OmegaConfBaseException, YAMLError, RecursionError) as error:
        reason = " ".join(str(error).split())
        return Path(), [
            Fault("output", given, f"what Hydra can put together ({reason})", "output=results/mine")
        ]
    return Path(folder).expanduser().absolute(), []


def _quoted(setting: str, text: str) -> str:
    """Override that sets a text, whatever signs are in it."""
    return f"{setting}={QuotedString(text, Quote.single).with_quotes()}"


def _make(folder: Path) -> tuple[list[Path], list[Fault]]:
    """Make a folder and see that it can be written to; the folders made, outermost first."""
    missing = []
    try:
        missing = [path for path in (folder, *folder.parents) if not path.exists()][::-1]
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(13, "no permission to write")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        remedy = "output=DIR with a folder that can be made and written to"
        return [path for path in missing if path.is_dir()], [
            Fault("output", folder, f"a folder that can be written to ({reason})", remedy)
        ]
    return missing, []


def _unmake(made: Sequence[Path]) -> None:
    """Remove folders again that were made, innermost first, as long as they are empty."""
    for path in reversed(made):
        with suppress(OSError):
            path.rmdir()
