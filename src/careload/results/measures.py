"""Causal grades, and the totals of one world that its measures are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from careload.day.accounts import Account
from careload.inputs.study import Study
from careload.patients.tables import calendar_of
from careload.simulate import Run
from careload.ticks import MINUTE

__all__ = [
    "GRADES",
    "HOUR",
    "WORKED",
    "Grade",
    "Values",
    "WorldTotals",
    "delegates",
    "ratio",
    "world_totals",
    "worst_grade",
]

Grade: TypeAlias = Literal["A", "B", "C", "D"]
Values: TypeAlias = NDArray[np.float64]

GRADES: Final = {
    "A": "book-keeping",
    "B": "queueing given demand",
    "C": "a published effect carried over",
    "D": "assumed size",
}
"""Causal grades; a result takes the worst grade in its chain."""

WORKED: Final = (Account.GP_SERVICE, Account.GP_MEETING, Account.GP_DESK)
"""Parts of GP time worked."""

HOUR: Final = 60 * MINUTE
"""Ticks in one hour."""


@dataclass(frozen=True, eq=False)
class WorldTotals:
    """What one world counted inside the window; C cells.

    Attributes
    ----------
    totals : ndarray of int64, shape (accounts, C)
        Ticks or counts.
    direct : ndarray of int64, shape (C,)
        GP time on visits and acts, travel in, ticks.
    list_size : ndarray of int64, shape (C,)
        Listed patients.
    gps : int
        GPs of the baseline, persons.
    weeks, years : float
        Working weeks and years measured.
    roles : tuple of str
        Names of the other roles of the run, the least qualified first.
    present, worked : ndarray of int64, shape (roles, C)
        Paid presence and work of each of them, ticks.
    access : ndarray of int64, shape (3, days, C)
        Own requests that were seen, by true urgency and open days from call to contact.
    persons : ndarray of float, shape (person counts, C), optional
        Rows of `careload.results.persons.PERSON_COUNTS`.
    """

    totals: NDArray[np.int64]
    direct: NDArray[np.int64]
    list_size: NDArray[np.int64]
    gps: int
    weeks: float
    years: float
    roles: tuple[str, ...]
    present: NDArray[np.int64]
    worked: NDArray[np.int64]
    access: NDArray[np.int64]
    persons: Values | None = None

    def count(self, *accounts: Account) -> NDArray[np.int64]:
        """Ticks or counts, summed over accounts."""
        summed: NDArray[np.int64] = self.totals[list(accounts)].sum(0)
        return summed

    def hours(self, *accounts: Account) -> Values:
        """Hours per working week per GP of the baseline."""
        return self.practice_hours(*accounts) / self.gps

    def practice_hours(self, *accounts: Account) -> Values:
        """Hours per working week of the practice."""
        return self.count(*accounts) / (HOUR * self.weeks)

    def per_week(self, *accounts: Account) -> Values:
        """Count per working week per GP of the baseline."""
        return self.count(*accounts) / (self.weeks * self.gps)

    def per_1000(self, *accounts: Account) -> Values:
        """Count per 1,000 listed patients a year."""
        return 1000 * self.count(*accounts) / (self.list_size * self.years)


def ratio(above: NDArray[np.int64], below: NDArray[np.int64], times: float = 1.0) -> Values:
    """`times * above / below`, not a number where `below` is zero."""
    some = below != 0
    return np.where(some, times * above / np.where(some, below, 1), np.nan)


def world_totals(run: Run, number: int, study: Study) -> WorldTotals:
    """Totals of world `number` in all cells of a run."""
    layout = run.layout
    persons = run.persons[:, number]
    others = list(layout.others)
    seen = [task for task, name in enumerate(layout.tasks) if study.tasks[name].kind in ("visit", "act")]
    return WorldTotals(
        totals=run.totals[:, number],
        direct=run.task_ticks[layout.gp, seen, number].sum(0),
        list_size=run.list_size,
        gps=int(run.heads[0, layout.gp]),
        weeks=run.window_weeks,
        years=run.window_days / calendar_of(study).year_days,
        roles=tuple(layout.roles[role] for role in others),
        present=run.present[others, number],
        worked=run.task_ticks[others, :, number].sum(1) + run.met[others, number],
        access=run.access[:, :, number],
        persons=None if np.isnan(persons).all() else persons,
    )


def delegates(study: Study) -> bool:
    """Whether somebody else than the GP takes work or answers the telephone in a world."""
    return bool(study.protocol.takers) or study.first_contact.answered_by in {*study.staff} - {"gp"}


def worst_grade(grades: Sequence[Grade]) -> Grade:
    """The worst of some grades."""
    return max(grades)
