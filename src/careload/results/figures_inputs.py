"""Figures of what moves the answer: single inputs, and who takes first contact, with time beside safety."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill
from typing import Final

import matplotlib
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from careload.results.contrast import Contrast, Findings
from careload.results.estimate import Estimate
from careload.results.figures import (
    GREY,
    HATCHED,
    INK,
    STYLE,
    Chart,
    beside,
    break_title,
    draw_band,
    draw_bar,
    draw_interval,
    explain,
    foot,
    quiet,
    write_title,
)
from careload.results.sentences import SAFETY, finding, signed, world_label
from careload.results.tornado import Swing, estimate_of, inputs_band, level_band, swings
from careload.results.waterfall import COLOURS, HIGH_END, LOW_END

__all__ = ["draw_first_contact", "draw_inputs", "first_contact_differs"]

_MOST_ROWS: Final = 16
_WIDTH: Final = 10.9
"""Inches."""


def draw_inputs(findings: Findings, contrast: Contrast, outcome: str = "released") -> Chart:
    """Draw how far single inputs move an outcome, the largest swing first.

    Parameters
    ----------
    findings : Findings
        With inputs varied.
    contrast : Contrast
    outcome : str
        A part of the ledger, or a measure, whose difference from the baseline is drawn.

    Returns
    -------
    Chart
    """
    found = [swing for swing in swings(findings, contrast, outcome) if swing.least != swing.most][:_MOST_ROWS]
    one = estimate_of(contrast, outcome)
    title, more = break_title(finding(findings, contrast), _WIDTH)
    with matplotlib.rc_context(STYLE):
        height = 2.95 + more + 0.32 * max(1, len(found))
        figure = Chart(figsize=(_WIDTH, height), dpi=150, facecolor="white")
        bottom, top = 1.55 / height, 1 - (1.12 + more) / height
        axes = figure.add_axes((0.36, bottom, 0.4, top - bottom))
        _draw_swings(axes, found, one)
        axes.set_xlabel(f"{_change(contrast, outcome)}{one.label}, {one.unit}")
        write_title(figure, title, _said(found, one))
        _explain_ends(figure)
        foot(figure, findings, contrast)
    return figure


def _said(found: Sequence[Swing], one: Estimate) -> str:
    if not found:
        return f"No input that was varied moves it: {one.label}"
    crossing = sum(swing.changes_sign for swing in found)
    turned = f"; {crossing} of {len(found)} turn its sign" if crossing else "; none turns its sign"
    most = found[0].spread.label
    return f"Which input moves it most? {most[:1].upper()}{most[1:]}{turned}"


def _ends(swing: Swing) -> str:
    """The outcome at both ends, and where the ends are."""
    _, low, high, _ = swing.spread.shown
    return "; ".join(
        f"{signed(one.value, one.decimals)} at {value:g}"
        if isinstance(value, int | float)
        else signed(one.value, one.decimals)
        for one, value in ((swing.low, low), (swing.high, high))
    )


def _change(contrast: Contrast, outcome: str) -> str:
    return "" if outcome in contrast.parts else "change of "


def _draw_swings(axes: Axes, found: Sequence[Swing], one: Estimate) -> None:
    ends = [one.value]
    for line, swing in enumerate(found):
        hatched = swing.spread.status == "assumed"
        for end, colour in ((swing.low, LOW_END), (swing.high, HIGH_END)):
            draw_bar(axes, line, swing.centre, end.value, colour, hatched)
            ends.append(end.value)
        beside(axes, -0.02, line, fill(swing.spread.label, 52), ha="right", fontsize=9.5)
        beside(axes, 1.03, line, _ends(swing), ha="left", fontsize=9)
    low, high = min(ends), max(ends)
    room = 0.05 * (high - low or 1.0)
    axes.set_xlim(low - room, high + room)
    axes.set_ylim(len(found) - 0.35, -1.15)
    axes.axvline(one.value, color=INK, linewidth=0.9, zorder=3)
    if low - room < 0 < high + room:
        axes.axvline(0, color=GREY, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
    quiet(axes)
    beside(
        axes,
        1.03,
        -0.85,
        "at the low end; at the high end",
        color=GREY,
        fontsize=9,
        style="italic",
        ha="left",
    )


def _explain_ends(figure: Chart) -> None:
    marks = [
        Patch(facecolor=LOW_END, label="with the input at the low end of its declared range"),
        Patch(facecolor=HIGH_END, label="at its high end; one input at a time, the line is the run itself"),
        Patch(facecolor="#BBBBBB", hatch="////", edgecolor="white", linewidth=0, label=HATCHED),
    ]
    height = figure.get_size_inches()[1]
    figure.legend(
        handles=marks,
        loc="lower left",
        bbox_to_anchor=(0.008, 0.47 / height),
        frameon=False,
        fontsize=8.5,
        handlelength=1.8,
        borderpad=0,
        labelspacing=0.25,
    )


def first_contact_differs(findings: Findings) -> bool:
    """Whether the worlds differ in who takes first contact."""
    return len({world.study.choices.get("first_contact") for world in findings.worlds}) > 1


def draw_first_contact(findings: Findings) -> Chart:
    """Draw GP time released beside urgent requests judged less urgent, world by world; time never stands alone.

    Returns
    -------
    Chart
    """
    contrasts = findings.contrasts
    title, more = break_title(time_and_safety(findings), _WIDTH)
    with matplotlib.rc_context(STYLE):
        height = 3.15 + more + 0.42 * (len(contrasts) + 1)
        figure = Chart(figsize=(_WIDTH, height), dpi=150, facecolor="white")
        bottom, top = 1.65 / height, 1 - (1.15 + more) / height
        time, safety = (figure.add_axes((x, bottom, 0.21, top - bottom)) for x in (0.27, 0.635))
        _draw_time(time, findings)
        _draw_safety(safety, findings)
        asked = findings.scenario.question["en"] if findings.scenario else "Who takes first contact?"
        write_title(figure, title, asked)
        explain(figure, True, bool(findings.spread))
        foot(figure, findings, contrasts[-1])
    return figure


def time_and_safety(findings: Findings) -> str:
    """What the worlds release and what they miss, in one sentence that ranks nobody."""
    released = [contrast.parts["released"] for contrast in findings.contrasts]
    missed = [findings.world(contrast.world).levels[SAFETY] for contrast in findings.contrasts]
    base = findings.baseline.levels[SAFETY]
    time = _least_to_most(released, 1)
    safety = _least_to_most(missed, base.decimals)
    return (
        f"{time} h a week per GP released: {safety} urgent requests in 10,000 judged less urgent, "
        f"against {signed(base.value, base.decimals)} in the baseline"
    )


def _least_to_most(found: Sequence[Estimate], decimals: int) -> str:
    ends = dict.fromkeys(signed(pick(one.value for one in found), decimals) for pick in (min, max))
    return " to ".join(ends)


def _draw_time(axes: Axes, findings: Findings) -> None:
    for line, world in enumerate(findings.worlds):
        beside(axes, -0.05, line, fill(world_label(findings, world.name), 30), ha="right")
    beside(axes, 1.03, 0, "baseline", ha="left", color=GREY)
    for line, contrast in enumerate(findings.contrasts, start=1):
        one = contrast.parts["released"]
        draw_bar(axes, line, 0.0, one.value, COLOURS["moved"], one.grade == "D")
        draw_interval(axes, line, one.low, one.high)
        band = inputs_band(findings, contrast, "released")
        if band is not None:
            draw_band(axes, line, *band)
        beside(axes, 1.03, line, _numbers(one), ha="left", fontsize=9)
    _finish(axes, "GP time released, h/week per GP", len(findings.contrasts))


def _draw_safety(axes: Axes, findings: Findings) -> None:
    for line, world in enumerate(findings.worlds):
        one = world.levels[SAFETY]
        draw_bar(axes, line, 0.0, one.value, COLOURS["cost"], one.grade == "D")
        draw_interval(axes, line, one.low, one.high)
        band = level_band(findings, world.name, SAFETY)
        if band is not None:
            draw_band(axes, line, *band)
        beside(axes, 1.03, line, _numbers(one), ha="left", fontsize=9)
    base = findings.baseline.levels[SAFETY]
    _finish(axes, f"{base.label},\n{base.unit}", len(findings.contrasts))


def _finish(axes: Axes, label: str, last: int) -> None:
    axes.set_ylim(last + 0.6, -0.6)
    axes.axvline(0, color=INK, linewidth=0.9, zorder=3)
    quiet(axes)
    axes.set_xlabel(label)


def _numbers(one: Estimate) -> str:
    ends = f"{signed(one.low, one.decimals)} to {signed(one.high, one.decimals)}"
    return (
        f"{signed(one.value, one.decimals)} ({ends})"
        if one.low == one.low
        else signed(one.value, one.decimals)
    )
