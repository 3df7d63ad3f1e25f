"""First contact where the GP answers himself: what each call leads to (docs/day.md, section 7)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from careload.day.slips import Slips
from careload.draws import child, name_key, uniform
from careload.patients.bundle import BundleTables, Register, Urgency, call_minute
from careload.practice.tables import FirstContactRules

__all__ = ["Answers", "Outcome", "answer"]

_TRY: Final = name_key("call repeated")
_CLOSED: Final = name_key("call closed without visit")
_JUDGED: Final = name_key("judged urgency")
_AGAIN: Final = name_key("recontact after closing")
_AFTER: Final = name_key("days to recontact")


class Outcome(IntEnum):
    """What a call leads to."""

    JUDGED = 0
    CLOSED = 1
    ELSEWHERE = 2


@dataclass(frozen=True)
class Answers:
    """Outcomes of the day's calls; n slips.

    Attributes
    ----------
    key : ndarray of uint64
        Key of this call: the request's, or its child when it is repeated.
    minute : ndarray of int64
        Tick at which the call comes in.
    called : ndarray of bool
        False for patients who come without a call.
    outcome : ndarray of int8
    urgency : ndarray of int8
        Judged urgency.
    missed : ndarray of bool
        Judged less urgent than it is, where it is urgent.
    again_after : ndarray of int64
        Open days until a closed need calls again, 0 where it ends.
    """

    key: NDArray[np.uint64]
    minute: NDArray[np.int64]
    called: NDArray[np.bool_]
    outcome: NDArray[np.int8]
    urgency: NDArray[np.int8]
    missed: NDArray[np.bool_]
    again_after: NDArray[np.int64]


def answer(tables: BundleTables, rules: FirstContactRules, register: Register, slips: Slips) -> Answers:
    """Draw the outcome of every call of the day; what is judged urgent is never closed.

    Parameters
    ----------
    rules : FirstContactRules
        One entry per lane.
    slips : Slips
        Those whose step is a call.
    """
    requests, lane = register.requests, slips.lane
    first_call = slips.tries == 0
    base = requests.key[slips.request]
    key = np.where(first_call, base, child(base, _TRY, slips.tries.astype(np.int64)))
    minute = np.where(first_call, requests.minute[slips.request], call_minute(tables, key))
    called = ~(requests.walk_in[slips.request] & first_call)
    true = requests.urgency[slips.request]
    judged = np.where(called, _judge(rules, lane, true, uniform(key, _JUDGED)), true)
    draw = uniform(key, _CLOSED)
    closed = called & (judged != Urgency.URGENT) & (draw < rules.closed[lane])
    elsewhere = called & (draw >= rules.closed[lane]) & (draw < rules.closed[lane] + rules.elsewhere[lane])
    again = closed & (uniform(key, _AGAIN) < rules.recontact[lane])
    after = 1 + np.floor(uniform(key, _AFTER) * rules.recontact_days[lane]).astype(np.int64)
    return Answers(
        key=key,
        minute=minute,
        called=called,
        outcome=np.where(closed, Outcome.CLOSED, np.where(elsewhere, Outcome.ELSEWHERE, 0)).astype(np.int8),
        urgency=judged.astype(np.int8),
        missed=(true == Urgency.URGENT) & (judged > true) & ~elsewhere,
        again_after=np.where(again, after, 0),
    )


def _judge(
    rules: FirstContactRules, lane: NDArray[np.int64], true: NDArray[np.int8], draw: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Judged urgency: errors move one level; at the ends of the scale they count as right."""
    under = draw < rules.under[lane]
    over = ~under & (draw < rules.under[lane] + rules.over[lane])
    moved = true.astype(np.int64) + under - over
    return np.clip(moved, Urgency.URGENT, Urgency.ROUTINE)
