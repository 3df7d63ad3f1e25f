"""What nobody uses changes nothing: a role without protocol, a protocol without role, a task without rate."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

from careload.agents.model import CareModel
from careload.day.accounts import Account
from careload.inputs.load import load_study
from careload.inputs.vocabulary import conf_dir
from careload.simulate import make_block
from runs import SHORT_YEARS, ledgers, run_through, short
from support import with_values

SOLO = ("practice=solo", "protocol=none")
NURSE = ("practice=solo_nurse",)
NOBODY_MEETS = {"meeting.huddle": 0, "meeting.monthly": 0}
LISTS = np.array([1200, 2400])
WORLDS = (
    "a GP alone",
    "a nurse without protocol",
    "a nurse's contract nobody has",
    "a protocol without nurse",
    "a nurse and protocol, contract nobody has",
    "a nurse and protocol",
)
UNUSED_TASKS = {
    "act": ("ecg", {"children_only": False}),
    "visit": ("certificate_only", {"children": {}}),
    "due_visit": ("chronic_ckd", {"children": {}}),
    "desk": ("coding_gmd", {}),
    "left_desk": ("referral_letter", {}),
    "org": ("mdt", {}),
}


@pytest.fixture(scope="module")
def model() -> CareModel:
    """A GP alone, and five worlds that have a nurse, a contract or a protocol beside him; only the last uses them."""
    nobody = {**NOBODY_MEETS, "practice.team.nurse.heads": 0}
    studies = [
        short(SOLO),
        short(("practice=solo_nurse", "protocol=none"), NOBODY_MEETS),
        short(("practice=solo_nurse", "protocol=none"), nobody),
        short(("practice=solo",)),
        short(NURSE, nobody),
        short(NURSE),
    ]
    return run_through(make_block(studies, np.arange(2), list_sizes=LISTS))


def by_world(model: CareModel) -> NDArray[np.int64]:
    """Counters by account, world and cell."""
    totals: NDArray[np.int64] = model.state.accounts.totals
    return totals.reshape(len(totals), model.block.n_scenarios, -1)


@pytest.mark.parametrize("world", [1, 2, 3, 4], ids=WORLDS[1:5])
def test_what_nobody_uses_changes_no_count(model: CareModel, world: int) -> None:
    """A role, contract or protocol that nobody uses changes nothing but an idle nurse's paid time and empty room."""
    totals = by_world(model)
    idle = np.zeros_like(totals[:, 0])
    idle[Account.STAFF_PRESENCE] = totals[Account.STAFF_PRESENCE, world]
    idle[Account.ROOM_OPEN] = totals[Account.ROOM_OPEN, 0] * (world != 3)
    np.testing.assert_array_equal(totals[:, world] - idle, totals[:, 0])
    assert (totals[Account.STAFF_PRESENCE, world] > 0).all() == (world == 1)


@pytest.mark.parametrize("world", [1, 2, 3, 4], ids=WORLDS[1:5])
def test_what_nobody_uses_releases_nothing(model: CareModel, world: int) -> None:
    """A role, contract or protocol that nobody uses moves no tick from any class of the ledger to another."""
    ledger = ledgers(model)[world - 1]
    for field in fields(ledger):
        if field.name not in ("worked", "worked_baseline"):
            assert not getattr(ledger, field.name).any(), field.name
    used = ledgers(model)[-1]
    assert (used.released != 0).all()


def test_a_practice_does_not_know_that_others_have_a_nurse(model: CareModel) -> None:
    """A GP alone works the same minutes, to the last bit, whether or not another scenario of the block has a nurse."""
    alone = run_through(make_block([short(SOLO)], np.arange(2), list_sizes=LISTS))
    np.testing.assert_array_equal(by_world(alone)[:, 0], by_world(model)[:, 0])


def unused_files(folder: Path) -> None:
    """Tasks of rate 0 of every kind, at the start, in the middle and at the end of the alphabet; a role; a protocol."""
    for name in ("task", "role", "protocol"):
        (folder / name).mkdir()
    for first in ("aa", "mm", "zz"):
        for kind, (model, changes) in UNUSED_TASKS.items():
            tree: dict[str, Any] = read(f"task/{model}") | changes
            tree["rate"] |= {"value": 0, "range": [0, 1]}
            if kind == "visit":
                tree["children"] = {f"{first}_left_desk": read("task/certificate_only")["children"]["forms"]}
            write(folder / "task" / f"{first}_{kind}.yaml", tree)
    write(folder / "role" / "aa_role.yaml", read("role/nurse") | {"order": 5})
    write(folder / "protocol" / "aa_protocol.yaml", read("protocol/none") | {"name": "aa_protocol"})


def read(name: str) -> dict[str, Any]:
    tree: dict[str, Any] = yaml.safe_load((conf_dir() / f"{name}.yaml").read_text(encoding="utf-8"))
    return tree


def write(path: Path, tree: dict[str, Any]) -> None:
    path.write_text(yaml.safe_dump(tree), encoding="utf-8")


def test_an_unused_task_role_or_protocol_in_a_folder_of_ones_own_changes_nothing(tmp_path: Path) -> None:
    """Eighteen tasks of rate 0, an unused role and an unused protocol leave a run the same to the last bit."""
    unused_files(tmp_path)
    usual = [short(overrides) for overrides in (SOLO, NURSE)]
    other = [
        with_values(load_study(overrides, [tmp_path]), {"run.years": SHORT_YEARS})
        for overrides in (SOLO, NURSE)
    ]
    assert len(other[0].tasks) == len(usual[0].tasks) + 3 * len(UNUSED_TASKS)
    first, second = (run_through(make_block(studies, np.arange(2))) for studies in (usual, other))
    np.testing.assert_array_equal(first.state.accounts.totals, second.state.accounts.totals)
    names = [model.block.layout.tasks for model in (first, second)]
    kept = [names[1].index(name) for name in names[0]]
    extra = np.setdiff1d(np.arange(len(names[1])), kept)
    np.testing.assert_array_equal(first.state.accounts.task_ticks, second.state.accounts.task_ticks[:, kept])
    assert not second.state.accounts.task_ticks[:, extra].any()
    np.testing.assert_array_equal(ledgers(first)[0].released, ledgers(second)[0].released)
