"""The science that ships: complete, reconciled, sourced."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest

from careload.inputs.load import load_comparison, load_study
from careload.inputs.quantity import LANGUAGES, UNSCALED, width_faults
from careload.inputs.schema import TASK_GROUPS
from careload.inputs.study import Study, Task
from careload.inputs.vocabulary import CONDITIONS as KNOWN_CONDITIONS
from careload.inputs.vocabulary import conf_dir, options, read_vocabulary, search_path
from careload.patients.population import CONDITIONS

BAND_FROM = (0, 5, 18, 45, 65, 75, 85)
PARENTS_ONLY = {
    "blood_draw",
    "ecg",
    "suture",
    "certificate",
    "results_inbox",
    "referral_letter",
    "forms",
    "home_care_coordination",
    "social_referral",
}


@pytest.fixture(scope="module")
def study() -> Study:
    return load_study()


@pytest.fixture(scope="module")
def with_nurse() -> Study:
    return dict(load_comparison().worlds)["solo_nurse"]


def per_thousand(study: Study, kind: str, channel: str | None = None) -> tuple[float, float]:
    """Rate and GP minutes per 1,000 patients and year."""
    tasks = [t for t in study.tasks.values() if t.kind == kind and channel in (None, t.channel)]
    return sum(t.rate.value for t in tasks), sum(t.rate.value * t.minutes["gp"].value for t in tasks)


def national_band_shares() -> np.ndarray:
    """Shares of the seven age bands; a five-year group that crosses an edge is spread evenly over its years."""
    persons = np.zeros(7)
    with (conf_dir() / "population/data/belgium_population_2025.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            first = int(row["age_from"])
            last = int(row["age_to"]) if row["age_to"] else first
            for age in range(first, last + 1):
                band = int(np.searchsorted(BAND_FROM, age, side="right")) - 1
                persons[band] += (int(row["male"]) + int(row["female"])) / (last - first + 1)
    return persons / persons.sum()


def test_the_catalogue_has_63_tasks_in_four_classes(study: Study) -> None:
    assert len(study.tasks) == 63
    assert Counter(task.kind for task in study.tasks.values()) == {
        "visit": 24,
        "act": 21,
        "desk": 11,
        "org": 7,
    }
    assert {task.group for task in study.tasks.values()} == set(TASK_GROUPS)


def test_rates_and_minutes_give_the_reconciled_week(study: Study) -> None:
    expected = {
        ("visit", "office"): (3692, 50_203.5),
        ("visit", "home"): (936, 21_114),
        ("visit", "phone"): (572, 3_146),
        ("act", None): (2328, 9_625),
        ("desk", None): (11_795.3, 21_767),
        ("org", None): (122.8, 8_863.5),
    }
    for (kind, channel), (rate, minutes) in expected.items():
        found_rate, found_minutes = per_thousand(study, kind, channel)
        assert found_rate == pytest.approx(rate, abs=0.06), (kind, channel)
        assert found_minutes == pytest.approx(minutes, abs=1.0), (kind, channel)
    contacts, _ = per_thousand(study, "visit")
    total = sum(per_thousand(study, kind)[1] for kind in ("visit", "act", "desk", "org"))
    assert contacts == pytest.approx(5200)
    assert total == pytest.approx(114_719, abs=1.5)
    assert total * 1.2 / 60 / 45 == pytest.approx(50.99, abs=0.01)
    direct = sum(per_thousand(study, kind)[1] for kind in ("visit", "act"))
    assert direct / total == pytest.approx(0.733, abs=0.001)


def parents_of(study: Study, child: str) -> list[tuple[Task, float]]:
    return [(task, task.children[child].value) for task in study.tasks.values() if child in task.children]


def test_nine_tasks_come_from_their_parents_alone(study: Study) -> None:
    alone = {name for name, task in study.tasks.items() if task.children_only}
    assert alone == PARENTS_ONLY
    for child in alone:
        brought = sum(parent.rate.value * share for parent, share in parents_of(study, child))
        assert 0.98 - 0.005 <= brought / study.tasks[child].rate.value <= 1.01 + 0.005, child


def test_no_act_is_brought_more_often_than_it_happens(study: Study) -> None:
    brought = {
        name: sum(parent.rate.value * share for parent, share in parents_of(study, name))
        for name, task in study.tasks.items()
        if task.kind == "act"
    }
    for name, rate in brought.items():
        assert rate <= 1.015 * study.tasks[name].rate.value, name
    recall_lists = 60
    assert sum(brought.values()) + recall_lists == pytest.approx(1539, abs=0.5)


def test_visits_by_age_add_up_to_their_rates(study: Study) -> None:
    shares = national_band_shares()
    visits = [task for task in study.tasks.values() if task.kind == "visit"]
    by_age = np.array([task.age_rates.value for task in visits])
    assert (by_age @ shares).sum() == pytest.approx(5200, rel=0.01)
    for task, rate in zip(visits, by_age @ shares, strict=True):
        assert rate == pytest.approx(task.rate.value, rel=0.06), task.name


def test_the_practice_sets_about_two_fifths_of_contacts_itself(study: Study) -> None:
    visits = [task for task in study.tasks.values() if task.kind == "visit"]
    assert sum(t.rate.value * t.set_by_practice_share.value for t in visits) == pytest.approx(2080, rel=0.01)


def test_same_day_share_is_that_of_the_catalogue(study: Study) -> None:
    visits = [task for task in study.tasks.values() if task.kind == "visit"]
    same_day = sum(t.rate.value * t.urgent_share.value for t in visits) / 5200
    assert same_day == pytest.approx(0.186, abs=0.001)


def test_due_intervals_keep_the_rate_of_persons_with_one_condition(study: Study) -> None:
    shares = national_band_shares()
    for name in ("chronic_hypertension", "chronic_diabetes", "chronic_copd_asthma", "depression_followup"):
        task = study.tasks[name]
        persons = sum(np.dot(study.value(f"condition.prevalence.{c}"), shares) for c in task.conditions)
        assert 365 * persons * 1000 / task.interval_days.value == pytest.approx(task.rate.value, rel=0.05), (
            name
        )


def test_prevalence_totals_are_the_published_ones(study: Study) -> None:
    totals = [
        np.dot(study.value(f"condition.prevalence.{name}"), national_band_shares()) for name in CONDITIONS
    ]
    assert totals == pytest.approx([0.160, 0.061, 0.024, 0.021, 0.062, 0.037, 0.059], abs=0.0015)


def test_conditions_are_the_same_words_in_people_and_tasks() -> None:
    assert tuple(CONDITIONS) == KNOWN_CONDITIONS


def test_every_source_exists_and_is_used(with_nurse: Study) -> None:
    vocabulary = read_vocabulary(search_path([])[0])
    named = {source for _, quantity in with_nurse.quantities() for source in quantity.sources}
    named |= {
        source
        for content in vocabulary.choices["first_contact"].values()
        for part in content.values()
        if isinstance(part, dict) and "source" in part
        for source in (part["source"] if isinstance(part["source"], list) else [part["source"]])
    }
    named |= {scope.source for role in with_nurse.roles.values() for scope in role.scope.values()}
    assert named <= set(vocabulary.sources)
    assert set(vocabulary.sources) - named <= {"un_wpp_2025", "statbel_2026"}
    for source in with_nurse.sources.values():
        assert source.url is None or re.match(r"https?://|doi:10\.", source.url), source.key


def test_assumed_ranges_are_wide_or_argued(with_nurse: Study) -> None:
    assumed = [(key, q) for key, q in with_nurse.quantities() if q.status == "assumed"]
    assert len(assumed) > 400
    argued = 0
    for key, quantity in assumed:
        assert not width_faults(key, quantity), key
        argued += bool(quantity.range_note) and quantity.unit not in UNSCALED
    assert argued < len(assumed)


def test_a_value_with_no_source_but_ours_is_not_called_verified(with_nurse: Study) -> None:
    for key, quantity in with_nurse.quantities():
        if quantity.sources == ("careload_defaults_2026",):
            assert quantity.status in ("assumed", "derived"), key


def test_the_nurse_may_do_what_is_verified_or_derived_and_no_more(with_nurse: Study) -> None:
    nurse = with_nurse.roles["nurse"]
    for task in nurse.permitted:
        assert nurse.scope[task].allowed
        assert nurse.scope[task].status in ("verified", "derived")
        assert nurse.scope[task].since <= with_nurse.value("calendar.as_of")
    for task in (
        "cervical_smear",
        "ear_syringing",
        "spirometry",
        "minor_illness",
        "multimorbidity_review",
        "suture",
    ):
        assert task not in nurse.permitted
    assert with_nurse.roles["gp"].permitted == frozenset(with_nurse.tasks)
    assert with_nurse.refused == ()


def test_the_protocol_delegates_what_the_law_allows_with_minutes_for_it(with_nurse: Study) -> None:
    protocol = with_nurse.protocol
    assert protocol.delegate_roles == ("nurse",)
    assert len(protocol.acts) == 12
    assert len(protocol.visits) == 8
    assert set(protocol.requires_stable) < set(protocol.visits)
    for name in (*protocol.acts, *protocol.visits):
        assert with_nurse.tasks[name].minutes["nurse"].value > 0


def test_no_number_of_the_science_is_mute(with_nurse: Study) -> None:
    keys = dict(with_nurse.quantities())
    assert len(keys) > 550
    assert list(keys) == sorted(keys)
    counts = with_nurse.share_assumed()
    assert sum(counts.values()) == sum(1 for _ in with_nurse.inputs())
    assert counts["assumed"] > counts["derived"] > counts["verified"] > 0


def test_unknown_keys_are_answered_with_the_nearest(study: Study) -> None:
    with pytest.raises(KeyError, match=r"practice\.team\.gp\.slot_minutes"):
        study.value("practice.team.gp.slot_minute")
    assert not study.has("practice.team.nurse.fte")


def test_loading_brings_in_no_slow_package() -> None:
    code = (
        "import sys; from careload.inputs.load import load_study; load_study();"
        "slow = {'mesa', 'pandas', 'matplotlib', 'scipy', 'pyarrow'} & set(sys.modules);"
        "sys.exit(str(slow) if slow else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_input_that_ships_has_a_short_name_in_three_languages() -> None:
    """Figures, tables and headlines show it in brackets: no unit, no sign of a key, no number."""
    for name in options(search_path([])[0], "scenario"):
        comparison = load_comparison([f"scenario={name}"])
        for key in comparison.scenario.inputs:
            label = next(study.quantity(key).label for _, study in comparison.worlds if study.has(key))
            assert set(label) == set(LANGUAGES), key
            for text in label.values():
                assert re.fullmatch(r"[^\d_.()/%]{8,75}", text), (key, text)
            assert len(label["en"]) <= 52, key
