"""What tests of several folders share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from careload.inputs.study import Study

__all__ = ["SHORT", "with_values"]

SHORT = (
    "run.years=0.1",
    "run.years.range=[0.05,2]",
    "run.replications=2",
    "run.replications.range=[1,60]",
    "run.fixed_list_replications=2",
    "run.fixed_list_replications.range=[2,40]",
    "practice.list_size.range=[100,2400]",
)
"""Overrides of a run of five weeks with two replications of each kind, for lists of 100 and more."""


def with_values(study: Study, values: Mapping[str, Any]) -> Study:
    """The same study with other values, inside or outside their ranges; a list is a tuple."""
    changed = {key: replace(study.quantity(key), value=value) for key, value in values.items()}
    return replace(study, _quantities={**dict(study.quantities()), **changed})
