"""What a user writes behind the command: choices of files and values of single keys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException

from careload.inputs.faults import Fault, near
from careload.inputs.quantity import is_quantity
from careload.inputs.vocabulary import GROUPS, options

__all__ = [
    "WORLDS",
    "Applied",
    "Changes",
    "Overrides",
    "ValueOverride",
    "apply_values",
    "for_hydra",
    "leaf_paths",
    "parse_overrides",
]

OWN_KEYS = ("seed",)
"""Keys of `config.yaml` itself that take a value."""

OPEN_FIELDS = ("note", "range_note")
"""Fields of a quantity that may be set where the file has none."""

WORLDS = "worlds"
"""First word of an override that holds in one world of a scenario: `worlds.NAME.key=value`."""

ROUTE = "set"
"""Open node of `config.yaml` through which values pass Hydra untouched."""


@dataclass(frozen=True)
class ValueOverride:
    """A new value for one key.

    Attributes
    ----------
    text : str
        As the user wrote it.
    path : tuple of str
    value : Any
    """

    text: str
    path: tuple[str, ...]
    value: Any


@dataclass(frozen=True)
class Changes:
    """Choices and values, of all worlds or of one.

    Attributes
    ----------
    choices : mapping
        Group to the name chosen.
    values : tuple of ValueOverride
        In the order written; a later one wins.
    """

    choices: Mapping[str, str]
    values: tuple[ValueOverride, ...]


@dataclass(frozen=True)
class Overrides(Changes):
    """All that was written, sorted.

    Attributes
    ----------
    worlds : mapping of str to Changes
        World of a scenario to what holds in it alone.
    texts : tuple of str
        All of them but those of Hydra itself, as written.
    """

    worlds: Mapping[str, Changes]
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Applied:
    """What came of applying values.

    Attributes
    ----------
    declared : mapping
        Key of each quantity whose value alone was set, to the value that its range was declared around.
    failed : tuple of (ValueOverride, Fault)
        Those whose key does not exist, with the nearest keys.
    """

    declared: Mapping[str, Any]
    failed: tuple[tuple[ValueOverride, Fault], ...]


def parse_overrides(texts: Iterable[str], folders: Sequence[Path]) -> tuple[Overrides, list[Fault]]:
    """Sort overrides into choices and values; those of Hydra itself (`hydra.*`) are left to Hydra.

    Parameters
    ----------
    texts : iterable of str
        `group=name`, `dotted.key=value`, `worlds.NAME.` and one of these, also with `+` or `++` in front or routed
        through `set.`.
    folders : sequence of Path
        Search path, for the names of the choices.

    Returns
    -------
    overrides : Overrides
    faults : list of Fault
        Of form and of choices; keys are checked when they are applied.
    """
    everywhere: tuple[dict[str, str], list[ValueOverride]] = ({}, [])
    worlds: dict[str, tuple[dict[str, str], list[ValueOverride]]] = {}
    kept: list[str] = []
    faults: list[Fault] = []
    for text in texts:
        parsed, found = _parse(text)
        faults += found
        if parsed is None or _is_hydra(parsed):
            continue
        kept.append(_unrouted(text))
        first, *rest = _key(parsed).split(".")
        name, key = (rest[0], rest[1:]) if first == WORLDS and rest else ("", [first, *rest])
        choices, values = worlds.setdefault(name, ({}, [])) if name else everywhere
        if parsed.is_sweep_override():
            faults.append(Fault(_key(parsed), text, "one value", "a sweep: -m on the command line"))
        elif not key or (first == WORLDS and not name):
            faults.append(
                Fault(
                    _key(parsed),
                    text,
                    "worlds.NAME.key=value",
                    "worlds.solo_nurse.practice.team.nurse.fte=0.8",
                )
            )
        elif len(key) == 1 and key[0] in GROUPS:
            faults += _choose(_key(parsed), key[0], parsed.value(), folders, choices)
        else:
            values.append(ValueOverride(_unrouted(text), tuple(key), parsed.value()))
    changes = {name: Changes(choices, tuple(values)) for name, (choices, values) in worlds.items()}
    return Overrides(everywhere[0], tuple(everywhere[1]), changes, tuple(kept)), faults


def for_hydra(texts: Iterable[str]) -> list[str]:
    """Rewrite overrides so that Hydra accepts any key: values pass through the open node `set`.

    Choices, `seed`, Hydra's own keys and texts that do not parse stay as they are; sweeps stay sweeps.
    """
    routed = []
    for text in texts:
        parsed, _ = _parse(text)
        stays = parsed is None or _is_hydra(parsed) or _key(parsed) in GROUPS or _key(parsed) in OWN_KEYS
        if stays or parsed is None or parsed.is_delete():
            routed.append(text)
        else:
            routed.append(f"++{ROUTE}.{_key(parsed)}={text.partition('=')[2]}")
    return routed


def _parse(text: str) -> tuple[Override | None, list[Fault]]:
    """Parse one override; None with a fault if it has no such form."""
    try:
        parsed = OverridesParser.create().parse_override(text)
    except (HydraException, RecursionError) as error:
        reason = str(error).splitlines()[0]
        return None, [
            Fault("override", text, f"key=value ({reason})", "to put the value in quotes: 'key=\"value\"'")
        ]
    if parsed.is_delete():
        return None, [
            Fault("override", text, "a key to be set; none can be removed", "another choice or value")
        ]
    if not _is_hydra(parsed) and "${" in text:
        return None, [Fault("override", text, "no interpolation", "to write the value itself")]
    if "_target_" in text:
        return None, [Fault("override", text, "no code path", "to drop it")]
    if parsed.package is not None:
        return None, [
            Fault("override", text, "group=name without a package", "to drop what stands behind the @")
        ]
    return parsed, []


def _is_hydra(parsed: Override) -> bool:
    """Whether the override belongs to Hydra itself."""
    return parsed.key_or_group == "hydra" or parsed.key_or_group.startswith(("hydra.", "hydra/"))


def _key(parsed: Override) -> str:
    """Dotted key without the route."""
    return parsed.key_or_group.removeprefix(f"{ROUTE}.")


def _unrouted(text: str) -> str:
    """The override as the user wrote it before it was routed."""
    bare = text.lstrip("+")
    return bare.removeprefix(f"{ROUTE}.") if bare.startswith(f"{ROUTE}.") else text


def _choose(
    path: str, group: str, name: object, folders: Sequence[Path], choices: dict[str, str]
) -> list[Fault]:
    """Note a choice, or return the fault of a name that does not exist."""
    known = options(folders, group)
    if str(name) not in known:
        listed = ", ".join(sorted(known)) or "none"
        return [Fault(path, name, f"one of {listed}", near(str(name), known, listed))]
    choices[group] = str(name)
    return []


def apply_values(tree: dict[str, Any], values: Iterable[ValueOverride]) -> tuple[dict[str, Any], Applied]:
    """Set values in a copy of the tree; only the dicts on the way are copied.

    Parameters
    ----------
    tree : dict
    values : iterable of ValueOverride
        `key.value=`, `key.range=`, ... or `key=` for the value of a quantity.

    Returns
    -------
    tree : dict
    applied : Applied
    """
    failed: list[tuple[ValueOverride, Fault]] = []
    declared: dict[str, Any] = {}
    for override in _expanded(tree, values):
        path, value = override.path, override.value
        target, depth = _follow(tree, path)
        length = _quantity_length(tree, path)
        if length == depth == len(path) and not isinstance(value, Mapping):
            path = (*path, "value")
        key = ".".join(path[:length])
        if depth == len(override.path) and not length and isinstance(target, Mapping):
            failed.append(
                (override, Fault(".".join(path), value, "a key that holds a value", _siblings(tree, path)))
            )
        elif depth == len(override.path) or (length == len(path) - 1 and path[-1] in OPEN_FIELDS):
            if path[length:] == ("value",) and length:
                declared.setdefault(key, _follow(tree, path)[0])
            tree = _assigned(tree, path, _merged(target, value))
        else:
            known = [*leaf_paths(tree), *(GROUPS if len(path) == 1 else ())]
            remedy = near(".".join(path), known, _siblings(tree, path[:depth]))
            failed.append((override, Fault(".".join(path), value, "a key of the configuration", remedy)))
    return tree, Applied(declared, tuple(failed))


def _expanded(tree: Mapping[str, Any], values: Iterable[ValueOverride]) -> Iterator[ValueOverride]:
    """Overrides of a whole part of the tree as overrides of the keys below it."""
    for override in values:
        target, depth = _follow(tree, override.path)
        whole = depth == len(override.path) and isinstance(target, Mapping) and not is_quantity(target)
        if whole and isinstance(override.value, Mapping) and not _quantity_length(tree, override.path):
            below = (
                replace(override, path=(*override.path, str(k)), value=v) for k, v in override.value.items()
            )
            yield from _expanded(tree, below)
        else:
            yield override


def leaf_paths(tree: Mapping[str, Any]) -> list[str]:
    """Dotted keys of all quantities and plain values."""
    paths: list[str] = []

    def walk(node: Any, path: str) -> None:
        if isinstance(node, Mapping) and not is_quantity(node):
            for name, below in node.items():
                walk(below, f"{path}.{name}" if path else str(name))
        else:
            paths.append(path)

    walk(tree, "")
    return paths


def _follow(tree: Mapping[str, Any], path: Sequence[str]) -> tuple[Any, int]:
    """Node reached along the path and how many names of it exist."""
    node: Any = tree
    for depth, name in enumerate(path):
        if not isinstance(node, Mapping) or name not in node:
            return node, depth
        node = node[name]
    return node, len(path)


def _quantity_length(tree: Mapping[str, Any], path: Sequence[str]) -> int:
    """Length of the part of the path that names a quantity, 0 if no part does."""
    for length in range(1, len(path) + 1):
        node, reached = _follow(tree, path[:length])
        if reached == length and is_quantity(node):
            return length
    return 0


def _siblings(tree: Mapping[str, Any], path: Sequence[str]) -> str:
    """Names that exist where the path ends, for the remedy."""
    node, _ = _follow(tree, path)
    names = list(node) if isinstance(node, Mapping) else []
    before = ".".join(path) + "." if path else ""
    shown = ", ".join(f"{before}{name}" for name in names[:8])
    return shown + (", ..." if len(names) > 8 else "") if names else "a key listed by the evidence command"


def _merged(old: Any, new: Any) -> Any:
    """A mapping is merged into a mapping, anything else replaces."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return {**old, **{str(name): _merged(old.get(name), value) for name, value in new.items()}}
    return new


def _assigned(tree: dict[str, Any], path: Sequence[str], value: Any) -> dict[str, Any]:
    """Copy of the tree with one value set."""
    name, *rest = path
    return {**tree, name: _assigned(tree[name], rest, value) if rest else value}
