"""Closing requests makes room and moves no result."""

from __future__ import annotations

from dataclasses import fields
from functools import partial
from unittest.mock import patch

import numpy as np

from careload.agents import model as model_module
from careload.agents.model import CareModel
from careload.day.closing import close_requests
from careload.inputs.load import load_study
from careload.results.ledger import Ledger, compare_worlds
from careload.results.persons import count_persons
from careload.simulate import make_block
from support import with_values


def test_when_requests_are_closed_changes_nothing() -> None:
    """A year with requests closed as soon as may be gives the counts, ledgers and persons of one that keeps all."""
    values = {"calendar.warm_up_days": 20, "calendar.tail_days": 10}
    solo = with_values(load_study(["practice.list_size=700"]), values)
    nurse = with_values(load_study(["practice.list_size=700", "practice=solo_nurse"]), values)
    runs, rows = [], []
    for most_rows in (10**9, 500):
        with patch.object(model_module, "close_requests", partial(close_requests, most_rows=most_rows)):
            model = CareModel(make_block([solo, nurse], np.arange(2)))
            model.run()
        block, state = model.block, model.state
        ledger = compare_worlds(block, state)[0, 1]
        runs.append((state.accounts.totals, state.accounts.task_ticks, count_persons(block, state), ledger))
        rows.append(state.register.n_rows)
        assert state.register.n_requests == len(state.register.requests.cell)
        model.close()
    assert rows[1] < rows[0] / 5
    for kept, closed in zip(runs[0][:3], runs[1][:3], strict=True):
        np.testing.assert_array_equal(kept, closed)
    assert np.isfinite(runs[0][2][0]).all()
    for field in fields(Ledger):
        np.testing.assert_array_equal(getattr(runs[0][3], field.name), getattr(runs[1][3], field.name))
    assert runs[0][3].moved.any()
