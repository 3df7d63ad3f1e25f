"""Closing requests makes room and moves no result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from functools import partial

import numpy as np
import pytest

from careload.agents import model as model_module
from careload.agents.model import CareModel
from careload.day import closing
from careload.day.block import Block
from careload.day.closing import close_requests
from careload.inputs.load import load_study
from careload.plan import Order, make_plan
from careload.results.ledger import Ledger, compare_worlds
from careload.results.persons import count_persons
from careload.simulate import build, make_block
from support import with_values

VALUES = {"calendar.warm_up_days": 20, "calendar.tail_days": 10}


def ragged() -> Block:
    """A year of four worlds in four cells, run in 4, 4, 3 and 2 of them."""
    solo = with_values(load_study(["practice.list_size=600"]), VALUES)
    nurse = with_values(load_study(["practice.list_size=600", "practice=solo_nurse"]), VALUES)
    others = [with_values(nurse, {"practice.team.nurse.fte": fte}) for fte in (0.3, 0.9)]
    orders = [Order((solo, nurse), 4), Order((solo, others[0]), 3), Order((solo, others[1]), 2)]
    (plan,) = make_plan(orders).blocks
    assert sorted(plan.wanted.sum(0)) == [2, 3, 4, 4]
    return build(plan)


def full() -> Block:
    """A year of two worlds in two cells."""
    studies = (
        load_study(["practice.list_size=700"]),
        load_study(["practice.list_size=700", "practice=solo_nurse"]),
    )
    return make_block([with_values(study, VALUES) for study in studies], np.arange(2))


@pytest.mark.parametrize("block", [full, ragged])
def test_when_requests_are_closed_changes_nothing(
    block: Callable[[], Block], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A year with requests closed as soon as may be, a few at a time, gives what one that keeps all of them gives."""
    runs, rows = [], []
    for most_rows, together in ((10**9, 1 << 15), (500, 300)):
        monkeypatch.setattr(closing, "_TOGETHER", together)
        monkeypatch.setattr(model_module, "close_requests", partial(close_requests, most_rows=most_rows))
        model = CareModel(block())
        model.run()
        state = model.state
        ledgers = compare_worlds(model.block, state)
        runs.append(
            (state.accounts.totals, state.accounts.task_ticks, count_persons(model.block, state), ledgers)
        )
        rows.append(state.register.n_rows)
        assert state.register.n_requests == len(state.register.requests.cell)
        model.close()
    assert rows[1] < rows[0] / 5
    kept = runs[0]
    assert np.isfinite(kept[2][0]).any()
    assert all(ledger.moved.any() for ledger in kept[3].values())
    for closed in runs[1:]:
        for one, other in zip(kept[:3], closed[:3], strict=True):
            np.testing.assert_array_equal(one, other)
        assert kept[3].keys() == closed[3].keys()
        for contrast, ledger in kept[3].items():
            for field in fields(Ledger):
                np.testing.assert_array_equal(
                    getattr(ledger, field.name), getattr(closed[3][contrast], field.name)
                )
