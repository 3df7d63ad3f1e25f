"""Faults: one line each, all together, through processes too."""

from __future__ import annotations

import pickle

import pytest

from careload.inputs.faults import Fault, Faults, near, raise_any


def test_a_fault_is_one_line_in_one_form() -> None:
    fault = Fault("a.key", 3, "a number below 2", "1")
    assert str(fault) == "a.key = 3: expected a number below 2; try 1"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "null"), (True, "true"), (1.5, "1.5"), ("two\nlines", "two lines"), ([1, "a"], "[1, 'a']")],
)
def test_values_are_shown_on_one_line(value: object, shown: str) -> None:
    assert str(Fault("k", value, "e", "t")).startswith(f"k = {shown}: ")


def test_long_values_are_cut() -> None:
    assert len(str(Fault("k", "x" * 1000, "e", "t"))) < 120


def test_all_faults_are_raised_together_and_named_once() -> None:
    one, two = Fault("a", [1], "x", "y"), Fault("b", {}, "x", "y")
    with pytest.raises(Faults) as caught:
        raise_any([one, two, Fault("a", [1], "x", "y")])
    assert caught.value.faults == (one, two)
    assert str(caught.value) == f"{one}\n{two}"


def test_no_faults_raise_nothing() -> None:
    raise_any([])


def test_faults_pass_from_process_to_process() -> None:
    faults = Faults([Fault("a", 1, "x", "y")])
    assert pickle.loads(pickle.dumps(faults)).faults == faults.faults


def test_near_names_are_offered() -> None:
    assert near("slot_minute", ["slot_minutes", "horizon"], "nothing") == "slot_minutes"
    assert near("zzz", ["slot_minutes"], "nothing") == "nothing"
