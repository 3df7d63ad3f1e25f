"""The command line: `careload run`, `careload compare`, `careload evidence`.

Everything is checked before anything is simulated, and nothing heavy is imported before a job starts.
"""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

from careload import __version__
from careload.command.arguments import Command, read_command
from careload.inputs.faults import Fault, Faults, raise_any

__all__ = ["DEBUG_VARIABLE", "DONE", "ERROR", "FAULTS", "INTERRUPTED", "main"]

DONE: Final = 0
ERROR: Final = 1
FAULTS: Final = 2
INTERRUPTED: Final = 130

_DISK: Final = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO)
"""Numbers of errors that are the disk's and not careload's."""

DEBUG_VARIABLE: Final = "CARELOAD_DEBUG"
"""Variable of the environment; 1 shows the traceback of an error of careload itself."""


_interrupts: Final[list[int]] = []
"""Signals of the user so far: a library may make another error of the interruption."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : sequence of str, optional
        By default those of the process.

    Returns
    -------
    int
        Exit code: 0 done, 1 an error of careload itself, 2 faults in what was asked, 130 interrupted.
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    code = DONE

    def work() -> None:
        nonlocal code
        code = _dispatch(given)

    try:
        with _interruptible():
            failure, _ = _guarded(work)
            sys.stdout.flush()
    except KeyboardInterrupt:
        _tell("interrupted: what was not finished is not in the folder of results")
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    return failure or code


def _dispatch(arguments: Sequence[str]) -> int:
    """Do what a command line asks for."""
    command, faults = read_command(arguments)
    if command.version:
        print(f"careload {__version__}")  # noqa: T201
        return DONE
    if command.help or not arguments:
        print(_help(command), end="")  # noqa: T201
        return DONE
    if command.verb is None:
        raise_any(faults)
    if command.verb == "evidence":
        return _list_evidence(command, faults)
    if command.verb == "collect":
        return _collect(command, faults)
    return _start(command, faults)


def _help(command: Command) -> str:
    """Text of the help, with the choices of the user's own folders."""
    from careload.command.help_text import help_text
    from careload.inputs.vocabulary import search_path

    return help_text(command.verb, search_path(command.config_dirs)[0])


def _list_evidence(command: Command, faults: Sequence[Fault]) -> int:
    """Print the evidence."""
    from careload.command.evidence import evidence_csv, evidence_text
    from careload.command.front_door import listed_worlds, other_scenarios

    worlds, status = listed_worlds(command, faults)
    if command.csv:
        written = evidence_csv(worlds, command.words, status)
    else:
        others = other_scenarios(command) if command.words else {}
        written = evidence_text(worlds, command.words, status, others)
    print(written, end="")  # noqa: T201
    return DONE


def _collect(command: Command, faults: Sequence[Fault]) -> int:
    """Make the tables and figures of finished sweeps again."""
    wrong = [*faults]
    wrong += [
        Fault("argument", text, "folders of sweeps only", "careload collect results/sweep/mine")
        for text in (*command.overrides, *command.output)
    ]
    if not command.words:
        wrong.append(Fault("folder", None, "the folder of a sweep", "careload collect results/sweep/mine"))
    wrong += [
        Fault("folder", word, "a folder that there is", "the output of a command with -m")
        for word in command.words
        if not Path(word).expanduser().is_dir()
    ]
    raise_any(wrong)
    from careload.results.sweep import collect

    for word in command.words:
        print(collect(Path(word).expanduser()), end="")  # noqa: T201
    return DONE


def _start(command: Command, faults: Sequence[Fault]) -> int:
    """Check a run or a comparison and start it."""
    from careload.command.front_door import enter

    entry = enter(command, faults)
    if command.cfg:
        from careload.command.resolved import resolved_text

        print("".join(map(resolved_text, entry.worlds)), end="")  # noqa: T201
        return DONE
    from careload.command.launch import launch

    return launch(command, entry, _guarded)


def _guarded(work: Callable[[], None]) -> tuple[int, str]:
    """Run a piece of work; tell what went wrong, never with a traceback unless it is asked for.

    Returns
    -------
    code : int
        0 if all went well.
    message : str
        What was told.
    """
    try:
        work()
    except BaseException as error:
        if _interrupts:
            raise KeyboardInterrupt from None
        return _told(error)
    return DONE, ""


def _told(error: BaseException) -> tuple[int, str]:
    """Exit code and message of an error; one that is no error of the work is raised again."""
    if isinstance(error, Faults):
        return FAULTS, _tell("\n".join(" ".join(str(fault).split()) for fault in error.faults))
    if isinstance(error, KeyboardInterrupt | BrokenPipeError):
        raise error
    if isinstance(error, MemoryError):
        remedy = "fewer practice.list_size, run.replications or run.years"
        return ERROR, _tell(f"careload ran out of memory; try {remedy}")
    if os.environ.get(DEBUG_VARIABLE) == "1":
        traceback.print_exception(error)
    if isinstance(error, OSError) and error.errno in _DISK:
        place = f" {error.filename}" if error.filename else ""
        return ERROR, _tell(
            f"careload could not write{place} ({error.strerror}); try output=DIR with another folder"
        )
    return ERROR, _tell(_report(error))


def _report(error: BaseException) -> str:
    """What a user should report of an error of careload itself."""
    last = traceback.extract_tb(error.__traceback__)[-1:]
    place = "".join(f" in {Path(frame.filename).name}, line {frame.lineno}" for frame in last)
    reason = " ".join(str(error).split()) or "no reason given"
    return (
        f"careload {__version__} stopped on an error of its own: {type(error).__name__}: {reason}{place}. "
        f"Please report this line with your command and files; {DEBUG_VARIABLE}=1 shows the traceback."
    )


def _tell(message: str) -> str:
    """Print a message to the standard error and return it."""
    print(message, file=sys.stderr)  # noqa: T201
    return message


@contextmanager
def _interruptible() -> Iterator[None]:
    """Stop other processes too when the user interrupts, so that nothing waits for them."""

    def stop(number: int, _frame: FrameType | None) -> None:
        _interrupts.append(number)
        for process in multiprocessing.active_children():
            process.terminate()
        raise KeyboardInterrupt

    _interrupts.clear()
    try:
        kept = signal.signal(signal.SIGINT, stop)
    except ValueError:
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, kept)


if __name__ == "__main__":
    sys.exit(main())
