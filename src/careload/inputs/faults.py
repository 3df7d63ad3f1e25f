"""Faults of what a user wrote: all are collected, then raised at once."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

__all__ = ["Fault", "Faults", "near", "raise_any"]


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong and how to mend it.

    Attributes
    ----------
    path : str
        Dotted key, file or override that is at fault.
    value : Any
        What was found there.
    expectation : str
        What was expected, ending the sentence "expected ...".
    remedy : str
        What to try, ending the sentence "try ...".
    """

    path: str
    value: Any
    expectation: str
    remedy: str

    def __str__(self) -> str:
        """Return one line: `path = value: expected ...; try ...`."""
        return f"{self.path} = {_shown(self.value)}: expected {self.expectation}; try {self.remedy}"


class Faults(Exception):  # noqa: N818
    """All faults of a configuration or a file, raised together.

    Attributes
    ----------
    faults : tuple of Fault
    """

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults: tuple[Fault, ...] = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))

    def __reduce__(self) -> tuple[type[Faults], tuple[tuple[Fault, ...]]]:
        """Rebuild from the faults, so that processes can hand the exception on."""
        return Faults, (self.faults,)


def raise_any(faults: Iterable[Fault]) -> None:
    """Raise one `Faults` if there is any fault; a line is named once."""
    by_line = {str(fault): fault for fault in faults}
    if by_line:
        raise Faults(by_line.values())


def near(name: str, known: Iterable[str], otherwise: str) -> str:
    """Return the known names most like `name`, as the end of "try ...", or `otherwise` if none is near."""
    matches = _matches(name, tuple(known))
    return " or ".join(matches) if matches else otherwise


@lru_cache(maxsize=1024)
def _matches(name: str, known: tuple[str, ...]) -> list[str]:
    """The nearest three; the points of a sweep ask for the same ones."""
    return difflib.get_close_matches(name, known, n=3, cutoff=0.6)


def _shown(value: Any) -> str:
    """Return the value on one line, as a user would write it, cut at 80 characters."""
    if value is None:
        text = "null"
    elif isinstance(value, bool):
        text = str(value).lower()
    else:
        text = " ".join(str(list(value) if isinstance(value, tuple) else value).split())
    return text if len(text) <= 80 else text[:77] + "..."
