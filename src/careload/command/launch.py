"""From an entry to finished jobs: Hydra makes the folder and the record of every point, careload does the work."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode

from careload.command.arguments import Command
from careload.command.front_door import CONFIG_NAME, Entry, load_worlds
from careload.command.progress import progress_line
from careload.inputs.study import Comparison
from careload.jobs import compare_job, point_job, run_job, simulate_points, swept_point, write_findings
from careload.results.contrast import Findings
from careload.results.files import PARQUET_NAME
from careload.results.folders import clear_unfinished
from careload.results.sweep import FAILED_NAME, collect, failed_code, is_finished, tell_failure

__all__ = ["FAILED_NAME", "launch"]

_FULL_ERROR = "HYDRA_FULL_ERROR"

Guard = Callable[[Callable[[], None]], tuple[int, str]]


def launch(command: Command, entry: Entry, guard: Guard) -> int:
    """Do the work of every point; the others go on where one fails, and what a sweep came to is one table.

    Parameters
    ----------
    command : Command
        With the verb run or compare.
    entry : Entry
    guard : callable
        Runs a piece of work and returns the exit code and the message of what went wrong.

    Returns
    -------
    int
        Exit code: the worst of all points.
    """
    work = _Work(command, entry, guard)
    with _command_line([sys.argv[0], *entry.arguments]), _errors_to_us():
        hydra.main(config_path=None, config_name=CONFIG_NAME, version_base="1.3")(work)()
    codes = list(work.codes)
    if command.multirun and entry.folder is not None:
        top, names = entry.folder, [str(number) for number in range(len(entry.points))]
        codes += [failed_code(top / name) for name in names]
        if any((top / name / PARQUET_NAME).is_file() and not failed_code(top / name) for name in names):
            codes.append(guard(lambda: _tell(collect(top, names)))[0])
    return max(codes, default=0)


class _Work:
    """What Hydra is given to do: one point at a time, or by the lanes launcher all at once."""

    def __init__(self, command: Command, entry: Entry, guard: Guard) -> None:
        self.command, self.entry, self.guard = command, entry, guard
        self.codes: list[int] = []

    def __call__(self, _: object) -> None:
        """Do the point that Hydra has put in place."""
        settings = HydraConfig.get()
        folder = Path(settings.runtime.output_dir)
        overrides = [str(text) for text in settings.overrides.task]
        swept = settings.mode == RunMode.MULTIRUN
        if swept:
            self._announce(int(settings.job.num), overrides)
        with _command_line([sys.argv[0], *self.command.arguments]):
            code, message = self.guard(lambda: _job(self.command, overrides, folder, swept))
        self.codes.append(code)
        if swept:
            tell_failure(folder, code, message)

    def run_points(self, points: Sequence[tuple[int, Path]], ended: Callable[[int], None]) -> None:
        """Do all points together; `ended` is told the number of each when its folder is whole."""
        with _command_line([sys.argv[0], *self.command.arguments]):
            code, _ = self.guard(lambda: self._run_points(points, ended))
        self.codes.append(code)

    def _run_points(self, points: Sequence[tuple[int, Path]], ended: Callable[[int], None]) -> None:
        waiting = []
        for number, folder in points:
            folder.mkdir(parents=True, exist_ok=True)
            clear_unfinished(folder)
            point = swept_point(self.entry.worlds[number])
            if is_finished(folder, point.mark):
                ended(number)
            else:
                waiting.append((number, folder, point))
        if len(waiting) < len(points):
            there = len(points) - len(waiting)
            print(f"{there} of {len(points)} points were there already", file=sys.stderr)  # noqa: T201

        def take(place: int, outcome: Findings | Exception) -> None:
            number, folder, _ = waiting[place]
            code, message = self.guard(lambda: _write(outcome, folder))
            self.codes.append(code)
            tell_failure(folder, code, message)
            ended(number)

        if waiting:
            simulate_points([point for *_, point in waiting], take, progress_line(), None)

    def __getstate__(self) -> dict[str, Any]:
        """What another process needs: it loads its own worlds."""
        return {**vars(self), "entry": replace(self.entry, worlds=())}

    def _announce(self, number: int, overrides: Sequence[str]) -> None:
        points = self.entry.points
        told = " ".join(points[number] if number < len(points) else overrides)
        print(f"point {number + 1} of {len(points)}: {told}", file=sys.stderr)  # noqa: T201


def _write(outcome: Findings | Exception, folder: Path) -> None:
    """Write what a point says, or raise what it failed with."""
    if isinstance(outcome, Exception):
        raise outcome
    write_findings(outcome, folder, figures=False)


def _job(command: Command, overrides: Sequence[str], folder: Path, swept: bool) -> None:
    """Load what a point rests on, from the overrides that Hydra has recorded, and do it."""
    assert command.verb is not None
    worlds = load_worlds(command.verb, overrides, command.config_dirs)
    if swept:
        point_job(worlds, folder, progress_line())
    elif isinstance(worlds, Comparison):
        _tell(compare_job(worlds, folder, progress_line()))
    else:
        _tell(run_job(worlds, folder, progress_line()))


def _tell(text: str) -> None:
    print(text, end="" if text.endswith("\n") else "\n")  # noqa: T201


@contextmanager
def _errors_to_us() -> Iterator[None]:
    """Let Hydra hand errors of a launcher on, in place of printing a traceback."""
    kept = os.environ.get(_FULL_ERROR)
    os.environ[_FULL_ERROR] = "1"
    try:
        yield
    finally:
        if kept is None:
            del os.environ[_FULL_ERROR]
        else:
            os.environ[_FULL_ERROR] = kept


@contextmanager
def _command_line(arguments: Sequence[str]) -> Iterator[None]:
    """Put another command line in place: Hydra reads it, and results name it."""
    kept = sys.argv
    sys.argv = list(arguments)
    try:
        yield
    finally:
        sys.argv = kept
