"""The figure of released time, from what moved to where it went, and what all figures share."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path
from textwrap import fill
from typing import IO, Any, Final

import matplotlib
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.transforms import blended_transform_factory

import careload
from careload.results.contrast import Contrast, Findings
from careload.results.folders import replacing
from careload.results.sentences import SIMULATION_ONLY, finding, plan_line, signed
from careload.results.tornado import inputs_band
from careload.results.waterfall import ASSUMED, COLOURS, Step, along, interval_of, steps

__all__ = [
    "BAND",
    "BLUE",
    "CHANCE",
    "GREY",
    "HATCHED",
    "INK",
    "INPUTS",
    "STYLE",
    "Chart",
    "beside",
    "break_title",
    "draw_band",
    "draw_bar",
    "draw_interval",
    "draw_released",
    "explain",
    "foot",
    "quiet",
    "save_figure",
    "write_title",
]

BLUE: Final = COLOURS["moved"]
INK: Final = "#222222"
GREY: Final = "#6B6B6B"
BAND: Final = "#8A8A8A"
HATCH: Final = "////"
STYLE: Final[dict[Any, Any]] = {"svg.hashsalt": "careload", "hatch.linewidth": 0.6, "font.size": 10}
"""In force while a figure is made and written, whatever the settings of the user."""

HATCHED: Final = f"hatched: {ASSUMED} (grade D)"
CHANCE: Final = "chance: 95 % over replications"
INPUTS: Final = "inputs: one at a time over its declared range, least to most; not chance"

_BAR: Final = 0.6
_BAND_AT: Final = 0.39
_TITLE_LINE: Final = 0.21
"""Inches a line of the title takes."""
_HEADING: Final = 0.85
"""Lines a heading takes."""

_INPUTS_AT: Final = 1.455
"""Where the numbers of the inputs begin, in widths of the axes."""

Span = tuple[float, float]


class Chart(Figure):
    """A figure that notebooks show by themselves."""

    def _repr_svg_(self) -> str:
        """Draw as SVG."""
        text = io.StringIO()
        _write(self, text, "svg")
        return text.getvalue()


def draw_released(findings: Findings, contrast: Contrast) -> Chart:
    """Draw what moved, what it costs the GP, what is released, and its four destinations.

    Around each step stand the interval of chance and, where inputs were varied, the least and most that one input
    at a time makes of it.

    Parameters
    ----------
    findings : Findings
    contrast : Contrast
        The world to draw, against the baseline.

    Returns
    -------
    Chart
    """
    rows = list(steps(contrast))
    bands = [_band(findings, contrast, step) for step in rows]
    varied = any(band is not None for band in bands)
    width, share = (10.9, 0.465) if varied else (9.6, 0.53)
    title, more = break_title(finding(findings, contrast), width)
    with matplotlib.rc_context(STYLE):
        height = 2.65 + more + 0.27 * (len(rows) + _HEADING * sum(bool(step.heading) for step in rows))
        figure = Chart(figsize=(width, height), dpi=150, facecolor="white")
        bottom, top = 1.5 / height, 1 - (1.12 + more) / height
        axes = figure.add_axes((2.256 / width, bottom, share, top - bottom))
        _draw_steps(axes, rows, bands)
        write_title(figure, title, _question(findings, contrast))
        explain(figure, any(step.estimate.grade == "D" for step in rows), varied)
        foot(figure, findings, contrast)
    return figure


def save_figure(figure: Figure, folder: Path, name: str) -> list[Path]:
    """Write a figure as SVG and PNG; each file takes its place at once.

    Returns
    -------
    list of Path
    """
    paths = [folder / f"{name}.{kind}" for kind in ("svg", "png")]
    for path in paths:
        with replacing(path) as temporary, temporary.open("wb") as file:
            _write(figure, file, path.suffix[1:])
    return paths


def _write(figure: Figure, file: IO[Any], kind: str) -> None:
    """Write without date or version, so that the same figure is the same bytes."""
    unsaid = {"Date": None} if kind == "svg" else {"Software": None}
    with matplotlib.rc_context(STYLE):
        figure.savefig(file, format=kind, metadata=unsaid)


def _band(findings: Findings, contrast: Contrast, step: Step) -> Span | None:
    """Least and most length of a step over the inputs; None for task groups, which are not varied."""
    name = step.estimate.quantity
    return inputs_band(findings, contrast, name) if name in contrast.parts else None


def _draw_steps(axes: Axes, rows: Sequence[Step], bands: Sequence[Span | None]) -> None:
    line, above = 0.0, 0.0
    for number, (step, band) in enumerate(zip(rows, bands, strict=True)):
        if step.heading:
            line += _HEADING
            _head_line(axes, line - 0.78, step.heading)
        _draw_step(axes, step, band, line)
        if number and step.start == rows[number - 1].end and step.kind != "released":
            axes.plot([step.start, step.start], [above, line], color=GREY, linewidth=0.7, zorder=1)
        above = line
        line += 1
    ends = [x for step in rows for x in (step.start, step.end, *interval_of(step))]
    ends += [x for step, band in zip(rows, bands, strict=True) if band for x in along(step, *band)]
    low, high = min(0.0, *ends), max(0.0, *ends)
    room = 0.04 * (high - low or 1.0)
    axes.set_xlim(low - (room if low < 0 else 0), high + room)
    axes.set_ylim(line - 0.35, -0.25)
    axes.axvline(0, color=INK, linewidth=0.9, zorder=3)
    quiet(axes)
    axes.set_xlabel("hours in a working week, per GP")
    heads = {"hours (chance)": 1.03}
    if any(bands):
        heads["(inputs)"] = _INPUTS_AT
    for text, x in heads.items():
        beside(axes, x, 0.07, text, color=GREY, fontsize=9, style="italic", ha="left")


def _head_line(axes: Axes, line: float, text: str) -> None:
    """Write a heading from the left edge of the figure on."""
    assert axes.figure is not None
    place = blended_transform_factory(axes.figure.transFigure, axes.transData)
    axes.text(0.015, line, text, transform=place, color=GREY, fontsize=9, style="italic", va="center")


def _draw_step(axes: Axes, step: Step, band: Span | None, line: float) -> None:
    hatched = step.estimate.grade == "D"
    draw_bar(axes, line, step.start, step.end, COLOURS[step.kind], hatched)
    if band is not None:
        draw_band(axes, line, *along(step, *band))
    draw_interval(axes, line, *interval_of(step))
    weight = "bold" if step.kind == "released" else "normal"
    beside(axes, -0.02, line, step.label, ha="right", weight=weight)
    beside(axes, 1.03, line, _numbers(step), ha="left", weight=weight)
    if band is not None:
        low, high = (-band[1], -band[0]) if step.kind == "cost" else band
        words = f"{signed(low, 2)} to {signed(high, 2)}"
        beside(axes, _INPUTS_AT, line, words, ha="left", color=GREY, weight=weight)


def _numbers(step: Step) -> str:
    """Length of a step with its interval, in the sign in which it is drawn."""
    one = step.estimate
    turned = step.kind == "cost"
    value, low, high = (-one.value, -one.high, -one.low) if turned else (one.value, one.low, one.high)
    if math.isnan(low):
        return f"{signed(value, 2)} (no interval)"
    return f"{signed(value, 2)} ({signed(low, 2)} to {signed(high, 2)})"


def _question(findings: Findings, contrast: Contrast) -> str:
    asked = findings.scenario.question["en"] if findings.scenario else "Where does released GP time go?"
    if len(findings.contrasts) > 1:
        return f"{asked} ({contrast.world} against {contrast.against})"
    return asked


def draw_bar(axes: Axes, line: float, start: float, end: float, colour: str, hatched: bool) -> None:
    """Draw a bar on a line of the figure, hatched where its size is assumed."""
    axes.barh(
        line,
        end - start,
        left=start,
        height=_BAR,
        color=colour,
        hatch=HATCH if hatched else None,
        edgecolor="white",
        linewidth=0,
        zorder=2,
    )


def draw_interval(axes: Axes, line: float, low: float, high: float) -> None:
    """Draw an interval of chance: a black line with ends; nothing where there is none."""
    if math.isnan(low):
        return
    axes.plot([low, high], [line, line], color="white", linewidth=3.2, zorder=4, solid_capstyle="butt")
    axes.plot([low, high], [line, line], color="black", linewidth=1.3, zorder=5, solid_capstyle="butt")
    for x in {low, high}:
        axes.plot([x, x], [line - 0.15, line + 0.15], color="black", linewidth=1.3, zorder=5)


def draw_band(axes: Axes, line: float, low: float, high: float) -> None:
    """Draw how far inputs move a value, one at a time: a grey line under the bar."""
    place = [line + _BAND_AT, line + _BAND_AT]
    axes.plot([low, high], place, color=BAND, linewidth=2.6, zorder=3, solid_capstyle="butt")


def quiet(axes: Axes) -> None:
    """Leave only the axis below and thin lines up from it."""
    axes.set_yticks([])
    axes.spines[["left", "right", "top"]].set_visible(False)
    axes.grid(axis="x", color="#DDDDDD", linewidth=0.7)
    axes.set_axisbelow(True)


def beside(axes: Axes, x: float, line: float, text: str, **style: object) -> None:
    """Write beside the bars: x in shares of the width, y in lines."""
    place = axes.get_yaxis_transform()
    axes.text(x, line, text, transform=place, clip_on=False, va="center", **style)  # type: ignore[arg-type]


def break_title(said: str, width: float) -> tuple[str, float]:
    """A finding in lines, broken before its destinations if it names them, and the inches it takes beyond two lines."""
    most = round(90 * width / 9.6)
    title = ":\n".join(fill(part, most) for part in said.rsplit(": ", 1))
    return title, _TITLE_LINE * max(0, title.count("\n") - 1)


def write_title(figure: Figure, title: str, question: str) -> None:
    """The finding as title, in lines, and the question below."""
    height = figure.get_size_inches()[1]
    figure.text(0.015, 1 - 0.12 / height, title, fontsize=12, weight="bold", va="top", color=INK)
    below = 0.12 + _TITLE_LINE * (title.count("\n") + 1) + 0.06
    figure.text(0.015, 1 - below / height, question, fontsize=9.5, va="top", color=GREY)


def explain(figure: Figure, assumed: bool, varied: bool) -> None:
    """Name the marks above the foot: hatching, interval of chance, and band of the inputs."""
    marks: list[tuple[Artist, str]] = []
    if assumed:
        marks.append((Patch(facecolor="#BBBBBB", hatch=HATCH, edgecolor="white", linewidth=0), HATCHED))
    marks.append((Line2D([], [], color="black", linewidth=1.3), CHANCE))
    if varied:
        marks.append((Line2D([], [], color=BAND, linewidth=2.6), INPUTS))
    height = figure.get_size_inches()[1]
    figure.legend(
        [mark for mark, _ in marks],
        [words for _, words in marks],
        loc="lower left",
        bbox_to_anchor=(0.008, 0.47 / height),
        frameon=False,
        fontsize=8.5,
        handlelength=1.8,
        borderpad=0,
        labelspacing=0.25,
    )


def foot(figure: Figure, findings: Findings, contrast: Contrast) -> None:
    """How it was run and how much is assumed; that the intervals hold chance only, where that is so."""
    counts = findings.world(contrast.world).study.share_assumed()
    assumed = f"{counts['assumed']} of {sum(counts.values())} inputs are assumed"
    first = assumed if findings.spread else f"{SIMULATION_ONLY}; {assumed}"
    text = f"{first}\n{plan_line(findings)}; careload {careload.__version__}"
    height = figure.get_size_inches()[1]
    figure.text(0.015, 0.12 / height, text, fontsize=8.5, va="bottom", color=GREY)
