"""Patients follow their quotas exactly and their shares by hash, and each depends on her own key only."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special

from careload.draws import child, root_key
from careload.inputs.faults import Faults
from careload.patients.population import (
    BAND_FROM,
    CARDIOMETABOLIC,
    CONDITIONS,
    Population,
    PopulationTables,
    band_counts,
    band_of,
    correlation_matrix,
    heterogeneity_classes,
    quotas,
    read_pyramid,
    sample,
)
from careload.patients.pyramid import Pyramid

ALARM = 1e-6
NATIONAL = Path(__file__).parents[2] / "conf" / "population" / "data" / "belgium_population_2025.csv"
TOTALS = {
    "hypertension": 0.160,
    "diabetes": 0.061,
    "copd": 0.024,
    "asthma": 0.021,
    "cvd": 0.062,
    "ckd": 0.037,
    "depression": 0.059,
}


def bands(*values: float) -> NDArray[np.float64]:
    return np.array(values, dtype=np.float64)


@pytest.fixture(scope="module")
def tables() -> PopulationTables:
    return PopulationTables(
        bim_share=bands(0.22, 0.22, 0.16, 0.16, 0.20, 0.32, 0.38),
        frail_share=bands(0, 0, 0, 0, 0.14, 0.28, 0.45),
        nursing_home_share=bands(0, 0, 0, 0.0017, 0.009, 0.059, 0.18),
        prevalence=np.stack(
            (
                bands(0, 0, 0.02, 0.20, 0.42, 0.55, 0.55),
                bands(0, 0.003, 0.012, 0.08, 0.16, 0.19, 0.17),
                bands(0, 0, 0.003, 0.03, 0.07, 0.08, 0.07),
                bands(0.02, 0.03, 0.02, 0.02, 0.02, 0.015, 0.01),
                bands(0, 0, 0.004, 0.05, 0.15, 0.28, 0.38),
                bands(0, 0, 0.003, 0.02, 0.08, 0.18, 0.30),
                bands(0, 0.01, 0.06, 0.09, 0.07, 0.07, 0.07),
            )
        ),
        correlation=correlation_matrix(0.25, 0.45),
        heterogeneity_shape=1.3,
        heterogeneity_classes=16,
        heterogeneity_top=4.0,
        accepts_nurse=bands(0.85, 0.85, 0.85, 0.85, 0.85, 0.75, 0.75),
        accepts_second_trip=0.70,
        continuity_days=3.0,
        continuity_ratio=1.5,
    )


@pytest.fixture(scope="module")
def pyramid() -> Pyramid:
    return read_pyramid(NATIONAL)


@pytest.fixture(scope="module")
def people(pyramid: Pyramid, tables: PopulationTables) -> Population:
    """200,000 persons in 100 lists of 2,000."""
    return sample(pyramid, tables, np.full(100, 2000), child(root_key(31), np.arange(100)))


def share_p(hits: NDArray[np.bool_], share: float) -> float:
    """Two-sided p-value of a number of hits under a share."""
    n, k = hits.size, int(hits.sum())
    if share in (0.0, 1.0):
        return float(k == n * share)
    above = float(special.bdtrc(k - 1, n, share)) if k else 1.0
    return min(1.0, 2 * min(above, float(special.bdtr(k, n, share))))


def of(people: Population, condition: str) -> NDArray[np.bool_]:
    return (people.conditions >> CONDITIONS.index(condition) & 1).astype(np.bool_)


def columns(people: Population) -> dict[str, NDArray[np.generic]]:
    return {field.name: getattr(people, field.name) for field in fields(people) if field.name != "offset"}


@pytest.mark.parametrize("size", [1, 7, 42, 1199, 1200, 2000, 11_836_636])
def test_quotas_are_the_largest_remainders(pyramid: Pyramid, size: int):
    (counts,) = quotas(pyramid, np.array([size]))
    persons = np.stack((pyramid.men, pyramid.women), axis=1).reshape(-1)
    total = int(persons.sum())
    exact = [divmod(size * int(n), total) for n in persons]
    missing = size - sum(whole for whole, _ in exact)
    first = sorted(range(len(exact)), key=lambda i: (-exact[i][1], i))[:missing]
    assert counts.tolist() == [whole + (i in first) for i, (whole, _) in enumerate(exact)]
    assert counts.sum() == size


def test_equal_remainders_go_to_the_earlier_group():
    pyramid = Pyramid(np.array([0, 5]), (5, None), np.array([1, 1]), np.array([1, 1]), "X", "x")
    sizes = np.array([3, 0, 6, 3])
    assert quotas(pyramid, sizes).tolist() == [[1, 1, 1, 0], [0, 0, 0, 0], [2, 2, 1, 1], [1, 1, 1, 0]]


def test_people_stand_by_age_group_and_sex_as_the_quotas_say(people: Population, pyramid: Pyramid):
    counts = quotas(pyramid, np.array([2000]))[0].reshape(-1, 2)
    for cell in (0, 57, 99):
        rows = slice(people.offset[cell], people.offset[cell + 1])
        group = np.searchsorted(pyramid.age_from, people.age[rows], side="right") - 1
        place = 2 * group + people.woman[rows]
        assert (np.diff(place) >= 0).all()
        assert np.array_equal(np.bincount(place, minlength=counts.size), counts.reshape(-1))
    assert people.offset.tolist() == list(range(0, 202_000, 2000))


def test_bands_follow_age(people: Population):
    starts = np.array(BAND_FROM)
    assert np.array_equal(people.band, np.searchsorted(starts, people.age, side="right") - 1)
    ages = np.array([0, 4, 5, 17, 18, 44, 45, 64, 65, 74, 75, 84, 85, 120])
    assert band_of(ages).tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6]


def test_ages_are_even_within_a_group(people: Population):
    """One comparison for each of 20 groups at ALARM."""
    for first in range(0, 100, 5):
        inside = people.age[(people.age >= first) & (people.age < first + 5)] - first
        counts = np.bincount(inside, minlength=5)
        statistic = float(((counts - inside.size / 5) ** 2).sum() * 5 / inside.size)
        assert special.chdtrc(4, statistic) > ALARM


def test_shares_by_band(people: Population, tables: PopulationTables):
    """About 90 comparisons, each at ALARM: false alarm below one in ten thousand."""
    for band in range(7):
        inside = people.band == band
        frail = max(tables.frail_share[band], tables.nursing_home_share[band])
        assert share_p(people.bim[inside], tables.bim_share[band]) > ALARM
        assert share_p(people.frail[inside], frail) > ALARM
        assert share_p(people.nursing_home[inside], tables.nursing_home_share[band]) > ALARM
        assert share_p(people.accepts_nurse[inside], tables.accepts_nurse[band]) > ALARM
        assert share_p(people.accepts_second_trip[inside], tables.accepts_second_trip) > ALARM
        for i, condition in enumerate(CONDITIONS):
            assert share_p(of(people, condition)[inside], tables.prevalence[i, band]) > ALARM


def test_everyone_in_a_nursing_home_is_frail(people: Population):
    assert people.nursing_home.any()
    assert people.frail[people.nursing_home].all()
    assert not people.frail[people.age < 45].any()


def test_national_totals(pyramid: Pyramid, tables: PopulationTables, people: Population):
    weights = band_counts(pyramid).sum(axis=1)
    weights /= weights.sum()
    for i, (condition, total) in enumerate(TOTALS.items()):
        assert CONDITIONS[i] == condition
        assert float(tables.prevalence[i] @ weights) == pytest.approx(total, abs=5e-4)
        assert float(of(people, condition).mean()) == pytest.approx(total, abs=5e-3)
    old = people.age >= 65
    assert float(people.frail[old].mean()) == pytest.approx(0.228, abs=0.01)
    assert float(people.nursing_home.mean()) == pytest.approx(0.011, abs=0.001)
    assert float(people.bim.mean()) == pytest.approx(0.19, abs=0.01)


def test_band_counts_keep_everyone(pyramid: Pyramid):
    counts = band_counts(pyramid)
    assert counts.sum(axis=0) == pytest.approx([pyramid.men.sum(), pyramid.women.sum()])
    assert counts[0].tolist() == [333_422, 317_814]
    assert counts[1, 0] == pytest.approx(348_660 + 354_455 + 0.6 * 349_392)


def test_conditions_cluster_as_the_copula_says(people: Population, tables: PopulationTables):
    """Joint share of pairs at 75-84 against the bivariate normal law, six comparisons at ALARM."""
    from scipy.stats import multivariate_normal

    band = 5
    inside = people.band == band
    for one, two in (("hypertension", "diabetes"), ("cvd", "ckd"), ("hypertension", "cvd"),
                     ("copd", "cvd"), ("depression", "diabetes"), ("copd", "depression")):  # fmt: skip
        i, j = CONDITIONS.index(one), CONDITIONS.index(two)
        correlation = tables.correlation[i, j]
        assert correlation == (0.45 if {one, two} <= set(CARDIOMETABOLIC) else 0.25)
        cut = special.ndtri(tables.prevalence[[i, j], band])
        joint = float(multivariate_normal([0, 0], [[1, correlation], [correlation, 1]]).cdf(cut))
        assert share_p((of(people, one) & of(people, two))[inside], joint) > ALARM


def test_share_with_two_conditions(people: Population):
    """About .10 of all ages and clearly more than independence within bands would give."""
    n_conditions = np.unpackbits(people.conditions[:, None], axis=1).sum(axis=1)
    share = float((n_conditions >= 2).mean())
    assert 0.09 < share < 0.12
    independent = 1.0
    for band in range(7):
        inside = people.band == band
        p = [float(of(people, condition)[inside].mean()) for condition in CONDITIONS]
        none = np.prod([1 - q for q in p])
        one = sum(q * none / (1 - q) for q in p)
        independent -= float(inside.mean() * (none + one))
    assert share > independent + 0.01


def test_correlations_that_cannot_be_are_refused():
    matrix = correlation_matrix(0.25, 0.45)
    assert np.array_equal(matrix, matrix.T)
    assert (np.diag(matrix) == 1).all()
    for pair in ((-0.5, -0.5), (0.95, 0.0), (1.0, 1.0)):
        with pytest.raises(Faults, match=r"condition\.correlation"):
            correlation_matrix(*pair)


def test_heterogeneity_has_mean_one_and_sixteen_equal_classes(people: Population):
    classes = heterogeneity_classes(1.3, 16, 4.0)
    assert classes.mean() == 1.0
    assert classes.max() == pytest.approx(3.367, abs=1e-3)
    values, counts = np.unique(people.heterogeneity, return_counts=True)
    assert np.array_equal(values, classes)
    expected = people.heterogeneity.size / 16
    assert special.chdtrc(15, float(((counts - expected) ** 2 / expected).sum())) > ALARM


@pytest.mark.parametrize("shape", [0.4, 0.9, 1.3, 2.5])
@pytest.mark.parametrize("top", [1.0, 1.0001, 1.5, 3.0, 4.0, 100.0])
def test_heterogeneity_is_bounded(shape: float, top: float):
    classes = heterogeneity_classes(shape, 16, top)
    assert classes.sum() == 16.0
    assert classes.max() <= top
    assert (np.diff(classes) >= 0).all()
    assert classes.min() >= 0
    if top == 100.0:
        assert classes.max() > 2


def test_a_top_below_the_mean_is_refused():
    with pytest.raises(ValueError, match="top"):
        heterogeneity_classes(1.3, 16, 0.9)


def test_continuity_days_are_exponential(people: Population):
    """Two comparisons of a mean at ALARM."""
    longer = (people.age >= 65) | (people.conditions > 0)
    for chosen, mean in ((longer, 4.5), (~longer, 3.0)):
        days = people.continuity_days[chosen]
        z = (days.mean() / mean - 1) * np.sqrt(days.size)
        assert 2 * special.ndtr(-abs(z)) > ALARM
        assert days.min() > 0


def test_attributes_of_one_person_are_independent(people: Population):
    """Pairs of attributes with no link in the model, six comparisons at ALARM, within one band and sex."""
    inside = (people.band == 5) & people.woman
    high = people.heterogeneity > 1
    for one, two in ((people.bim, people.frail), (people.bim, high), (people.frail, high),
                     (people.accepts_nurse, people.accepts_second_trip), (people.accepts_nurse, people.frail),
                     (of(people, "hypertension"), people.frail)):  # fmt: skip
        a, b = one[inside], two[inside]
        z = np.corrcoef(a, b)[0, 1] * np.sqrt(a.size)
        assert 2 * special.ndtr(-abs(z)) > ALARM


def test_a_cell_alone_equals_the_cell_in_a_block(pyramid: Pyramid, tables: PopulationTables):
    sizes, keys = np.array([1200, 800, 0, 2500, 1200]), child(root_key(32), np.arange(5))
    together = sample(pyramid, tables, sizes, keys)
    for cell in range(5):
        alone = sample(pyramid, tables, sizes[cell : cell + 1], keys[cell : cell + 1])
        rows = slice(together.offset[cell], together.offset[cell + 1])
        for name, column in columns(together).items():
            assert np.array_equal(column[rows], columns(alone)[name]), name


def test_changing_one_key_changes_only_her(
    pyramid: Pyramid, tables: PopulationTables, monkeypatch: pytest.MonkeyPatch
):
    from careload.patients import population

    keys = child(root_key(33), np.arange(3))
    before = sample(pyramid, tables, np.full(3, 1000), keys)
    changed = 1234

    def other_child(key: NDArray[np.uint64], ordinal: NDArray[np.int64]) -> NDArray[np.uint64]:
        result = child(key, ordinal)
        result[changed] = child(root_key(99), 0)
        return result

    monkeypatch.setattr(population, "child", other_child)
    after = sample(pyramid, tables, np.full(3, 1000), keys)
    others = np.arange(3000) != changed
    for name, column in columns(before).items():
        assert np.array_equal(column[others], columns(after)[name][others]), name
    assert before.key[changed] != after.key[changed]
    assert before.continuity_days[changed] != after.continuity_days[changed]
    assert before.woman[changed] == after.woman[changed]


def test_blocks_do_not_show(pyramid: Pyramid, tables: PopulationTables, monkeypatch: pytest.MonkeyPatch):
    from careload.patients import population

    keys = child(root_key(34), np.arange(2))
    before = sample(pyramid, tables, np.full(2, 700), keys)
    monkeypatch.setattr(population, "_BLOCK", 37)
    after = sample(pyramid, tables, np.full(2, 700), keys)
    for name, column in columns(before).items():
        assert np.array_equal(column, columns(after)[name]), name


def test_a_changed_share_moves_nothing_else(pyramid: Pyramid, tables: PopulationTables, people: Population):
    """More frailty adds frail persons, takes nobody's frailty away and leaves every other column alone."""
    frailer = replace(tables, frail_share=tables.frail_share + 0.1)
    keys = child(root_key(31), np.arange(100))
    after = sample(pyramid, frailer, np.full(100, 2000), keys)
    assert (after.frail >= people.frail).all()
    assert after.frail.sum() > people.frail.sum()
    for name, column in columns(people).items():
        if name != "frail":
            assert np.array_equal(column, columns(after)[name]), name


def test_keys_are_children_of_the_people_key(people: Population):
    assert np.array_equal(people.key[4000:6000], child(child(root_key(31), 2), np.arange(2000)))
