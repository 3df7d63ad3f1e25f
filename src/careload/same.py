"""When two tables are the same, and when a table need not be made again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, Generic, TypeVar

import numpy as np

from careload.inputs.quantity import Quantity
from careload.inputs.study import Study

__all__ = ["MadeOnce", "fingerprint"]

T = TypeVar("T")


def fingerprint(table: Any) -> bytes:
    """Hash of all numbers and names in a table: arrays with kind and shape, and what they are nested in.

    Parameters
    ----------
    table : dataclass, ndarray, tuple, list, mapping or plain value
    """
    total = hashlib.sha256()
    for piece in _pieces(table):
        total.update(piece)
        total.update(b"\0")
    return total.digest()


def _pieces(table: Any) -> Iterator[bytes]:
    if isinstance(table, np.ndarray):
        yield f"{table.dtype} {table.shape}".encode()
        yield np.ascontiguousarray(table).tobytes()
    elif is_dataclass(table) and not isinstance(table, type):
        yield type(table).__name__.encode()
        for field in fields(table):
            yield from _pieces(getattr(table, field.name))
    elif isinstance(table, tuple | list):
        yield f"{len(table)}".encode()
        for item in table:
            yield from _pieces(item)
    elif isinstance(table, Mapping):
        yield from _pieces(sorted(table.items()))
    else:
        yield repr(table).encode()


class _Noted(Mapping[str, Quantity]):
    """The quantities of a study, noting which are asked for."""

    def __init__(self, quantities: Mapping[str, Quantity]) -> None:
        self.quantities = quantities
        self.asked: dict[str, Any] = {}

    def __getitem__(self, key: str) -> Quantity:
        found = self.quantities.get(key)
        self.asked[key] = None if found is None else found.value
        return self.quantities[key]

    def __contains__(self, key: object) -> bool:
        found = self.quantities.get(str(key))
        self.asked[str(key)] = None if found is None else found.value
        return found is not None

    def __iter__(self) -> Iterator[str]:
        for key in self.quantities:
            self[key]
        return iter(self.quantities)

    def __len__(self) -> int:
        return len(self.quantities)


class MadeOnce(Generic[T]):
    """Something made of a study, made again only for a study that differs in what it was made of.

    Parameters
    ----------
    make : callable
        From a study; it may depend on values only through the study's quantities.
    """

    def __init__(self, make: Callable[[Study], T]) -> None:
        self._make = make
        self._made: dict[str, list[tuple[dict[str, Any], T]]] = {}

    def __call__(self, study: Study) -> T:
        """The thing made of a study."""
        quantities = {key: quantity.value for key, quantity in study.quantities()}
        known = self._made.setdefault(_without_values(study), [])
        for asked, made in known:
            if all(quantities.get(key) == value for key, value in asked.items()):
                return made
        noted = _Noted(dict(study.quantities()))
        made = self._make(replace(study, _quantities=noted))
        known.append((noted.asked, made))
        return made


def _without_values(study: Study) -> str:
    """Everything but the seed and the quantities, as one hash."""
    return replace(study, seed=0, _quantities={}).digest
