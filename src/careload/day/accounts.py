"""What a run counts per lane inside the window."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

__all__ = ["MOST_ACCESS_DAYS", "Account", "Accounts", "Tally"]


class Account(IntEnum):
    """Counters of a lane. Times are in ticks."""

    REQUESTS = 0
    SERVED = 1
    CLOSED = 2
    ELSEWHERE = 3
    NOT_COME = 4
    LEFT = 5
    DISPLACED = 6
    CALLS = 7
    CALLS_UNANSWERED = 8
    NO_SHOWS = 9
    MISSED_URGENT = 10
    OFFICE = 11
    """Contacts held with the GP, by channel."""
    HOME = 12
    PHONE = 13
    DELEGATE_CONTACTS = 14
    DELEGATED_PARTS = 15
    OVERFLOWED_PARTS = 16
    EXTRA_TRIPS = 17
    LAPSED_FOLLOW_ONS = 18
    WAIT_OPEN_DAYS = 19
    """Open days from a patient's own request for a later day to the place, summed."""
    WAITED = 20
    WAIT_TICKS = 21
    """Minutes in the practice before a contact starts on the day it was meant for, summed."""
    WAIT_STARTS = 22
    GP_SERVICE = 23
    """Contacts, calls, acts and follow-ons of GPs."""
    GP_MEETING = 24
    GP_DESK = 25
    GP_PRESENCE = 26
    GP_AFTER_CLOSING = 27
    GP_EVENING = 28
    GP_REST = 29
    GP_USABLE = 30
    GP_CRUMBS = 31
    GP_OVERTIME = 32
    GP_TRAVEL = 33
    SUPERVISION = 34
    HAND_BACK = 35
    HAND_OVER = 36
    DEFAULT_ALL = 37
    """GP reference time of all work done by anyone whose default is the GP (docs/day.md, section 12)."""
    DEFAULT_SHIFTED = 38
    """Part of it done by others."""
    EXCESS = 39
    """GP time above the reference on the GP's own work."""
    STAFF_SERVICE = 40
    STAFF_MEETING = 41
    STAFF_PRESENCE = 42
    SUPERVISIONS = 43
    HAND_BACKS = 44
    EPISODES = 45
    """Delegated episodes done by a delegate."""
    INDUCED = 46
    """GP time on contacts that delegation itself brings."""
    CARRIED = 47
    """Contacts held on a later day than the one they were released on."""
    ROOM_OPEN = 48
    """Rooms times the time from the first session of the practice to the end of the last."""
    ROOM_USE = 49
    ROOM_WAIT = 50
    """Time of people who could start with a patient but for a room."""
    NO_SEAT = 51
    """Time of patients in the practice beyond the seats of the waiting room."""
    NO_SEAT_PEOPLE = 52
    CALLS_BY_STAFF = 53
    """Calls answered by others than GPs."""
    CALL_WAIT_TICKS = 54
    """Time from the call to its answer, summed over the calls answered on their day."""
    CALL_WAITS = 55
    STAFF_DESK = 56
    """Desk work done by others than GPs."""
    URGENT_SEEN = 57
    """Urgent needs that called and were seen; the time from the call to the contact, nights and weekends in."""
    URGENT_DELAY_TICKS = 58
    MISSED_SEEN = 59
    """Part of them that was judged less urgent."""
    MISSED_DELAY_TICKS = 60


MOST_ACCESS_DAYS = 60
"""Open days from call to contact are counted one by one up to this number, which stands for all longer waits."""


@dataclass(frozen=True, eq=False)
class Tally:
    """What A accounts take of rows of K kinds.

    Attributes
    ----------
    accounts : ndarray of int64, shape (A,)
    weight : ndarray of int64, shape (A, K)
        How often each account takes each kind.
    """

    accounts: NDArray[np.int64]
    weight: NDArray[np.int64]


class Accounts:
    """Counters of all lanes, int64.

    Attributes
    ----------
    task_ticks : ndarray, shape (R, T, L)
        Time by role and task.
    present, met : ndarray, shape (R, L)
        Paid presence and time in meetings of the staff by role; 0 for GPs.
    access : ndarray, shape (3, MOST_ACCESS_DAYS + 1, L)
        Patients' own requests that were seen, by true urgency and open days from the first call to the contact.
    desk_moved, desk_taken : ndarray, shape (contrasts, T, C)
        GP time by task on desk work at a rate that the staff does in one world of a contrast only.
    """

    def __init__(self, n_lanes: int, n_roles: int, n_tasks: int, n_contrasts: int, n_cells: int) -> None:
        self.n_lanes = n_lanes
        self._totals = np.zeros((len(Account), n_lanes), np.int64)
        self._by_kind: dict[Tally, NDArray[np.int64]] = {}
        self.task_ticks = np.zeros((n_roles, n_tasks, n_lanes), np.int64)
        self.present = np.zeros((n_roles, n_lanes), np.int64)
        self.met = np.zeros((n_roles, n_lanes), np.int64)
        self.access = np.zeros((3, MOST_ACCESS_DAYS + 1, n_lanes), np.int64)
        self.desk_moved = np.zeros((n_contrasts, n_tasks, n_cells), np.int64)
        self.desk_taken = np.zeros((n_contrasts, n_tasks, n_cells), np.int64)

    @property
    def totals(self) -> NDArray[np.int64]:
        """The counters, shape (accounts, L); only now are rows counted by kind given to the accounts that take them."""
        for tally, found in self._by_kind.items():
            self._totals[tally.accounts] += tally.weight @ found
        self._by_kind.clear()
        return self._totals

    def count(self, account: Account, lane: NDArray[np.int64]) -> None:
        """Add one for every entry of `lane`."""
        self._totals[account] += np.bincount(lane, minlength=self.n_lanes)

    def add(self, account: Account, lane: NDArray[np.int64], amount: NDArray[np.int64]) -> None:
        """Add an amount for every entry of `lane`; sums stay exact below 2**53 ticks."""
        self._totals[account] += np.bincount(lane, amount, minlength=self.n_lanes).astype(np.int64)

    def tally(self, tally: Tally, place: NDArray[np.int64], amount: NDArray[np.int64] | None = None) -> None:
        """Count rows by kind, or add their amounts, for all accounts of a tally.

        Parameters
        ----------
        place : ndarray of int64, shape (n,)
            The kind of each row times L, plus its lane.
        """
        if tally not in self._by_kind:
            self._by_kind[tally] = np.zeros((tally.weight.shape[1], self.n_lanes), np.int64)
        waiting = self._by_kind[tally]
        found = np.bincount(place, amount, minlength=waiting.size).astype(np.int64, copy=False)
        waiting += found.reshape(waiting.shape)

    def add_lanes(self, account: Account, amount: NDArray[np.int64]) -> None:
        """Add one amount per lane."""
        self._totals[account] += amount

    def add_tasks(
        self,
        role: NDArray[np.int64],
        task: NDArray[np.int64],
        lane: NDArray[np.int64],
        ticks: NDArray[np.int64],
    ) -> None:
        """Add time by role and task."""
        n_tasks = self.task_ticks.shape[1]
        cell = (role * n_tasks + task) * self.n_lanes + lane
        np.add.at(self.task_ticks.reshape(-1), cell, ticks)
