"""The words of the science as files: where they lie, how they are found along the search path, read once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from careload.inputs.faults import Fault, near
from careload.inputs.yaml_files import read_yaml

__all__ = [
    "CONDITIONS",
    "DEFAULT_SCENARIO",
    "GROUPS",
    "Vocabulary",
    "conf_dir",
    "files_at_rest",
    "find_file",
    "options",
    "read_vocabulary",
    "search_path",
]

GROUPS: Final = (
    "practice",
    "protocol",
    "first_contact",
    "population",
    "picture",
    "behaviour",
    "country",
    "run",
    "scenario",
)
"""Folders whose files are alternatives: one is chosen by `group=name`."""

DEFAULT_SCENARIO: Final = "half_time_nurse"
"""Scenario of a comparison unless another is chosen."""

WORDS: Final = ("task", "role", "section")
"""Folders whose files all belong to the vocabulary."""

CONDITIONS: Final = ("hypertension", "diabetes", "copd", "asthma", "cvd", "ckd", "depression")
"""Conditions a person may have."""

_OTHER_FOLDERS: Final = ("hydra",)


@dataclass(frozen=True)
class Vocabulary:
    """All files of the vocabulary and of the choices, as plain trees.

    Attributes
    ----------
    tasks, roles, sections : mapping
        Name to tree.
    choices : mapping
        Group to name to tree, as each file stands alone.
    sources : mapping
        Key to title, url, year and note.
    faults : tuple of Fault
        Of files that cannot be read or stand in an unknown folder.
    """

    tasks: Mapping[str, Mapping[str, Any]]
    roles: Mapping[str, Mapping[str, Any]]
    sections: Mapping[str, Mapping[str, Any]]
    choices: Mapping[str, Mapping[str, Mapping[str, Any]]]
    sources: Mapping[str, Any]
    faults: tuple[Fault, ...]


def conf_dir() -> Path:
    """Folder of the science data: in the installed package, or `conf/` beside `src/` in a working copy."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "conf", package.parents[1] / "conf"):
        if (folder / "config.yaml").is_file():
            return folder
    raise FileNotFoundError(
        "the science data (conf/config.yaml) is missing from this installation of careload"
    )


def search_path(config_dirs: Sequence[str | Path]) -> tuple[tuple[Path, ...], list[Fault]]:
    """Folders to read, the packaged one first; a later one adds files or replaces those of the same name."""
    folders, faults = [conf_dir()], []
    for given in config_dirs:
        folder = Path(given).expanduser().resolve()
        if folder.is_dir():
            folders.append(folder)
        else:
            faults.append(
                Fault("--config-dir", str(given), "an existing folder", "to check the spelling of the path")
            )
    return tuple(folders), faults


def find_file(folders: Sequence[Path], name: str) -> Path | None:
    """First existing file: an absolute path, one relative to a folder, the last first, or one from here."""
    try:
        given = Path(name).expanduser()
        return next(
            (path for folder in (*reversed(folders), Path.cwd()) if (path := folder / given).is_file()), None
        )
    except (OSError, RuntimeError, ValueError):
        return None


def options(folders: Sequence[Path], group: str) -> dict[str, Path]:
    """Names and files of a folder along the search path, later folders first in force."""
    found: dict[str, Path] = {}
    for folder in folders:
        found |= {path.stem: path for path in sorted((folder / group).glob("*.yaml"))}
    return found


Stamp = tuple[tuple[str, int, int], ...]

_held: dict[tuple[Path, ...], Stamp] | None = None
"""Stamps that are not taken again, None where every change is to be noticed."""


def stamp(folders: Sequence[Path]) -> Stamp:
    """Names, times and sizes of all YAML files, to notice a change."""
    if _held is not None and tuple(folders) in _held:
        return _held[tuple(folders)]
    found = tuple(
        (str(path), *_time_and_size(path)) for folder in folders for path in sorted(folder.rglob("*.yaml"))
    )
    if _held is not None:
        _held[tuple(folders)] = found
    return found


@contextmanager
def files_at_rest() -> Iterator[None]:
    """Look at the files once for many studies, as the points of one sweep are."""
    global _held
    kept = _held
    _held = {} if kept is None else kept
    try:
        yield
    finally:
        _held = kept


def _time_and_size(path: Path) -> tuple[int, int]:
    """Time of the last change and size of a file; -1 for a link to nowhere."""
    try:
        status = path.stat()
    except OSError:
        return -1, -1
    return status.st_mtime_ns, status.st_size


def read_vocabulary(folders: Sequence[Path]) -> Vocabulary:
    """Read the vocabulary along the search path, once per process as long as no file changes."""
    return _read(tuple(folders), stamp(folders))


@lru_cache(maxsize=8)
def _read(folders: tuple[Path, ...], _stamp: tuple[tuple[str, int, int], ...]) -> Vocabulary:
    """Read all files; the stamp is part of the key of the cache only."""
    faults = [fault for folder in folders[1:] for fault in _strange_folders(folder)]
    words, found = _read_folders(folders, WORDS)
    choices, more = _read_folders(folders, GROUPS)
    faults += found + more
    sources, found = _read_sources(folders)
    return Vocabulary(words["task"], words["role"], words["section"], choices, sources, tuple(faults + found))


def _read_file(folders: Sequence[Path], path: Path) -> tuple[dict[str, Any], tuple[Fault, ...]]:
    """Read one file, once per process as long as it does not change."""
    return _read_stamped(path, _shown(folders, path), *_time_and_size(path))


@lru_cache(maxsize=2048)
def _read_stamped(path: Path, name: str, _time: int, _size: int) -> tuple[dict[str, Any], tuple[Fault, ...]]:
    """Read one file; time and size are part of the key of the cache only."""
    tree, faults = read_yaml(path, name)
    return tree, tuple(faults)


def _shown(folders: Sequence[Path], path: Path) -> str:
    """Path from `conf/` for packaged files, as the user gave the folder otherwise."""
    return f"conf/{path.relative_to(folders[0])}" if path.is_relative_to(folders[0]) else str(path)


def _read_folders(
    folders: Sequence[Path], names: Sequence[str]
) -> tuple[dict[str, dict[str, dict[str, Any]]], list[Fault]]:
    """Read every file of the folders named: folder to name to tree.

    A file that cannot be read leaves the one it would replace, so that its fault stands alone.
    """
    trees: dict[str, dict[str, dict[str, Any]]] = {}
    faults: list[Fault] = []
    for kind in names:
        trees[kind] = {}
        for folder in folders:
            for name, path in options([folder], kind).items():
                tree, found = _read_file(folders, path)
                faults += found
                if tree or not found:
                    trees[kind][name] = tree
    return trees, faults


def _strange_folders(folder: Path) -> list[Fault]:
    """Files of a user's folder that nothing would read."""
    known = (*GROUPS, *WORDS, *_OTHER_FOLDERS)
    faults = []
    for path in sorted(folder.rglob("*.yaml")):
        first, *rest = path.relative_to(folder).parts
        if rest and first not in known and not first.startswith("."):
            faults.append(
                Fault(str(path), first, "a folder of the configuration", near(first, known, ", ".join(known)))
            )
        elif not rest and path.name != "sources.yaml":
            faults.append(Fault(str(path), path.name, "sources.yaml or a file in a folder", ", ".join(known)))
    return faults


def _read_sources(folders: Sequence[Path]) -> tuple[dict[str, Any], list[Fault]]:
    """All sources; a later folder adds keys or replaces them."""
    sources: dict[str, Any] = {}
    faults: list[Fault] = []
    for folder in folders:
        path = folder / "sources.yaml"
        if path.is_file():
            tree, found = _read_file(folders, path)
            sources |= tree
            faults += found
    return sources, faults
