"""How far a long run is, on one line."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TextIO

__all__ = ["progress_line"]

_STEP: int = 10


def progress_line(stream: TextIO | None = None) -> Callable[[int, int], None]:
    """Make a reporter of progress: percentage and time elapsed.

    On a terminal it rewrites one line at every new percentage; elsewhere it writes a line every 10 %.

    Parameters
    ----------
    stream : text file, optional
        By default standard error.

    Returns
    -------
    callable
        To be told what is done and what there is in all.
    """
    out = sys.stderr if stream is None else stream
    live = out.isatty()
    started = time.monotonic()
    told = -1

    def tell(done: int, total: int) -> None:
        nonlocal told
        percent = 100 * done // max(1, total)
        step = percent if live else percent // _STEP * _STEP
        if step <= told:
            return
        told = step
        text = f"{step:3d} %, {_elapsed(time.monotonic() - started)}"
        if live:
            out.write(f"\r{text}{chr(10) if percent >= 100 else ''}")
        else:
            out.write(f"{text}\n")
        out.flush()

    return tell


def _elapsed(seconds: float) -> str:
    """Seconds as minutes and seconds."""
    whole = int(seconds)
    return f"{whole // 60}:{whole % 60:02d}"
