"""Released time as steps: what moved, what it costs the GP, what is left, and its four destinations."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from careload.results.contrast import Contrast
from careload.results.estimate import Estimate

__all__ = [
    "ASSUMED",
    "COLOURS",
    "COSTS",
    "DESTINATIONS",
    "HIGH_END",
    "LOW_END",
    "Step",
    "along",
    "counts",
    "interval_of",
    "steps",
]

ASSUMED: Final = "assumed, not measured · hypothèse, non mesurée · aanname, niet gemeten"
"""What grade D means, in the three languages of the project."""

COSTS: Final = ("induced", "supervision", "hand_back", "hand_over", "meeting")
DESTINATIONS: Final = ("reinvested", "home", "usable", "crumbs")

COLOURS: Final = {
    "moved": "#0072B2",
    "cost": "#D55E00",
    "released": "#222222",
    "reinvested": "#56B4E9",
    "home": "#009E73",
    "usable": "#E69F00",
    "crumbs": "#F0E442",
}
"""Colour of every kind of step: Okabe and Ito's palette and a dark grey, told apart with any colour vision."""

LOW_END: Final = "#56B4E9"
HIGH_END: Final = "#E69F00"
"""Colours of an outcome with an input at the low and at the high end of its range."""


@dataclass(frozen=True)
class Step:
    """A step in hours: what it shows, from where to where it goes, its kind, and the heading above it.

    Attributes
    ----------
    estimate : Estimate
    start, end : float
        Hours in a working week per GP.
    kind : str
        A key of `COLOURS`.
    label : str
    heading : str
        Empty but for the first of its kind.
    """

    estimate: Estimate
    start: float
    end: float
    kind: str
    label: str
    heading: str = ""


def steps(contrast: Contrast) -> Iterator[Step]:
    """Steps from top to bottom: each starts where the one above ended."""
    at = 0.0
    heading = "What moved from the GP"
    groups = [one for one in contrast.groups.values() if counts(one)]
    for one in sorted(groups, key=lambda one: -one.value):
        yield Step(one, at, at + one.value, "moved", one.label, heading)
        at, heading = at + one.value, ""
    heading = "What it costs the GP"
    for name in COSTS:
        one = contrast.parts[name]
        if counts(one):
            yield Step(one, at, at - one.value, "cost", one.label, heading)
            at, heading = at - one.value, ""
    released = contrast.parts["released"]
    yield Step(released, 0.0, released.value, "released", "released", "What is left")
    at, heading = 0.0, "Where it went"
    for name in DESTINATIONS:
        one = contrast.parts[name]
        yield Step(one, at, at + one.value, name, one.label, heading)
        at, heading = at + one.value, ""


def interval_of(step: Step) -> tuple[float, float]:
    """Interval of the length of a step, drawn at its end; both ends there without replications."""
    one = step.estimate
    return (step.end, step.end) if math.isnan(one.low) else along(step, one.low, one.high)


def along(step: Step, low: float, high: float) -> tuple[float, float]:
    """Where a step would end if its length were `low`, and if it were `high`; ascending."""
    if step.kind == "cost":
        return step.start - high, step.start - low
    return step.start + low, step.start + high


def counts(one: Estimate) -> bool:
    """Whether a part is anything but nothing."""
    return bool(one.value) or (not math.isnan(one.low) and one.low != one.high)
