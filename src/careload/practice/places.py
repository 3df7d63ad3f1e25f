"""Places of a day: which exist, which are held for the day itself, and when the ordinary ones start."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from careload.ticks import NEVER

__all__ = ["Places", "ordinary_start", "spread_held"]

IntArray: TypeAlias = NDArray[np.int64]
BoolArray: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True)
class Places:
    """Places of one calendar day.

    Parameters
    ----------
    start : ndarray of int64, shape (D, Z, L)
        Ticks at which each place of each diary starts, in time order; ``NEVER`` fills the rest.
    held : ndarray of bool, shape (D, Z, L)
        Places given only on the day itself.
    """

    start: IntArray
    held: BoolArray

    @cached_property
    def used_up(self) -> NDArray[np.int16]:
        """Ordinary places that, once used ahead, take each place, less one; -1 where there is none; shape (D, L, Z).

        No number of places used ahead takes a held one.
        """
        number = np.cumsum(self.ordinary, axis=1) - 1
        number[self.held] = np.iinfo(np.int16).max
        number[~self.exists] = -1
        return np.ascontiguousarray(number.transpose(0, 2, 1), dtype=np.int16)

    @cached_property
    def start_by_lane(self) -> IntArray:
        """The starts in the order of `used_up`, flat."""
        return self.start.transpose(0, 2, 1).reshape(-1)

    @cached_property
    def span(self) -> tuple[int, int, bool]:
        """First and last tick at which a place starts, and whether all starts are in time order."""
        start = self.start
        ordered = bool((start[:, 1:] >= start[:, :-1]).all())
        return int(start.min(initial=0)), int(start.max(initial=0, where=self.exists)), ordered

    @property
    def exists(self) -> BoolArray:
        """Real places, shape (D, Z, L); the rest is filling."""
        return self.start < NEVER

    @property
    def ordinary(self) -> BoolArray:
        """Places that may be booked ahead, shape (D, Z, L)."""
        return self.exists & ~self.held


def spread_held(n_places: ArrayLike, n_held: ArrayLike, width: int | None = None) -> BoolArray:
    """Held places of a day, spread evenly around the middles of equal parts of the day.

    Place i of n is held where the line held x i / n, rounded half up, rises by one before i + 1 (Bresenham's
    line): the count is exact and a single held place stands in the middle.

    Parameters
    ----------
    n_places, n_held : array_like of int, shapes that broadcast to (...)
        Places of the day and how many of them are held, 0 <= n_held <= n_places.
    width : int, optional
        Length of the last axis; the largest ``n_places`` by default.

    Returns
    -------
    ndarray of bool, shape (..., width)
        False beyond ``n_places``.
    """
    places, held = np.broadcast_arrays(np.asarray(n_places, np.int64), np.asarray(n_held, np.int64))
    if np.any(held < 0) or np.any(held > places):
        raise ValueError("n_held must lie between 0 and n_places")
    longest = int(places.max(initial=0))
    if width is not None and width < longest:
        raise ValueError(f"width = {width} is shorter than the longest day of {longest} places")
    edge = np.arange((longest if width is None else width) + 1)
    twice = 2 * np.maximum(places, 1)[..., None]
    line = (2 * edge * held[..., None] + places[..., None]) // twice
    mask: BoolArray = (np.diff(line, axis=-1) > 0) & (edge[:-1] < places[..., None])
    return mask


def ordinary_start(places: Places, diary: ArrayLike, lane: ArrayLike, place: ArrayLike) -> IntArray:
    """Start of the k-th ordinary place of a diary on the day of ``places``.

    Parameters
    ----------
    places : Places
        The calendar day, D diaries and L lanes.
    diary, lane, place : array_like of int, shape (n,)
        Diary, lane and index among the ordinary places of the day, counted from 0.

    Returns
    -------
    ndarray of int64, shape (n,)
        Ticks; ``NEVER`` where the day has no such place or the index is negative.
    """
    diary, lane, place = np.asarray(diary), np.asarray(lane), np.asarray(place)
    number = np.cumsum(places.ordinary, axis=1)[diary, :, lane]
    position = (number <= place[:, None]).sum(axis=1)
    found = (place >= 0) & (position < places.start.shape[1])
    result = np.full(place.shape, NEVER, np.int64)
    result[found] = places.start[diary[found], position[found], lane[found]]
    return result
