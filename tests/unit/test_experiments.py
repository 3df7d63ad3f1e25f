"""Experiments: each has a question, a hypothesis, a command that is accepted, and a finding made by its own script."""

from __future__ import annotations

import importlib.util
import sys
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import pytest

from careload.command.cli import DONE, main
from careload.results.figures import Chart
from support import SHORT

HERE = Path(__file__).resolve().parents[2] / "experiments"
FOLDERS = sorted(HERE.glob("[0-9][0-9]_*"))


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script that runs them, from their folder."""
    monkeypatch.syspath_prepend(str(HERE))
    spec = importlib.util.spec_from_file_location("run_experiments", HERE / "run.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_there_are_experiments_and_the_index_names_them() -> None:
    index = (HERE / "README.md").read_text(encoding="utf-8")
    assert len(FOLDERS) >= 3
    assert all(f"({folder.name}/README.md)" in index for folder in FOLDERS)


def heads(text: str) -> list[str]:
    """First lines of the tables of a text."""
    return [line for line, below in pairwise(text.splitlines()) if below.startswith("|---")]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_finding_is_made_of_the_command_of_its_page(
    folder: Path,
    run: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The command, for five weeks, gives what the script reads; text and figure are those that the page shows."""
    page = (folder / "README.md").read_text(encoding="utf-8")
    for heading in ("## Hypothesis", "## Command", "## Finding"):
        assert heading in page
    monkeypatch.chdir(tmp_path)
    assert main([*run.command_of(page), *SHORT, "output=here"]) == DONE
    capsys.readouterr()
    spec = importlib.util.spec_from_file_location("analyse", folder / "analyse.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    text, figure = module.analyse(tmp_path / "here")
    assert isinstance(figure, Chart)
    shown = page[page.index(run.BEGIN) : page.index(run.END)]
    assert heads(text) == heads(shown) != []
    assert (folder / "finding.svg").is_file() and "finding.svg" in shown
    sys.modules.pop("common", None)
