"""Patients of every practice: age and sex by quota, everything else by hash of the patient's key.

Quotas are systematic because rates differ so much between persons that one free draw of a list of 1,200
would move its contacts and hours noticeably. Attributes are functions of the patient's key, age group and
sex alone: changing one patient changes only her.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from careload.draws import child, name_key, uniform
from careload.inputs.faults import Fault, Faults
from careload.patients.pyramid import OLDEST_BAND, Pyramid, read_pyramid
from careload.quantiles import SHIFT, Law, class_means, round_to_sum

__all__ = [
    "BAND_FROM",
    "CARDIOMETABOLIC",
    "CONDITIONS",
    "Population",
    "PopulationTables",
    "Pyramid",
    "band_counts",
    "band_of",
    "correlation_matrix",
    "heterogeneity_classes",
    "joined",
    "quotas",
    "read_pyramid",
    "sample",
]

BAND_FROM: Final = (0, 5, 18, 45, 65, 75, OLDEST_BAND)
"""First year of age of each of the seven care bands."""

CONDITIONS: Final = ("hypertension", "diabetes", "copd", "asthma", "cvd", "ckd", "depression")
"""Conditions in the order of their bits: condition i is bit 1 << i of `Population.conditions`."""

CARDIOMETABOLIC: Final = ("hypertension", "diabetes", "cvd", "ckd")
"""Conditions that share the higher correlation."""

_SENIOR_BAND: Final = BAND_FROM.index(65)
_BLOCK: Final = 1 << 16
_BAND_BY_AGE: Final = (np.searchsorted(BAND_FROM, np.arange(256), side="right") - 1).astype(np.int8)

_AGE: Final = name_key("population age")
_BIM: Final = name_key("population increased reimbursement")
_FRAIL: Final = name_key("population frailty")
_CONDITION: Final = tuple(name_key(f"population condition {name}") for name in CONDITIONS)
_HETEROGENEITY: Final = name_key("population heterogeneity")
_ACCEPTS_NURSE: Final = name_key("population accepts nurse")
_ACCEPTS_TRIP: Final = name_key("population accepts second trip")
_CONTINUITY: Final = name_key("population continuity")


@dataclass(frozen=True, eq=False)
class PopulationTables:
    """What attributes depend on, by the seven care bands of `BAND_FROM`.

    Parameters
    ----------
    bim_share : ndarray of float64, shape (7,)
        Share of persons with increased reimbursement.
    frail_share : ndarray of float64, shape (7,)
        Share of frail persons, nursing-home residents included.
    nursing_home_share : ndarray of float64, shape (7,)
        Share of nursing-home residents; all of them are frail.
    prevalence : ndarray of float64, shape (7 conditions, 7 bands)
        Share of persons with each of `CONDITIONS`.
    correlation : ndarray of float64, shape (7 conditions, 7 conditions)
        Correlation of the normal variables behind the conditions (`correlation_matrix`).
    heterogeneity_shape : float
        Shape of the gamma law of a person's rate relative to persons like her; its mean is 1.
    heterogeneity_classes : int
        Number of equally likely classes of that law.
    heterogeneity_top : float
        Largest class mean allowed.
    accepts_nurse : ndarray of float64, shape (7,)
        Share of persons who accept the nurse.
    accepts_second_trip : float
        Share of persons who accept to come back for an act.
    continuity_days : float
        Mean days a person would wait for the usual clinician, days.
    continuity_ratio : float
        Ratio of that mean for persons of 65 and over or with any condition.
    """

    bim_share: NDArray[np.float64]
    frail_share: NDArray[np.float64]
    nursing_home_share: NDArray[np.float64]
    prevalence: NDArray[np.float64]
    correlation: NDArray[np.float64]
    heterogeneity_shape: float
    heterogeneity_classes: int
    heterogeneity_top: float
    accepts_nurse: NDArray[np.float64]
    accepts_second_trip: float
    continuity_days: float
    continuity_ratio: float


@dataclass(frozen=True, eq=False)
class Population:
    """Patients of every cell (replication x practice); a cell is contiguous, by age group and sex.

    Parameters
    ----------
    offset : ndarray of int64, shape (C + 1,)
        Patients of cell c are rows offset[c] to offset[c + 1].
    age : ndarray of int16, shape (N,)
        Age, years.
    band : ndarray of int8, shape (N,)
        Care band, index into `BAND_FROM`.
    woman, bim, frail, nursing_home : ndarray of bool, shape (N,)
        Sex, increased reimbursement, frailty, residence.
    conditions : ndarray of uint8, shape (N,)
        Bit i is set for condition i of `CONDITIONS`.
    heterogeneity : ndarray of float64, shape (N,)
        Mean of the person's class of the heterogeneity law, ratio.
    accepts_nurse, accepts_second_trip : ndarray of bool, shape (N,)
        Standing preferences.
    continuity_days : ndarray of float64, shape (N,)
        Days the person would wait for the usual clinician.
    key : ndarray of uint64, shape (N,)
        Key of each person.
    """

    offset: NDArray[np.int64]
    age: NDArray[np.int16]
    band: NDArray[np.int8]
    woman: NDArray[np.bool_]
    bim: NDArray[np.bool_]
    frail: NDArray[np.bool_]
    nursing_home: NDArray[np.bool_]
    conditions: NDArray[np.uint8]
    heterogeneity: NDArray[np.float64]
    accepts_nurse: NDArray[np.bool_]
    accepts_second_trip: NDArray[np.bool_]
    continuity_days: NDArray[np.float64]
    key: NDArray[np.uint64]


def band_of(age: NDArray[np.integer]) -> NDArray[np.int8]:
    """Care band of each age in years, same shape."""
    return _BAND_BY_AGE.take(age, mode="clip")


def band_counts(pyramid: Pyramid) -> NDArray[np.float64]:
    """Persons of a pyramid by care band and sex, each year of a group holding the same number.

    Returns
    -------
    ndarray of float64, shape (7, 2)
        Men in column 0, women in column 1.
    """
    years = pyramid.years
    ages = np.concatenate([np.arange(n) for n in years]) + np.repeat(pyramid.age_from, years)
    persons = np.repeat(np.stack((pyramid.men, pyramid.women), axis=1) / years[:, None], years, axis=0)
    counts = np.zeros((len(BAND_FROM), 2))
    np.add.at(counts, band_of(ages), persons)
    return counts


def correlation_matrix(all_pairs: float, cardiometabolic: float) -> NDArray[np.float64]:
    """Correlation of the normal variables behind the conditions.

    Parameters
    ----------
    all_pairs : float
        Correlation of every pair but those below.
    cardiometabolic : float
        Correlation between any two of `CARDIOMETABOLIC`.

    Returns
    -------
    ndarray of float64, shape (7, 7)

    Raises
    ------
    Faults
        If no set of normal variables has these correlations.
    """
    inner = np.isin(CONDITIONS, CARDIOMETABOLIC)
    matrix = np.where(inner[:, None] & inner[None, :], cardiometabolic, all_pairs)
    np.fill_diagonal(matrix, 1.0)
    if np.linalg.eigvalsh(matrix)[0] < 1e-9:
        wanted = "correlations that can occur together (a positive definite matrix)"
        shown = f"{all_pairs} and {cardiometabolic}"
        raise Faults(
            [Fault("condition.correlation", shown, wanted, "two values nearer to each other and to 0")]
        )
    return matrix


def heterogeneity_classes(shape: float, n_classes: int, top: float) -> NDArray[np.float64]:
    """Class means of the gamma law of mean 1, none above the top.

    What is cut off at the top raises the other classes in proportion.

    Parameters
    ----------
    shape : float
        Shape of the gamma law.
    n_classes : int
        Number of equally likely classes.
    top : float
        Largest class mean, 1 or more.

    Returns
    -------
    ndarray of float64, shape (n_classes,)
        Rising; the mean is exactly 1.
    """
    if top < 1.0:
        raise ValueError(f"top = {top}: expected 1 or more, the mean of the law")
    means = class_means(Law.GAMMA, shape**-0.5, n_classes)
    top_fixed = int(np.floor(np.ldexp(top, SHIFT)))
    total = n_classes << SHIFT
    fixed = np.ldexp(means, SHIFT)
    free = n_classes
    while free and fixed[free - 1] > top_fixed:
        free = int(np.searchsorted(fixed[:free], top_fixed, side="right"))
        fixed[free:] = top_fixed
        if free:
            left = total - (n_classes - free) * top_fixed
            fixed[:free] = round_to_sum(fixed[:free] * (left / fixed[:free].sum()), left)
    return np.ldexp(fixed, -SHIFT)


def quotas(pyramid: Pyramid, list_size: NDArray[np.int64]) -> NDArray[np.int64]:
    """Patients of each cell by age group and sex, by largest remainder.

    Parameters
    ----------
    pyramid : Pyramid
    list_size : ndarray of int64, shape (C,)
        Patients of each cell.

    Returns
    -------
    ndarray of int64, shape (C, 2 G)
        Men and women of group 0, men and women of group 1 ...; rows sum to the list sizes. Among equal
        remainders the earlier group, and men before women, are rounded up first.
    """
    persons = np.stack((pyramid.men, pyramid.women), axis=1).reshape(-1)
    sizes, cell_size = np.unique(np.asarray(list_size, dtype=np.int64), return_inverse=True)
    expected, remainder = np.divmod(sizes[:, None] * persons[None, :], persons.sum())
    missing = sizes - expected.sum(axis=1)
    place = np.argsort(np.argsort(-remainder, axis=1, kind="stable"), axis=1, kind="stable")
    counts: NDArray[np.int64] = expected + (place < missing[:, None])
    return counts[cell_size.reshape(-1)]


def sample(
    pyramid: Pyramid,
    tables: PopulationTables,
    list_size: NDArray[np.int64],
    people_key: NDArray[np.uint64],
) -> Population:
    """Draw the patients of every cell.

    Parameters
    ----------
    pyramid : Pyramid
        Population the lists are drawn from.
    tables : PopulationTables
    list_size : ndarray of int64, shape (C,)
        Patients of each cell.
    people_key : ndarray of uint64, shape (C,)
        Key of the people of each cell; patient k of the cell has the key ``child(people_key, k)``.

    Returns
    -------
    Population
    """
    counts = quotas(pyramid, list_size)
    n_cells, n_groups = counts.shape
    offset = np.concatenate(([0], np.cumsum(counts.sum(axis=1))))
    ordinal = np.arange(offset[-1]) - np.repeat(offset[:-1], np.diff(offset))
    key = child(np.repeat(people_key, np.diff(offset)), ordinal)
    group = np.repeat(np.tile(np.arange(n_groups, dtype=np.int16), n_cells), counts.reshape(-1))
    people = _blank(offset, key)
    classes = heterogeneity_classes(
        tables.heterogeneity_shape, tables.heterogeneity_classes, tables.heterogeneity_top
    )
    for first in range(0, int(offset[-1]), _BLOCK):
        part = slice(first, first + _BLOCK)
        _fill(people, part, group[part], pyramid, tables, classes)
    return people


def joined(lists: Sequence[Population]) -> Population:
    """The cells of several populations, one population after the other."""
    if len(lists) == 1:
        return lists[0]
    names = [field.name for field in fields(Population) if field.name != "offset"]
    sizes = np.concatenate([np.diff(people.offset) for people in lists])
    columns = {name: np.concatenate([getattr(people, name) for people in lists]) for name in names}
    return Population(offset=np.concatenate(([0], np.cumsum(sizes))), **columns)


def _blank(offset: NDArray[np.int64], key: NDArray[np.uint64]) -> Population:
    """Columns yet to be filled."""
    n = key.size
    return Population(
        offset=offset,
        age=np.empty(n, dtype=np.int16),
        band=np.empty(n, dtype=np.int8),
        woman=np.empty(n, dtype=np.bool_),
        bim=np.empty(n, dtype=np.bool_),
        frail=np.empty(n, dtype=np.bool_),
        nursing_home=np.empty(n, dtype=np.bool_),
        conditions=np.empty(n, dtype=np.uint8),
        heterogeneity=np.empty(n),
        accepts_nurse=np.empty(n, dtype=np.bool_),
        accepts_second_trip=np.empty(n, dtype=np.bool_),
        continuity_days=np.empty(n),
        key=key,
    )


def _fill(
    people: Population,
    part: slice,
    group: NDArray[np.int16],
    pyramid: Pyramid,
    tables: PopulationTables,
    classes: NDArray[np.float64],
) -> None:
    """Write the attributes of a block of patients; group counts age groups and sexes as `quotas` does."""
    key = people.key[part]
    age_group, woman = group >> 1, (group & 1).astype(np.bool_)
    years = np.floor(uniform(key, _AGE) * pyramid.years[age_group]).astype(np.int64)
    age = pyramid.age_from[age_group] + years
    band = band_of(age)
    people.age[part] = age
    people.band[part] = band
    people.woman[part] = woman
    people.bim[part] = uniform(key, _BIM) < tables.bim_share[band]
    frailty = uniform(key, _FRAIL)
    people.nursing_home[part] = frailty < tables.nursing_home_share[band]
    people.frail[part] = frailty < np.maximum(tables.frail_share, tables.nursing_home_share)[band]
    conditions = _conditions(key, band, tables)
    people.conditions[part] = conditions
    people.heterogeneity[part] = classes[(uniform(key, _HETEROGENEITY) * classes.size).astype(np.int64)]
    people.accepts_nurse[part] = uniform(key, _ACCEPTS_NURSE) < tables.accepts_nurse[band]
    people.accepts_second_trip[part] = uniform(key, _ACCEPTS_TRIP) < tables.accepts_second_trip
    longer = np.where((band >= _SENIOR_BAND) | (conditions > 0), tables.continuity_ratio, 1.0)
    people.continuity_days[part] = -np.log(uniform(key, _CONTINUITY)) * longer * tables.continuity_days


def _conditions(
    key: NDArray[np.uint64], band: NDArray[np.int8], tables: PopulationTables
) -> NDArray[np.uint8]:
    """Bit mask of the conditions of each patient: a Gaussian copula cut at the prevalence of her band.

    Sums are written out term by term so that a patient's bits do not depend on her neighbours in the block.
    """
    from scipy.special import ndtri

    factor = np.linalg.cholesky(tables.correlation)
    threshold = ndtri(tables.prevalence)
    normals = [ndtri(uniform(key, purpose)) for purpose in _CONDITION]
    mask = np.zeros(key.size, dtype=np.uint8)
    for i in range(len(CONDITIONS)):
        latent = factor[i, 0] * normals[0]
        for j in range(1, i + 1):
            latent += factor[i, j] * normals[j]
        mask |= (latent < threshold[i][band]).astype(np.uint8) << np.uint8(i)
    return mask
