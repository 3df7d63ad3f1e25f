"""A lane does not know its neighbours, and no order of anything in conf/ matters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from careload.agents.model import CareModel
from careload.inputs import vocabulary
from careload.inputs.load import load_study
from careload.inputs.study import Study
from careload.inputs.vocabulary import conf_dir
from careload.results.ledger import compare_worlds
from careload.simulate import make_block
from runs import ARRANGEMENTS, SHORT_YEARS, outcomes, run_through, short
from support import with_values

SOLO = ("practice=solo", "protocol=none")
NURSE = ("practice=solo_nurse",)
LARGE = {
    "practice.team.gp.heads": 2,
    "practice.team.nurse.heads": 2,
    "practice.team.nurse.fte": 0.8,
    "book.horizon_days": 42,
}
CELLS = np.arange(6)
ONE = 3
SETS_OF_TASKS = ("acts", "visits", "desk", "requires_stable", "staff", "delegate_roles")


@pytest.fixture(scope="module")
def worlds() -> tuple[Study, Study, Study]:
    """A solo practice, one with a nurse, one with two GPs, two nurses and a longer book."""
    return short(SOLO), short(NURSE), short(NURSE, LARGE)


@pytest.fixture(scope="module")
def batch(worlds: tuple[Study, ...]) -> CareModel:
    """Three worlds of six practices in one block."""
    return run_through(make_block(worlds, CELLS))


@pytest.fixture(scope="module")
def alone(worlds: tuple[Study, ...]) -> CareModel:
    """The first two worlds of one of these practices."""
    return run_through(make_block(worlds[:2], CELLS[ONE : ONE + 1]))


@pytest.fixture(scope="module")
def turned(worlds: tuple[Study, ...]) -> CareModel:
    """The same three worlds in another order."""
    return run_through(make_block(worlds[::-1], CELLS))


def of_lanes(model: CareModel) -> dict[str, Any]:
    """What a model counts and what its agents are like, with scenario and cell as the last axes."""
    shape = (model.block.n_scenarios, model.block.n_cells)
    totals, task_ticks = model.state.accounts.totals, model.state.accounts.task_ticks
    return {
        "totals": totals.reshape(*totals.shape[:-1], *shape),
        "task_ticks": task_ticks.reshape(*task_ticks.shape[:-1], *shape),
        "wait_days": model.wait_days.reshape(shape),
    }


def test_a_lane_alone_is_the_lane_in_a_batch(batch: CareModel, alone: CareModel) -> None:
    """A practice simulated alone gives the same counts, minutes and waits, to the last bit, as among five others."""
    many, one = of_lanes(batch), of_lanes(alone)
    gp = [model.block.layout.roles.index("gp") for model in (batch, alone)]
    nurse = [model.block.layout.roles.index("nurse") for model in (batch, alone)]
    for name in ("totals", "wait_days"):
        np.testing.assert_array_equal(many[name][..., :2, ONE], one[name][..., 0])
    for in_many, in_one in (gp, nurse):
        np.testing.assert_array_equal(
            many["task_ticks"][in_many][:, :2, ONE], one["task_ticks"][in_one][:, :, 0]
        )


def test_agents_of_a_lane_alone_are_those_in_a_batch(batch: CareModel, alone: CareModel) -> None:
    """Trust of the GP and care-seeking of every patient are the same, to the last bit, alone and in a batch."""
    offset = batch.block.people.offset
    mine = slice(offset[ONE], offset[ONE + 1])
    np.testing.assert_array_equal(batch.seeking[:2, mine], alone.seeking)
    trust = batch.trust.reshape(3, len(CELLS), -1)[:2, ONE, 0]
    np.testing.assert_array_equal(trust, alone.trust[:, 0])
    assert not np.array_equal(trust, np.full(2, 0.8))


def test_work_of_a_lane_alone_is_the_work_in_a_batch(batch: CareModel, alone: CareModel) -> None:
    """Every task instance of a practice has the same fate and the same GP minutes alone and in a batch."""
    rows = batch.state.register.rows
    mine = batch.state.register.requests.cell[rows.request] == ONE
    n_mine = alone.state.register.n_rows
    assert mine.sum() == n_mine
    np.testing.assert_array_equal(rows.luck[mine], alone.state.register.rows.luck)
    for many, one in zip(outcomes(batch.state, 2), outcomes(alone.state, 2), strict=True):
        assert one.any()
        np.testing.assert_array_equal(many[:, mine], one)


def test_the_ledger_of_a_lane_alone_is_that_in_a_batch(batch: CareModel, alone: CareModel) -> None:
    """Released time and its four destinations are the same, to the tick, alone and in a batch."""
    many = compare_worlds(batch.block, batch.state)[0, 1]
    one = compare_worlds(alone.block, alone.state)[0, 1]
    for field in fields(one):
        np.testing.assert_array_equal(getattr(many, field.name)[..., ONE], getattr(one, field.name)[..., 0])


def test_the_order_of_scenarios_changes_nothing(batch: CareModel, turned: CareModel) -> None:
    """Scenarios in another order give the same counts and minutes, to the last bit."""
    first, second = of_lanes(batch), of_lanes(turned)
    for name in first:
        np.testing.assert_array_equal(first[name], second[name][..., ::-1, :])


def test_turning_two_worlds_round_turns_the_time_worked(batch: CareModel, turned: CareModel) -> None:
    """The minutes that a scenario saves are those that its baseline would cost the other way round."""
    there = compare_worlds(batch.block, batch.state)[0, 2]
    back = compare_worlds(turned.block, turned.state)[0, 2]
    for name in ("fewer_minutes", "home", "usable", "crumbs"):
        np.testing.assert_array_equal(getattr(there, name), -getattr(back, name))


FEW = np.array([4, 1])
FEW_LISTS = np.array([1200, 2400])


def of_arrangement(model: CareModel, number: int, cell: slice) -> tuple[dict[str, Any], list[Any]]:
    """Time by role and task in one world, roles of the block that nobody has left out, and all else it counts."""
    shape = (model.block.n_scenarios, model.block.n_cells)
    accounts = model.state.accounts
    tables = (accounts.totals, accounts.present, accounts.met, accounts.access)
    found = [table.reshape(*table.shape[:-1], *shape)[..., number, cell] for table in tables]
    ticks = accounts.task_ticks.reshape(*accounts.task_ticks.shape[:-1], *shape)[..., number, cell]
    by_role = {name: ticks[role] for role, name in enumerate(model.block.layout.roles)}
    return {name: spent for name, spent in by_role.items() if spent.any()}, [found[0], found[3]]


@pytest.fixture(scope="module")
def arranged() -> CareModel:
    """All ways to answer the telephone and share work, in two practices."""
    studies = [short(*world) for world in ARRANGEMENTS.values()]
    return run_through(make_block(studies, FEW, list_sizes=FEW_LISTS))


@pytest.mark.parametrize("name", ["two receptionists", "nurse triage", "group", "team in one room"])
def test_an_arrangement_alone_is_the_arrangement_in_a_batch(name: str, arranged: CareModel) -> None:
    """Staff at the desk, triage, a group or a team in one room give the same, to the last bit, alone and in a batch."""
    one = run_through(make_block([short(*ARRANGEMENTS[name])], FEW[1:], list_sizes=FEW_LISTS[1:]))
    by_role, counted = of_arrangement(one, 0, slice(0, 1))
    in_batch, among = of_arrangement(arranged, list(ARRANGEMENTS).index(name), slice(1, 2))
    assert list(by_role) == list(in_batch)
    for role in by_role:
        np.testing.assert_array_equal(by_role[role], in_batch[role])
    for first, second in zip(counted, among, strict=True):
        np.testing.assert_array_equal(first, second)


def test_the_order_of_arrangements_changes_nothing(arranged: CareModel) -> None:
    """The same worlds and practices in the opposite order give the same counts and minutes, to the last bit."""
    studies = [short(*world) for world in reversed(ARRANGEMENTS.values())]
    other = run_through(make_block(studies, FEW[::-1], list_sizes=FEW_LISTS[::-1]))
    first, second = of_lanes(arranged), of_lanes(other)
    for name in first:
        np.testing.assert_array_equal(first[name], second[name][..., ::-1, ::-1])


def turned_round(node: Any, key: str = "") -> Any:
    """The same tree with the keys of every mapping, and tasks and staff in lists, in the opposite order."""
    if isinstance(node, Mapping):
        return {name: turned_round(node[name], name) for name in reversed(list(node))}
    return node[::-1] if key in SETS_OF_TASKS and isinstance(node, list) else node


def test_the_order_of_files_and_of_what_they_name_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With files, keys, roles, tasks and staff read in the opposite order, a run is the same to the last bit."""
    for group in ("task", "role", "protocol", "practice", "section", "first_contact"):
        (tmp_path / group).mkdir()
        for path in (conf_dir() / group).glob("*.yaml"):
            tree = turned_round(yaml.safe_load(path.read_text(encoding="utf-8")))
            text = yaml.safe_dump(tree, sort_keys=False, allow_unicode=True)
            (tmp_path / group / path.name).write_text(text, encoding="utf-8")
    in_order: Callable[..., dict[str, Path]] = vocabulary.options
    monkeypatch.setattr(
        vocabulary, "options", lambda folders, group: dict(reversed(in_order(folders, group).items()))
    )
    names = list(vocabulary.read_vocabulary((conf_dir(), tmp_path)).tasks)
    assert names == sorted(names, reverse=True)
    worlds = (SOLO, NURSE, ARRANGEMENTS["team in one room"][0])
    usual = [short(overrides) for overrides in worlds]
    other = [
        with_values(load_study(overrides, [tmp_path]), {"run.years": SHORT_YEARS}) for overrides in worlds
    ]
    assert [study.digest for study in usual] == [study.digest for study in other]
    first, second = (of_lanes(run_through(make_block(studies, CELLS[:2]))) for studies in (usual, other))
    for name in first:
        np.testing.assert_array_equal(first[name], second[name])
