"""From the runs that are asked for to blocks of lanes: lanes that are equal are simulated once.

A lane is one world in one cell. Worlds are equal if all their tables are; cells are equal if they have the same
patients' side, people and number. The cells of a patients' side are cut into blocks; in a block each world is run in
the cells that it is wanted in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from careload.day.block import DeskTables
from careload.day.schedule import MAX_PEOPLE
from careload.draws import child, name_key, root_key
from careload.inputs.study import Study
from careload.machine import memory_bytes, n_cores
from careload.patients.bundle import BundleTables
from careload.patients.calendar import Calendar
from careload.patients.demand import DemandTables
from careload.patients.population import PopulationTables, Pyramid, read_pyramid
from careload.patients.tables import demand_side, minutes_ticks
from careload.practice.neutral import neutral
from careload.practice.tables import Layout, Practices, stack
from careload.practice.worlds import make_layout, most_heads, world_table
from careload.same import MadeOnce, fingerprint

__all__ = [
    "MOST_LANES",
    "PATIENT_BYTES",
    "BlockPlan",
    "Cells",
    "Order",
    "Place",
    "Plan",
    "Side",
    "make_plan",
    "pyramid_of",
    "side_of",
]

PEOPLE: Final = name_key("people")
DEMAND: Final = name_key("demand")
MOST_LANES: Final = 600
"""Lanes of a block of equal lists: more are little faster each, and the points of a sweep are done by blocks."""

_MOST_SPARSE: Final = 16
"""Most pairs of world and cell of a block by lane: a pair that is not run takes memory and a little time."""

_LANE_DAYS_OF_A_PROCESS: Final = 10_000

PATIENT_BYTES: Final = 400
"""Memory of a patient in a world, open requests in, however long the run: 300 measured with 3,000 lanes of 2,000."""

_SHARE_OF_MEMORY: Final = 0.4
"""Share of the machine's memory that the blocks at work may fill."""


@dataclass(frozen=True, eq=False)
class Order:
    """A run that is asked for.

    Attributes
    ----------
    studies : tuple of Study
        One per world, the baseline first; the patients' side is that of the baseline.
    replications : int
        Cells that draw their own people; cell number k has the draws of number k of every other run.
    fixed : int
        Cells after them that share the people of the first, for the variance factor.
    """

    studies: tuple[Study, ...]
    replications: int
    fixed: int = 0

    @property
    def n_cells(self) -> int:
        """Cells of both kinds."""
        return self.replications + self.fixed


@dataclass(frozen=True, eq=False)
class Side:
    """The patients' side of a block, people apart; travel to the patients in ticks by visit."""

    calendar: Calendar
    demand: DemandTables
    bundles: BundleTables
    desk: DeskTables
    travel_ticks: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Cells:
    """Cells of one patients' side.

    Attributes
    ----------
    key, people_key : ndarray of uint64, shape (C,)
        Keys of the draws of demand and of people.
    list_size : ndarray of int64, shape (C,)
    source : ndarray of int64, shape (C,)
        Position in `Plan.sources` of what people are drawn from.
    """

    key: NDArray[np.uint64]
    people_key: NDArray[np.uint64]
    list_size: NDArray[np.int64]
    source: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class BlockPlan:
    """All that a process needs to make and run one block: S worlds, each in some of C cells.

    Attributes
    ----------
    side : Side
    layout : Layout
    practices : Practices
        One entry per world.
    crumb_limit : ndarray of int64, shape (S,)
        Ticks.
    contrasts : tuple of (int, int)
        Pairs of worlds that are compared, as positions in this block, the baseline of each first.
    wanted : ndarray of bool, shape (S, C)
        Whether a world is run in a cell.
    cells : Cells
    sources : tuple of (Pyramid, PopulationTables)
        What people are drawn from.
    group, worlds, numbers
        Patients' side, worlds and cells as the plan numbers them.
    """

    side: Side
    layout: Layout
    practices: Practices
    crumb_limit: NDArray[np.int64]
    contrasts: tuple[tuple[int, int], ...]
    wanted: NDArray[np.bool_]
    cells: Cells
    sources: tuple[tuple[Pyramid, PopulationTables], ...]
    group: int
    worlds: tuple[int, ...]
    numbers: tuple[int, ...]

    @property
    def load(self) -> int:
        """Patient-days over all lanes: what time and memory grow with."""
        return int((self.wanted * self.cells.list_size).sum()) * len(self.side.calendar)


@dataclass(frozen=True)
class Place:
    """Where a run stands in a plan: its patients' side, worlds in order, cells in order, by number."""

    group: int
    worlds: tuple[int, ...]
    cells: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Plan:
    """Orders, the place of each, the blocks that hold them all, and the processes they were cut for."""

    orders: tuple[Order, ...]
    places: tuple[Place, ...]
    blocks: tuple[BlockPlan, ...]
    processes: int

    def same_lanes(self, order: int, other: int) -> bool:
        """Whether an order has the lanes of another: no table that a lane reads differs."""
        one, two = self.places[order], self.places[other]
        shared = min(len(one.cells), len(two.cells))
        return (one.group, one.worlds, one.cells[:shared]) == (two.group, two.worlds, two.cells[:shared])


class _CellFacts(NamedTuple):
    """What a cell is: seed, list, what people are drawn from, its number and the one whose people it has."""

    seed: int
    list_size: int
    source: int
    number: int
    people: int


class _Group:
    """The orders of one patients' side while a plan is made."""

    def __init__(self, side: Side) -> None:
        self.side = side
        self.members: list[tuple[int, Order, int]] = []
        self.most_heads: Counter[str] = Counter()
        self.tables: list[Practices] = []
        self.crumbs: list[int] = []
        self.worlds_of_cell: list[set[int]] = []
        self.contrasts: dict[tuple[int, int], None] = {}
        self.cells: dict[_CellFacts, int] = {}

    def take(self, number: int, order: Order, source: int) -> bool:
        """Take an order in, unless its people cannot be numbered with those that are here; the first always is."""
        most = self.most_heads | most_heads(order.studies)
        if self.members and most.total() > MAX_PEOPLE:
            return False
        self.members.append((number, order, source))
        self.most_heads = most
        return True

    def number(self, position: int) -> dict[int, Place]:
        """Number worlds and cells, equal ones alike; the place of every member."""
        studies = [study for _, order, _ in self.members for study in order.studies]
        layout = self.layout = make_layout(studies)
        table_of = MadeOnce(lambda study: neutral(world_table(study, layout), layout))
        marks: dict[int, bytes] = {}
        numbers: dict[tuple[bytes, int], int] = {}
        places: dict[int, Place] = {}
        for member, order, source in self.members:
            first, worlds = order.studies[0], []
            crumb = minutes_ticks(first.value("run.crumb_limit_minutes"))
            for study in order.studies:
                table = table_of(study)
                mark = marks.setdefault(id(table), b"") or fingerprint(table)
                marks[id(table)] = mark
                if (mark, crumb) not in numbers:
                    numbers[mark, crumb] = len(self.tables)
                    self.tables.append(table)
                    self.crumbs.append(crumb)
                worlds.append(numbers[mark, crumb])
            cells = [self._cell(fact) for fact in _cell_facts(order, source)]
            for cell in cells:
                self.worlds_of_cell[cell].update(worlds)
            self.contrasts |= {(worlds[0], other): None for other in worlds[1:]}
            places[member] = Place(position, tuple(worlds), tuple(cells))
        return places

    def _cell(self, fact: _CellFacts) -> int:
        number = self.cells.setdefault(fact, len(self.cells))
        if number == len(self.worlds_of_cell):
            self.worlds_of_cell.append(set())
        return number

    def lane_days(self) -> int:
        """Lanes times open days."""
        return self.lanes() * len(self.side.calendar)

    def lanes(self) -> int:
        """Lanes in all."""
        return sum(map(len, self.worlds_of_cell))

    def dense(self, numbers: Sequence[int]) -> list[Sequence[int]]:
        """The cells as they are, or parted by the worlds they are wanted in if few of them share worlds."""
        parts: dict[tuple[int, ...], list[int]] = {}
        for number in numbers:
            parts.setdefault(tuple(sorted(self.worlds_of_cell[number])), []).append(number)
        lanes = sum(len(self.worlds_of_cell[number]) for number in numbers)
        worlds = len(set().union(*parts))
        return [numbers] if 0 < worlds * len(numbers) <= _MOST_SPARSE * lanes else list(parts.values())

    def patients(self) -> NDArray[np.int64]:
        """Patients of every cell over the worlds that it is wanted in."""
        sizes = np.array([fact.list_size for fact in self.cells], np.int64)
        return sizes * np.array([len(worlds) for worlds in self.worlds_of_cell], np.int64)

    def block(
        self,
        position: int,
        numbers: Sequence[int],
        sources: Sequence[tuple[Pyramid, PopulationTables]],
    ) -> BlockPlan:
        """The plan of a block of some cells."""
        facts = list(self.cells)
        chosen = sorted(numbers, key=lambda number: (facts[number].source, number))
        worlds = sorted(set().union(*(self.worlds_of_cell[number] for number in chosen)))
        cells = [facts[number] for number in chosen]
        seed = np.array([root_key(fact.seed) for fact in cells], np.uint64)
        place = {world: at for at, world in enumerate(worlds)}
        pairs = [(place[b], place[s]) for b, s in self.contrasts if b in place and s in place]
        return BlockPlan(
            side=self.side,
            layout=self.layout,
            practices=stack([self.tables[world] for world in worlds]),
            crumb_limit=np.array([self.crumbs[world] for world in worlds]),
            contrasts=tuple(pairs),
            wanted=np.array(
                [[world in self.worlds_of_cell[number] for number in chosen] for world in worlds]
            ),
            cells=Cells(
                key=child(seed, DEMAND, np.array([fact.number for fact in cells])),
                people_key=child(seed, PEOPLE, np.array([fact.people for fact in cells])),
                list_size=np.array([fact.list_size for fact in cells]),
                source=np.array([fact.source for fact in cells]),
            ),
            sources=tuple(sources),
            group=position,
            worlds=tuple(worlds),
            numbers=tuple(chosen),
        )


def _cell_facts(order: Order, source: int) -> list[_CellFacts]:
    first, own = order.studies[0], order.replications
    size = round(first.value("practice.list_size"))
    return [_CellFacts(first.seed, size, source, k, k if k < own else 0) for k in range(order.n_cells)]


def pyramid_of(study: Study) -> Pyramid:
    """The age pyramid a study names."""
    return read_pyramid(study.table_path, study.value("population.nis_code"))


def side_of(study: Study) -> tuple[Side, tuple[Pyramid, PopulationTables]]:
    """Patients' side of a study, and what its people are drawn from."""
    pyramid = pyramid_of(study)
    made = demand_side(study, pyramid)
    travel = [f"task.{name}.travel_minutes" for name in made.demand.names]
    ticks = np.array([minutes_ticks(study.value(key)) if study.has(key) else 0 for key in travel])
    return Side(made.calendar, made.demand, made.bundles, made.desk, ticks), (pyramid, made.population)


def make_plan(orders: Sequence[Order], processes: int | None = 1) -> Plan:
    """Number equal worlds and cells alike, and cut what is wanted into blocks.

    Parameters
    ----------
    orders : sequence of Order
    processes : int, optional
        Processes that are to have something to do, memory shared among them; None for as many as shorten the run.

    Returns
    -------
    Plan
    """
    made = MadeOnce(side_of)
    alike: dict[bytes, list[_Group]] = {}
    sources: dict[bytes, tuple[Pyramid, PopulationTables]] = {}
    marks: dict[int, tuple[bytes, bytes]] = {}
    for number, order in enumerate(orders):
        both = made(order.studies[0])
        if id(both) not in marks:
            marks[id(both)] = fingerprint(both[0]), fingerprint(both[1])
        mark, source = marks[id(both)]
        sources.setdefault(source, both[1])
        groups = alike.setdefault(mark + _shared_facts(order.studies[0]), [])
        member = number, order, list(sources).index(source)
        if not any(group.take(*member) for group in groups):
            groups.append(_Group(both[0]))
            groups[-1].take(*member)
    places: dict[int, Place] = {}
    listed = [group for groups in alike.values() for group in groups]
    for position, group in enumerate(listed):
        places |= group.number(position)
    number = processes or _useful_processes(sum(group.lane_days() for group in listed))
    return Plan(
        orders=tuple(orders),
        places=tuple(places[number] for number in range(len(orders))),
        blocks=tuple(_cut(listed, list(sources.values()), number)),
        processes=number,
    )


def _useful_processes(lane_days: int) -> int:
    """One process per core, as long as each has enough days to pay for its start."""
    return max(1, min(n_cores(), lane_days // _LANE_DAYS_OF_A_PROCESS))


def _shared_facts(study: Study) -> bytes:
    """What the worlds of one block share beside the patients' side: laws of durations, and facts on tasks."""
    rows = [(name, t.kind, t.group, study.value(f"task.{name}.cv")) for name, t in study.tasks.items()]
    return fingerprint(sorted(rows))


def _cut(
    groups: Sequence[_Group], sources: Sequence[tuple[Pyramid, PopulationTables]], processes: int
) -> list[BlockPlan]:
    """Blocks of about equal load, none larger than lanes and memory allow, each of one patients' side."""
    most = memory_bytes() * _SHARE_OF_MEMORY / processes / PATIENT_BYTES
    days = np.array([len(group.side.calendar) for group in groups])
    totals = np.array([group.patients().sum() for group in groups])
    shares = processes * totals * days / (totals * days).sum()
    blocks: list[BlockPlan] = []
    for at, (group, total, share) in enumerate(zip(groups, totals, shares, strict=True)):
        load = group.patients()
        rounds = np.ceil(max(group.lanes() / MOST_LANES, total / most) / max(1, share))
        n_parts = min(len(load), max(1, round(share * rounds)))
        middle = np.cumsum(load) - load / 2
        ends = np.searchsorted(middle, load.sum() * np.arange(1, n_parts) / n_parts)
        for part in np.split(np.arange(len(load)), ends):
            blocks += [group.block(at, cells, sources) for cells in group.dense(part.tolist())]
    return blocks
