"""Time the clinical day: `python benchmarks/schedule.py [--json FILE]`.

CPU time on one core, median of three, all in: checks, lists, steps and results. An iteration starts one item
in every open lane, so there are as many as the busiest lane has starts.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from careload.day.schedule import ABSENCE, FOLLOW_ON, ROUTINE, SAME_DAY, URGENT, Items, Roster, schedule
from careload.day.schedule_kernel import run
from careload.day.schedule_lists import build
from careload.ticks import MINUTE, NEVER

ROUNDS = 3
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Team:
    """A practice whose days are drawn at random."""

    name: str
    role: tuple[int, ...]
    streams: tuple[tuple[int, ...], ...]
    n_streams: int
    minutes: dict[int, float]
    """Mean minutes of work by stream."""
    weight: dict[int, float]
    """Share of the work by stream."""
    items: float
    follow_share: float
    follow_streams: tuple[int, ...]
    responsible: int


@dataclass(frozen=True)
class Figure:
    """CPU time of one team on so many lanes, all in and for the steps alone."""

    team: str
    lanes: int
    starts_per_lane: float
    iterations: int
    ns_per_start: float
    us_per_iteration: float
    ns_per_start_steps_only: float
    us_per_iteration_steps_only: float


EIGHT = Team(
    name="team of eight",
    role=(0, 0, 1, 2, 2, 3, 3, 3),
    streams=(
        (0, 8, 12),
        (1, 8, 12),
        (2, 9, 8),
        (3, 10, 9),
        (4, 10, 9),
        (5, 11, 10),
        (6, 11, 10),
        (7, 11, 10),
    ),
    n_streams=12,
    minutes={0: 2, 1: 2, 2: 6, 3: 12, 4: 12, 5: 12, 6: 12, 7: 12, 8: 2, 9: 6, 10: 12, 11: 12},
    weight={0: 2, 1: 2, 2: 2, 3: 6, 4: 6, 5: 8, 6: 8, 7: 6, 8: 15, 9: 15, 10: 15, 11: 15},
    items=180,
    follow_share=0.15,
    follow_streams=(5, 6, 7, 11),
    responsible=3,
)
SOLO_NURSE = Team(
    name="solo and nurse",
    role=(0, 1),
    streams=((0, 2, 4), (1, 3, 2)),
    n_streams=4,
    minutes={0: 9, 1: 9, 2: 9, 3: 7},
    weight={0: 15, 1: 50, 2: 15, 3: 20},
    items=58,
    follow_share=0.2,
    follow_streams=(1, 3),
    responsible=1,
)


def draw_roster(g: np.random.Generator, team: Team, lanes: int) -> Roster:
    """First sessions at 0, 30 or 60 minutes, second choices 0 to 20 minutes later or never, staff paces."""
    people, columns = len(team.role), len(team.streams[0])
    delay = np.zeros((people, columns, lanes), np.int64)
    delay[:, 2:] = g.choice([1, 5 * MINUTE, 20 * MINUTE, NEVER], (people, columns - 2, lanes))
    pace = g.integers(900, 1500, (people, lanes))
    pace[np.array(team.role) == max(team.role)] = 1024
    return Roster(
        role=np.array(team.role, np.int64),
        streams=np.array(team.streams, np.int64),
        n_streams=team.n_streams,
        pace=pace,
        free=g.integers(0, 3, (people, lanes)) * 30 * MINUTE,
        delay=delay,
        cap=g.integers(640, 720, lanes) * MINUTE,
        rooms=np.full(lanes, people),
    )


def draw_items(g: np.random.Generator, team: Team, lanes: int) -> Items:
    """Work over 500 minutes, booked work on a 10-minute grid, a break and going home for everybody."""
    people, roles = len(team.role), max(team.role) + 1
    lane = np.repeat(np.arange(lanes), g.poisson(team.items, lanes))
    n = len(lane)
    names = np.array(list(team.weight))
    share = np.array([team.weight[s] for s in team.weight])
    stream = g.choice(names, n, p=share / share.sum())
    mean = np.array([team.minutes[s] for s in range(team.n_streams)])[stream]
    service = np.tile((g.gamma(4.0, mean / 4) * MINUTE).astype(np.int64), (roles, 1))
    anytime, grid = g.integers(0, 500 * MINUTE, n), g.integers(0, 50, n) * 10 * MINUTE
    work = {
        "lane": lane,
        "stream": stream,
        "list": g.choice([URGENT, SAME_DAY, ROUTINE], n, p=[0.1, 0.3, 0.6]),
        "release": np.where(stream < people, grid, anytime),
        "fixed_end": np.zeros(n, np.int64),
        "parent": np.full(n, -1),
        "responsible": np.full(n, -1),
    }
    away_lane, away_stream = np.divmod(np.arange(2 * lanes * people) // 2, people)
    at = np.where(np.arange(2 * lanes * people) % 2, g.integers(520, 630), g.integers(230, 260)) * MINUTE
    away = {
        "lane": away_lane,
        "stream": away_stream,
        "list": np.full(len(at), ABSENCE),
        "release": at,
        "fixed_end": np.where(at > 500 * MINUTE, 4095 * MINUTE, at + 45 * MINUTE),
        "parent": np.full(len(at), -1),
        "responsible": np.full(len(at), -1),
    }
    parent = np.flatnonzero(g.random(n) < team.follow_share)
    follow = {
        "lane": lane[parent],
        "stream": g.choice(team.follow_streams, len(parent)),
        "list": np.full(len(parent), FOLLOW_ON),
        "release": np.zeros(len(parent), np.int64),
        "fixed_end": np.zeros(len(parent), np.int64),
        "parent": parent,
        "responsible": np.full(len(parent), team.responsible),
    }
    table = {name: np.concatenate([work[name], away[name], follow[name]]) for name in work}
    short = np.tile((g.exponential(3.0, len(parent)) * MINUTE).astype(np.int64), (roles, 1))
    return Items(
        lane=table["lane"],
        stream=table["stream"],
        list=table["list"].astype(np.int8),
        release=table["release"],
        key=g.integers(0, 1 << 64, len(table["lane"]), dtype=np.uint64),
        service=np.concatenate([service, np.zeros((roles, len(at)), np.int64), short], axis=1),
        fixed_end=table["fixed_end"],
        parent=table["parent"],
        ordinal=np.zeros(len(table["lane"]), np.int64),
        responsible=table["responsible"].astype(np.int8),
        needs_room=table["list"] != ABSENCE,
    )


def cpu_seconds(work: Callable[[], object]) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin


def measure(team: Team, lanes: int) -> Figure:
    g = np.random.default_rng([7, lanes])
    roster = draw_roster(g, team, lanes)
    items = draw_items(g, team, lanes)
    found = schedule(roster, items)
    per_lane = np.bincount(items.lane[found.start < NEVER], minlength=lanes)
    starts, iterations = int(per_lane.sum()), int(per_lane.max())
    everything = statistics.median(cpu_seconds(lambda: schedule(roster, items)) for _ in range(ROUNDS))
    ready = [build(roster, items) for _ in range(ROUNDS)]
    steps = statistics.median(cpu_seconds(lambda one=one: run(one)) for one in ready)
    return Figure(
        team=team.name,
        lanes=lanes,
        starts_per_lane=starts / lanes,
        iterations=iterations,
        ns_per_start=everything / starts * 1e9,
        us_per_iteration=everything / iterations * 1e6,
        ns_per_start_steps_only=steps / starts * 1e9,
        us_per_iteration_steps_only=steps / iterations * 1e6,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    chosen = parser.parse_args()
    print(f"{'':16}{'lanes':>6}{'starts':>8}{'iterations':>12}{'ns/start':>10}{'us/iter':>9}", end="")
    print(f"{'steps only: ns':>16}{'us':>7}")
    figures = [measure(team, lanes) for team in (EIGHT, SOLO_NURSE) for lanes in (60, 3000)]
    for f in figures:
        print(
            f"{f.team:16}{f.lanes:6}{f.starts_per_lane:8.0f}{f.iterations:12}{f.ns_per_start:10.0f}"
            f"{f.us_per_iteration:9.0f}{f.ns_per_start_steps_only:16.0f}{f.us_per_iteration_steps_only:7.0f}"
        )
    if chosen.json:
        chosen.json.write_text(json.dumps([asdict(f) for f in figures], indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
