"""Pieces of work on this process and others; each is told of as soon as it is done."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Generic, TypeVar

__all__ = ["Progress", "run_all"]

Piece = TypeVar("Piece")
Result = TypeVar("Result")

Progress = Callable[[int, int], None]
Work = Callable[[Piece, Progress | None], Result]
Take = Callable[[int, Result | Exception], None]


def run_all(
    work: Work[Piece, Result],
    pieces: Sequence[Piece],
    loads: Sequence[int],
    take: Take[Result],
    progress: Progress | None = None,
    processes: int = 1,
) -> None:
    """Do all pieces, the heaviest first; this process works too, and hands out work between its own steps.

    Parameters
    ----------
    work : callable
        Given a piece, and whom to tell the steps done and the steps in all; can be sent to another process.
    pieces : sequence
    loads : sequence of int
        How heavy each is.
    take : callable
        Told the number of a piece and its result or its error, in no order.
    progress : callable, optional
        Told the load done and the load in all.
    processes : int
        With more than one, the calling script needs a `__main__` guard.
    """
    pending = deque(sorted(range(len(pieces)), key=lambda number: -loads[number]))
    total, done = sum(loads), 0

    def tell(amount: int) -> None:
        if progress is not None and amount < total:
            progress(amount, total)

    def took(number: int, outcome: Result | Exception) -> None:
        nonlocal done
        done += loads[number]
        take(number, outcome)
        tell(done)

    with _Others(work, pieces, took, min(processes, len(pieces)) - 1) as others:
        while pending:
            own = pending.popleft()
            others.hand_out(pending)

            def step(steps: int, of: int, own: int = own) -> None:
                others.collect()
                others.hand_out(pending)
                tell(done + loads[own] * steps // max(1, of))

            took(own, _outcome(work, pieces[own], step))
        while others.running:
            others.wait()
    if progress is not None:
        progress(total, total)


def _outcome(work: Work[Piece, Result], piece: Piece, step: Progress | None) -> Result | Exception:
    """Result of a piece, or its error."""
    try:
        return work(piece, step)
    except Exception as error:
        return error


class _Others(Generic[Piece, Result]):
    """The other processes: each has one piece at a time, and none is started before there is work for it."""

    def __init__(
        self, work: Work[Piece, Result], pieces: Sequence[Piece], took: Take[Result], number: int
    ) -> None:
        self._work, self._pieces, self._took = work, pieces, took
        self._free = number
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(number, context, _end_with_parent) if number > 0 else None
        self.running: dict[Future[Result], int] = {}

    def __enter__(self) -> _Others[Piece, Result]:
        """Start nothing yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let the processes end."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def hand_out(self, pending: deque[int]) -> None:
        """Give every idle process the next piece."""
        while self._pool is not None and self._free > len(self.running) and pending:
            number = pending.popleft()
            try:
                with _interruptions_held():
                    future = self._pool.submit(self._work, self._pieces[number], None)
            except BrokenProcessPool:
                pending.appendleft(number)
                self._free = 0
                return
            self.running[future] = number

    def collect(self) -> None:
        """Tell of all that is done."""
        for future in [future for future in self.running if future.done()]:
            number = self.running.pop(future)
            error = future.exception()
            if error is None:
                self._took(number, future.result())
            elif isinstance(error, Exception):
                self._took(number, error)
            else:
                raise error

    def wait(self) -> None:
        """Wait until one is done, and tell of it."""
        wait(self.running, return_when=FIRST_COMPLETED)
        self.collect()


def _end_with_parent() -> None:
    """In another process: end at once when the one that started it is gone, killed as it may be."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def _interruptions_held() -> Iterator[None]:
    """Hold interruptions by the user back: a process started meanwhile leaves them to this one for good."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    kept = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, kept)
