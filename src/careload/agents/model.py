"""`CareModel`: all lanes of a block as one Mesa model, with a weekly clock of two phases."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Final, cast

import mesa
import numpy as np
from mesa.agent import AgentSet
from numpy.typing import NDArray

from careload.agents.people import (
    CLASS_OF_ROLE,
    GP,
    Patient,
    Practice,
    Staff,
    next_seeking,
    next_trust,
    overrides,
)
from careload.day.block import Block, Decisions, Experience, State, first_state, no_experience
from careload.day.closing import close_requests
from careload.day.stages import run_day
from careload.patients.calendar import WEEK_DAYS

__all__ = ["MOST_PATIENT_AGENTS", "CareModel"]

MOST_PATIENT_AGENTS: Final = 250_000
"""Above this number patients have rows but no objects; results are the same."""


class CareModel(mesa.Model):
    """A block of practices, simulated week by week.

    Agents meet the days only through `Decisions` (before a week) and `Experience` (after it), all at once: no
    agent sees another's move of the same week. Patients without a rule of their own get their objects when somebody
    first asks for the agents, because a run needs their rows only.

    Parameters
    ----------
    block : Block
        What is fixed for the run.
    patient_class, gp_class : type
        Classes of the agents; a subclass that overrides `decide` or `learn` is honoured.
    patient_class_of : callable, optional
        Class of the patient of a row, for mixed populations.

    Attributes
    ----------
    trust : ndarray of float, shape (L, G)
    seeking : ndarray of float, shape (scenarios, patients)
    wait_days : ndarray of float, shape (L,)
    """

    def __init__(
        self,
        block: Block,
        patient_class: type[Patient] = Patient,
        gp_class: type[GP] = GP,
        patient_class_of: Callable[[int], type[Patient]] | None = None,
    ) -> None:
        super().__init__(rng=0)
        self.block = block
        self.state: State = first_state(block)
        self.day = 0
        self.trust = np.repeat(block.practices.weekly.trust_start[:, None], len(block.layout.gps), axis=1)
        self._seeking_of_lanes = np.ones(block.n_lanes)
        self._seeking: NDArray[np.float64] | None = None
        self.wait_days = np.full(block.n_lanes, np.nan)
        self._waits = np.zeros(
            (2, int(block.practices.weekly.seeking_memory_weeks.max()), block.n_lanes), np.int64
        )
        self.practices = [Practice(self, lane) for lane in range(block.n_lanes)]
        self._make_staff(gp_class)
        self._patient_class: type[Patient] | None = None
        self._make_patients(patient_class, patient_class_of)

    def _make_staff(self, gp_class: type[GP]) -> None:
        layout, heads = self.block.layout, self.block.practices.heads
        n_gps = len(layout.gps)
        for lane, practice in enumerate(self.practices):
            for place in range(int(heads[lane, layout.gp])):
                gp_class(self, lane * n_gps + place, practice)
            for role in layout.others:
                first = int(np.searchsorted(layout.person_role, role))
                kind = CLASS_OF_ROLE.get(layout.roles[role], Staff)
                for person in range(first, first + int(heads[lane, role])):
                    kind(self, person, practice)

    def _make_patients(
        self, patient_class: type[Patient], class_of: Callable[[int], type[Patient]] | None
    ) -> None:
        own_rule = any(overrides(patient_class, Patient, rule) for rule in ("decide", "learn"))
        few = self.n_patients <= MOST_PATIENT_AGENTS
        if class_of or own_rule:
            for row in self._rows_of_patients():
                kind = class_of(row) if class_of else patient_class
                if few or kind is not Patient:
                    kind(self, row)
        elif few:
            self._patient_class = patient_class

    def _meet_patients(self) -> None:
        """Make the objects of patients that nobody has asked for so far."""
        kind, self._patient_class = self._patient_class, None
        if kind is not None:
            for row in self._rows_of_patients():
                kind(self, row)

    def _rows_of_patients(self) -> list[int]:
        """Rows of the patient state where somebody lives."""
        rows: list[int] = np.flatnonzero(self.lane_of_patients >= 0).tolist()
        return rows

    @property
    def n_patients(self) -> int:
        """Patients of all lanes, with or without objects."""
        return int(np.count_nonzero(self.lane_of_patients >= 0))

    @property  # type: ignore[misc]
    def agents(self) -> AgentSet:
        """All agents, patients among them."""
        self._meet_patients()
        return super().agents

    @property
    def agents_by_type(self) -> dict[type[mesa.Agent], AgentSet]:
        """All agents by class, patients among them."""
        self._meet_patients()
        return super().agents_by_type

    @property
    def agent_types(self) -> list[type]:
        """Classes of all agents."""
        return list(self.agents_by_type)

    @cached_property
    def lane_of_patients(self) -> NDArray[np.int64]:
        """Lane of every row of the patient state; -1 where a scenario is not run."""
        block = self.block
        cell = np.repeat(np.arange(block.n_cells), np.diff(block.people.offset))
        return block.lane_of.take(cell, axis=1).reshape(-1)

    @property
    def seeking(self) -> NDArray[np.float64]:
        """Care-seeking factor of every patient, shape (scenarios, patients); written out at its first use in a week."""
        if self._seeking is None:
            of_rows = _where_run(self._seeking_of_lanes, self.lane_of_patients)
            self._seeking = of_rows.reshape(self.block.n_scenarios, -1)
        return self._seeking

    @seeking.setter
    def seeking(self, factors: NDArray[np.float64]) -> None:
        self._seeking = factors

    def _patients_with_own(self, rule: str) -> bool:
        """Whether some patients have a rule of their own, `decide` or `learn`."""
        return any(
            issubclass(kind, Patient) and overrides(kind, Patient, rule) for kind in super().agents_by_type
        )

    @property
    def finished(self) -> bool:
        """Whether every open day has been run."""
        return self.day >= len(self.block.calendar)

    def step(self) -> None:
        """Run one open week: agents decide, days pass, agents learn."""
        decisions = self._decide()
        self.state.week = no_experience(self.block.n_lanes, len(self.block.layout.gps))
        for _ in range(WEEK_DAYS):
            if not self.finished:
                run_day(self.block, self.state, decisions, self.day)
                self.day += 1
        self._learn(self.state.week)
        close_requests(self.block, self.state, self.day)

    def run(self, progress: Callable[[int, int], None] | None = None) -> State:
        """Run all weeks; `progress` is told the days done and the days in all."""
        while not self.finished:
            self.step()
            if progress is not None:
                progress(self.day, len(self.block.calendar))
        return self.state

    def _decide(self) -> Decisions:
        """Decisions of all agents, as they stand at the start of the week."""
        alike = self._seeking is None and not self._patients_with_own("decide")
        of_cells = _where_run(self._seeking_of_lanes, self.block.lane_of)
        trust, seeking = self.trust.copy(), of_cells if alike else self.seeking.copy()
        for kind, agents in super().agents_by_type.items():
            if issubclass(kind, GP) and overrides(kind, GP, "decide"):
                for gp in cast(Iterable[GP], agents):
                    trust.reshape(-1)[gp.row] = gp.decide()
            elif issubclass(kind, Patient) and overrides(kind, Patient, "decide"):
                for patient in cast(Iterable[Patient], agents):
                    seeking.reshape(-1)[patient.row] = patient.decide()
        if np.any(seeking > self.block.demand.seeking_bound):
            raise ArithmeticError(
                f"a care-seeking factor of {seeking.max()} exceeds care_seeking.factor_ceiling"
                f" = {self.block.demand.seeking_bound} of the baseline"
            )
        return Decisions(trust=trust, seeking=seeking, alike=alike)

    def _learn(self, week: Experience) -> None:
        """Let all agents learn from the week; until all have, everybody sees the state of the week itself."""
        self._remember_waits(week)
        rules = self.block.practices.weekly
        columns = (rules.trust_gain, rules.trust_loss, rules.trust_least, rules.trust_most)
        trust = next_trust(
            self.trust, week.good_episodes, week.hand_backs, *(column[:, None] for column in columns)
        )
        lanes = next_seeking(
            self.wait_days,
            rules.seeking_elasticity,
            rules.seeking_reference_days,
            rules.seeking_least,
            rules.seeking_most,
        )
        by_patient = self._patients_with_own("learn")
        seeking = _where_run(lanes, self.lane_of_patients) if by_patient else lanes
        self._learn_overridden(week, trust.reshape(-1), seeking)
        self.trust, self._seeking_of_lanes = trust, lanes
        self._seeking = seeking.reshape(self.block.n_scenarios, -1) if by_patient else None

    def _learn_overridden(
        self, week: Experience, trust: NDArray[np.float64], seeking: NDArray[np.float64]
    ) -> None:
        """Let agents with a rule of their own use it; what it leaves is for the coming week."""
        good, back = week.good_episodes.reshape(-1), week.hand_backs.reshape(-1)
        for kind, agents in super().agents_by_type.items():
            if issubclass(kind, GP) and overrides(kind, GP, "learn"):
                for gp in cast(Iterable[GP], agents):
                    old = gp.trust
                    gp.learn(int(good[gp.row]), int(back[gp.row]))
                    trust[gp.row], gp.trust = gp.trust, old
            elif issubclass(kind, Patient) and overrides(kind, Patient, "learn"):
                for patient in cast(Iterable[Patient], agents):
                    old = patient.seeking
                    patient.learn(float(self.wait_days[patient.lane]))
                    seeking[patient.row], patient.seeking = patient.seeking, old

    def _remember_waits(self, week: Experience) -> None:
        """Mean wait of the last weeks, as many as the memory of each practice's patients holds."""
        self._waits[:, :-1] = self._waits[:, 1:]
        self._waits[:, -1] = week.waited, week.wait_open_days
        held = self._waits.shape[1]
        recent = np.arange(held)[:, None] >= held - self.block.practices.weekly.seeking_memory_weeks
        waited, days = self._waits.sum(1, where=recent)
        self.wait_days = np.divide(days, waited, out=np.full(len(waited), np.nan), where=waited > 0)

    def close(self) -> None:
        """Free the model: Mesa keeps a reference to it by class otherwise."""
        self._patient_class = None
        self.remove_all_agents()  # type: ignore[no-untyped-call]
        self.practices.clear()
        mesa.Agent._ids.pop(self, None)


def _where_run(seeking: NDArray[np.float64], lane: NDArray[np.int64]) -> NDArray[np.float64]:
    """Care-seeking factor of the lanes; where a scenario is not run (-1) nobody seeks care at all."""
    return np.where(lane >= 0, seeking.take(lane), -np.inf)
