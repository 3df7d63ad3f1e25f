"""From an entry to finished jobs: Hydra makes the folder and the record of every point, careload does the work."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode

from careload.command.arguments import Command
from careload.command.front_door import CONFIG_NAME, Entry, load_worlds
from careload.command.progress import progress_line
from careload.inputs.study import Comparison
from careload.jobs import compare_job, run_job

__all__ = ["FAILED_NAME", "launch"]

FAILED_NAME = "failed.txt"
"""File in the folder of a point of a sweep that failed: why it did."""

Guard = Callable[[Callable[[], None]], tuple[int, str]]


def launch(command: Command, entry: Entry, guard: Guard) -> int:
    """Do the work of every point, one after the other; the others go on where one fails.

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
    program = sys.argv[0]
    codes: list[int] = []

    def work(_: object) -> None:
        settings = HydraConfig.get()
        folder = Path(settings.runtime.output_dir)
        overrides = [str(text) for text in settings.overrides.task]
        if settings.mode == RunMode.MULTIRUN:
            number = int(settings.job.num)
            told = " ".join(entry.points[number]) if number < len(entry.points) else " ".join(overrides)
            print(f"point {number + 1} of {len(entry.points)}: {told}", file=sys.stderr)  # noqa: T201
        with _command_line([program, *command.arguments]):
            code, message = guard(lambda: _job(command, overrides, folder))
        codes.append(code)
        if code and settings.mode == RunMode.MULTIRUN:
            (folder / FAILED_NAME).write_text(message + "\n", encoding="utf-8")

    with _command_line([program, *entry.arguments]):
        hydra.main(config_path=None, config_name=CONFIG_NAME, version_base="1.3")(work)()
    return max(codes, default=0)


def _job(command: Command, overrides: Sequence[str], folder: Path) -> None:
    """Load what a point rests on, from the overrides that Hydra has recorded, and do it."""
    assert command.verb is not None
    worlds = load_worlds(command.verb, overrides, command.config_dirs)
    if isinstance(worlds, Comparison):
        text = compare_job(worlds, folder, progress_line())
    else:
        text = run_job(worlds, folder, progress_line())
    print(text, end="" if text.endswith("\n") else "\n")  # noqa: T201


@contextmanager
def _command_line(arguments: Sequence[str]) -> Iterator[None]:
    """Put another command line in place: Hydra reads it, and results name it."""
    kept = sys.argv
    sys.argv = list(arguments)
    try:
        yield
    finally:
        sys.argv = kept
