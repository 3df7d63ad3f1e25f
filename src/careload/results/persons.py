"""How the contacts of GPs fall on persons: what published statistics count by person, age and entitlement."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from careload.day.block import Block, State
from careload.day.closing import count_contacts

__all__ = ["PERSON_COUNTS", "count_persons"]

PERSON_COUNTS: Final = (
    "zero_contact_men",
    "zero_contact_women",
    "home_visits_under_65",
    "home_visits_65_79",
    "home_visits_80_plus",
    "bim_gap_45_74",
    "bim_contacts_75_plus",
    "share_below_three_contacts",
)
"""Rows of `count_persons`: shares of persons, home visits per 1,000 persons, contacts per user."""

_FEW: Final = 3


def count_persons(block: Block, state: State) -> NDArray[np.float64]:
    """Statistics of persons over the window, by world and cell.

    Returns
    -------
    ndarray of float, shape (len(PERSON_COUNTS), S, C)
        Not a number where a group is empty, or where the window is not a year.
    """
    shape = (len(PERSON_COUNTS), block.n_scenarios, block.n_cells)
    found = np.full(shape, np.nan)
    if int(block.calendar.in_window.sum()) != block.calendar.year_days:
        return found
    contacts, visits = state.closed.contacts.copy(), state.closed.home_visits.copy()
    count_contacts(block, state, np.arange(state.register.n_requests), contacts, visits)
    for scenario in range(block.n_scenarios):
        found[:, scenario] = _statistics(block, contacts[scenario], visits[scenario])
    return found


def _statistics(block: Block, contacts: NDArray[np.int64], visits: NDArray[np.int64]) -> NDArray[np.float64]:
    """Rows of `PERSON_COUNTS` by cell, from contacts and home visits of each person."""
    people = block.people
    cell = np.repeat(np.arange(block.n_cells), np.diff(people.offset))

    def mean(amount: NDArray[np.int64] | NDArray[np.bool_], group: NDArray[np.bool_]) -> NDArray[np.float64]:
        size = np.bincount(cell[group], minlength=block.n_cells)
        total = np.bincount(cell[group], amount[group], minlength=block.n_cells)
        return np.where(size > 0, total / np.maximum(1, size), np.nan)

    user, middle, old = contacts > 0, (people.age >= 45) & (people.age < 75), people.age >= 75
    none = ~user
    bands = (people.age < 65, (people.age >= 65) & (people.age < 80), people.age >= 80)
    return np.stack(
        (
            mean(none, ~people.woman),
            mean(none, people.woman),
            *(1000 * mean(visits, band) for band in bands),
            mean(contacts, user & middle & people.bim) - mean(contacts, user & middle & ~people.bim),
            mean(contacts, user & old & people.bim),
            mean(contacts < _FEW, np.ones(len(contacts), np.bool_)),
        )
    )
