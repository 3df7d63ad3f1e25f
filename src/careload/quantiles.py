"""Quantities by table: a law of mean 1 cut into equally likely classes, and task times read from it.

A draw picks one of 65,536 classes (`careload.draws.index16`) and takes the *mean* of the law within that
class, so the mean of a table is the mean of the law exactly and not only in the limit. Entries are whole
multiples of 2**-`SHIFT`: a time in ticks is one multiplication and one shift, the same on every processor.
"""

from __future__ import annotations

from enum import Enum
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["POINTS", "SHIFT", "Law", "class_means", "durations", "round_to_sum", "unit_table"]

SHIFT: Final = 20
"""Binary places of the entries of a table."""

POINTS: Final = 1 << 16
"""Entries of a table."""


class Law(Enum):
    """Law of a positive quantity, given its mean and coefficient of variation."""

    LOGNORMAL = "lognormal"
    GAMMA = "gamma"
    EXPONENTIAL = "exponential"
    CONSTANT = "constant"


def class_means(law: Law, cv: float, n_classes: int) -> NDArray[np.float64]:
    """Mean of a mean-1 law within each of equally likely classes, in rising order.

    Parameters
    ----------
    law : Law
    cv : float
        Coefficient of variation; 1 for the exponential law, 0 for the constant one.
    n_classes : int
        Number of classes.

    Returns
    -------
    ndarray of float64, shape (n_classes,)
        Multiples of 2**-`SHIFT` whose mean is exactly 1.
    """
    return np.ldexp(_fixed_class_means(law, cv, n_classes).astype(np.float64), -SHIFT)


def round_to_sum(values: NDArray[np.float64], total: int) -> NDArray[np.int64]:
    """Round to whole numbers with a given sum: down, then up where the remainder is largest.

    Parameters
    ----------
    values : ndarray of float64, shape (n,)
        Numbers whose sum is the total but for rounding.
    total : int
        Sum of the result.

    Returns
    -------
    ndarray of int64, shape (n,)
        Rising if the values rise: the last among equals is rounded up first.
    """
    whole = np.floor(values)
    missing = total - int(whole.sum())
    order = np.lexsort((-np.arange(values.size), whole - values))
    whole[order[:missing]] += 1.0
    rounded: NDArray[np.int64] = whole.astype(np.int64)
    return rounded


@lru_cache(maxsize=256)
def unit_table(law: Law, cv: float) -> NDArray[np.int64]:
    """Table of a law of mean 1, in units of 2**-`SHIFT`.

    Parameters
    ----------
    law : Law
    cv : float
        Coefficient of variation; 1 for the exponential law, 0 for the constant one.

    Returns
    -------
    ndarray of int64, shape (65536,), read-only
        Class means in rising order; their mean is exactly 2**`SHIFT`.
    """
    table = _fixed_class_means(law, cv, POINTS)
    table.setflags(write=False)
    return table


def durations(
    table: NDArray[np.int64], index: NDArray[np.int64], mean_ticks: NDArray[np.int64] | np.int64 | int
) -> NDArray[np.int64]:
    """Return times in ticks, at least one tick each.

    Parameters
    ----------
    table : ndarray of int64, shape (65536,)
        A `unit_table`.
    index : ndarray of int64
        Classes drawn, 0 to 65,535.
    mean_ticks : int or ndarray of int64
        Mean times in ticks, below 2**36; broadcast with the index.

    Returns
    -------
    ndarray of int64, broadcast shape
        Entry times mean, rounded half up.
    """
    ticks: NDArray[np.int64] = table.take(index, mode="clip") * mean_ticks
    ticks += 1 << (SHIFT - 1)
    ticks >>= SHIFT
    return np.maximum(ticks, 1, out=ticks)


def _fixed_class_means(law: Law, cv: float, n_classes: int) -> NDArray[np.int64]:
    """Class means as whole numbers; the largest remainders are rounded up so that the mean is exact."""
    _check(law, cv, n_classes)
    if law is Law.CONSTANT or cv == 0.0:
        means = np.ones(n_classes)
    elif law is Law.LOGNORMAL:
        means = _lognormal_means(cv, n_classes)
    else:
        means = _gamma_means(1.0 / cv**2, n_classes)
    return round_to_sum(means * (2.0**SHIFT / means.mean()), n_classes << SHIFT)


def _check(law: Law, cv: float, n_classes: int) -> None:
    """Refuse what the law cannot be."""
    if n_classes < 1:
        raise ValueError(f"n_classes = {n_classes}: expected 1 or more")
    if not 0.0 <= cv <= 4.0:
        raise ValueError(f"cv = {cv}: expected 0 to 4")
    if law is Law.EXPONENTIAL and cv != 1.0:
        raise ValueError(f"cv = {cv}: expected 1 for the exponential law")
    if law is Law.CONSTANT and cv != 0.0:
        raise ValueError(f"cv = {cv}: expected 0 for the constant law")


def _lognormal_means(cv: float, n_classes: int) -> NDArray[np.float64]:
    """Class means of the lognormal law: differences of its partial expectation."""
    from scipy.special import ndtr, ndtri

    sigma = np.sqrt(np.log1p(cv**2))
    edges = ndtri(np.arange(n_classes + 1) / n_classes)
    return _class_differences(ndtr(edges - sigma), ndtr(sigma - edges))


def _gamma_means(shape: float, n_classes: int) -> NDArray[np.float64]:
    """Class means of the gamma law: differences of its partial expectation."""
    from scipy.special import gammainc, gammaincc, gammainccinv, gammaincinv

    lower = np.arange(n_classes + 1) / n_classes
    edges = np.where(lower <= 0.5, gammaincinv(shape, lower), gammainccinv(shape, lower[::-1]))
    return _class_differences(gammainc(shape + 1.0, edges), gammaincc(shape + 1.0, edges))


def _class_differences(below: NDArray[np.floating], above: NDArray[np.floating]) -> NDArray[np.float64]:
    """Class means from the expectation below and above each class edge, each used where it is small."""
    share: NDArray[np.float64] = np.where(below[1:] <= 0.5, np.diff(below), -np.diff(above))
    return share * (len(below) - 1)
