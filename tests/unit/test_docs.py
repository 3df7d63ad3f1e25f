"""The documentation against the program: what it names exists, and what it shows is accepted."""

from __future__ import annotations

import ast
import importlib.util
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

import careload
import careload.day.stages
from careload.command.arguments import VERBS, read_command
from careload.command.points import points
from careload.day.accounts import Account
from careload.inputs.law import DELEGATES, LISTS
from careload.inputs.load import load_comparison, load_study
from careload.inputs.quantity import FIELDS
from careload.inputs.vocabulary import GROUPS, conf_dir, options
from careload.results.ledger import Ledger

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").glob("*.md"),
        *(ROOT / "experiments").rglob("*.md"),
        ROOT / "results" / "README.md",
    ]
)
MOST_LINES = 300
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
EXAMPLE_FOLDER = "my_files"
EXAMPLE_TABLE = "/path/to/my.csv"


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def code_of(page: Path) -> list[str]:
    """Code of a page, line by line and span by span; examples of faults left out."""
    text = text_of(page)
    blocks = [body for _, body in FENCE.findall(text)]
    lines = [line for body in blocks for line in body.splitlines()]
    lines += [line for line in text.splitlines() if line.startswith("    ")]
    spans = SPAN.findall(FENCE.sub("", text))
    return [code for code in (*lines, *spans) if ": expected " not in code]


def section_of(page: Path, heading: str) -> str:
    """Text of one section of the second level."""
    _, _, rest = text_of(page).partition(f"\n## {heading}\n")
    assert rest, f"{page.name} has no section {heading}"
    return rest.split("\n## ")[0]


@cache
def known_keys() -> frozenset[str]:
    """Keys of all worlds of the scenarios that ship, and the lists of names that can be set."""
    lists = {"practice.staff", *(f"protocol.{name}" for name in (DELEGATES, *LISTS, "requires_stable"))}
    shipped = [load_comparison([f"scenario={name}"]) for name in options([conf_dir()], "scenario")]
    return frozenset(
        {key for comparison in shipped for _, study in comparison.worlds for key, _ in study.quantities()}
        | lists
    )


def commands() -> Iterator[tuple[str, str]]:
    """Page and command line of every `careload VERB ...` in code."""
    for page in PAGES:
        for code in code_of(page):
            _, found, rest = code.partition("careload ")
            before = code[: len(code) - len(rest) - len("careload ")]
            if found and re.fullmatch(r"(\.venv/bin/|.*&& \.venv/bin/)?", before.strip()):
                yield page.name, f"careload {rest}"


def stages() -> list[str]:
    """Functions that `run_day` calls, in the order of the source; `join` only puts tables together."""
    tree = ast.parse(Path(careload.day.stages.__file__).read_text(encoding="utf-8"))
    day = next(one for one in tree.body if isinstance(one, ast.FunctionDef) and one.name == "run_day")
    calls = [node for node in ast.walk(day) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    ordered = sorted(calls, key=lambda call: (call.lineno, call.col_offset))
    return [call.func.id for call in ordered if isinstance(call.func, ast.Name) and call.func.id != "join"]


def refresh() -> ModuleType:
    """The script that writes the numbers of the README."""
    spec = importlib.util.spec_from_file_location("refresh", ROOT / "docs" / "refresh.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_stages_of_a_day_are_those_of_the_source() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", section_of(ROOT / "docs" / "day.md", "11 Order of the day"), re.M)
    assert rows == stages()


def test_the_sections_of_the_day_that_the_source_refers_to_exist() -> None:
    numbers = set(re.findall(r"^## (\d+) ", text_of(ROOT / "docs" / "day.md"), re.M))
    assert numbers == {str(number) for number in range(1, 13)}
    source = "\n".join(text_of(path) for path in (ROOT / "src").rglob("*.py"))
    for listed in re.findall(r"docs/day\.md, sections? ([\d, toand]+)", source):
        assert set(re.findall(r"\d+", listed)) <= numbers


def test_documents_that_the_source_names_exist() -> None:
    source = "\n".join(text_of(path) for folder in ("src", "tests") for path in (ROOT / folder).rglob("*.py"))
    for name in set(re.findall(r"docs/\w+\.md", source)):
        assert (ROOT / name).is_file(), name


def test_the_quick_start_has_two_commands_and_the_second_is_the_one_that_is_run() -> None:
    blocks = FENCE.findall(section_of(ROOT / "README.md", "Quick start"))
    first, second = (body.strip() for _, body in blocks)
    assert all("\n" not in command for command in (first, second))
    install = "python3 -m venv .venv && .venv/bin/python -m pip install -q -e '.[dev]' && "
    assert first == install + ".venv/bin/careload compare"
    assert second == install + ".venv/bin/python -m pytest -n auto"
    run = ROOT / ".ci" / "run"
    lines = text_of(run).splitlines()
    assert lines[0] == "#!/usr/bin/env bash" and "set -euo pipefail" in lines and lines[-1] == second
    assert run.stat().st_mode & 0o111


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_is_short_and_its_links_exist(page: Path) -> None:
    text = text_of(page)
    assert len(text.splitlines()) < MOST_LINES
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
        assert target.startswith("https://") or (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_keys_and_choices_that_a_page_names_exist(page: Path) -> None:
    heads = {key.partition(".")[0] for key in known_keys()}
    key_form = re.compile(rf"(?<![\w./-])(?:{'|'.join(sorted(heads))})(?:\.[a-z0-9_]+)+")
    choice_form = re.compile(rf"(?<![\w.])({'|'.join(GROUPS)})=([a-z_,]+)")
    for code in code_of(page):
        for key in key_form.findall(code):
            stem, _, last = key.rpartition(".")
            group = any(known.startswith(f"{key}.") for known in known_keys())
            assert key in known_keys() or group or (last in FIELDS and stem in known_keys()), key
        for name, chosen in choice_form.findall(code):
            assert set(chosen.split(",")) <= set(options([conf_dir()], name)), (name, chosen)


def test_commands_that_pages_show_are_accepted() -> None:
    shown = sorted(set(commands()))
    assert len(shown) >= 15
    for page, line in shown:
        command, faults = read_command(shlex.split(line)[1:])
        assert command.help or not faults, (page, line, [str(fault) for fault in faults])
        assert command.verb in VERBS or command.help, (page, line)
        overrides = [text for text in command.overrides if EXAMPLE_TABLE not in text]
        if EXAMPLE_FOLDER in command.config_dirs or overrides != command.overrides:
            continue
        combinations, faults = points(overrides) if command.multirun else ([overrides], [])
        assert not faults, (page, line)
        load = load_study if command.verb == "run" else load_comparison
        for combination in combinations:
            load(combination)


def test_files_that_the_page_on_configuration_shows_are_accepted(tmp_path: Path) -> None:
    bodies = [body for _, body in FENCE.findall(text_of(ROOT / "docs" / "configuration.md"))]
    task = next(body for body in bodies if body.startswith("label: {en: foot check"))
    protocol = next(body for body in bodies if body.startswith("name: injections_only"))
    role = next(body for body in bodies if body.startswith("label: {en: Health coach"))
    answers = next(body for body in bodies if body.startswith("name: coach_books"))
    worlds = next(body for body in bodies if body.startswith("worlds:"))
    named = "name: shown\nlabel: {en: a, fr: b, nl: c}\nquestion: {en: a, fr: b, nl: c}\n"
    for path, body in (
        ("task/foot_check", task),
        ("protocol/injections_only", protocol),
        ("role/health_coach", role),
        ("first_contact/coach_books", answers),
        ("scenario/shown", named + worlds),
    ):
        file = tmp_path / f"{path}.yaml"
        file.parent.mkdir()
        file.write_text(body, encoding="utf-8")
    chosen = ["practice=solo_nurse", "protocol=injections_only", "first_contact=coach_books"]
    study = load_study([*chosen, "practice.staff=[gp,nurse,health_coach]"], [tmp_path])
    assert study.staff == ("health_coach", "nurse", "gp")
    assert study.first_contact.answered_by == "nurse"
    assert "foot_check" in study.tasks and len(study.protocol.acts) == 3
    assert [name for name, _ in load_comparison(["scenario=shown"], [tmp_path]).worlds] == ["half", "full"]


def test_every_part_of_the_ledger_is_explained() -> None:
    explained = set(SPAN.findall(text_of(ROOT / "docs" / "estimands.md")))
    inside = {"worked_baseline", "worked"}
    assert {name for name in Ledger.__dataclass_fields__ if name not in inside} <= explained


def test_the_counters_of_the_results_that_pages_name_exist() -> None:
    from careload.results.account_facts import ACCOUNT_FACTS

    columns = {ACCOUNT_FACTS[account].column for account in Account}
    assert set(re.findall(r'field\("(\w+)"\)', text_of(ROOT / "results" / "README.md"))) <= columns


def test_versions_agree() -> None:
    assert f"version: {careload.__version__}\n" in text_of(ROOT / "CITATION.cff")
    assert f"## [{careload.__version__}]" in text_of(ROOT / "CHANGELOG.md")


@pytest.mark.slow
def test_the_numbers_of_the_readme_are_those_of_a_run() -> None:
    script = refresh()
    assert script.written(text_of(ROOT / "README.md")) == script.answer(script.simulated())
