"""Released time and what is taken home by minutes of signing and by hand-backs; where each crosses zero."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from common import Finding, draw_line, figure, finish, interval, points_of, table

SIGNING, BACK = "delegation.supervision_minutes.contact", "delegation.hand_back.contact"


def crossing(minutes: Sequence[float], values: Sequence[float]) -> str:
    """Minutes at which falling values cross zero, by the line between two points."""
    below = [place for place, value in enumerate(values) if value < 0]
    if not below:
        return f"more than {minutes[-1]:g}"
    if below[0] == 0:
        return f"less than {minutes[0]:g}"
    ends = slice(below[0] - 1, below[0] + 1)
    return f"{np.interp(0, values[ends][::-1], minutes[ends][::-1]):.1f}"


def analyse(folder: Path) -> Finding:
    """What the sweep says, and its figure."""
    points = points_of(folder, SIGNING, BACK)
    minutes, backs = (sorted({key[place] for key in points}) for place in (0, 1))
    measures = {
        "released": {key: row.measures["released_hours"] for key, row in points.items()},
        "taken home": {key: row.measures["taken_home_hours"] for key, row in points.items()},
    }
    zero = {
        (name, back): [
            crossing(minutes, [getattr(of[one, back], end) for one in minutes])
            for end in ("value", "low", "high")
        ]
        for name, of in measures.items()
        for back in backs
    }
    worst, usual = backs[-1], backs[len(backs) // 2]
    chart, (left, right) = figure(
        f"With {worst:.0%} of contacts handed back, nothing is taken home from {zero['taken home', worst][0]} minutes\n"
        f"of signing on, and nothing is released from {zero['released', worst][0]} minutes on",
        2,
    )
    for ax, (name, of) in zip((left, right), measures.items(), strict=True):
        for which, back in enumerate(backs):
            draw_line(ax, which, minutes, [of[one, back] for one in minutes], f"{back:.0%} handed back")
        finish(ax, f"GP time {name}", "minutes of signing a contact", "h a week per GP")
    right.legend(frameon=False, fontsize=9)
    rows = [
        [
            f"{back:.0%}",
            *(f"{at} ({low} to {high})" for at, low, high in (zero[name, back] for name in measures)),
        ]
        for back in backs
    ]
    of = measures["released"]
    few, many = minutes[0], minutes[-1]
    said = [
        f"- At the usual {usual:.0%} of contacts handed back, released time falls from {interval(of[few, usual])} h a "
        f"week with {few:g} minute of signing to {interval(of[many, usual])} h with {many:g}.",
        f"- At {worst:.0%} it falls from {interval(of[few, worst])} to {interval(of[many, worst])} h.",
        "",
        "Minutes of signing a contact from which nothing is left; in brackets, where ends of intervals cross 0:",
        "",
        table(["handed back", *(f"nothing {name}" for name in measures)], rows),
        "",
        "![Released and taken home by minutes of signing and hand-backs](finding.svg)",
    ]
    return "\n".join(said), chart
