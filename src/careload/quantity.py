"""A number of the science with its unit, range, source and status."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from careload.faults import Fault, near

__all__ = ["FIELDS", "STATUSES", "UNITS", "Quantity", "Value", "is_quantity", "read_quantity", "width_faults"]

Value = bool | int | float | str | tuple[Any, ...] | None

STATUSES: Final = ("verified", "derived", "recalled", "elicited", "assumed")

UNITS: Final = frozenset(
    ["calendar_day", "choice", "clock", "clock_span", "correlation", "count", "date", "elasticity", "file", "fte_hours", "hour_per_week", "iso_week", "minute", "nis_code", "open_day", "per_1000_band_year", "per_1000_patients_year", "per_1024", "per_day", "per_episode", "per_person_year", "per_week", "person", "person_per_day", "ratio", "relative", "session", "shape", "share", "switch", "year"]
)

UNSCALED: Final = frozenset(
    {"choice", "clock", "clock_span", "date", "file", "iso_week", "nis_code", "session", "switch"}
)
"""Units of choices and moments: they have no size, so no least width of a range."""

STEPPED: Final = frozenset({"share", "correlation"})
"""Units between 0 and 1, whose least width is a step and not a factor."""

FIELDS: Final = ("value", "unit", "range", "source", "status", "note", "range_note")
REQUIRED: Final = FIELDS[:5]
SHARE_STEP: Final = 0.2
RATIO_STEP: Final = 2.0
_SLACK: Final = 1e-9


@dataclass(frozen=True)
class Quantity:
    """A value with all that is needed to judge it.

    Attributes
    ----------
    value : bool, int, float, str, tuple or None
        As read; lists become tuples.
    unit : str
        One of `UNITS`; never converted.
    low, high : same kinds
        Ends of the plausible range; tuples where the value is one; None where there is no order.
    choices : tuple
        The values to choose from, empty where the range is an interval.
    sources : tuple of str
        Keys of `sources.yaml`.
    status : str
        One of `STATUSES`.
    note, range_note : str
        What the value rests on; why the range of an assumed value may be narrower than the rule.
    """

    value: Value
    unit: str
    low: Value
    high: Value
    choices: tuple[Any, ...]
    sources: tuple[str, ...]
    status: str
    note: str = ""
    range_note: str = ""

    @property
    def source(self) -> str:
        """Keys of the sources, separated by a comma and a space."""
        return ", ".join(self.sources)


def is_quantity(node: Any) -> bool:
    """Whether a node of the tree is meant as a quantity."""
    return isinstance(node, Mapping) and ("value" in node or ("unit" in node and "status" in node))


def read_quantity(path: str, node: Mapping[str, Any]) -> tuple[Quantity | None, list[Fault]]:
    """Read one quantity and check its form: fields, unit, status, range.

    Parameters
    ----------
    path : str
        Dotted key, used in faults.
    node : mapping
        The fields as read.

    Returns
    -------
    quantity : Quantity or None
        None when a fault hides the value, unit or range.
    faults : list of Fault
    """
    faults = [
        Fault(f"{path}.{name}", node[name], "a field of a quantity", near(name, FIELDS, ", ".join(FIELDS)))
        for name in node
        if name not in FIELDS
    ]
    missing = [name for name in REQUIRED if name not in node]
    for name in missing:
        faults.append(Fault(f"{path}.{name}", None, f"{_ARTICLES[name]}", f"to write `{name}:` there"))
    if missing:
        return None, faults
    faults += _word_faults(path, node)
    value = frozen(node["value"])
    low, high, choices, range_faults = _read_range(path, value, node["range"], str(node["unit"]))
    if faults or range_faults:
        return None, faults + range_faults
    sources = node["source"] if isinstance(node["source"], list | tuple) else [node["source"]]
    return Quantity(
        value=value,
        unit=str(node["unit"]),
        low=low,
        high=high,
        choices=choices,
        sources=tuple(sources),
        status=str(node["status"]),
        note=str(node.get("note") or ""),
        range_note=str(node.get("range_note") or ""),
    ), []


_ARTICLES: Final = {
    "value": "a value",
    "unit": "a unit",
    "range": "a range [low, high]",
    "source": "a key of sources.yaml",
    "status": "a status: " + ", ".join(STATUSES),
}


def frozen(value: Any) -> Any:
    """Return the value with lists as tuples."""
    return tuple(frozen(item) for item in value) if isinstance(value, list | tuple) else value


def is_number(value: Any) -> bool:
    """Whether the value is a finite number and no truth value."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _word_faults(path: str, node: Mapping[str, Any]) -> list[Fault]:
    """Faults of unit, status, source and notes."""
    faults = []
    unit, status, source = node["unit"], node["status"], node["source"]
    if unit not in UNITS:
        faults.append(
            Fault(
                f"{path}.unit",
                unit,
                "a unit of the closed list",
                near(str(unit), UNITS, "one of " + ", ".join(sorted(UNITS))),
            )
        )
    if status not in STATUSES:
        faults.append(
            Fault(
                f"{path}.status",
                status,
                "one of " + ", ".join(STATUSES),
                near(str(status), STATUSES, "assumed"),
            )
        )
    keys = source if isinstance(source, list | tuple) else [source]
    if not keys or not all(isinstance(key, str) and key for key in keys):
        faults.append(
            Fault(
                f"{path}.source", source, "a key of sources.yaml, or a list of keys", "careload_defaults_2026"
            )
        )
    for name in ("note", "range_note"):
        if not isinstance(node.get(name, ""), str):
            faults.append(Fault(f"{path}.{name}", node[name], "a sentence", "to put it in quotes"))
    return faults


def _read_range(
    path: str, value: Value, given: Any, unit: str
) -> tuple[Value, Value, tuple[Any, ...], list[Fault]]:
    """Return ends, choices and faults of the range as given."""
    where = f"{path}.range"
    if unit in ("choice", "switch"):
        if not isinstance(given, list | tuple) or not given:
            return None, None, (), [Fault(where, given, "the list of choices", "[true, false]")]
        return None, None, frozen(given), []
    if unit in ("file", "nis_code"):
        faults = [] if given is None else [Fault(where, given, "null: a name has no range", "null")]
        return None, None, (), faults
    if isinstance(given, Mapping):
        return _relative_range(where, value, given, unit)
    if not isinstance(given, list | tuple) or len(given) != 2:
        return None, None, (), [Fault(where, given, "[low, high], {times: 2} or {plus: 0.2}", "[low, high]")]
    low, high = frozen(given)
    if isinstance(value, tuple) and unit not in ("clock_span", "session"):
        low = low if isinstance(low, tuple) else (low,) * len(value)
        high = high if isinstance(high, tuple) else (high,) * len(value)
        if len(low) != len(value) or len(high) != len(value):
            return (
                None,
                None,
                (),
                [Fault(where, given, f"{len(value)} low and {len(value)} high ends", "one end for all")],
            )
    ends = list(zip(_as_tuple(low), _as_tuple(high), strict=True))
    textual = unit in ("clock", "clock_span", "session", "date")
    if not all(
        (isinstance(a, str) and isinstance(b, str)) if textual else (is_number(a) and is_number(b))
        for a, b in ends
    ):
        return (
            None,
            None,
            (),
            [Fault(where, given, "two " + ("texts" if textual else "numbers"), "[low, high]")],
        )
    if any(a > b for a, b in ends):
        return None, None, (), [Fault(where, given, "the low end first", "to swap the ends")]
    return low, high, (), []


def _relative_range(
    where: str, value: Value, given: Mapping[str, Any], unit: str
) -> tuple[Value, Value, tuple[Any, ...], list[Fault]]:
    """Ends of a range written as a factor or a step; shares are cut at 0 and 1."""
    items = _as_tuple(value)
    step = next(iter(given.values()), None)
    if set(given) not in ({"times"}, {"plus"}) or not is_number(step) or not all(map(is_number, items)):
        return (
            None,
            None,
            (),
            [Fault(where, dict(given), "{times: factor} or {plus: step} of numbers", "{times: 2}")],
        )
    if ("times" in given and step < 1) or step < 0:
        return (
            None,
            None,
            (),
            [Fault(where, dict(given), "a factor of at least 1 or a step of at least 0", "{times: 2}")],
        )
    if "times" in given:
        pairs = [tuple(sorted((item / step, item * step))) for item in items]
    else:
        pairs = [(round(item - step, 12), round(item + step, 12)) for item in items]
    if unit == "share":
        pairs = [(max(a, 0.0), min(b, 1.0)) for a, b in pairs]
    low, high = tuple(a for a, _ in pairs), tuple(b for _, b in pairs)
    return (low, high, (), []) if isinstance(value, tuple) else (low[0], high[0], (), [])


def _as_tuple(value: Any) -> tuple[Any, ...]:
    """The value itself if it is a tuple, else a tuple of it."""
    return value if isinstance(value, tuple) else (value,)


def width_faults(path: str, quantity: Quantity) -> list[Fault]:
    """Fault if the range of an assumed quantity is narrower than a factor of 2 (a share: 0.2, cut at 0 and 1).

    A `range_note` that argues otherwise lifts the rule; units of choices and moments have no width.
    """
    if quantity.status != "assumed" or quantity.range_note or quantity.unit in UNSCALED:
        return []
    values: Sequence[Any] = _as_tuple(quantity.value)
    lows, highs = _as_tuple(quantity.low), _as_tuple(quantity.high)
    for value, low, high in zip(values, lows, highs, strict=True):
        least, most = wide_range(value, quantity.unit)
        if low > least + _SLACK or high < most - _SLACK or (value == 0 and low == high and len(values) == 1):
            wide = f"[{least:g}, {most:g}]"
            rule = (
                "0.2 up and down, cut at 0 and 1" if quantity.unit in STEPPED else "a factor of 2 up and down"
            )
            return [
                Fault(
                    f"{path}.range",
                    [quantity.low, quantity.high],
                    f"an assumed value to have a range of at least {rule}: {wide} around {value:g}",
                    "a wider range, or a range_note that argues for the narrow one",
                )
            ]
    return []


def wide_range(value: float, unit: str) -> tuple[float, float]:
    """Narrowest range that an assumed value may have without an argument."""
    if unit in STEPPED:
        return max(0.0, value - SHARE_STEP), min(1.0, value + SHARE_STEP)
    first, second = value / RATIO_STEP, value * RATIO_STEP
    return min(first, second), max(first, second)
