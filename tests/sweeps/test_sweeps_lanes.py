"""Points of a sweep together: the same bytes as alone, equal lanes once, one failure loses no other."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

import careload
from careload import plan as plan_module
from careload import simulate as simulate_module
from careload.agents.model import CareModel
from careload.agents.people import Patient
from careload.inputs.faults import Faults
from careload.inputs.load import load_comparison
from careload.inputs.study import Comparison
from careload.jobs import Point, point_of, simulate_points
from careload.plan import Order, make_plan
from careload.results.contrast import Findings
from careload.same import MadeOnce, fingerprint
from careload.simulate import Run, simulate

SHORT = (
    "run.years=0.1",
    "run.years.range=[0.05,5]",
    "run.replications=2",
    "run.replications.range=[1,60]",
    "run.fixed_list_replications=2",
    "run.fixed_list_replications.range=[2,40]",
    "practice.list_size.range=[100,4000]",
)
POINTS = (
    ("practice.list_size=300",),
    ("practice.list_size=300", "practice.team.nurse.fte=0.25"),
    ("practice.list_size=450", "practice.team.nurse.fte=1.0"),
    ("practice.list_size=450", "seed=7"),
    ("practice.list_size=300", "behaviour=settled"),
    ("practice.list_size=300", "patient.accepts_nurse=0.6"),
    ("practice.list_size=450", "task.call_handling.minutes.gp=3"),
    ("practice.list_size=300", "practice.team.nurse.heads=2"),
    (
        "practice.list_size=300",
        "task.undifferentiated.rate.value=900",
        "task.undifferentiated.rate.range=[10,2000]",
    ),
    ("practice.list_size=300", "run.replications=3", "delegation.supervision_minutes.contact=3"),
    ("practice.list_size=300", "run.years=0.15"),
    (
        "practice.list_size=300",
        "run.crumb_limit_minutes=10",
        "task.undifferentiated.cv.value=0.3",
        "task.undifferentiated.cv.range=[0.1,2]",
    ),
)


def comparison(*overrides: str) -> Comparison:
    return load_comparison([*SHORT, *overrides])


def point(*overrides: str) -> Point:
    loaded = comparison(*overrides)
    return point_of(loaded.worlds, loaded.scenario, spread=False)


def differing(one: Run, other: Run) -> list[str]:
    """Names of all that differs between two runs, to the last bit."""
    tables = [(one, other), *zip(one.ledgers, other.ledgers, strict=True), (one.layout, other.layout)]
    names = []
    for first, second in tables:
        for field in fields(first):
            if field.name not in ("ledgers", "layout"):
                same = fingerprint(getattr(first, field.name)) == fingerprint(getattr(second, field.name))
                names += [] if same else [field.name]
    return names


@pytest.fixture(scope="module")
def together() -> dict[int, Findings | Exception]:
    """All points of the list, simulated together."""
    found: dict[int, Findings | Exception] = {}
    simulate_points([point(*overrides) for overrides in POINTS], found.__setitem__)
    return found


@pytest.mark.parametrize("number", range(len(POINTS)), ids=[" ".join(overrides) for overrides in POINTS])
def test_a_point_of_a_sweep_is_the_same_run_as_alone(
    together: dict[int, Findings | Exception], number: int
) -> None:
    """Points that differ in list, seed, staff, choices, patients' side, length and rules share blocks only."""
    found = together[number]
    assert isinstance(found, Findings)
    one = point(*POINTS[number])
    alone = simulate([study for _, study in one.worlds], one.replications, one.fixed)
    assert differing(found.run, alone) == []


def test_points_differ(together: dict[int, Findings | Exception]) -> None:
    """The comparison of runs can fail: every point differs from the first."""
    runs = [found.run for found in together.values() if isinstance(found, Findings)]
    same_shape = [run for run in runs[1:] if run.totals.shape == runs[0].totals.shape]
    assert len(same_shape) > 5
    assert all(differing(runs[0], run) for run in same_shape)


def test_a_baseline_is_simulated_once_for_all_worlds_that_are_compared_with_it() -> None:
    orders = [
        Order(tuple(study for _, study in comparison(f"practice.team.nurse.fte={fte}").worlds), 2, 1)
        for fte in (0.2, 0.4, 0.6)
    ]
    made = make_plan(orders)
    assert [place.worlds[0] for place in made.places] == [0, 0, 0]
    assert len({place.worlds[1] for place in made.places}) == 3
    assert [len(block.worlds) * len(block.numbers) for block in made.blocks] == [4 * 3]


def test_a_value_that_nobody_reads_makes_no_new_world() -> None:
    """Without a nurse no rule of delegation is read, and no minutes of a nurse."""
    values = ("delegation.hand_back.contact=0.2", "trust.start=0.5", "task.blood_draw.minutes.nurse=9")
    worlds = [comparison(*values[:n]).worlds[0][1] for n in range(len(values) + 1)]
    made = make_plan([Order((world,), 1) for world in worlds])
    assert len(set(made.places)) == 1


def test_lists_of_several_sizes_share_a_block() -> None:
    orders = [
        Order(tuple(study for _, study in comparison(f"practice.list_size={size}").worlds), 2)
        for size in (300, 400, 500)
    ]
    (block,) = make_plan(orders).blocks
    assert block.cells.list_size.tolist() == [300, 300, 400, 400, 500, 500]


def test_points_with_more_people_than_a_day_holds_share_no_block(monkeypatch: pytest.MonkeyPatch) -> None:
    """Orders of the same people stay together; with room for all of them the runs are the same."""
    worlds = [
        comparison("practice.list_size=300", f"practice.team.{more}.heads=4").worlds
        for more in ("gp", "nurse")
    ]
    orders = [Order(tuple(study for _, study in one), 1) for one in (*worlds, *worlds)]
    monkeypatch.setattr(plan_module, "MAX_PEOPLE", 7)
    made = make_plan(orders)
    assert [place.group for place in made.places] == [0, 1, 0, 1]
    assert made.same_lanes(0, 2)
    assert [len(block.layout.person_role) for block in made.blocks] == [5, 5]
    monkeypatch.undo()
    assert [place.group for place in make_plan(orders).places] == [0] * 4


def mixed() -> list[Order]:
    """A run of five cells, and another world in the first two of them only."""
    low, high = (
        tuple(
            study
            for _, study in comparison("practice.list_size=300", f"practice.team.nurse.fte={fte}").worlds
        )
        for fte in (0.2, 0.6)
    )
    return [Order(low, 5), Order(high, 2)]


def test_worlds_that_want_few_cells_share_a_block_with_the_others() -> None:
    """Every run is that of its own lanes alone, and its patients are the objects of those lanes only."""
    orders = mixed()
    made = make_plan(orders)
    (block,) = made.blocks
    assert block.wanted.sum(axis=1).tolist() == [5, 5, 2]
    found: dict[int, Run | Exception] = {}
    simulate_module.simulate_plan(made, found.__setitem__)
    for number, order in enumerate(orders):
        run = found[number]
        assert isinstance(run, Run)
        assert differing(run, simulate(order.studies, order.replications)) == []
    model = CareModel(simulate_module.build(block))
    patients = list(model.agents_by_type[Patient])
    assert len(patients) == 12 * 300
    assert sorted({patient.lane for patient in patients}) == list(range(12))
    assert {practice.list_size for practice in model.practices} == {300}
    model.close()


def test_cells_that_share_no_worlds_share_no_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_module, "_MOST_SPARSE", 1)
    blocks = make_plan(mixed()).blocks
    assert [block.wanted.shape for block in blocks] == [(3, 2), (2, 3)]
    assert all(block.wanted.all() for block in blocks)


def test_blocks_stay_within_lanes_and_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    studies = tuple(study for _, study in comparison("practice.list_size=400").worlds)
    monkeypatch.setattr(plan_module, "MOST_LANES", 10)
    blocks = make_plan([Order(studies, 20)]).blocks
    assert all(len(block.worlds) * len(block.numbers) <= 10 for block in blocks)
    assert sorted(cell for block in blocks for cell in block.numbers) == list(range(20))
    monkeypatch.undo()
    patients = 400 * len(studies) * 20
    bytes_of_half = plan_module.PATIENT_BYTES * patients / 2 / plan_module._SHARE_OF_MEMORY
    monkeypatch.setattr(plan_module, "memory_bytes", lambda: bytes_of_half)
    assert len(make_plan([Order(studies, 20)]).blocks) == 2


def test_one_point_that_fails_loses_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """A block that fails is run again point by point, so that only the point that fails is lost."""
    real = simulate_module.count_persons

    def broken(block, state):  # type: ignore[no-untyped-def]
        if (block.people.offset[1:] - block.people.offset[:-1] == 400).any():
            raise ZeroDivisionError("nothing to share")
        return real(block, state)

    monkeypatch.setattr(simulate_module, "count_persons", broken)
    found: dict[int, Findings | Exception] = {}
    sizes = (300, 400, 500)
    simulate_points([point(f"practice.list_size={size}") for size in sizes], found.__setitem__)
    assert [isinstance(found[number], Findings) for number in range(3)] == [True, False, True]
    assert isinstance(found[1], ZeroDivisionError)


def test_what_is_made_of_a_study_is_made_again_only_where_it_was_read() -> None:
    made = []

    def make(study) -> int:  # type: ignore[no-untyped-def]
        made.append(study)
        return len(made) if study.has("practice.list_size") and study.value("trust.start") else 0

    once = MadeOnce(make)
    study = comparison().worlds[0][1]
    first = once(study)
    assert once(study.with_value("trust.ceiling", 0.9)) == first
    assert once(replace(study, seed=5)) == first
    assert len(made) == 1
    assert once(study.with_value("trust.start", 0.5)) != first
    assert len(made) == 2


def test_a_fingerprint_sees_every_bit() -> None:
    table = {"a": np.arange(3), "b": (1.0, "x")}
    assert fingerprint(table) == fingerprint({"b": (1.0, "x"), "a": np.arange(3)})
    assert fingerprint(table) != fingerprint({"a": np.arange(3.0), "b": (1.0, "x")})
    assert fingerprint(table) != fingerprint({"a": np.arange(3), "b": (np.nextafter(1.0, 2), "x")})


def test_a_sweep_from_python_is_a_table_and_a_figure() -> None:
    swept = careload.sweep(*SHORT, "practice.list_size=300,400", "practice.team.nurse.fte=0.25,0.5")
    assert [texts[-2:] for texts in swept.points] == [
        (f"practice.list_size={size}", f"practice.team.nurse.fte={fte}")
        for size in (300, 400)
        for fte in (0.25, 0.5)
    ]
    table = swept.table
    assert table["practice.list_size"].tolist() == [300, 300, 400, 400]
    alone = careload.compare(*SHORT, *swept.points[2][-2:], "run.inputs_spread=false")
    released = alone.findings.contrasts[0].parts["released"]
    assert table.loc[2, "released_hours"] == released.value
    assert table.loc[2, "released_hours_high"] == released.high
    figure = swept.figure()
    assert figure is not None
    assert sum("chance" not in text.get_text() for text in figure.axes[0].texts) == 4


def test_all_faults_of_all_points_of_a_sweep_are_told_at_once() -> None:
    with pytest.raises(Faults) as told:
        careload.sweep("practice.list_size=1,1000", "seed=-1,2")
    assert {fault.path for fault in told.value.faults} == {"practice.list_size.value", "seed"}
