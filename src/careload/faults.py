"""Faults of an input, reported together: what was found, what was expected, what to try."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Fault", "Faults"]


@dataclass(frozen=True)
class Fault:
    """One defect of the input.

    Parameters
    ----------
    path : str
        Dotted key, or file and line.
    value : object
        Value found there.
    expectation : str
        What would be right there.
    remedy : str
        What the reader can try.
    """

    path: str
    value: object
    expectation: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.path} = {self.value}: expected {self.expectation}; try {self.remedy}"


class Faults(Exception):  # noqa: N818
    """All defects of an input at once.

    Parameters
    ----------
    faults : iterable of Fault
        The defects, in the order of the input.
    """

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults: tuple[Fault, ...] = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))
