"""What a finished run says: measures of every world, and released time against the baseline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from careload.day.accounts import Account
from careload.inputs.study import Scenario, Study
from careload.results.estimate import Estimate, mean_interval, variance_factor
from careload.results.ledger import Ledger
from careload.results.levels import level_grade, levels_of
from careload.results.measures import HOUR, WORKED, Grade, Values, WorldTotals, delegates, world_totals
from careload.results.spread import InputSpread
from careload.simulate import Run

__all__ = [
    "GROUP_LABELS",
    "LEDGER_PARTS",
    "PATH_LIMIT",
    "Contrast",
    "Findings",
    "LedgerPart",
    "UnbalancedBooksError",
    "World",
    "check_books",
    "check_ledger",
    "find",
    "ledger_hours",
]

PATH_LIMIT: Final = 0.05
"""Share of GP time decided by path divergence above which a result says so."""

GROUP_LABELS: Final = {
    "first_contact": "first contact",
    "technical": "technical acts",
    "chronic": "chronic disease",
    "palliative": "palliative care",
    "home_complex": "home and complex care",
    "population": "population health",
    "admin": "administration",
    "social": "social work",
}
"""Task groups whose label is not their name."""

_HOURS: Final = "h/week per GP"
_OVERHEAD: Final = (Account.SUPERVISION, Account.HAND_BACK, Account.HAND_OVER, Account.GP_MEETING)
_PARTS_OF_WORK: Final = (Account.DEFAULT_ALL, *_OVERHEAD, Account.EXCESS)
_IDLE: Final = (Account.GP_USABLE, Account.GP_CRUMBS, Account.GP_REST)


@dataclass(frozen=True)
class LedgerPart:
    """A part of the ledger: attribute of `Ledger`, label in tables, and what it is."""

    name: str
    label: str
    description: str


LEDGER_PARTS: Final[tuple[LedgerPart, ...]] = (
    LedgerPart("moved", "moved to another role", "X: done by the GP in the baseline, by another role here."),
    LedgerPart("ended", "no longer needed", "D: done by the GP in the baseline, not needed here."),
    LedgerPart("induced", "brought by the change", "I: GP time on contacts that the change itself brings."),
    LedgerPart(
        "supervision", "supervision", "GP time to sign off delegated episodes, more than in the baseline."
    ),
    LedgerPart("hand_back", "hand-backs", "GP time on episodes handed back, more than in the baseline."),
    LedgerPart("hand_over", "hand-over", "GP time to hand over, more than in the baseline."),
    LedgerPart("meeting", "meetings", "GP time in meetings, more than in the baseline."),
    LedgerPart("released", "released", "R: moved and no longer needed, less what the change costs the GP."),
    LedgerPart(
        "reinvested", "reinvested", "V: new and taken over, less saved on contacts kept and abandoned."
    ),
    LedgerPart(
        "new",
        "requests met that were unmet or not made",
        "N: met by the GP here; unmet in the baseline, or not made, as waits move how often patients ask.",
    ),
    LedgerPart("taken", "taken over by the GP", "Y: another role or nobody in the baseline, the GP here."),
    LedgerPart("kept", "saved on contacts kept", "K: contacts of the GP in both worlds, shorter here."),
    LedgerPart(
        "abandoned",
        "requests unmet or no longer made",
        "A: done by the GP in the baseline; given up, displaced or not made here.",
    ),
    LedgerPart("home", "taken home", "Presence of the GP in the baseline less here."),
    LedgerPart("home_session", "in sessions", "Part of it inside sessions."),
    LedgerPart("home_after_closing", "after closing", "Part of it after the last session."),
    LedgerPart("home_evening", "evening desk", "Part of it at the desk in the evening."),
    LedgerPart("usable", "usable gaps", "Idle pieces long enough to be used, more than in the baseline."),
    LedgerPart("crumbs", "crumbs", "Shorter idle pieces and breaks, more than in the baseline."),
    LedgerPart("fewer_minutes", "fewer minutes worked", "GP time worked in the baseline less here: R - V."),
)
"""Parts of a contrast, in the signs of docs/estimands.md; released = reinvested + home + usable + crumbs."""


class UnbalancedBooksError(RuntimeError):
    """The books of a finished run do not balance: a defect of the program, never of the user's input."""


@dataclass(frozen=True, eq=False)
class World:
    """One world of a run: its name and study, what it counted, and its measures by name."""

    name: str
    study: Study
    totals: WorldTotals
    levels: Mapping[str, Estimate]


@dataclass(frozen=True, eq=False)
class Contrast:
    """A world against the baseline.

    Attributes
    ----------
    world, against : str
        Names.
    ledger : Ledger
    parts : mapping of str to Estimate
        Parts of the ledger by name, in hours per working week per GP of the baseline.
    groups : mapping of str to Estimate
        Moved and no longer needed by task group.
    differences : mapping of str to Estimate
        Measures of the world less those of the baseline, paired.
    checks : mapping of str to Estimate
        Released time in other units, shares matched and decided by path, variance factors.
    """

    world: str
    against: str
    ledger: Ledger
    parts: Mapping[str, Estimate]
    groups: Mapping[str, Estimate]
    differences: Mapping[str, Estimate]
    checks: Mapping[str, Estimate]

    @property
    def decided_by_path(self) -> bool:
        """Whether path divergence decides the class of more GP time than `PATH_LIMIT`."""
        return self.checks["path_share"].value > PATH_LIMIT

    @property
    def works_more(self) -> bool:
        """Whether time is released and the GP works more all the same, both beyond chance."""
        return self.parts["released"].low > 0 and self.parts["fewer_minutes"].high < 0


@dataclass(frozen=True, eq=False)
class Findings:
    """All that a finished run says; the baseline is the first world.

    Attributes
    ----------
    run : Run
    worlds : tuple of World
    contrasts : tuple of Contrast
        Every other world against the baseline.
    scenario : Scenario or None
    spread : tuple of InputSpread
        What single inputs do to every contrast; empty where no spread was run.
    unread : tuple of str
        Inputs that were to be varied and that no world reads.
    """

    run: Run
    worlds: tuple[World, ...]
    contrasts: tuple[Contrast, ...]
    scenario: Scenario | None = None
    spread: tuple[InputSpread, ...] = ()
    unread: tuple[str, ...] = ()

    @property
    def baseline(self) -> World:
        """The first world."""
        return self.worlds[0]

    def world(self, name: str) -> World:
        """The world of a name."""
        return next(world for world in self.worlds if world.name == name)

    def estimates(self) -> Iterator[Estimate]:
        """Every number, named `world.measure`, or `world.measure.difference` against the baseline."""
        for contrast in self.contrasts:
            for family in (contrast.parts, contrast.groups, contrast.checks):
                yield from (_named(contrast.world, one) for one in family.values())
        for world in self.worlds:
            yield from (_named(world.name, one) for one in world.levels.values())
        for contrast in self.contrasts:
            yield from (_named(contrast.world, one, ".difference") for one in contrast.differences.values())


def find(run: Run, worlds: Sequence[tuple[str, Study]], scenario: Scenario | None = None) -> Findings:
    """Check the books of a run and estimate all it says.

    Parameters
    ----------
    run : Run
    worlds : sequence of (str, Study)
        Names and studies in the order of the run, the baseline first.
    scenario : Scenario, optional

    Returns
    -------
    Findings

    Raises
    ------
    UnbalancedBooksError
        An identity of the books does not hold to the tick.
    """
    found = []
    for number, (name, study) in enumerate(worlds):
        totals = world_totals(run, number, study)
        check_books(name, totals)
        found.append(World(name, study, totals, _levels(totals, study, run.replications)))
    contrasts = tuple(
        _contrast(run, found[0], world, ledger) for world, ledger in zip(found[1:], run.ledgers, strict=True)
    )
    return Findings(run, tuple(found), contrasts, scenario)


def check_books(name: str, totals: WorldTotals) -> None:
    """Hold GP time worked against its parts, and presence against what fills it, cell by cell, in ticks.

    Raises
    ------
    UnbalancedBooksError
    """
    worked = totals.count(*WORKED)
    parts = totals.count(*_PARTS_OF_WORK) - totals.count(Account.DEFAULT_SHIFTED)
    _demand_zero(name, "GP time worked and its parts", worked - parts)
    filled = worked + totals.count(*_IDLE)
    _demand_zero(name, "presence of the GP and what fills it", totals.count(Account.GP_PRESENCE) - filled)


def check_ledger(name: str, ledger: Ledger) -> None:
    """Hold released time against its four destinations, cell by cell, in ticks.

    Raises
    ------
    UnbalancedBooksError
    """
    _demand_zero(name, "released GP time and its four destinations", ledger.residual)


def _demand_zero(world: str, what: str, rest: NDArray[np.int64]) -> None:
    wrong = np.flatnonzero(rest)
    if len(wrong):
        raise UnbalancedBooksError(
            f"world {world}: {what} differ in {len(wrong)} of {len(rest)} replications, by {rest[wrong[0]]} "
            f"ticks in number {wrong[0]}; a defect of careload: please report it with command and seed"
        )


def ledger_hours(ledger: Ledger, name: str, totals: WorldTotals) -> Values:
    """A part of the ledger in hours per working week per GP of the baseline, shape (C,)."""
    ticks: NDArray[np.int64] = getattr(ledger, name)
    return ticks / (HOUR * totals.weeks * totals.gps)


def _levels(totals: WorldTotals, study: Study, replications: int) -> dict[str, Estimate]:
    return {
        level.name: Estimate(
            level.name,
            level.label,
            *mean_interval(level.of(totals)[:replications]),
            level.unit,
            level_grade(level, [study]),
            level.description,
            level.decimals,
        )
        for level in levels_of(totals)
    }


def _contrast(run: Run, before: World, after: World, ledger: Ledger) -> Contrast:
    check_ledger(after.name, ledger)
    n, studies = run.replications, (before.study, after.study)
    grade: Grade = "D" if any(map(delegates, studies)) else "B"

    def hours(
        name: str, label: str, values: Values, note: str, unit: str = _HOURS, decimals: int = 2
    ) -> Estimate:
        return Estimate(name, label, *mean_interval(values[:n]), unit, grade, note, decimals)

    totals = after.totals
    released = ledger_hours(ledger, "released", totals)
    group_hours = ledger.released_by_group / (HOUR * totals.weeks * totals.gps)
    others = (
        hours(
            "released_practice", "released, practice", released * totals.gps, "R of the practice.", "h/week"
        ),
        hours(
            "released_per_1000",
            "released, per 1,000 patients",
            1000 * released * totals.gps / totals.list_size,
            "R per 1,000 listed patients.",
            "h/week per 1,000 patients",
        ),
        hours(
            "matched_share",
            "matched GP time",
            _matched_share(totals),
            "GP time here on work matched by identity: all but overhead and induced work.",
            "share",
            3,
        ),
        hours(
            "path_share",
            "GP time decided by path",
            ledger.path_share,
            "GP time in instances whose class path divergence decides: abandoned or new.",
            "share",
            3,
        ),
    )
    factors = _variance_factors(before.totals, totals, n)
    return Contrast(
        world=after.name,
        against=before.name,
        ledger=ledger,
        parts={
            part.name: hours(part.name, part.label, ledger_hours(ledger, part.name, totals), part.description)
            for part in LEDGER_PARTS
        },
        groups={
            group: hours(f"moved.{group}", GROUP_LABELS.get(group, group), values, "X and D of a task group.")
            for group, values in zip(sorted(set(run.layout.groups)), group_hours, strict=True)
        },
        differences=_differences(before, after, n),
        checks={one.quantity: one for one in (*others, *factors)},
    )


def _matched_share(totals: WorldTotals) -> Values:
    own = totals.count(*_OVERHEAD, Account.INDUCED)
    return 1 - own / np.maximum(1, totals.count(*WORKED))


def _differences(before: World, after: World, replications: int) -> dict[str, Estimate]:
    """Measures of a world less those of the baseline, paired by replication."""
    studies = (before.study, after.study)
    return {
        level.name: Estimate(
            level.name,
            level.label,
            *mean_interval((level.of(after.totals) - level.of(before.totals))[:replications]),
            level.unit,
            level_grade(level, studies),
            f"{after.name} less {before.name}. {level.description}",
            level.decimals,
        )
        for level in levels_of(after.totals)
    }


def _variance_factors(before: WorldTotals, after: WorldTotals, replications: int) -> list[Estimate]:
    """Variance factors over the replications that share one list of people; none without such."""
    if len(before.count(Account.GP_PRESENCE)) == replications:
        return []
    rows = (
        ("variance_factor_worked", "variance factor, GP time worked", WORKED),
        ("variance_factor_home", "variance factor, taken home", (Account.GP_PRESENCE,)),
    )
    return [
        Estimate(
            name,
            label,
            *variance_factor(before.count(*accounts)[replications:], after.count(*accounts)[replications:]),
            "ratio",
            "A",
            "Variance of a difference of independent runs over that of paired ones; one list of people.",
            1,
        )
        for name, label, accounts in rows
    ]


def _named(world: str, estimate: Estimate, ending: str = "") -> Estimate:
    return replace(estimate, quantity=f"{world}.{estimate.quantity}{ending}")
