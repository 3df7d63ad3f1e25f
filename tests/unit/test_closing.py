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
from careload.simulate import make_block, reduce_block
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
        runs.append(reduce_block(model.block, model, 2, 0))
        rows.append(model.state.register.n_rows)
        assert model.state.register.n_requests == len(model.state.register.requests.cell)
        model.close()
    kept, closed = runs
    assert rows[1] < rows[0] / 5
    np.testing.assert_array_equal(kept.totals, closed.totals)
    np.testing.assert_array_equal(kept.task_ticks, closed.task_ticks)
    np.testing.assert_array_equal(kept.persons, closed.persons)
    assert np.isfinite(kept.persons[0]).all()
    for before, after in zip(kept.ledgers, closed.ledgers, strict=True):
        for field in fields(before):
            np.testing.assert_array_equal(getattr(before, field.name), getattr(after, field.name))
        assert before.moved.any()
