"""No number of the science stands in the program: what is left is declared here, with its reason.

Walked are the packages that simulate. Free are: 0, 1, 2 and small indices; labels of enumerations; widths in shifts;
units of time and of rates (60, 7, 52, 1,000, ...). Every other number, and every constant of a module, must be in
`DECLARED`. A value that a person could hold another opinion on belongs to `conf/`, with unit, range, source and status.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import careload

ROOT = Path(careload.__file__).parent
WALKED = ("day", "practice", "patients", "agents", "inputs")

INDICES = frozenset(range(9))
"""Numbers of axes, columns and places in a list; also halves and small powers."""

UNITS_OF_TIME = frozenset({7, 12, 24, 52, 53, 60, 365, 366})
"""Days, months, hours, weeks, minutes."""

UNITS_OF_RATES = frozenset({1000, 1024})
"""Rates are per 1,000 persons, pace is in 1/1024."""

FREE_FLOATS = frozenset({0.0, 0.5, 1.0, 2.0})
"""Nothing, half (rounding, square root, an empty share), all, a square."""

NAMED = frozenset({0, 1, 2})
"""What a constant of a module may be without a declaration."""

FREE = INDICES | UNITS_OF_TIME | UNITS_OF_RATES

DECLARED: dict[str, dict[float, str]] = {
    "agents/model.py": {250_000: "memory: more agents than this are rows without objects"},
    "day/attend.py": {400_000: "patient-days drawn at once: memory"},
    "day/closing.py": {2_000_000: "rows kept open: memory"},
    "day/premises.py": {
        32: "minutes of a step in which people are counted",
        48: "steps of a day",
        33: "bits of a tick in a sort key",
    },
    "inputs/check.py": {20_000: "size of a cache"},
    "inputs/compose.py": {64: "size of a cache"},
    "inputs/consistency.py": {
        20_000: "size of a cache",
        1e-6: "slack of sums of shares",
        0.02: "slack of a profile that is renormalised",
        50: "two weeks of the year stay open",
    },
    "inputs/faults.py": {0.6: "likeness of names", 80: "width of a line", 77: "width of a line"},
    "inputs/feasible.py": {
        4: "size of a table of sessions",
        5: "open days of a week",
        52: "weeks of a year",
        96: "size of a table of places",
        62: "bits of a mask",
    },
    "inputs/quantity.py": {
        0.2: "rule of ranges: the step of a share",
        1e-9: "slack of a comparison",
        1e300: "largest number that is one",
    },
    "inputs/vocabulary.py": {2048: "size of a cache"},
    "inputs/world.py": {63: "bits of a seed"},
    "inputs/yaml_files.py": {40: "depth of a tree", 10: "base of a number"},
    "patients/bundle.py": {366: "days of a year"},
    "patients/calendar.py": {5: "open days of a week", 104: "two years around the window"},
    "patients/carried.py": {1024: "parts of a law in which a line is looked up"},
    "patients/demand.py": {2048: "code of an octave", 1e-9: "slack of a limit, for rounding"},
    "patients/population.py": {
        18: "age bands of all tables",
        45: "age bands of all tables",
        65: "age bands of all tables",
        75: "age bands of all tables",
        256: "size of a table by age",
        1e-9: "slack of a decomposition",
    },
    "patients/pyramid.py": {
        85: "age bands of all tables",
        10: "widest age group of a file that is read",
        95: "open age group of a file that is read",
        120: "oldest person",
    },
    "patients/tables.py": {
        7: "age bands of all tables",
        50_000: "persons of the list that gives joint shares of conditions",
        16: "quantile classes of a continuous law",
    },
    "practice/rota.py": {4095: "latest minute that a tick can hold"},
    "practice/timetable.py": {5: "open days of a week"},
    "practice/worlds.py": {5: "open days of a week", 120: "length of a table by days of lead"},
}
"""File to the numbers that may stand there, each with its reason."""

SOLVERS = (
    "day/accounts.py",
    "day/book.py",
    "day/book_requests.py",
    "day/booking.py",
    "day/contacts.py",
    "day/gaps.py",
    "day/parts.py",
    "day/schedule.py",
    "day/schedule_kernel.py",
    "day/schedule_lists.py",
    "day/schedule_steps.py",
    "day/slips.py",
)
"""Files of the solvers: their whole numbers are widths of bit fields and sizes of tables; no fraction is free there."""


def numbers(path: Path) -> Iterator[tuple[int, float, bool]]:
    """Line and value of every number outside enumerations and shifts, and whether a constant of the module is it."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            skipped |= {id(one.value) for one in node.body if isinstance(one, ast.Assign)}
        if isinstance(node, ast.BinOp) and isinstance(
            node.op, ast.LShift | ast.RShift | ast.BitAnd | ast.BitOr
        ):
            skipped |= {id(node.left), id(node.right)}
    named = {id(one.value) for one in tree.body if isinstance(one, ast.Assign | ast.AnnAssign)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and type(node.value) in (int, float) and id(node) not in skipped:
            yield node.lineno, node.value, id(node) in named


def strange(path: Path) -> list[tuple[int, float]]:
    """Numbers of a file that are neither free nor declared."""
    name = path.relative_to(ROOT).as_posix()
    declared = DECLARED.get(name, {})
    return [
        (line, value)
        for line, value, named in numbers(path)
        if value not in declared
        and not (isinstance(value, float) and value in FREE_FLOATS | UNITS_OF_TIME | UNITS_OF_RATES)
        and not (isinstance(value, int) and (name in SOLVERS or value in (NAMED if named else FREE)))
    ]


def files() -> list[Path]:
    return [path for package in WALKED for path in sorted((ROOT / package).rglob("*.py"))]


@pytest.mark.parametrize("path", files(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_number_of_the_science_stands_in_the_program(path: Path) -> None:
    found = strange(path)
    assert not found, (
        f"{found}: move them to conf/, with unit, range, source and status, or declare them above"
    )


def test_what_is_declared_is_there() -> None:
    """A declaration without its number would let another one in."""
    for name, declared in DECLARED.items():
        path = ROOT / name
        found = {value for _, value, _ in numbers(path)}
        assert set(declared) <= found, (name, set(declared) - found)


def test_a_number_of_the_science_would_be_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "day"
    package.mkdir()
    (package / "own.py").write_text(
        "SHARE = 0.15\nMINUTES = 15\nWEEKS = 4\nROWS = list(range(3))\n", encoding="utf-8"
    )
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path)
    assert strange(package / "own.py") == [(1, 0.15), (2, 15), (3, 4)]
