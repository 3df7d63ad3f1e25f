"""Quantities: form, ranges and the least width of assumed ones."""

from __future__ import annotations

from typing import Any

import pytest

from careload.inputs.quantity import UNITS, Quantity, read_quantity, readable, width_faults


def node(**fields: Any) -> dict[str, Any]:
    plain = {"value": 4, "unit": "minute", "range": [2, 8], "source": "a_source", "status": "assumed"}
    return {**plain, **fields}


def good(**fields: Any) -> Quantity:
    quantity, faults = read_quantity("a.key", node(**fields))
    assert quantity is not None
    assert not faults
    return quantity


def test_a_quantity_is_read_as_written() -> None:
    quantity = good(note="why", source=["one", "two"])
    assert (quantity.value, quantity.low, quantity.high, quantity.note) == (4, 2, 8, "why")
    assert quantity.sources == ("one", "two")
    assert quantity.source == "one, two"


def test_a_quantity_may_have_a_readable_name_in_three_languages() -> None:
    names = {"en": "name", "fr": "nom", "nl": "naam"}
    assert good(label=names).label == names
    assert good().label == {}
    assert hash(good(label=names)) == hash(good())
    assert good(label=names) != good()


def test_a_value_reads_as_people_say_it() -> None:
    assert readable(820, "per_1024") == (0.8, "times the reference minutes")
    assert readable(3, "count") == (3, "")
    assert readable(2, "minute") == (2, "minutes")


def test_ranges_by_factor_and_step() -> None:
    assert (good(range={"times": 2}).low, good(range={"times": 2}).high) == (2, 8)
    share = good(value=[0.1, 0.9], unit="share", range={"plus": 0.2})
    assert share.low == pytest.approx((0.0, 0.7))
    assert share.high == pytest.approx((0.3, 1.0))
    negative = good(value=-4, range={"times": 2})
    assert (negative.low, negative.high) == (-8, -2)


def test_one_pair_of_ends_serves_a_whole_list() -> None:
    quantity = good(value=[3, 4, 5], range=[1, 20])
    assert (quantity.low, quantity.high) == ((1, 1, 1), (20, 20, 20))


@pytest.mark.parametrize("name", ["value", "unit", "range", "source", "status"])
def test_each_field_is_needed(name: str) -> None:
    fields = node()
    del fields[name]
    quantity, faults = read_quantity("a.key", fields)
    assert quantity is None
    assert [fault.path for fault in faults] == [f"a.key.{name}"]


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"colour": "red"}, "a.key.colour"),
        ({"unit": "fortnight"}, "a.key.unit"),
        ({"status": "guessed"}, "a.key.status"),
        ({"source": []}, "a.key.source"),
        ({"source": 3}, "a.key.source"),
        ({"note": 3}, "a.key.note"),
        ({"label": "a name"}, "a.key.label"),
        ({"label": None}, "a.key.label"),
        ({"label": {"en": "name", "fr": "nom"}}, "a.key.label"),
        ({"label": {"en": "name", "fr": "nom", "nl": 3}}, "a.key.label"),
        ({"label": {"en": "name", "fr": "nom", "nl": " "}}, "a.key.label"),
        ({"range": None}, "a.key.range"),
        ({"range": [1]}, "a.key.range"),
        ({"range": [8, 2]}, "a.key.range"),
        ({"range": ["2", "8"]}, "a.key.range"),
        ({"range": [2, float("nan")]}, "a.key.range"),
        ({"range": {"times": 0.5}}, "a.key.range"),
        ({"range": {"plus": -1}}, "a.key.range"),
        ({"range": {"times": 2, "plus": 1}}, "a.key.range"),
        ({"value": [1, 2], "range": [[1], [2]]}, "a.key.range"),
        ({"range": [[2, 3], [8, 9]]}, "a.key.range"),
        ({"range": [[2, 3], [8]]}, "a.key.range"),
        ({"unit": "switch", "value": True}, None),
        ({"unit": "choice", "value": "a", "range": []}, "a.key.range"),
        ({"unit": "file", "value": "a.csv"}, "a.key.range"),
    ],
)
def test_wrong_fields_are_named(fields: dict[str, Any], path: str | None) -> None:
    _, faults = read_quantity("a.key", node(**fields))
    assert [fault.path for fault in faults] == ([path] if path else [])


@pytest.mark.parametrize(
    ("fields", "wide"),
    [
        ({"range": [2, 8]}, True),
        ({"range": [2.1, 8]}, False),
        ({"range": [2, 7.9]}, False),
        ({"range": [3, 5], "status": "derived"}, True),
        ({"range": [3, 5], "range_note": "because it was counted"}, True),
        ({"value": 0.5, "unit": "share", "range": [0.3, 0.7]}, True),
        ({"value": 0.5, "unit": "share", "range": [0.4, 0.7]}, False),
        ({"value": 0.1, "unit": "share", "range": [0.0, 0.3]}, True),
        ({"value": 0.95, "unit": "share", "range": [0.75, 1.0]}, True),
        ({"value": 0, "range": [0, 2]}, True),
        ({"value": 0, "range": [0, 0]}, False),
        ({"value": -10, "range": [-20, -5]}, True),
        ({"value": -10, "range": [-15, -5]}, False),
        ({"value": [0, 4], "range": {"times": 2}}, True),
        ({"value": [0, 4], "range": {"times": 1.5}}, False),
        ({"value": "20:00", "unit": "clock", "range": ["19:00", "22:00"]}, True),
        ({"value": "a", "unit": "choice", "range": ["a", "b"]}, True),
    ],
)
def test_assumed_ranges_are_wide_or_argued(fields: dict[str, Any], wide: bool) -> None:
    assert (not width_faults("a.key", good(**fields))) is wide


def test_every_unit_reads_behind_a_number() -> None:
    assert all(isinstance(phrase, str) for phrase in UNITS.values())
    assert "minute" in UNITS
