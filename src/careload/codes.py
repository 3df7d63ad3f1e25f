"""Named whole numbers that columns hold."""

from __future__ import annotations

from collections.abc import Iterator

__all__ = ["Codes"]


class _Numbered(type):
    """Classes whose constants can be counted and gone through."""

    def __iter__(cls) -> Iterator[int]:
        return (value for name, value in vars(cls).items() if name.isupper())

    def __len__(cls) -> int:
        return sum(1 for _ in cls)


class Codes(metaclass=_Numbered):
    """Base of classes that give names to whole numbers, in order.

    Their members are plain numbers: NumPy takes five times as long to compare an array with a member of an
    `enum.IntEnum`.
    """
