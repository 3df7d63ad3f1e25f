"""The notebooks are kept without outputs and run from the first cell to the last, with few replications."""

from __future__ import annotations

import os
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import careload

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


def cell_with(name: str, words: str) -> str:
    (source,) = [
        cell.source for cell in read(ROOT / "notebooks" / f"{name}.ipynb").cells if words in cell.source
    ]
    return str(source)


def released(*settings: str) -> list[float]:
    """Hours released at every point of a short sweep."""
    short = ("run.years=0.5", "run.inputs_spread=false")
    return [float(x) for x in careload.sweep(*settings, *short, replications=2).table["released_hours"]]


def test_the_sweep_of_the_exercise_on_method_takes_released_time_across_zero() -> None:
    settings = re.findall(r"`(delegation\.[^`]+)`", cell_with("method", "cross zero"))
    assert len(settings) == 2
    hours = released("practice.list_size=1200", *settings)
    assert min(hours) < 0 < max(hours)


def test_the_minutes_of_the_exercise_for_workshops_eat_up_what_is_released() -> None:
    exercise = cell_with("workshop", "eat up all that is released")
    tried = re.search(r"Try ([\d, and]+)\. And with (\d+) hand-backs of 100", exercise)
    assert tried is not None
    minutes = re.findall(r"\d+", tried[1])
    for hand_backs in ("0.12", f"0.{tried[2]}"):
        hours = released(
            f"delegation.supervision_minutes.contact={','.join(minutes)}",
            "delegation.supervision_minutes.contact.range=[1,60]",
            f"delegation.hand_back.contact={hand_backs}",
            "delegation.review_every_n=2",
        )
        assert hours[0] > 0 > hours[-1]
        assert hours == sorted(hours, reverse=True)


def test_what_follows_the_votes_of_a_workshop_is_drawn_and_saved_with_them() -> None:
    """And wishes move only the gaps that a GP can choose about."""
    assert "draw_inputs(voted.findings" in cell_with("workshop", "import draw_inputs")
    assert "voted.save(" in cell_with("workshop", ".save(")
    wishes = cell_with("workshop", "VOTES = ")
    assert 'voted.findings.contrasts[0].parts["usable"]' in wishes and '"released"' not in wishes
