"""Values and choices from the command line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from careload.inputs.faults import Faults
from careload.inputs.load import load_comparison, load_study, route_overrides
from careload.inputs.vocabulary import conf_dir


@pytest.mark.parametrize("prefix", ["", "+", "++", "++set."])
@pytest.mark.parametrize("field", ["", ".value"])
def test_a_value_may_be_written_in_every_form(prefix: str, field: str) -> None:
    study = load_study([f"{prefix}practice.team.gp.slot_minutes{field}=20"])
    assert study.value("practice.team.gp.slot_minutes") == 20
    assert study.overrides[0].endswith(f"practice.team.gp.slot_minutes{field}=20")


def test_tasks_roles_lists_and_clocks_may_be_set() -> None:
    study = load_study(
        [
            "task.blood_draw.rate.value=500",
            "role.gp.pace=1000",
            "calendar.leave_weeks.value=[1,2]",
            "practice.team.gp.leaves_at=20:30",
            "practice.team.gp.sessions.value=['08:00-12:00 places','16:00-19:00 places']",
            "task.ecg.children_only=false",
            "trust.active=false",
        ]
    )
    assert study.tasks["blood_draw"].rate.value == 500 == study.value("task.blood_draw.rate")
    assert study.roles["gp"].pace.value == 1000
    assert study.value("calendar.leave_weeks") == (1, 2)
    assert study.value("practice.team.gp.leaves_at") == "20:30"
    assert len(study.value("practice.team.gp.sessions")) == 2
    assert study.tasks["ecg"].children_only is False
    assert study.value("trust.active") is False


def test_range_status_and_note_may_be_set() -> None:
    study = load_study(
        [
            "practice.team.gp.slot_minutes={value: 40, range: [20, 80], status: elicited, note: asked}",
            "trust.start.range=[0.5,0.9]",
            'trust.start.range_note="a workshop said so"',
        ]
    )
    slot = study.quantity("practice.team.gp.slot_minutes")
    assert (slot.value, slot.low, slot.high, slot.status, slot.note) == (40, 20, 80, "elicited", "asked")
    assert study.quantity("trust.start").range_note == "a workshop said so"


def test_a_later_override_wins() -> None:
    assert load_study(["seed=4", "seed=5"]).seed == 5
    assert load_study(["book.carry_days=2", "book.carry_days=3"]).value("book.carry_days") == 3


def test_a_whole_part_may_be_set_at_once() -> None:
    study = load_study(["book={carry_days: 2}", "practice.team={gp: {slot_minutes: 12}}"])
    assert study.value("book.carry_days") == 2
    assert study.value("practice.team.gp.slot_minutes") == 12
    assert study.value("book.horizon_days") == 28


def test_choices_bring_their_team_and_values() -> None:
    study = load_study(["practice=solo_nurse", "behaviour=settled", "protocol=none"])
    assert study.staff == ("nurse", "gp")
    assert study.choices == {
        "practice": "solo_nurse",
        "protocol": "none",
        "first_contact": "gp",
        "population": "belgium",
        "picture": "catalogue",
        "behaviour": "settled",
        "country": "belgium",
        "run": "default",
    }
    assert study.value("trust.active") is False
    assert study.value("meeting.huddle") == 10
    assert load_study().value("meeting.huddle") == 0
    assert study.protocol.acts == study.protocol.visits == study.protocol.desk == {}
    assert study.practice.label["nl"]


def test_a_user_value_beats_that_of_a_chosen_file() -> None:
    assert load_study(["meeting.huddle=5"]).value("meeting.huddle") == 5


def test_the_digest_follows_numbers_and_seed_and_nothing_else() -> None:
    base = load_study()
    assert load_study().digest == base.digest
    assert load_study(["book.carry_days=1"]).digest == base.digest
    assert load_study(["book.carry_days.note=other words"]).digest == base.digest
    for change in (
        ["book.carry_days=2"],
        ["seed=2"],
        ["book.carry_days.range=[0,2]"],
        ["task.ecg.children_only=false"],
        ["practice=solo_nurse"],
        ["population.table=population/data/belgium_municipalities_2026.csv", "population.nis_code=11001"],
    ):
        assert load_study(change).digest != base.digest, change


def test_whole_numbers_and_floats_are_one_number() -> None:
    first, second = (
        load_study(["practice.team.gp.slot_minutes=20"]),
        load_study(["practice.team.gp.slot_minutes=20.0"]),
    )
    assert first.digest == second.digest


def test_keys_of_hydra_are_left_to_hydra() -> None:
    study = load_study(["hydra.run.dir=/tmp/x", "hydra.verbose=true", "seed=3"])
    assert study.seed == 3
    assert study.overrides == ("seed=3",)


def test_law_follows_the_date_and_refusals_are_listed() -> None:
    choices = [
        "practice=solo_nurse",
        "calendar.as_of={value: '2016-01-01', range: ['2015-01-01', '2026-12-31']}",
    ]
    study = load_study(choices)
    assert {refusal.task for refusal in study.refused} == {"vaccination_flu", "vaccination_other"}
    assert all("2016-04-01" in refusal.text and refusal.role == "nurse" for refusal in study.refused)
    assert "vaccination_flu" not in study.protocol.acts
    assert "blood_draw" in study.protocol.acts


@pytest.mark.parametrize("status", ["recalled", "assumed"])
def test_scope_that_is_not_verified_is_refused(status: str) -> None:
    study = load_study(["practice=solo_nurse", f"role.nurse.scope.blood_draw.status={status}"])
    (refusal,) = study.refused
    assert (refusal.role, refusal.task) == ("nurse", "blood_draw")
    assert status in refusal.text
    assert "blood_draw" not in study.roles["nurse"].permitted


def test_routed_overrides_pass_hydra_and_mean_the_same() -> None:
    written = [
        "task.ecg.rate.value=30",
        "practice=solo_nurse",
        "seed=7",
        "+book.carry_days=2",
        "trust.start=0.7",
    ]
    routed = route_overrides(written)
    assert routed == [
        "++set.task.ecg.rate.value=30",
        "practice=solo_nurse",
        "seed=7",
        "++set.book.carry_days=2",
        "++set.trust.start=0.7",
    ]
    with initialize_config_dir(config_dir=str(conf_dir()), version_base="1.3"):
        config = compose("config", overrides=routed)
    assert OmegaConf.to_container(config.set) == {
        "task": {"ecg": {"rate": {"value": 30}}},
        "book": {"carry_days": 2},
        "trust": {"start": 0.7},
    }
    assert config.practice.name == "solo_nurse"
    assert load_study(routed).digest == load_study(written).digest


def test_sweeps_pass_the_route_and_are_refused_by_one_study() -> None:
    assert route_overrides(["task.ecg.rate=20,30"]) == ["++set.task.ecg.rate=20,30"]
    with pytest.raises(Faults, match="one value"):
        load_study(["task.ecg.rate=20,30"])


def test_loading_works_inside_a_running_hydra_job(tmp_path: Path) -> None:
    script = tmp_path / "job.py"
    script.write_text(
        "import hydra\n"
        "from hydra.core.hydra_config import HydraConfig\n"
        "from careload.inputs.load import load_study\n"
        "from careload.inputs.vocabulary import conf_dir\n"
        "@hydra.main(config_path=str(conf_dir()), config_name='config', version_base='1.3')\n"
        "def main(config):\n"
        "    study = load_study(list(HydraConfig.get().overrides.task))\n"
        "    print('read', study.value('trust.start'), study.choices['practice'], study.seed)\n"
        "    print(HydraConfig.get().runtime.choices['practice'])\n"
        "main()\n",
        encoding="utf-8",
    )
    arguments = route_overrides(["trust.start=0.7", "practice=solo_nurse", "seed=9"])
    command = [sys.executable, str(script), *arguments, f"hydra.run.dir={tmp_path / 'out'}"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.stdout.splitlines() == ["read 0.7 solo_nurse 9", "solo_nurse"], done.stderr


def test_a_comparison_gives_two_studies_that_differ_where_the_scenario_says() -> None:
    comparison = load_comparison(["practice.team.nurse.fte=0.8", "book.carry_days=2"])
    names = [name for name, _ in comparison.worlds]
    assert names == ["solo", "solo_nurse"]
    solo, nurse = (study for _, study in comparison.worlds)
    assert nurse.value("practice.team.nurse.fte") == 0.8
    assert not solo.has("practice.team.nurse.fte")
    assert solo.value("book.carry_days") == nurse.value("book.carry_days") == 2
    assert solo.protocol.delegate_roles == ()
    assert nurse.protocol.delegate_roles == ("nurse",)
    assert set(comparison.scenario.question) == {"en", "fr", "nl"}
    differ = {key for key, quantity in solo.quantities() if quantity != nurse.quantity(key)}
    assert differ == {"meeting.huddle", "meeting.monthly", "practice.extra_rooms"}
