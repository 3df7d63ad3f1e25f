"""How far a contrast moves when one input goes to an end of its range: paired shifts over the same replications."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from careload.inputs.quantity import Quantity
from careload.inputs.study import Study, Task
from careload.results.contrast import (
    LEDGER_PARTS,
    Contrast,
    Findings,
    check_books,
    check_ledger,
    ledger_hours,
)
from careload.results.estimate import Estimate, mean_interval
from careload.results.levels import levels_of
from careload.results.measures import Values, world_totals
from careload.results.spread import InputSpread, SpreadEnd
from careload.simulate import Run

__all__ = ["VariedInput", "input_label", "spread_of", "unread_line"]


@dataclass(frozen=True, eq=False)
class VariedInput:
    """An input at the two ends of its range.

    Attributes
    ----------
    key : str
    quantity : Quantity
        As it is in the run.
    ends : tuple of (value, studies)
        Low end and high end: the value, and the study of every world with it.
    """

    key: str
    quantity: Quantity
    ends: tuple[tuple[Any, tuple[Study, ...]], tuple[Any, tuple[Study, ...]]]


@dataclass(frozen=True, eq=False)
class _Cells:
    """Parts and differences of one contrast, and measures of its two worlds, by replication."""

    parts: Mapping[str, Values]
    differences: Mapping[str, Values]
    baseline: Mapping[str, Values]
    levels: Mapping[str, Values]


def spread_of(
    findings: Findings, inputs: Sequence[VariedInput], runs: Sequence[tuple[Run, Run]]
) -> tuple[InputSpread, ...]:
    """Spread of every contrast of a run over its inputs, one at a time.

    Parameters
    ----------
    findings : Findings
        Of the run itself.
    inputs : sequence of VariedInput
    runs : sequence of (Run, Run)
        At the low and the high end of each input, over the first replications of the run itself.

    Returns
    -------
    tuple of InputSpread
        By contrast, then in the order of the inputs.

    Raises
    ------
    UnbalancedBooksError
    """
    names = [world.name for world in findings.worlds]
    studies = tuple(world.study for world in findings.worlds)
    count = min((run.replications for pair in runs for run in pair), default=0)
    base = _by_contrast(findings.run, names, studies, count)
    ends = [
        [_by_contrast(run, names, studies, count) for run, (_, studies) in zip(pair, one.ends, strict=True)]
        for one, pair in zip(inputs, runs, strict=True)
    ]
    return tuple(
        InputSpread(
            world=contrast.world,
            key=one.key,
            label=input_label(one.key, one.quantity, findings.worlds[0].study.tasks),
            others=tuple(name for language, name in one.quantity.label.items() if language != "en"),
            unit=one.quantity.unit,
            status=one.quantity.status,
            value=one.quantity.value,
            low=_end(findings, contrast, one.ends[0][0], low[number], base[number]),
            high=_end(findings, contrast, one.ends[1][0], high[number], base[number]),
        )
        for number, contrast in enumerate(findings.contrasts)
        for one, (low, high) in zip(inputs, ends, strict=True)
    )


def input_label(key: str, quantity: Quantity, tasks: Mapping[str, Task]) -> str:
    """Name of an input: its label, else the words of its key.

    Of the key the section is left out where enough words remain; a task has its readable name.
    """
    if quantity.label:
        return quantity.label["en"]
    section, *parts = key.split(".")
    if section == "task" and parts[0] in tasks:
        return f"{tasks[parts[0]].words}: {' '.join(parts[1:]).replace('_', ' ')}"
    return " ".join(parts if len(parts) > 1 else [section, *parts]).replace("_", " ")


def unread_line(findings: Findings) -> str:
    """Name and key of every input that was to be varied and that no world reads, as a sentence."""
    studies = [world.study for world in findings.worlds]
    found = []
    for key in findings.unread:
        study = next(study for study in studies if study.has(key))
        found.append(f"{input_label(key, study.quantity(key), study.tasks)} ({key})")
    return f"Inputs that no world reads, left out: {', '.join(found)}."


def _by_contrast(run: Run, names: Sequence[str], studies: Sequence[Study], count: int) -> list[_Cells]:
    """Every contrast of a run, in its first `count` replications, with its books checked."""
    totals = [world_totals(run, number, study) for number, study in enumerate(studies)]
    for name, one in zip(names, totals, strict=True):
        check_books(name, one)
    found = []
    before = {level.name: level.of(totals[0])[:count] for level in levels_of(totals[0])}
    for name, one, ledger in zip(names[1:], totals[1:], run.ledgers, strict=True):
        check_ledger(name, ledger)
        parts = {part.name: ledger_hours(ledger, part.name, one)[:count] for part in LEDGER_PARTS}
        after = {level.name: level.of(one)[:count] for level in levels_of(one)}
        differences = {level: values - before[level] for level, values in after.items()}
        found.append(_Cells(parts, differences, before, after))
    return found


def _end(findings: Findings, contrast: Contrast, value: Any, at: _Cells, base: _Cells) -> SpreadEnd:
    """One end: every estimate of the contrast and of its worlds, moved."""

    def moved(
        estimates: Mapping[str, Estimate], here: Mapping[str, Values], there: Mapping[str, Values]
    ) -> dict[str, Estimate]:
        found = {}
        for name, estimate in estimates.items():
            if name in here and name in there:
                shift, low, high = (estimate.value + end for end in mean_interval(here[name] - there[name]))
                found[name] = replace(estimate, value=shift, low=low, high=high)
        return found

    return SpreadEnd(
        value,
        moved(contrast.parts, at.parts, base.parts),
        moved(contrast.differences, at.differences, base.differences),
        moved(findings.baseline.levels, at.baseline, base.baseline),
        moved(findings.world(contrast.world).levels, at.levels, base.levels),
    )
