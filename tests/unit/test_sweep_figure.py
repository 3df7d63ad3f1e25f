"""Figure of a sweep, from points made by hand: its finding, its intervals, and how much is assumed."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from matplotlib.text import Text

from careload.results.sweep import Measure, Row, Sweep
from careload.results.sweep_figure import draw_sweep

HOURS = "h/week per GP"
COLUMNS = ("released_hours", "reinvested_hours", "taken_home_hours", "usable_hours", "crumbs_hours")
KEY, OTHER = "practice.team.nurse.fte", "practice.list_size"


def measured(value: float, half: float, unit: str = HOURS) -> Measure:
    """A number and the interval around it."""
    return Measure(value, value - half, value + half, unit, "D", "")


def point(number: int, released: float, half: float, assumed: int = 500, list_size: int = 1000) -> Row:
    """A point; of what is released a quarter goes each way."""
    measures = {name: measured(released / (1 if name == COLUMNS[0] else 4), half) for name in COLUMNS}
    measures["missed_urgent"] = measured(10.0 + number, 1.0, "per 10,000 requests")
    keys = {KEY: 0.2 * (number + 1), OTHER: list_size}
    return Row(str(number), "solo_nurse", 10, 1, keys, measures, {"assumed": assumed, "derived": 100})


def swept(rows: list[Row], keys: tuple[str, ...] = (KEY,), with_safety: bool = False) -> list[str]:
    """All texts of the figure of some points, each in one line."""
    points = tuple(replace(row, keys={key: row.keys[key] for key in keys}) for row in rows)
    chart = draw_sweep(Sweep(points, keys, (), with_safety))
    assert chart is not None
    return [" ".join(text.get_text().split()) for text in chart.findobj(Text) if isinstance(text, Text)]


def test_a_sweep_that_changes_names_its_ends_and_what_is_taken_home() -> None:
    said = swept([point(0, 1.0, 0.1), point(1, 2.0, 0.1)])
    title = "runs from 1.0 h a week (nurse fte 0.2, 0.2 taken home) to 2.0 h a week (nurse fte 0.4, 0.5 taken home)"
    assert f"GP time released per GP {title}" in said


def test_a_sweep_whose_ends_overlap_does_not_change_beyond_chance() -> None:
    rows = [point(0, 4.75, 0.1), point(1, 4.8, 0.1)]
    title = "GP time released per GP does not change beyond chance: 4.75 to 4.80 h a week"
    assert title in swept(rows)
    safe = swept(rows, with_safety=True)
    assert f"{title}; 10.0 to 11.0 urgent requests in 10,000 judged less urgent" in safe


def test_one_replication_claims_nothing_about_chance() -> None:
    said = swept([point(0, 4.75, math.nan), point(1, 4.8, math.nan)])
    assert any("runs from 4.8 h a week" in text for text in said)
    assert f"{HOURS}; no interval" in said


@pytest.mark.parametrize("keys", [(KEY,), (KEY, OTHER)])
def test_every_panel_says_how_far_chance_goes(keys: tuple[str, ...]) -> None:
    rows = [point(0, 1.0, 0.05), point(1, 2.0, 0.12), point(2, 3.0, 0.2, list_size=1200)]
    said = swept(rows, keys, with_safety=True)
    panels = 2 if len(keys) == 1 else 5
    assert said.count(f"{HOURS}; chance: \N{PLUS-MINUS SIGN} 0.20 at most") == panels
    assert "per 10,000 requests; chance: \N{PLUS-MINUS SIGN} 1.00 at most" in said


def test_the_foot_counts_what_is_assumed_over_all_points() -> None:
    same = swept([point(0, 1.0, 0.1), point(1, 2.0, 0.1)])
    assert any(text.endswith("; 500 of 600 inputs are assumed") for text in same)
    differing = swept([point(0, 1.0, 0.1), point(1, 2.0, 0.1, assumed=510)])
    assert any(text.endswith("; 500 to 510 of 600 to 610 inputs are assumed") for text in differing)
