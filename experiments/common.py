"""What the experiments share: rows of a sweep by their keys, lines with intervals, and numbers in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from careload.results.figures import GREY, INK, Chart
from careload.results.sentences import signed
from careload.results.sweep import Measure, Row, read_sweep

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
MARKS = ("o", "s", "^", "D")
"""Okabe and Ito's colours, and marks that tell lines apart without colour."""

FOOT = "Intervals: 95 %, over replications. Sizes rest on assumed inputs (grade D)."

Points = Mapping[tuple[Any, ...], Row]


def points_of(folder: Path, *keys: str) -> Points:
    """Rows of a sweep with one scenario by the values of some keys."""
    return {tuple(row.keys[key] for key in keys): row for row in read_sweep(folder).rows}


def interval(measure: Measure, decimals: int = 2) -> str:
    """A number with its interval."""
    value, low, high = (signed(one, decimals) for one in (measure.value, measure.low, measure.high))
    return f"{value} ({low} to {high})"


def negative(measure: Measure) -> Measure:
    """The same with the other sign."""
    return replace(measure, value=-measure.value, low=-measure.high, high=-measure.low)


def beyond(one: Measure, other: Measure) -> bool:
    """Whether one lies above the other and their intervals do not meet."""
    return one.low > other.high


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    return "\n".join(lines + [f"| {' | '.join(row)} |" for row in rows])


def figure(title: str, panels: int) -> tuple[Chart, list[Axes]]:
    """A figure with its finding as title and panels side by side."""
    chart = Chart(figsize=(5.2 * panels, 4.8), layout="constrained")
    chart.suptitle(title, fontsize=11, x=0.01, ha="left")
    chart.supxlabel(FOOT, fontsize=8, x=0.01, ha="left", color=GREY)
    axes = chart.subplots(1, panels, squeeze=False)[0]
    return chart, list(axes)


def draw_line(ax: Axes, which: int, x: Sequence[float], measures: Sequence[Measure], label: str) -> None:
    """A line through measures, with their intervals."""
    values = [one.value for one in measures]
    ends = [[one.value - one.low for one in measures], [one.high - one.value for one in measures]]
    ax.errorbar(x, values, ends, color=COLOURS[which], marker=MARKS[which], capsize=3, lw=1.5, label=label)
    ax.set_xticks(x)


def finish(ax: Axes, title: str, x_label: str, y_label: str) -> None:
    """Labels and a line at zero."""
    ax.set_title(title, fontsize=10, loc="left")
    ax.set_xlabel(x_label)
    ax.set_ylabel(y_label)
    ax.axhline(0, color=INK, lw=0.8)
    ax.spines[["top", "right"]].set_visible(False)


Finding = tuple[str, Figure]
