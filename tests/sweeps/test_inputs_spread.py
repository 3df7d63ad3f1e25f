"""Inputs varied one at a time: paired with the run itself, equal worlds shared, what nobody reads left out."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from careload.inputs.load import load_comparison
from careload.inputs.study import Comparison
from careload.jobs import point_of, simulate_worlds, swept_point, write_findings
from careload.plan import make_plan
from careload.results.contrast import Findings, ledger_hours
from careload.results.measures import HOUR, WORKED, world_totals
from careload.results.report import report
from careload.simulate import simulate

OVERRIDES = (
    "run.years=0.1",
    "run.years.range=[0.05,5]",
    "run.replications=4",
    "run.replications.range=[1,60]",
    "run.spread_replications=3",
    "run.fixed_list_replications=2",
    "run.fixed_list_replications.range=[2,40]",
    "practice.list_size=500",
    "practice.list_size.range=[100,4000]",
)
INPUTS = (
    "delegation.supervision_minutes.contact",
    "patient.accepts_nurse",
    "role.gp.pace",
    "meeting.huddle",
    "delegation.hand_over_minutes.separate_records",
    "task.undifferentiated.rate",
)


def comparison(*overrides: str) -> Comparison:
    loaded = load_comparison([*OVERRIDES, *overrides])
    return replace(loaded, scenario=replace(loaded.scenario, inputs=INPUTS))


@pytest.fixture(scope="module")
def findings() -> Findings:
    """A short comparison with its spread."""
    loaded = comparison()
    return simulate_worlds(loaded.worlds, loaded.scenario)


def test_an_end_is_the_run_plus_the_shift_over_the_same_replications(findings: Findings) -> None:
    """Held against runs of the ends by themselves, for an input of either side."""
    loaded = comparison()
    (contrast,) = findings.contrasts
    for key in (
        "delegation.supervision_minutes.contact",
        "patient.accepts_nurse",
        "task.undifferentiated.rate",
    ):
        (one,) = [spread for spread in findings.spread if spread.key == key]
        for end in (one.low, one.high):
            studies = [study.with_value(key, end.value) for _, study in loaded.worlds]
            alone = simulate(studies, 3)
            there = ledger_hours(alone.ledgers[0], "released", world_totals(alone, 1, studies[1]))
            here = ledger_hours(contrast.ledger, "released", findings.worlds[1].totals)[:3]
            expected = contrast.parts["released"].value + (there - here).mean()
            assert end.parts["released"].value == pytest.approx(expected, abs=1e-12)
            assert end.parts["released"].low <= expected <= end.parts["released"].high


def test_measures_of_both_worlds_are_moved_and_differ_by_the_moved_difference(findings: Findings) -> None:
    """As held against a run of an end by itself."""
    loaded = comparison()
    (one,) = [spread for spread in findings.spread if spread.key == "task.undifferentiated.rate"]
    alone = simulate([study.with_value(one.key, one.high.value) for _, study in loaded.worlds], 3)
    for number, (world, moved) in enumerate(
        zip(findings.worlds, (one.high.baseline, one.high.levels), strict=True)
    ):
        there = world_totals(alone, number, world.study).per_week(*WORKED)
        shift = (there - world.totals.per_week(*WORKED)[:3]).mean() / HOUR
        assert moved["gp_worked"].value == pytest.approx(world.levels["gp_worked"].value + shift, abs=1e-9)
    for spread in findings.spread:
        for end in (spread.low, spread.high):
            less = end.levels["gp_worked"].value - end.baseline["gp_worked"].value
            assert less == pytest.approx(end.differences["gp_worked"].value, abs=1e-9)


def test_the_ends_are_those_of_the_declared_range(findings: Findings) -> None:
    study = findings.worlds[1].study
    for one in findings.spread:
        quantity = study.quantity(one.key)
        assert (one.value, one.low.value, one.high.value) == (quantity.value, quantity.low, quantity.high)
        assert (one.unit, one.status, one.world) == (quantity.unit, quantity.status, "solo_nurse")


def test_destinations_of_every_end_sum_to_released_time(findings: Findings) -> None:
    for one in findings.spread:
        for end in (one.low, one.high):
            parts = {name: end.parts[name].value for name in ("reinvested", "home", "usable", "crumbs")}
            assert sum(parts.values()) == pytest.approx(end.parts["released"].value, abs=1e-9)


def test_more_supervision_releases_less_and_other_inputs_move_it_too(findings: Findings) -> None:
    by_key = {one.key: one for one in findings.spread}
    supervision = by_key["delegation.supervision_minutes.contact"]
    assert supervision.low.parts["released"].low > supervision.high.parts["released"].high
    for one in findings.spread:
        assert one.low.parts["released"].value != one.high.parts["released"].value, one.key


def test_what_no_world_reads_is_left_out_and_named(findings: Findings) -> None:
    """Both write in one record: minutes of separate records are read by nobody."""
    assert findings.unread == ("delegation.hand_over_minutes.separate_records",)
    assert "delegation.hand_over_minutes.separate_records" not in {one.key for one in findings.spread}
    assert "delegation.hand_over_minutes.separate_records" in report(findings)


def test_the_baseline_stays_where_the_scenario_changes_an_input() -> None:
    """A solo GP has no huddle, however long that of the practice with a nurse is."""
    loaded = comparison()
    point = point_of(loaded.worlds, loaded.scenario)
    (huddle,) = [one for one in point.inputs if one.key == "meeting.huddle"]
    for value, (solo, nurse) in huddle.ends:
        assert solo.value("meeting.huddle") == 0
        assert nurse.value("meeting.huddle") == value


def test_equal_worlds_of_the_ends_are_simulated_once() -> None:
    """Supervision is read by the world with a nurse only; consent is a matter of people, not of the practice."""
    loaded = comparison()
    scenario = replace(loaded.scenario, inputs=INPUTS[:2])
    point = point_of(loaded.worlds, scenario)
    made = make_plan(point.orders())
    lanes = sum(int(block.wanted.sum()) for block in made.blocks)
    run, supervision, consent = 2 * 6, 2 * 3, 2 * 2 * 3
    assert lanes == run + supervision + consent


def test_an_input_has_the_name_that_its_file_gives_it_else_the_words_of_its_key(findings: Findings) -> None:
    names = {one.key: (one.label, one.others) for one in findings.spread}
    assert names["patient.accepts_nurse"] == (
        "patients who accept the nurse",
        ("patients qui acceptent l'infirmière", "patiënten die de verpleegkundige aanvaarden"),
    )
    assert names["task.undifferentiated.rate"][1] == ()
    assert names["task.undifferentiated.rate"][0].endswith(": rate")
    said = " ".join(report(findings).split())
    assert "hand over minutes separate records (delegation.hand_over_minutes.separate_records)" in said


def test_a_run_is_the_same_with_and_without_its_spread(findings: Findings) -> None:
    loaded = comparison("run.inputs_spread=false")
    without = simulate_worlds(loaded.worlds, loaded.scenario)
    assert without.spread == ()
    assert without.unread == ()
    np.testing.assert_array_equal(without.run.totals, findings.run.totals)
    assert [one.value for one in without.contrasts[0].parts.values()] == [
        one.value for one in findings.contrasts[0].parts.values()
    ]


def test_a_sweep_varies_inputs_only_if_it_is_told_to() -> None:
    loaded = load_comparison([text for text in OVERRIDES if not text.startswith("run.spread_replications")])
    assert swept_point(loaded).inputs == ()
    assert len(swept_point(comparison()).inputs) == len(INPUTS)


def test_a_sweep_holds_lists_fixed_only_if_it_is_told_to() -> None:
    """They serve the variance factor, which says something of the method and not of a point."""
    told = [text for text in OVERRIDES if text.startswith("run.fixed_list_replications")]
    untold = load_comparison([text for text in OVERRIDES if text not in told])
    assert swept_point(comparison()).fixed == 2
    assert swept_point(untold).fixed == 0
    assert point_of(untold.worlds, untold.scenario).fixed > 0


def test_the_spread_is_written_and_printed(findings: Findings, tmp_path: Path) -> None:
    paths = write_findings(findings, tmp_path, figures=False)
    assert [path.name for path in paths] == ["results.parquet", "summary.csv", "spread.csv"]
    with (tmp_path / "spread.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["quantity"] == "released"]
    assert [(row["input"], row["end"]) for row in rows] == [
        (one.key, end) for one in findings.spread for end in ("low", "high")
    ]
    assert float(rows[0]["value"]) == findings.spread[0].low.parts["released"].value
    text = report(findings)
    (pace,) = [line for line in text.splitlines() if line.startswith("  pace of the GP ")]
    assert pace.endswith("  times the reference minutes  assumed  role.gp.pace") and " 0.8 " in pace
    assert "One input at a time, solo_nurse" in text
