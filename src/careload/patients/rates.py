"""How often a person asks for each visit, by what is known about her."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from careload.patients.population import CONDITIONS, Population

__all__ = ["DemandTables", "kinds", "may_have", "multimorbid", "person_rates", "rates_of_kinds"]


@dataclass(frozen=True)
class DemandTables:
    """Rates of visits and what they depend on; V visits, 7 age bands.

    Attributes
    ----------
    names : tuple of str
        Visit names, in the order of the axis V.
    key : ndarray of uint64, shape (V,)
    rate : ndarray of float, shape (V, 7)
        Requests per person of the band and year, losses of the reference practice added back.
    due : ndarray of bool, shape (V,)
        True where visits come from due dates.
    condition : ndarray of uint8, shape (V,)
        Only persons with one of these conditions (bit mask); 0 is everybody.
    condition_share : ndarray of float, shape (V, 7)
        Share of the band that may have the visit.
    only_nursing_home, only_multimorbid : ndarray of bool, shape (V,)
    frail_ratio : ndarray of float, shape (V,)
    frail_share : ndarray of float, shape (7,)
    women_share, women_ratio, men_ratio : ndarray of float, shape (7,)
    bim_share, bim_ratio : ndarray of float, shape (7,)
    seasonal : ndarray of bool, shape (V,)
    weekday_weight : ndarray of float, shape (5,)
        Mean 1 over a week.
    season : ndarray of float, shape (53,)
        Factor by ISO week for seasonal visits; mean 1 over the open weeks. Index 0 is unused.
    call_only_rate : float
        Calls that carry no request, per person and year.
    seeking_bound : float
        Largest factor a scenario may put on a rate.
    """

    names: tuple[str, ...]
    key: NDArray[np.uint64]
    rate: NDArray[np.float64]
    due: NDArray[np.bool_]
    condition: NDArray[np.uint8]
    condition_share: NDArray[np.float64]
    only_nursing_home: NDArray[np.bool_]
    only_multimorbid: NDArray[np.bool_]
    frail_ratio: NDArray[np.float64]
    frail_share: NDArray[np.float64]
    women_share: NDArray[np.float64]
    women_ratio: NDArray[np.float64]
    men_ratio: NDArray[np.float64]
    bim_share: NDArray[np.float64]
    bim_ratio: NDArray[np.float64]
    seasonal: NDArray[np.bool_]
    weekday_weight: NDArray[np.float64]
    season: NDArray[np.float64]
    call_only_rate: float
    seeking_bound: float


def multimorbid(people: Population) -> NDArray[np.bool_]:
    """Patients with at least two of six conditions, COPD and asthma counted as one; shape (patients,)."""
    lung = np.uint8((1 << CONDITIONS.index("copd")) | (1 << CONDITIONS.index("asthma")))
    others = np.bitwise_count(people.conditions & ~lung)
    result: NDArray[np.bool_] = others + ((people.conditions & lung) > 0) >= 2
    return result


def kinds(people: Population) -> NDArray[np.uint8]:
    """Kind of every patient: all that her rates depend on but restrictions and heterogeneity; shape (N,)."""
    kind = people.band.astype(np.uint8)
    for trait in (people.woman, people.bim, people.frail):
        kind = 2 * kind + trait
    return kind


def rates_of_kinds(tables: DemandTables) -> NDArray[np.float64]:
    """Requests a year of a person of every kind who may have the visit, by visit; shape (V, kinds).

    The mean over the persons of a band is the rate of the band.
    """
    kind = np.arange(8 * tables.rate.shape[1])
    band, woman, bim, frail = kind >> 3, kind >> 2 & 1, kind >> 1 & 1, kind & 1
    women = tables.women_share * tables.women_ratio + (1 - tables.women_share) * tables.men_ratio
    sex = np.where(woman, (tables.women_ratio / women)[band], (tables.men_ratio / women)[band])
    poor = 1 + tables.bim_share * (tables.bim_ratio - 1)
    income = np.where(bim, (tables.bim_ratio / poor)[band], (1 / poor)[band])
    ratio, share = tables.frail_ratio[:, None], tables.condition_share
    weak = np.where(frail, ratio, 1.0) / (1 + tables.frail_share * (ratio - 1))[:, band]
    rate = np.divide(tables.rate, share, out=np.zeros_like(share), where=share > 0)[:, band]
    result: NDArray[np.float64] = rate * sex * income * weak
    return result


def may_have(tables: DemandTables, people: Population, rows: slice) -> NDArray[np.bool_]:
    """Whether each patient of some rows may have each visit; shape (V, rows)."""
    condition = tables.condition[:, None]
    may: NDArray[np.bool_] = (condition == 0) | ((people.conditions[rows] & condition) > 0)
    may &= ~tables.only_nursing_home[:, None] | people.nursing_home[rows]
    if tables.only_multimorbid.any():
        may &= ~tables.only_multimorbid[:, None] | multimorbid(people)[rows]
    return may


def person_rates(tables: DemandTables, people: Population, visit: int) -> NDArray[np.float64]:
    """Requests a year of every patient for one visit, heterogeneity left out.

    Returns
    -------
    ndarray of float, shape (patients,)
        Zero for patients who cannot have the visit. The mean over a band is the rate of the band.
    """
    rate = rates_of_kinds(tables)[visit].take(kinds(people))
    result: NDArray[np.float64] = np.where(may_have(tables, people, slice(None))[visit], rate, 0.0)
    return result
