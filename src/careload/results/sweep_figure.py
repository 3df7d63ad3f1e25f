"""One figure of a sweep: released time and its destinations as heat maps over two keys, as lines over one.

Safety stands beside time where first contact differs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from textwrap import fill
from typing import Any, Final

import matplotlib
import numpy as np
from matplotlib.axes import Axes

from careload.results.figures import GREY, INK, STYLE, Chart
from careload.results.sentences import SAFETY, SIMULATION_ONLY, signed
from careload.results.sweep import PARTS, Measure, Row, Sweep
from careload.results.waterfall import COLOURS

__all__ = ["draw_sweep"]

_RELEASED: Final = PARTS["released"]
_MARKS: Final = {"home": "o", "reinvested": "s", "usable": "^", "crumbs": "D"}
"""Marks of the four destinations, what is taken home first."""

_WENT: Final = {PARTS[part]: part for part in _MARKS}
"""Columns of the destinations, and the names of their colours."""

_NAMES: Final = {
    _RELEASED: "GP time released",
    "gp_worked": "GP time worked",
    "taken_home_hours": "of it taken home",
    "reinvested_hours": "of it reinvested",
    "usable_hours": "of it in usable gaps",
    "crumbs_hours": "of it in crumbs",
    SAFETY: "urgent requests judged less urgent",
}
_LEFT_OUT: Final = ("worlds.", "practice.", "team.", "task.", "delegation.")
_MOST_TICKS: Final = 12
_MOST_CELLS: Final = 24
_CELL: Final = (0.45, 0.3)
_ASIDE: Final = 1.5
"""Inches across and up of a cell, and across beside the cells of a map."""

_WIDEST: Final = 13.0
"""Inches up to which maps stand three in a row."""

_NARROWEST: Final = 8.4
"""Inches that a title needs."""

_MISSED: Final = "urgent requests in 10,000 judged less urgent"
_ZERO: Final = "hatched: the interval contains 0"


def draw_sweep(sweep: Sweep, world: str | None = None) -> Chart | None:
    """Draw released time and its four destinations over the one or two keys that were swept.

    Where nothing is compared GP time worked is drawn. Where first contact differs, urgent requests judged less urgent
    stand beside it: time never stands alone.

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
    if len(sweep.keys) not in (1, 2):
        return None
    names = [_RELEASED, *_WENT] if _RELEASED in rows[0].measures else ["gp_worked"]
    names += [SAFETY] if sweep.with_safety else []
    with matplotlib.rc_context(STYLE):
        if len(sweep.keys) == 1:
            return _lines(sweep, rows, names)
        return _heat_maps(sweep, rows, names)


def _values(rows: Sequence[Row], key: str) -> list[Any]:
    """Values of a key, numbers by size, others as they come."""
    found = list(dict.fromkeys(row.keys[key] for row in rows))
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in found)
    return sorted(found) if numbers else found


def _heat_maps(sweep: Sweep, rows: Sequence[Row], names: Sequence[str]) -> Chart:
    """One map for each measure, two or three in a row; the destinations have one scale of colours."""
    down, across = sweep.keys
    if len(_values(rows, down)) > len(_values(rows, across)):
        down, across = across, down
    xs, ys = _values(rows, across), _values(rows, down)
    each = _ASIDE + _CELL[0] * max(5, len(xs))
    columns = min(len(names), 3 if 3 * each <= _WIDEST else 2)
    each = max(each, _NARROWEST / columns)
    lines, row = -(-len(names) // columns), 1.2 + _CELL[1] * max(5, len(ys))
    width = each * columns
    title = _heading(rows, names, width)
    height = 0.75 + 0.19 * (title.count("\n") + 1) + row * lines
    figure = Chart(figsize=(width, height), dpi=150, facecolor="white")
    for number, name in enumerate(names):
        left, bottom = number % columns * each, 1.0 + (lines - 1 - number // columns) * row
        wide, high = (each - _ASIDE) / width, (row - 1.2) / height
        axes = figure.add_axes(((left + 0.75) / width, bottom / height, wide, high))
        image = _heat_map(axes, rows, name, (down, across), _limits(rows, name))
        axes.set_xlabel(_words_of(across))
        axes.set_ylabel(_words_of(down))
        _head(axes, rows, [name], _NAMES[name])
        place = ((left + each - 0.67) / width, bottom / height, 0.13 / width, high)
        figure.colorbar(image, cax=figure.add_axes(place)).ax.tick_params(labelsize=8)
    hatched = any(_open(row.measures[name]) for row in rows for name in names if name != SAFETY)
    _words(figure, title, rows, hatched)
    return figure


def _limits(rows: Sequence[Row], name: str) -> dict[str, Any]:
    """Colours of a map; zero is white where there are both signs."""
    together = [*_WENT] if name in _WENT else [name]
    values = [row.measures[one].value for row in rows for one in together]
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    if name == SAFETY:
        return {"vmin": 0.0, "vmax": high or 1.0, "cmap": "Reds"}
    if low < 0 < high:
        most = max(-low, high)
        return {"vmin": -most, "vmax": most, "cmap": "PuOr"}
    return {"vmin": low, "vmax": high, "cmap": "cividis"}


def _heat_map(
    axes: Axes, rows: Sequence[Row], name: str, keys: tuple[str, str], limits: dict[str, Any]
) -> Any:
    """Cells of one measure; hatched where the interval contains 0, if its sign matters."""
    ys, xs = (_values(rows, key) for key in keys)
    grid = np.full((len(ys), len(xs)), np.nan)
    cells: dict[tuple[int, int], Measure] = {}
    for row in rows:
        place = ys.index(row.keys[keys[0]]), xs.index(row.keys[keys[1]])
        cells[place] = row.measures[name]
        grid[place] = row.measures[name].value
    image = axes.imshow(grid, aspect="auto", origin="lower", **limits)
    for (y, x), measure in cells.items():
        _mark(axes, x, y, measure, image, max(len(xs), len(ys)) <= _MOST_CELLS, name != SAFETY)
    axes.set_xticks(range(len(xs)), [_short(x) for x in xs])
    axes.set_yticks(range(len(ys)), [_short(y) for y in ys])
    axes.tick_params(labelsize=8.5)
    return image


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _head(axes: Axes, rows: Sequence[Row], names: Sequence[str], words: str) -> None:
    """Write above a panel what it is, in which unit, and how far chance goes at most."""
    measured = [row.measures[name] for row in rows for name in names]
    halves = [(one.high - one.low) / 2 for one in measured if not math.isnan(one.low)]
    most = f"chance: \N{PLUS-MINUS SIGN} {max(halves):.2f} at most" if halves else "no interval"
    axes.set_title(words, loc="left", fontsize=10, fontweight="bold", color=INK, pad=17)
    axes.annotate(
        f"{measured[0].unit}; {most}",
        (0, 1),
        xytext=(0, 5),
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize=8,
        color=GREY,
    )


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
    """Released time, its destinations, and safety, side by side as lines."""
    panels = [[name] for name in names if name not in _WENT]
    if _RELEASED in names:
        panels.insert(1, [*_WENT])
    each = max(5.2, _NARROWEST / len(panels))
    width = each * len(panels)
    title = _heading(rows, names, width)
    height = 4.8 + 0.19 * title.count("\n")
    figure = Chart(figsize=(width, height), dpi=150, facecolor="white")
    for number, shown in enumerate(panels):
        place = ((number * each + 0.7) / width, 1.2 / height, (each - 1.0) / width, 2.55 / height)
        _panel(figure.add_axes(place), sweep.keys[0], rows, shown)
    _words(figure, title, rows, False)
    return figure


def _panel(axes: Axes, key: str, rows: Sequence[Row], names: Sequence[str]) -> None:
    """One or several measures over a key, each beside the last so that their intervals can be told apart."""
    xs = _values(rows, key)
    numbers = all(isinstance(x, int | float) and not isinstance(x, bool) for x in xs)
    at = {x: float(x) if numbers else float(place) for place, x in enumerate(xs)}
    room = (max(at.values()) - min(at.values()) or 1.0) / (60 if numbers else 12 * max(1, len(xs) - 1))
    ordered = sorted(rows, key=lambda row: at[row.keys[key]])
    for number, name in enumerate(names):
        beside = room * (number - (len(names) - 1) / 2)
        _line(
            axes, [at[row.keys[key]] + beside for row in ordered], ordered, name, "-" if numbers else "none"
        )
    axes.axhline(0, color=GREY, linewidth=0.8)
    if not numbers or len(xs) <= _MOST_TICKS:
        axes.set_xticks([at[x] for x in xs], [_short(x) for x in xs])
    if not numbers:
        axes.set_xlim(-0.5, len(xs) - 0.5)
    if SAFETY in names:
        axes.set_ylim(bottom=0, top=None if any(row.measures[SAFETY].value for row in rows) else 1)
    axes.set_xlabel(_words_of(key))
    axes.spines[["top", "right"]].set_visible(False)
    _head(axes, rows, names, _NAMES[names[0]] if len(names) == 1 else "where it went")
    if len(names) > 1:
        place: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.19), "ncols": len(names)}
        axes.legend(frameon=False, fontsize=8.5, handletextpad=0.4, columnspacing=1.2, **place)


def _line(axes: Axes, where: Sequence[float], rows: Sequence[Row], name: str, style: str) -> None:
    """Values of one measure with their intervals."""
    value = np.array([row.measures[name].value for row in rows])
    ends = np.array([[row.measures[name].low, row.measures[name].high] for row in rows])
    colour = {SAFETY: "cost"}.get(name, _WENT.get(name, "moved"))
    axes.errorbar(
        where,
        value,
        yerr=np.abs(np.nan_to_num(ends.T - value)),
        color=COLOURS[colour],
        marker=_MARKS.get(colour, "o"),
        markersize=5,
        markeredgecolor=INK,
        markeredgewidth=0.4,
        capsize=3,
        linestyle=style,
        label=_NAMES[name].removeprefix("of it "),
    )


def _words_of(key: str) -> str:
    """Words for a dotted key, as short as they can be."""
    for before in _LEFT_OUT:
        key = key.removeprefix(before)
    return key.replace(".", " ").replace("_", " ")


def _finding(rows: Sequence[Row], names: Sequence[str]) -> str:
    """The least and the most, and where they are, or that chance explains it; what is missed where that differs."""
    name = names[0]
    known = [row for row in rows if not math.isnan(row.measures[name].value)]
    least, most = (pick(known, key=lambda row: row.measures[name].value) for pick in (min, max))
    ends = tuple(row.measures[name] for row in (least, most))
    if len(known) > 1 and ends[1].low <= ends[0].high:
        where = signed(ends[0].value, 2), signed(ends[1].value, 2)
        missed = [row.measures[SAFETY].value for row in known] if SAFETY in names else []
        told = f"{signed(min(missed), 1)} to {signed(max(missed), 1)} {_MISSED}" if missed else ""
        said = [
            f"does not change beyond chance: {where[0]} to {where[1]} h a week",
            *([told] if told else []),
        ]
    else:
        said = [f"runs from {_told(least, names)} to {_told(most, names)}"]
    unclear = sum(_open(row.measures[name]) for row in known) if name == _RELEASED else 0
    said += [f"not clearly other than 0 in {unclear} of {len(known)} points"] if unclear else []
    return f"{_NAMES[name]} per GP {'; '.join(said)}"


def _told(row: Row, names: Sequence[str]) -> str:
    """Value of a point, where it is, what of it is taken home, and what is missed there."""
    where = [f"{_words_of(key)} {_short(value)}" for key, value in row.keys.items()]
    with_it = {"taken_home_hours": "taken home", SAFETY: _MISSED}
    where += [f"{signed(row.measures[one].value, 1)} {with_it[one]}" for one in names if one in with_it]
    return f"{signed(row.measures[names[0]].value, 1)} h a week ({', '.join(where)})"


def _heading(rows: Sequence[Row], names: Sequence[str], width: float) -> str:
    """The finding in lines as wide as the figure."""
    return fill(_finding(rows, names), int(width * 10.2))


def _words(figure: Chart, title: str, rows: Sequence[Row], hatched: bool) -> None:
    """Finding above; what the numbers are, and how much is assumed, below."""
    width, height = figure.get_size_inches()
    left, top, bottom = 0.2 / width, 1 - 0.2 / height, 0.12 / height
    figure.text(left, top, title, fontsize=11.5, fontweight="bold", color=INK, va="top")
    notes = [_ZERO] if hatched else []
    notes += [f"{rows[0].world}: {rows[0].replications} replications at each point; {SIMULATION_ONLY}"]
    notes += [_assumed(rows)]
    figure.text(left, bottom, fill("; ".join(notes), int(width * 17)), fontsize=8, color=GREY, va="bottom")


def _assumed(rows: Sequence[Row]) -> str:
    """How many inputs are assumed, least to most over the points."""
    counts = [row.inputs for row in rows if row.inputs]
    if not counts:
        return "how many inputs are assumed was not kept"
    few, all_of = (
        " to ".join(str(one) for one in sorted({min(found), max(found)}))
        for found in ([one["assumed"] for one in counts], [sum(one.values()) for one in counts])
    )
    return f"{few} of {all_of} inputs are assumed"
