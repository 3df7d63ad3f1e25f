"""Tables whose columns are put together at first use say what tables put together at once would say."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import pytest
from numpy.typing import NDArray

from careload.columns import Table, in_order, join, replace, settled, spread, take
from careload.day.accounts import Account, Accounts, Tally


@dataclass(frozen=True)
class Pair(Table):
    """Two columns."""

    number: NDArray[np.int64]
    square: NDArray[np.int64]


def pair(first: int, n: int) -> Pair:
    number = np.arange(first, first + n)
    return Pair(number=number, square=number**2)


def test_rows_and_joins_are_those_of_the_columns() -> None:
    """Any chain of takes, joins and replacements gives equally long columns that belong together."""
    one = join([take(pair(0, 10), np.arange(10) % 2 == 0), take(pair(20, 5), slice(1, 3)), pair(40, 1)])
    found = take(replace(one, number=one.number + 1), np.array([5, 0, 7, 7]))
    assert found.number.tolist() == [22, 1, 41, 41]
    assert found.square.tolist() == [441, 0, 1600, 1600]
    kept = settled(found)
    assert sorted(vars(kept)) == [field.name for field in fields(Pair)]
    assert kept.square.tolist() == found.square.tolist()


def test_a_column_is_made_once() -> None:
    """The second reader of a column gets the array of the first."""
    found = take(pair(0, 10), np.array([3, 4]))
    assert found.square is found.square
    with pytest.raises(AttributeError, match="cube"):
        _ = found.cube


def test_order_is_that_of_the_packed_key_then_of_the_tie() -> None:
    """Ties are put in the order of what breaks them, however many there are."""
    draws = np.random.default_rng(1)
    first = draws.integers(0, 40, 500)
    tie = draws.permutation(500).astype(np.uint64)
    assert np.array_equal(in_order(first, lambda rows: tie[rows]), np.lexsort((tie, first)))
    distinct = draws.permutation(50)
    assert np.array_equal(in_order(distinct, lambda rows: tie[rows]), np.argsort(distinct))


def test_groups_are_spread() -> None:
    """Groups may be empty; elements are numbered within theirs."""
    group, number = spread(np.array([2, 0, 3]))
    assert group.tolist() == [0, 0, 2, 2, 2]
    assert number.tolist() == [0, 1, 0, 1, 2]


def test_kinds_are_tallied_for_the_accounts_that_take_them() -> None:
    """An account gets the rows of all its kinds, lane by lane, as a count or as a sum, with either sign."""
    accounts = Accounts(3, 1, 1, 0, 3)
    kind, lane, amount = np.array([0, 1, 1, 2, 2]), np.array([0, 0, 1, 2, 2]), np.array([5, 7, 11, 13, 17])
    starts = Tally(np.array([Account.SERVED, Account.OFFICE]), np.array([[0, 1, 1, 0], [0, 0, 0, 1]]))
    times = Tally(np.array([Account.GP_SERVICE, Account.EXCESS]), np.array([[1, 0, 1], [0, -1, 0]]))
    accounts.add(Account.GP_SERVICE, np.array([1]), np.array([2]))
    for _ in range(2):
        accounts.tally(starts, kind * 3 + lane)
        accounts.tally(times, kind * 3 + lane, amount)
    assert accounts.totals[Account.SERVED].tolist() == [2, 2, 4]
    assert not accounts.totals[Account.OFFICE].any()
    assert accounts.totals[Account.GP_SERVICE].tolist() == [10, 2, 60]
    assert accounts.totals[Account.EXCESS].tolist() == [-14, -22, 0]
