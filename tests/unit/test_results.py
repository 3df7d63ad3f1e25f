from __future__ import annotations

import csv
import io
import json
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import careload
from careload.api import Result
from careload.command.progress import progress_line
from careload.day.accounts import Account
from careload.inputs.faults import Faults
from careload.inputs.study import Comparison
from careload.jobs import compare_job, run_job
from careload.results import files as results
from careload.results.account_facts import ACCOUNT_FACTS
from careload.results.files import CSV_COLUMNS, read_provenance, write_parquet, write_summary
from careload.results.folders import open_folder, replacing
from careload.results.provenance import provenance, source_commit
from careload.ticks import MINUTE
from short_findings import FIXED, REPLICATIONS, short_comparison, short_findings

CELLS = REPLICATIONS + FIXED


@pytest.fixture(scope="module")
def parquet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_parquet(short_findings(), tmp_path_factory.mktemp("results"))


def test_every_account_has_its_facts() -> None:
    assert list(ACCOUNT_FACTS) == list(Account)
    assert len({fact.column for fact in ACCOUNT_FACTS.values()}) == len(Account)


def test_every_column_says_unit_meaning_and_grade(parquet: Path) -> None:
    for field in pq.read_schema(parquet):
        facts = {key.decode(): value.decode() for key, value in field.metadata.items()}
        assert facts["unit"] and facts["description"] and facts["grade"] in "ABCD", field.name


def test_one_row_for_each_world_and_replication(parquet: Path) -> None:
    table = pd.read_parquet(parquet)
    assert list(table.world) == ["solo"] * CELLS + ["solo_nurse"] * CELLS
    assert list(table.replication) == list(range(CELLS)) * 2
    assert table.own_people.sum() == 2 * REPLICATIONS
    assert (table.list_size == 600).all() and (table.window_weeks == 4).all()


def test_times_are_minutes_and_counts_are_counts(parquet: Path) -> None:
    table, totals = pd.read_parquet(parquet), short_findings().run.totals
    for account, fact in ACCOUNT_FACTS.items():
        unit = MINUTE if fact.is_time else 1
        assert np.array_equal(table[fact.column] * unit, totals[account].ravel()), account
    assert table.gp_service_minutes.min() > 60 * 60
    assert table.supervisions[CELLS:].min() > 0


def test_released_time_is_its_destinations_in_every_row(parquet: Path) -> None:
    table = pd.read_parquet(parquet)
    ledger = table.filter(like="ledger_")
    assert ledger[:CELLS].isna().all().all()
    after = ledger[CELLS:]
    went = after[[f"ledger_{name}_hours" for name in ("reinvested", "home", "usable", "crumbs")]].sum(axis=1)
    assert np.allclose(after.ledger_released_hours, went, rtol=0, atol=1e-9)
    groups = table.filter(like="moved_").drop(columns="ledger_moved_hours", errors="ignore")[CELLS:]
    groups = groups[[name for name in groups if not name.startswith("ledger")]].sum(axis=1)
    assert np.allclose(groups, after.ledger_moved_hours + after.ledger_ended_hours, rtol=0, atol=1e-9)
    means = after[:REPLICATIONS].mean()
    parts = short_findings().contrasts[0].parts
    assert means.ledger_released_hours == pytest.approx(parts["released"].value)


def test_person_counts_are_written_where_the_run_has_them(tmp_path: Path) -> None:
    findings = short_findings()
    worlds = tuple(
        replace(world, totals=replace(world.totals, persons=np.full((8, CELLS), 0.25 + number)))
        for number, world in enumerate(findings.worlds)
    )
    table = pd.read_parquet(write_parquet(replace(findings, worlds=worlds), tmp_path))
    assert list(table.zero_contact_men) == [0.25] * CELLS + [1.25] * CELLS


def test_provenance_tells_how_to_make_it_again(parquet: Path) -> None:
    stored = read_provenance(parquet)
    assert stored["version"] == careload.__version__
    assert stored["replications"] == REPLICATIONS and stored["fixed_list_replications"] == FIXED
    assert stored["scenario"] == "half_time_nurse" and stored["seed"] == 1
    for key in ("created", "command", "python", "numpy", "commit"):
        assert key in stored
    for (name, study), world in zip(short_comparison().worlds, stored["worlds"], strict=True):
        assert world["name"] == name and world["digest"] == study.digest
        assert world["choices"] == study.choices and world["overrides"] == list(study.overrides)
        assert world["quantities"]["run.years"] == 0.1
        assert set(world["quantities"]) == {key for key, _ in study.quantities()}


def test_provenance_is_plain_json() -> None:
    facts = provenance(short_findings())
    text = json.dumps(facts, default=None)
    assert json.loads(text)["worlds"][0]["choices"]["practice"] == "solo"
    commit = source_commit()
    assert commit is None or len(commit) == 40


def test_the_summary_has_every_estimate(tmp_path: Path) -> None:
    path = write_summary(short_findings(), tmp_path)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert tuple(rows[0]) == CSV_COLUMNS
    estimates = list(short_findings().estimates())
    assert [row[0] for row in rows[1:]] == [one.quantity for one in estimates]
    for row, one in zip(rows[1:], estimates, strict=True):
        assert [float(x) if x else math.nan for x in row[1:4]] == pytest.approx(
            [one.value, one.low, one.high], nan_ok=True, rel=0, abs=0
        )
        assert row[4] and row[5] in "ABCD" and row[6]


def test_the_same_run_writes_the_same_summary(tmp_path: Path) -> None:
    first = write_summary(short_findings(), open_folder(tmp_path / "one")).read_bytes()
    second = write_summary(short_findings(), open_folder(tmp_path / "two")).read_bytes()
    assert first == second


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "results.parquet"
    path.write_text("before")
    with pytest.raises(ZeroDivisionError), replacing(path) as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError
    assert path.read_text() == "before"
    with replacing(path) as temporary:
        assert temporary.parent == tmp_path
        temporary.write_text("after")
    assert path.read_text() == "after"
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_that_fails_leaves_the_result_of_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_parquet(short_findings(), tmp_path)
    before = path.read_bytes()

    def fail(table: object, where: Path) -> None:
        where.write_bytes(b"half a file")
        raise OSError("disk full")

    monkeypatch.setattr(results._arrow.parquet, "write_table", fail)
    with pytest.raises(OSError, match="disk full"):
        write_parquet(short_findings(), tmp_path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_cannot_be_is_refused_before_the_run(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")

    def never(done: int, total: int) -> None:
        raise AssertionError("simulated")

    with pytest.raises(Faults, match=r"folder = .*expected a folder that can be written to .*; try"):
        compare_job(short_comparison(), blocked / "results", never)
    assert open_folder(tmp_path / "a" / "b").is_dir()
    assert not list((tmp_path / "a" / "b").iterdir())


def test_jobs_write_and_return_the_table(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    text = compare_job(
        short_comparison(), tmp_path / "compare", lambda done, total: told.append((done, total))
    )
    written = sorted(path.name for path in (tmp_path / "compare").iterdir())
    assert written == ["released.png", "released.svg", "report.html", "results.parquet", "summary.csv"]
    assert all(str(tmp_path / "compare" / name) in text for name in written)
    assert "simulation only" in text and "= released" in text
    assert told and told[-1][0] == told[-1][1]
    alone = run_job(short_comparison().worlds[0][1], tmp_path / "run")
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["results.parquet", "summary.csv"]
    assert "gp_hours_per_week" in alone and "released" not in alone
    table = pd.read_parquet(tmp_path / "run" / "results.parquet")
    assert len(table) == REPLICATIONS and not list(table.filter(like="ledger_"))


def test_a_comparison_of_three_worlds_has_two_contrasts(tmp_path: Path) -> None:
    two = short_comparison()
    worlds = (*two.worlds, ("again", two.worlds[1][1]))
    text = compare_job(Comparison(two.scenario, worlds), tmp_path)
    assert {path.name for path in tmp_path.glob("*.png")} == {"released_solo_nurse.png", "released_again.png"}
    assert "again against solo" in text and "less solo" in text and "again - solo" not in text
    summary = pd.read_csv(tmp_path / "summary.csv").set_index("quantity")
    for column in ("value", "low", "high"):
        assert summary.loc["again.released", column] == summary.loc["solo_nurse.released", column]


def test_the_result_for_notebooks(tmp_path: Path) -> None:
    result = Result(short_findings())
    table = result.table
    assert list(table.columns) == ["label", "value", "low", "high", "unit", "grade", "note"]
    assert table.loc["solo_nurse.released", "value"] == short_findings().contrasts[0].parts["released"].value
    assert len(result.cells) == 2 * CELLS
    assert "= released" in result.summary()
    assert len(result.save(tmp_path)) == 5
    with pytest.raises(Faults, match="try solo_nurse"):
        result.figure("solo")
    with pytest.raises(Faults, match=r"careload\.compare"):
        Result(replace(short_findings(), contrasts=())).figure()


def test_run_and_compare_take_overrides() -> None:
    result = careload.run("practice.list_size=600", "run.years=0.5", replications=2)
    assert result.findings.run.replications == 2 and result.findings.run.fixed == 0
    assert (result.cells.list_size == 600).all()
    with pytest.raises(Faults, match="replications = 0"):
        careload.compare(replications=0)
    with pytest.raises(Faults, match=r"practice\.list_sise"):
        careload.compare("practice.list_sise=600")


def test_import_is_light() -> None:
    heavy = ("numpy", "pandas", "matplotlib", "pyarrow", "mesa", "scipy", "hydra")
    code = f"import careload, sys; dir(careload); print([name for name in {heavy} if name in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
    with pytest.raises(AttributeError, match="nothing"):
        _ = careload.nothing


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_tells_every_ten_percent_in_a_file() -> None:
    out = io.StringIO()
    tell = progress_line(out)
    for done in range(1, 265):
        tell(done, 264)
    lines = out.getvalue().splitlines()
    assert [line.split(" %")[0].strip() for line in lines] == [str(x) for x in range(0, 101, 10)]
    assert "\r" not in out.getvalue()


def test_progress_rewrites_one_line_on_a_terminal() -> None:
    out = Terminal()
    tell = progress_line(out)
    for done in (1, 1, 50, 100):
        tell(done, 100)
    assert out.getvalue().count("\r") == 3
    assert out.getvalue().endswith("100 %, 0:00\n")
