"""Where a result comes from: everything needed to make it again."""

from __future__ import annotations

import hashlib
import json
import platform
import shlex
import subprocess
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

import careload
from careload.inputs.study import Scenario, Study
from careload.results.contrast import Findings, World

__all__ = ["command_line", "mark_of", "provenance", "source_commit"]


def provenance(findings: Findings) -> dict[str, Any]:
    """What a run rests on, ready for JSON.

    Returns
    -------
    dict
        mark, version, created, command, commit, python, numpy, seed, replications, fixed_list_replications, scenario
        and worlds: for each its name, digest, choices, overrides, number of inputs by status, and the values of all
        quantities.
    """
    run, scenario = findings.run, findings.scenario
    worlds = [(world.name, world.study) for world in findings.worlds]
    varied = {*findings.unread, *(one.key for one in findings.spread)}
    return {
        "mark": mark_of(worlds, scenario, run.replications, run.fixed, varied),
        "version": careload.__version__,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command_line(),
        "commit": source_commit(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "seed": findings.baseline.study.seed,
        "replications": run.replications,
        "fixed_list_replications": run.fixed,
        "scenario": None if scenario is None else scenario.name,
        "worlds": [_world(world) for world in findings.worlds],
    }


def command_line() -> str:
    """The command of this process as one would type it again."""
    program, *arguments = sys.argv
    started = {"__main__.py": "python -m careload", "careload": "careload"}.get(Path(program).name)
    return shlex.join(sys.argv) if started is None else f"{started} {shlex.join(arguments)}".strip()


def mark_of(
    worlds: Sequence[tuple[str, Study]],
    scenario: Scenario | None,
    replications: int,
    fixed: int,
    inputs: Iterable[str] = (),
) -> str:
    """Hash of all that results follow from: two runs of one mark have the same results.

    Parameters
    ----------
    worlds : sequence of (str, Study)
    scenario : Scenario or None
    replications, fixed : int
    inputs : iterable of str
        Keys of the inputs that are varied.
    """
    facts = [
        careload.__version__,
        source_commit(),
        None if scenario is None else scenario.name,
        replications,
        fixed,
        sorted(inputs),
        *([name, study.digest] for name, study in worlds),
    ]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def to_json(facts: dict[str, Any]) -> str:
    """Provenance as JSON text."""
    return json.dumps(facts, ensure_ascii=False, default=str)


@lru_cache(maxsize=1)
def source_commit() -> str | None:
    """Commit of the source tree, None where the package is installed without one."""
    package = Path(__file__).resolve().parents[1]
    root = package.parent.parent
    if package.parent.name != "src" or not (root / ".git").exists():
        return None
    try:
        asked = subprocess.run(
            ["git", "-C", str(root), "rev-parse", "HEAD"],
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return asked.stdout.strip() or None


def _world(world: World) -> dict[str, Any]:
    study = world.study
    return {
        "name": world.name,
        "digest": study.digest,
        "choices": study.choices,
        "overrides": list(study.overrides),
        "inputs": study.share_assumed(),
        "quantities": {key: quantity.value for key, quantity in study.quantities()},
    }
