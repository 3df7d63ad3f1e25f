"""Time inside a day: whole ticks of 2**-14 minute, so that sums are exact in any order (docs/day.md, section 1)."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["CARRIED_DAY", "MINUTE", "NEVER", "to_minutes", "to_ticks"]

MINUTE: Final = 1 << 14
"""Ticks in one minute."""

CARRIED_DAY: Final = 1 << 26
"""Ticks taken off the release of work for each day it is carried; longer than any practice day."""

NEVER: Final = 1 << 60
"""Marks a delay, release or start that does not exist. No release makes it reachable."""


def to_ticks(minutes: ArrayLike) -> NDArray[np.int64]:
    """Minutes as ticks, rounded half to even, once.

    Parameters
    ----------
    minutes : array_like of float, any shape
        Minutes; negative values are allowed (punctuality).

    Returns
    -------
    ndarray of int64, same shape
    """
    return np.rint(np.asarray(minutes, dtype=np.float64) * MINUTE).astype(np.int64)


def to_minutes(ticks: ArrayLike) -> NDArray[np.float64]:
    """Ticks as minutes; exact for every sum a run can reach (below 2**53 ticks)."""
    result: NDArray[Any] = np.asarray(ticks, dtype=np.float64) / MINUTE
    return result
