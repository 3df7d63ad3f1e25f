"""Where a result comes from: everything needed to make it again."""

from __future__ import annotations

import json
import platform
import shlex
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

import careload
from careload.results.contrast import Findings, World

__all__ = ["provenance", "source_commit"]


def provenance(findings: Findings) -> dict[str, Any]:
    """What a run rests on, ready for JSON.

    Returns
    -------
    dict
        version, created, command, commit, python, numpy, seed, replications, fixed_list_replications, scenario, and
        worlds: for each its name, digest, choices, overrides and the values of all quantities.
    """
    run, scenario = findings.run, findings.scenario
    return {
        "version": careload.__version__,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": shlex.join(sys.argv),
        "commit": source_commit(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "seed": findings.baseline.study.seed,
        "replications": run.replications,
        "fixed_list_replications": run.fixed,
        "scenario": None if scenario is None else scenario.name,
        "worlds": [_world(world) for world in findings.worlds],
    }


def to_json(facts: dict[str, Any]) -> str:
    """Provenance as JSON text."""
    return json.dumps(facts, ensure_ascii=False, default=str)


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
        "quantities": {key: quantity.value for key, quantity in study.quantities()},
    }
