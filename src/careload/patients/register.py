"""The register: all requests of a run and the tasks they bring, named by their position."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from careload.columns import Table, spread

__all__ = ["Growing", "Register", "Requests", "TaskRows"]


@dataclass(frozen=True)
class Requests(Table):
    """Requests by (day, cell); one row each.

    `acts` is a bit mask over the A acts; `first` is the first of the request's `1 + 1 + acts + desk` task rows
    (one row only for a bare call); `day` is the open day on which they come up; `tolerance` is the number of
    calendar days by which due work may move, 0 for other work.
    """

    cell: NDArray[np.int32]
    day: NDArray[np.int16]
    patient: NDArray[np.int64]
    visit: NDArray[np.int16]
    key: NDArray[np.uint64]
    threshold: NDArray[np.float64]
    occurrence: NDArray[np.int32]
    minute: NDArray[np.int64]
    urgency: NDArray[np.int8]
    set_by_practice: NDArray[np.bool_]
    walk_in: NDArray[np.bool_]
    tolerance: NDArray[np.int16]
    acts: NDArray[np.int64]
    first: NDArray[np.int64]
    n_acts: NDArray[np.int16]
    n_desk: NDArray[np.int16]


@dataclass(frozen=True)
class TaskRows:
    """Task instances: the unit of the ledger. `luck` is the place of the duration in its law, whoever serves it."""

    request: NDArray[np.int64]
    task: NDArray[np.int16]
    luck: NDArray[np.uint16]
    parent: NDArray[np.int8]


class Growing:
    """A one-dimensional array that grows at its end."""

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self._store: NDArray[Any] = np.zeros(1024, dtype)
        self.size = 0

    def append(self, values: NDArray[Any]) -> None:
        """Add values at the end."""
        need = self.size + len(values)
        if need > len(self._store):
            grown = np.zeros(max(need, 2 * len(self._store)), self._store.dtype)
            grown[: self.size] = self._store[: self.size]
            self._store = grown
        self._store[self.size : need] = values
        self.size = need

    def extend(self, count: int) -> None:
        """Add zeros at the end."""
        self.append(np.zeros(count, self._store.dtype))

    def move(self, places: NDArray[np.int64], to: int) -> None:
        """Copy the values of some places to those from `to` on."""
        self._store[to : to + len(places)] = self._store.take(places)

    @property
    def values(self) -> NDArray[Any]:
        """The values so far, a view."""
        return self._store[: self.size]


class Register:
    """All requests and task rows of a run so far; both are named by their position.

    Attributes
    ----------
    requests : Requests
    rows : TaskRows
        Views of the columns, renewed when a day is added.
    """

    def __init__(self) -> None:
        self._requests = {name: Growing(np.dtype(kind)) for name, kind in _REQUEST_DTYPES.items()}
        self._rows = {name: Growing(np.dtype(kind)) for name, kind in _ROW_DTYPES.items()}
        self._look()

    @property
    def n_requests(self) -> int:
        """Requests so far."""
        return self._requests["cell"].size

    @property
    def n_rows(self) -> int:
        """Task rows so far."""
        return self._rows["task"].size

    def add(self, requests: Mapping[str, NDArray[Any]], rows: Mapping[str, NDArray[Any]]) -> None:
        """Append the columns of requests and of their rows; their numbers may come in any kind."""
        for name, column in self._requests.items():
            column.append(requests[name])
        for name, column in self._rows.items():
            column.append(rows[name])
        self._look()

    def rows_of(self, requests: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """All task rows of some requests.

        Parameters
        ----------
        requests : ndarray of int64, shape (n,)
            Positions.

        Returns
        -------
        row : ndarray of int64, shape (rows,)
        which : ndarray of int64, shape (rows,)
            Position in `requests` of the request of each row.
        """
        first = self.requests.first.take(requests)
        following = self.requests.first.take(requests + 1, mode="clip")
        following[requests == self.n_requests - 1] = self.n_rows
        which, within = spread(following - first)
        within += first.take(which)
        return within, which

    def move(self, requests: NDArray[np.int64], rows: NDArray[np.int64], to: tuple[int, int]) -> None:
        """Move some requests and all their rows forward, in order, to a position of each from which they go on."""
        to_request, to_row = to
        fresh = np.diff(self.rows.request.take(rows), prepend=-1) != 0
        for name, column in self._requests.items():
            if name != "first":
                column.move(requests, to_request)
        for name, column in self._rows.items():
            if name != "request":
                column.move(rows, to_row)
        self.requests.first[to_request : to_request + len(requests)] = to_row + np.flatnonzero(fresh)
        self.rows.request[to_row : to_row + len(rows)] = to_request - 1 + np.cumsum(fresh)

    def end_at(self, n_requests: int, n_rows: int) -> None:
        """Forget the requests and rows from some position on."""
        for column in self._requests.values():
            column.size = n_requests
        for column in self._rows.values():
            column.size = n_rows
        self._look()

    def _look(self) -> None:
        self.requests = Requests(**{name: column.values for name, column in self._requests.items()})
        self.rows = TaskRows(**{name: column.values for name, column in self._rows.items()})


_REQUEST_DTYPES = {
    "cell": np.int32,
    "day": np.int16,
    "patient": np.int64,
    "visit": np.int16,
    "key": np.uint64,
    "threshold": np.float64,
    "occurrence": np.int32,
    "minute": np.int64,
    "urgency": np.int8,
    "set_by_practice": np.bool_,
    "walk_in": np.bool_,
    "tolerance": np.int16,
    "acts": np.int64,
    "first": np.int64,
    "n_acts": np.int16,
    "n_desk": np.int16,
}
_ROW_DTYPES = {"request": np.int64, "task": np.int16, "luck": np.uint16, "parent": np.int8}
