"""Independent lanes against a known mean, with a stated chance of a false alarm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from careload.draws import child, index16, name_key, root_key
from careload.quantiles import Law, durations, unit_table
from careload.ticks import MINUTE

__all__ = ["ALARM", "Comparison", "compare", "draw_ticks", "lane_keys", "stream_keys"]

ALARM = 1e-4
"""Chance that one comparison fails though the program is right."""

Keys = NDArray[np.uint64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Comparison:
    """A mean over lanes, what it should be, and how far off it may be by chance."""

    mean: float
    expected: float
    margin: float

    def holds(self, precision: float) -> bool:
        """Agreement, by a test that would see an error of `precision` times the expected value."""
        return abs(self.mean - self.expected) <= self.margin <= precision * abs(self.expected)


def compare(total: NDArray[np.floating], count: NDArray[np.integer] | int, expected: float) -> Comparison:
    """Compare the mean of what was observed in independent lanes with its expectation.

    The sum of (observed - expected) of a lane has mean 0 if the program is right, however many there were; the
    lanes are many and alike, so Student's t gives the margin that chance exceeds with probability `ALARM`.

    Parameters
    ----------
    total : ndarray, shape (lanes,)
        Sum of the observations of each lane.
    count : int or ndarray, shape (lanes,)
        Their number.
    expected : float
    """
    number = np.broadcast_to(count, total.shape)
    excess = total - number * expected
    error = float(excess.std(ddof=1)) / np.sqrt(len(excess))
    margin = float(stats.t.ppf(1 - ALARM / 2, len(excess) - 1)) * error / float(number.mean())
    return Comparison(float(total.sum() / number.sum()), expected, margin)


def lane_keys(name: str, lanes: IntArray) -> Keys:
    """One key per lane of a test."""
    return child(child(root_key(2012), name_key(name)), lanes)


def stream_keys(keys: Keys, n: int) -> Keys:
    """One key per task, shape (lanes, n)."""
    return child(keys[:, None], np.arange(n))


def draw_ticks(keys: Keys, purpose: str, law: Law, cv: float, minutes: float) -> IntArray:
    """Ticks drawn from the table of a law of this mean, shape of the keys."""
    return durations(unit_table(law, cv), index16(keys, name_key(purpose)), round(minutes * MINUTE))
