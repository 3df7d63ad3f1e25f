"""One figure of a sweep: a heat map over two keys, a line over one; safety beside time where first contact differs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from textwrap import fill
from typing import Any, Final

import matplotlib
import numpy as np
from matplotlib.axes import Axes

from careload.results.figures import BLUE, GREY, INK, Chart
from careload.results.report import SAFETY, SIMULATION_ONLY, signed
from careload.results.sweep import Measure, Row, Sweep
from careload.results.waterfall import COLOURS

__all__ = ["draw_sweep"]

_STYLE: Final[dict[Any, Any]] = {"svg.hashsalt": "careload", "hatch.linewidth": 0.6, "font.size": 10}
_SHOWN: Final = ("released_hours", "gp_worked")
_NAMES: Final = {
    "released_hours": "GP time released",
    "gp_worked": "GP time worked",
    SAFETY: "missed urgent",
}
_LEFT_OUT: Final = ("worlds.", "practice.", "team.", "task.", "delegation.")
_MOST_TICKS: Final = 12
_MOST_CELLS: Final = 24
_ZERO: Final = "hatched: the interval contains 0"


def draw_sweep(sweep: Sweep, world: str | None = None) -> Chart | None:
    """Draw released time, or GP time worked where nothing is compared, over the one or two keys that were swept.

    Where first contact differs, urgent requests judged less urgent are drawn beside it: time never stands alone.

    Parameters
    ----------
    sweep : Sweep
    world : str, optional
        By default the first.

    Returns
    -------
    Chart or None
        None where no key or more than two were swept.
    """
    chosen = world or sweep.rows[0].world
    rows = [row for row in sweep.rows if row.world == chosen]
    names = [next(name for name in _SHOWN if name in rows[0].measures)]
    names += [SAFETY] if sweep.with_safety else []
    if len(sweep.keys) not in (1, 2):
        return None
    with matplotlib.rc_context(_STYLE):
        if len(sweep.keys) == 1:
            return _lines(sweep, rows, names)
        return _heat_maps(sweep, rows, names)


def _values(rows: Sequence[Row], key: str) -> list[Any]:
    """Values of a key, numbers by size, others as they come."""
    found = list(dict.fromkeys(row.keys[key] for row in rows))
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in found)
    return sorted(found) if numbers else found


def _heat_maps(sweep: Sweep, rows: Sequence[Row], names: Sequence[str]) -> Chart:
    """One map for each measure, side by side."""
    down, across = sweep.keys
    if len(_values(rows, down)) > len(_values(rows, across)):
        down, across = across, down
    xs, ys = _values(rows, across), _values(rows, down)
    each, height = 2.6 + 0.62 * max(8, len(xs)), 2.4 + 0.42 * max(4, len(ys))
    width = each * len(names)
    figure = Chart(figsize=(width, height), dpi=150, facecolor="white")
    for number, name in enumerate(names):
        left = number * each
        axes = figure.add_axes(
            ((left + 1.15) / width, 1.05 / height, (each - 2.5) / width, (height - 2.3) / height)
        )
        image = _heat_map(axes, rows, name, (down, across), name != SAFETY)
        axes.set_xlabel(_words_of(across))
        axes.set_ylabel(_words_of(down))
        place = ((left + each - 1.15) / width, 1.05 / height, 0.18 / width, (height - 2.3) / height)
        figure.colorbar(image, cax=figure.add_axes(place)).set_label(_unit(rows, name))
    hatched = any(_open(row.measures[names[0]]) for row in rows)
    _words(figure, width, height, _finding(rows, names), rows, hatched)
    return figure


def _heat_map(axes: Axes, rows: Sequence[Row], name: str, keys: tuple[str, str], signs: bool) -> Any:
    """Cells of one measure; hatched where the interval contains 0, if its sign matters."""
    ys, xs = (_values(rows, key) for key in keys)
    grid = np.full((len(ys), len(xs)), np.nan)
    cells: dict[tuple[int, int], Measure] = {}
    for row in rows:
        place = ys.index(row.keys[keys[0]]), xs.index(row.keys[keys[1]])
        cells[place] = row.measures[name]
        grid[place] = row.measures[name].value
    low, high = float(np.nanmin(grid)), float(np.nanmax(grid))
    limits: dict[str, Any] = {"vmin": low, "vmax": high, "cmap": "cividis"}
    if not signs:
        limits = {"vmin": 0.0, "vmax": high or 1.0, "cmap": "Reds"}
    elif low < 0 < high:
        most = max(-low, high)
        limits = {"vmin": -most, "vmax": most, "cmap": "PuOr"}
    image = axes.imshow(grid, aspect="auto", origin="lower", **limits)
    for (y, x), measure in cells.items():
        _mark(axes, x, y, measure, image, max(len(xs), len(ys)) <= _MOST_CELLS, signs)
    axes.set_xticks(range(len(xs)), [f"{x:g}" if isinstance(x, float) else str(x) for x in xs])
    axes.set_yticks(range(len(ys)), [f"{y:g}" if isinstance(y, float) else str(y) for y in ys])
    return image


def _mark(axes: Axes, x: int, y: int, measure: Measure, image: Any, with_number: bool, signs: bool) -> None:
    """Number of a cell, and hatching where its interval contains 0, if its sign matters."""
    shade = image.cmap(image.norm(measure.value))
    dark = 0.299 * shade[0] + 0.587 * shade[1] + 0.114 * shade[2] < 0.5
    ink = "white" if dark else INK
    if signs and _open(measure):
        axes.add_patch(
            matplotlib.patches.Rectangle(
                (x - 0.5, y - 0.5), 1, 1, fill=False, hatch="////", edgecolor=ink, linewidth=0
            )
        )
    if with_number and not math.isnan(measure.value):
        plain = {"boxstyle": "round,pad=0.15", "facecolor": shade, "edgecolor": "none"}
        axes.text(x, y, signed(measure.value, 1), ha="center", va="center", fontsize=8, color=ink, bbox=plain)


def _open(measure: Measure) -> bool:
    return not math.isnan(measure.low) and measure.low <= 0 <= measure.high


def _lines(sweep: Sweep, rows: Sequence[Row], names: Sequence[str]) -> Chart:
    """One line for each measure, side by side."""
    each, height = 7.2, 4.6
    width = each * len(names)
    figure = Chart(figsize=(width, height), dpi=150, facecolor="white")
    for number, name in enumerate(names):
        place = ((number * each + 0.8) / width, 1.05 / height, (each - 1.1) / width, (height - 2.1) / height)
        _line(figure.add_axes(place), sweep.keys[0], rows, name)
    _words(figure, width, height, _finding(rows, names), rows, False)
    return figure


def _line(axes: Axes, key: str, rows: Sequence[Row], name: str) -> None:
    xs = _values(rows, key)
    numbers = all(isinstance(x, int | float) and not isinstance(x, bool) for x in xs)
    at = {x: float(x) if numbers else float(place) for place, x in enumerate(xs)}
    points = (
        sorted((at[row.keys[key]], row.measures[name]) for row in rows)
        if numbers
        else [(at[row.keys[key]], row.measures[name]) for row in rows]
    )
    where = [x for x, _ in points]
    value = np.array([measure.value for _, measure in points])
    ends = np.array([[measure.low, measure.high] for _, measure in points])
    axes.errorbar(
        where,
        value,
        yerr=np.abs(np.nan_to_num(ends.T - value)),
        color=COLOURS["cost"] if name == SAFETY else BLUE,
        marker="o",
        capsize=4,
        linestyle="-" if numbers else "none",
    )
    axes.axhline(0, color=GREY, linewidth=0.8)
    if name == SAFETY:
        axes.set_ylim(bottom=0, top=None if value.any() else 1)
    if not numbers or len(xs) <= _MOST_TICKS:
        axes.set_xticks([at[x] for x in xs], [f"{x:g}" if isinstance(x, float) else str(x) for x in xs])
    axes.set_xlabel(_words_of(key))
    axes.set_ylabel(_unit(rows, name))
    axes.spines[["top", "right"]].set_visible(False)


def _words_of(key: str) -> str:
    """Words for a dotted key, as short as they can be."""
    for before in _LEFT_OUT:
        key = key.removeprefix(before)
    return key.replace(".", " ").replace("_", " ")


def _unit(rows: Sequence[Row], name: str) -> str:
    return f"{_NAMES[name]}, {rows[0].measures[name].unit}"


def _finding(rows: Sequence[Row], names: Sequence[str]) -> str:
    """The least and the most, where they are, and where first contact differs what is missed there."""
    name = names[0]
    known = [row for row in rows if not math.isnan(row.measures[name].value)]
    least = min(known, key=lambda row: row.measures[name].value)
    most = max(known, key=lambda row: row.measures[name].value)

    def told(row: Row) -> str:
        where = [f"{_words_of(key)} {value}" for key, value in row.keys.items()]
        where += [f"{signed(row.measures[one].value, 1)} missed urgent in 10,000" for one in names[1:]]
        return f"{signed(row.measures[name].value, 1)} h a week ({', '.join(where)})"

    if name == "released_hours":
        unclear = sum(_open(row.measures[name]) for row in known)
        end = f"; not clearly other than 0 in {unclear} of {len(known)} points" if unclear else ""
    else:
        end = ""
    return f"{_NAMES[name]} per GP runs from {told(least)} to {told(most)}{end}"


def _words(
    figure: Chart, width: float, height: float, title: str, rows: Sequence[Row], hatched: bool
) -> None:
    """Finding above; what the numbers are below."""
    left, top, bottom = 0.2 / width, 1 - 0.2 / height, 0.12 / height
    heading = fill(title, int(width * 9.8))
    figure.text(left, top, heading, fontsize=11.5, fontweight="bold", color=INK, va="top")
    notes = [_ZERO] if hatched else []
    notes += [f"{rows[0].world}: {rows[0].replications} replications at each point; {SIMULATION_ONLY}"]
    figure.text(left, bottom, fill("; ".join(notes), int(width * 15)), fontsize=8, color=GREY, va="bottom")
