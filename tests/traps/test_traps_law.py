"""Trap T4: a protocol cannot give what the law does not; the scenario gains nothing and the reason is shown."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from careload.command.evidence import evidence_text
from careload.inputs.load import load_comparison, load_study
from careload.inputs.study import Study
from careload.results.contrast import find
from careload.results.report import report
from careload.simulate import simulate
from support import with_values

ASSISTANT = (
    "practice=solo_assistant",
    "protocol=technical_administration",
    "first_contact=assistant_protocol",
)
LAWFUL = "blood_draw,ecg,bp_check_abpm,poc_test,inr"
VACCINES = f"protocol.acts=[{LAWFUL},vaccination_flu,vaccination_other]"


def small(*overrides: str) -> Study:
    return with_values(load_study([*ASSISTANT, *overrides]), {"run.years": 0.1, "practice.list_size": 500})


def test_an_assistant_who_vaccinates_by_protocol_takes_no_vaccination() -> None:
    """T4: the share of vaccinations that moves is 0, and the refusal says what the law says."""
    asked = small(VACCINES)
    assert not {"vaccination_flu", "vaccination_other"} & set(asked.protocol.acts)
    assert set(asked.protocol.acts) == set(LAWFUL.split(","))
    assert [(one.role, one.task) for one in asked.refused] == [
        ("assistant", "vaccination_flu"),
        ("assistant", "vaccination_other"),
    ]
    for one in asked.refused:
        assert "Royal Decree of 26 November 2023" in one.text


def test_asking_for_what_the_law_refuses_changes_not_one_bit() -> None:
    """T4: the same digest, and the same counts and ticks in every account, role and task."""
    plain, asked = small(), small(VACCINES)
    assert asked.digest == plain.digest
    run = simulate([plain, asked], 3)
    assert run.totals.any()
    assert (run.totals[:, 0] == run.totals[:, 1]).all()
    assert (run.task_ticks[:, :, 0] == run.task_ticks[:, :, 1]).all()
    assert not run.ledgers[0].released.any()
    vaccines = [run.layout.tasks.index(name) for name in ("vaccination_flu", "vaccination_other")]
    assert not run.task_ticks[run.layout.roles.index("assistant"), vaccines].any()


def test_a_nurse_in_the_practice_may_take_what_the_assistant_may_not() -> None:
    """T4: the refusal is of the role, not of the task: with a nurse among the delegates nothing is refused."""
    team = small(VACCINES, "practice.staff=[gp,nurse,assistant]", "protocol.delegate_roles=[assistant,nurse]")
    assert team.protocol.acts["vaccination_flu"] == "nurse"
    assert team.protocol.acts["blood_draw"] == "assistant"
    assert team.refused == ()


@pytest.mark.parametrize("day", ["2024-04-30", "2024-05-01"])
def test_scope_holds_from_the_day_it_is_in_force(day: str) -> None:
    """T4: before the recognition of practice assistants nothing may be delegated to one."""
    study = load_study([ASSISTANT[0], ASSISTANT[1], f"calendar.as_of={day}"])
    assert bool(study.protocol.acts) == bool(study.protocol.desk) == (day == "2024-05-01")
    assert all("In force only from 2024-05-01" in one.text for one in study.refused)


def test_the_evidence_and_the_report_say_what_was_refused_and_why() -> None:
    """T4: the page on the evidence and the report of a run name role, task and law."""
    comparison = load_comparison(
        ["scenario=half_time_assistant", f"worlds.solo_assistant.{VACCINES}"],
    )
    worlds = tuple(
        (name, with_values(study, {"run.years": 0.1, "practice.list_size": 500}))
        for name, study in comparison.worlds
    )
    text = evidence_text(worlds)
    assert "assistant: vaccination_flu (in the protocol): No vaccine: the Royal Decree" in text
    run = simulate([study for _, study in worlds], 2)
    said = " ".join(report(find(run, worlds, replace(comparison.scenario))).split())
    assert "assistant: vaccination_flu: No vaccine: the Royal Decree of 26 November 2023" in said
    assert np.isfinite(run.totals).all()
