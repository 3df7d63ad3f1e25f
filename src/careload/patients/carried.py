"""What contacts may carry, and which acts and desk work they do carry: functions of their keys alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from careload.codes import Codes
from careload.draws import child, events, happens, limit_of

__all__ = ["BundleTables", "Channel", "Offers", "acts_of", "desk_of"]

_PARTS: Final = 1024


class Channel(Codes):
    """Where a visit takes place."""

    OFFICE = 0
    HOME = 1
    PHONE = 2


@dataclass(frozen=True)
class Offers:
    """What each kind of parent may bring; P kinds, E entries.

    Attributes
    ----------
    count, first : ndarray of int64, shape (P,)
        Kind p owns the entries `first[p]` to `first[p] + count[p]`.
    parent, what : ndarray of int64, shape (E,)
    limit : ndarray of uint64, shape (E,)
        `limit_of` the probability.
    """

    count: NDArray[np.int64]
    first: NDArray[np.int64]
    parent: NDArray[np.int64]
    what: NDArray[np.int64]
    limit: NDArray[np.uint64]

    def entries(self, kind: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """All entries of parents of some kinds: position of the parent, and entry."""
        count = self.count.take(kind)
        of = np.repeat(np.arange(len(kind)), count)
        entry = np.arange(len(of))
        entry += (self.first.take(kind) - np.cumsum(count) + count).take(of)
        return of, entry


@dataclass(frozen=True)
class Minutes:
    """The profile of the calls of a day as lines from hour to hour, one more for its end; H lines.

    Attributes
    ----------
    since, until : ndarray of float, shape (H,)
        Cumulated shares between which a line holds.
    minute, slope : ndarray of float, shape (H,)
        Minutes since midnight at its start, and their rise.
    hour : ndarray of int64
        Line that holds at the start of each of many equal parts of the unit interval.
    """

    since: NDArray[np.float64]
    until: NDArray[np.float64]
    minute: NDArray[np.float64]
    slope: NDArray[np.float64]
    hour: NDArray[np.int64]


def _offers(share: NDArray[np.float64]) -> Offers:
    """The entries of a table of probabilities, parents by what they bring."""
    parent, what = np.nonzero(share)
    count = np.bincount(parent, minlength=len(share))
    return Offers(count, np.cumsum(count) - count, parent, what, limit_of(share[parent, what]))


def _with_bare(of_visits: NDArray[np.float64]) -> NDArray[np.float64]:
    """A table by visit with a row before it for the bare call, which brings nothing."""
    return np.concatenate((np.zeros_like(of_visits[:1]), of_visits))


@dataclass(frozen=True)
class BundleTables:
    """What contacts carry; V visits, A acts, K kinds of desk work, T tasks in all.

    Tables derived from these count the *kind* of a request: 0 is the bare call, 1 + v is visit v.

    Attributes
    ----------
    channel : ndarray of int64, shape (V,)
    urgent_share : ndarray of float, shape (V,)
        Share that needs care the same day.
    rank_one_share : ndarray of float, shape (V,)
        Share of those that is urgent.
    set_share : ndarray of float, shape (V,)
        Share that the practice sets itself.
    walk_in_share : float
        Share of the patients' own office requests that comes without a call.
    minute_edge, minute_cumulated : ndarray of float, shape (hours + 1,)
        Minutes since midnight and cumulated share of the calls.
    follow_up_tolerance : float
        Share of the interval by which due work may move.
    least_tolerance_days : int
        Calendar days.
    act_share : ndarray of float, shape (V, A)
        Probability of an act in a visit that names it.
    act_residual : ndarray of float, shape (7, A)
        Probability of an act in any office visit that may carry the rest, by age band.
    carries_rest : ndarray of bool, shape (V,)
    act_season : ndarray of float, shape (53, A)
        Factor by ISO week on both; mean 1 over the open days.
    visit_desk, act_desk : ndarray of float, shape (V, K) and (A, K)
        Probability of desk work left by a visit or an act.
    visit_task, act_task, desk_task : ndarray of int64, shape (V,), (A,), (K,)
        Task numbers.
    call_task : int
    task_key : ndarray of uint64, shape (T,)
    """

    channel: NDArray[np.int64]
    urgent_share: NDArray[np.float64]
    rank_one_share: NDArray[np.float64]
    set_share: NDArray[np.float64]
    walk_in_share: float
    minute_edge: NDArray[np.float64]
    minute_cumulated: NDArray[np.float64]
    follow_up_tolerance: float
    least_tolerance_days: int
    act_share: NDArray[np.float64]
    act_residual: NDArray[np.float64]
    carries_rest: NDArray[np.bool_]
    act_season: NDArray[np.float64]
    visit_desk: NDArray[np.float64]
    act_desk: NDArray[np.float64]
    visit_task: NDArray[np.int64]
    act_task: NDArray[np.int64]
    desk_task: NDArray[np.int64]
    call_task: int
    task_key: NDArray[np.uint64]

    @cached_property
    def minutes(self) -> Minutes:
        """The lines between the points of `minute_cumulated` and `minute_edge`."""
        since, minute = self.minute_cumulated, self.minute_edge
        rise, width = np.diff(minute), np.diff(since)
        slope = np.divide(rise, width, out=np.zeros_like(rise), where=width > 0)
        start = np.arange(_PARTS) / _PARTS
        return Minutes(
            since=since,
            until=np.append(since[1:], np.inf),
            minute=minute,
            slope=np.append(slope, 0.0),
            hour=np.searchsorted(since, start, side="right") - 1,
        )

    @cached_property
    def set_limit(self) -> NDArray[np.uint64]:
        """Limit of `set_share` by kind."""
        return limit_of(_with_bare(self.set_share))

    @cached_property
    def urgent_limit(self) -> NDArray[np.uint64]:
        """Limit of `urgent_share` by kind."""
        return limit_of(_with_bare(self.urgent_share))

    @cached_property
    def rank_one_limit(self) -> NDArray[np.uint64]:
        """Limit of `rank_one_share` by kind."""
        return limit_of(_with_bare(self.rank_one_share))

    @cached_property
    def walk_in_limit(self) -> NDArray[np.uint64]:
        """Limit of `walk_in_share` by kind."""
        return limit_of(_with_bare(np.where(self.channel == Channel.OFFICE, self.walk_in_share, 0.0)))

    @cached_property
    def kind_task(self) -> NDArray[np.int64]:
        """Task of the visit by kind; that of the bare call is its call."""
        return np.concatenate(([self.call_task], self.visit_task))

    @cached_property
    def seasons(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """The rows of `act_season` that differ, and which of them each ISO week has."""
        rows, of_week = np.unique(self.act_season, axis=0, return_inverse=True)
        return rows, of_week.reshape(-1)

    @cached_property
    def act_chance(self) -> NDArray[np.float64]:
        """Probability of an act by season, kind and age band, shape (seasons, 1 + V, 7, A)."""
        rest = np.where(self.carries_rest[:, None, None], self.act_residual, 0.0)
        of_visits = self.act_share[:, None, :] + rest
        chance: NDArray[np.float64] = _with_bare(of_visits) * self.seasons[0][:, None, None, :]
        return chance

    @cached_property
    def named(self) -> Offers:
        """Acts that a visit names, by kind; their limits depend on the season and are in `named_limit`."""
        return _offers(_with_bare(self.act_share))

    @cached_property
    def named_limit(self) -> NDArray[np.uint64]:
        """Limit by season, age band and entry of `named`, flat."""
        chance = self.act_chance[:, self.named.parent, :, self.named.what]
        return limit_of(chance.transpose(1, 2, 0).reshape(-1))

    @cached_property
    def rest_acts(self) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
        """Acts that a visit may carry without naming them, and their limit by season, kind and age band together."""
        chance = np.where(_with_bare(self.act_share)[:, None, :] > 0, 0.0, self.act_chance)
        acts = np.flatnonzero(chance.any(axis=(0, 1, 2)))
        return acts, limit_of(np.ascontiguousarray(chance.reshape(-1, chance.shape[-1]).T[acts]))

    @cached_property
    def visit_offers(self) -> Offers:
        """Desk work that a visit may leave, by kind."""
        return _offers(_with_bare(self.visit_desk))

    @cached_property
    def act_offers(self) -> Offers:
        """Desk work that an act may leave."""
        return _offers(self.act_desk)


def acts_of(
    tables: BundleTables,
    kind: NDArray[np.int64],
    band: NDArray[np.int8],
    week: NDArray[np.int64],
    key: NDArray[np.uint64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Acts of requests: request and act, sorted by request and act.

    Acts that a visit does not name are rare and drawn side by side, those that it names one by one.
    """
    n_bands, n_acts = tables.act_residual.shape
    act_key, season = tables.task_key.take(tables.act_task), tables.seasons[1].take(week)
    carries = np.flatnonzero(tables.carries_rest.take(kind - 1, mode="clip") & (kind > 0))
    place = (season.take(carries) * (len(tables.channel) + 1) + kind.take(carries)) * n_bands
    place += band.take(carries)
    rest, limit = tables.rest_acts
    of, which = events(key.take(carries), act_key.take(rest), limit, place)
    by, entry = tables.named.entries(kind)
    purpose = act_key.take(tables.named.what).take(entry)
    at = entry + ((season * n_bands + band) * len(tables.named.what)).take(by)
    hit = np.flatnonzero(happens(key.take(by), purpose, tables.named_limit.take(at)))
    named = by.take(hit) * n_acts + tables.named.what.take(entry.take(hit))
    pair = np.concatenate((carries.take(of) * n_acts + rest.take(which), named))
    pair.sort()
    request, act = np.divmod(pair, n_acts)
    return request, act


def desk_of(
    tables: BundleTables,
    kind: NDArray[np.int64],
    acts: tuple[NDArray[np.int64], NDArray[np.int64]],
    key: NDArray[np.uint64],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Desk work left: request, kind of desk work and parent act (-1 for the visit), sorted by all three."""
    n_kinds, n_acts = len(tables.desk_task), len(tables.act_task)
    request, act = acts
    origins = (
        (np.arange(len(kind)), np.zeros_like(kind), kind, tables.visit_offers, tables.kind_task),
        (request, act + 1, act, tables.act_offers, tables.act_task),
    )
    desk_key = tables.task_key.take(tables.desk_task)
    found: list[NDArray[np.int64]] = []
    for of, parent, own, offers, task in origins:
        leaves = np.flatnonzero(offers.count.take(own))
        own, of, parent = own.take(leaves), of.take(leaves), parent.take(leaves)
        prefix = child(key.take(of), tables.task_key.take(task).take(own))
        by, entry = offers.entries(own)
        purpose = desk_key.take(offers.what).take(entry)
        hit = np.flatnonzero(happens(prefix.take(by), purpose, offers.limit.take(entry)))
        by, what = by.take(hit), offers.what.take(entry.take(hit))
        found.append((of.take(by) * (n_acts + 1) + parent.take(by)) * n_kinds + what)
    code = np.concatenate(found)
    code.sort()
    pair, kinds = np.divmod(code, n_kinds)
    requests, parents = np.divmod(pair, n_acts + 1)
    return requests, kinds, parents - 1
