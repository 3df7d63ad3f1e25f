"""Tables of equally long columns: rows are taken, tables joined, columns replaced; groups are spread and sorted.

A day hands its tables from stage to stage and each stage reads a few columns only. Rows taken and tables joined
are therefore put together column by column, each at its first use. A column has one value per row, or several: rows
are its last axis.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["Table", "in_order", "join", "replace", "rows", "settled", "spread", "take"]

T = TypeVar("T")


class Table:
    """Base of the frozen dataclasses whose columns are put together at first use."""

    def __getattr__(self, name: str) -> Any:
        # Python asks here only for what is not in the instance: a column not used so far.
        make = self.__dict__.get("_make")
        if make is None:
            raise AttributeError(f"{type(self).__name__} has no column {name!r}")
        column = self.__dict__[name] = make(name)
        return column


def _deferred(kind: type[T], make: Callable[[str], Any]) -> T:
    """A table whose columns are made at first use, or at once if its class knows no waiting."""
    if not issubclass(kind, Table):
        return kind(**{f.name: make(f.name) for f in dataclasses.fields(kind)})  # type: ignore[arg-type]
    table = object.__new__(kind)
    table.__dict__["_make"] = make
    return table


def rows(table: Any) -> int:
    """Number of rows of a table."""
    return len(getattr(table, dataclasses.fields(table)[0].name))


def take(table: T, index: Any) -> T:
    """The rows of `table` that `index` (a mask, positions or a slice) names, as a new table."""
    if isinstance(index, slice):
        return _deferred(type(table), lambda name: getattr(table, name)[..., index])
    chosen = np.flatnonzero(index) if index.dtype == np.bool_ else index
    return _deferred(type(table), lambda name: getattr(table, name).take(chosen, axis=-1))


def join(tables: Sequence[T]) -> T:
    """Tables of one type, one below the other."""
    filled = [table for table in tables if rows(table)]
    if len(filled) <= 1:
        return filled[0] if filled else tables[0]
    parts: list[T] = [part for table in filled for part in vars(table).get("_parts", (table,))]
    joined = _deferred(
        type(parts[0]), lambda name: np.concatenate([getattr(one, name) for one in parts], axis=-1)
    )
    if isinstance(joined, Table):
        # A table joined again is copied once, from its parts.
        joined.__dict__["_parts"] = parts
    return joined


def replace(table: T, **columns: Any) -> T:
    """The same table with some columns replaced."""
    if not isinstance(table, Table):
        return dataclasses.replace(table, **columns)  # type: ignore[type-var]
    result = _deferred(type(table), lambda name: getattr(table, name))
    result.__dict__.update(columns)
    return result


def settled(table: T) -> T:
    """The table with all its columns, free of the tables it came from."""
    kind = type(table)
    return kind(**{f.name: getattr(table, f.name) for f in dataclasses.fields(kind)})  # type: ignore[arg-type]


def spread(count: NDArray[np.integer]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Groups of given sizes one after the other: group of every element, and its number within the group."""
    size = count.astype(np.int64, copy=False)
    group = np.repeat(np.arange(len(size)), size)
    within = np.arange(len(group))
    within -= np.repeat(np.cumsum(size) - size, size)
    return group, within


def in_order(
    first: NDArray[np.int64], tie: Callable[[NDArray[np.int64]], NDArray[np.uint64]]
) -> NDArray[np.int64]:
    """Positions in the order of `first`; `tie` gives, for positions of equal `first`, what orders them."""
    order = np.argsort(first)
    sorted_first = first.take(order)
    equal = np.flatnonzero(sorted_first[1:] == sorted_first[:-1])
    if len(equal):
        tied = np.union1d(equal, equal + 1)
        rows = order.take(tied)
        order[tied] = rows.take(np.lexsort((tie(rows), sorted_first.take(tied))))
    return order
