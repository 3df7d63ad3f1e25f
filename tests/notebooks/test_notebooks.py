"""The notebooks are kept without outputs and run from the first cell to the last, with few replications."""

from __future__ import annotations

import os
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "notebooks").glob("*.ipynb"))
SMALL = {
    "method": {
        "REPLICATIONS": 4,
        "LANES": 60,
        "SWEEP": "practice.list_size=900,1200",
        "OVERRIDES": ("run.years=0.5", "run.spread_replications=2"),
    },
    "workshop": {"REPLICATIONS": 2, "SETTINGS": ("run.years=0.5", "run.spread_replications=2")},
}
"""Values put in the place of those of the cell tagged `parameters`."""


def read(page: Path) -> nbformat.NotebookNode:
    return nbformat.read(page, as_version=4)


def test_there_is_a_notebook_for_workshops_and_one_for_methods() -> None:
    assert [page.stem for page in PAGES] == sorted(SMALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_notebook_is_kept_without_outputs(page: Path) -> None:
    nbformat.validate(read(page))
    for cell in read(page).cells:
        if cell.cell_type == "code":
            assert not cell.outputs and cell.execution_count is None
        assert not cell.metadata.keys() - {"tags"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_notebook_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")]))
    notebook = read(page)
    (parameters,) = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    names = set(re.findall(r"^(\w+) = ", parameters.source, re.MULTILINE))
    assert SMALL[page.stem].keys() <= names
    parameters.source += "\n" + "\n".join(f"{name} = {value!r}" for name, value in SMALL[page.stem].items())
    client = NotebookClient(notebook, timeout=300, kernel_name="python3")
    client.execute(cwd=str(tmp_path))
    shown = [out for cell in notebook.cells if cell.cell_type == "code" for out in cell.outputs]
    assert not [out for out in shown if out.output_type == "error"]
    assert [out for out in shown if "image/svg+xml" in out.get("data", {})], "no figure was drawn"
