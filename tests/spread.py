"""Findings with inputs that move them: shifts put in by hand, so that tests know what must be drawn."""

from __future__ import annotations

from dataclasses import replace

from careload.results.contrast import Contrast, Findings
from careload.results.estimate import Estimate
from careload.results.shift import input_label
from careload.results.spread import InputSpread, SpreadEnd

__all__ = ["SHIFTS", "with_spread"]

SHIFTS = {
    "delegation.hand_back.contact": (0.1, -0.3),
    "delegation.supervision_minutes.contact": (0.6, -3.0),
    "role.gp.pace": (-0.2, 0.1),
    "trust.start": (-0.4, 0.2),
}
"""Key to what its low and its high end add to every part, difference and measure."""


def with_spread(findings: Findings) -> Findings:
    """The findings with every input of `SHIFTS` varied in every contrast."""
    found = [
        _spread(findings, contrast, key, *ends)
        for contrast in findings.contrasts
        for key, ends in SHIFTS.items()
    ]
    return replace(findings, spread=tuple(found))


def _spread(findings: Findings, contrast: Contrast, key: str, low: float, high: float) -> InputSpread:
    world = findings.world(contrast.world)
    quantity = world.study.quantity(key)
    moved = (contrast.parts, contrast.differences, findings.baseline.levels, world.levels)
    return InputSpread(
        world=contrast.world,
        key=key,
        label=input_label(key, quantity, findings.baseline.study.tasks),
        unit=quantity.unit,
        status=quantity.status,
        value=quantity.value,
        low=SpreadEnd(quantity.low, *(_moved(estimates, low) for estimates in moved)),
        high=SpreadEnd(quantity.high, *(_moved(estimates, high) for estimates in moved)),
        others=tuple(name for language, name in quantity.label.items() if language != "en"),
    )


def _moved(estimates: object, shift: float) -> dict[str, Estimate]:
    assert isinstance(estimates, dict)
    return {
        name: replace(one, value=one.value + shift, low=one.value + shift - 0.1, high=one.value + shift + 0.1)
        for name, one in estimates.items()
    }
