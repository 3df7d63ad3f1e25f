"""Means and variance factors with their intervals over replications."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from careload.results.measures import Grade, Values

__all__ = ["CONFIDENCE", "NOTHING", "Estimate", "mean_interval", "variance_factor"]

CONFIDENCE: Final = 0.95
"""Level of every interval."""

NOTHING: Final = "\N{EN DASH}"
"""Stands in tables where there is no number."""

_LEAST_FOR_FACTOR: Final = 4


@dataclass(frozen=True)
class Estimate:
    """A number with its interval; the interval holds chance, not what is assumed.

    Attributes
    ----------
    quantity : str
        Name, dots between world and measure.
    label : str
        How a table calls it.
    value, low, high : float
        Mean over replications and its 95 % interval; not a number where there is none.
    unit : str
    grade : str
        Worst causal grade in its chain.
    note : str
        What it is.
    decimals : int
        In tables.
    """

    quantity: str
    label: str
    value: float
    low: float
    high: float
    unit: str
    grade: Grade
    note: str
    decimals: int


def mean_interval(values: Values) -> tuple[float, float, float]:
    """Mean of independent replications and its t-interval.

    Parameters
    ----------
    values : ndarray of float, shape (n,)
        One per replication; those that are not a number are left out.

    Returns
    -------
    value, low, high : float
        The ends are not a number with fewer than two values.
    """
    known = values[~np.isnan(values)]
    if not len(known):
        return np.nan, np.nan, np.nan
    value = float(known.mean())
    if len(known) < 2:
        return value, np.nan, np.nan
    half = _t_quantile(len(known) - 1) * float(known.std(ddof=1)) / np.sqrt(len(known))
    return value, float(value - half), float(value + half)


def variance_factor(before: NDArray[np.int64], after: NDArray[np.int64]) -> tuple[float, float, float]:
    """By how much pairing reduces the variance of a difference: (Var b + Var a) / Var(b - a).

    The interval is exact for normal pairs: the factor is (q + 1) / 2 with q = Var(b + a) / Var(b - a), whose
    interval is that of Pitman for the variance ratio of two correlated variables.

    Parameters
    ----------
    before, after : ndarray of int64, shape (n,)
        Paired replications with one list of people.

    Returns
    -------
    value, low, high : float
        Not a number with fewer than four pairs or where nothing varies.
    """
    if len(before) < _LEAST_FOR_FACTOR:
        return np.nan, np.nan, np.nan
    total, less = (before + after).astype(np.float64), (before - after).astype(np.float64)
    spread, left = float(total.var(ddof=1)), float(less.var(ddof=1))
    if not spread or not left:
        return np.nan, np.nan, np.nan
    quotient = spread / left
    correlation = float(np.corrcoef(total, less)[0, 1])
    free = len(total) - 2
    centre = 1 + 2 * (1 - correlation**2) * _t_quantile(free) ** 2 / free
    width = np.sqrt(centre**2 - 1)
    ends = (quotient * (centre - width), quotient * (centre + width))
    return (quotient + 1) / 2, float((ends[0] + 1) / 2), float((ends[1] + 1) / 2)


def _t_quantile(free: int) -> float:
    """Two-sided quantile of Student's law."""
    return float(stdtrit(free, (1 + CONFIDENCE) / 2))
