"""Milliseconds per practice-year of the full model, by stage: list 2,000, solo GP with a half-time nurse.

    python benchmarks/full_model.py [--lanes 1 30 300 3000] [--weeks 4] [--json FILE]

CPU time of one process. A practice-year has 225 open days; lanes are replications of one practice, each with its own
patients. Patients and tables are made once for a run, whatever its length. Each number of lanes runs in a process of
its own, so that the peak memory is its own.
"""

from __future__ import annotations

import argparse
import gc
import json
import resource
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from practice_year_peers import compiled_c

C_YEARS = 200

STAGES = {
    "due slips": ("due_slips",),
    "requests": ("arrivals",),
    "first contact": ("first_contact",),
    "places of today": ("places_of_today",),
    "divide": ("_carried", "_divide", "_with_other_work"),
    "schedule": ("_schedule",),
    "credit": ("served", "credit"),
    "desk and gaps": ("desk_work", "_fill"),
    "settle": ("_settle", "new_errands"),
    "book": ("_book", "advance_book"),
}


def measure(lanes: int, weeks: int) -> dict[str, Any]:
    """One block of `lanes` lanes for `weeks` open weeks after four weeks that fill the book."""
    import careload.day.stages as day
    from careload.agents.model import CareModel
    from careload.inputs.load import load_study
    from careload.simulate import make_block

    spent: dict[str, float] = defaultdict(float)
    for stage, names in STAGES.items():
        for name in names:
            setattr(day, name, timed(getattr(day, name), stage, spent))
    study = load_study(["practice=solo_nurse", "practice.list_size=2000"])
    start = time.process_time()
    model = CareModel(make_block([study], np.arange(lanes)))
    set_up = 1000 * (time.process_time() - start) / lanes
    for _ in range(4):
        model.step()
    # A pass over everything that setting up has left would fall on one stage by chance.
    gc.freeze()
    spent.clear()
    c_loop = compiled_c()
    before = c_milliseconds(c_loop)
    start = time.process_time()
    for _ in range(weeks):
        model.step()
    total = time.process_time() - start
    c_year = (before + c_milliseconds(c_loop)) / 2
    per_year = 1000 * 225 / (5 * weeks) / lanes
    row = {stage: spent[stage] * per_year for stage in STAGES}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "lanes": lanes,
        "ms_per_practice_year": total * per_year,
        "times_c": total * per_year / c_year if c_loop else None,
        "by_stage": row | {"rest": total * per_year - sum(row.values())},
        "set_up_ms_per_lane": set_up,
        "peak_memory_mib": peak,
    }


def c_milliseconds(c_loop: Callable[[int, int], Any] | None) -> float:
    """Time of a practice-year of PY-1 in C; 0 without a compiler."""
    start = time.process_time()
    if c_loop is not None:
        c_loop(C_YEARS, 1)
    return 1000 * (time.process_time() - start) / C_YEARS


def timed(function: Callable[..., Any], stage: str, spent: dict[str, float]) -> Callable[..., Any]:
    """The function, its CPU time added to its stage."""

    def call(*arguments: Any, **named: Any) -> Any:
        start = time.process_time()
        try:
            return function(*arguments, **named)
        finally:
            spent[stage] += time.process_time() - start

    return call


def table(rows: list[dict[str, Any]]) -> str:
    """The rows as a Markdown table."""
    names = [*STAGES, "rest"]
    lines = ["| ms per practice-year | " + " | ".join(f"{row['lanes']:,} lanes" for row in rows) + " |"]
    lines.append("|---|" + "---:|" * len(rows))
    for name in names:
        lines.append(f"| {name} | " + " | ".join(f"{row['by_stage'][name]:.2f}" for row in rows) + " |")
    lines.append("| **all** | " + " | ".join(f"**{row['ms_per_practice_year']:.1f}**" for row in rows) + " |")
    if all(row["times_c"] for row in rows):
        lines.append("| all, x C | " + " | ".join(f"{row['times_c']:.1f}" for row in rows) + " |")
    lines.append(
        "| patients and tables, once, ms | "
        + " | ".join(f"{row['set_up_ms_per_lane']:.1f}" for row in rows)
        + " |"
    )
    lines.append("| peak memory, MiB | " + " | ".join(f"{row['peak_memory_mib']:.0f}" for row in rows) + " |")
    if not all(row["times_c"] for row in rows):
        lines.append("\nx C is left out: no C compiler.")
    return "\n".join(lines)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--lanes", type=int, nargs="+", default=[1, 30, 300, 3000])
    parser.add_argument("--weeks", type=int, default=4)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one is not None:
        print(json.dumps(measure(arguments.one, arguments.weeks)))
        return
    rows = []
    for lanes in arguments.lanes:
        command = [sys.executable, __file__, "--one", str(lanes), "--weeks", str(arguments.weeks)]
        rows.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    print(table(rows))
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
