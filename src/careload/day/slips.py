"""Slips: one row for every request that a lane is dealing with, from the call to the service or the end of the need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from careload.codes import Codes
from careload.columns import Table, replace, take
from careload.draws import name_key, uniform
from careload.patients.bundle import Requests, Urgency

__all__ = ["DTYPES", "Errand", "Slips", "Step", "new_slips", "no_slips", "with_columns", "with_rows"]

_AHEAD: Final = name_key("follow-up ahead")


class Errand(Codes):
    """What the patient comes for."""

    VISIT = 0
    """The requested visit with its acts."""
    ACTS = 1
    """Acts that the GP left to an absent delegate: a second trip."""
    EXTRA = 2
    """An extra follow-up that delegation brings."""


class Step(Codes):
    """What happens to a slip on its day."""

    CALL = 0
    """The patient calls."""
    ASK = 1
    """The book is asked for a later day; no call."""
    ATTEND = 2
    """The patient has a place today."""
    ROUND = 3
    """Planned for the home-visit round."""


@dataclass(frozen=True)
class Slips(Table):
    """Requests in progress, n rows.

    Attributes
    ----------
    lane, request : ndarray of int64
        `request` is a position in the register.
    errand, step, role : ndarray of int8
        `role` is the role that is to perform the contact.
    acts : ndarray of int64
        Bit mask of the acts that this contact is to carry.
    day : ndarray of int64
        Calendar day on which `step` happens.
    diary : ndarray of int8
        Diary of the place, -1 without.
    start : ndarray of int64
        Start of the place in ticks; before that, the minute of the call.
    lead_days : ndarray of int16
        Calendar days between booking and place.
    ahead : ndarray of int16
        First calendar day ahead on which the book may place it.
    tries : ndarray of int8
        Calls made before this one.
    urgency : ndarray of int8
        Judged urgency.
    refused : ndarray of bool
        True once the book has had no place for it.
    """

    lane: NDArray[np.int64]
    request: NDArray[np.int64]
    errand: NDArray[np.int8]
    step: NDArray[np.int8]
    role: NDArray[np.int8]
    acts: NDArray[np.int64]
    day: NDArray[np.int64]
    diary: NDArray[np.int8]
    start: NDArray[np.int64]
    lead_days: NDArray[np.int16]
    ahead: NDArray[np.int16]
    tries: NDArray[np.int8]
    urgency: NDArray[np.int8]
    refused: NDArray[np.bool_]


def with_columns(slips: Slips, **columns: Any) -> Slips:
    """The same slips with whole columns replaced; scalars are spread over the rows."""
    n = len(slips.lane)
    for name, value in columns.items():
        if isinstance(value, np.ndarray) and value.ndim:
            columns[name] = value.astype(DTYPES[name], copy=False)
        else:
            columns[name] = np.full(n, value, DTYPES[name])
    return replace(slips, **columns)


def with_rows(slips: Slips, rows: NDArray[np.int64], **columns: Any) -> Slips:
    """The same slips with new values in some rows."""
    changed = {name: getattr(slips, name).copy() for name in columns}
    for name, value in columns.items():
        changed[name][rows] = value
    return replace(slips, **changed)


def new_slips(
    requests: Requests,
    first: int,
    accepted: NDArray[np.int64],
    lane: NDArray[np.int64],
    reach: NDArray[np.int64],
    gp: int,
) -> Slips:
    """Slips of the day's new requests.

    Parameters
    ----------
    requests : Requests
        The day's requests.
    first : int
        Position of the first of them in the register.
    accepted, lane : ndarray of int64, shape (n,)
        Row among the day's requests and lane of every slip.
    reach : ndarray of int64, shape (n,)
        Most days ahead that the practice sets a visit.
    gp : int
        Number of the GP's role.
    """
    n = len(accepted)
    mine = take(requests, accepted)
    ask = mine.set_by_practice
    return Slips(
        lane=lane,
        request=first + accepted,
        errand=np.full(n, Errand.VISIT, np.int8),
        step=np.where(ask, Step.ASK, Step.CALL).astype(np.int8),
        role=np.full(n, gp, np.int8),
        acts=mine.acts,
        day=np.zeros(n, np.int64),
        diary=np.full(n, -1, np.int8),
        start=mine.minute,
        lead_days=np.zeros(n, np.int16),
        ahead=np.where(ask, _days_ahead(mine, reach), 1).astype(np.int16),
        tries=np.zeros(n, np.int8),
        urgency=mine.urgency,
        refused=np.zeros(n, np.bool_),
    )


def _days_ahead(requests: Requests, reach: NDArray[np.int64]) -> NDArray[np.int64]:
    """Calendar days between the day on which the practice sets a visit and the first day it may take place.

    Due work is set its tolerance ahead of its date; other follow-ups lie anywhere within reach.
    """
    anywhere = 1 + np.floor(uniform(requests.key, _AHEAD) * reach)
    ahead = np.where(requests.occurrence >= 0, requests.tolerance, anywhere)
    return np.minimum(ahead, reach).astype(np.int64)


def no_slips() -> Slips:
    """An empty table."""
    empty = np.zeros(0, np.int64)
    narrow = np.zeros(0, np.int8)
    return Slips(
        lane=empty,
        request=empty,
        errand=narrow,
        step=narrow,
        role=narrow,
        acts=empty,
        day=empty,
        diary=narrow,
        start=empty,
        lead_days=np.zeros(0, np.int16),
        ahead=np.zeros(0, np.int16),
        tries=narrow,
        urgency=np.full(0, Urgency.ROUTINE, np.int8),
        refused=np.zeros(0, np.bool_),
    )


DTYPES: Final = {name: column.dtype for name, column in vars(no_slips()).items()}
"""Type of every column."""
