"""Law 3: what nobody uses changes nothing: a role without work, a protocol or telephone without role, an idle task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
LISTS = np.array([500, 1600])
NOBODY = {**NOBODY_MEETS, "practice.team.nurse.heads": 0}
UNUSED: Mapping[str, tuple[Sequence[str], Mapping[str, Any]]] = {
    "a nurse without protocol": (("practice=solo_nurse", "protocol=none"), NOBODY_MEETS),
    "a nurse's contract nobody has": (("practice=solo_nurse", "protocol=none"), NOBODY),
    "a protocol without nurse": (("practice=solo",), {}),
    "a nurse and protocol, contract nobody has": (NURSE, NOBODY),
    "a receptionist whom nobody calls": (("practice=solo_receptionist", "protocol=none"), NOBODY_MEETS),
    "an assistant without protocol": (("practice=solo_assistant", "protocol=none"), NOBODY_MEETS),
    "a whole team without protocol": (
        ("practice=solo_nurse", "practice.staff=[gp,nurse,assistant,receptionist]", "protocol=none"),
        NOBODY_MEETS,
    ),
    "clerical work for staff that is not there": (("practice=solo", "protocol=administration"), {}),
    "everything lawful for staff that is not there": (("practice=solo", "protocol=everything_lawful"), {}),
    "a telephone for an assistant nobody employs": (
        ("practice=solo_assistant", "protocol=technical_administration", "first_contact=assistant_protocol"),
        {**NOBODY_MEETS, "practice.team.assistant.heads": 0},
    ),
    "a telephone for a nurse nobody employs": (
        ("practice=solo_nurse", "protocol=none", "first_contact=nurse"),
        NOBODY,
    ),
}
"""Roles, contracts, protocols and arrangements that nobody uses, beside a GP alone."""
IDLE = ("nurse without protocol", "whom nobody calls", "without protocol")
"""Endings of the worlds in which somebody is paid and does nothing."""
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
    """A GP alone, the worlds of `UNUSED`, and at last a nurse who is used."""
    studies = [short(SOLO), *(short(*world) for world in UNUSED.values()), short(NURSE)]
    return run_through(make_block(studies, np.arange(2), list_sizes=LISTS))


def by_world(model: CareModel) -> NDArray[np.int64]:
    """Counters by account, world and cell."""
    totals: NDArray[np.int64] = model.state.accounts.totals
    return totals.reshape(len(totals), model.block.n_scenarios, -1)


def without_idle_time(totals: NDArray[np.int64]) -> NDArray[np.int64]:
    """Counters but for the paid time of the staff and for rooms that stand open."""
    return np.delete(totals, (Account.STAFF_PRESENCE, Account.ROOM_OPEN), 0)


@pytest.mark.parametrize("name", UNUSED)
def test_what_nobody_uses_changes_no_count(model: CareModel, name: str) -> None:
    """A role, contract, protocol or arrangement that nobody uses changes nothing but idle paid time and empty room."""
    totals, world = by_world(model), 1 + list(UNUSED).index(name)
    np.testing.assert_array_equal(*(without_idle_time(totals[:, one]) for one in (world, 0)))
    rooms = 1 + ("practice=solo" not in UNUSED[name][0])
    np.testing.assert_array_equal(totals[Account.ROOM_OPEN, world], rooms * totals[Account.ROOM_OPEN, 0])
    assert (totals[Account.STAFF_PRESENCE, world] > 0).all() == name.endswith(IDLE)


@pytest.mark.parametrize("name", UNUSED)
def test_what_nobody_uses_releases_nothing(model: CareModel, name: str) -> None:
    """A role, contract, protocol or arrangement that nobody uses moves no tick between classes of the ledger."""
    ledger = ledgers(model)[list(UNUSED).index(name)]
    for field in fields(ledger):
        if field.name not in ("worked", "worked_baseline"):
            assert not getattr(ledger, field.name).any(), field.name
    used = ledgers(model)[-1]
    assert (used.released != 0).all()


RECEPTIONIST = ("first_contact=receptionist_protocol", "protocol=administration")
ASSISTANT = ("practice=solo_assistant", "first_contact=gp", "protocol=technical_administration")
BESIDE: Mapping[str, tuple[Sequence[str], Sequence[str]]] = {
    "an assistant beside a receptionist": (
        ("practice=solo_receptionist", *RECEPTIONIST, "protocol.delegate_roles=[receptionist]"),
        ("practice.staff=[gp,receptionist,assistant]",),
    ),
    "a nurse beside a receptionist": (
        ("practice=solo_receptionist", *RECEPTIONIST),
        ("practice.staff=[gp,receptionist,nurse]",),
    ),
    "a receptionist beside an assistant": (ASSISTANT, ("practice.staff=[gp,receptionist,assistant]",)),
    "a receptionist beside a nurse": (NURSE, ("practice.staff=[gp,receptionist,nurse]",)),
}
"""Somebody who is used, and what adds a colleague to whom nothing is given."""


@pytest.fixture(scope="module")
def beside() -> NDArray[np.int64]:
    """Counters of each of these teams without and with the idle colleague, shape (accounts, teams, 2, cells)."""
    worlds = [world for usual, more in BESIDE.values() for world in (usual, (*usual, *more))]
    studies = [short(world, NOBODY_MEETS) for world in worlds]
    totals = by_world(run_through(make_block(studies, np.arange(2), list_sizes=LISTS)))
    return totals.reshape(len(totals), len(BESIDE), 2, -1)


@pytest.mark.parametrize("name", BESIDE)
def test_an_idle_colleague_changes_nothing_for_a_team_at_work(beside: NDArray[np.int64], name: str) -> None:
    """A receptionist, assistant or nurse to whom nothing is given leaves every count of a working team as it is."""
    usual, more = beside[:, list(BESIDE).index(name)].transpose(1, 0, 2)
    np.testing.assert_array_equal(without_idle_time(more), without_idle_time(usual))
    np.testing.assert_array_equal(more[Account.ROOM_OPEN], usual[Account.ROOM_OPEN])
    assert (more[Account.STAFF_PRESENCE] > usual[Account.STAFF_PRESENCE]).all()
    assert (usual[[Account.STAFF_DESK, Account.STAFF_SERVICE]].sum(0) > 0).all()


def test_a_practice_does_not_know_that_others_have_staff(model: CareModel) -> None:
    """A GP alone works the same minutes, to the last bit, whoever works in other scenarios of the block."""
    alone = run_through(make_block([short(SOLO)], np.arange(2), list_sizes=LISTS))
    np.testing.assert_array_equal(by_world(alone)[:, 0], by_world(model)[:, 0])


def unused_files(folder: Path) -> None:
    """Tasks of rate 0 of every kind and roles, at the start, in the middle and at the end; a protocol; a desk."""
    for name in ("task", "role", "protocol", "first_contact"):
        (folder / name).mkdir()
    for first in ("aa", "mm", "zz"):
        for kind, (model, changes) in UNUSED_TASKS.items():
            tree: dict[str, Any] = read(f"task/{model}") | changes
            tree["rate"] |= {"value": 0, "range": [0, 1]}
            if kind == "visit":
                tree["children"] = {f"{first}_left_desk": read("task/certificate_only")["children"]["forms"]}
            write(folder / "task" / f"{first}_{kind}.yaml", tree)
    for name, model, order in (
        ("aa_role", "nurse", 5),
        ("mm_role", "receptionist", 15),
        ("zz_role", "assistant", 95),
    ):
        write(folder / "role" / f"{name}.yaml", read(f"role/{model}") | {"order": order})
    write(folder / "protocol" / "aa_protocol.yaml", read("protocol/none") | {"name": "aa_protocol"})
    arrangement = read("first_contact/receptionist") | {"name": "aa_contact", "answered_by": "mm_role"}
    write(folder / "first_contact" / "aa_contact.yaml", arrangement)


def read(name: str) -> dict[str, Any]:
    tree: dict[str, Any] = yaml.safe_load((conf_dir() / f"{name}.yaml").read_text(encoding="utf-8"))
    return tree


def write(path: Path, tree: dict[str, Any]) -> None:
    path.write_text(yaml.safe_dump(tree), encoding="utf-8")


def with_and_without(folder: Path, worlds: Sequence[Sequence[str]]) -> tuple[CareModel, CareModel]:
    """The same worlds without and with the files of a folder."""
    usual = [short(overrides) for overrides in worlds]
    more = [with_values(load_study(overrides, [folder]), {"run.years": SHORT_YEARS}) for overrides in worlds]
    first, second = (run_through(make_block(studies, np.arange(1))) for studies in (usual, more))
    return first, second


def test_unused_tasks_roles_and_protocols_in_a_folder_of_ones_own_change_nothing(tmp_path: Path) -> None:
    """Eighteen tasks of rate 0, unused roles, protocol and first contact leave a run the same to the last bit."""
    unused_files(tmp_path)
    first, second = with_and_without(tmp_path, (SOLO, NURSE))
    assert len(second.block.layout.tasks) == len(first.block.layout.tasks) + 3 * len(UNUSED_TASKS)
    np.testing.assert_array_equal(first.state.accounts.totals, second.state.accounts.totals)
    names = [model.block.layout.tasks for model in (first, second)]
    kept = [names[1].index(name) for name in names[0]]
    extra = np.setdiff1d(np.arange(len(names[1])), kept)
    np.testing.assert_array_equal(first.state.accounts.task_ticks, second.state.accounts.task_ticks[:, kept])
    assert not second.state.accounts.task_ticks[:, extra].any()
    np.testing.assert_array_equal(ledgers(first)[0].released, ledgers(second)[0].released)


def test_unused_tasks_leave_the_desk_work_of_the_staff_as_it_is(tmp_path: Path) -> None:
    """The same for a receptionist at the desk."""
    unused_files(tmp_path)
    first, second = with_and_without(tmp_path, (("practice=solo_receptionist", *RECEPTIONIST),))
    np.testing.assert_array_equal(first.state.accounts.totals, second.state.accounts.totals)
    assert (first.state.accounts.totals[Account.STAFF_DESK] > 0).all()
