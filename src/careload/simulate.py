"""From studies to a finished run: blocks of lanes for all worlds and replications, on one process or several."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from careload.agents.model import CareModel
from careload.day.block import Block
from careload.draws import child, root_key
from careload.inputs.study import Study
from careload.patients.demand import due_dates, strata
from careload.patients.population import joined, sample
from careload.patients.tables import minutes_ticks
from careload.plan import DEMAND, PEOPLE, BlockPlan, Cells, Order, Plan, make_plan, side_of
from careload.practice.tables import Layout, for_lanes, stack
from careload.practice.worlds import make_layout, world_table
from careload.processes import Progress, run_all
from careload.results.ledger import Ledger, compare_worlds, take_cells
from careload.results.persons import count_persons

__all__ = [
    "Progress",
    "Run",
    "build",
    "make_block",
    "run_block",
    "simulate",
    "simulate_plan",
]

Deliver = Callable[[int, "Run | Exception"], None]


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


def make_block(
    studies: Sequence[Study],
    cells: NDArray[np.int64],
    people_of: NDArray[np.int64] | None = None,
    list_sizes: NDArray[np.int64] | None = None,
    world_of_lane: NDArray[np.int64] | None = None,
) -> Block:
    """Arrays of a block, every world in every cell.

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
    side, source = side_of(first)
    n_cells = len(cells)
    seed = root_key(first.seed)
    layout = make_layout(studies)
    sizes = np.full(n_cells, round(first.value("practice.list_size"))) if list_sizes is None else list_sizes
    crumb = minutes_ticks(first.value("run.crumb_limit_minutes"))
    world = np.repeat(np.arange(len(studies)), n_cells) if world_of_lane is None else world_of_lane
    plan = BlockPlan(
        side=side,
        layout=layout,
        practices=stack([world_table(study, layout) for study in studies]),
        crumb_limit=np.full(len(studies), crumb),
        contrasts=tuple((0, one) for one in range(1, len(world) // n_cells)),
        wanted=np.ones((len(world) // n_cells, n_cells), np.bool_),
        cells=Cells(
            key=child(seed, DEMAND, cells),
            people_key=child(seed, PEOPLE, cells if people_of is None else people_of),
            list_size=sizes,
            source=np.zeros(n_cells, np.int64),
        ),
        sources=(source,),
        group=0,
        worlds=tuple(range(len(studies))),
        numbers=tuple(range(n_cells)),
    )
    return build(plan, world)


def build(plan: BlockPlan, world_of_lane: NDArray[np.int64] | None = None) -> Block:
    """Arrays of a planned block.

    Parameters
    ----------
    plan : BlockPlan
    world_of_lane : ndarray of int64, shape (L,), optional
        By default scenario s is world s in all cells.
    """
    side, cells = plan.side, plan.cells
    lane_of = np.where(plan.wanted, np.cumsum(plan.wanted).reshape(plan.wanted.shape) - 1, -1)
    world = np.nonzero(plan.wanted)[0] if world_of_lane is None else world_of_lane
    people = joined(
        [
            sample(pyramid, tables, cells.list_size[own], cells.people_key[own])
            for source, (pyramid, tables) in enumerate(plan.sources)
            if (own := cells.source == source).any()
        ]
    )
    return Block(
        layout=plan.layout,
        calendar=side.calendar,
        demand=side.demand,
        bundles=side.bundles,
        practices=for_lanes(plan.practices, world),
        people=people,
        strata=strata(side.demand, people, cells.key, side.calendar),
        due=due_dates(side.demand, people, cells.key, side.calendar),
        cell_key=cells.key,
        lane_of=lane_of,
        crumb_limit=plan.crumb_limit[world],
        desk=side.desk,
        travel_ticks=side.travel_ticks,
        rotas={},
        contrasts=plan.contrasts,
    )


@dataclass(frozen=True, eq=False)
class Reduced:
    """What is kept of a finished block: S worlds, C cells, as `Run` has them; zeros where a world is not run.

    Attributes
    ----------
    ledgers : mapping of (int, int) to Ledger
        By pair of worlds, as positions in the block.
    """

    heads: NDArray[np.int64]
    list_size: NDArray[np.int64]
    totals: NDArray[np.int64]
    task_ticks: NDArray[np.int64]
    persons: NDArray[np.float64]
    present: NDArray[np.int64]
    met: NDArray[np.int64]
    access: NDArray[np.int64]
    ledgers: Mapping[tuple[int, int], Ledger]


def run_block(plan: BlockPlan, progress: Progress | None = None) -> Reduced:
    """Make a block, run all its days and keep what results need; the unit of work of a process."""
    block = build(plan)
    model = CareModel(block)
    model.run(progress)
    accounts, first_lane = model.state.accounts, np.max(block.lane_of, axis=1)

    def by_cell(lanes: NDArray[np.int64]) -> NDArray[np.int64]:
        return lanes.take(block.lane_of, axis=-1) * (block.lane_of >= 0)

    reduced = Reduced(
        heads=block.practices.heads[first_lane],
        list_size=np.diff(block.people.offset),
        totals=by_cell(accounts.totals),
        task_ticks=by_cell(accounts.task_ticks),
        persons=count_persons(block, model.state),
        present=by_cell(accounts.present),
        met=by_cell(accounts.met),
        access=by_cell(accounts.access),
        ledgers=compare_worlds(block, model.state),
    )
    model.close()
    return reduced


def simulate_plan(plan: Plan, deliver: Deliver, progress: Progress | None = None) -> None:
    """Run all blocks of a plan and hand on every run as soon as its cells are there.

    The runs are the same, to the last bit, on any number of processes and whatever else the plan holds.

    Parameters
    ----------
    plan : Plan
    deliver : callable
        Told the number of an order, and its run or the error that it failed with; an error of a block that several
        orders share is only told to those that fail alone as well.
    progress : callable, optional
        Told the load done and the load in all.
    """
    block_of = {
        (block.group, cell): (number, at)
        for number, block in enumerate(plan.blocks)
        for at, cell in enumerate(block.numbers)
    }
    waits_for = [{block_of[place.group, cell][0] for cell in place.cells} for place in plan.places]
    found: dict[int, Reduced] = {}
    again: list[int] = []

    def take(number: int, outcome: Reduced | Exception) -> None:
        asking = [order for order, blocks in enumerate(waits_for) if number in blocks]
        if isinstance(outcome, Exception):
            for order in asking:
                waits_for[order] = set()
                if len(plan.orders) > 1:
                    again.append(order)
                else:
                    deliver(order, outcome)
            return
        found[number] = outcome
        for order in asking:
            waits_for[order].discard(number)
            if not waits_for[order]:
                deliver(order, _gathered(plan, order, block_of, found))

    run_all(run_block, plan.blocks, [block.load for block in plan.blocks], take, progress, plan.processes)
    for order in again:
        alone = make_plan([plan.orders[order]])
        simulate_plan(alone, lambda _, run, order=order: deliver(order, run))  # type: ignore[misc]


def _gathered(
    plan: Plan, number: int, block_of: Mapping[tuple[int, int], tuple[int, int]], found: Mapping[int, Reduced]
) -> Run:
    """The run of one order, its cells in order, out of the blocks that hold them."""
    order, place = plan.orders[number], plan.places[number]
    layout = make_layout(order.studies)
    where = [block_of[place.group, cell] for cell in place.cells]
    parts: list[_Part] = []
    for block in dict.fromkeys(block for block, _ in where):
        planned, reduced = plan.blocks[block], found[block]
        roles = [planned.layout.roles.index(role) for role in layout.roles]
        worlds = [planned.worlds.index(world) for world in place.worlds]
        cells = np.array([at for one, at in where if one == block])
        parts.append(
            _Part(
                at=np.array([at for at, (one, _) in enumerate(where) if one == block]),
                heads=reduced.heads[worlds][:, roles],
                list_size=reduced.list_size[cells],
                totals=reduced.totals[:, worlds][..., cells],
                task_ticks=reduced.task_ticks[roles][:, :, worlds][..., cells],
                persons=reduced.persons[:, worlds][..., cells],
                present=reduced.present[roles][:, worlds][..., cells],
                met=reduced.met[roles][:, worlds][..., cells],
                access=reduced.access[:, :, worlds][..., cells],
                ledgers=tuple(take_cells(reduced.ledgers[worlds[0], one], cells) for one in worlds[1:]),
            )
        )
    back = np.argsort(np.concatenate([part.at for part in parts]))

    def whole(name: str) -> Any:
        return np.concatenate([getattr(part, name) for part in parts], axis=-1)[..., back]

    calendar = plan.blocks[where[0][0]].side.calendar
    return Run(
        layout=layout,
        window_weeks=calendar.window_weeks,
        window_days=int(calendar.in_window.sum()),
        heads=parts[0].heads,
        list_size=whole("list_size"),
        totals=whole("totals"),
        task_ticks=whole("task_ticks"),
        persons=whole("persons"),
        present=whole("present"),
        met=whole("met"),
        access=whole("access"),
        ledgers=tuple(_joined(one, back) for one in zip(*(part.ledgers for part in parts), strict=True)),
        replications=order.replications,
        fixed=order.fixed,
    )


@dataclass(frozen=True, eq=False)
class _Part:
    """What one block holds of a run; `at` are the numbers of its cells in the run."""

    at: NDArray[np.int64]
    heads: NDArray[np.int64]
    list_size: NDArray[np.int64]
    totals: NDArray[np.int64]
    task_ticks: NDArray[np.int64]
    persons: NDArray[np.float64]
    present: NDArray[np.int64]
    met: NDArray[np.int64]
    access: NDArray[np.int64]
    ledgers: tuple[Ledger, ...]


def _joined(parts: Sequence[Ledger], back: NDArray[np.int64]) -> Ledger:
    """Ledgers of several blocks as one, cells in the order `back`."""
    names = [field.name for field in fields(Ledger)]
    return Ledger(
        **{name: np.concatenate([getattr(p, name) for p in parts], axis=-1)[..., back] for name in names}
    )


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
        Told the load done and the load in all.
    processes : int
        Processes to use; with more than one, the calling script needs a `__main__` guard.
    """
    found: list[Run] = []

    def take(_: int, outcome: Run | Exception) -> None:
        if isinstance(outcome, Exception):
            raise outcome
        found.append(outcome)

    plan = make_plan([Order(tuple(studies), replications, fixed)], processes)
    simulate_plan(plan, take, progress)
    return found[0]
