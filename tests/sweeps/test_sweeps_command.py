"""Sweeps at the command line: folders, launchers, resume after a kill, failures, one table and one figure."""

from __future__ import annotations

import csv
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet
import pytest
import yaml

from careload.command import launch
from careload.command.cli import DONE, ERROR, FAULTS, main
from careload.inputs.faults import Fault, Faults
from careload.results.folders import staging
from careload.results.sweep import FAILED_NAME
from support import SHORT

KEYS = ("practice.list_size=200,300", "practice.team.nurse.fte=0.25,0.5")

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


def tables(folder: Path) -> dict[str, tuple[object, str]]:
    """Numbers of every point: its results without provenance, and its summary."""
    return {
        path.parent.name: (
            pyarrow.parquet.read_table(path).to_pydict(),
            (path.parent / "summary.csv").read_text(),
        )
        for path in sorted(folder.glob("*/results.parquet"))
    }


def records(path: Path) -> list[dict[str, str]]:
    """Rows of a table."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_sweep_leaves_a_folder_for_every_point_one_table_and_one_heat_map(
    told: Told, tmp_path: Path
) -> None:
    code, out, err = told("compare", "-m", *KEYS, *SHORT, "output=there")
    assert code == DONE, err
    there = tmp_path / "there"
    assert sorted(tables(there)) == ["0", "1", "2", "3"]
    assert yaml.safe_load((there / "1/.hydra/overrides.yaml").read_text())[:2] == [
        "++set.practice.list_size.value=200",
        "++set.practice.team.nurse.fte=0.5",
    ]
    assert {path.name for path in there.glob("sweep.*")} == {
        "sweep.csv",
        "sweep.parquet",
        "sweep.png",
        "sweep.svg",
    }
    rows = records(there / "sweep.csv")
    assert [(row["practice.list_size"], row["practice.team.nurse.fte"]) for row in rows] == [
        ("200", "0.25"),
        ("200", "0.5"),
        ("300", "0.25"),
        ("300", "0.5"),
    ]
    summary = {row["quantity"]: row for row in records(there / "3/summary.csv")}
    for column, quantity in (("released_hours", "released"), ("taken_home_hours", "home")):
        found = summary[f"solo_nurse.{quantity}"]
        ends = [rows[3][name] for name in (column, f"{column}_low", f"{column}_high")]
        assert ends == [found["value"], found["low"], found["high"]]
    schema = pyarrow.parquet.read_schema(there / "sweep.parquet")
    assert schema.field("released_hours").metadata[b"unit"] == b"h/week per GP"
    assert "released_hours" in out
    table = (there / "sweep.csv").read_bytes()
    for path in there.glob("sweep.*"):
        path.unlink()
    assert told("collect", "there")[:2] == (DONE, out.replace(f"{there}/", "there/"))
    assert (there / "sweep.csv").read_bytes() == table


@pytest.mark.parametrize(
    ("line", "part"),
    [
        (["collect"], "folder = null"),
        (["collect", "nowhere"], "folder = nowhere"),
        (["collect", "."], "folder = ."),
        (["collect", ".", "seed=1"], "argument = seed=1"),
    ],
)
def test_a_folder_without_points_is_told(told: Told, line: list[str], part: str) -> None:
    code, out, err = told(*line)
    assert (code, out) == (FAULTS, "")
    assert part in err


def test_every_launcher_gives_the_same_results(told: Told, tmp_path: Path) -> None:
    """Lanes and one after the other: the same numbers in every point, choices of files among the keys."""
    keys = ("behaviour=settled,weekly_rules", "seed=1,2", "practice.list_size=200")
    assert told("compare", "-m", *keys, *SHORT, "output=lanes")[0] == DONE
    assert told("compare", "-m", *keys, *SHORT, "output=basic", "hydra/launcher=basic")[0] == DONE
    lanes, basic = tables(tmp_path / "lanes"), tables(tmp_path / "basic")
    assert len(lanes) == 4
    assert lanes == basic
    for number in lanes:
        first, second = (
            yaml.safe_load((tmp_path / name / number / ".hydra/config.yaml").read_text())
            for name in ("lanes", "basic")
        )
        assert first == second


def test_joblib_gives_the_same_results(told: Told, tmp_path: Path) -> None:
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
    assert told("run", "-m", "seed=1,2", "practice.list_size=200", *SHORT, "output=lanes")[0] == DONE
    code, _, err = told(
        "run", "-m", "seed=1,2", "practice.list_size=200", *SHORT, "output=joblib", "hydra/launcher=joblib"
    )
    assert code == DONE, err
    assert tables(tmp_path / "lanes") == tables(tmp_path / "joblib")


def test_a_sweep_that_was_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    """SIGKILL after the first points: the same command finishes the others, and rewrites none that was whole."""
    keys = ("practice.list_size=range(200,320,20)", "seed=1,2")
    command = [sys.executable, "-m", "careload", "run", "-m", *keys, *SHORT, "output=there", "run.years=0.2"]
    command.remove("run.years=0.1")
    script = tmp_path / "few_lanes.py"
    script.write_text(
        "import sys\nfrom careload import plan\nfrom careload.command.cli import main\n"
        "plan.MOST_LANES = 2\nif __name__ == '__main__':\n    sys.exit(main())\n"
    )
    slow = [sys.executable, str(script), *command[3:]]
    with subprocess.Popen(slow, cwd=tmp_path, stderr=subprocess.DEVNULL) as process:
        while not list(tmp_path.glob("there/*/summary.csv")):
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("there/*/summary.csv")}
    (tmp_path / "there/11/.unfinished-left").mkdir()
    assert 0 < len(before) < 12
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == DONE, done.stderr
    assert f"{len(before)} of 12 points were there already" in done.stderr
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert len(tables(tmp_path / "there")) == 12
    assert len((tmp_path / "there/sweep.csv").read_text().splitlines()) == 13
    assert not list(tmp_path.glob("there/*/.unfinished-*"))
    command[command.index("output=there")] = "output=again"
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == DONE
    assert tables(tmp_path / "there") == tables(tmp_path / "again")


def test_a_changed_command_runs_its_points_again(told: Told, tmp_path: Path) -> None:
    """A result of another configuration is not taken for that of a point."""
    assert told("run", "-m", "seed=1,2", "practice.list_size=200", *SHORT, "output=there")[0] == DONE
    first = tables(tmp_path / "there")
    code, _, err = told("run", "-m", "seed=1,3", "practice.list_size=200", *SHORT, "output=there")
    assert code == DONE
    assert "1 of 2 points were there already" in err
    second = tables(tmp_path / "there")
    assert second["0"] == first["0"]
    assert second["1"] != first["1"]


def test_points_of_an_earlier_command_are_not_in_the_table(told: Told, tmp_path: Path) -> None:
    """A longer sweep before in the same folder leaves points that are no points of this one, and it says so."""
    line = ("run", "-m", *SHORT, "output=there")
    assert told(*line, "practice.list_size=200,300,400")[0] == DONE
    code, out, _ = told(*line, "practice.list_size=200", "seed=7,8")
    assert code == DONE
    assert "left out, as another command has made them: 2" in out
    assert [row["point"] for row in records(tmp_path / "there/sweep.csv")] == ["0", "1"]


def test_a_run_that_is_killed_while_files_move_leaves_no_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever move is the last one, there is no mark beside numbers of another run."""
    names = ("results.parquet", "summary.csv", "spread.csv")
    for moves in range(len(names)):
        folder = tmp_path / str(moves)
        folder.mkdir()
        for name in names:
            (folder / name).write_text("old")
        left, real = iter(range(moves)), Path.replace

        def replace(self: Path, target: Path, left=left, real=real) -> Path:  # type: ignore[no-untyped-def]
            if next(left, None) is None:
                raise KeyboardInterrupt
            return real(self, target)

        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", replace)
            with pytest.raises(KeyboardInterrupt), staging(folder, names[0], names) as stage:
                for name in names:
                    (stage / name).write_text("new")
        assert not (folder / names[0]).exists()
        assert {path.read_text() for path in folder.iterdir()} <= {"new"}


def test_a_folder_used_again_keeps_no_file_of_the_run_before(told: Told, tmp_path: Path) -> None:
    """Page, figures and spread of another run do not stand beside new numbers; what is not careload's stays."""
    line = ("practice.list_size=200", *SHORT, "output=there")
    assert told("compare", *line)[0] == DONE
    (tmp_path / "there/notes.txt").write_text("mine")
    assert (tmp_path / "there/report.html").is_file()
    assert told("run", *line)[0] == DONE
    found = {path.name for path in (tmp_path / "there").iterdir() if not path.name.startswith(".")}
    assert found == {"results.parquet", "summary.csv", "notes.txt"}


@pytest.mark.parametrize("launcher", ["lanes", "basic"])
def test_a_point_that_fails_stops_no_other(
    told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, launcher: str
) -> None:
    """Its folder says why; the others are whole; the next try takes the failure away."""
    from careload import jobs

    real = jobs.write_findings

    def write(findings, folder, figures=True):  # type: ignore[no-untyped-def]
        if findings.baseline.study.seed == 2:
            raise Faults([Fault("path", 1, "two", "three")])
        return real(findings, folder, figures)

    monkeypatch.setattr(jobs, "write_findings", write)
    monkeypatch.setattr(launch, "write_findings", write)
    line = ("run", "-m", "seed=1,2,3", "practice.list_size=200", *SHORT, "output=there")
    code, out, err = told(*line, f"hydra/launcher={launcher}")
    assert code == FAULTS
    assert "path = 1: expected two; try three" in err
    assert "failed: 1" in out
    assert sorted(tables(tmp_path / "there")) == ["0", "2"]
    failed = tmp_path / "there/1" / FAILED_NAME
    assert failed.read_text() == "path = 1: expected two; try three\nexit code 2\n"
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    assert told(*line, f"hydra/launcher={launcher}")[0] == DONE
    assert not failed.exists()
    assert len(tables(tmp_path / "there")) == 3
    monkeypatch.setattr(jobs, "write_findings", write)
    monkeypatch.setattr(launch, "write_findings", write)
    later = ("run", "-m", "seed=1,2,3", "practice.list_size=250", *SHORT, "output=there")
    assert told(*later, f"hydra/launcher={launcher}")[0] == FAULTS
    assert [row["point"] for row in records(tmp_path / "there/sweep.csv")] == ["0", "2"]


def test_an_error_of_careload_itself_is_told_for_its_point(
    told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("nothing to share")

    monkeypatch.setattr(launch, "write_findings", broken)
    code, _, err = told("run", "-m", "seed=1,2", "practice.list_size=200", *SHORT, "output=there")
    assert code == ERROR
    assert "ZeroDivisionError: nothing to share" in err
    assert "Traceback" not in err
    assert all("exit code 1" in (tmp_path / f"there/{n}/{FAILED_NAME}").read_text() for n in (0, 1))
