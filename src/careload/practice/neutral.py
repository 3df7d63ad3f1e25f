"""What nobody reads has one value, so that worlds that run alike have equal tables."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, TypeVar

import numpy as np

from careload.practice.tables import Layout, Practices

__all__ = ["neutral"]

T = TypeVar("T")


def neutral(table: Practices, layout: Layout) -> Practices:
    """The table of one world with zeros where nobody of a role works and where nothing is delegated.

    Parameters
    ----------
    table : Practices
        Of one world, first axis of length one.
    layout : Layout
    """
    absent = table.heads[0] == 0
    calls = table.first_contact
    table = replace(
        table,
        mean_ticks=np.where(absent, 0, table.mean_ticks),
        first_contact=replace(
            calls,
            bare_ticks=np.where(absent, 0, calls.bare_ticks),
            asking_ticks=np.where(absent, 0, calls.asking_ticks),
        ),
    )
    rules = table.delegation
    if rules.may_act.any() or (rules.visit_role >= 0).any():
        return table
    alone = absent[list(layout.others)].all()
    unread = replace(
        _zeros(rules),
        visit_role=rules.visit_role,
        review_every=np.ones(1, np.int64),
        overflow=np.zeros(1, np.int64) if alone else rules.overflow,
    )
    trust: dict[str, Any] = {f.name: np.zeros(1) for f in fields(table.weekly) if f.name.startswith("trust_")}
    return replace(table, delegation=unread, weekly=replace(table.weekly, **trust))


def _zeros(rules: T) -> T:
    """Rules with zero everywhere."""
    names = [field.name for field in fields(rules)]  # type: ignore[arg-type]
    return type(rules)(**{name: np.zeros_like(getattr(rules, name)) for name in names})
