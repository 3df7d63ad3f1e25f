"""Same configuration and seed, same bytes: again, on two processes, with another order of hashing."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from careload.inputs.load import load_comparison, load_study
from careload.simulate import Run, simulate

OVERRIDES = ("run.years.range=[0.05,5]", "run.years=0.1")
TEAM = (
    "practice=solo_nurse",
    "practice.staff=[gp,nurse,assistant,receptionist]",
    "practice.extra_rooms=0",
    "protocol=everything_lawful",
    "first_contact=receptionist",
)
CELLS, SHARED = 3, 1
SCRIPT = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_laws_same_bytes import digest, run

if __name__ == "__main__":
    print(digest(run(processes=2)))
"""


def run(seed: int = 1, processes: int = 1) -> Run:
    """The default comparison and a team with staff at the desk, short."""
    short = [*OVERRIDES, f"seed={seed}"]
    worlds = [study for _, study in load_comparison(short).worlds]
    return simulate([*worlds, load_study([*TEAM, *short])], CELLS, SHARED, processes=processes)


def digest(run: Run) -> str:
    """Hash of every number that a run keeps."""
    total = hashlib.sha256()
    tables = [run, *run.ledgers]
    for table in tables:
        for field in fields(table):
            value = getattr(table, field.name)
            if isinstance(value, np.ndarray):
                total.update(f"{field.name} {value.dtype} {value.shape}".encode())
                total.update(np.ascontiguousarray(value).tobytes())
    return total.hexdigest()


@pytest.fixture(scope="module")
def first() -> str:
    """Hash of the run on one process."""
    return digest(run())


def test_the_same_seed_gives_the_same_bytes_again(first: str) -> None:
    """A second run of the same configuration and seed gives the same bytes; another seed gives others."""
    assert digest(run()) == first
    assert digest(run(seed=2)) != first


def test_two_processes_give_the_bytes_of_one(first: str, tmp_path: Path) -> None:
    """A run on two processes, in a fresh interpreter that hashes names differently, gives the bytes of one process."""
    script = tmp_path / "two_processes.py"
    script.write_text(SCRIPT, encoding="utf-8")
    environment = {**os.environ, "PYTHONHASHSEED": "12345"}
    done = subprocess.run(
        [sys.executable, str(script)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == first
