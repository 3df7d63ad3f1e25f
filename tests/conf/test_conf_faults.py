"""Everything that is wrong is said at once, in one form."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from careload.inputs.faults import Fault, Faults
from careload.inputs.load import load_comparison, load_study

LINE = re.compile(r".+ = .*: expected .+; try .+")


def faults_of(*overrides: str, config_dirs: tuple[Path, ...] = ()) -> tuple[Fault, ...]:
    with pytest.raises(Faults) as caught:
        load_study(overrides, config_dirs)
    for line in str(caught.value).splitlines():
        assert LINE.fullmatch(line), line
    return caught.value.faults


@pytest.mark.parametrize(
    ("override", "path", "words"),
    [
        ("+anything_unknown=1", "anything_unknown", "a key of the configuration"),
        (
            "++practice.team.gp.slot_minute=10",
            "practice.team.gp.slot_minute",
            "practice.team.gp.slot_minutes",
        ),
        ("task.blood_drw.rate=3", "task.blood_drw.rate", "task.blood_draw.rate"),
        ("practice.team.gp.slot_minutes.unit=hour", "practice.team.gp.slot_minutes.unit", "minute"),
        (
            "practice.team.gp.slot_minutes.colour=red",
            "practice.team.gp.slot_minutes.colour",
            "a key of the configuration",
        ),
        ("practice.team.gp.slot_minutes=99", "practice.team.gp.slot_minutes.value", "10 to 20 minutes"),
        ("practice.team.gp.slot_minutes=wide", "practice.team.gp.slot_minutes.value", "a number"),
        ("practice.team.gp.slot_minutes=[1,2]", "practice.team.gp.slot_minutes.value", "one number"),
        ("book.horizon_days=28.5", "book.horizon_days.value", "whole number"),
        (
            "practice.team.gp.slot_minutes.range=[20,10]",
            "practice.team.gp.slot_minutes.range",
            "low end first",
        ),
        ("practice.team.gp.slot_minutes.range=12", "practice.team.gp.slot_minutes.range", "[low, high]"),
        (
            "practice.team.gp.slot_minutes.range={times: 0.5}",
            "practice.team.gp.slot_minutes.range",
            "factor of at least 1",
        ),
        ("delegation.overflow_minutes.range=[15,25]", "delegation.overflow_minutes.range", "factor of 2"),
        ("delegation.stable_share.range=[0.6,0.8]", "delegation.stable_share.range", "0.2"),
        ("trust.start.status=guessed", "trust.start.status", "one of verified"),
        ("trust.start.source=nobody", "trust.start.source", "sources.yaml"),
        ("trust.start.source=[careload_defaults_2026,nobody]", "trust.start.source", "sources.yaml"),
        ("trust.active=maybe", "trust.active.value", "true or false"),
        ("practice.slot_policy=shorten", "practice.slot_policy.value", "shorten_session"),
        ("practice.team.gp.leaves_at=half past", "practice.team.gp.leaves_at.value", "08:30"),
        ("practice.team.gp.leaves_at.value=25:00", "practice.team.gp.leaves_at.value", "clock"),
        (
            "practice.team.gp.sessions.value=['08:00-12:00']",
            "practice.team.gp.sessions.value",
            "places or desk",
        ),
        ("practice.team.gp.sessions.value=[]", "practice.team.gp.sessions.value", "at least one session"),
        (
            "practice.team.gp.sessions.value=['06:00-12:00 places']",
            "practice.team.gp.sessions.value",
            "07:00",
        ),
        (
            "practice.team.gp.rests.value=['12:30-12:40']",
            "practice.team.gp.rests.value",
            "inside one session",
        ),
        ("practice.team.nurse.fte=0.8", "practice.team.nurse.fte", "practice=solo_nurse"),
        ("calendar.as_of=yesterday", "calendar.as_of.value", "a date"),
        ("calendar.leave_weeks.value=[1,1]", "calendar.leave_weeks.value", "every week once"),
        ("demand.weekday_weight.value=[1,1]", "demand.weekday_weight.value", "5 numbers"),
        (
            "first_contact.gp.over_share={value: 0.97, range: [0,1]}",
            "first_contact.gp.under_share + first_contact.gp.over_share",
            "no more than 1",
        ),
        ("book.no_place.retry=0.8", "book.no_place.retry + book.no_place.leave", "no more than 1"),
        ("book.no_show_lead_days.value=[0,7]", "book.no_show_by_lead.value", "(3)"),
        ("trust.floor={value: 0.9, range: [0,1]}", "trust.floor", "no more than trust.start"),
        ("population.table=nowhere.csv", "population.table.value", "existing file"),
        ("task.ecg=3", "task.ecg", "a key that holds a value"),
        ("task.ecg.kind=thing", "task.ecg.kind", "visit, act, desk, org"),
        ("task.ecg.first_contact_gp=no", "task.ecg.first_contact_gp", "a key of"),
        ("task.chronic_diabetes.condition=[sugar]", "task.chronic_diabetes.condition", "diabetes"),
        ("task.chronic_diabetes.arrival=rate", "task.chronic_diabetes.arrival", "interval_days"),
        ("role.gp.scope.all.allowed=false", "task.ecg", "somebody in the practice who may do it"),
        ("role.nurse.scope.ecg.status=elicited", "role.nurse.scope.ecg.status", "verified"),
        ("role.nurse.scope.ecg.from=soon", "role.nurse.scope.ecg.from", "a date"),
        ("role.nurse.order=low", "role.nurse.order", "whole number"),
        ("seed=-1", "seed", "at least 0"),
        ("seed=one", "seed", "at least 0"),
        ("practice=solo_nurs", "practice", "solo_nurse"),
        ("practise=solo", "practise", "practice"),
        ("practice@here=solo", "override", "without a package"),
        ("~practice", "override", "none can be removed"),
        ("just words", "override", "key=value"),
        ("scenario=half_time_nurse", "scenario", "compare"),
        ("trust.start=0.6,0.8", "trust.start", "one value"),
        ("practice.team.gp.slot_minutes='${seed}'", "override", "no interpolation"),
        ("+book._target_=os.system", "override", "no code path"),
    ],
)
def test_each_fault_is_named_with_what_to_try(override: str, path: str, words: str) -> None:
    lines = [str(fault) for fault in faults_of(override) if fault.path == path]
    assert lines, [str(fault) for fault in faults_of(override)]
    assert any(words in line for line in lines), lines


def test_all_faults_come_at_once() -> None:
    wrong = [
        "+anything_unknown=1",
        "practice.team.gp.slot_minutes=99",
        "trust.start.status=guessed",
        "trust.start.source=nobody",
        "practice=solo_nurs",
        "task.ecg.rate.unit=minute",
        "role.gp.scope.all.allowed=false",
        "seed=x",
    ]
    paths = {fault.path for fault in faults_of(*wrong)}
    assert paths >= {
        "anything_unknown",
        "practice.team.gp.slot_minutes.value",
        "trust.start.status",
        "trust.start.source",
        "practice",
        "task.ecg.rate.unit",
        "task.ecg",
        "task.call_handling",
        "seed",
    }


def test_a_value_outside_its_range_is_accepted_with_the_range_that_is_offered() -> None:
    (fault,) = faults_of("delegation.overflow_minutes=90")
    widened = re.search(r"(delegation\.overflow_minutes\.range=\[\S+\])", fault.remedy)
    assert widened is not None
    study = load_study(["delegation.overflow_minutes=90", widened[1]])
    assert study.value("delegation.overflow_minutes") == 90


def test_halving_an_assumed_range_trips_the_rule_whatever_the_value() -> None:
    narrow = "delegation.supervision_minutes.contact.range=[1.5,3]"
    assert faults_of(narrow)[0].path == "delegation.supervision_minutes.contact.range"
    assert faults_of(narrow, "delegation.supervision_minutes.contact=2.5")
    argued = 'delegation.supervision_minutes.contact.range_note="measured by stopwatch next door"'
    assert load_study([narrow, argued]).quantity("delegation.supervision_minutes.contact").high == 3


def test_a_missing_configuration_folder_is_a_fault() -> None:
    (fault,) = faults_of(config_dirs=(Path("/no/such/folder"),))
    assert fault.path == "--config-dir"


def test_no_override_of_what_the_scenario_sets() -> None:
    with pytest.raises(Faults, match="leaves open"):
        load_comparison(["practice=solo"])


def test_an_override_that_no_world_has_is_a_fault() -> None:
    with pytest.raises(Faults, match=r"practice\.team\.nurse\.fte"):
        load_comparison(["practice.team.nurse.ft=0.8"])


def test_faults_of_a_comparison_are_named_once() -> None:
    with pytest.raises(Faults) as caught:
        load_comparison(["practice.team.gp.slot_minutes=99", "scenario=half_time"])
    lines = str(caught.value).splitlines()
    assert len(lines) == len(set(lines)) == 2
