"""What each call leads to, by whom it is answered (docs/day.md, section 7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from careload.codes import Codes
from careload.day.slips import Slips
from careload.draws import child, name_key, uniform
from careload.patients.bundle import BundleTables, Register, Urgency, call_minute
from careload.practice.tables import FirstContactRules

__all__ = ["Answers", "Outcome", "answer", "call_of"]

_TRY: Final = name_key("call repeated")
_CLOSED: Final = name_key("call closed without visit")
_JUDGED: Final = name_key("judged urgency")
_AGAIN: Final = name_key("recontact after closing")
_AFTER: Final = name_key("days to recontact")


class Outcome(Codes):
    """What a call leads to."""

    JUDGED = 0
    CLOSED = 1
    ELSEWHERE = 2


@dataclass(frozen=True)
class Answers:
    """Outcomes of calls; n slips.

    Attributes
    ----------
    outcome : ndarray of int8
    urgency : ndarray of int8
        Judged urgency.
    missed : ndarray of bool
        Judged less urgent than it is, where it is urgent.
    again_after : ndarray of int64
        Open days until a closed need calls again, 0 where it ends.
    """

    outcome: NDArray[np.int8]
    urgency: NDArray[np.int8]
    missed: NDArray[np.bool_]
    again_after: NDArray[np.int64]


def call_of(
    tables: BundleTables, register: Register, slips: Slips
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Key and tick of the call of every slip: the request's own, or a child of it when the call is repeated."""
    requests = register.requests
    key, minute = requests.key.take(slips.request), requests.minute.take(slips.request)
    again = np.flatnonzero(slips.tries)
    key[again] = child(key.take(again), _TRY, slips.tries.take(again).astype(np.int64))
    minute[again] = call_minute(tables, key.take(again))
    return key, minute


def answer(
    rules: FirstContactRules,
    register: Register,
    slips: Slips,
    key: NDArray[np.uint64],
    called: NDArray[np.bool_],
    arranged: NDArray[np.bool_],
) -> Answers:
    """Draw the outcome of every call; what is judged urgent is never closed.

    Parameters
    ----------
    rules : FirstContactRules
        One entry per lane.
    slips : Slips
        Those whose step is a call.
    key : ndarray of uint64, shape (n,)
        Keys of the calls.
    called : ndarray of bool, shape (n,)
        False for patients who come without a call.
    arranged : ndarray of bool, shape (n,)
        Whether the role of the arrangement answers, and not the GP in its place.
    """
    lane, who = slips.lane, arranged.astype(np.int64)
    true = register.requests.urgency[slips.request]
    under, over = rules.under[lane, who], rules.over[lane, who]
    judged = np.where(called, _judge(under, over, true, uniform(key, _JUDGED)), true)
    draw, least = uniform(key, _CLOSED), rules.closed[lane, who]
    closed = called & (judged != Urgency.URGENT) & (draw < least)
    elsewhere = called & (draw >= least) & (draw < least + rules.elsewhere[lane, who])
    again = np.flatnonzero(closed)
    again = again.compress(uniform(key.take(again), _AGAIN) < rules.recontact.take(lane.take(again)))
    days = np.floor(uniform(key.take(again), _AFTER) * rules.recontact_days.take(lane.take(again)))
    again_after = np.zeros(len(key), np.int64)
    again_after[again] = 1 + days.astype(np.int64)
    return Answers(
        outcome=np.where(closed, Outcome.CLOSED, np.where(elsewhere, Outcome.ELSEWHERE, 0)).astype(np.int8),
        urgency=judged.astype(np.int8),
        missed=(true == Urgency.URGENT) & (judged > true) & ~elsewhere,
        again_after=again_after,
    )


def _judge(
    under: NDArray[np.float64],
    over: NDArray[np.float64],
    true: NDArray[np.int8],
    draw: NDArray[np.float64],
) -> NDArray[np.int64]:
    """Judged urgency: errors move one level; at the ends of the scale they count as right."""
    low = draw < under
    high = ~low & (draw < under + over)
    moved = true.astype(np.int64) + low - high
    return np.clip(moved, Urgency.URGENT, Urgency.ROUTINE)
