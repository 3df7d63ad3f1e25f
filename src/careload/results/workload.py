"""Who does what in each world: hours of every role on every task, meetings and overhead."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from careload.day.accounts import Account
from careload.results.contrast import GROUP_LABELS, Findings
from careload.results.estimate import Estimate, mean_interval
from careload.results.measures import HOUR, Grade, delegates

__all__ = ["UNIT", "Workload", "workloads"]

UNIT: Final = "h/week"
_OVERHEAD: Final = (
    ("supervision", Account.SUPERVISION),
    ("hand-backs", Account.HAND_BACK),
    ("hand-over", Account.HAND_OVER),
    ("meetings", Account.GP_MEETING),
)


@dataclass(frozen=True)
class Workload:
    """Time of one role on one kind of work, in hours a working week of the whole practice.

    Attributes
    ----------
    work : str
        Task, or `supervision`, `hand-backs`, `hand-over`, `meetings`.
    label : str
        The same in readable words.
    group : str
        Task group as tables call it.
    role : str
        Name of a role.
    worlds : tuple of Estimate
        One per world, the baseline first.
    differences : tuple of Estimate
        One per world after it, less the baseline, paired.
    """

    work: str
    label: str
    group: str
    role: str
    worlds: tuple[Estimate, ...]
    differences: tuple[Estimate, ...]

    @property
    def change(self) -> float:
        """Largest change of any world, without sign; without a second world the hours themselves."""
        return max(abs(one.value) for one in self.differences or self.worlds)


def workloads(findings: Findings) -> list[Workload]:
    """All work that anybody does in any world, the largest change first.

    The hours of a GP add up to the time worked, to the tick.

    Returns
    -------
    list of Workload
    """
    found = [
        _workload(findings, work, group, role, ticks)
        for work, group, role, ticks in _ticks(findings)
        if np.any(ticks)
    ]
    return sorted(found, key=lambda one: (-one.change, one.role, one.work))


def _ticks(findings: Findings) -> Iterator[tuple[str, str, str, NDArray[np.int64]]]:
    """Work, group, role and ticks, shape (S, C)."""
    run, layout = findings.run, findings.run.layout
    for place, role in enumerate(layout.roles):
        for number, (task, group) in enumerate(zip(layout.tasks, layout.groups, strict=True)):
            yield task, GROUP_LABELS.get(group, group), role, run.task_ticks[place, number]
        if place != layout.gp:
            yield "meetings", "overhead", role, run.met[place]
    for work, account in _OVERHEAD:
        yield work, "overhead", layout.roles[layout.gp], run.totals[account]


def _workload(findings: Findings, work: str, group: str, role: str, ticks: NDArray[np.int64]) -> Workload:
    n, names = findings.run.replications, [world.name for world in findings.worlds]
    hours = ticks[:, :n] / (HOUR * findings.run.window_weeks)
    grade: Grade = "D" if any(delegates(world.study) for world in findings.worlds) else "B"

    def estimate(world: str, values: NDArray[np.float64], ending: str = "") -> Estimate:
        quantity = f"{world}.hours.{role}.{work}{ending}"
        return Estimate(quantity, work, *mean_interval(values), UNIT, grade, f"{role}: {work}.", 2)

    tasks = findings.baseline.study.tasks
    return Workload(
        work,
        tasks[work].words if work in tasks else work,
        group,
        role,
        tuple(estimate(name, hours[place]) for place, name in enumerate(names)),
        tuple(
            estimate(contrast.world, hours[names.index(contrast.world)] - hours[0], ".difference")
            for contrast in findings.contrasts
        ),
    )
