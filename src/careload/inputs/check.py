"""A tree against its schema: every quantity read, every fault found, none raised."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from careload.inputs.faults import Fault, near
from careload.inputs.quantity import (
    UNITS,
    Quantity,
    frozen,
    is_number,
    is_quantity,
    label_faults,
    read_quantity,
    width_faults,
)
from careload.inputs.schema import Leaf, Node

__all__ = ["ANY", "check_tree", "clock_minutes", "session_parts", "span_minutes", "words"]

ANY: Final = "any"
"""Word that stands for all roles or tasks in a protocol."""
SESSION_USES: Final = ("places", "desk")
_CLOCK: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d|24:00")
_SCOPE_FIELDS: Final = ("allowed", "status", "from", "source", "text")
_SCOPE_FLAG: Final = "doctor_on_site"
"""Field of a scope that may be absent: whether the act needs a doctor in the building."""


def clock_minutes(text: str) -> int:
    """Minutes since midnight of a clock time such as 08:30."""
    if not isinstance(text, str) or not _CLOCK.fullmatch(text):
        raise ValueError(f"{text!r} is no clock time such as 08:30")
    hours, minutes = text.split(":")
    return 60 * int(hours) + int(minutes)


def span_minutes(text: str) -> tuple[int, int]:
    """Start and end, in minutes since midnight, of a span such as 08:00-12:00."""
    start, separator, end = str(text).partition("-")
    first, last = clock_minutes(start.strip()), clock_minutes(end.strip())
    if not separator or last <= first:
        raise ValueError(f"{text!r} does not end after it starts")
    return first, last


def session_parts(text: str) -> tuple[int, int, str]:
    """Start, end and use (places or desk) of a session such as "08:00-12:00 places"."""
    span, _, use = str(text).partition(" ")
    first, last = span_minutes(span)
    if use not in SESSION_USES:
        raise ValueError(f"{use!r} is neither places nor desk")
    return first, last, use


def words(value: Any) -> list[str]:
    """Return the words of a list; whatever else stands there is a fault elsewhere."""
    return [word for word in value if isinstance(word, str)] if isinstance(value, list) else []


def check_tree(
    path: str, schema: Node, tree: Any, declared: Mapping[str, Any]
) -> tuple[dict[str, Quantity], list[Fault]]:
    """Check one part of the configuration.

    Parameters
    ----------
    path : str
        Dotted key of the part, empty for the whole.
    schema : Node
    tree : Any
        What was read.
    declared : mapping
        Key of a quantity to the value that its range was declared around, where another one was set by hand.

    Returns
    -------
    quantities : dict
        Dotted key to quantity, for those without fault.
    faults : list of Fault
    """
    if not isinstance(tree, Mapping):
        return {}, [Fault(path, tree, "keys with values", ", ".join(schema.below))]
    key = path, id(tree), id(schema)
    meant = any(f"{name}.".startswith(f"{path}.") or not path for name in declared)
    if not meant and key in _checked:
        return dict(_checked[key][2]), []
    quantities, faults = _check_below(path, schema, tree, declared)
    if not meant and not faults:
        if len(_checked) >= _MOST_CHECKED:
            _checked.clear()
        _checked[key] = tree, schema, quantities
        return dict(quantities), []
    return quantities, faults


_checked: Final[dict[tuple[str, int, int], tuple[Any, Node, dict[str, Quantity]]]] = {}
"""Quantities of parts without fault by path, part and schema, which are held so that no other takes their place:
the points of a sweep share most of their parts."""

_MOST_CHECKED: Final = 20_000


def _check_below(
    path: str, schema: Node, tree: Mapping[str, Any], declared: Mapping[str, Any]
) -> tuple[dict[str, Quantity], list[Fault]]:
    """Check every key of a part."""
    quantities: dict[str, Quantity] = {}
    faults: list[Fault] = []
    for name, below in tree.items():
        where = f"{path}.{name}" if path else str(name)
        part = schema.find(str(name))
        if part is None:
            known = [f"{path}.{other}" if path else other for other in schema.below]
            faults.append(
                Fault(where, below, "a known key", near(where, known, "one of " + ", ".join(known)))
            )
        elif isinstance(part, Node):
            found, wrong = check_tree(where, part, below, declared)
            quantities |= found
            faults += wrong
        elif part.unit is None:
            faults += _plain_faults(where, part, below)
        else:
            quantity, wrong = _quantity(where, part, below, declared)
            faults += wrong
            if quantity is not None:
                quantities[where] = quantity
    for name in schema.below:
        if name not in tree and name not in schema.optional and name != "*":
            where = f"{path}.{name}" if path else name
            faults.append(Fault(where, None, "this key", f"to add `{name}:` there"))
    return quantities, faults


def _quantity(
    path: str, leaf: Leaf, node: Any, declared: Mapping[str, Any]
) -> tuple[Quantity | None, list[Fault]]:
    """Read a quantity and hold it against its row of the schema."""
    if not is_quantity(node):
        return None, [
            Fault(path, node, "a quantity {value, unit, range, source, status}", "to write all five fields")
        ]
    given = node.get("unit")
    faults = []
    if given is not None and leaf.unit not in ("any", given):
        faults.append(Fault(f"{path}.unit", given, f"the unit {leaf.unit}", f"unit: {leaf.unit}"))
        node = {**node, "unit": leaf.unit}
    value = node.get("value")
    if leaf.size and isinstance(value, list | tuple) and len(value) != leaf.size:
        wanted = f"a list of {leaf.size} numbers, not {len(value)}"
        return None, [*faults, Fault(f"{path}.value", list(value), wanted, "one number for each")]
    quantity, wrong = read_quantity(path, node)
    faults += wrong
    if quantity is None or quantity.unit not in UNITS:
        return None, faults
    wrong = _form_faults(path, leaf, quantity)
    if wrong:
        return None, faults + wrong
    faults += _range_faults(path, quantity)
    if not faults:
        meant = replace(quantity, value=frozen(declared[path])) if path in declared else quantity
        faults += width_faults(path, meant)
    return quantity, faults


def _form_faults(path: str, leaf: Leaf, quantity: Quantity) -> list[Fault]:
    """Faults of kind, length and bounds of the value."""
    kind = leaf.form.partition(":")[0]
    value, where = quantity.value, f"{path}.value"
    if kind in _TEXT_FORMS:
        return _text_faults(where, leaf, value, quantity)
    items = value if isinstance(value, tuple) else (value,)
    whole = kind.startswith("integer")
    several = kind.endswith("s")
    words = "whole number" if whole else "number"
    if several != isinstance(value, tuple):
        wanted = f"a list of {leaf.size or 'some'} {words}s" if several else f"one {words}"
        return [Fault(where, value, wanted, "[1, 2]" if several else "a single number")]
    if not items:
        return [Fault(where, value, f"at least one {words}", "[1]")]
    if not all(is_number(item) and (not whole or float(item).is_integer()) for item in items):
        return [Fault(where, value, f"a {words}", f"a {words} in {quantity.unit}")]
    low = float("-inf") if leaf.low is None else leaf.low
    high = float("inf") if leaf.high is None else leaf.high
    if not all(low <= float(item) <= high for item in items):
        return [
            Fault(where, value, f"{words}s from {low:g} to {high:g}", f"a value between {low:g} and {high:g}")
        ]
    return []


_TEXT_FORMS: Final = frozenset({"switch", "choice", "clock", "date", "span", "sessions", "file", "code"})


def _text_faults(where: str, leaf: Leaf, value: Any, quantity: Quantity) -> list[Fault]:
    """Faults of a value that is no number."""
    kind = leaf.form.partition(":")[0]
    if kind == "switch":
        return [] if isinstance(value, bool) else [Fault(where, value, "true or false", "true")]
    if kind == "choice":
        listed = ", ".join(str(choice) for choice in quantity.choices)
        wrong = value not in quantity.choices
        return (
            [Fault(where, value, f"one of {listed}", near(str(value), map(str, quantity.choices), listed))]
            if wrong
            else []
        )
    if kind == "code":
        good = value is None or (isinstance(value, int | str) and not isinstance(value, bool))
        return [] if good else [Fault(where, value, "a code or null", "null")]
    if kind == "file":
        return (
            []
            if isinstance(value, str) and value
            else [Fault(where, value, "the path of a file", "a path in quotes")]
        )
    if isinstance(value, tuple) != (leaf.form in ("span", "sessions")):
        expectation, example = _EXAMPLES[kind]
        wanted = (
            ("one text", example)
            if isinstance(value, tuple)
            else (f"a list, each {expectation}", f"[{example}]")
        )
        return [Fault(where, list(value) if isinstance(value, tuple) else value, *wanted)]
    items = value if isinstance(value, tuple) else (value,)
    if kind == "sessions" and not items:
        return [Fault(where, value, "at least one session", '["08:00-12:00 places"]')]
    faults = []
    for item in items:
        try:
            _READERS[kind](item)
        except (ValueError, TypeError):
            faults.append(Fault(where, item, *_EXAMPLES[kind]))
    return faults


def _range_faults(path: str, quantity: Quantity) -> list[Fault]:
    """Fault of a value outside its own range."""
    if quantity.low is None or quantity.unit in ("clock_span", "session"):
        return _span_range_faults(path, quantity)
    values, lows, highs = (
        v if isinstance(v, tuple) else (v,) for v in (quantity.value, quantity.low, quantity.high)
    )
    single = len(lows) == 1
    for position, value in enumerate(values):
        low, high = lows[0 if single else position], highs[0 if single else position]
        if not low <= value <= high:
            shown = quantity.value if len(values) == 1 else list(values)
            expectation = f"a value in its range, {_end(low)} to {_end(high)} {UNITS[quantity.unit]}".rstrip()
            wider = f"{path}.range=[{_end(min(low, value))},{_end(max(high, value))}]"
            remedy = f"a value in the range, or a wider range too: {wider}"
            return [Fault(f"{path}.value", shown, expectation, remedy)]
    return []


def _span_range_faults(path: str, quantity: Quantity) -> list[Fault]:
    """Fault of a span or session that begins before or ends after its range."""
    if quantity.low is None:
        return []
    items = quantity.value if isinstance(quantity.value, tuple) else (quantity.value,)
    try:
        first, last = clock_minutes(str(quantity.low)), clock_minutes(str(quantity.high))
    except ValueError:
        return [Fault(f"{path}.range", [quantity.low, quantity.high], *_EXAMPLES["clock"])]
    for item in items:
        start, end = span_minutes(str(item).split(" ")[0])
        if start < first or end > last:
            between = f"between {quantity.low} and {quantity.high}"
            return [Fault(f"{path}.value", item, between, f"times {between}, or a wider {path}.range")]
    return []


def _end(value: Any) -> str:
    """An end of a range as it is written."""
    return f"{value:g}" if is_number(value) else str(value)


def _date(value: Any) -> None:
    """Read a date such as 2024-07-01, or raise ValueError."""
    datetime.date.fromisoformat(value)


_READERS: Final[dict[str, Callable[[Any], object]]] = {
    "clock": clock_minutes,
    "date": _date,
    "span": span_minutes,
    "sessions": session_parts,
}
_EXAMPLES: Final = {
    "clock": ("a clock time from 00:00 to 24:00", '"08:30"'),
    "date": ("a date", '"2024-07-01"'),
    "span": ("a span of clock times", '"08:00-12:00"'),
    "sessions": ("a span of clock times and its use, places or desk", '"08:00-12:00 places"'),
}


def _plain_faults(path: str, leaf: Leaf, value: Any) -> list[Fault]:
    """Faults of a value that is no quantity."""
    kind = leaf.form.partition(":")[0]
    if kind == "one":
        wrong = value not in leaf.allowed
        listed = ", ".join(leaf.allowed)
        return (
            [Fault(path, value, f"one of {listed}", near(str(value), leaf.allowed, listed))] if wrong else []
        )
    if kind == "labels":
        return label_faults(path, value)
    if kind == "scope":
        return _scope_faults(path, value)
    if kind == "worlds":
        return _world_faults(path, value)
    good, expectation, remedy = _PLAIN[kind]
    return [] if good(value) else [Fault(path, value, expectation, remedy)]


def _are_names(value: Any) -> bool:
    """Whether the value is a list of different words."""
    return (
        isinstance(value, list)
        and all(isinstance(v, str) and v for v in value)
        and len(set(value)) == len(value)
    )


_PLAIN: Final[dict[str, tuple[Callable[[Any], bool], str, str]]] = {
    "text": (lambda v: isinstance(v, str) and bool(v), "a text", "a text in quotes"),
    "anything": (lambda v: True, "", ""),
    "flag": (lambda v: isinstance(v, bool), "true or false", "false"),
    "some": (
        lambda v: v == ANY or _are_names(v),
        "a list of different names, or the word any",
        "[name, name]",
    ),
    "names": (_are_names, "a list of different names", "[name, name]"),
    "order": (lambda v: isinstance(v, int) and not isinstance(v, bool), "a whole number", "20"),
    "values": (lambda v: isinstance(v, Mapping), "keys of quantities with values", "{book.carry_days: 2}"),
    "conditions": (
        lambda v: v is None or isinstance(v, str) or (_are_names(v) and bool(v)),
        "null, a list of conditions, frail, nursing_home or multimorbid",
        "[diabetes]",
    ),
}


def _scope_faults(path: str, value: Any) -> list[Fault]:
    """Faults of one task of a role's scope."""
    if not isinstance(value, Mapping):
        return [Fault(path, value, "{allowed, status, from, source, text}", "all five fields")]
    faults = [
        Fault(f"{path}.{name}", value[name], "a field of a scope", ", ".join((*_SCOPE_FIELDS, _SCOPE_FLAG)))
        for name in value
        if name not in (*_SCOPE_FIELDS, _SCOPE_FLAG)
    ]
    faults += [
        Fault(f"{path}.{name}", None, "this field", f"to add `{name}:` there")
        for name in _SCOPE_FIELDS
        if name not in value
    ]
    faults += [
        Fault(f"{path}.{name}", value[name], "true or false", "false")
        for name in ("allowed", _SCOPE_FLAG)
        if not isinstance(value.get(name, True), bool)
    ]
    if "status" in value and value["status"] not in ("verified", "derived", "recalled", "assumed"):
        listed = "verified, derived, recalled, assumed"
        faults.append(
            Fault(
                f"{path}.status",
                value["status"],
                f"one of {listed}",
                near(str(value["status"]), listed.split(", "), listed),
            )
        )
    if "from" in value:
        try:
            _date(value["from"])
        except (ValueError, TypeError):
            faults.append(Fault(f"{path}.from", value["from"], *_EXAMPLES["date"]))
    for name in ("source", "text"):
        if name in value and not (isinstance(value[name], str) and value[name]):
            faults.append(Fault(f"{path}.{name}", value[name], "a text", "a text in quotes"))
    return faults


def _world_faults(path: str, value: Any) -> list[Fault]:
    """Faults of the worlds of a scenario."""
    if not isinstance(value, list) or len(value) < 2:
        return [
            Fault(
                path, value, "a list of at least two worlds", "[{name: ..., choices: {practice: ...}}, ...]"
            )
        ]
    faults: list[Fault] = []
    for position, world in enumerate(value):
        where = f"{path}[{position}]"
        if not isinstance(world, Mapping) or not isinstance(world.get("name"), str):
            faults.append(Fault(where, world, "a world with a name", "{name: ..., choices: {practice: ...}}"))
            continue
        faults += [
            Fault(
                f"{where}.{name}",
                world[name],
                "name, choices or values",
                near(str(name), ("name", "choices", "values"), "choices"),
            )
            for name in world
            if name not in ("name", "choices", "values")
        ]
        faults += [
            Fault(f"{where}.{name}", world[name], "names with values", "{practice: solo}")
            for name in ("choices", "values")
            if not isinstance(world.get(name, {}), Mapping)
        ]
    names = [world.get("name") for world in value if isinstance(world, Mapping)]
    if len(set(map(str, names))) != len(names):
        faults.append(Fault(path, names, "different names of worlds", "to rename one"))
    return faults
