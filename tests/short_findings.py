"""A short default comparison, simulated once for the tests of what is made of a run."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from careload.inputs.load import load_comparison
from careload.inputs.study import Comparison
from careload.results.contrast import Contrast, Findings, find
from careload.results.estimate import Estimate
from careload.simulate import simulate
from support import with_values

__all__ = ["REPLICATIONS", "altered", "short_comparison", "short_findings"]

REPLICATIONS, FIXED = 6, 5


@lru_cache
def short_comparison() -> Comparison:
    """The default comparison of small practices over five weeks, one of them closed."""
    comparison = load_comparison(["practice.list_size=600"])
    values = {"run.years": 0.1, "run.replications": REPLICATIONS, "run.fixed_list_replications": FIXED}
    values |= {"run.inputs_spread": False}
    worlds = tuple((name, with_values(study, values)) for name, study in comparison.worlds)
    return replace(comparison, worlds=worlds)


@lru_cache
def short_findings() -> Findings:
    """What it says."""
    comparison = short_comparison()
    run = simulate([study for _, study in comparison.worlds], REPLICATIONS, FIXED)
    return find(run, comparison.worlds, comparison.scenario)


def altered(findings: Findings, **values: tuple[float, float, float]) -> Findings:
    """The same findings with other numbers for some parts, groups (`moved_...`) or checks of the first contrast."""
    contrast = findings.contrasts[0]

    def change(family: str) -> dict[str, Estimate]:
        found = dict(getattr(contrast, family))
        for name, (value, low, high) in values.items():
            key = name.removeprefix("moved_") if family == "groups" else name
            if key in found:
                found[key] = replace(found[key], value=value, low=low, high=high)
        return found

    new: Contrast = replace(contrast, parts=change("parts"), groups=change("groups"), checks=change("checks"))
    return replace(findings, contrasts=(new, *findings.contrasts[1:]))
