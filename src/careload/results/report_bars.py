"""Bars of the report page: one small SVG per row of a table, all of one chart on the same scale.

Positions are shares of the width, so a bar keeps its place on any page; the words and numbers stand in the table.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from careload.results.report_markup import Markup, element, joined

__all__ = ["HATCH", "Scale", "axis", "band", "bar", "drawing", "rule", "whisker"]

HATCH = element(
    "svg",
    element(
        "defs",
        element(
            "pattern",
            element("line", x1="0", y1="0", x2="0", y2="6", stroke="white", stroke_width="2.2"),
            id="hatch",
            width="6",
            height="6",
            patternUnits="userSpaceOnUse",
            patternTransform="rotate(45)",
        ),
    ),
    width="0",
    height="0",
    class_="unseen",
    aria_hidden="true",
)
"""Pattern of what is assumed; stands once on a page, before the bars."""

_MARKS = 6
_NICE = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True)
class Scale:
    """Ends of the axis of a chart."""

    low: float
    high: float

    @classmethod
    def over(cls, values: Iterable[float]) -> Scale:
        """The scale that holds zero and all values, with a little room."""
        known = [0.0, *(value for value in values if not math.isnan(value))]
        low, high = min(known), max(known)
        room = 0.03 * (high - low or 1.0)
        return cls(low - (room if low < 0 else 0.0), high + room)

    @classmethod
    def around(cls, centre: float, values: Iterable[float]) -> Scale:
        """The scale that holds a centre and all values, with a little room; zero need not be on it."""
        known = [centre, *(value for value in values if not math.isnan(value))]
        room = 0.06 * (max(known) - min(known) or 1.0)
        return cls(min(known) - room, max(known) + room)

    def at(self, value: float) -> str:
        """Place of a value as a share of the width."""
        return f"{100 * (value - self.low) / (self.high - self.low):.2f}%"

    def width(self, one: float, other: float) -> str:
        """Distance of two values as a share of the width."""
        return f"{100 * abs(other - one) / (self.high - self.low):.2f}%"

    def marks(self) -> list[float]:
        """Round values along the axis, zero among them."""
        rough = (self.high - self.low) / _MARKS
        power = 10 ** math.floor(math.log10(rough))
        step = next(nice * power for nice in _NICE if nice * power >= rough)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [step * k for k in range(first, last + 1)]


def drawing(scale: Scale, *marks: Markup) -> Markup:
    """The drawing of one row: a grid and the marks on it. The table says the same in words."""
    grid = (
        element(
            "line",
            x1=scale.at(value),
            x2=scale.at(value),
            y1="0",
            y2="100%",
            class_="zero" if abs(value) < 1e-12 else "grid",
        )
        for value in scale.marks()
    )
    return element("svg", *grid, *marks, class_="bar", aria_hidden="true", focusable="false")


def bar(
    scale: Scale, start: float, end: float, colour: str, assumed: bool, y: str = "18%", height: str = "52%"
) -> Markup:
    """A bar from one value to another, hatched where its size is assumed."""
    place = {"x": scale.at(min(start, end)), "width": scale.width(start, end), "y": y, "height": height}
    plain = element("rect", **place, fill=colour)
    return (
        joined(plain, element("rect", **place, fill="url(#hatch)", fill_opacity="0.55")) if assumed else plain
    )


def whisker(scale: Scale, low: float, high: float, y: str = "44%") -> Markup:
    """An interval of chance: a thin black line with ends."""
    if math.isnan(low) or low == high:
        return Markup("")
    middle = float(y.rstrip("%"))
    ends = f"{middle - 9:g}%", f"{middle + 9:g}%"
    line = {"x1": scale.at(low), "x2": scale.at(high), "y1": y, "y2": y}
    return joined(
        element("line", **line, class_="halo"),
        element("line", **line, class_="chance"),
        *(
            element("line", x1=scale.at(x), x2=scale.at(x), y1=ends[0], y2=ends[1], class_="chance")
            for x in (low, high)
        ),
    )


def band(scale: Scale, low: float, high: float) -> Markup:
    """How far one input at a time moves a value: a grey band under the bar."""
    return element(
        "rect", x=scale.at(low), width=scale.width(low, high), y="76%", height="12%", class_="inputs"
    )


def rule(scale: Scale, value: float, y1: str, y2: str) -> Markup:
    """A thin line down, from one step to the next."""
    return element("line", x1=scale.at(value), x2=scale.at(value), y1=y1, y2=y2, class_="step")


def axis(scale: Scale, unit: str) -> Markup:
    """Numbers along the axis, and the unit below."""
    values = scale.marks()
    decimals = max(0, -math.floor(math.log10(np.diff(values).min()) + 1e-9)) if len(values) > 1 else 1
    decimals += any(abs(round(value, decimals) - value) > 1e-9 for value in values)
    numbers = (
        element("text", f"{value:.{decimals}f}".replace("-", "\N{MINUS SIGN}"), x=scale.at(value), y="1em")
        for value in values
    )
    return joined(
        element("svg", *numbers, class_="axis", aria_hidden="true", focusable="false"),
        element("span", unit, class_="unit"),
    )
