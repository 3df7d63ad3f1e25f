"""Tables as frozen dataclasses of equally long columns: rows are taken and tables joined, nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, TypeVar

import numpy as np

__all__ = ["join", "rows", "take"]

T = TypeVar("T")


def rows(table: Any) -> int:
    """Number of rows of a table."""
    return len(getattr(table, fields(table)[0].name))


def take(table: T, index: Any) -> T:
    """The rows of `table` that `index` (a mask, positions or a slice) names, as a new table."""
    if isinstance(index, np.ndarray) and index.dtype == np.bool_:
        index = np.flatnonzero(index)
    return type(table)(**{f.name: getattr(table, f.name)[index] for f in fields(table)})  # type: ignore[arg-type]


def join(tables: Sequence[T]) -> T:
    """Tables of one type, one below the other."""
    if len(tables) == 1:
        return tables[0]
    kind = type(tables[0])
    columns = {f.name: np.concatenate([getattr(t, f.name) for t in tables]) for f in fields(kind)}  # type: ignore[arg-type]
    return kind(**columns)
