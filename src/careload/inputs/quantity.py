"""A number of the science with its unit, range, source and status."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from careload.inputs.faults import Fault, near

__all__ = [
    "FIELDS",
    "LANGUAGES",
    "STATUSES",
    "UNITS",
    "Quantity",
    "Value",
    "is_quantity",
    "label_faults",
    "read_quantity",
    "readable",
    "varies",
    "width_faults",
]

Value = bool | int | float | str | tuple[Any, ...] | None

STATUSES: Final = ("verified", "derived", "recalled", "elicited", "assumed")

UNITS: Final[dict[str, str]] = {
    "calendar_day": "calendar days",
    "choice": "choice",
    "clock": "",
    "clock_span": "",
    "correlation": "correlation",
    "count": "",
    "date": "",
    "elasticity": "elasticity",
    "file": "file",
    "fte_hours": "of a full contract",
    "hour_per_week": "hours a week",
    "iso_week": "week of the year",
    "minute": "minutes",
    "nis_code": "municipality",
    "open_day": "open days",
    "per_1000_band_year": "per 1,000 persons of the age band and year",
    "per_1000_patients_year": "per 1,000 patients and year",
    "per_1024": "1/1024 of the reference minutes",
    "per_day": "a day",
    "per_episode": "per episode",
    "per_person_year": "per person and year",
    "per_week": "a week",
    "person": "persons",
    "person_per_day": "persons a day",
    "ratio": "ratio",
    "relative": "relative weight",
    "room": "rooms",
    "seat": "seats",
    "session": "",
    "shape": "shape",
    "share": "share",
    "switch": "switch",
    "week": "weeks",
    "weekday": "day of the week",
    "year": "years",
}
"""The closed list of canonical units, each as it reads behind a number; counts, clock times and dates need none."""

_READ_AS: Final = {"per_1024": (1024, "times the reference minutes")}
"""Units of numbers that people read more easily as a quotient: the divisor, and the words behind it."""

UNSCALED: Final = frozenset(
    {"choice", "clock", "clock_span", "date", "file", "iso_week", "nis_code", "session", "switch", "weekday"}
)
"""Units of choices and moments: they have no size, so no least width of a range."""

SPANS: Final = ("clock_span", "session")
"""Units whose range bounds every value of a list as a whole."""

STEPPED: Final = frozenset({"share", "correlation"})
"""Units between 0 and 1, whose least width is a step and not a factor."""

LANGUAGES: Final = ("en", "fr", "nl")
"""Languages of every label."""

FIELDS: Final = ("value", "unit", "range", "source", "status", "note", "range_note", "label")
REQUIRED: Final = FIELDS[:5]
SHARE_STEP: Final = 0.2
RATIO_STEP: Final = 2.0
_SLACK: Final = 1e-9
_MOST: Final = 1e300


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
    label : mapping of str to str
        Readable name by language; empty if its file gives none.
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
    label: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def source(self) -> str:
        """Keys of the sources, separated by a comma and a space."""
        return ", ".join(self.sources)


def is_quantity(node: Any) -> bool:
    """Whether a node of the tree is meant as a quantity."""
    return isinstance(node, Mapping) and ("value" in node or ("unit" in node and "status" in node))


def readable(value: Any, unit: str) -> tuple[Any, str]:
    """A value and the words for its unit, as pages and figures show them."""
    if unit not in _READ_AS:
        return value, UNITS.get(unit, unit)
    divisor, words = _READ_AS[unit]
    return round(value / divisor, 2), words


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
    faults += [
        Fault(f"{path}.{name}", None, _ARTICLES[name], f"to write `{name}:` there") for name in missing
    ]
    if missing:
        return None, faults
    faults += _word_faults(path, node)
    value = frozen(node["value"])
    ends = _read_range(path, value, node["range"], str(node["unit"]))
    if isinstance(ends, Fault):
        return None, [*faults, ends]
    sources = node["source"] if isinstance(node["source"], list | tuple) else [node["source"]]
    return Quantity(
        value=value,
        unit=str(node["unit"]),
        low=ends.low,
        high=ends.high,
        choices=ends.choices,
        sources=tuple(str(source) for source in sources),
        status=str(node["status"]),
        note=str(node.get("note") or ""),
        range_note=str(node.get("range_note") or ""),
        label=dict(label) if isinstance(label := node.get("label", {}), Mapping) else {},
    ), faults


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
    """Whether the value is a finite number, at most 10**300, and no truth value."""
    return isinstance(value, int | float) and not isinstance(value, bool) and -_MOST <= value <= _MOST


def _word_faults(path: str, node: Mapping[str, Any]) -> list[Fault]:
    """Faults of unit, status, source, notes and label."""
    faults = []
    unit, status, source = node["unit"], node["status"], node["source"]
    if unit not in UNITS:
        remedy = near(str(unit), UNITS, "one of " + ", ".join(UNITS))
        faults.append(Fault(f"{path}.unit", unit, "a unit of the closed list", remedy))
    if status not in STATUSES:
        expectation = "one of " + ", ".join(STATUSES)
        faults.append(Fault(f"{path}.status", status, expectation, near(str(status), STATUSES, "assumed")))
    keys = source if isinstance(source, list | tuple) else [source]
    if not keys or not all(isinstance(key, str) and key for key in keys):
        remedy = "careload_defaults_2026 for a choice of your own"
        faults.append(Fault(f"{path}.source", source, "a key of sources.yaml, or a list of keys", remedy))
    for name in ("note", "range_note"):
        if not isinstance(node.get(name, ""), str):
            faults.append(Fault(f"{path}.{name}", node[name], "a sentence", "to put it in quotes"))
    if "label" in node:
        faults += label_faults(f"{path}.label", node["label"])
    return faults


def label_faults(path: str, label: Any) -> list[Fault]:
    """Return a fault if a readable name is not a text in every language."""
    texts = [label.get(language) for language in LANGUAGES] if isinstance(label, Mapping) else [None]
    if all(isinstance(text, str) and text.strip() for text in texts):
        return []
    return [Fault(path, label, "a text in " + ", ".join(LANGUAGES), "{en: ..., fr: ..., nl: ...}")]


@dataclass(frozen=True)
class _Range:
    """Ends of a range, or the values to choose from."""

    low: Value = None
    high: Value = None
    choices: tuple[Any, ...] = ()


def _read_range(path: str, value: Value, given: Any, unit: str) -> _Range | Fault:
    """Ends or choices of the range as given, or its fault."""
    where = f"{path}.range"
    if unit in ("choice", "switch"):
        listed = isinstance(given, list | tuple) and len(given) > 0
        return (
            _Range(choices=frozen(given)) if listed else Fault(where, given, "the choices", "[true, false]")
        )
    if unit in ("file", "nis_code"):
        return _Range() if given is None else Fault(where, given, "null: a name has no range", "null")
    if isinstance(given, Mapping):
        return _relative_range(where, value, given, unit)
    if not isinstance(given, list | tuple) or len(given) != 2:
        return Fault(where, given, "[low, high], {times: 2} or {plus: 0.2}", "[low, high]")
    low, high = frozen(given)
    lows, highs = (low,), (high,)
    if isinstance(value, tuple) and unit not in SPANS:
        low, high = (end if isinstance(end, tuple) else (end,) * len(value) for end in (low, high))
        if len(low) != len(value) or len(high) != len(value):
            return Fault(
                where,
                given,
                f"{len(value)} low and {len(value)} high ends",
                "one low and one high end for all",
            )
        lows, highs = low, high
    textual = unit in ("clock", "date", *SPANS)
    if not all(isinstance(end, str) if textual else is_number(end) for end in (*lows, *highs)):
        return Fault(where, given, "two texts" if textual else "two numbers", "[low, high]")
    if any(first > last for first, last in zip(lows, highs, strict=True)):
        return Fault(where, given, "the low end first", "to swap the ends")
    return _Range(low, high)


def _relative_range(where: str, value: Value, given: Mapping[str, Any], unit: str) -> _Range | Fault:
    """Ends of a range written as a factor or a step; shares are cut at 0 and 1."""
    items = _as_tuple(value)
    kind = next(iter(given), "")
    step: Any = given.get(kind)
    if (
        len(given) != 1
        or kind not in ("times", "plus")
        or not is_number(step)
        or not all(map(is_number, items))
    ):
        return Fault(where, dict(given), "{times: factor} or {plus: step} around numbers", "{times: 2}")
    if step < (1 if kind == "times" else 0):
        return Fault(where, dict(given), "a factor of at least 1 or a step of at least 0", "{times: 2}")
    if kind == "times":
        pairs = [(min(item / step, item * step), max(item / step, item * step)) for item in items]
    else:
        pairs = [(round(item - step, 12), round(item + step, 12)) for item in items]
    if unit == "share":
        pairs = [(max(low, 0.0), min(high, 1.0)) for low, high in pairs]
    lows, highs = tuple(low for low, _ in pairs), tuple(high for _, high in pairs)
    return _Range(lows, highs) if isinstance(value, tuple) else _Range(lows[0], highs[0])


def _as_tuple(value: Any) -> tuple[Any, ...]:
    """The value itself if it is a tuple, else a tuple of it."""
    return value if isinstance(value, tuple) else (value,)


def varies(quantity: Quantity) -> bool:
    """Whether a quantity is one number with a low and a high end between which it may be varied."""
    return is_number(quantity.value) and is_number(quantity.low) and is_number(quantity.high)


def width_faults(path: str, quantity: Quantity) -> list[Fault]:
    """Return a fault if the range of an assumed quantity is narrower than the rule.

    The rule is a factor of 2 up and down, for a share 0.2 up and down, cut at 0 and 1. A
    `range_note` that argues otherwise lifts the rule; units of choices and moments have no width.
    """
    if quantity.status != "assumed" or quantity.range_note or quantity.unit in UNSCALED:
        return []
    values = _as_tuple(quantity.value)
    ends = zip(values, _as_tuple(quantity.low), _as_tuple(quantity.high), strict=True)
    for value, low, high in ends:
        least, most = wide_range(value, quantity.unit)
        if low > least + _SLACK or high < most - _SLACK or (value == 0 and low == high and len(values) == 1):
            wide = f"[{least:g}, {most:g}]"
            rule = "0.2, cut at 0 and 1," if quantity.unit in STEPPED else "a factor of 2"
            expectation = f"an assumed value to have a range of {rule} up and down: {wide} around {value:g}"
            remedy = "a wider range, or a range_note that argues for the narrow one"
            return [Fault(f"{path}.range", [quantity.low, quantity.high], expectation, remedy)]
    return []


def wide_range(value: Any, unit: str) -> tuple[float, float]:
    """Narrowest range that an assumed value may have without an argument."""
    if unit in STEPPED:
        return max(0.0, value - SHARE_STEP), min(1.0, value + SHARE_STEP)
    first, second = value / RATIO_STEP, value * RATIO_STEP
    return min(first, second), max(first, second)
