"""From studies to a finished run: blocks of lanes for all worlds and replications, on one process or several."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from careload.agents.model import CareModel
from careload.day.block import Block
from careload.draws import child, name_key, root_key
from careload.inputs.study import Study
from careload.patients.demand import due_dates, strata
from careload.patients.population import Pyramid, read_pyramid, sample
from careload.patients.tables import calendar_of, demand_side, minutes_ticks
from careload.practice.tables import Layout, for_lanes, stack
from careload.practice.worlds import make_layout, world_table
from careload.results.ledger import Ledger, compare_scenarios
from careload.results.persons import count_persons

__all__ = ["Progress", "Run", "make_block", "pyramid_of", "reduce_block", "simulate", "useful_processes"]

Progress = Callable[[int, int], None]

_PEOPLE: Final = name_key("people")
_DEMAND: Final = name_key("demand")
_MOST_LANES: Final = 3000
_LANE_DAYS_OF_A_PROCESS: Final = 10_000


@dataclass(frozen=True)
class Run:
    """What a finished run keeps: S worlds, the baseline first, and C cells.

    Attributes
    ----------
    layout : Layout
    window_weeks : float
        Working weeks measured.
    window_days : int
        Open days measured.
    heads : ndarray of int64, shape (S, R)
        People by role in every world.
    list_size : ndarray of int64, shape (C,)
    totals : ndarray of int64, shape (accounts, S, C)
        Counters of `careload.day.accounts.Account`, times in ticks.
    task_ticks : ndarray of int64, shape (R, T, S, C)
        Time by role and task.
    persons : ndarray of float64, shape (K, S, C)
        Counts by person (`careload.results.persons`).
    present, met : ndarray of int64, shape (R, S, C)
        Paid presence and meetings of the staff by role, in ticks; 0 for GPs.
    access : ndarray of int64, shape (3, days, S, C)
        Patients' own requests by true urgency and open days from call to contact.
    ledgers : tuple of Ledger
        World s + 1 against the baseline.
    replications : int
        Cells that draw their own people; they come first.
    fixed : int
        Cells after them that share the people of the first, for the variance factor.
    """

    layout: Layout
    window_weeks: float
    window_days: int
    heads: NDArray[np.int64]
    list_size: NDArray[np.int64]
    totals: NDArray[np.int64]
    task_ticks: NDArray[np.int64]
    persons: NDArray[np.float64]
    present: NDArray[np.int64]
    met: NDArray[np.int64]
    access: NDArray[np.int64]
    ledgers: tuple[Ledger, ...]
    replications: int
    fixed: int


def pyramid_of(study: Study) -> Pyramid:
    """The age pyramid a study names."""
    return read_pyramid(study.table_path, study.value("population.nis_code"))


def make_block(
    studies: Sequence[Study],
    cells: NDArray[np.int64],
    people_of: NDArray[np.int64] | None = None,
    list_sizes: NDArray[np.int64] | None = None,
    world_of_lane: NDArray[np.int64] | None = None,
) -> Block:
    """Arrays of a block.

    Parameters
    ----------
    studies : sequence of Study
        One per world, the baseline first; the patients' side is that of the baseline.
    cells : ndarray of int64, shape (C,)
        Number of each cell; its draws depend on nothing else.
    people_of : ndarray of int64, shape (C,), optional
        Cell whose people each cell has; by default its own.
    list_sizes : ndarray of int64, shape (C,), optional
        By default the list of the baseline.
    world_of_lane : ndarray of int64, shape (scenarios * C,), optional
        By default scenario s is world s in all cells.
    """
    first = studies[0]
    side = demand_side(first, pyramid_of(first))
    n_cells = len(cells)
    seed = root_key(first.seed)
    cell_key = child(seed, _DEMAND, cells)
    people_key = child(seed, _PEOPLE, cells if people_of is None else people_of)
    sizes = np.full(n_cells, round(first.value("practice.list_size"))) if list_sizes is None else list_sizes
    people = sample(pyramid_of(first), side.population, sizes, people_key)
    layout = make_layout(studies)
    tables = stack([world_table(study, layout) for study in studies])
    world = np.repeat(np.arange(len(studies)), n_cells) if world_of_lane is None else world_of_lane
    travel = [f"task.{name}.travel_minutes" for name in side.demand.names]
    return Block(
        layout=layout,
        calendar=side.calendar,
        demand=side.demand,
        bundles=side.bundles,
        practices=for_lanes(tables, world),
        people=people,
        strata=strata(side.demand, people, cell_key),
        due=due_dates(side.demand, people, cell_key, side.calendar),
        cell_key=cell_key,
        n_scenarios=len(world) // n_cells,
        crumb_limit=np.full(len(world), minutes_ticks(first.value("run.crumb_limit_minutes"))),
        desk=side.desk,
        travel_ticks=np.array([minutes_ticks(first.value(key)) if first.has(key) else 0 for key in travel]),
        rotas={},
        contrasts=tuple((0, one) for one in range(1, len(world) // n_cells)),
    )


def reduce_block(block: Block, model: CareModel, replications: int, fixed: int) -> Run:
    """Keep of a finished block what results need."""
    shape = (block.n_scenarios, block.n_cells)
    accounts = model.state.accounts
    totals, task_ticks = accounts.totals, accounts.task_ticks
    return Run(
        layout=block.layout,
        window_weeks=block.calendar.window_weeks,
        window_days=int(block.calendar.in_window.sum()),
        heads=block.practices.heads[:: block.n_cells],
        list_size=np.diff(block.people.offset),
        totals=totals.reshape(len(totals), *shape),
        task_ticks=task_ticks.reshape(*task_ticks.shape[:2], *shape),
        persons=count_persons(block, model.state),
        present=accounts.present.reshape(-1, *shape),
        met=accounts.met.reshape(-1, *shape),
        access=accounts.access.reshape(*accounts.access.shape[:2], *shape),
        ledgers=tuple(compare_scenarios(block, model.state, *pair) for pair in block.contrasts),
        replications=replications,
        fixed=fixed,
    )


def _run_block(block: Block, progress: Progress | None = None) -> Run:
    """Run all days of a block; the unit of work of a process."""
    model = CareModel(block)
    model.run(progress)
    run = reduce_block(block, model, block.n_cells, 0)
    model.close()
    return run


def _joined(runs: Sequence[Run], replications: int, fixed: int) -> Run:
    """Runs of the same worlds over other cells, one after the other."""
    first = runs[0]
    ledgers = tuple(
        Ledger(
            **{
                f.name: np.concatenate([getattr(one, f.name) for one in parts], axis=-1)
                for f in fields(Ledger)
            }
        )
        for parts in zip(*(run.ledgers for run in runs), strict=True)
    )
    return Run(
        layout=first.layout,
        window_weeks=first.window_weeks,
        window_days=first.window_days,
        heads=first.heads,
        list_size=np.concatenate([run.list_size for run in runs]),
        totals=np.concatenate([run.totals for run in runs], axis=-1),
        task_ticks=np.concatenate([run.task_ticks for run in runs], axis=-1),
        persons=np.concatenate([run.persons for run in runs], axis=-1),
        present=np.concatenate([run.present for run in runs], axis=-1),
        met=np.concatenate([run.met for run in runs], axis=-1),
        access=np.concatenate([run.access for run in runs], axis=-1),
        ledgers=ledgers,
        replications=replications,
        fixed=fixed,
    )


def useful_processes(studies: Sequence[Study], cells: int) -> int:
    """Processes that shorten a run: one per core, as long as each has enough days to pay for its start.

    Parameters
    ----------
    cells : int
        Replications of all kinds.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    lane_days = cells * len(studies) * len(calendar_of(studies[0]))
    return max(1, min(cores, cells, lane_days // _LANE_DAYS_OF_A_PROCESS))


@contextmanager
def _interruptions_held() -> Iterator[None]:
    """Hold interruptions by the user back: a process started meanwhile leaves them to this one for good."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    kept = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, kept)


def simulate(
    studies: Sequence[Study],
    replications: int,
    fixed: int = 0,
    progress: Progress | None = None,
    processes: int = 1,
) -> Run:
    """Run all worlds and replications; the result is the same, to the last bit, on any number of processes.

    Parameters
    ----------
    studies : sequence of Study
        The baseline first.
    replications, fixed : int
        Cells with people of their own, and cells that share the people of the first.
    progress : callable, optional
        Told the open days done and the open days in all.
    processes : int
        Processes to use; with more than one, the calling script needs a `__main__` guard.
    """
    cells = np.arange(replications + fixed)
    people_of = np.where(cells < replications, cells, 0)
    most = max(1, _MOST_LANES // len(studies))
    n_blocks = min(len(cells), max(processes, -(-len(cells) // most)))
    parts = np.array_split(cells, n_blocks)
    if processes == 1 or n_blocks == 1:
        runs = [_run_block(make_block(studies, part, people_of[part]), progress) for part in parts]
        return _joined(runs, replications, fixed)
    own = range(0, n_blocks, processes)
    with ProcessPoolExecutor(processes - 1, multiprocessing.get_context("spawn")) as pool:
        away = {}
        for number in sorted({*range(n_blocks)} - {*own}):
            block = make_block(studies, parts[number], people_of[parts[number]])
            with _interruptions_held():
                away[number] = pool.submit(_run_block, block)
        here = {
            number: _run_block(make_block(studies, parts[number], people_of[parts[number]]), progress)
            for number in own
        }
        there = {number: future.result() for number, future in away.items()}
    return _joined([(here | there)[number] for number in range(n_blocks)], replications, fixed)
