"""Files that appear whole or not at all, and folders that can hold them."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from careload.inputs.faults import Fault, Faults

__all__ = ["clear_unfinished", "open_folder", "replacing", "staging"]

_UNFINISHED = ".unfinished-"


def open_folder(folder: Path) -> Path:
    """Make a folder for results if there is none, and see that it can be written to.

    Raises
    ------
    Faults
        It cannot be made or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        reason = error.strerror or str(error)
        fault = Fault("folder", folder, f"a folder that can be written to ({reason})", "another folder")
        raise Faults([fault]) from None
    return folder


@contextmanager
def staging(folder: Path, last: str, old: Iterable[str] = ()) -> Iterator[Path]:
    """Give a hidden folder inside `folder`, whose files move there together when all went well.

    Parameters
    ----------
    folder : Path
    last : str
        The file that says the others are whole: an old one goes first, the new one comes last, so that a run killed
        in between leaves none.
    old : iterable of str
        Files of the run before; those that do not come again go.
    """
    stage = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=folder))
    try:
        yield stage
        for name in (last, *old):
            (folder / name).unlink(missing_ok=True)
        for path in sorted(stage.iterdir(), key=lambda path: path.name == last):
            path.replace(folder / path.name)
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def clear_unfinished(folder: Path) -> None:
    """Remove what a run left in a folder that was killed while it wrote."""
    for stage in folder.glob(f"{_UNFINISHED}*/"):
        shutil.rmtree(stage, ignore_errors=True)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary name in the folder of `path`, which takes its place at once when all went well."""
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o666 & ~mask)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
