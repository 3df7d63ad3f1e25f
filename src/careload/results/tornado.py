"""How far single inputs move an outcome: swings over their declared ranges, the largest first."""

from __future__ import annotations

from dataclasses import dataclass

from careload.results.contrast import Contrast, Findings
from careload.results.estimate import Estimate
from careload.results.spread import InputSpread, SpreadEnd

__all__ = ["Swing", "estimate_of", "inputs_band", "level_band", "swings"]


@dataclass(frozen=True, eq=False)
class Swing:
    """An outcome with one input at the low and at the high end of its range.

    Attributes
    ----------
    spread : InputSpread
    low, high : Estimate
        The outcome at the low and at the high value of the input.
    centre : float
        The outcome of the run itself.
    """

    spread: InputSpread
    low: Estimate
    high: Estimate
    centre: float

    @property
    def least(self) -> float:
        """Smallest value of the outcome."""
        return min(self.low.value, self.high.value, self.centre)

    @property
    def most(self) -> float:
        """Largest value of the outcome."""
        return max(self.low.value, self.high.value, self.centre)

    @property
    def changes_sign(self) -> bool:
        """Whether the outcome is on both sides of zero."""
        return self.least < 0 < self.most


def swings(findings: Findings, contrast: Contrast, outcome: str = "released") -> list[Swing]:
    """Swings of an outcome of a contrast, the largest first; none where the inputs were not varied.

    Parameters
    ----------
    findings : Findings
    contrast : Contrast
    outcome : str
        Name of a part of the ledger, or of a measure, whose difference from the baseline is taken.
    """
    centre = estimate_of(contrast, outcome).value
    found = [
        Swing(one, estimate_of(one.low, outcome), estimate_of(one.high, outcome), centre)
        for one in findings.spread
        if one.world == contrast.world
    ]
    return sorted(found, key=lambda swing: (swing.least - swing.most, swing.spread.key))


def inputs_band(findings: Findings, contrast: Contrast, outcome: str) -> tuple[float, float] | None:
    """Least and most of an outcome over all inputs, one at a time; None where they were not varied."""
    found = swings(findings, contrast, outcome)
    if not found:
        return None
    return min(swing.least for swing in found), max(swing.most for swing in found)


def level_band(findings: Findings, world: str, measure: str) -> tuple[float, float] | None:
    """Least and most of a measure of one world over all inputs, one at a time; None where they were not varied."""
    baseline = world == findings.baseline.name
    moved = [
        (end.baseline if baseline else end.levels)[measure].value
        for one in findings.spread
        if baseline or one.world == world
        for end in (one.low, one.high)
    ]
    ends = [*moved, findings.world(world).levels[measure].value]
    # An end is the run plus the shift over fewer replications, which may pass zero; no measure of a world does.
    return (max(0.0, min(ends)), max(ends)) if moved else None


def estimate_of(of: Contrast | SpreadEnd, outcome: str) -> Estimate:
    """A part of the ledger, or the difference of a measure."""
    return of.parts[outcome] if outcome in of.parts else of.differences[outcome]
