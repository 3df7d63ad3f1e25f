"""What stands on the command line: a verb, options, overrides and words; nothing is looked up yet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from careload.inputs.faults import Fault, near

__all__ = ["VERBS", "Command", "read_command"]

VERBS: Final = ("run", "compare", "evidence", "collect")
"""What can be asked for."""

_FLAGS: Final = {
    "--help": "help",
    "-h": "help",
    "--version": "version",
    "--multirun": "multirun",
    "-m": "multirun",
    "--csv": "csv",
}
_WITH_VALUE: Final = {
    "--config-dir": "config_dirs",
    "-cd": "config_dirs",
    "--cfg": "cfg",
    "-c": "cfg",
    "--status": "status",
}
_ONLY: Final = {
    "multirun": ("run", "compare"),
    "cfg": ("run", "compare"),
    "status": ("evidence",),
    "csv": ("evidence",),
}
_OUTPUT: Final = "output"


@dataclass
class Command:
    """A command line, sorted.

    Attributes
    ----------
    arguments : tuple of str
        As given.
    verb : str or None
        None if nothing but options was given.
    overrides : list of str
        `group=name` and `key=value`, as written.
    words : list of str
        Bare words behind the verb.
    config_dirs, cfg, status, output : list of str
        Values of the options, and of `output=`, in the order given.
    help, version, multirun, csv : bool
    """

    arguments: tuple[str, ...] = ()
    verb: str | None = None
    overrides: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    config_dirs: list[str] = field(default_factory=list)
    cfg: list[str] = field(default_factory=list)
    status: list[str] = field(default_factory=list)
    output: list[str] = field(default_factory=list)
    help: bool = False
    version: bool = False
    multirun: bool = False
    csv: bool = False


def read_command(arguments: Sequence[str]) -> tuple[Command, list[Fault]]:
    """Sort a command line.

    Parameters
    ----------
    arguments : sequence of str
        Without the name of the program.

    Returns
    -------
    command : Command
    faults : list of Fault
        Unknown verbs and options, options without their value or with another verb's.
    """
    command, faults = Command(tuple(arguments)), []
    rest = iter(arguments)
    for argument in rest:
        if argument.startswith("-"):
            faults += _option(argument, rest, command)
        elif argument.lstrip("+").partition("=")[0] == _OUTPUT and "=" in argument:
            command.output.append(argument.partition("=")[2])
        elif "=" in argument or argument.startswith("~"):
            command.overrides.append(argument)
        elif command.verb is None:
            command.verb = argument
        else:
            command.words.append(argument)
    return command, faults + _verb_faults(command)


def _option(argument: str, rest: Iterator[str], command: Command) -> list[Fault]:
    """Note one option, taking its value from the rest where it has one."""
    name, separator, value = argument.partition("=")
    if name in _FLAGS and not separator:
        setattr(command, _FLAGS[name], True)
        return []
    if name in _WITH_VALUE:
        given = value if separator else next(rest, "")
        if not given:
            return [Fault(name, None, "a value behind it", f"{name} {_EXAMPLES[_WITH_VALUE[name]]}")]
        getattr(command, _WITH_VALUE[name]).append(given)
        return []
    known = [option for option in (*_FLAGS, *_WITH_VALUE) if option.startswith("--")]
    return [Fault("option", argument, "an option of careload", near(name, known, ", ".join(known)))]


_EXAMPLES: Final = {"config_dirs": "my_conf", "cfg": "job", "status": "assumed"}


def _verb_faults(command: Command) -> list[Fault]:
    """Fault of an unknown verb, or of a missing one, or of options of another verb."""
    listed = ", ".join(VERBS)
    if command.verb is None:
        return [Fault("verb", None, f"one of {listed}", " ".join(["careload run", *command.overrides[:1]]))]
    if command.verb not in VERBS:
        return [Fault("verb", command.verb, f"one of {listed}", near(command.verb, VERBS, "careload --help"))]
    return [
        Fault(
            "option",
            f"--{option}",
            f"an option of careload {command.verb}",
            f"careload {verbs[0]} --{option}",
        )
        for option, verbs in _ONLY.items()
        if getattr(command, option) and command.verb not in verbs
    ]
