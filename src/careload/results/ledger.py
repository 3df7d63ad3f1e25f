"""The ledger of GP time: every task instance of two worlds in one class, and where the time went.

R = V + taken home + usable gaps + crumbs holds in ticks (docs/estimands.md).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from careload.day.accounts import Account
from careload.day.block import Block, State
from careload.day.closing import Kind, sums_of

__all__ = [
    "CLASSES",
    "Ledger",
    "compare_worlds",
    "take_cells",
    "worked_ticks",
]

CLASSES: Final = ("K", "X", "Y", "D", "A", "N")
"""Classes of instances that exist in both worlds; I, what the change itself brings, is counted apart."""


@dataclass(frozen=True)
class Ledger:
    """GP time of scenario S against baseline B in ticks, one value per cell; signs as in docs/estimands.md.

    Attributes
    ----------
    moved : ndarray of int64, shape (C,)
        X: done by the GP in B, by another role in S.
    ended : ndarray of int64, shape (C,)
        D: done by the GP in B, no longer needed in S.
    induced : ndarray of int64, shape (C,)
        I: brought by the change itself.
    supervision, hand_back, hand_over, meeting : ndarray of int64, shape (C,)
        Overhead in S less overhead in B.
    kept : ndarray of int64, shape (C,)
        K: time saved on contacts kept, negative when they lengthen. Work that no request brings is matched day by
        day: what GPs do of it in both worlds is here.
    taken : ndarray of int64, shape (C,)
        Y: another role or nobody in B, the GP in S.
    new : ndarray of int64, shape (C,)
        N: need left unmet in B and met by the GP in S.
    abandoned : ndarray of int64, shape (C,)
        A: done by the GP in B, abandoned in S.
    home, usable, crumbs : ndarray of int64, shape (C,)
        Presence saved; idle time won in usable pieces and in crumbs (breaks among them).
    home_evening, home_after_closing, home_session : ndarray of int64, shape (C,)
        Parts of `home`.
    worked_baseline, worked : ndarray of int64, shape (C,)
        GP time in B and in S.
    released_by_group : ndarray of int64, shape (groups, C)
        X and D by task group, before overhead.
    """

    moved: NDArray[np.int64]
    ended: NDArray[np.int64]
    induced: NDArray[np.int64]
    supervision: NDArray[np.int64]
    hand_back: NDArray[np.int64]
    hand_over: NDArray[np.int64]
    meeting: NDArray[np.int64]
    kept: NDArray[np.int64]
    taken: NDArray[np.int64]
    new: NDArray[np.int64]
    abandoned: NDArray[np.int64]
    home: NDArray[np.int64]
    usable: NDArray[np.int64]
    crumbs: NDArray[np.int64]
    home_evening: NDArray[np.int64]
    home_after_closing: NDArray[np.int64]
    home_session: NDArray[np.int64]
    worked_baseline: NDArray[np.int64]
    worked: NDArray[np.int64]
    released_by_group: NDArray[np.int64]

    @property
    def overhead(self) -> NDArray[np.int64]:
        """Supervision, hand-back, hand-over and meetings."""
        return self.supervision + self.hand_back + self.hand_over + self.meeting

    @property
    def released(self) -> NDArray[np.int64]:
        """R = X + D - I - overhead."""
        return self.moved + self.ended - self.induced - self.overhead

    @property
    def reinvested(self) -> NDArray[np.int64]:
        """V = N + Y - K - A."""
        return self.new + self.taken - self.kept - self.abandoned

    @property
    def fewer_minutes(self) -> NDArray[np.int64]:
        """GP time worked in B less GP time worked in S."""
        return self.worked_baseline - self.worked

    @property
    def residual(self) -> NDArray[np.int64]:
        """R less its four destinations; zero."""
        return self.released - self.reinvested - self.home - self.usable - self.crumbs

    @property
    def path_share(self) -> NDArray[np.float64]:
        """Share of GP time in instances whose class path divergence decides: abandoned or new."""
        return (self.abandoned + self.new) / np.maximum(1, self.worked_baseline)


def worked_ticks(state: State) -> NDArray[np.int64]:
    """GP time worked per lane: patients, calls, follow-ons, meetings and desk."""
    totals = state.accounts.totals
    worked: NDArray[np.int64] = (
        totals[Account.GP_SERVICE] + totals[Account.GP_MEETING] + totals[Account.GP_DESK]
    )
    return worked


def compare_worlds(block: Block, state: State) -> dict[tuple[int, int], Ledger]:
    """Match the instances of every contrast by position and divide the GP's time among the classes.

    Cells in which one of the two worlds is not run have zeros.

    Returns
    -------
    dict
        By baseline and scenario, in the order of `block.contrasts`.
    """
    gained, freed = sums_of(block, state, np.arange(state.register.n_requests))
    gained += state.closed.gained
    freed += state.closed.freed
    return {
        contrast: _ledger(block, state, pair, gained[pair], freed[pair])
        for pair, contrast in enumerate(block.contrasts)
    }


def _ledger(
    block: Block, state: State, pair: int, gained: NDArray[np.int64], freed: NDArray[np.int64]
) -> Ledger:
    """The ledger of one contrast, from its sums over instances by kind and by task."""
    n_cells, (baseline, scenario) = block.n_cells, block.contrasts[pair]
    lanes_b, lanes_s = block.lane_of[baseline], block.lane_of[scenario]
    totals = state.accounts.totals

    def more(account: Account) -> NDArray[np.int64]:
        difference: NDArray[np.int64] = totals[account].take(lanes_s) - totals[account].take(lanes_b)
        return difference

    worked = worked_ticks(state)
    unasked = state.accounts.task_ticks[block.layout.gp, block.desk.task].sum(0)
    desk_moved = state.accounts.desk_moved[pair]
    moved, taken = desk_moved.sum(0), state.accounts.desk_taken[pair].sum(0)
    home, evening, after_closing = (
        -more(account) for account in (Account.GP_PRESENCE, Account.GP_EVENING, Account.GP_AFTER_CLOSING)
    )
    groups = sorted(set(block.layout.groups))
    group_of = np.array([groups.index(group) for group in block.layout.groups])
    by_group = np.zeros((len(groups), n_cells), np.int64)
    np.add.at(by_group, group_of, freed)
    np.add.at(by_group, group_of, desk_moved)
    ledger = Ledger(
        moved=gained[Kind.MOVED] + moved,
        ended=gained[Kind.ENDED],
        induced=more(Account.INDUCED),
        supervision=more(Account.SUPERVISION),
        hand_back=more(Account.HAND_BACK),
        hand_over=more(Account.HAND_OVER),
        meeting=more(Account.GP_MEETING),
        kept=gained[Kind.KEPT] + unasked[lanes_b] - unasked[lanes_s] - moved + taken,
        taken=-gained[Kind.TAKEN] + taken,
        new=-gained[Kind.NEW],
        abandoned=gained[Kind.ABANDONED],
        home=home,
        usable=more(Account.GP_USABLE),
        crumbs=more(Account.GP_CRUMBS) + more(Account.GP_REST),
        home_evening=evening,
        home_after_closing=after_closing,
        home_session=home - evening - after_closing,
        worked_baseline=worked[lanes_b],
        worked=worked[lanes_s],
        released_by_group=by_group,
    )
    both = (lanes_b >= 0) & (lanes_s >= 0)
    return Ledger(**{f.name: getattr(ledger, f.name) * both for f in fields(ledger)})


def take_cells(ledger: Ledger, cells: slice | NDArray[np.int64]) -> Ledger:
    """The ledger of some cells."""
    return Ledger(**{f.name: getattr(ledger, f.name)[..., cells] for f in fields(ledger)})
