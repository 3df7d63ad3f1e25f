"""Seconds of the default comparison from start to end: `careload compare` as users call it, and where its time goes.

    python benchmarks/default_comparison.py [--replications N] [--json FILE]

Wall and CPU time of the whole command, children included, and of `careload --help`; then, in one process more, the CPU
time of every step with a tenth of the replications. Steps are shares: they say where to look, not how long it takes.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def whole(arguments: list[str]) -> dict[str, float]:
    """Wall and CPU seconds of a command."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, "-m", "careload", *arguments], check=True, capture_output=True)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall_seconds": wall, "cpu_seconds": cpu}


def steps(replications: int, folder: Path) -> dict[str, float]:
    """CPU seconds of each step of a comparison on one process."""
    spent: dict[str, float] = {}

    def step(name: str, work: Callable[[], Any]) -> Any:
        start = time.process_time()
        result = work()
        spent[name] = time.process_time() - start
        return result

    start = time.process_time()
    from careload import jobs
    from careload.inputs.load import load_comparison
    from careload.results import figures, files, report, report_page  # noqa: F401

    spent["imports"] = time.process_time() - start
    comparison = step("configuration", load_comparison)
    findings = step(
        "simulation and estimates",
        lambda: jobs.simulate_worlds(comparison.worlds, comparison.scenario, replications, processes=1),
    )
    step("files and figures", lambda: jobs.write_findings(findings, folder))
    step("tables", lambda: report.report(findings))
    return spent


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--replications", type=int, help="of the whole command; by default those of the run")
    parser.add_argument("--steps", type=int, default=5, help="replications of the table of steps")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one is not None:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(steps(arguments.one, Path(folder))))
        return
    few = [f"run.replications={arguments.replications}"] if arguments.replications else []
    with tempfile.TemporaryDirectory() as folder:
        found: dict[str, Any] = {
            "careload --help": whole(["--help"]),
            "careload compare": whole(["compare", *few, f"hydra.run.dir={folder}/run"]),
        }
    command = [sys.executable, __file__, "--one", str(arguments.steps)]
    found["steps"] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    print("| command | wall, s | CPU, s |\n|---|---:|---:|")
    for name in ("careload --help", "careload compare"):
        print(f"| {name} | {found[name]['wall_seconds']:.1f} | {found[name]['cpu_seconds']:.1f} |")
    total = sum(found["steps"].values())
    print(f"\n| step, {arguments.steps} replications | share of CPU |\n|---|---:|")
    for name, seconds in found["steps"].items():
        print(f"| {name} | {100 * seconds / total:.0f} % |")
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
