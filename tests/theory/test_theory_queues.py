"""The station kernel against queueing theory: Erlang C, pooling, Pollaczek-Khinchine, Cobham, D/M/1.

A replication is a lane; each lane serves the same number of tasks of a stationary stream, up to 150,000 minutes,
and those of a warm-up are not counted. Each of the 44 comparisons has a false-alarm rate of 1e-4
(`replications.compare`), so a program that is right fails the file with a chance of at most 0.0044 for seeds not
tried before; seeds are fixed, so a pass is a pass for ever. `PRECISION` is the error that a comparison must be
able to see. The long versions have ten times the lanes.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from formulas import cobham, d_m_1, delay_probability, m_g_1, m_m_c, m_m_c_cobham
from numpy.typing import NDArray
from replications import Comparison, compare, draw_ticks, lane_keys, stream_keys

from careload.draws import name_key, uniform
from careload.quantiles import Law
from careload.station import LONG_SPAN, Queue, Served, merge, serve
from careload.ticks import MINUTE

MEAN = 10.0
CHUNK = 250
PRECISION, SLOW_PRECISION = 0.06, 0.02
IntArray = NDArray[np.int64]

EFFORTS = [
    pytest.param((1, PRECISION), id="quick"),
    pytest.param((10, SLOW_PRECISION), id="long", marks=pytest.mark.slow),
]
effort = pytest.mark.parametrize("effort", EFFORTS)
Effort = tuple[int, float]


@dataclass(frozen=True)
class Stream:
    """Tasks of all lanes, n of each, shape (lanes, n): ticks after the beginning of the lane, and draws."""

    time: IntArray
    keys: NDArray[np.uint64]

    def queue(self, service: IntArray, chosen: NDArray[np.bool_] | slice = slice(None)) -> Queue:
        """The chosen tasks, shape (lanes, n) each, on the common clock."""
        clock = self.time + np.arange(len(self.time))[:, None] * LONG_SPAN
        return Queue(clock[chosen].ravel(), service[chosen].ravel())


def arrivals(keys: NDArray[np.uint64], n: int, gap: float, law: Law = Law.EXPONENTIAL) -> Stream:
    """Gaps of a law with a mean in minutes: a Poisson stream unless they are constant."""
    each = stream_keys(keys, n)
    cv = 0.0 if law is Law.CONSTANT else 1.0
    return Stream(np.cumsum(draw_ticks(each, "gap", law, cv, gap), axis=1), each)


def chunks(name: str, lanes: int) -> list[NDArray[np.uint64]]:
    return [lane_keys(name, np.arange(first, first + CHUNK)) for first in range(0, lanes, CHUNK)]


def waits(queue: Queue, served: Served) -> NDArray[np.float64]:
    return (served.start - queue.time) / MINUTE


def after(warm_up: int, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sums over the tasks of each lane behind the warm-up."""
    counted: NDArray[np.float64] = values.reshape(CHUNK, -1)[:, warm_up:].sum(axis=1)
    return counted


ERLANG = [(1, 4.8), (1, 5.4), (2, 9.6), (2, 10.8), (4, 19.2), (4, 21.6), (8, 43.2)]


@effort
@pytest.mark.parametrize(("servers", "per_hour"), ERLANG)
def test_erlang_c(servers: int, per_hour: float, effort: Effort) -> None:
    factor, precision = effort
    n, warm_up = 9000, 3000
    delayed, waited = [], []
    for keys in chunks(f"erlang {servers} {per_hour}", 1000 * factor):
        stream = arrivals(keys, n, 60 / per_hour)
        queue = stream.queue(draw_ticks(stream.keys, "service", Law.EXPONENTIAL, 1.0, MEAN))
        minutes = waits(queue, serve([queue], servers, CHUNK, LONG_SPAN)[0])
        delayed.append(after(warm_up, minutes > 0))
        waited.append(after(warm_up, minutes))
    rate, counted = per_hour / 60, n - warm_up
    share = compare(np.concatenate(delayed), counted, delay_probability(servers, rate * MEAN))
    assert share.holds(precision), share
    mean = compare(np.concatenate(waited), counted, m_m_c(servers, rate, MEAN))
    assert mean.holds(precision), mean


def test_one_queue_for_two_servers_is_better_than_two_queues() -> None:
    n, warm_up = 9000, 3000
    apart, pooled, saved = [], [], []
    for keys in chunks("pooled", 500):
        own = []
        for side in (0, 1):
            stream = arrivals(stream_keys(keys, 2)[:, side], n, 60 / 5.4)
            own.append(stream.queue(draw_ticks(stream.keys, "service", Law.EXPONENTIAL, 1.0, MEAN)))
        both = merge(*own)
        together = waits(both, serve([both], 2, CHUNK, LONG_SPAN)[0])
        alone = [after(warm_up, waits(queue, serve([queue], 1, CHUNK, LONG_SPAN)[0])) for queue in own]
        apart.append(sum(alone) / 2)
        pooled.append(after(2 * warm_up, together) / 2)
        saved.append(apart[-1] - pooled[-1])
    one, two = m_m_c(1, 0.09, MEAN), m_m_c(2, 0.18, MEAN)
    for found, expected in ((apart, one), (pooled, two), (saved, one - two)):
        result = compare(np.concatenate(found), n - warm_up, expected)
        assert result.holds(PRECISION), result


LAWS = [(Law.CONSTANT, 0.0), (Law.GAMMA, 0.5), (Law.LOGNORMAL, 0.7), (Law.EXPONENTIAL, 1.0)]


@effort
@pytest.mark.parametrize("load", [0.7, 0.8, 0.9])
@pytest.mark.parametrize(("law", "cv"), LAWS)
def test_pollaczek_khinchine(law: Law, cv: float, load: float, effort: Effort) -> None:
    factor, precision = effort
    n, warm_up = 8000, 2000
    waited = []
    for keys in chunks(f"general {cv} {load}", 500 * factor):
        stream = arrivals(keys, n, MEAN / load)
        queue = stream.queue(draw_ticks(stream.keys, "service", law, cv, MEAN))
        waited.append(after(warm_up, waits(queue, serve([queue], 1, CHUNK, LONG_SPAN)[0])))
    result = compare(np.concatenate(waited), n - warm_up, m_g_1(load / MEAN, MEAN, cv))
    assert result.holds(precision), result


@effort
@pytest.mark.parametrize("gap", [11.0, 12.0, 12.5, 15.0])
def test_appointments_without_end(gap: float, effort: Effort) -> None:
    """D/M/1: equal gaps, exponential services."""
    factor, precision = effort
    n, warm_up = 8000, 2500
    waited = []
    for keys in chunks(f"equal gaps {gap}", 500 * factor):
        stream = arrivals(keys, n, gap, Law.CONSTANT)
        queue = stream.queue(draw_ticks(stream.keys, "service", Law.EXPONENTIAL, 1.0, MEAN))
        waited.append(after(warm_up, waits(queue, serve([queue], 1, CHUNK, LONG_SPAN)[0])))
    result = compare(np.concatenate(waited), n - warm_up, d_m_1(gap, MEAN))
    assert result.holds(precision), result


@dataclass(frozen=True)
class Classes:
    """A station with priorities; one entry per class, the most urgent first."""

    servers: int
    load: float
    shares: tuple[float, ...]
    laws: tuple[tuple[Law, float], ...]
    means: tuple[float, ...]

    @property
    def rates(self) -> list[float]:
        work = sum(share * mean for share, mean in zip(self.shares, self.means, strict=True))
        return [share * self.servers * self.load / work for share in self.shares]

    def expected(self) -> list[float]:
        if self.servers > 1:
            return m_m_c_cobham(self.servers, self.rates, self.means[0])
        return cobham(self.rates, self.means, [cv for _, cv in self.laws])


EXPONENTIAL = (Law.EXPONENTIAL, 1.0)
PRIORITIES = {
    "nurse": Classes(1, 0.8, (0.1, 0.9), ((Law.LOGNORMAL, 0.5),) * 2, (15.0, 15.0)),
    "three kinds": Classes(
        1, 0.85, (0.2, 0.3, 0.5), (EXPONENTIAL, (Law.GAMMA, 0.5), (Law.CONSTANT, 0.0)), (5.0, 10.0, 12.0)
    ),
    "two servers": Classes(2, 0.8, (0.3, 0.7), (EXPONENTIAL,) * 2, (10.0, 10.0)),
    "four classes": Classes(3, 0.85, (0.1, 0.2, 0.3, 0.4), (EXPONENTIAL,) * 4, (10.0,) * 4),
}


def by_class(name: str, lanes: int, order: int = 1) -> list[Comparison]:
    """Serve one stream thinned into classes; `order` -1 serves the least urgent first."""
    case, (n, warm_up) = PRIORITIES[name], (8000, 2000)
    edges = np.cumsum([0.0, *case.shares])
    totals: list[list[NDArray[np.float64]]] = [[] for _ in case.shares]
    counts: list[list[IntArray]] = [[] for _ in case.shares]
    for keys in chunks(f"priority {name}", lanes):
        stream = arrivals(keys, n, 1 / sum(case.rates))
        draw = uniform(stream.keys, name_key("class"))
        chosen = [(draw >= low) & (draw < high) for low, high in pairwise(edges)]
        queues = [
            stream.queue(draw_ticks(stream.keys, "service", *law, mean), mine)
            for mine, law, mean in zip(chosen, case.laws, case.means, strict=True)
        ]
        served = serve(queues[::order], case.servers, CHUNK, LONG_SPAN)[::order]
        for p, (mine, queue, one) in enumerate(zip(chosen, queues, served, strict=True)):
            lane, place = np.nonzero(mine)
            counted = place >= warm_up
            minutes = waits(queue, one)[counted]
            totals[p].append(np.bincount(lane[counted], minutes, CHUNK))
            counts[p].append(np.bincount(lane[counted], minlength=CHUNK))
    return [
        compare(np.concatenate(total), np.concatenate(count), expected)
        for total, count, expected in zip(totals, counts, case.expected(), strict=True)
    ]


@effort
@pytest.mark.parametrize("name", PRIORITIES)
def test_cobham(name: str, effort: Effort) -> None:
    factor, precision = effort
    for result in by_class(name, 500 * factor):
        assert result.holds(precision), result


def test_the_wrong_order_of_classes_would_be_seen() -> None:
    assert not any(result.holds(PRECISION) for result in by_class("nurse", 250, order=-1))
