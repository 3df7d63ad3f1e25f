"""What `careload --help` says, from the files of the configuration alone: nothing heavy is imported."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from careload.inputs.vocabulary import DEFAULT_SCENARIO, GROUPS, options
from careload.inputs.yaml_files import read_yaml

__all__ = ["help_text"]

_ABOUT: Final = (
    "careload simulates the workload of primary care: how much GP time a team releases, and where it goes."
)

_VERBS: Final = {
    "run": (
        "simulate one practice and set its workload beside the targets of the picture",
        "careload run practice=solo practice.list_size=1500",
    ),
    "compare": (
        "simulate the worlds of a scenario and say what GP time is released and where it goes",
        "careload compare scenario=half_time_nurse seed=2",
    ),
    "evidence": (
        "list every number with unit, range, source and status",
        "careload evidence blood_draw --status assumed",
    ),
    "collect": (
        "put the finished points of a sweep into one table and one figure, as a sweep does at its end",
        "careload collect results/sweep/mine",
    ),
}

_OVERRIDES: Final = """\
Overrides, in the grammar of Hydra
  group=name                   choose a file:                 practice=solo_nurse
  key=value                    set the value of a number:     practice.team.gp.slot_minutes=20
  key.range=[low,high]         widen its range with it:       practice.team.gp.slot_minutes.range=[10,25]
  key=[1,2,3]                  lists:                         calendar.leave_weeks=[1,30,31,52]
  practice.staff=[gp,nurse]    lists of names; also protocol.acts, .visits, .desk and .delegate_roles
  worlds.NAME.key=value        in one world of a scenario:    worlds.solo_nurse.practice.team.nurse.fte=0.8
  seed=2                       other draws
  output=DIR                   folder of the results (also hydra.run.dir=DIR)
  + and ++ in front change nothing: a key that does not exist is refused, and none can be removed with ~.
  Every key and its value: careload evidence"""

_OUTPUT: Final = """\
Options
  --config-dir DIR             read DIR beside the packaged files, as often as needed; a file of the same name wins
  --cfg job                    print what is chosen and set, and stop
  -m, --multirun               run all combinations of comma-separated values together: seed=1,2,3; the same command
                               with the same output=DIR goes on where it was stopped
  --help, --version            print this, or the version"""

_LISTING: Final = """\
Options
  WORDS                        only rows whose key, unit or source holds every word
  --csv                        as a table for other programs, with notes and titles of the sources
  --status STATUS              only rows of this status: verified, derived, recalled, elicited, assumed
  --config-dir DIR             read DIR beside the packaged files, as often as needed; a file of the same name wins
  group=name, key=value        list what holds after these overrides"""

_ENDING: Final = """\
Faults are listed all at once, each as `path = value: expected ...; try ...`, before anything is simulated.
Exit codes: 0 done, 1 an error of careload itself, 2 faults in what was asked, 130 interrupted."""


def help_text(verb: str | None, folders: Sequence[Path]) -> str:
    """Help on the whole program, or on one verb.

    Parameters
    ----------
    verb : str or None
    folders : sequence of Path
        Search path, the packaged folder first.

    Returns
    -------
    str
    """
    if verb not in _VERBS:
        verbs = [f"  {name:<12} {about}\n  {'':<12} {example}" for name, (about, example) in _VERBS.items()]
        opening = [
            "usage: careload VERB [group=name ...] [key=value ...] [options]",
            "Verbs\n" + "\n".join(verbs),
        ]
        parts = [_ABOUT, *opening, _groups(GROUPS, folders), _OVERRIDES, _OUTPUT, _ENDING]
        return "\n\n".join([*parts, "More on one verb: careload VERB --help"]) + "\n"
    about, example = _VERBS[verb]
    if verb == "collect":
        usage = "usage: careload collect FOLDER [FOLDER ...]"
        return "\n\n".join([f"careload collect: {about}.", usage, f"Example\n  {example}", _ENDING]) + "\n"
    words = " [WORDS ...]" if verb == "evidence" else ""
    usage = f"usage: careload {verb}{words} [group=name ...] [key=value ...] [options]"
    groups = GROUPS if verb != "run" else tuple(group for group in GROUPS if group != "scenario")
    parts = [f"careload {verb}: {about}.", usage, f"Example\n  {example}", _groups(groups, folders)]
    parts += [_LISTING] if verb == "evidence" else [_OVERRIDES, _OUTPUT]
    return "\n\n".join([*parts, _ENDING]) + "\n"


def _groups(groups: Sequence[str], folders: Sequence[Path]) -> str:
    """The groups with the names to choose from; a star marks what holds without a choice."""
    chosen = _defaults(folders)
    lines = ["Groups (* holds unless another is chosen)"]
    for group in groups:
        for name, path in options(folders, group).items():
            star = "*" if name == chosen.get(group) else " "
            lines.append(f"  {f'{group}={name}':<45} {star} {_label(path)}".rstrip())
    return "\n".join(lines)


def _label(path: Path) -> str:
    """English label of a file, empty if it has none."""
    labels = read_yaml(path, path.name)[0].get("label")
    return str(labels.get("en", "")) if isinstance(labels, Mapping) else ""


def _defaults(folders: Sequence[Path]) -> dict[str, str]:
    """Group to the name that holds by default."""
    return {
        **dict(_listed(read_yaml(folders[0] / "config.yaml", "config.yaml")[0])),
        "scenario": DEFAULT_SCENARIO,
    }


def _listed(tree: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Entries of the defaults list that choose a file."""
    for entry in tree.get("defaults") or ():
        if isinstance(entry, Mapping):
            yield from ((str(group), str(name)) for group, name in entry.items())
