"""A role and a task that the program does not know: two YAML files, and a study, a ledger and a page with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from careload.command.cli import DONE, main
from careload.inputs.load import load_comparison, load_study
from careload.inputs.study import Study
from careload.simulate import Run, simulate
from support import with_values

ROLE = """\
label: {en: Health coach, fr: Coach de santé, nl: Gezondheidscoach}
kind: staff
order: ORDER
pace: {value: 1024, unit: per_1024, range: {times: 2}, source: careload_defaults_2026, status: assumed}
team:
  heads: {value: 1, unit: person, range: {times: 2}, source: careload_defaults_2026, status: assumed}
  fte: {value: 0.5, unit: fte_hours, range: {times: 2}, source: careload_defaults_2026, status: assumed}
  pattern: {value: full_days, unit: choice, range: [mornings, full_days], source: careload_defaults_2026,
            status: assumed}
  leaves_after_minutes: {value: 10, unit: minute, range: {times: 2}, source: careload_defaults_2026, status: assumed}
  programme_share: {value: 0.3, unit: share, range: {plus: 0.2}, source: careload_defaults_2026, status: assumed}
  slot_minutes: {value: 20, unit: minute, range: {times: 2}, source: careload_defaults_2026, status: assumed}
scope:
  goal_setting: {allowed: true, status: derived, from: "2020-01-01", source: law_health_professions_2015,
                 text: "Advice is no health act."}
  lifestyle_coaching: {allowed: true, status: derived, from: "2020-01-01", source: law_health_professions_2015,
                       text: "Advice is no health act."}
minutes:
  lifestyle_coaching: {value: 12, unit: minute, range: {times: 2}, source: careload_defaults_2026, status: assumed}
"""

TASK = """\
kind: act
group: prevention
channel: office
driver: "persons who want to change a habit"
rate: {value: 300, unit: per_1000_patients_year, range: {times: 2}, source: careload_defaults_2026, status: assumed}
cv: {value: 0.4, unit: ratio, range: {times: 2}, source: careload_defaults_2026, status: assumed}
minutes:
  gp: {value: 6, unit: minute, range: {times: 2}, source: careload_defaults_2026, status: assumed}
  health_coach: {value: 15, unit: minute, range: {times: 2}, source: careload_defaults_2026, status: assumed}
age_weights: {value: [0, 0, 0.2, 1, 2, 2, 1], unit: relative, range: {times: 2}, source: careload_defaults_2026,
              status: assumed}
"""

COACH = ("worlds.solo_nurse.practice.staff=[gp,health_coach]", "worlds.solo_nurse.protocol=everything_lawful")
TEAM = ("practice.staff=[gp,health_coach,nurse]", "protocol=everything_lawful")
ORDERS = {"between assistant and nurse": 17, "below all": 5, "between nurse and GP": 25}


def folder(path: Path, order: int) -> Path:
    """A folder of the user with the two files and nothing else."""
    for name, text in (
        ("role/health_coach", ROLE.replace("ORDER", str(order))),
        ("task/goal_setting", TASK),
    ):
        file = path / f"{name}.yaml"
        file.parent.mkdir()
        file.write_text(text, encoding="utf-8")
    return path


def small(study: Study) -> Study:
    return with_values(study, {"run.years": 0.1, "practice.list_size": 500})


def worked(run: Run, world: int, role: str, task: str) -> int:
    """Ticks of a role at a task in one world, all cells."""
    return int(run.task_ticks[run.layout.roles.index(role), run.layout.tasks.index(task), world].sum())


@pytest.mark.parametrize("place", ORDERS)
def test_the_least_qualified_takes_what_two_roles_may(tmp_path: Path, place: str) -> None:
    study = load_study(TEAM, [folder(tmp_path, ORDERS[place])])
    taker = "nurse" if ORDERS[place] > 20 else "health_coach"
    assert study.staff == tuple(sorted(study.staff, key=lambda role: study.roles[role].order))
    assert study.protocol.acts["lifestyle_coaching"] == taker
    assert study.protocol.acts["goal_setting"] == "health_coach"
    assert study.protocol.acts["blood_draw"] == "nurse"
    assert study.task_minutes("lifestyle_coaching", "health_coach") == 12
    assert study.task_minutes("goal_setting", "nurse") is None


def test_a_new_role_works_and_the_ledger_balances(tmp_path: Path) -> None:
    comparison = load_comparison(COACH, [folder(tmp_path, 17)])
    run = simulate([small(study) for _, study in comparison.worlds], 3)
    for task in ("goal_setting", "lifestyle_coaching"):
        assert worked(run, 1, "health_coach", task) > 0
        assert worked(run, 1, "gp", task) < worked(run, 0, "gp", task)
    assert worked(run, 1, "health_coach", "blood_draw") == 0
    (ledger,) = run.ledgers
    assert (ledger.residual == 0).all()
    assert ledger.moved.sum() > 0


def test_a_new_role_works_beside_the_nurse(tmp_path: Path) -> None:
    """Between assistant and nurse in the order: advice in the GP's contacts is hers."""
    own = [folder(tmp_path, 17)]
    without = [text for text in TEAM if "staff" not in text] + ["practice.staff=[gp,nurse]"]
    studies = [load_study(["protocol=none"], own), load_study(TEAM, own), load_study(without, own)]
    run = simulate([small(study) for study in studies], 3)
    assert worked(run, 1, "health_coach", "goal_setting") > 0
    assert worked(run, 1, "health_coach", "lifestyle_coaching") > 0
    assert worked(run, 1, "nurse", "lifestyle_coaching") < worked(run, 2, "nurse", "lifestyle_coaching")
    assert worked(run, 1, "nurse", "blood_draw") > 0
    assert (run.ledgers[0].residual == 0).all()


def test_two_files_and_one_command_give_a_page_with_the_new_role(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The front door itself, as a user would: nothing but the folder and overrides."""
    (tmp_path / "mine").mkdir()
    folder(tmp_path / "mine", 17)
    monkeypatch.chdir(tmp_path)
    few = ("run.replications={value: 3, range: [1,60]}", "run.years={value: 0.1, range: [0.05,2]}")
    few += ("practice.list_size={value: 400, range: [100,2400]}",)
    few += ("run.fixed_list_replications=2", "run.fixed_list_replications.range=[2,40]")
    code = main(["compare", "--config-dir=mine", *COACH, *few, "output=there"])
    out, err = capsys.readouterr()
    assert code == DONE, err
    assert "health coach" in out.lower()
    page = (tmp_path / "there" / "report.html").read_text(encoding="utf-8")
    assert "Health coach" in page
    assert "goal setting" in page
    assert main(["evidence", "health_coach", "--config-dir=mine", *COACH]) == DONE
    out, _ = capsys.readouterr()
    for key in (
        "task.goal_setting.minutes.health_coach",
        "role.health_coach.minutes.lifestyle_coaching",
        "practice.team.health_coach.fte",
    ):
        assert key in out
