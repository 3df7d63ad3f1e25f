"""The points of a sweep, and the settings of Hydra that a command line may hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice, product
from math import prod
from pathlib import Path
from typing import Final

from hydra.core.config_store import ConfigStore
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Glob, Override
from hydra.core.plugins import Plugins
from hydra.errors import HydraException

from careload.inputs.faults import Fault, near
from careload.inputs.vocabulary import GROUPS, options

__all__ = ["FOLDER_KEYS", "Line", "points", "read_line", "without_globs"]

FOLDER_KEYS: Final = ("hydra.run.dir", "hydra.sweep.dir")
"""Settings of Hydra that may be made: where results go, for one run and for a sweep."""

_MOST_POINTS: Final = 1000
_LAUNCHER: Final = "hydra/launcher"


@dataclass(frozen=True)
class Line:
    """Overrides of a command line, those of Hydra apart.

    Attributes
    ----------
    ours : tuple of str
        Overrides of careload, as written.
    folders : mapping of str to str
        Setting of Hydra to the folder given.
    launcher : tuple of str
        Choice of a launcher and its settings, as written.
    """

    ours: tuple[str, ...]
    folders: dict[str, str]
    launcher: tuple[str, ...] = ()


def read_line(texts: Iterable[str]) -> tuple[Line, list[Fault]]:
    """Take the settings of Hydra out of the overrides, and see that nothing is chosen twice.

    Returns
    -------
    line : Line
    faults : list of Fault
        Settings of Hydra that careload makes itself; groups chosen twice.
    """
    ours: list[str] = []
    folders: dict[str, str] = {}
    launcher: list[str] = []
    faults: list[Fault] = []
    chosen: list[Override] = []
    for text in texts:
        parsed = _parsed(text)
        if parsed is None or not _is_hydra(parsed):
            ours.append(text)
            chosen += [parsed] if parsed is not None and parsed.key_or_group in GROUPS else []
        elif parsed.key_or_group in FOLDER_KEYS and not parsed.is_sweep_override():
            folders[parsed.key_or_group] = text.partition("=")[2]
        elif _of_launcher(parsed):
            launcher.append(text)
            faults += _launcher_faults(parsed)
        else:
            key, value = parsed.key_or_group, text.partition("=")[2]
            faults.append(Fault(key, value, "a setting of Hydra left to the user", _hydra_remedy(key)))
    for group, count in Counter(parsed.key_or_group for parsed in chosen).items():
        if count > 1:
            names = ", ".join(str(parsed.value()) for parsed in chosen if parsed.key_or_group == group)
            faults.append(Fault(group, names, "one choice", "to keep one of them"))
    return Line(tuple(ours), folders, tuple(launcher)), faults


def points(texts: Sequence[str]) -> tuple[list[tuple[str, ...]], list[Fault]]:
    """All combinations of the values of a sweep, in Hydra's order.

    Parameters
    ----------
    texts : sequence of str
        Overrides of careload, globs written out.

    Returns
    -------
    points : list of tuple of str
        The overrides of every point, one value each.
    faults : list of Fault
    """
    lists: list[list[str]] = []
    faults: list[Fault] = []
    for text in texts:
        parsed = _parsed(text)
        if parsed is None or not parsed.is_sweep_override():
            lists.append([text])
            continue
        try:
            values = _values(parsed)
        except (HydraException, TypeError, ValueError) as error:
            reason = str(error).splitlines()[0]
            faults.append(
                Fault(parsed.key_or_group, text, f"values to run through ({reason})", "a list: 1,2,3")
            )
            continue
        lists.append([f"{parsed.key_or_group}={value}" for value in values])
    number = prod(map(len, lists))
    if number > _MOST_POINTS:
        faults.append(
            Fault("--multirun", number, f"at most {_MOST_POINTS} points", "fewer values, or several sweeps")
        )
        return list(islice(product(*lists), 1)), faults
    return list(product(*lists)), faults


def without_globs(texts: Iterable[str], folders: Sequence[Path]) -> list[str]:
    """Overrides with the names written out that a `group=glob(*)` stands for, where there are any."""
    written = []
    for text in texts:
        parsed = _parsed(text)
        value = parsed.value() if parsed is not None and parsed.is_sweep_override() else None
        if parsed is not None and isinstance(value, Glob):
            names = value.filter(sorted(options(folders, parsed.key_or_group)))
            written.append(f"{parsed.key_or_group}={','.join(names)}" if names else text)
        else:
            written.append(text)
    return written


def _values(parsed: Override) -> list[str]:
    """Values of one override of a sweep, as they are written."""
    if isinstance(parsed.value(), Glob):
        raise ValueError("no name matches")
    if not parsed.is_discrete_sweep():
        raise ValueError("an interval has no end of values")
    values = list(islice(parsed.sweep_string_iterator(), _MOST_POINTS + 1))
    if not values:
        raise ValueError("no value")
    return values


def _parsed(text: str) -> Override | None:
    """The override, None if it does not parse."""
    try:
        return OverridesParser.create().parse_override(text)
    except (HydraException, RecursionError):
        return None


def _is_hydra(parsed: Override) -> bool:
    """Whether the override belongs to Hydra itself."""
    return parsed.key_or_group == "hydra" or parsed.key_or_group.startswith(("hydra.", "hydra/"))


def _of_launcher(parsed: Override) -> bool:
    """Whether the override chooses what runs the points of a sweep, or sets it up."""
    key = parsed.key_or_group
    return key == _LAUNCHER or (key.startswith("hydra.launcher.") and not parsed.is_sweep_override())


def _launcher_faults(parsed: Override) -> list[Fault]:
    """Fault of a launcher that is not installed."""
    if parsed.key_or_group != _LAUNCHER:
        return []
    Plugins.instance()
    known = sorted(name.removesuffix(".yaml") for name in ConfigStore.instance().list(_LAUNCHER))
    name = str(parsed.value())
    if name in known:
        return []
    listed = ", ".join(known)
    return [
        Fault(_LAUNCHER, name, f"one of {listed}", near(name, known, f"to install hydra-{name}-launcher"))
    ]


def _hydra_remedy(key: str) -> str:
    """What to do in place of a setting of Hydra."""
    if key == "hydra.searchpath":
        return "--config-dir"
    if key == "hydra.mode":
        return "-m for a sweep"
    if key.startswith(("hydra/sweeper", "hydra.sweeper")):
        return "-m with lists of values"
    return near(key, FOLDER_KEYS, " or ".join(FOLDER_KEYS))
