"""The workload PY-1, one practice-year, as every implementation of the benchmark runs it.

One practice, 2,000 patients, 250 days of 600 open minutes.

- Requests: a Poisson process of 52 a day over the open minutes, each from a patient drawn evenly; her contacts
  are counted.
- Reception: one server, first come first served, exponential of mean 2 minutes.
- Then 35 % go to the nurse (one server), the others to the GPs (two servers). 10 % are urgent and go before the
  others, who are never interrupted; within a class first come first served. Lognormal, mean 15 minutes, CV 0.5.
- 12 % of the tasks of the nurse, when done, leave a task for the GPs in the class of the parent: exponential of
  mean 3 minutes.
- Staff stay until everything is done; every day starts empty. Overtime is what lies after minute 600.

An implementation returns one row of `COLUMNS` per practice-year; `outputs` makes 13 figures of it.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

DAYS, OPEN, REQUESTS, PATIENTS = 250, 600, 52, 2000
DAY = 1440
NURSE_SHARE, URGENT_SHARE, SUPERVISED_SHARE = 0.35, 0.10, 0.12
RECEPTION_MINUTES, CLINIC_MINUTES, CLINIC_CV, SUPERVISION_MINUTES = 2.0, 15.0, 0.5, 3.0
GPS = 2
FREQUENT = 10
"""Contacts a year from which a patient is counted as a frequent one."""

SIGMA = math.sqrt(math.log1p(CLINIC_CV**2))
MU = math.log(CLINIC_MINUTES) - SIGMA**2 / 2

QUEUES = ("nurse urgent", "nurse routine", "GP urgent", "GP routine")
ROLES = ("reception", "nurse", "GP")
COLUMNS = (
    "requests",
    "wait reception",
    *(f"{what} {queue}" for queue in QUEUES for what in ("tasks", "wait")),
    *(f"minutes {role}" for role in ROLES),
    *(f"overtime {role}" for role in ROLES),
    "frequent patients",
)
COLUMN = {name: number for number, name in enumerate(COLUMNS)}

Reference = dict[str, tuple[float, float]]
"""Mean and standard deviation of a practice-year by figure."""

REFERENCE_YEARS = 20_000
REFERENCE: Reference = {
    "requests": (12998.9, 113.6),
    "wait reception": (0.417081, 0.01758),
    "wait nurse urgent": (4.34654, 0.373),
    "wait nurse routine": (7.78842, 0.4687),
    "wait GP urgent": (1.33871, 0.1188),
    "wait GP routine": (2.17789, 0.1307),
    "utilisation reception": (0.173323, 0.002149),
    "overtime reception": (104.933, 21.5),
    "utilisation nurse": (0.454941, 0.007497),
    "overtime nurse": (2234.31, 228.9),
    "utilisation GP": (0.42795, 0.005161),
    "overtime GP": (3032.49, 245.1),
    "frequent patients": (245.147, 14.69),
}
"""What `practice_year.c` gives in so many years; for machines without a C compiler."""


def outputs(rows: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """The 13 figures compared, each of shape (years,).

    Parameters
    ----------
    rows : ndarray of float64, shape (years, 17)
        Counts, sums of minutes waited, minutes worked and minutes of overtime.
    """
    column = dict(zip(COLUMNS, np.atleast_2d(rows).T, strict=True))
    figures = {
        "requests": column["requests"],
        "wait reception": column["wait reception"] / column["requests"],
    }
    figures |= {f"wait {queue}": column[f"wait {queue}"] / column[f"tasks {queue}"] for queue in QUEUES}
    for role, servers in zip(ROLES, (1, 1, GPS), strict=True):
        figures[f"utilisation {role}"] = column[f"minutes {role}"] / (servers * OPEN * DAYS)
        figures[f"overtime {role}"] = column[f"overtime {role}"]
    return figures | {"frequent patients": column["frequent patients"]}


def reference_of(rows: NDArray[np.float64]) -> Reference:
    """Mean and standard deviation of the 13 figures, from rows of shape (years, 17)."""
    return {name: (float(values.mean()), float(values.std(ddof=1))) for name, values in outputs(rows).items()}


def largest_z(rows: NDArray[np.float64], reference: Reference, years: int) -> float:
    """Largest distance between the means of an implementation and those of the reference, in standard errors.

    Parameters
    ----------
    rows : ndarray of float64, shape (years of the implementation, 17)
    reference : dict
        Mean and standard deviation of one year, by figure.
    years : int
        Years the reference is made of.
    """
    found = outputs(rows)
    error = math.sqrt(1 / len(rows) + 1 / years)
    return max(abs(float(found[name].mean()) - mean) / (sd * error) for name, (mean, sd) in reference.items())
