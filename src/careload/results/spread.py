"""What one input does to a contrast when it alone goes to the ends of its declared range."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from careload.inputs.quantity import readable
from careload.results.estimate import Estimate

__all__ = ["InputSpread", "SpreadEnd"]


@dataclass(frozen=True, eq=False)
class SpreadEnd:
    """A contrast with one input at one end of its range, both worlds at the changed input.

    Attributes
    ----------
    value : Any
        Of the input.
    parts : mapping of str to Estimate
        Parts of the ledger by name, as `Contrast.parts`: the mean of the whole run plus the paired shift, with the
        interval of the shift, so that the difference from the run is the effect of the input and not of chance.
    differences : mapping of str to Estimate
        Measures of the world less those of the baseline, as `Contrast.differences`, in the same way.
    baseline, levels : mapping of str to Estimate
        Measures of the baseline and of the world, as `World.levels`, in the same way.
    """

    value: Any
    parts: Mapping[str, Estimate]
    differences: Mapping[str, Estimate]
    baseline: Mapping[str, Estimate]
    levels: Mapping[str, Estimate]


@dataclass(frozen=True, eq=False)
class InputSpread:
    """One input of one contrast, taken to both ends of its range while all others stay; one input at a time.

    Attributes
    ----------
    world : str
        The world compared with the baseline.
    key : str
        Dotted key of the quantity.
    label : str
        How pages, figures and tables call it.
    others : tuple of str
        The same in the other languages, if its file names it.
    unit, status : str
        Of the quantity.
    value : Any
        In the run itself.
    low, high : SpreadEnd
        At the ends of the declared range, by the value of the input.
    """

    world: str
    key: str
    label: str
    unit: str
    status: str
    value: Any
    low: SpreadEnd
    high: SpreadEnd
    others: tuple[str, ...] = ()

    @property
    def shown(self) -> tuple[Any, Any, Any, str]:
        """Its value in the run, at the low and at the high end, as people read them, and the words of their unit."""
        run, low, high = (
            readable(value, self.unit)[0] for value in (self.value, self.low.value, self.high.value)
        )
        return run, low, high, readable(self.value, self.unit)[1]
