"""Pyramids are read from any file in either layout, and every defect of a file is named at once."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from careload.inputs.faults import Faults
from careload.patients.pyramid import read_pyramid

DATA = Path(__file__).parents[2] / "conf" / "population" / "data"
NATIONAL = DATA / "belgium_population_2025.csv"
TOWNS = DATA / "belgium_municipalities_2026.csv"


def group_lines(place: str, first: int = 100, last_open: bool = True) -> list[str]:
    """Lines of one place in five-year groups up to 95, men rising by one a group."""
    ages = [(age, str(age + 4)) for age in range(0, 95, 5)] + [(95, "" if last_open else "99")]
    return [f"{place},{age},{upper},{first + i},{first + 50}" for i, (age, upper) in enumerate(ages)]


CODED = "nis_code,municipality,region,reference_date,age_from,age_to,male,female"
PLAIN = "country,reference_year,age_from,age_to,male,female"


def write(folder: Path, lines: list[str], encoding: str = "utf-8") -> Path:
    path = folder / "people.csv"
    path.write_bytes("\r\n".join(lines).encode(encoding))
    return path


def fault_lines(path: Path, code: str | int | None = None) -> list[str]:
    with pytest.raises(Faults) as caught:
        read_pyramid(path, code)
    return str(caught.value).splitlines()


def test_national_file():
    pyramid = read_pyramid(NATIONAL)
    assert pyramid.name == "Belgium"
    assert pyramid.source == "belgium_population_2025.csv: Belgium, 2025-01-01"
    assert int(pyramid.men.sum() + pyramid.women.sum()) == 11_836_636
    assert pyramid.age_from.tolist() == list(range(0, 105, 5))
    assert pyramid.age_to == (*range(5, 105, 5), None)
    assert pyramid.years.tolist() == [5] * 21


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (11001, "Aartselaar"),
        ("11002", "Antwerpen"),
        (" 62063 ", "Liège"),
        ("44021.0", "Gent"),
        ("Leuven", "Leuven"),
        ("liège", "Liège"),
    ],
)
def test_every_way_to_name_a_town(code: str | int, name: str):
    pyramid = read_pyramid(TOWNS, code)
    assert pyramid.name == name
    assert pyramid.age_from[0] == 0
    assert pyramid.age_to[-1] is None
    assert pyramid.men.min() >= 0


def test_other_codes_years_and_column_orders(tmp_path: Path):
    header = "reference_year;nis_code;age_to;age_from;female;male;extra"
    rows = [
        f"2031;{line.split(',')[0]};{a[2]};{a[1]};{a[4]};{a[3]};x"
        for line in group_lines("71999")
        for a in [line.split(",")]
    ]
    pyramid = read_pyramid(write(tmp_path, [header, *rows]), "71999")
    assert pyramid.men.tolist() == list(range(100, 120))
    assert pyramid.women.tolist() == [150] * 20
    assert pyramid.source == "people.csv: 71999, 2031-01-01"
    assert read_pyramid(tmp_path / "people.csv").name == "71999"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_spreadsheet_habits(tmp_path: Path, encoding: str):
    header = CODED.replace(",", ";").upper()
    rows = [line.replace(",", " ; ") for line in group_lines("62063,Liège,Wallonia,01/01/2027")]
    pyramid = read_pyramid(write(tmp_path, [header, "", *rows, ";;;;;;;"], encoding), 62063)
    assert pyramid.name == "Liège"
    assert pyramid.source.endswith("2027-01-01")


def test_the_latest_date_wins_whatever_the_order(tmp_path: Path):
    old, new = group_lines("1,A,R,2020-01-01", first=10), group_lines("1,A,R,2024-07-01", first=90)
    other = group_lines("2,B,R,2030-01-01", first=500)
    for rows in (old + new + other, [*reversed(new), *other, *reversed(old)]):
        pyramid = read_pyramid(write(tmp_path, [CODED, *rows]), 1)
        assert pyramid.men.tolist() == list(range(90, 110))
        assert pyramid.source.endswith("2024-07-01")


def test_single_years_of_age_and_a_closed_last_group(tmp_path: Path):
    rows = [f"X,2025,{age},{age},{age},1" for age in range(100)]
    pyramid = read_pyramid(write(tmp_path, [PLAIN, *rows]))
    assert pyramid.years.tolist() == [1] * 100
    assert read_pyramid(write(tmp_path, [PLAIN, *group_lines("X,2025", last_open=False)])).age_to[-1] == 100


def test_all_defects_are_named_at_once(tmp_path: Path):
    rows = group_lines("1,A,R,2025-01-01")
    rows[1] = "1,A,R,2025-01-01,5,9,1.234,-3"
    rows[3] = "1,A,R,2025-13-01,15,19,10,10"
    rows[4] = "1,A,R,2025-01-01,20"
    rows[6] = ",A,R,2025-01-01,thirty,34,10,"
    second = group_lines("2,B,R,2025-01-01")
    del second[2]
    second[10] = second[9]
    found = fault_lines(write(tmp_path, [CODED, *rows, *second]), 77)
    text = "\n".join(found)
    assert len(found) == 11
    assert re.search(r"people\.csv:3\.male = '?1\.234", text)
    for part in (
        ":3.female = ",
        ":5.reference_date = ",
        ":6.cells = 5",
        ":8.nis_code = ",
        ":8.age_from = ",
        ":8.female = ",
        ":24.age_from = 15: expected 10",
        ":32.age_from = ",
        ":33.age_from = ",
        "population.nis_code = 77",
    ):
        assert part in text
    assert all(": expected " in line and "; try " in line for line in found)


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (lambda rows: rows[1:], "age_from = 5: expected 0"),
        (lambda rows: rows[:12], "age_to = 59: expected groups beyond age 85"),
        (lambda rows: [*rows[:12], "X,2025,60,,5,5"], "expected an upper age"),
        (lambda rows: [*rows, "X,2025,100,,5,5"], "expected no group after an open one"),
        (lambda rows: [rows[0], "X,2025,5,24,5,5", *rows[5:]], "expected a group of at most 10 years"),
        (lambda rows: [rows[0], *rows], "age_from = 0: expected 5"),
        (lambda rows: ["X,2025,0,-1,5,5", *rows[1:]], "age_to = "),
        (lambda rows: [",".join([*row.split(",")[:4], "0", "0"]) for row in rows], "at least one person"),
        (lambda rows: [], "a header and at least one row"),
    ],
)
def test_each_defect_of_the_groups(tmp_path: Path, change, part: str):
    found = fault_lines(write(tmp_path, [PLAIN, *change(group_lines("X,2025"))]))
    assert any(part in line for line in found), found


def test_missing_columns_are_all_named(tmp_path: Path):
    found = fault_lines(write(tmp_path, ["place,age_from,male", "X,0,1"]))
    assert [line.split(" = ")[0] for line in found] == [
        "people.csv:1.reference_date",
        "people.csv:1.age_to",
        "people.csv:1.female",
    ]
    assert "nis_code" in fault_lines(write(tmp_path, [PLAIN.removeprefix("country,"), "2025,0,,1,1"]))[0]
    assert "twice" in fault_lines(write(tmp_path, [PLAIN + ",male", "X,2025,0,,1,1,1"]))[0]


def test_a_missing_file_a_folder_and_an_unknown_or_missing_code(tmp_path: Path):
    assert "No such file" in fault_lines(tmp_path / "nothing.csv")[0]
    assert len(fault_lines(tmp_path)) == 1
    for code in (None, "", 99999, "Nowhere"):
        (line,) = fault_lines(TOWNS, code)
        assert line.startswith("population.nis_code")
        assert "11001 (Aartselaar)" in line


def test_counts_are_whole_numbers_in_the_result():
    pyramid = read_pyramid(TOWNS, 52011)
    assert pyramid.men.dtype == pyramid.women.dtype == np.int64
