"""What became of every task instance, in every world."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from careload.codes import Codes
from careload.columns import spread
from careload.patients.register import Growing

__all__ = ["Fate", "Outcomes"]


class Fate(Codes):
    """What became of a task instance in one world."""

    NOT_DONE = 0
    """Never asked for, not served, given up or displaced."""
    BY_GP = 1
    BY_OTHER = 2
    NOT_NEEDED = 3
    """The need ended without it."""


class Outcomes:
    """Fate and GP time of every task row in every world that its cell is run in; rows are those of the register.

    The outcomes of a row stand side by side, and those of the next row behind them: a world that a cell is not run
    in takes no place.

    Parameters
    ----------
    lane_of : ndarray of int64, shape (S, C)
        Lane of each scenario and cell, -1 where it is not run.
    """

    def __init__(self, lane_of: NDArray[np.int64]) -> None:
        run = lane_of >= 0
        self._worlds = run.sum(0)
        self._rank = np.cumsum(run, axis=0) - 1
        self._rank_of_lane = self._rank[run]
        # Place of the first outcome of every row, then of the next row to come.
        self._first = Growing(np.dtype(np.int64))
        self._first.extend(1)
        self._fate, self._ticks = Growing(np.dtype(np.int8)), Growing(np.dtype(np.int32))

    def add(self, cell: NDArray[np.integer]) -> None:
        """Make room for further rows, given their cells; nothing is done so far."""
        count = self._worlds.take(cell)
        self._first.append(self._fate.size + np.cumsum(count))
        self._fate.extend(int(count.sum()))
        self._ticks.extend(int(count.sum()))

    def record(
        self,
        lane: NDArray[np.int64],
        row: NDArray[np.int64],
        fate: NDArray[np.int8] | int,
        ticks: NDArray[np.int64],
    ) -> None:
        """Set the fate of task rows and add the GP's time on them inside the window."""
        place = self._first.values.take(row)
        place += self._rank_of_lane.take(lane)
        self._fate.values[place] = fate
        np.add.at(self._ticks.values, place, ticks.astype(np.int32))

    def of(
        self, scenario: int, row: NDArray[np.int64], cell: NDArray[np.integer]
    ) -> tuple[NDArray[np.int8], NDArray[np.int32]]:
        """Fates and GP time inside the window of rows in one scenario.

        Parameters
        ----------
        row, cell : ndarray of int, shape (n,)
            The cell of each row, in which the scenario is run.

        Returns
        -------
        fate : ndarray of int8, shape (n,)
        ticks : ndarray of int32, shape (n,)
        """
        place = self._first.values.take(row)
        place += self._rank[scenario].take(cell)
        return self._fate.values.take(place), self._ticks.values.take(place)

    def move(self, rows: NDArray[np.int64], to: int) -> None:
        """Move the outcomes of some rows forward, in order, to the rows from `to` on."""
        first = self._first.values
        count = first.take(rows + 1) - first.take(rows)
        row, within = spread(count)
        place, begin = first.take(rows).take(row) + within, int(first[to])
        self._fate.move(place, begin)
        self._ticks.move(place, begin)
        first[to + 1 : to + 1 + len(rows)] = begin + np.cumsum(count)

    def end_at(self, row: int) -> None:
        """Forget the rows from `row` on."""
        self._fate.size = self._ticks.size = int(self._first.values[row])
        self._first.size = row + 1
