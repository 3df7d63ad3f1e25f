"""Measured quantities beside what a run gives, with the part they had in choosing the inputs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from careload.inputs.quantity import Quantity
from careload.results.contrast import World
from careload.results.estimate import Estimate

__all__ = ["ROLES", "Target", "targets_of"]

ROLES: Final = {
    "fitted": "used in choosing the inputs",
    "implied": "follows from fitted ones",
    "held_out": "not touched",
}
"""Parts a measured quantity may have; only what is not touched says that the model predicts."""

_MEASURE: Final = {"gp_hours_per_week": "gp_worked"}
"""Targets that the model measures under another name."""


@dataclass(frozen=True)
class Target:
    """A measured quantity and what the run gives for it.

    Attributes
    ----------
    name : str
    role : str
        One of `ROLES`.
    measured : Quantity
    found : Estimate or None
        None where the run does not count it.
    """

    name: str
    role: str
    measured: Quantity
    found: Estimate | None

    @property
    def inside(self) -> bool | None:
        """Whether what was found lies in the range measured; None if it was not found."""
        low, high = self.measured.low, self.measured.high
        if (
            self.found is None
            or math.isnan(self.found.value)
            or not isinstance(low, int | float)
            or not isinstance(high, int | float)
        ):
            return None
        return bool(low <= self.found.value <= high)


def targets_of(world: World) -> list[Target]:
    """The targets of a world's study: fitted ones first, those not touched last."""
    found = []
    for key, quantity in world.study.quantities():
        word, *rest = key.split(".")
        if word == "target":
            role, name = rest[0], ".".join(rest[1:])
            measure = _MEASURE.get(name, name)
            found.append(Target(name, role, quantity, world.levels.get(measure)))
    order = list(ROLES)
    return sorted(found, key=lambda target: order.index(target.role))
