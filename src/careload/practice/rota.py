"""Who is there today: first minutes, absences, places, sessions; one pattern per weekday, made once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from careload.columns import join, replace, settled
from careload.day.book import Places
from careload.day.parts import Part, Parts, no_parts
from careload.practice.tables import Layout, Practices, Rota
from careload.ticks import MINUTE, NEVER

__all__ = ["DayRota", "day_rota", "in_session", "next_opening"]

END_OF_DAY: Final = 4095 * MINUTE


@dataclass(frozen=True)
class DayRota:
    """Presence on one weekday; C people, D diaries, S sessions, Z places, L lanes.

    Attributes
    ----------
    free : ndarray of int64, shape (C, L)
        First minute of the first session, NEVER if absent.
    session : ndarray of int64, shape (C, S, 2, L)
    desk_session : ndarray of bool, shape (C, S, L)
    close : ndarray of int64, shape (C, L)
        End of the last session; 0 if absent.
    absences : Parts
    places : Places
    ordinary : ndarray of int64, shape (D, L)
        Number of places that may be booked ahead.
    ordinary_start : ndarray of int64, shape (D, Z, L)
        Their starts, in order; NEVER fills the rest.
    """

    free: NDArray[np.int64]
    session: NDArray[np.int64]
    desk_session: NDArray[np.bool_]
    close: NDArray[np.int64]
    absences: Parts
    places: Places
    ordinary: NDArray[np.int64]
    ordinary_start: NDArray[np.int64]

    @cached_property
    def length(self) -> NDArray[np.int64]:
        """Ticks of the sessions of everybody, shape (C, L)."""
        begin, end = self.session[:, :, 0], self.session[:, :, 1]
        length: NDArray[np.int64] = np.where(begin < NEVER, end - begin, 0).sum(1)
        return length

    @cached_property
    def desk_block(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Start of the first session without places and end of the last, an empty time if there is none; (C, L)."""
        begin = np.where(self.desk_session, self.session[:, :, 0], NEVER).min(1)
        return begin, np.where(self.desk_session, self.session[:, :, 1], 0).max(1)


def day_rota(layout: Layout, practices: Practices, weekday: int, monthly: NDArray[np.bool_]) -> DayRota:
    """The pattern of one weekday.

    Parameters
    ----------
    practices : Practices
        One entry per lane.
    monthly : ndarray of bool, shape (L,)
        Whether it is the day of the monthly meeting.
    """
    rota = practices.rota
    session = np.ascontiguousarray(rota.session[:, :, weekday].transpose(1, 2, 3, 0))
    here = session[:, 0, 0] < NEVER
    ends = np.where(session[:, :, 1] < NEVER, session[:, :, 1], 0)
    most = max(1, int((rota.place[:, :, weekday] < NEVER).sum(2).max()))
    start = np.ascontiguousarray(rota.place[:, :, weekday, :most].transpose(1, 2, 0))
    held = np.ascontiguousarray(rota.held[:, :, weekday, :most].transpose(1, 2, 0))
    ahead = np.where(held, NEVER, start)
    return DayRota(
        free=session[:, 0, 0],
        session=session,
        desk_session=np.ascontiguousarray(rota.desk_session[:, :, weekday].transpose(1, 2, 0)),
        close=ends.max(1),
        absences=_absences(layout, rota, session, here, monthly),
        places=Places(start=start, held=held),
        ordinary=(ahead < NEVER).sum(1),
        ordinary_start=np.sort(ahead, axis=1),
    )


def _absences(
    layout: Layout,
    rota: Rota,
    session: NDArray[np.int64],
    here: NDArray[np.bool_],
    monthly: NDArray[np.bool_],
) -> Parts:
    """Breaks, time between sessions, meetings and going home, as starts of rank 0 in each person's own stream.

    Nobody meets alone.
    """
    n_roles = len(layout.roles)
    together = (here.sum(0) > 1)[:, None]
    huddle = np.where(together, rota.huddle, 0)
    meeting = np.where(together & monthly[:, None], rota.monthly, 0)
    met = meeting[:, 1] > meeting[:, 0]
    found = [no_parts(n_roles)]
    for person in range(len(session)):
        present = here[person]
        for k in range(session.shape[1] - 1):
            off, back = session[person, k, 1], session[person, k + 1, 0]
            between = present & (back < NEVER) & (back > off)
            off = np.where(met & (meeting[:, 0] >= off) & (meeting[:, 0] < back), meeting[:, 1], off)
            found.append(_absence(n_roles, person, Part.OFF, between & (back > off), off, back))
        for k in range(rota.rest.shape[2]):
            begin, end = rota.rest[:, person, k, 0], rota.rest[:, person, k, 1]
            found.append(_absence(n_roles, person, Part.REST, present & (begin < NEVER), begin, end))
        for begin, end in (huddle.T, meeting.T):
            found.append(_absence(n_roles, person, Part.MEETING, present & (end > begin), begin, end))
        leaves = np.maximum(rota.leaves_at[:, person], np.where(met, meeting[:, 1], 0))
        end_of_day = np.full(len(leaves), END_OF_DAY)
        found.append(_absence(n_roles, person, Part.OFF, present, leaves, end_of_day))
    return settled(join(found))


def _absence(
    n_roles: int,
    person: int,
    part: int,
    where: NDArray[np.bool_],
    begin: NDArray[np.int64],
    end: NDArray[np.int64],
) -> Parts:
    lane = np.flatnonzero(where)
    n = len(lane)
    zero = np.zeros(n, np.int64)
    return replace(
        no_parts(n_roles),
        lane=lane,
        request=zero - 1,
        part=np.full(n, part, np.int8),
        errand=np.zeros(n, np.int8),
        acts=zero,
        visit=np.zeros(n, np.bool_),
        stream=zero + person,
        list=zero,
        release=begin[lane],
        key=np.full(n, part, np.uint64),
        channel=np.zeros(n, np.int8),
        service=np.zeros((n_roles, n), np.int64),
        fixed_end=end[lane],
        parent=zero - 1,
        ordinal=zero,
        responsible=zero - 1,
        carried=np.zeros(n, np.int8),
    )


def in_session(
    rota: DayRota,
    people: NDArray[np.int64],
    lane: NDArray[np.int64],
    tick: NDArray[np.int64],
    with_places: bool = False,
) -> NDArray[np.bool_]:
    """Whether any of the `people` is in a session at `tick`; shape (n,).

    Parameters
    ----------
    with_places : bool
        Sessions with places only: in the others a GP may be out on visits.
    """
    present = np.zeros(len(lane), dtype=bool)
    for person in people:
        for k in range(rota.session.shape[1]):
            begin, end = rota.session[person, k, 0][lane], rota.session[person, k, 1][lane]
            inside = (begin <= tick) & (tick < end)
            present |= inside & ~rota.desk_session[person, k][lane] if with_places else inside
    return present


def next_opening(
    rota: DayRota,
    person: NDArray[np.int64],
    lane: NDArray[np.int64],
    tick: NDArray[np.int64],
    urgent: NDArray[np.bool_],
) -> NDArray[np.int64]:
    """The tick itself inside a session with places, else the start of the next one, else the tick.

    Urgent patients are also seen in sessions without places.
    """
    opening = np.full(len(lane), NEVER)
    for k in range(rota.session.shape[1]):
        begin, end = rota.session[person, k, 0, lane], rota.session[person, k, 1, lane]
        usable = (begin < NEVER) & (urgent | ~rota.desk_session[person, k, lane]) & (tick < end)
        opening = np.minimum(opening, np.where(usable, np.maximum(begin, tick), NEVER))
    return np.where(opening < NEVER, opening, tick)
