"""Textbook values for queues, appointments and overflow; times in minutes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

__all__ = ["appointments", "cobham", "d_m_1", "delay_probability", "m_g_1", "m_m_c", "m_m_c_cobham"]


def delay_probability(servers: int, load: float) -> float:
    """Erlang C: share of tasks that wait in M/M/c; the load is arrivals times mean service."""
    blocked = 1.0
    for k in range(1, servers + 1):
        blocked = load * blocked / (k + load * blocked)
    return servers * blocked / (servers - load * (1 - blocked))


def m_m_c(servers: int, rate: float, mean: float) -> float:
    """Mean wait in M/M/c."""
    return delay_probability(servers, rate * mean) * mean / (servers - rate * mean)


def m_g_1(rate: float, mean: float, cv: float) -> float:
    """Pollaczek and Khinchine: mean wait in M/G/1."""
    return rate * mean**2 * (1 + cv**2) / 2 / (1 - rate * mean)


def d_m_1(gap: float, mean: float) -> float:
    """Mean wait in D/M/1: the root s < 1 of s = exp(-(1 - s) gap / mean)."""
    root = 0.0
    for _ in range(10_000):
        root = math.exp(-(1 - root) * gap / mean)
    return mean * root / (1 - root)


def cobham(rates: Sequence[float], means: Sequence[float], cvs: Sequence[float]) -> list[float]:
    """Mean wait by class in M/G/1 with priorities that do not interrupt, the most urgent class first."""
    residual = sum(r * m**2 * (1 + c**2) / 2 for r, m, c in zip(rates, means, cvs, strict=True))
    return _by_class([r * m for r, m in zip(rates, means, strict=True)], residual)


def m_m_c_cobham(servers: int, rates: Sequence[float], mean: float) -> list[float]:
    """Mean wait by class in M/M/c with priorities that do not interrupt and one service law."""
    busy = delay_probability(servers, sum(rates) * mean)
    return _by_class([rate * mean / servers for rate in rates], busy * mean / servers)


def _by_class(loads: list[float], residual: float) -> list[float]:
    """Residual work shared out: divided by the idle share before and after each class."""
    below = np.concatenate(([0.0], np.cumsum(loads)))
    return [residual / ((1 - a) * (1 - b)) for a, b in pairwise(below)]


def appointments(times: NDArray[np.float64], mean: float, phases: int) -> tuple[float, float]:
    """Mean wait of a patient and idle time of the doctor until the last patient leaves.

    Everybody is punctual, and a service is a sum of exponential phases (1: exponential, 4: gamma with CV 0.5),
    so the work left is a number of phases, which a Poisson number shortens between two appointments.

    Parameters
    ----------
    times : ndarray of float64, shape (n,)
        Appointments, never falling.
    """
    phase = mean / phases
    left = np.zeros(len(times) * phases + 1)
    left[0] = 1.0
    sizes = np.arange(len(left))
    waits, before = [], times[0]
    for time in times:
        left = _worked(left, (time - before) / phase)
        waits.append(float(left @ sizes) * phase)
        left = np.concatenate((np.zeros(phases), left[:-phases]))
        before = time
    end = float(times[-1]) + float(left @ sizes) * phase
    return sum(waits) / len(waits), end - len(times) * mean


def _worked(left: NDArray[np.float64], mean: float) -> NDArray[np.float64]:
    """Law of the phases left when a Poisson number of them could be done."""
    if mean == 0:
        return left
    steps = np.arange(len(left))
    log_factorial = np.array([math.lgamma(k + 1) for k in steps])
    done = np.exp(steps * math.log(mean) - mean - log_factorial)
    result = np.array([done[: len(left) - k] @ left[k:] for k in steps])
    result[0] += 1.0 - result.sum()
    return result
