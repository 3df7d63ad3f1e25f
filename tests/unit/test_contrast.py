from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import fields, replace

import numpy as np
import pytest
from scipy import stats

from careload.agents.model import CareModel
from careload.day.accounts import Account
from careload.inputs.load import load_comparison, load_study
from careload.inputs.study import Study
from careload.inputs.vocabulary import conf_dir, options
from careload.results.contrast import Contrast, UnbalancedBooksError, World, check_books, check_ledger, find
from careload.results.estimate import mean_interval, variance_factor
from careload.results.ledger import Ledger
from careload.results.levels import LEVELS
from careload.results.measures import WORKED, ratio, worst_grade
from careload.results.persons import PERSON_COUNTS, count_persons
from careload.results.report import report
from careload.results.report_page import page
from careload.results.sentences import (
    SIMULATION_ONLY,
    finding,
    signed,
    targets_line,
    what_if_lines,
    world_label,
)
from careload.results.targets import ROLES, targets_of
from careload.simulate import make_block
from short_findings import REPLICATIONS, altered, short_comparison, short_findings
from spread import SHIFTS, with_spread

DESTINATIONS = ("reinvested", "home", "usable", "crumbs")
FALSE_ALARM = 1e-4


def contrast() -> Contrast:
    return short_findings().contrasts[0]


def part(name: str) -> float:
    return contrast().parts[name].value


def test_interval_is_students() -> None:
    values = np.random.default_rng(1).normal(3, 2, 12)
    value, low, high = mean_interval(values)
    expected = stats.t.interval(0.95, 11, values.mean(), stats.sem(values))
    assert value == pytest.approx(values.mean())
    assert (low, high) == pytest.approx(expected)


def test_interval_needs_two_values_and_leaves_out_what_is_not_a_number() -> None:
    assert np.isnan(mean_interval(np.array([np.nan, np.nan]))).all()
    value, low, high = mean_interval(np.array([np.nan, 2.0]))
    assert value == 2 and math.isnan(low) and math.isnan(high)
    assert mean_interval(np.array([1.0, np.nan, 3.0])) == mean_interval(np.array([1.0, 3.0]))
    assert mean_interval(np.array([4.0, 4.0, 4.0])) == (4, 4, 4)


def test_interval_covers_the_mean_in_95_of_100() -> None:
    n = 2000
    samples = np.random.default_rng(2).normal(0, 1, (n, 8))
    covered = sum(low <= 0 <= high for _, low, high in map(mean_interval, samples))
    low, high = stats.binom.interval(1 - FALSE_ALARM, n, 0.95)
    assert low <= covered <= high


def test_variance_factor_is_the_ratio_of_variances() -> None:
    rng = np.random.default_rng(3)
    before = rng.integers(0, 10**9, 15)
    after = before + rng.integers(0, 10**8, 15)
    expected = (before.var(ddof=1) + after.var(ddof=1)) / (before - after).var(ddof=1)
    value, low, high = variance_factor(before, after)
    assert value == pytest.approx(expected)
    assert low < value < high


def test_variance_factor_interval_covers_in_95_of_100() -> None:
    n, correlation, spread = 1500, 0.8, 1.5
    rng = np.random.default_rng(4)
    covariance = [[1, correlation * spread], [correlation * spread, spread**2]]
    pairs = np.rint(1e6 * rng.multivariate_normal([0, 0], covariance, (n, 12))).astype(np.int64)
    truth = (1 + spread**2) / (1 + spread**2 - 2 * correlation * spread)
    ends = [variance_factor(pair[:, 0], pair[:, 1])[1:] for pair in pairs]
    covered = sum(low <= truth <= high for low, high in ends)
    low, high = stats.binom.interval(1 - FALSE_ALARM, n, 0.95)
    assert low <= covered <= high


def test_variance_factor_of_too_little_is_no_number() -> None:
    few, same = np.arange(3), np.full(9, 7)
    assert np.isnan(variance_factor(few, few + few**2)).all()
    assert np.isnan(variance_factor(same, same)).all()
    assert np.isnan(variance_factor(np.arange(9), np.arange(9))).all()


def test_released_time_is_its_parts_and_its_destinations() -> None:
    costs = ("induced", "supervision", "hand_back", "hand_over", "meeting")
    assert part("released") == pytest.approx(part("moved") + part("ended") - sum(map(part, costs)), abs=1e-9)
    assert part("released") == pytest.approx(sum(map(part, DESTINATIONS)), abs=1e-9)
    assert part("reinvested") == pytest.approx(
        part("new") + part("taken") - part("kept") - part("abandoned"), abs=1e-9
    )
    assert part("home") == pytest.approx(
        part("home_session") + part("home_after_closing") + part("home_evening"), abs=1e-9
    )
    groups = sum(one.value for one in contrast().groups.values())
    assert groups == pytest.approx(part("moved") + part("ended"), abs=1e-9)


def test_parts_agree_with_the_differences_of_the_worlds() -> None:
    differences = contrast().differences
    assert part("fewer_minutes") == pytest.approx(-differences["gp_worked"].value, abs=1e-9)
    assert part("home") == pytest.approx(-differences["gp_presence"].value, abs=1e-9)
    assert part("usable") == pytest.approx(differences["gp_usable"].value, abs=1e-9)
    assert part("crumbs") == pytest.approx(differences["gp_crumbs"].value, abs=1e-9)


def test_only_replications_with_people_of_their_own_make_the_means() -> None:
    findings = short_findings()
    ticks = findings.run.ledgers[0].released[:REPLICATIONS]
    hours = ticks / (60 * 2**14) / findings.run.window_weeks
    assert contrast().parts["released"].value == pytest.approx(hours.mean())
    shared = findings.run.totals[list(WORKED)].sum(0)[:, REPLICATIONS:]
    factor = variance_factor(shared[0], shared[1])
    assert contrast().checks["variance_factor_worked"].value == pytest.approx(factor[0])


def test_denominators() -> None:
    checks, listed = contrast().checks, 600
    assert checks["released_practice"].value == pytest.approx(part("released"))
    assert checks["released_per_1000"].value == pytest.approx(part("released") * 1000 / listed)
    findings = short_findings()
    two = replace(findings.run, heads=findings.run.heads * 2)
    worlds = [(world.name, world.study) for world in findings.worlds]
    halved = find(two, worlds).contrasts[0]
    assert halved.parts["released"].value == pytest.approx(part("released") / 2)
    assert halved.checks["released_practice"].value == pytest.approx(part("released"))
    assert halved.checks["released_per_1000"].value == pytest.approx(checks["released_per_1000"].value)


def test_a_world_against_itself_releases_nothing() -> None:
    findings = short_findings()
    baseline = findings.baseline
    run = replace(
        findings.run,
        totals=findings.run.totals[:, [0, 0]],
        task_ticks=findings.run.task_ticks[:, :, [0, 0]],
        present=findings.run.present[:, [0, 0]],
        met=findings.run.met[:, [0, 0]],
        access=findings.run.access[:, :, [0, 0]],
        ledgers=(Ledger(**{f.name: 0 * getattr(findings.run.ledgers[0], f.name) for f in fields(Ledger)}),),
    )
    same = find(run, [("one", baseline.study), ("other", baseline.study)]).contrasts[0]
    for one in (*same.parts.values(), *same.groups.values(), *same.differences.values()):
        numbers = {number for number in (one.value, one.low, one.high) if not math.isnan(number)}
        assert numbers <= {0}, one.quantity
        assert one.grade != "D" or one.quantity in ("missed_urgent", "urgent_delay", "missed_delay")


BOOKS = (*WORKED, Account.DEFAULT_ALL, Account.DEFAULT_SHIFTED, Account.EXCESS, Account.SUPERVISION)


@pytest.mark.parametrize("account", [*BOOKS, Account.GP_PRESENCE, Account.GP_CRUMBS, Account.GP_REST])
def test_one_tick_out_of_place_is_found(account: Account) -> None:
    world: World = short_findings().worlds[1]
    check_books(world.name, world.totals)
    totals = world.totals.totals.copy()
    totals[account, 2] += 1
    with pytest.raises(UnbalancedBooksError, match=r"world solo_nurse: .* in 1 of 11 .*please report"):
        check_books(world.name, replace(world.totals, totals=totals))


@pytest.mark.parametrize("name", ["moved", "supervision", "kept", "abandoned", "home", "crumbs"])
def test_a_ledger_that_does_not_balance_is_found(name: str) -> None:
    ledger = contrast().ledger
    check_ledger("solo_nurse", ledger)
    with pytest.raises(UnbalancedBooksError, match="four destinations"):
        check_ledger("solo_nurse", replace(ledger, **{name: getattr(ledger, name) - 1}))


def test_a_result_takes_the_worst_grade_in_its_chain() -> None:
    assert worst_grade(["B", "A"]) == "B"
    findings = short_findings()
    solo, nurse = findings.worlds
    assert solo.levels["gp_worked"].grade == "B"
    assert nurse.levels["gp_worked"].grade == "D"
    assert {one.grade for one in contrast().parts.values()} == {"D"}
    assert contrast().differences["gp_worked"].grade == "D"
    assert solo.levels["missed_urgent"].grade == "D"


def test_every_estimate_has_unit_grade_note_and_a_name_of_its_own() -> None:
    estimates = list(short_findings().estimates())
    assert len({one.quantity for one in estimates}) == len(estimates)
    for one in estimates:
        assert one.unit and one.grade in "ABCD" and one.note, one.quantity
        assert not one.low > one.value and not one.high < one.value, one.quantity


def test_ratio_of_nothing_is_no_number() -> None:
    found = ratio(np.array([1, 0]), np.array([4, 0]), 2.0)
    assert found[0] == 0.5 and np.isnan(found[1])


@pytest.mark.parametrize(
    ("released", "words"),
    [
        ((2.21, 2.0, 2.4), "releases 2.2 h a week per GP (chance 2.0 to 2.4): "),
        ((0.512, 0.41, 0.61), "releases 0.51 h a week per GP (chance 0.41 to 0.61): "),
        ((-1.21, -1.4, -1.0), "costs 1.2 h a week per GP (chance 1.0 to 1.4): "),
        (
            (0.1, -0.2, 0.4),
            "neither clearly releases nor costs GP time, 0.10 h a week per GP (chance −0.20 to 0.40): ",
        ),
        (
            (0.0, 0.0, 0.0),
            "neither clearly releases nor costs GP time, 0.00 h a week per GP (chance 0.00 to 0.00): ",
        ),
        ((-1.5, math.nan, math.nan), "costs 1.5 h a week per GP (one replication, no interval): "),
        ((1.5, math.nan, math.nan), "releases 1.5 h a week per GP (one replication, no interval): "),
    ],
)
def test_the_finding_says_the_sign_and_all_four_destinations(
    released: tuple[float, float, float], words: str
) -> None:
    findings = altered(short_findings(), released=released)
    said = finding(findings, findings.contrasts[0])
    assert said.startswith("A half-time nurse in a solo practice ")
    assert words in said
    for destination in ("reinvested", "taken home", "in usable gaps", "in crumbs"):
        assert destination in said


def test_the_finding_tells_chance_from_single_inputs() -> None:
    """What is assumed stands in the title beside chance: the least and the most that a single input leads to."""
    findings = with_spread(altered(short_findings(), released=(2.2, 2.1, 2.3)))
    said = finding(findings, findings.contrasts[0])
    low, high = SHIFTS["delegation.supervision_minutes.contact"][::-1]
    assert f"(chance 2.1 to 2.3; single inputs {signed(2.2 + low, 1)} to {2.2 + high:.1f}): " in said


def test_single_inputs_have_the_sign_of_the_cost_that_is_told() -> None:
    """What costs 1.4 h is told with both spreads as costs; an end at which time is released is a negative one."""
    findings = with_spread(altered(short_findings(), released=(-1.4, -1.6, -1.2)))
    said = finding(findings, findings.contrasts[0])
    low, high = SHIFTS["delegation.supervision_minutes.contact"][::-1]
    assert (
        f"costs 1.4 h a week per GP (chance 1.2 to 1.6; single inputs {1.4 - high:.1f} to {1.4 - low:.1f})"
        in said
    )


def test_a_title_says_what_was_changed() -> None:
    """A half-time nurse who works more is not shown as the scenario shipped; seed and replications change no world."""
    plain, other = (
        load_comparison(texts).scenario.label["en"]
        for texts in (["seed=3", "run.replications=12"], ["practice.team.nurse.fte=0.8", "seed=3"])
    )
    assert plain == "A half-time nurse in a solo practice"
    assert other == f"{plain} (changed: practice.team.nurse.fte=0.8)"


def test_measured_figures_that_a_run_misses_are_named() -> None:
    """Held-out figures outside their range are said with both numbers, those inside counted; a short run has none."""
    findings = short_findings()
    world = findings.baseline
    assert not targets_line(world)
    held_out = [one for one in targets_of(world) if one.role == "held_out" and one.name in PERSON_COUNTS]
    first, *others = held_out
    values = {first.name: first.measured.value} | {one.name: 1e6 for one in others}
    some = world.levels["unmet"]
    levels = {name: replace(some, value=value, low=value, high=value) for name, value in values.items()}
    counted = replace(world, levels={**world.levels, **levels})
    line = targets_line(counted)
    assert line.startswith(f"1 of {len(held_out)} measured figures that were not used")
    assert line.count(" against ") == len(others) > 3
    shown = replace(findings, worlds=(counted, *findings.worlds[1:]))
    assert line in " ".join(report(shown).split()) and line in page(shown)


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ("gp", ""),
        ("receptionist", "(solo_receptionist): the receptionist judges"),
        ("nurse", "(solo_nurse): the nurse judges"),
    ],
)
def test_judging_calls_without_a_statute_is_shown_as_a_what_if(choice: str, said: str) -> None:
    """Where somebody else than the GP judges calls, text and page say that no law was found that allows it."""
    practice = "solo" if choice == "gp" else f"solo_{choice}"
    study = load_study([f"practice={practice}", "protocol=none", f"first_contact={choice}"])
    world = replace(short_findings().baseline, name=practice, study=study)
    lines = what_if_lines([world])
    assert len(lines) == bool(said)
    assert all(said in line and "no law that we found" in line for line in lines)


def test_signs_are_shown_and_zero_has_none() -> None:
    assert signed(-1.25, 1) == "−1.2"
    assert signed(-0.001, 2) == "0.00"
    assert signed(3, 1) == "3.0"


def test_the_report_says_what_it_rests_on() -> None:
    findings = short_findings()
    text = report(findings)
    flat = " ".join(text.split())
    for words in (SIMULATION_ONLY, "slot policy: unchanged", "seed 1", "6 replications", "assumed"):
        assert words in flat
    for role, meaning in ROLES.items():
        assert f"{role.replace('_', ' ')}: {meaning}" in flat
    assert "WARNING" not in text
    assert "four destinations, ticks" in text


def test_the_report_warns_where_the_path_decides() -> None:
    findings = altered(short_findings(), path_share=(0.07, 0.06, 0.08))
    assert "WARNING: Path divergence" in report(findings)


TRIAGE = {"released": (3.7, 3.4, 4.0), "fewer_minutes": (-0.7, -0.9, -0.5)}
"""A GP who triages: visits fall away, calls are longer, and he works more."""


@pytest.mark.parametrize(
    ("spent", "words"),
    [
        ({"kept": (-4.4, -4.6, -4.2)}, "4.4 h a week went to calls and contacts that the GP keeps"),
        (
            {"taken": (2.0, 1.9, 2.1), "new": (1.5, 1.4, 1.6)},
            "2.0 h a week went to work that the GP takes over",
        ),
    ],
)
def test_released_time_of_a_gp_who_works_more_is_not_shown_without_a_warning(
    spent: dict[str, tuple[float, float, float]], words: str
) -> None:
    """Whatever the scenario: R > 0 and more minutes worked, both beyond chance, stand beside what took the minutes."""
    none = dict.fromkeys(("kept", "taken", "new"), (0.0, 0.0, 0.0))
    findings = altered(short_findings(), **{**none, **TRIAGE, **spent})
    for text in (" ".join(report(findings).split()), page(findings)):
        assert "GP time is released, but the GP works 0.70 h a week more" in text
        assert words in text


@pytest.mark.parametrize(
    "values",
    [
        {"fewer_minutes": (0.7, 0.5, 0.9)},
        {"fewer_minutes": (-0.1, -0.3, 0.1)},
        {"released": (0.1, -0.1, 0.3)},
        {"released": (-1.0, -1.2, -0.8)},
        {"fewer_minutes": (-0.7, math.nan, math.nan)},
    ],
)
def test_without_a_clear_contradiction_nothing_is_said(values: dict[str, tuple[float, float, float]]) -> None:
    findings = altered(short_findings(), **{**TRIAGE, **values})
    assert "but the GP works" not in report(findings) + page(findings)


@pytest.mark.parametrize("scenario", options([conf_dir()], "scenario"))
def test_no_two_findings_of_a_scenario_have_the_same_subject(scenario: str) -> None:
    comparison = load_comparison([f"scenario={scenario}"])
    assert len(subjects(comparison.worlds)) == len(comparison.worlds)


def test_worlds_that_share_a_practice_are_told_apart_by_first_contact_protocol_or_name() -> None:
    changes = {
        "first_contact": ("first_contact=receptionist", "first_contact=receptionist_protocol"),
        "protocol": ("protocol=none", "protocol=administration"),
        "names": ("protocol=none", "protocol=none"),
    }
    for group, pair in changes.items():
        studies = [load_study(["practice=solo_receptionist", one]) for one in pair]
        labels = [study.labels[group].label["en"] for study in studies if group != "names"]
        assert subjects(tuple(zip("ab", studies, strict=True))) == (set(labels) or {"a", "b"})
    same = load_study(["practice=solo_receptionist"])
    solo = load_study(["practice=solo"])
    named_alike = {**same.labels, "practice": replace(same.practice, label=solo.practice.label)}
    worlds = (("one", solo), ("other", replace(same, labels=named_alike)))
    assert subjects(worlds) == {"one", "other"}


def subjects(worlds: Sequence[tuple[str, Study]]) -> set[str]:
    """What the worlds are called in findings."""
    findings = short_findings()
    some = tuple(replace(findings.baseline, name=name, study=study) for name, study in worlds)
    return {world_label(replace(findings, worlds=some), world.name) for world in some}


def test_a_report_of_one_world_shows_no_staff_where_there_is_none() -> None:
    name, study = short_comparison().worlds[0]
    findings = short_findings()
    run = replace(
        findings.run,
        totals=findings.run.totals[:, :1],
        task_ticks=findings.run.task_ticks[:, :, :1],
        ledgers=(),
    )
    text = report(find(run, [(name, study)]))
    assert "Delegation" not in text and "Other staff" not in text and "released" not in text
    assert "gp_hours_per_week" in text


def test_every_shipped_target_has_a_measure() -> None:
    names = {level.name for level in LEVELS} | {"gp_hours_per_week"}
    keys = [key for key, _ in load_study().quantities() if key.startswith("target.")]
    assert keys
    assert {key.split(".", 2)[2] for key in keys} <= names


def test_targets_come_by_role_and_know_their_range() -> None:
    targets = targets_of(short_findings().baseline)
    roles = [target.role for target in targets]
    assert roles == sorted(roles, key=list(ROLES).index)
    assert set(roles) == set(ROLES)
    hours = next(target for target in targets if target.name == "gp_hours_per_week")
    assert hours.found is not None and hours.measured.value == 51
    low, high = hours.measured.low, hours.measured.high
    assert replace(hours, found=replace(hours.found, value=low)).inside
    assert not replace(hours, found=replace(hours.found, value=high + 0.01)).inside
    assert replace(hours, found=None).inside is None


def test_contacts_of_persons_add_up_to_the_contacts_counted() -> None:
    block = make_block([study for _, study in short_comparison().worlds], np.arange(2))
    model = CareModel(block)
    state = model.run()
    assert np.isnan(count_persons(block, state)).all()
    days = int(block.calendar.in_window.sum())
    year = replace(block, calendar=replace(block.calendar, year_days=days))
    found = dict(zip(PERSON_COUNTS, count_persons(year, state), strict=True))
    age = block.people.age
    cell = np.repeat([0, 1], np.diff(block.people.offset))
    visits = sum(
        found[name] / 1000 * np.bincount(cell[band], minlength=2)
        for name, band in (
            ("home_visits_under_65", age < 65),
            ("home_visits_65_79", (age >= 65) & (age < 80)),
            ("home_visits_80_plus", age >= 80),
        )
    )
    home = state.accounts.totals[Account.HOME].reshape(2, 2)
    assert visits == pytest.approx(home)
    for name in ("zero_contact_men", "zero_contact_women", "share_below_three_contacts"):
        assert ((found[name] > 0) & (found[name] < 1)).all()
    model.close()
