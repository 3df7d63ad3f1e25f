"""Quantile tables agree with their laws in mean, variance and tail."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy import stats

from careload.draws import child, index16, name_key, root_key
from careload.quantiles import POINTS, SHIFT, Law, class_means, durations, round_to_sum, unit_table
from careload.ticks import MINUTE

UNIT = 1 << SHIFT
CASES = [
    (Law.LOGNORMAL, 0.1),
    (Law.LOGNORMAL, 0.5),
    (Law.LOGNORMAL, 1.0),
    (Law.LOGNORMAL, 2.0),
    (Law.GAMMA, 0.3),
    (Law.GAMMA, 0.877),
    (Law.GAMMA, 2.0),
    (Law.EXPONENTIAL, 1.0),
]
cases = pytest.mark.parametrize(("law", "cv"), CASES)
ALARM = 1e-6


def scipy_law(law: Law, cv: float) -> stats.rv_frozen:
    if law is Law.LOGNORMAL:
        sigma2 = np.log1p(cv**2)
        return stats.lognorm(np.sqrt(sigma2), scale=np.exp(-sigma2 / 2))
    return stats.gamma(1 / cv**2, scale=cv**2)


@cases
def test_mean_is_exact_and_entries_rise(law: Law, cv: float):
    table = unit_table(law, cv)
    assert table.shape == (POINTS,)
    assert table.dtype == np.int64
    assert int(table.sum()) == POINTS * UNIT
    assert (np.diff(table) >= 0).all()
    assert table[0] >= 0


@cases
def test_every_entry_lies_in_its_class(law: Law, cv: float):
    edges = scipy_law(law, cv).ppf(np.arange(POINTS + 1) / POINTS) * UNIT
    table = unit_table(law, cv)
    assert (table >= np.floor(edges[:-1] * (1 - 1e-9))).all()
    assert (table <= np.ceil(edges[1:] * (1 + 1e-9))).all()


@cases
def test_variance_loses_only_what_is_inside_classes(law: Law, cv: float):
    variance = float(((unit_table(law, cv) / UNIT - 1) ** 2).mean())
    assert variance <= cv**2 * (1 + 1e-6)
    assert variance == pytest.approx(cv**2, rel=1e-3 if cv <= 1 else 1e-2)


@cases
@pytest.mark.parametrize("share", [0.5, 0.1, 0.01, 0.001, 1 / POINTS])
def test_tail_mean(law: Law, cv: float, share: float):
    n = max(1, round(share * POINTS))
    reference = scipy_law(law, cv)
    beyond = reference.expect(lb=reference.isf(n / POINTS)) * POINTS / n
    assert float(unit_table(law, cv)[-n:].mean()) / UNIT == pytest.approx(beyond, rel=1e-5)


@cases
def test_draws_by_table_follow_the_law(law: Law, cv: float):
    """Two comparisons per law at ALARM; 20,000 draws do not see classes of 1/65,536.

    Values are compared above 1e-4 of the mean, a hundred units of the table; those below by number.
    """
    index = index16(child(root_key(21), np.arange(20_000)), name_key("duration"))
    drawn, reference, least = unit_table(law, cv)[index] / UNIT, scipy_law(law, cv), 1e-4
    above, below = drawn[drawn > least], float(reference.cdf(least))
    assert (
        stats.kstest(above, lambda x: (reference.cdf(x) - below) / (1 - below), method="asymp").pvalue > ALARM
    )
    assert stats.binomtest(drawn.size - above.size, drawn.size, below).pvalue > ALARM


def test_constant_and_no_spread():
    for law, cv in ((Law.CONSTANT, 0.0), (Law.LOGNORMAL, 0.0), (Law.GAMMA, 0.0)):
        assert (unit_table(law, cv) == UNIT).all()


def test_exponential_is_the_gamma_law_of_cv_one():
    assert np.array_equal(unit_table(Law.EXPONENTIAL, 1.0), unit_table(Law.GAMMA, 1.0))


def test_tables_are_shared_and_cannot_be_written():
    table = unit_table(Law.LOGNORMAL, 0.5)
    assert unit_table(Law.LOGNORMAL, 0.5) is table
    with pytest.raises(ValueError, match="read-only"):
        table[0] = 1


@pytest.mark.parametrize(
    ("law", "cv", "word"),
    [
        (Law.LOGNORMAL, -0.1, "0 to 4"),
        (Law.LOGNORMAL, 5.0, "0 to 4"),
        (Law.GAMMA, float("nan"), "0 to 4"),
        (Law.EXPONENTIAL, 0.5, "exponential"),
        (Law.CONSTANT, 0.5, "constant"),
    ],
)
def test_what_a_law_cannot_be_is_refused(law: Law, cv: float, word: str):
    with pytest.raises(ValueError, match=word):
        unit_table(law, cv)


def test_class_means_of_few_classes():
    means = class_means(Law.GAMMA, 1.3**-0.5, 16)
    assert means.mean() == 1.0
    reference = stats.gamma(1.3, scale=1 / 1.3)
    edges = reference.ppf(np.arange(17) / 16)
    expected = [16 * reference.expect(lb=a, ub=b) for a, b in pairwise(edges)]
    assert means == pytest.approx(expected, abs=1e-5)
    with pytest.raises(ValueError, match="n_classes"):
        class_means(Law.GAMMA, 1.0, 0)


def test_durations_by_hand():
    table = unit_table(Law.LOGNORMAL, 0.5)
    index = np.array([0, 30_000, 65_535])
    for mean in (0, 1, 7, 15 * MINUTE, 480 * MINUTE):
        expected = [max(1, (int(table[i]) * mean + UNIT // 2) >> SHIFT) for i in index]
        assert durations(table, index, mean).tolist() == expected


def test_durations_take_a_mean_per_task():
    table = unit_table(Law.GAMMA, 0.877)
    index = index16(child(root_key(22), np.arange(300)), name_key("duration")).reshape(3, 100)
    means = np.array([[2], [15], [45]]) * MINUTE
    together = durations(table, index, means)
    for row in range(3):
        assert np.array_equal(together[row], durations(table, index[row], int(means[row, 0])))
    assert together.dtype == np.int64
    assert (together >= 1).all()


@cases
def test_mean_duration_is_the_mean(law: Law, cv: float):
    """Rounding to ticks moves the mean over all entries by less than half a tick."""
    mean = 15 * MINUTE
    assert durations(unit_table(law, cv), np.arange(POINTS), mean).mean() == pytest.approx(mean, abs=0.5)


def test_round_to_sum():
    values = np.array([0.25, 0.5, 0.5, 1.75])
    assert round_to_sum(values, 3).tolist() == [0, 0, 1, 2]
    assert round_to_sum(np.array([2.0, 3.0]), 5).tolist() == [2, 3]
