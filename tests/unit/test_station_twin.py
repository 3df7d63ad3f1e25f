"""The station starts what a heap of events starts and what the coupled schedule starts, tick by tick."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
import twin_station as twin
from numpy.typing import NDArray

from careload.day.schedule import MAX_ROOMS, ROUTINE, SAME_DAY, URGENT, Items, Roster, schedule
from careload.station import DAY_SPAN, LONG_SPAN, Queue, Served, merge, serve
from careload.ticks import MINUTE

N_CASES = 80
LANES = 9
LISTS = (URGENT, SAME_DAY, ROUTINE)

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Case:
    queues: list[Queue]
    servers: int
    span: int
    free: IntArray
    served: list[Served]


def make_case(number: int) -> Case:
    """One to three classes, one to five servers, lanes of very different length, ties on half of the cases."""
    g = np.random.default_rng([31, number])
    servers, span = int(g.integers(1, 6)), int(g.choice([DAY_SPAN, LONG_SPAN]))
    grid = 10 * MINUTE if number % 2 else 1
    queues = []
    for _ in range(int(g.integers(1, 4))):
        lane = np.repeat(np.arange(LANES), g.poisson(g.choice([0.3, 12.0, 40.0], LANES)))
        time = lane * span + g.integers(0, 500 * MINUTE, len(lane)) // grid * grid
        service = g.gamma(2.0, 4.0 * servers * MINUTE, len(lane)).astype(np.int64) // grid * grid
        queues.append(Queue(np.sort(time), service))
    free = g.integers(0, 4, (servers, LANES)) * 20 * MINUTE
    return Case(queues, servers, span, free, serve(queues, servers, LANES, span, free))


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    return [make_case(number) for number in range(N_CASES)]


def test_every_start_is_that_of_the_event_list(cases: list[Case]) -> None:
    compared = 0
    for case in cases:
        for lane in range(LANES):
            tasks = [
                task for p, queue in enumerate(case.queues) for task in tasks_of(queue, p, lane, case.span)
            ]
            expected = twin.lane_starts(tasks, case.free[:, lane].tolist())
            assert len(expected) == len(tasks)
            for (rank, place), start in expected.items():
                assert case.served[rank].start[place] - lane * case.span == start
            compared += len(tasks)
    assert compared > 15_000


def tasks_of(queue: Queue, rank: int, lane: int, span: int) -> list[twin.Task]:
    return [
        twin.Task(rank, place, int(queue.time[place]) - lane * span, int(queue.service[place]))
        for place in np.flatnonzero(queue.time // span == lane).tolist()
    ]


def test_every_start_is_that_of_the_coupled_schedule(cases: list[Case]) -> None:
    for case in cases:
        found = schedule(one_stream(case), items_of(case))
        expected = np.concatenate([queue.start % case.span for queue in case.served])
        assert np.array_equal(found.start, expected)
        assert np.array_equal(found.end, np.concatenate([queue.end % case.span for queue in case.served]))


def one_stream(case: Case) -> Roster:
    """Equal people who read an empty own stream and one common stream."""
    people = case.servers
    return Roster(
        role=np.zeros(people, np.int64),
        streams=np.column_stack([np.arange(people), np.full(people, people)]),
        n_streams=people + 1,
        pace=np.full((people, LANES), 1024),
        free=case.free,
        delay=np.zeros((people, 2, LANES), np.int64),
        cap=np.full(LANES, DAY_SPAN),
        rooms=np.full(LANES, MAX_ROOMS),
    )


def items_of(case: Case) -> Items:
    time = np.concatenate([queue.time for queue in case.queues])
    n = len(time)
    which = np.repeat(LISTS[: len(case.queues)], [len(queue.time) for queue in case.queues])
    zero = np.zeros(n, np.int64)
    return Items(
        lane=time // case.span,
        stream=np.full(n, case.servers),
        list=which.astype(np.int8),
        release=time % case.span,
        key=np.arange(n, dtype=np.uint64),
        service=np.concatenate([queue.service for queue in case.queues])[None],
        fixed_end=zero,
        parent=zero - 1,
        ordinal=zero,
        responsible=np.full(n, -1, np.int8),
        needs_room=np.zeros(n, np.bool_),
    )


def test_a_lane_alone_is_the_lane_among_others(cases: list[Case]) -> None:
    for case in cases:
        for lane in (0, 4, LANES - 1):
            rows = [np.flatnonzero(queue.time // case.span == lane) for queue in case.queues]
            shift = lane * case.span
            alone = serve(
                [Queue(q.time[r] - shift, q.service[r]) for q, r in zip(case.queues, rows, strict=True)],
                case.servers,
                1,
                case.span,
                case.free[:, [lane]],
            )
            for one, among, row in zip(alone, case.served, rows, strict=True):
                assert np.array_equal(one.start + shift, among.start[row])
                assert np.array_equal(one.end + shift, among.end[row])


def test_more_lanes_than_step_together_are_served_as_in_parts() -> None:
    g = np.random.default_rng(32)
    lanes = 10_000
    lane = np.sort(g.integers(0, lanes, 60_000))
    queues = [
        Queue(
            np.sort(part * DAY_SPAN + g.integers(0, 60 * MINUTE, len(part))),
            g.integers(1, 9 * MINUTE, len(part)),
        )
        for part in (lane[::3], np.sort(np.concatenate([lane[1::3], lane[2::3]])))
    ]
    whole = serve(queues, 2, lanes)
    for first, behind in ((0, 3000), (3000, 4500), (4500, lanes)):
        rows = [(q.time >= first * DAY_SPAN) & (q.time < behind * DAY_SPAN) for q in queues]
        part = serve(
            [Queue(q.time[r] - first * DAY_SPAN, q.service[r]) for q, r in zip(queues, rows, strict=True)],
            2,
            behind - first,
        )
        for one, among, row in zip(part, whole, rows, strict=True):
            assert np.array_equal(one.start + first * DAY_SPAN, among.start[row])


def test_one_server_and_class_in_closed_form_is_a_second_class_that_never_comes(cases: list[Case]) -> None:
    nobody = Queue(np.empty(0, np.int64), np.empty(0, np.int64))
    for case in cases:
        queue = case.queues[0]
        arguments = (1, LANES, case.span, case.free[:1])
        closed = serve([queue], *arguments)[0]
        stepped = serve([queue, nobody], *arguments)[0]
        assert np.array_equal(closed.start, stepped.start)
        assert np.array_equal(closed.end, stepped.end)


def test_a_service_takes_at_least_one_tick() -> None:
    queue = Queue(np.zeros(3, np.int64), np.array([0, 0, 5]))
    assert serve([queue], 1, 1)[0].end.tolist() == [1, 2, 7]
    assert serve([queue, queue], 2, 1)[1].end.tolist() == [2, 3, 8]


def test_the_urgent_task_that_arrives_at_the_tick_of_an_end_is_next() -> None:
    urgent = Queue(np.array([10, 21]), np.array([4, 4]))
    routine = Queue(np.array([0, 1, 2]), np.array([10, 10, 10]))
    first, second = serve([urgent, routine], 1, 1)
    assert first.start.tolist() == [10, 24]
    assert second.start.tolist() == [0, 14, 28]


def test_nothing_to_do_is_nothing_done() -> None:
    empty = Queue(np.empty(0, np.int64), np.empty(0, np.int64))
    for queues in ([empty], [empty, empty]):
        served = serve(queues, 2, 5)
        assert [len(one.start) for one in served] == [0] * len(queues)


def test_merged_queues_are_in_order_of_arrival_and_ties_go_to_the_first() -> None:
    g = np.random.default_rng(33)
    first = Queue(np.sort(g.integers(0, 60, 40)), np.arange(40))
    second = Queue(np.sort(g.integers(0, 60, 25)), np.arange(40, 65))
    both = merge(first, second)
    order = np.argsort(np.concatenate([first.time, second.time]), kind="stable")
    assert np.array_equal(both.service, order)
    assert np.array_equal(both.time, np.sort(np.concatenate([first.time, second.time])))


def test_a_lane_that_outlasts_its_span_is_refused() -> None:
    work = Queue(np.array([0, 1, DAY_SPAN + 5]), np.array([DAY_SPAN // 2, DAY_SPAN // 2 + 1, 3]))
    for queues in ([work], [work, Queue(np.array([DAY_SPAN]), np.array([7]))]):
        with pytest.raises(ValueError, match="lane 0 is not done within its span"):
            serve(queues, 1, 2)
    assert serve([work], 2, 2)[0].start.tolist() == work.time.tolist()
    assert serve([work], 1, 1, LONG_SPAN)[0].start.tolist() == [0, DAY_SPAN // 2, DAY_SPAN + 5]


def test_arguments_that_do_not_fit_are_refused() -> None:
    queue = Queue(np.array([3, 4]), np.array([5, 5]))
    free = np.zeros((1, 1), np.int64)
    faults = {
        "servers = 0": lambda: serve([queue], 0, 1),
        "queues: expected one or more": lambda: serve([], 1, 1),
        "span = 0": lambda: serve([queue], 1, 1, 0),
        "free has shape": lambda: serve([queue], 2, 1, DAY_SPAN, free),
        "free must lie in": lambda: serve([queue], 1, 1, DAY_SPAN, free - 1),
        "differ in shape": lambda: serve([replace(queue, service=np.array([5]))], 1, 1),
        "time falls": lambda: serve([replace(queue, time=np.array([4, 3]))], 1, 1),
        "time must lie in": lambda: serve([queue], 1, 1, 4),
        "service of": lambda: serve([replace(queue, service=np.array([1, 1 << 60]))], 1, 1),
    }
    for sentence, call in faults.items():
        with pytest.raises(ValueError, match=sentence):
            call()
