"""Poisson counts by exact inversion: a function of a uniform number and a mean, the same on every machine."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["poisson", "poisson_rows"]

_COUNTED: Final = 1 << 16
_SUMMED_MEAN: Final = 64.0
_LEAST_TERM: Final = 2.0**-54


def poisson(u: ArrayLike, mean: ArrayLike) -> NDArray[np.int64]:
    """Poisson counts by exact inversion: the least n whose distribution function reaches u.

    Parameters
    ----------
    u : array_like of float
        Uniform draws in (0, 1).
    mean : array_like of float
        Means, 0 or more; broadcast with u.

    Returns
    -------
    ndarray of int64, broadcast shape
    """
    draws, means = np.asarray(u, dtype=np.float64), np.asarray(mean, dtype=np.float64)
    if means.size and not (means.min() >= 0.0 and means.max() < np.inf):
        raise ValueError("mean of a Poisson law: expected finite numbers of 0 or more")
    if means.ndim == 0 and means <= _SUMMED_MEAN:
        cumulated = _cumulated(float(means))
        return np.asarray(np.minimum(np.searchsorted(cumulated, draws), len(cumulated) - 1))
    draws, means = np.broadcast_arrays(draws, means)
    counts = np.zeros(draws.shape, dtype=np.int64)
    flat, flat_u, flat_mean = counts.reshape(-1), draws.reshape(-1), means.reshape(-1)
    for first in range(0, flat.size, _COUNTED):
        part = slice(first, first + _COUNTED)
        _poisson_block(flat_u[part], flat_mean[part], flat[part])
    return counts


def poisson_rows(u: NDArray[np.float64], mean: NDArray[np.float64]) -> NDArray[np.int64]:
    """Poisson counts of a table, shape (rows, n); rows of a single mean are read from its distribution function."""
    counts = np.empty(u.shape, dtype=np.int64)
    for row, (drawn, means) in enumerate(zip(u, mean, strict=True)):
        single = len(means) and np.all(means == means[0])
        counts[row] = poisson(drawn, means[0] if single else means)
    return counts


@lru_cache(maxsize=256)
def _cumulated(mean: float) -> NDArray[np.float64]:
    """Distribution function of a Poisson law at 0, 1, 2 ..., added up as `_poisson_summed` does."""
    term = float(np.exp(-mean))
    totals, n = [term], 0
    while term > _LEAST_TERM or mean > n:
        n += 1
        term = term * mean / n
        totals.append(totals[-1] + term)
    return np.array(totals)


def _poisson_block(u: NDArray[np.float64], mean: NDArray[np.float64], counts: NDArray[np.int64]) -> None:
    """Write the counts of one block; they come in as zeros."""
    # 1 - mean <= exp(-mean): every draw up to that is a zero and needs no exponential.
    cells = np.flatnonzero(u > 1.0 - mean)
    u, mean = u.take(cells), mean.take(cells)
    if mean.size and mean.max() > _SUMMED_MEAN:
        large = np.flatnonzero(mean > _SUMMED_MEAN)
        counts[cells[large]] = _poisson_inverted(u[large], mean[large])
        small = np.flatnonzero(mean <= _SUMMED_MEAN)
        cells, u, mean = cells[small], u[small], mean[small]
    counts[cells] = _poisson_summed(u, mean)


def _poisson_summed(u: NDArray[np.float64], mean: NDArray[np.float64]) -> NDArray[np.int64]:
    """Add probabilities from zero upwards until they reach u; for means up to `_SUMMED_MEAN`."""
    counts = np.zeros(u.size, dtype=np.int64)
    term = np.exp(-mean)
    total = term.copy()
    cells = np.arange(u.size)
    n = 0
    while True:
        above = np.flatnonzero(u > total)
        if above.size and term.min() <= _LEAST_TERM:
            # Past the mode, such terms can no longer bring the sum nearer to u.
            above = above.compress((term.take(above) > _LEAST_TERM) | (mean.take(above) > n))
        if not above.size:
            return counts
        if above.size < cells.size:
            cells, u, mean = cells.take(above), u.take(above), mean.take(above)
            term, total = term.take(above), total.take(above)
        n += 1
        counts[cells] = n
        term *= mean
        term /= n
        total += term


def _poisson_inverted(u: NDArray[np.float64], mean: NDArray[np.float64]) -> NDArray[np.int64]:
    """Step from a normal guess along the distribution function to the least n that reaches u."""
    from scipy.special import ndtri, pdtr

    n = np.maximum(np.floor(mean + np.sqrt(mean) * ndtri(u)), 0.0)
    while (low := np.flatnonzero(pdtr(n, mean) < u)).size:
        n[low] += 1.0
    while (high := np.flatnonzero((n > 0) & (pdtr(np.maximum(n - 1.0, 0.0), mean) >= u))).size:
        n[high] -= 1.0
    return n.astype(np.int64)
