"""Several roles beside the GP: acts go to the least qualified who is there and may do them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np
import pytest
from numpy.typing import NDArray

from careload.agents.model import CareModel
from careload.day.accounts import Account
from careload.inputs.load import load_study
from careload.inputs.study import Study
from careload.simulate import make_block
from runs import SHORT_YEARS, ledgers, run_through
from support import with_values

BOTH: Final = ("practice=solo_nurse", "protocol=everything_lawful", "practice.staff=[gp,nurse,assistant]")
FULL: Final = {"fte": 1.0, "pattern": "full_days"}


def study(assistant: dict[str, Any], nurse: dict[str, Any], **values: Any) -> Study:
    """A practice with an assistant and a nurse, who may do all that the law allows them."""
    given = {f"practice.team.assistant.{key}": value for key, value in assistant.items()}
    given |= {f"practice.team.nurse.{key}": value for key, value in nurse.items()}
    given |= {key.replace("__", "."): value for key, value in values.items()}
    return with_values(load_study(BOTH), {"run.years": SHORT_YEARS, **given})


@pytest.fixture(scope="module")
def model() -> CareModel:
    """Alone; both all day; the nurse on full days and the assistant on mornings; nobody but the nurse."""
    studies = [
        with_values(load_study(("practice=solo", "protocol=none")), {"run.years": SHORT_YEARS}),
        study(FULL, FULL),
        study({"fte": 0.5, "pattern": "mornings"}, FULL),
        study({"heads": 0}, FULL),
    ]
    return run_through(make_block(studies, np.arange(3)))


def minutes(model: CareModel, role: str, task: str) -> NDArray[np.int64]:
    """Time of a role on a task by world, all cells together."""
    layout = model.block.layout
    ticks = model.state.accounts.task_ticks[layout.roles.index(role), layout.tasks.index(task)]
    summed: NDArray[np.int64] = ticks.reshape(model.block.n_scenarios, -1).sum(1)
    return summed


def test_what_both_may_do_goes_to_the_assistant_while_she_is_there(model: CareModel) -> None:
    """Blood is drawn by the assistant alone where she is there all day, by both where she is there in the morning."""
    by_assistant, by_nurse = (minutes(model, role, "blood_draw") for role in ("assistant", "nurse"))
    assert (by_assistant > 0).tolist() == [False, True, True, False]
    in_gp_contacts = by_nurse[1]
    assert in_gp_contacts < by_nurse[2] < by_nurse[3]
    assert by_assistant[1] > by_assistant[2]


def test_only_the_nurse_does_what_the_law_leaves_to_her(model: CareModel) -> None:
    """Vaccines and injections are the nurse's, whoever else is there; T4 for a team of two."""
    for task in ("vaccination_other", "injection"):
        assert not minutes(model, "assistant", task).any()
        assert (minutes(model, "nurse", task) > 0).tolist() == [False, True, True, True]


def test_the_books_balance_with_two_roles(model: CareModel) -> None:
    """Released time has four destinations and no rest, and every minute of the staff is counted once by role."""
    for ledger in ledgers(model):
        assert not ledger.residual.any()
    totals, accounts = model.state.accounts.totals, model.state.accounts
    others = list(model.block.layout.others)
    assert (accounts.present[others].sum(0) == totals[Account.STAFF_PRESENCE]).all()
    assert (accounts.met[others].sum(0) == totals[Account.STAFF_MEETING]).all()
    by_task = accounts.task_ticks[others].sum((0, 1))
    assert (by_task == totals[Account.STAFF_SERVICE] + totals[Account.STAFF_DESK]).all()


def test_an_assistant_in_another_world_changes_nothing(model: CareModel) -> None:
    """The world of the nurse alone is the same, to the last bit, without an assistant anywhere in the block."""
    alone = run_through(make_block([study({"heads": 0}, FULL)], np.arange(3)))
    beside = model.state.accounts.totals.reshape(len(Account), model.block.n_scenarios, -1)[:, 3]
    np.testing.assert_array_equal(alone.state.accounts.totals, beside)


def test_a_supervised_act_waits_for_a_doctor_in_the_building() -> None:
    """Dressings need a doctor in the building: a nurse whose GP is out leaves those of her own contacts to him."""
    afternoons = {
        "practice__team__gp__sessions": ("08:00-12:00 desk", "13:00-18:00 places"),
        "practice__team__gp__rests": (),
    }
    base = study({"heads": 0}, {"fte": 0.5, "pattern": "mornings"}, **afternoons)
    free = replace(
        base,
        roles={
            **base.roles,
            "nurse": replace(
                base.roles["nurse"],
                scope={
                    task: replace(scope, doctor_on_site=False)
                    for task, scope in base.roles["nurse"].scope.items()
                },
            ),
        },
    )
    assert base.roles["nurse"].scope["wound_care"].doctor_on_site
    model = run_through(make_block([base, free], np.arange(4)))
    with_law, without = minutes(model, "nurse", "wound_care")
    assert with_law < 0.2 * without
    assert minutes(model, "gp", "wound_care")[0] > minutes(model, "gp", "wound_care")[1]
    assert (minutes(model, "nurse", "blood_draw") > 0).all()
