"""Slips that wait come out on their day, unchanged and in the order in which they were put in."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from careload.columns import rows, take
from careload.day.slips import Slips, no_slips
from careload.day.waiting import Waiting


def slips_of(rng: np.random.Generator, n: int, first_day: int, n_days: int) -> Slips:
    columns = {name: rng.integers(0, 100, n).astype(old.dtype) for name, old in vars(no_slips()).items()}
    columns["acts"] = rng.integers(0, 1 << 62, n)
    columns["start"] = rng.integers(0, 1 << 27, n)
    columns["refused"] = rng.random(n) < 0.5
    columns["diary"] = np.where(columns["refused"], -1, columns["diary"]).astype(np.int8)
    columns["day"] = rng.integers(first_day, first_day + n_days, n)
    return Slips(**columns)


def assert_equal(one: Slips, other: Slips) -> None:
    for field in fields(Slips):
        a, b = getattr(one, field.name), getattr(other, field.name)
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b, err_msg=field.name)


def test_slips_come_out_as_from_one_table_that_is_filtered() -> None:
    """Days in turn, some of them skipped, with empty tables in between."""
    rng = np.random.default_rng(5)
    waiting, kept = Waiting(), [no_slips()]
    for day in (0, 1, 4, 5, 6, 30, 31, 60):
        due = waiting.take_until(day)
        wanted = [take(one, one.day <= day) for one in kept]
        kept = [take(one, one.day > day) for one in kept]
        # A day that was skipped comes before the day itself.
        order = np.argsort(np.concatenate([one.day for one in wanted]), kind="stable")
        for field in fields(Slips):
            of_all = np.concatenate([getattr(one, field.name) for one in wanted])[order]
            np.testing.assert_array_equal(getattr(due, field.name), of_all)
            assert getattr(due, field.name).dtype == of_all.dtype
        assert rows(waiting.table()) == sum(rows(one) for one in kept)
        for n in (40, 0, 1):
            new = slips_of(rng, n, day + 1, 29)
            waiting.put(new)
            kept.append(new)


def test_a_request_can_be_renumbered_where_it_waits() -> None:
    """Views of the requests write through to the slips."""
    new = slips_of(np.random.default_rng(6), 50, 3, 4)
    waiting = Waiting()
    waiting.put(new)
    assert sum(len(one) for one in waiting.requests()) == 50
    for request in waiting.requests():
        request += 1000
    out = take(new, np.argsort(new.day, kind="stable"))
    columns = {field.name: getattr(out, field.name) for field in fields(Slips)}
    assert_equal(waiting.take_until(6), Slips(**{**columns, "request": out.request + 1000}))
    assert not rows(waiting.table())
