"""PY-1 by others: the C event loop, SimPy, Ciw and the event list of Mesa, each where it is installed."""

from __future__ import annotations

import ctypes
import importlib.util
import random
import shutil
import subprocess
import tempfile
from collections import deque
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from practice_year_workload import (
    COLUMN,
    COLUMNS,
    DAY,
    DAYS,
    FREQUENT,
    GPS,
    MU,
    NURSE_SHARE,
    OPEN,
    PATIENTS,
    QUEUES,
    RECEPTION_MINUTES,
    REQUESTS,
    ROLES,
    SIGMA,
    SUPERVISED_SHARE,
    SUPERVISION_MINUTES,
    URGENT_SHARE,
)

Rows = NDArray[np.float64]
Year = Callable[[int], list[float]]

RECEPTION, NURSE, GP = range(3)
WAIT = COLUMN["wait reception"]
TASKS = COLUMN[f"tasks {QUEUES[0]}"]
MINUTES, OVERTIME = COLUMN[f"minutes {ROLES[0]}"], COLUMN[f"overtime {ROLES[0]}"]
FREQUENT_PATIENTS = COLUMN["frequent patients"]


def installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def compiled_c() -> Callable[[int, int], Rows] | None:
    """`practice_year.c` as a function of (years, seed), None without a compiler that takes it."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return None
    library = Path(tempfile.mkdtemp()) / "practice_year.so"
    source = Path(__file__).with_name("practice_year.c")
    for flags in (["-march=native"], []):
        command = [compiler, "-O3", *flags, "-shared", "-fPIC", str(source), "-o", str(library), "-lm"]
        if subprocess.run(command, capture_output=True).returncode == 0:
            break
    else:
        return None
    function = ctypes.CDLL(str(library)).practice_years
    function.argtypes = [ctypes.c_int, ctypes.c_uint64, ctypes.c_void_p]
    function.restype = None

    def years(n: int, seed: int) -> Rows:
        rows = np.empty((n, len(COLUMNS)))
        function(n, seed, rows.ctypes.data)
        return rows

    return years


def count_start(row: list[float], role: int, queue: int, arrival: float, now: float, service: float) -> None:
    """Count one start; `queue` is the class among nurse urgent, nurse routine, GP urgent, GP routine."""
    if role == RECEPTION:
        row[WAIT] += now - arrival
    else:
        row[TASKS + 2 * queue] += 1
        row[TASKS + 2 * queue + 1] += now - arrival
    row[MINUTES + role] += service
    close = now // DAY * DAY + OPEN
    row[OVERTIME + role] += max(0.0, now + service - max(now, close))


def simpy_year(seed: int) -> list[float]:
    """One process per request."""
    import simpy

    env, draw = simpy.Environment(), random.Random(seed)
    row, contacts = [0.0] * len(COLUMNS), [0] * PATIENTS
    desk, nurse, gps = (
        simpy.Resource(env, 1),
        simpy.PriorityResource(env, 1),
        simpy.PriorityResource(env, GPS),
    )

    def clinical(staff: Any, role: int, rank: int, mean: float | None) -> Generator[Any, Any, None]:
        arrival = env.now
        with staff.request(priority=rank) as turn:
            yield turn
            service = draw.lognormvariate(MU, SIGMA) if mean is None else draw.expovariate(1 / mean)
            count_start(row, role, 2 * (role - NURSE) + rank, arrival, env.now, service)
            yield env.timeout(service)

    def request() -> Generator[Any, Any, None]:
        arrival = env.now
        row[0] += 1
        contacts[draw.randrange(PATIENTS)] += 1
        rank = int(draw.random() >= URGENT_SHARE)
        with desk.request() as turn:
            yield turn
            service = draw.expovariate(1 / RECEPTION_MINUTES)
            count_start(row, RECEPTION, 0, arrival, env.now, service)
            yield env.timeout(service)
        if draw.random() >= NURSE_SHARE:
            yield from clinical(gps, GP, rank, None)
            return
        yield from clinical(nurse, NURSE, rank, None)
        if draw.random() < SUPERVISED_SHARE:
            yield from clinical(gps, GP, rank, SUPERVISION_MINUTES)

    def calls() -> Generator[Any, Any, None]:
        for day in range(DAYS):
            at = float(day * DAY)
            while (at := at + draw.expovariate(REQUESTS / OPEN)) < day * DAY + OPEN:
                yield env.timeout(at - env.now)
                env.process(request())

    env.process(calls())
    env.run()
    row[FREQUENT_PATIENTS] = sum(n >= FREQUENT for n in contacts)
    return row


def ciw_year(seed: int) -> list[float]:
    """A network of three nodes, read from its records."""
    import ciw

    class FirstCome(ciw.Node):
        """The reception knows no classes."""

        def choose_next_customer(self) -> Any:
            waiting = [one for queue in self.individuals for one in queue if not one.server]
            return min(waiting, key=lambda one: one.arrival_date) if waiting else None

    class GPService(ciw.dists.Distribution):
        """Short if the patient comes from the nurse."""

        task = ciw.dists.Lognormal(MU, SIGMA)
        supervision = ciw.dists.Exponential(1 / SUPERVISION_MINUTES)

        def sample(self, t: float | None = None, ind: Any = None) -> float:
            nursed = bool(ind.data_records) and ind.data_records[-1].node == 1 + NURSE
            return (self.supervision if nursed else self.task).sample()

    def calls(share: float) -> Any:
        return ciw.dists.PoissonIntervals([share * REQUESTS / OPEN, 0.0], [OPEN, DAY], DAYS * DAY)

    ciw.seed(seed)
    services = [ciw.dists.Exponential(1 / RECEPTION_MINUTES), ciw.dists.Lognormal(MU, SIGMA), GPService()]
    routes = [[0.0, NURSE_SHARE, 1 - NURSE_SHARE], [0.0, 0.0, SUPERVISED_SHARE], [0.0, 0.0, 0.0]]
    kinds = {"urgent": URGENT_SHARE, "routine": 1 - URGENT_SHARE}
    network = ciw.create_network(
        arrival_distributions={kind: [calls(share), None, None] for kind, share in kinds.items()},
        service_distributions=dict.fromkeys(kinds, services),
        routing=dict.fromkeys(kinds, routes),
        priority_classes=({"urgent": 0, "routine": 1}, [False, False, False]),
        number_of_servers=[1, 1, GPS],
    )
    simulation = ciw.Simulation(network, node_class=[FirstCome, ciw.Node, ciw.Node])
    simulation.simulate_until_max_time(DAYS * DAY)
    row, contacts = [0.0] * len(COLUMNS), [0] * PATIENTS
    for record in simulation.get_all_records():
        role = record.node - 1
        if role == RECEPTION:
            row[0] += 1
            contacts[ciw.random.randrange(PATIENTS)] += 1
        queue = 2 * (role - NURSE) + int(record.customer_class == "routine")
        count_start(row, role, queue, record.arrival_date, record.service_start_date, record.service_time)
    row[FREQUENT_PATIENTS] = sum(n >= FREQUENT for n in contacts)
    return row


def mesa_year(seed: int) -> list[float]:
    """Agents for patients and staff; the event list of Mesa moves the clock."""
    import mesa
    from mesa.experimental.devs import DEVSimulator

    class Patient(mesa.Agent):
        contacts = 0

    class Staff(mesa.Agent):
        """Equal members of a role with a list per class."""

        def __init__(self, model: mesa.Model, role: int, members: int) -> None:
            super().__init__(model)
            self.role, self.idle, self.waiting = role, members, (deque[Any](), deque[Any]())

        def take(self, rank: int, task: tuple[bool, int]) -> None:
            self.waiting[rank].append((self.model.simulator.time, task))
            self.begin()

        def begin(self) -> None:
            model = self.model
            now = model.simulator.time
            while self.idle and (self.waiting[0] or self.waiting[1]):
                rank = 0 if self.waiting[0] else 1
                arrival, task = self.waiting[rank].popleft()
                self.idle -= 1
                service = model.service(self.role, task[0])
                count_start(model.row, self.role, 2 * (self.role - NURSE) + rank, arrival, now, service)
                model.simulator.schedule_event_absolute(self.end, now + service, function_args=[task])

        def end(self, task: tuple[bool, int]) -> None:
            self.idle += 1
            self.model.onward(self.role, task[1])
            self.begin()

    class Practice(mesa.Model):
        """A task is (supervision?, class)."""

        def __init__(self, simulator: DEVSimulator) -> None:
            super().__init__(seed=seed)
            self.simulator, self.row, self.day = simulator, [0.0] * len(COLUMNS), 0
            simulator.setup(self)
            self.people = list(Patient.create_agents(self, PATIENTS))
            self.desk, self.nurse, self.gps = (
                Staff(self, RECEPTION, 1),
                Staff(self, NURSE, 1),
                Staff(self, GP, GPS),
            )
            self.next_call(0.0)

        def service(self, role: int, supervision: bool) -> float:
            if role == RECEPTION:
                return self.random.expovariate(1 / RECEPTION_MINUTES)
            if supervision:
                return self.random.expovariate(1 / SUPERVISION_MINUTES)
            return self.random.lognormvariate(MU, SIGMA)

        def next_call(self, now: float) -> None:
            at = now + self.random.expovariate(REQUESTS / OPEN)
            while at >= self.day * DAY + OPEN:
                self.day += 1
                at = self.day * DAY + self.random.expovariate(REQUESTS / OPEN)
            if self.day < DAYS:
                self.simulator.schedule_event_absolute(self.call, at)

        def call(self) -> None:
            self.row[0] += 1
            self.people[self.random.randrange(PATIENTS)].contacts += 1
            self.desk.take(0, (False, int(self.random.random() >= URGENT_SHARE)))
            self.next_call(self.simulator.time)

        def onward(self, role: int, rank: int) -> None:
            if role == RECEPTION:
                to = self.nurse if self.random.random() < NURSE_SHARE else self.gps
                to.take(rank, (False, rank))
            elif role == NURSE and self.random.random() < SUPERVISED_SHARE:
                self.gps.take(rank, (True, rank))

    simulator = DEVSimulator()
    practice = Practice(simulator)
    simulator.run_until(DAYS * DAY)
    practice.row[FREQUENT_PATIENTS] = sum(one.contacts >= FREQUENT for one in practice.people)
    return practice.row
