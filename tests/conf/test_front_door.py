"""The command line: help at once, all faults before anything is simulated, exit codes, never a traceback."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from careload import __version__, machine
from careload.command import cli
from careload.command.cli import DEBUG_VARIABLE, DONE, ERROR, FAULTS, INTERRUPTED, main
from careload.inputs.vocabulary import DEFAULT_SCENARIO, GROUPS, conf_dir, options

LINE = re.compile(r".+ = .*: expected .+; try .+")
HEAVY = ("matplotlib", "mesa", "pandas", "pyarrow", "scipy")
SHORT = ("run.replications=2", "run.replications.range=[1,60]", "run.years=0.1", "run.years.range=[0.05,2]")
FEW = (*SHORT, "practice.list_size=200", "practice.list_size.range=[100,2400]", "run.fixed_list_replications=2",
       "run.fixed_list_replications.range=[2,40]", "run.inputs_spread=false")  # fmt: skip

Told = Callable[..., tuple[int, str, str]]


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Told:
    """Run one command in an empty folder; its exit code, output and messages."""
    monkeypatch.chdir(tmp_path)

    def tell(*arguments: str) -> tuple[int, str, str]:
        code = main(arguments)
        out, err = capsys.readouterr()
        return code, out, err

    return tell


def refused(told: Told, *arguments: str) -> list[str]:
    """Lines of a command that is refused: all of them faults, nothing printed and nothing left on disk."""
    before = sorted(Path.cwd().rglob("*"))
    code, out, err = told(*arguments)
    lines = err.splitlines()
    assert code == FAULTS, err
    assert out == ""
    assert lines
    assert all(LINE.fullmatch(line) for line in lines), err
    assert sorted(Path.cwd().rglob("*")) == before
    return lines


def process(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """One command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "careload", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, **environment},
        timeout=300,
        check=False,
    )


def modules_after(arguments: list[str], cwd: Path) -> set[str]:
    """Top-level modules that a process has imported after a command."""
    code = (
        "import sys; from careload.command.cli import main; code = main(sys.argv[1:]); "
        "print(code, *sorted({name.split('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        check=True,
        timeout=60,
    )
    last = done.stderr.splitlines()[-1].split()
    assert last[0] in ("0", "2")
    return set(last[1:])


@pytest.mark.parametrize(
    "arguments", [["--help"], ["compare", "--help"], ["run", "-h"], ["evidence", "--help"], []]
)
def test_help_is_printed_without_a_word_of_configuration_or_science(
    arguments: list[str], tmp_path: Path
) -> None:
    found = modules_after(arguments, tmp_path)
    assert not found & {*HEAVY, "numpy", "hydra", "omegaconf"}


@pytest.mark.parametrize(
    "arguments",
    [
        ["compare", "book.carry_dais=1"],
        ["compare", "--cfg", "job"],
        ["evidence", "book"],
        ["run", "output=/dev/null/x"],
    ],
)
def test_nothing_heavy_is_imported_before_a_job_starts(arguments: list[str], tmp_path: Path) -> None:
    assert not modules_after(arguments, tmp_path) & set(HEAVY)


def test_help_names_every_verb_with_an_example_and_every_choice(told: Told) -> None:
    code, text, err = told("--help")
    assert (code, err) == (DONE, "")
    assert all(f"careload {verb} " in text for verb in ("run", "compare", "evidence"))
    for group in GROUPS:
        for name in options([conf_dir()], group):
            assert f"{group}={name}" in text
    assert "careload evidence" in text
    assert f"scenario={DEFAULT_SCENARIO}" in told("compare", "--help")[1]
    assert "--status" in told("evidence", "--help")[1]
    assert told()[:2] == (DONE, text)


def test_help_shows_the_choices_of_a_folder_of_ones_own(told: Told, tmp_path: Path) -> None:
    write_practice(tmp_path / "mine", "large")
    assert "practice=large" in told("--help", "--config-dir", "mine")[1]


def test_every_example_of_the_help_is_accepted(told: Told) -> None:
    text = told("--help")[1]
    examples = re.findall(r"^ +careload (?:run|compare|evidence) .*$", text, re.MULTILINE)
    assert len(examples) == 3
    for example in examples:
        verb, *rest = example.split()[1:]
        assert told(verb, *rest, *(["--cfg", "job"] if verb != "evidence" else []))[0] == DONE


def test_the_version_is_printed(told: Told) -> None:
    assert told("--version") == (DONE, f"careload {__version__}\n", "")


@pytest.mark.parametrize(
    ("arguments", "path", "remedy"),
    [
        (["runn"], "verb = runn", "run"),
        (["practice=solo"], "verb = null", "careload run practice=solo"),
        (["-m"], "verb = null", "careload run"),
        (["run", "--config_dir=x"], "option = --config_dir=x", "--config-dir"),
        (["run", "--config-dir"], "--config-dir = null", "--config-dir my_conf"),
        (["run", "--config-dir", "nowhere"], "--config-dir = nowhere", "spelling"),
        (["run", "--status", "assumed"], "option = --status", "careload evidence"),
        (["evidence", "-m"], "option = --multirun", "careload run"),
        (["evidence", "--status", "asumed"], "--status = asumed", "assumed"),
        (["evidence", "output=x"], "output = x", "careload run"),
        (["run", "--cfg", "everything"], "--cfg = everything", "job"),
        (["run", "solo_nurse"], "argument = solo_nurse", "practice=solo_nurse"),
        (["run", "practice=solo_nurs"], "practice = solo_nurs", "solo_nurse"),
        (["run", "practice=solo", "practice=solo_nurse"], "practice = solo, solo_nurse", "keep one"),
        (["run", "scenario=half_time_nurse"], "scenario = half_time_nurse", "compare"),
        (["compare", "practice=solo"], "practice = solo", "scenario"),
        (["compare", "scenario=half_time_nurs"], "scenario = half_time_nurs", "half_time_nurse"),
        (["run", "task.blood_drw.rate=5"], "task.blood_drw.rate = 5", "task.blood_draw.rate"),
        (["run", "+task.blood_drw.rate=5"], "task.blood_drw.rate = 5", "task.blood_draw.rate"),
        (["run", "++book.carry_dais=1"], "book.carry_dais = 1", "book.carry_days"),
        (["run", "~book.carry_days"], "override = ~book.carry_days", "another"),
        (["run", "book.carry_days=[1"], "override = book.carry_days=[1", "quotes"),
        (["run", "book.carry_days=50"], "book.carry_days.value = 50", "0"),
        (["run", "book.carry_days=1,2"], "book.carry_days = ", "-m"),
        (["run", "population.table=nowhere.csv"], "population.table.value = nowhere.csv", "path"),
        (["run", "population.nis_code=99999"], "population.nis_code = 99999", "Belgium"),
        (["run", "output="], "output = null", "output="),
        (["run", "output=a", "hydra.run.dir=b"], "output = a, b", "keep one"),
        (["run", "output=/dev/null/x"], "output = /dev/null/x", "output=DIR"),
        (["run", "hydra.run.dirr=x"], "hydra.run.dirr = x", "hydra.run.dir"),
        (["run", "hydra.searchpath=[x]"], "hydra.searchpath = [x]", "--config-dir"),
        (["run", "hydra/launcher=basic"], "hydra/launcher = basic", "-m"),
        (["run", "-m", "seed=1,2", "hydra/launcher=basics"], "hydra/launcher = basics", "basic"),
        (["run", "hydra.mode=MULTIRUN"], "hydra.mode = MULTIRUN", "-m"),
        (["run", "-m", "book.carry_days=interval(0,3)"], "book.carry_days = ", "1,2,3"),
        (["run", "-m", "seed=range(0,100000000)"], "--multirun = 1001", "fewer"),
        (["run", "-m", "seed=1,x"], "seed = x", "seed=1"),
    ],
)  # fmt: skip
def test_one_fault_is_one_line_that_says_where_and_what_to_try(
    told: Told, arguments: list[str], path: str, remedy: str
) -> None:
    (line,) = refused(told, *arguments)
    assert line.startswith(path)
    assert remedy in line.rpartition("; try ")[2]


def test_faults_of_every_kind_are_told_at_once(told: Told, tmp_path: Path) -> None:
    write_practice(tmp_path / "mine", "large", unit="hours")
    (tmp_path / "file").write_text("no folder")
    lines = refused(
        told,
        "run",
        "--config-dir=mine",
        "--config-dir=nowhere",
        "--verbose",
        "word",
        "task.blood_drw.rate=5",
        "book.carry_days=x",
        "population.table=population/data/belgium_municipalities_2026.csv",
        "population.nis_code=1",
        "practice=large",
        "hydra.verbose=true",
        "output=file/results",
    )
    text = "\n".join(lines)
    for path in (
        "--config-dir = nowhere",
        "option = --verbose",
        "argument = word",
        "task.blood_drw.rate = 5",
        "book.carry_days.value = x",
        "population.nis_code = 1",
        "practice.list_size.unit = hours",
        "hydra.verbose = true",
        "output = ",
    ):
        assert path in text


def test_a_fault_in_every_point_of_a_sweep_is_told_once(told: Told) -> None:
    assert len(refused(told, "run", "-m", "seed=1,2,3", "practice=solo,solo_nurse", "book.carry_dais=1")) == 1


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("list_size: {unit: hours}", "practice.list_size.unit"),
        ("list_size: {range: [5, 1]}", "practice.list_size.range"),
        ("list_size: {range: few}", "practice.list_size.range"),
        ("list_size: {source: nobody}", "practice.list_size.source"),
        ("list_size: {status: sure}", "practice.list_size.status"),
        ("list_size: {value: many}", "practice.list_size.value"),
    ],
)
def test_a_quantity_of_ones_own_folder_is_checked_like_any_other(
    told: Told, tmp_path: Path, text: str, path: str
) -> None:
    given = yaml.safe_load(text)["list_size"]
    write_practice(tmp_path / "mine", "large", **given)
    lines = refused(told, "run", "--config-dir", "mine", "practice=large")
    assert any(line.startswith(f"{path} = ") for line in lines)


def write_practice(folder: Path, name: str, **size: object) -> None:
    """A practice of a user, with a list of its own."""
    tree = yaml.safe_load((conf_dir() / "practice" / "solo.yaml").read_text(encoding="utf-8"))
    tree["name"] = name
    tree["values"]["practice.list_size"] = {"value": 1500, **size}
    (folder / "practice").mkdir(parents=True)
    (folder / "practice" / f"{name}.yaml").write_text(yaml.safe_dump(tree), encoding="utf-8")


def test_an_output_that_cannot_be_made_leaves_no_folder_behind(told: Told, tmp_path: Path) -> None:
    refused(told, "run", "output=a/b/c", "book.carry_dais=1")
    assert not (tmp_path / "a").exists()


def test_what_is_chosen_and_set_can_be_printed_without_running(told: Told, tmp_path: Path) -> None:
    code, out, err = told(
        "run", "practice=solo_nurse", "practice.team.gp.slot_minutes=14", "seed=7", "--cfg", "job"
    )
    assert (code, err) == (DONE, "")
    tree = yaml.safe_load(out)
    assert tree["choices"]["practice"] == "solo_nurse"
    assert tree["seed"] == 7
    assert tree["values"]["practice.team.gp.slot_minutes"] == 14
    assert yaml.safe_load(told("compare", "--cfg=job")[1])["scenario"] == DEFAULT_SCENARIO
    assert not list(tmp_path.iterdir())


def test_a_run_leaves_results_and_the_record_of_hydra(told: Told, tmp_path: Path) -> None:
    from careload.results.files import read_provenance

    write_practice(tmp_path / "it's mine", "large")
    code, out, err = told(
        "run", "practice=large", "--config-dir", "it's mine", "practice.team.gp.slot_minutes=14",
        "practice.team.gp.slot_minutes.range=[10,20]", "+seed=3", "output=there", *SHORT,
        "practice.list_size=200", "practice.list_size.range=[100,3000]",
    )  # fmt: skip
    assert code == DONE, err
    assert "GP time" in out
    folder = tmp_path / "there"
    assert {path.name for path in folder.iterdir()} == {".hydra", "results.parquet", "summary.csv"}
    assert {path.name for path in (folder / ".hydra").iterdir()} == {
        "config.yaml",
        "hydra.yaml",
        "overrides.yaml",
    }
    written = yaml.safe_load((folder / ".hydra" / "overrides.yaml").read_text(encoding="utf-8"))
    assert "practice=large" in written
    assert "seed=3" in written
    chosen = yaml.safe_load((folder / ".hydra" / "config.yaml").read_text(encoding="utf-8"))
    assert chosen["set"]["practice"]["team"]["gp"]["slot_minutes"]["value"] == 14
    facts = read_provenance(folder / "results.parquet")
    assert " run practice=large --config-dir " in facts["command"]
    assert facts["worlds"][0]["quantities"]["practice.team.gp.slot_minutes"] == 14


def test_a_comparison_leaves_a_figure_too(told: Told, tmp_path: Path) -> None:
    code, out, err = told("compare", "output=there", *FEW)
    assert code == DONE, err
    assert "released" in out
    assert {"results.parquet", "summary.csv", "released.svg", "released.png"} <= {
        path.name for path in (tmp_path / "there").iterdir()
    }


@pytest.mark.parametrize("where", ["packaged", "own"])
def test_a_run_on_a_file_of_municipalities(told: Told, tmp_path: Path, where: str) -> None:
    name = "population/data/belgium_municipalities_2026.csv"
    if where == "own":
        (tmp_path / "own.csv").write_bytes((conf_dir() / name).read_bytes())
        name = "own.csv"
    code, _, err = told("run", f"population.table={name}", "population.nis_code=11001", "output=there", *FEW)
    assert code == DONE, err


def test_an_error_of_careload_itself_is_one_line_to_report(
    told: Told, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from careload.command import launch

    def broken(*_: object) -> str:
        raise ZeroDivisionError("nothing\nto share")

    monkeypatch.setattr(launch, "run_job", broken)
    monkeypatch.delenv(DEBUG_VARIABLE, raising=False)
    code, out, err = told("run", "output=there")
    assert (code, out) == (ERROR, "")
    assert len(err.splitlines()) == 1
    assert "ZeroDivisionError: nothing to share" in err
    assert "Please report" in err
    assert "Traceback" not in err
    assert [path.name for path in (tmp_path / "there").iterdir()] == [".hydra"]
    monkeypatch.setenv(DEBUG_VARIABLE, "1")
    assert "Traceback" in told("run", "output=there")[2]


def test_a_full_disk_and_a_lack_of_memory_are_no_errors_to_report(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    from careload.command import launch

    for error, words in (
        (OSError(28, "No space left on device"), "No space left"),
        (MemoryError(), "memory"),
    ):

        def broken(*_: object, error: Exception = error) -> str:
            raise error

        monkeypatch.setattr(launch, "run_job", broken)
        code, _, err = told("run", "output=there")
        assert code == ERROR
        assert words in err
        assert "report" not in err


def test_results_appear_only_when_all_of_them_are_there(
    told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from careload.results import files as results

    def full(*_: object) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(results, "write_summary", full)
    assert told("run", "output=there", *FEW)[0] == ERROR
    assert [path.name for path in (tmp_path / "there").iterdir()] == [".hydra"]


@pytest.mark.parametrize("swallowed", [False, True])
def test_an_interruption_is_told_in_one_line(
    told: Told, monkeypatch: pytest.MonkeyPatch, swallowed: bool, tmp_path: Path
) -> None:
    from careload.command import launch

    def interrupted(*_: object) -> str:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            if swallowed:
                raise ValueError("another error made of it") from None
            raise
        return "not stopped"

    monkeypatch.setattr(launch, "run_job", interrupted)
    kept = signal.getsignal(signal.SIGINT)
    code, out, err = told("run", "output=there")
    assert (code, out) == (INTERRUPTED, "")
    assert err.startswith("interrupted: ")
    assert len(err.splitlines()) == 1
    assert signal.getsignal(signal.SIGINT) is kept
    assert [path.name for path in (tmp_path / "there").iterdir()] == [".hydra"]


def test_processes_leave_interruptions_to_the_one_that_started_them() -> None:
    from careload.processes import _interruptions_held

    asked = "import signal; print(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, []))"
    with _interruptions_held():
        inside = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    after = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert (inside.stdout, after.stdout) == ("True\n", "False\n")


def test_a_reader_who_closes_the_pipe_is_no_error(tmp_path: Path) -> None:
    command = f"{sys.executable} -m careload evidence | head -n 1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
        timeout=60,
    )
    assert done.returncode == DONE
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 1


def test_the_module_runs_as_a_program_with_exit_codes(tmp_path: Path) -> None:
    assert process("--version", cwd=tmp_path).returncode == DONE
    refused_ = process("run", "book.carry_dais=1", "--config-dir=nowhere", cwd=tmp_path)
    assert refused_.returncode == FAULTS
    assert len(refused_.stderr.splitlines()) == 2
    assert not list(tmp_path.iterdir())
    assert cli.__file__ is not None


def test_evidence_lists_every_quantity_of_all_worlds_and_counts_them(told: Told) -> None:
    from careload.inputs.load import load_comparison

    code, out, err = told("evidence")
    assert (code, err) == (DONE, "")
    table = out.split("\n\n")[0].splitlines()
    listed = {line.split()[0] for line in table[1:]}
    for _, study in load_comparison().worlds:
        assert {key for key, _ in study.quantities()} <= listed
    counted = re.search(r"All quantities, by status: (.+); (\d+) in all", out)
    assert counted is not None
    assert sum(map(int, re.findall(r"\d+", counted[1]))) == int(counted[2]) == len(table) - 1
    assert "meeting.huddle (solo)" in out
    assert "meeting.huddle (solo_nurse)" in out
    assert "nurse: spirometry" in out


def test_evidence_can_be_filtered_by_words_and_status(told: Told) -> None:
    table = told("evidence", "blood_draw", "rate")[1].split("\n\n")[0].splitlines()
    assert all("blood_draw" in line and "rate" in line for line in table[1:])
    verified = told("evidence", "--status", "verified")[1].split("\n\n")[0].splitlines()
    assert len(verified) > 2
    assert all(line.endswith("verified") for line in verified[1:])
    assert "Nothing matches" in told("evidence", "no_such_word")[1]
    assert "14" in told("evidence", "gp.slot_minutes", "practice.team.gp.slot_minutes=14")[1]


def test_evidence_says_what_makes_a_task_arise_beside_its_rate(told: Told) -> None:
    out = told("evidence", "task.cervical_smear")[1]
    assert "What makes tasks arise\n  cervical_smear: women 25-64; GPs do 9% of smears\n\n" in out
    assert "What makes tasks arise" not in told("evidence", "book.carry_days")[1]


def test_words_are_looked_for_in_labels_and_notes_too(told: Told) -> None:
    """What the table does not show and a word was found in stands below the row."""
    table = told("evidence", "Valider", "contact")[1].split("\n\n")[0].splitlines()
    (row,) = [n for n, line in enumerate(table) if line.startswith("delegation.supervision_minutes.contact ")]
    assert table[row + 1].startswith("    time to sign off a contact; temps pour valider un contact; ")
    noted = told("evidence", "failed draw")[1].split("\n\n")[0].splitlines()
    assert noted[1].startswith("delegation.hand_back.act ") and "Failed draw" in noted[2] and len(noted) == 3


def test_keys_that_only_other_scenarios_have_are_named_with_their_scenario(told: Told) -> None:
    nurse = "first_contact.nurse.under_share"
    out = told("evidence", "under_share")[1]
    assert not any(line.startswith(nurse) for line in out.splitlines())
    (hint,) = [line for line in out.splitlines() if line.startswith("  scenario=who_takes_the_phone: ")]
    assert nurse in hint
    again = told("evidence", "under_share", "scenario=who_takes_the_phone")[1]
    assert any(line.startswith(nurse) for line in again.splitlines())
    assert "  scenario=half_time_assistant: first_contact.assistant_protocol.under_share" in again
    alone = told("evidence", "assistant_protocol.under_share")[1]
    assert alone.startswith("Nothing matches in these worlds")
    assert "  scenario=half_time_assistant: first_contact.assistant_protocol.under_share" in alone
    assert "near: huddle" in told("evidence", "hudle")[1]
    assert "scenario=" not in told("evidence", "huddle")[1] + told("evidence")[1]


def test_what_the_law_refuses_is_never_said_to_be_nothing_because_of_words(told: Told) -> None:
    whole = told("evidence")[1].split("Refused scope on ")[1].splitlines()[1:]
    assert len(whole) > 1
    filtered = told("evidence", "under_share")[1].split("Refused scope on ")[1].splitlines()[1:]
    assert filtered == [f"  none that match; {len(whole)} in all"]
    some = told("evidence", "nurse", "spirometry")[1].split("Refused scope on ")[1].splitlines()[1:]
    assert some and set(some) < set(whole)
    assert (
        told("evidence", "--csv", "huddle")[1].startswith("key,") and "label" in told("evidence", "--csv")[1]
    )


def test_memory_is_that_of_the_patients_however_long_the_run(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run of many years needs no more memory than one of one year; a larger list or more replications do."""
    usual = ("compare", "--cfg", "job")
    years = ("run.years=5", "run.fixed_list_replications=5")
    many = ("run.replications=1000", "practice.list_size=2400")
    monkeypatch.setattr(machine, "n_cores", lambda: 1)
    monkeypatch.setattr(machine, "memory_bytes", lambda **_: 9e8)
    assert told(*usual, *years)[0] == DONE
    (line,) = refused(told, *usual, *many)
    assert line.startswith("practice.list_size.value = 2400: expected a run that fits into memory")
    assert line.endswith("try fewer practice.list_size or run.replications")
    monkeypatch.setattr(machine, "memory_bytes", lambda **_: 8e9)
    assert told(*usual, *many)[0] == DONE


def test_a_team_larger_than_the_day_holds_is_a_fault(told: Told) -> None:
    """One world, and the most of each role over the worlds that are compared."""
    gps = ["practice.team.gp.heads=18", "practice.team.gp.heads.range=[1,20]"]
    nurses = ["practice.team.nurse.heads=18", "practice.team.nurse.heads.range=[1,20]"]
    keys = "practice.team.gp.heads + practice.team.nurse.heads = 36: expected at most 31 people together"
    code, _, err = told("run", "practice=solo_nurse", *gps, *nurses)
    assert (code, err) == (FAULTS, f"{keys}; try fewer heads\n")
    code, _, err = told("compare", *gps, *(f"worlds.solo_nurse.{text}" for text in nurses))
    assert (code, err) == (FAULTS, f"{keys}; try fewer heads\n")
    one_each = [
        *(f"worlds.solo.{text}" for text in gps),
        *(f"worlds.solo_nurse.{text}" for text in nurses),
    ]
    code, _, err = told("compare", *one_each)
    assert code == FAULTS
    assert err == (
        f"{keys}, with as many of each role as any of the worlds has; "
        "try fewer heads, or worlds with the same roles\n"
    )


def test_what_people_the_day_holds_have_diaries_in_the_book() -> None:
    """Two at most for each of them."""
    from careload.day.book_requests import MAX_DIARIES
    from careload.day.schedule import MAX_PEOPLE

    assert 2 * MAX_PEOPLE <= MAX_DIARIES
