"""From studies to a finished run: one block of lanes for all worlds and replications."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from careload.block import Block, State
from careload.demand import due_dates, strata
from careload.draws import child, name_key, root_key
from careload.model import CareModel
from careload.population import Pyramid, read_pyramid, sample
from careload.practice import for_lanes, stack
from careload.study import Study
from careload.tables import demand_side, minutes_ticks
from careload.worlds import make_layout, world_table

__all__ = ["Run", "make_block", "pyramid_of", "simulate"]

_PEOPLE = name_key("people")
_DEMAND = name_key("demand")


@dataclass(frozen=True)
class Run:
    """A finished run.

    Attributes
    ----------
    block : Block
    state : State
    replications : int
        Cells that draw their own people; they come first.
    fixed : int
        Cells after them that share the people of the first, for the variance factor.
    """

    block: Block
    state: State
    replications: int
    fixed: int


def pyramid_of(study: Study) -> Pyramid:
    """The age pyramid a study names."""
    return read_pyramid(study.table_path, study.value("population.nis_code"))


def make_block(
    studies: Sequence[Study],
    replications: int,
    fixed: int = 0,
    list_sizes: Sequence[int] | None = None,
    worlds_of_lanes: NDArray[np.int64] | None = None,
    n_scenarios: int | None = None,
) -> Block:
    """Arrays of a run.

    Parameters
    ----------
    studies : sequence of Study
        One per world, the baseline first; the patients' side is that of the baseline.
    replications, fixed : int
        Cells with people of their own, and cells that share the people of the first.
    list_sizes : sequence of int, optional
        List of each cell; by default that of the baseline.
    worlds_of_lanes : ndarray of int64, optional
        World of every lane; by default scenario s is world s in all cells.
    n_scenarios : int, optional
        Scenarios per cell; by default one per study.
    """
    first = studies[0]
    pyramid = pyramid_of(first)
    side = demand_side(first, pyramid)
    n_cells = replications + fixed
    number = np.arange(n_cells)
    seed = root_key(first.seed)
    cell_key = child(seed, _DEMAND, number)
    people_key = child(seed, _PEOPLE, np.where(number < replications, number, 0))
    sizes = np.full(n_cells, round(first.value("practice.list_size")))
    if list_sizes is not None:
        sizes = np.asarray(list_sizes, dtype=np.int64)
    people = sample(pyramid, side.population, sizes, people_key)
    layout = make_layout(studies)
    tables = stack([world_table(study, layout, side.bundles) for study in studies])
    scenarios = n_scenarios or len(studies)
    world = np.repeat(np.arange(scenarios), n_cells) if worlds_of_lanes is None else worlds_of_lanes
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
        n_scenarios=scenarios,
        crumb_limit=np.full(len(world), minutes_ticks(first.value("run.crumb_limit_minutes"))),
        desk=side.desk,
        travel_ticks=np.array([minutes_ticks(first.value(key)) if first.has(key) else 0 for key in travel]),
        rotas={},
    )


def simulate(
    studies: Sequence[Study],
    replications: int,
    fixed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Run:
    """Run all worlds and replications.

    Parameters
    ----------
    studies : sequence of Study
        The baseline first.
    progress : callable, optional
        Told the open days done and the open days in all.
    """
    block = make_block(studies, replications, fixed)
    model = CareModel(block)
    state = model.run(progress)
    model.close()
    return Run(block=block, state=state, replications=replications, fixed=fixed)
