"""One figure: GP time released, from what moved to where it went."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill
from typing import IO, Any, Final

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

import careload
from careload.results.contrast import Contrast, Findings
from careload.results.estimate import Estimate
from careload.results.folders import replacing
from careload.results.report import SIMULATION_ONLY, finding, plan_line, signed

__all__ = ["Chart", "draw_released", "save_figure"]

BLUE: Final = "#0072B2"
VERMILION: Final = "#D55E00"
SKY: Final = "#56B4E9"
GREEN: Final = "#009E73"
ORANGE: Final = "#E69F00"
YELLOW: Final = "#F0E442"
INK: Final = "#222222"
GREY: Final = "#6B6B6B"
"""Okabe and Ito's palette, and greys: told apart with any colour vision."""

ASSUMED: Final = "hatched: assumed, not measured · hypothèse, non mesurée · aanname, niet gemeten (grade D)"

_COSTS: Final = ("induced", "supervision", "hand_back", "hand_over", "meeting")
_DESTINATIONS: Final = (("reinvested", SKY), ("home", GREEN), ("usable", ORANGE), ("crumbs", YELLOW))
_HEIGHT: Final = 0.62
_HEADING: Final = 0.85
"""Lines a heading takes."""

_STYLE: Final[dict[Any, Any]] = {"svg.hashsalt": "careload", "hatch.linewidth": 0.6, "font.size": 10}


class Chart(Figure):
    """A figure that notebooks show by themselves."""

    def _repr_svg_(self) -> str:
        """Draw as SVG."""
        text = io.StringIO()
        _write(self, text, "svg")
        return text.getvalue()


@dataclass(frozen=True)
class Bar:
    """A row: what it shows, from where to where it goes in hours, its colour, and the heading above it."""

    estimate: Estimate
    start: float
    end: float
    colour: str
    label: str
    heading: str = ""


def draw_released(findings: Findings, contrast: Contrast) -> Chart:
    """Draw what moved, what it costs the GP, what is released, and its four destinations.

    Parameters
    ----------
    findings : Findings
    contrast : Contrast
        The world to draw, against the baseline.

    Returns
    -------
    Chart
    """
    bars = list(_bars(contrast))
    headings = sum(bool(bar.heading) for bar in bars)
    with matplotlib.rc_context(_STYLE):
        height = 2.5 + 0.27 * (len(bars) + _HEADING * headings)
        figure = Chart(figsize=(9.6, height), dpi=150, facecolor="white")
        bottom, top = 1.35 / height, 1 - 1.12 / height
        axes = figure.add_axes((0.235, bottom, 0.53, top - bottom))
        _draw_bars(axes, bars)
        _write_words(figure, findings, contrast, height)
        if any(bar.estimate.grade == "D" for bar in bars):
            _explain_hatching(figure, height)
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
    with matplotlib.rc_context(_STYLE):
        figure.savefig(file, format=kind, metadata=unsaid)


def _bars(contrast: Contrast) -> Iterator[Bar]:
    """Rows from top to bottom: each starts where the one above ended."""
    at = 0.0
    heading = "What moved from the GP"
    groups = [one for one in contrast.groups.values() if _counts(one)]
    for one in sorted(groups, key=lambda one: -one.value):
        yield Bar(one, at, at + one.value, BLUE, one.label, heading)
        at, heading = at + one.value, ""
    heading = "What it costs the GP"
    for name in _COSTS:
        one = contrast.parts[name]
        if _counts(one):
            yield Bar(one, at, at - one.value, VERMILION, one.label, heading)
            at, heading = at - one.value, ""
    released = contrast.parts["released"]
    yield Bar(released, 0.0, released.value, INK, "released", "What is left")
    at, heading = 0.0, "Where it went"
    for name, colour in _DESTINATIONS:
        one = contrast.parts[name]
        yield Bar(one, at, at + one.value, colour, one.label, heading)
        at, heading = at + one.value, ""


def _counts(one: Estimate) -> bool:
    """Whether a part is anything but nothing."""
    return bool(one.value) or (not math.isnan(one.low) and one.low != one.high)


def _draw_bars(axes: Axes, bars: list[Bar]) -> None:
    line = 0.0
    previous: tuple[Bar, float] | None = None
    for bar in bars:
        if bar.heading:
            line += _HEADING
            _beside(
                axes, -0.415, line - 0.78, bar.heading, color=GREY, fontsize=9, style="italic", va="center"
            )
        _draw_bar(axes, bar, line)
        if previous is not None and bar.start == previous[0].end and bar.colour != INK:
            axes.plot([bar.start, bar.start], [previous[1], line], color=GREY, linewidth=0.7, zorder=1)
        previous = (bar, line)
        line += 1
    ends = [x for bar in bars for x in (bar.start, bar.end, *_whisker(bar))]
    low, high = min(0.0, *ends), max(0.0, *ends)
    room = 0.04 * (high - low or 1.0)
    axes.set_xlim(low - (room if low < 0 else 0), high + room)
    axes.set_ylim(line - 0.35, -0.25)
    axes.axvline(0, color=INK, linewidth=0.9, zorder=3)
    axes.set_yticks([])
    axes.spines[["left", "right", "top"]].set_visible(False)
    axes.grid(axis="x", color="#DDDDDD", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.set_xlabel("hours in a working week, per GP")
    _beside(axes, 1.03, 0.07, "hours (95 %)", color=GREY, fontsize=9, style="italic", ha="left", va="center")


def _draw_bar(axes: Axes, bar: Bar, line: float) -> None:
    strong = bar.colour == INK
    axes.barh(
        line,
        bar.end - bar.start,
        left=bar.start,
        height=_HEIGHT,
        color=bar.colour,
        hatch="////" if bar.estimate.grade == "D" else None,
        edgecolor="white",
        linewidth=0,
        zorder=2,
    )
    low, high = _whisker(bar)
    axes.plot([low, high], [line, line], color="white", linewidth=3.2, zorder=4, solid_capstyle="butt")
    axes.plot([low, high], [line, line], color="black", linewidth=1.3, zorder=5, solid_capstyle="butt")
    for x in {low, high}:
        axes.plot([x, x], [line - 0.15, line + 0.15], color="black", linewidth=1.3, zorder=5)
    weight = "bold" if strong else "normal"
    _beside(axes, -0.02, line, bar.label, ha="right", va="center", weight=weight)
    _beside(axes, 1.03, line, _numbers(bar), ha="left", va="center", weight=weight)


def _whisker(bar: Bar) -> tuple[float, float]:
    """Interval of the length of a bar, drawn at its end."""
    one = bar.estimate
    if math.isnan(one.low):
        return bar.end, bar.end
    half = (one.high - one.low) / 2
    return bar.end - half, bar.end + half


def _numbers(bar: Bar) -> str:
    """Length of a bar with its interval, in the sign in which it is drawn."""
    one = bar.estimate
    turned = bar.colour == VERMILION
    value, low, high = (-one.value, -one.high, -one.low) if turned else (one.value, one.low, one.high)
    if math.isnan(low):
        return f"{signed(value, 2)} (no interval)"
    return f"{signed(value, 2)} ({signed(low, 2)} to {signed(high, 2)})"


def _beside(axes: Axes, x: float, line: float, text: str, **style: object) -> None:
    """Write beside the bars: x in shares of the width, y in lines."""
    axes.text(x, line, text, transform=axes.get_yaxis_transform(), clip_on=False, **style)  # type: ignore[arg-type]


def _write_words(figure: Figure, findings: Findings, contrast: Contrast, height: float) -> None:
    """Title, question and foot."""
    released, destinations = finding(findings, contrast).rsplit(": ", 1)
    title = f"{fill(released, 90)}:\n{fill(destinations, 90)}"
    figure.text(0.015, 1 - 0.12 / height, title, fontsize=12, weight="bold", va="top", color=INK)
    below = 0.12 + 0.21 * (title.count("\n") + 1) + 0.06
    figure.text(0.015, 1 - below / height, _question(findings, contrast), fontsize=9.5, va="top", color=GREY)
    figure.text(0.015, 0.12 / height, _foot(findings, contrast), fontsize=8.5, va="bottom", color=GREY)


def _explain_hatching(figure: Figure, height: float) -> None:
    hatched = Patch(facecolor="#BBBBBB", hatch="////", edgecolor="white", linewidth=0)
    figure.legend(
        [hatched],
        [ASSUMED],
        loc="lower left",
        bbox_to_anchor=(0.008, 0.50 / height),
        frameon=False,
        fontsize=8.5,
        handlelength=1.8,
        borderpad=0,
    )


def _question(findings: Findings, contrast: Contrast) -> str:
    asked = findings.scenario.question["en"] if findings.scenario else "Where does released GP time go?"
    if len(findings.contrasts) > 1:
        return f"{asked} ({contrast.world} against {contrast.against})"
    return asked


def _foot(findings: Findings, contrast: Contrast) -> str:
    counts = findings.world(contrast.world).study.share_assumed()
    total = sum(counts.values())
    assumed = f"{counts['assumed']} of {total} inputs are assumed"
    return f"{SIMULATION_ONLY}; {assumed}\n{plan_line(findings)}; careload {careload.__version__}"
