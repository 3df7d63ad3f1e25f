"""Time a practice-year: `python benchmarks/practice_year.py [--json FILE] [--rounds 3]`.

The workload PY-1 (`practice_year_workload.py`) by the station kernel, the keyed draws and the quantile tables of
careload, beside an event loop in C, SimPy, Ciw and the event list of Mesa. Without a compiler or a package
(`pip install 'careload[bench]'`) that row is left out, and said so.

CPU time of one process. C and SimPy run again before and after every other implementation, and a ratio is formed
with the mean of the two: a machine that others use does not run at one speed for long. Medians of the rounds are
shown. *x SimPy* is how many times faster than SimPy, *x C* how many times the time of C. *max abs z* is the largest
distance of 13 outputs from those of C, in standard errors, over all years run here. Lanes are practices in flight;
in the row "days side by side" they are the days of one practice, which PY-1 allows because every day starts empty.
The last lines compare one start of the coupled schedule (a team of eight) with one start of the station.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray
from practice_year_lanes import years
from practice_year_peers import ciw_year, compiled_c, mesa_year, simpy_year
from practice_year_workload import (
    CLINIC_CV,
    CLINIC_MINUTES,
    OPEN,
    REFERENCE,
    REFERENCE_YEARS,
    REQUESTS,
    Reference,
    largest_z,
    reference_of,
)
from schedule import EIGHT, cpu_seconds, draw_items, draw_roster

from careload.day.schedule import schedule
from careload.draws import child, index16, name_key, root_key
from careload.quantiles import Law, durations, unit_table
from careload.station import DAY_SPAN, Queue, serve
from careload.ticks import MINUTE, NEVER

Rows = NDArray[np.float64]

LANES = (1, 30, 300, 3000)
SIDE_BY_SIDE = 250
C_YEARS, C_REFERENCE_YEARS = 400, 4000
AGREEMENT = 3.5
STARTS = 3000
C, SIMPY = "C event loop", "SimPy"


@dataclass
class Contender:
    """An implementation: its name, lanes in flight, practice-years a run, what to run, and what came of it."""

    name: str
    lanes: int | None
    years: int
    run: Callable[[int], Rows]
    seconds: list[float] = field(default_factory=list)
    rows: list[Rows] = field(default_factory=list)
    ratios: dict[str, list[float]] = field(default_factory=dict)

    def measure(self) -> float:
        """Run once with a new seed; CPU seconds per practice-year."""
        begin = time.process_time()
        rows = self.run(len(self.rows) + 1)
        self.seconds.append((time.process_time() - begin) / self.years)
        self.rows.append(rows)
        return self.seconds[-1]

    def against(self, name: str, ratio: float) -> None:
        """Note a ratio of CPU times."""
        self.ratios.setdefault(name, []).append(ratio)


@dataclass(frozen=True)
class Figure:
    """One row of the table; None where it does not apply."""

    name: str
    lanes: int | None
    years: int | None = None
    ms_per_practice_year: float | None = None
    times_simpy: float | None = None
    times_c: float | None = None
    max_abs_z: float | None = None
    ns_per_start: float | None = None


def contenders(c_loop: Callable[[int, int], Rows] | None) -> list[Contender]:
    """Everything that can run here."""
    found = []
    if c_loop is None:
        print("no C compiler (cc or gcc) that takes practice_year.c: no row for C", file=sys.stderr)
    else:
        found.append(Contender(C, None, C_YEARS, lambda seed: c_loop(C_YEARS, seed)))
    peers = {
        SIMPY: ("simpy", simpy_year, 1),
        "Ciw": ("ciw", ciw_year, 1),
        "Mesa event list": ("mesa", mesa_year, 2),
    }
    for name, (package, year, n) in peers.items():
        try:
            importlib.import_module(package)
        except ImportError:
            print(
                f"{package} is not installed (pip install 'careload[bench]'): no row for it", file=sys.stderr
            )
            continue
        found.append(
            Contender(name, None, n, lambda seed, f=year, n=n: np.array([f(n * seed + i) for i in range(n)]))
        )
    for lanes in LANES:
        found.append(Contender("careload", lanes, lanes, lambda seed, lanes=lanes: years(lanes, seed)))
    side = "careload, days side by side"
    found.append(Contender(side, SIDE_BY_SIDE, 1, lambda seed: years(1, seed, together=SIDE_BY_SIDE)))
    return found


def race(found: list[Contender], rounds: int) -> None:
    """Let everybody run in turn, between two runs of C and SimPy."""
    years(1, 0, days=2)
    standards = [one for one in found if one.name in (C, SIMPY)]
    for _ in range(rounds):
        before = read(standards)
        for one in found:
            if one not in standards:
                seconds = one.measure()
                after = read(standards)
                for name in after:
                    one.against(name, 2 * seconds / (before[name] + after[name]))
                before = after


def read(standards: list[Contender]) -> dict[str, float]:
    """CPU seconds of the implementations the others are compared with."""
    seconds = {one.name: one.measure() for one in standards}
    for one in standards:
        for name, other in seconds.items():
            one.against(name, seconds[one.name] / other)
    return seconds


def figures(found: list[Contender], reference: Reference, reference_years: int) -> list[Figure]:
    """Medians of the rounds and the agreement of all years."""
    return [
        Figure(
            name=one.name,
            lanes=one.lanes,
            years=one.years * len(one.rows),
            ms_per_practice_year=median(one.seconds) * 1e3,
            times_simpy=1 / median(one.ratios[SIMPY]) if SIMPY in one.ratios else None,
            times_c=median(one.ratios[C]) if C in one.ratios else None,
            max_abs_z=largest_z(np.concatenate(one.rows), reference, reference_years),
        )
        for one in found
    ]


def station_day(lanes: int) -> list[Queue]:
    """Urgent and routine tasks of two GPs on one day, 10 % of them urgent."""
    keys = child(root_key(3), np.arange(lanes)[:, None], np.arange(2 * REQUESTS // 3)).ravel()
    time_of_day = index16(keys, name_key("minute")) * (OPEN * MINUTE >> 16)
    clock = np.repeat(np.arange(lanes) * DAY_SPAN, 2 * REQUESTS // 3) + time_of_day
    service = durations(
        unit_table(Law.LOGNORMAL, CLINIC_CV), index16(keys, name_key("service")), int(CLINIC_MINUTES * MINUTE)
    )
    order = np.argsort(clock, kind="stable")
    clock, service = clock[order], service[order]
    urgent = index16(keys, name_key("class")) < (1 << 16) // 10
    return [Queue(clock[mine], service[mine]) for mine in (urgent, ~urgent)]


def starts(rounds: int) -> tuple[Figure, Figure, float]:
    """One start of the coupled schedule and of the station, checks and results included, and their ratio."""
    g = np.random.default_rng([7, STARTS])
    roster = draw_roster(g, EIGHT, STARTS)
    items = draw_items(g, EIGHT, STARTS)
    n_coupled = int((schedule(roster, items).start < NEVER).sum())
    queues = station_day(STARTS)
    n_station = sum(len(queue.time) for queue in queues)
    coupled, station = [], []
    for _ in range(rounds):
        coupled.append(cpu_seconds(lambda: schedule(roster, items)) / n_coupled)
        station.append(median(cpu_seconds(lambda: serve(queues, 2, STARTS)) for _ in range(9)) / n_station)
    pair = [
        Figure(name, STARTS, ns_per_start=median(seconds) * 1e9)
        for name, seconds in (("coupled start, team of eight", coupled), ("station start, two GPs", station))
    ]
    return pair[0], pair[1], median(np.divide(coupled, station))


def table(rows: list[Figure]) -> str:
    """The practice-years as a Markdown table."""
    lines = ["| implementation | lanes | ms per practice-year | x SimPy | x C | max abs z (years) |"]
    lines.append("|---|---:|---:|---:|---:|---:|")
    for row in rows:
        lanes = "" if row.lanes is None else f"{row.lanes:,}"
        cells = [
            row.name,
            lanes,
            *(short(v) for v in (row.ms_per_practice_year, row.times_simpy, row.times_c)),
        ]
        lines.append("| " + " | ".join(cells) + f" | {row.max_abs_z:.1f} ({row.years:,}) |")
    return "\n".join(lines)


def short(value: float | None) -> str:
    """Three figures, or nothing."""
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def aims(rows: list[Figure], ratio: float) -> list[str]:
    """What the kernel should reach on a quiet machine, and whether it did here."""
    ours = {row.lanes: row for row in rows if row.name == "careload"}
    measured = [
        ("3,000 lanes, x SimPy", ours[3000].times_simpy, 150, 300, 1),
        ("30 lanes, x SimPy", ours[30].times_simpy, 18, None, 1),
        ("3,000 lanes, x C", ours[3000].times_c, 2.5, 1.5, -1),
        ("coupled start / station start", ratio, 18, 10, -1),
    ]
    lines = []
    for name, value, must, aim, sign in measured:
        if value is not None:
            bound = "at least" if sign > 0 else "at most"
            met = "met" if sign * value >= sign * must else "NOT met"
            beyond = "" if aim is None else f", aim {aim}"
            lines.append(f"{name}: {value:.3g} ({bound} {must}: {met}{beyond})")
    return lines


def main() -> None:
    """Run, print, write; fail if an implementation disagrees."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, help="also write the rows to this file")
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    c_loop = compiled_c()
    found = contenders(c_loop)
    race(found, chosen.rounds)
    if c_loop is None:
        rows = figures(found, REFERENCE, REFERENCE_YEARS)
    else:
        rows = figures(found, reference_of(c_loop(C_REFERENCE_YEARS, 0)), C_REFERENCE_YEARS)
    print(table(rows))
    coupled, station, ratio = starts(chosen.rounds)
    print(f"\n{coupled.name}: {coupled.ns_per_start:.0f} ns; {station.name}: {station.ns_per_start:.1f} ns\n")
    print("\n".join(aims(rows, ratio)))
    if chosen.json:
        every = [asdict(row) for row in (*rows, coupled, station)]
        chosen.json.write_text(json.dumps(every, indent=2) + "\n", encoding="utf-8")
    apart = [row.name for row in rows if row.max_abs_z is not None and row.max_abs_z > AGREEMENT]
    if apart:
        sys.exit(f"outputs more than {AGREEMENT} standard errors from the reference: {', '.join(apart)}")


if __name__ == "__main__":
    main()
