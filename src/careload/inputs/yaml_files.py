"""YAML files of the science: read fast, every fault with its file and line."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import yaml

from careload.inputs.faults import Fault

__all__ = ["read_yaml"]

_Loader: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG: Final = "tag:yaml.org,2002:"
_DEEPEST: Final = 40
_TRUE: Final = frozenset({"true", "yes", "on"})


def read_yaml(path: Path, name: str) -> tuple[dict[str, Any], list[Fault]]:
    """Read one file that holds a mapping.

    Parameters
    ----------
    path : Path
    name : str
        How faults name the file.

    Returns
    -------
    tree : dict
        Plain dicts, lists and scalars; empty when the file cannot be read.
    faults : list of Fault
        Syntax errors, doubled keys, interpolations and code paths.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return {}, [Fault(name, str(error), "a readable text file in UTF-8", "to save the file again")]
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
    except yaml.YAMLError as error:
        return {}, [_syntax_fault(name, text, error)]
    except RecursionError:
        return {}, [Fault(name, "brackets in brackets", "a tree of few levels", "to remove brackets")]
    finally:
        loader.dispose()
    if node is None:
        return {}, []
    faults = [*_alias_faults(node, name)]
    if faults:
        return {}, faults
    tree = _plain(node, name, faults)
    if not isinstance(tree, dict):
        return {}, [*faults, Fault(name, tree, "keys with values", "`key: value` on every line")]
    return tree, faults


def _syntax_fault(name: str, text: str, error: yaml.YAMLError) -> Fault:
    """Fault of a file that is no YAML, with the line and what stands there."""
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    if mark is None:
        return Fault(name, problem, "YAML", "to check the file in an editor")
    lines = text.splitlines()
    shown = lines[mark.line].strip() if mark.line < len(lines) else "end of the file"
    return Fault(
        f"{name}, line {mark.line + 1}",
        shown,
        f"YAML ({problem})",
        "to check colons, brackets, quotes and indentation",
    )


def _alias_faults(root: yaml.Node, name: str) -> list[Fault]:
    """Faults of nodes that stand in two places and of trees without end."""
    seen: set[int] = set()
    rows: list[tuple[yaml.Node, int]] = [(root, 0)]
    while rows:
        node, depth = rows.pop()
        if not isinstance(node, yaml.CollectionNode):
            continue
        where = f"{name}, line {node.start_mark.line + 1}"
        if id(node) in seen:
            return [Fault(where, "an alias (*)", "every value written out", "to write it out again")]
        if depth > _DEEPEST:
            return [Fault(where, f"{depth} levels", f"at most {_DEEPEST} levels", "to remove brackets")]
        seen.add(id(node))
        below = [part for pair in node.value for part in (pair if isinstance(pair, tuple) else (pair,))]
        rows += [(part, depth + 1) for part in below]
    return []


def _plain(node: yaml.Node, name: str, faults: list[Fault]) -> Any:
    """Turn a node and all below it into plain values."""
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, name, faults)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, name, faults) for item in node.value]
    return _scalar(node, name, faults)


def _mapping(node: yaml.MappingNode, name: str, faults: list[Fault]) -> dict[str, Any]:
    """Turn a mapping into a dict; a doubled key and a code path are faults."""
    tree: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = key_node.value
        where = f"{name}, line {key_node.start_mark.line + 1}"
        if not isinstance(key, str):
            faults.append(Fault(where, "a compound key", "a plain key", "a single word"))
            continue
        if key in tree:
            faults.append(
                Fault(where, key, "every key once in a mapping", "to remove or rename one of the two")
            )
        if key == "_target_":
            faults.append(Fault(where, key, "no code path in a science file", "to remove it"))
        tree[key] = _plain(value_node, name, faults)
    return tree


def _scalar(node: yaml.Node, name: str, faults: list[Fault]) -> Any:
    """Turn a scalar into null, a truth value, a number or a text; an interpolation is a fault."""
    text = str(node.value)
    kind = node.tag.removeprefix(_TAG)
    if kind == "str":
        if "${" in text:
            where = f"{name}, line {node.start_mark.line + 1}"
            faults.append(
                Fault(where, text, "no interpolation in a science file", "to write the value itself")
            )
        return text
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() in _TRUE
    try:
        if kind == "int":
            return int(text.replace("_", ""), 10)
        if kind == "float":
            return float(
                text.replace("_", "").replace(".inf", "inf").replace(".nan", "nan").replace(".NaN", "nan")
            )
    except ValueError:
        return text
    return text
