"""Every mutated configuration and population file is refused at the front door, in lines that help."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from careload.command.cli import FAULTS, main
from careload.inputs.vocabulary import conf_dir

LINE = re.compile(r"(?P<path>\S.*?) = (?P<value>.*?): expected (?P<expectation>\S.*?); try (?P<remedy>\S.*)")
TABLE = "population/data/belgium_population_2025.csv"
PLACES = "population/data/belgium_municipalities_2026.csv"


@pytest.fixture(autouse=True)
def no_job(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mutation that passes the front door ends with exit code 0, without a simulation."""
    monkeypatch.setitem(sys.modules, "careload.command.launch", SimpleNamespace(launch=lambda *_: 0))


def refused(capsys: pytest.CaptureFixture[str], folder: Path, *arguments: str) -> list[re.Match[str]]:
    """Faults of a command: exit code 2, every line in its form, nothing printed and no folder made."""
    output = folder / "results"
    code = main([*arguments, f"output={output}"])
    out, err = capsys.readouterr()
    assert code == FAULTS, err
    assert out == ""
    assert "Traceback" not in err
    assert not output.exists()
    lines = [LINE.fullmatch(line) for line in err.splitlines()]
    assert all(lines), err
    found = [line for line in lines if line is not None]
    assert found
    return found


def assert_named(faults: list[re.Match[str]], path: str) -> None:
    """One of the faults is at the path."""
    paths = [fault["path"] for fault in faults]
    assert any(path in one for one in paths), paths


def own(folder: Path, name: str, content: str | bytes) -> Path:
    """A file in a configuration folder of the user."""
    path = folder / "mine" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder / "mine"


def packaged(name: str) -> str:
    """Text of a packaged file."""
    return (conf_dir() / name).read_text(encoding="utf-8")


def swap(old: str, new: str) -> Callable[[str], str]:
    """Replace the first occurrence, which must be there."""

    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new, 1)

    return change


PROTOCOL = "protocol/technical_chronic_prevention.yaml"


def with_value(text: str) -> Callable[[str], str]:
    """Give the baseline of a scenario a value of its own."""
    return swap("choices: {practice: solo,", f"values: {{{text}}}\n    choices: {{practice: solo,")


FILES = {
    "value of another type": (
        "task/ecg.yaml",
        swap("rate: {value: 25", "rate: {value: often"),
        "task.ecg.rate.value",
    ),
    "value outside its range": (
        "task/ecg.yaml",
        swap("rate: {value: 25", "rate: {value: 2500"),
        "task.ecg.rate",
    ),
    "negative rate": ("task/ecg.yaml", swap("rate: {value: 25", "rate: {value: -25"), "task.ecg.rate"),
    "number that is not finite": (
        "task/ecg.yaml",
        swap("rate: {value: 25", "rate: {value: .inf"),
        "task.ecg.rate",
    ),
    "no number": ("task/ecg.yaml", swap("rate: {value: 25", "rate: {value: .nan"), "task.ecg.rate"),
    "number without measure": ("task/ecg.yaml", swap("value: 25", f"value: {'9' * 400}"), "task.ecg.rate"),
    "bare number for a quantity": (
        "task/ecg.yaml",
        lambda text: re.sub(r"rate: \{[^}]*\}", "rate: 5", text),
        "task.ecg.rate",
    ),
    "range the wrong way round": ("task/ecg.yaml", swap("[10, 45]", "[45, 10]"), "task.ecg.rate.range"),
    "range of three": ("task/ecg.yaml", swap("[10, 45]", "[10, 25, 45]"), "task.ecg.rate.range"),
    "range too narrow for an assumption": (
        "role/nurse.yaml",
        swap("[7.5, 30]", "[14, 16]"),
        "practice.team.nurse.slot_minutes.range",
    ),
    "unknown unit": ("task/ecg.yaml", swap("per_1000_patients_year", "per_patient"), "task.ecg.rate.unit"),
    "unit of something else": (
        "task/ecg.yaml",
        swap("per_1000_patients_year", "minute"),
        "task.ecg.rate.unit",
    ),
    "unknown source": (
        "section/book.yaml",
        swap("source: careload_defaults_2026", "source: hearsay"),
        "source",
    ),
    "unknown status": ("section/book.yaml", swap("status: assumed", "status: certain"), "status"),
    "unknown field": ("section/book.yaml", swap("status: assumed", "status: assumed, sure: true"), "sure"),
    "unknown key": ("section/book.yaml", swap("held_share:", "held_shares:"), "book.held_shares"),
    "missing key": ("task/ecg.yaml", lambda text: re.sub(r"cv: \{[^}]*\}\n", "", text), "task.ecg.cv"),
    "spread beyond the tables": (
        "task/ecg.yaml",
        swap("0.4, unit: ratio, range: [0.2, 0.8]", "4.5, unit: ratio, range: [0.2, 9]"),
        "task.ecg.cv",
    ),
    "unknown kind": ("task/ecg.yaml", swap("kind: act", "kind: acts"), "task.ecg.kind"),
    "another kind": ("task/ecg.yaml", swap("kind: act", "kind: visit"), "task.ecg"),
    "visit without a channel": (
        "task/chronic_ckd.yaml",
        swap("channel: office", "channel: none"),
        "task.chronic_ckd.channel",
    ),
    "calls that are no desk work": (
        "task/call_handling.yaml",
        swap("kind: desk", "kind: org"),
        "task.call_handling.kind",
    ),
    "unknown condition": ("task/chronic_ckd.yaml", swap("[ckd]", "[gout]"), "task.chronic_ckd.condition"),
    "child that is unknown": (
        "task/chronic_ckd.yaml",
        swap("blood_draw:", "blood_drawn:"),
        "task.chronic_ckd.children",
    ),
    "act brought by an act": (
        "task/blood_draw.yaml",
        swap("results_inbox:", "suture:"),
        "task.blood_draw.children.suture",
    ),
    "age rates of six bands": (
        "task/chronic_ckd.yaml",
        swap("23, 79, 103, 63]", "23, 79, 103]"),
        "task.chronic_ckd.age_rates",
    ),
    "due work without interval": (
        "task/chronic_ckd.yaml",
        swap("arrival: due", "arrival: rate"),
        "task.chronic_ckd.arrival",
    ),
    "weights of nothing": (
        "task/ecg.yaml",
        lambda text: re.sub(r"value: \[0, 0.2[^]]*\]", "value: [0, 0, 0, 0, 0, 0, 0]", text),
        "task.ecg.age_weights",
    ),
    "task that nobody may do": ("role/gp.yaml", swap("allowed: true", "allowed: false"), "task."),
    "scope with an unknown status": (
        "role/nurse.yaml",
        swap("status: verified", "status: sure"),
        "role.nurse.scope",
    ),
    "scope without a date": (
        "role/nurse.yaml",
        swap('from: "1990-06-18"', "from: lately"),
        "role.nurse.scope",
    ),
    "role without pace": (
        "role/nurse.yaml",
        lambda text: re.sub(r"pace: \{[^}]*\}\}\n", "", text),
        "role.nurse.pace",
    ),
    "two roles of one order": ("role/nurse.yaml", swap("order: 20", "order: 30"), "order"),
    "protocol that names an unknown act": (
        PROTOCOL,
        swap("- ecg", "- egc"),
        "technical_chronic_prevention.acts",
    ),
    "protocol that names a visit as an act": (
        PROTOCOL,
        swap("- ecg", "- chronic_ckd"),
        "technical_chronic_prevention.acts",
    ),
    "protocol for an unknown role": (
        PROTOCOL,
        swap("delegate_roles: [nurse]", "delegate_roles: [nurs]"),
        "delegate_roles",
    ),
    "protocol where the nurse is responsible": (
        PROTOCOL,
        swap("responsible_role: gp", "responsible_role: nurse"),
        "responsible_role",
    ),
    "practice without a GP": (
        "practice/solo_nurse.yaml",
        swap("[gp, nurse]", "[nurse]"),
        "practice.solo_nurse.staff",
    ),
    "practice of another name": (
        "practice/solo_nurse.yaml",
        swap("name: solo_nurse", "name: other"),
        "practice.name",
    ),
    "practice with an unknown value": (
        "practice/solo_nurse.yaml",
        swap("values: {}", "values: {book.carry_dais: 1}"),
        "book.carry_dais",
    ),
    "label in one language": (
        "practice/solo_nurse.yaml",
        swap("  fr: Médecin", "  xx: Médecin"),
        "practice.solo_nurse.label",
    ),
    "name of a quantity in two languages": (
        "section/trust.yaml",
        swap("nl: vertrouwen", "xx: vertrouwen"),
        "trust.start.label",
    ),
    "section that no country names": (
        "section/other.yaml",
        lambda _: "other: {key: {value: 1}}\n",
        "section/other.yaml",
    ),
    "tabs": ("section/book.yaml", swap("  held_share", "\theld_share"), "book.yaml, line"),
    "bracket left open": (
        "section/book.yaml",
        swap("range: [0.0, 0.5]", "range: [0.0, 0.5"),
        "book.yaml, line",
    ),
    "key twice": ("task/ecg.yaml", swap("kind: act\n", "kind: act\nkind: act\n"), "ecg.yaml, line 3"),
    "code path": (
        "task/ecg.yaml",
        swap("kind: act\n", "kind: act\n_target_: os.system\n"),
        "ecg.yaml, line 3",
    ),
    "interpolation": ("task/ecg.yaml", swap("value: 25", "value: ${seed}"), "ecg.yaml, line"),
    "alias without end": ("task/ecg.yaml", lambda _: "a: &a [*a]\n", "ecg.yaml, line 1"),
    "brackets without end": ("task/ecg.yaml", lambda _: "a: " + "[" * 3000 + "]" * 3000, "ecg.yaml"),
    "list for a mapping": ("task/ecg.yaml", lambda _: "- kind: act\n", "ecg.yaml"),
    "empty file": ("task/ecg.yaml", lambda _: "", "task.ecg.kind"),
    "half a file": ("task/ecg.yaml", lambda text: text[: len(text) // 2], "ecg"),
    "source without a title": ("sources.yaml", lambda _: "hearsay: {url: null}\n", "sources.hearsay"),
    "file in a folder that nothing reads": ("tasks/ecg.yaml", lambda _: "a: 1\n", "tasks"),
    "file beside the folders": ("ecg.yaml", lambda _: "a: 1\n", "ecg.yaml"),
    "primary file": ("config.yaml", lambda _: "seed: 2\n", "config.yaml"),
    "name that is no word": ("task/e.c.g.yaml", lambda _: packaged("task/ecg.yaml"), "task"),
    "defaults list in a choice": (
        "practice/solo_nurse.yaml",
        lambda text: "defaults: [other]\n" + text,
        "practice.solo_nurse.defaults",
    ),
    "package line in a choice": (
        "practice/solo_nurse.yaml",
        lambda text: "# @package _global_\n" + text,
        "staff",
    ),
}
"""Name of the mutation: file, change of its packaged text, and what the faults must name."""


@pytest.mark.parametrize("name", FILES)
def test_a_mutated_file_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str) -> None:
    file, change, path = FILES[name]
    given = conf_dir() / file
    folder = own(tmp_path, file, change(given.read_text(encoding="utf-8") if given.is_file() else ""))
    faults = refused(capsys, tmp_path, "run", "practice=solo_nurse", f"--config-dir={folder}")
    assert_named(faults, path)


@pytest.mark.parametrize(
    "content", [b"\xff\xfek\x00i\x00", b"kind: \x00", b"\x81\x82", "kind: é".encode("latin-1")]
)
def test_a_file_in_another_encoding_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, content: bytes
) -> None:
    folder = own(tmp_path, "task/ecg.yaml", content)
    faults = refused(capsys, tmp_path, "run", f"--config-dir={folder}")
    assert len(faults) == 1
    assert_named(faults, "task/ecg.yaml")


def test_a_link_to_nowhere_and_a_folder_for_a_file_are_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = own(tmp_path, "task/ecg.yaml/file", "")
    (folder / "task" / "inr.yaml").symlink_to("nowhere")
    faults = refused(capsys, tmp_path, "run", f"--config-dir={folder}")
    assert_named(faults, "task/ecg.yaml")
    assert_named(faults, "task/inr.yaml")


SCENARIOS = {
    "one world": (swap("  - name: solo\n    choices: {practice: solo, protocol: none}\n", ""), "worlds"),
    "unknown practice": (swap("practice: solo_nurse", "practice: solo_nurs"), "choices.practice"),
    "unknown group": (swap("practice: solo_nurse", "practices: solo_nurse"), "choices.practices"),
    "unknown key": (with_value("book.carry_dais: 1"), "book.carry_dais"),
    "value outside its range": (with_value("book.carry_days: 9"), "book.carry_days"),
    "two worlds of one name": (swap("name: solo_nurse", "name: solo"), "worlds"),
    "other patients": (with_value("practice.list_size: 900"), "practice.list_size"),
    "other demand": (with_value("task.ecg.rate: 30"), "task.ecg.rate"),
    "other years": (with_value("run.years: 2"), "run.years"),
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_mutated_scenario_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str) -> None:
    change, path = SCENARIOS[name]
    text = packaged("scenario/half_time_nurse.yaml")
    folder = own(tmp_path, "scenario/half_time_nurse.yaml", change(text))
    assert_named(refused(capsys, tmp_path, "compare", f"--config-dir={folder}"), path)


def wide(key: str, value: object, low: float, high: float) -> list[str]:
    """Overrides of a value and of a range around it."""
    return [f"{key}={value}", f"{key}.range=[{low},{high}]"]


EVERY_WEEK = ",".join(map(str, range(1, 53)))
ALL_BUT_TWO = ",".join(map(str, range(3, 53)))

OVERRIDES = {
    "spread beyond the tables": (wide("task.ecg.cv", 4.5, 0, 5), "task.ecg.cv"),
    "persons too different": (wide("patient.heterogeneity", 0.05, 0, 5), "patient.heterogeneity"),
    "pace beyond the ticks": (wide("role.gp.pace", 20000, 1, 30000), "role.gp.pace"),
    "no programme": (
        wide("practice.team.nurse.programme_share", -0.1, -1, 1),
        "practice.team.nurse.programme_share",
    ),
    "sessions that overlap": (
        ["practice.team.gp.sessions=['08:00-12:00 places','11:00-16:00 desk']"],
        "practice.team.gp.sessions",
    ),
    "sessions the wrong way round": (
        ["practice.team.gp.sessions=['13:00-16:00 desk','08:00-12:00 places']"],
        "practice.team.gp.sessions",
    ),
    "session that ends before it starts": (
        ["practice.team.gp.sessions=['12:00-08:00 places']"],
        "practice.team.gp.sessions",
    ),
    "session for nothing": (["practice.team.gp.sessions=['08:00-12:00 golf']"], "practice.team.gp.sessions"),
    "session that is no list": (
        ["practice.team.gp.sessions='08:00-12:00 places'"],
        "practice.team.gp.sessions",
    ),
    "no session": (["practice.team.gp.sessions=[]"], "practice.team.gp.sessions"),
    "five sessions": (
        [
            "practice.team.gp.sessions=["
            + ",".join(f"'{hour}:00-{hour}:30 desk'" for hour in range(10, 15))
            + "]"
        ],
        "practice.team.gp.sessions",
    ),
    "session outside the opening": (
        ["practice.team.gp.sessions=['07:00-12:00 places']"],
        "practice.team.gp.sessions",
    ),
    "rest outside the sessions": (["practice.team.gp.rests=['12:10-12:20']"], "practice.team.gp.rests"),
    "rest that is no list": (["practice.team.gp.rests='10:00-10:10'"], "practice.team.gp.rests"),
    "three rests": (
        ["practice.team.gp.rests=['09:00-09:10','10:00-10:10','11:00-11:10']"],
        "practice.team.gp.rests",
    ),
    "home before the last session": (
        ["practice.team.gp.leaves_at='18:00'", "practice.team.gp.leaves_at.range=['17:00','22:00']"],
        "practice.team.gp.leaves_at",
    ),
    "opening without calls": (["practice.opening='08:00-20:00'"], "practice.opening"),
    "opening that is a list": (["practice.opening=['08:00-19:00']"], "practice.opening"),
    "shorter than nothing": (
        ["practice.slot_policy=shorten_session", "practice.slot_policy_minutes=200"],
        "practice.slot_policy_minutes",
    ),
    "desk session made shorter": (
        [
            "practice.slot_policy=shorten_session",
            "practice.team.gp.sessions=['08:00-12:00 places','13:00-16:00 desk']",
        ],
        "practice.team.gp.sessions",
    ),
    "places without number": (
        wide("practice.team.gp.slot_minutes", 1, 1, 20),
        "practice.team.gp.slot_minutes",
    ),
    "places of no length": (wide("practice.team.gp.slot_minutes", 0, 0, 20), "practice.team.gp.slot_minutes"),
    "nurse places without number": (
        wide("practice.team.nurse.slot_minutes", 1, 1, 30),
        "practice.team.nurse.slot_minutes",
    ),
    "horizon of no day": (wide("book.horizon_days", 0, 0, 84), "book.horizon_days"),
    "early after late": (wide("book.punctuality.earliest", 20, -25, 25), "book.punctuality.earliest"),
    "more than all": (wide("book.no_place.leave", 0.9, 0, 1), "book.no_place.retry + book.no_place.leave"),
    "errors of more than all": (
        wide("first_contact.gp.over_share", 0.97, 0, 1),
        "first_contact.gp.over_share",
    ),
    "classes without shares": (
        ["book.no_show_lead_days=[0,1]", "book.no_show_lead_days.range=[0,28]"],
        "book.no_show_by_lead",
    ),
    "closed all year": ([f"calendar.leave_weeks=[{EVERY_WEEK}]"], "calendar.leave_weeks"),
    "week twice": (["calendar.leave_weeks=[1,1]"], "calendar.leave_weeks"),
    "week 53": (["calendar.leave_weeks=[53]", "calendar.leave_weeks.range=[1,53]"], "calendar.leave_weeks"),
    "window of leave": (["calendar.leave_weeks=[1,2,3]", *wide("run.years", 0.05, 0.05, 5)], "run.years"),
    "warm-up beyond the calendar": (
        [f"calendar.leave_weeks=[{ALL_BUT_TWO}]", *wide("calendar.warm_up_days", 60, 10, 60)],
        "calendar.warm_up_days",
    ),
    "season of leave": (["task.vaccination_flu.window_weeks=[52,52]"], "task.vaccination_flu.window_weeks"),
    "season the wrong way round": (
        ["task.vaccination_flu.window_weeks=[50,40]"],
        "task.vaccination_flu.window_weeks",
    ),
    "week without work": (
        ["demand.weekday_weight=[0,0,0,0,0]", "demand.weekday_weight.range=[0,2]"],
        "demand.weekday_weight",
    ),
    "year of no length": (wide("run.years", 0, 0, 5), "run.years"),
    "no replication": (wide("run.replications", 0, 0, 1000), "run.replications"),
    "list of nobody": (wide("practice.list_size", 0, 0, 2400), "practice.list_size"),
    "half a person": (["practice.list_size=1200.5"], "practice.list_size"),
    "list beyond memory": (
        [*wide("practice.list_size", 100000, 600, 100000), *wide("run.replications", 100000, 10, 100000)],
        "practice.list_size",
    ),
    "acts without contacts": (wide("task.injection.rate", 50000, 0, 50000), "task.injection.rate"),
    "more walk-ins than patients": (wide("care.share_unbooked", 0.9, 0, 1), "care.share_unbooked"),
    "trust above its ceiling": (wide("trust.start", 1, 0, 1), "trust.start"),
    "day that is none": (["calendar.as_of='2024-02-31'"], "calendar.as_of"),
    "choice that is none": (["practice.slot_policy=longer"], "practice.slot_policy"),
    "switch that is none": (["trust.active=2"], "trust.active"),
    "seed below zero": (["seed=-1"], "seed"),
    "seed of a word": (["seed=lucky"], "seed"),
    "not a number": (["book.carry_days=nan"], "book.carry_days"),
    "without end": (["practice.list_size=inf"], "practice.list_size"),
    "number without measure": ([f"practice.list_size={'9' * 400}"], "practice.list_size"),
    "brackets without end": (["book.carry_days=" + "[" * 600 + "]" * 600], "override"),
    "interpolation": (["book.carry_days=${seed}"], "override"),
    "code path": (["book={_target_: os.system}"], "override"),
}


@pytest.mark.parametrize("name", OVERRIDES)
def test_a_mutated_override_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str) -> None:
    overrides, path = OVERRIDES[name]
    assert_named(refused(capsys, tmp_path, "run", "practice=solo_nurse", *overrides), path)


def rows(change: Callable[[list[str]], list[str]]) -> Callable[[str], bytes]:
    """Change of a table by its lines."""
    return lambda text: "".join(f"{line}\n" for line in change(text.splitlines())).encode()


TABLES = {
    "empty file": (lambda _: b"", "own.csv"),
    "header alone": (rows(lambda lines: lines[:1]), "own.csv"),
    "half a file": (lambda text: text[: len(text) // 2].encode(), "own.csv"),
    "half a line": (lambda text: text.rstrip()[:-8].encode(), "own.csv"),
    "column missing": (rows(lambda lines: [line.rpartition(",")[0] for line in lines]), "female"),
    "column twice": (lambda text: text.replace("female", "male", 1).encode(), "male"),
    "column of another name": (lambda text: text.replace("age_from", "from_age").encode(), "age_from"),
    "negative count": (lambda text: text.replace("333422", "-333422").encode(), "male"),
    "count of a word": (lambda text: text.replace("333422", "many").encode(), "male"),
    "count with a decimal comma": (lambda text: text.replace("333422", '"333,422"').encode(), "male"),
    "count that is blank": (lambda text: text.replace("333422", "").encode(), "male"),
    "count that is not finite": (lambda text: text.replace("333422", "inf").encode(), "male"),
    "half a person": (lambda text: text.replace("333422", "333422.5").encode(), "male"),
    "band twice": (rows(lambda lines: [*lines[:3], *lines[2:]]), "age_from"),
    "band left out": (rows(lambda lines: [*lines[:3], *lines[4:]]), "age_from"),
    "bands that overlap": (lambda text: text.replace(",5,9,", ",4,9,").encode(), "age_from"),
    "band that runs backwards": (lambda text: text.replace(",5,9,", ",9,5,").encode(), "age_to"),
    "band that is too wide": (rows(lambda lines: [lines[0], "Belgium,2025,0,84,1,1", *lines[18:]]), "age_to"),
    "open band too young": (rows(lambda lines: [*lines[:14], "Belgium,2025,65,,1,1"]), "age_to"),
    "nobody old": (rows(lambda lines: lines[:10]), "age_to"),
    "date that is none": (lambda text: text.replace(",2025,0,", ",2025-13-45,0,").encode(), "reference"),
    "nobody at all": (
        rows(lambda lines: [lines[0], *(re.sub(r"\d+,\d+$", "0,0", line) for line in lines[1:])]),
        "male",
    ),
    "another encoding": (lambda text: text.encode("utf-16"), "own.csv"),
    "no text": (lambda _: bytes(range(256)) * 8, "own.csv"),
    "quote left open": (
        lambda text: text.replace("Belgium", '"Belgium', 1).encode() + b"x" * 200_000,
        "own.csv",
    ),
    "two countries": (
        rows(lambda lines: [*lines, *(line.replace("Belgium", "Elsewhere") for line in lines[1:])]),
        "population.nis_code",
    ),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_mutated_population_file_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str
) -> None:
    change, path = TABLES[name]
    table = tmp_path / "own.csv"
    table.write_bytes(change(packaged(TABLE)))
    assert_named(refused(capsys, tmp_path, "run", f"population.table={table}"), path)


@pytest.mark.parametrize("code", ["99999", "0", "-1", "Atlantis", "[11001]", "null", "1e5", "true"])
def test_a_wrong_nis_code_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path, code: str) -> None:
    faults = refused(capsys, tmp_path, "run", f"population.table={PLACES}", f"population.nis_code={code}")
    assert_named(faults, "population.nis_code")


def test_every_defect_of_a_file_and_of_a_command_is_told_at_once(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    table = tmp_path / "own.csv"
    table.write_text(packaged(TABLE).replace("333422", "many").replace("328866", "-1"), encoding="utf-8")
    folder = own(tmp_path, "task/ecg.yaml", packaged("task/ecg.yaml").replace("unit: ratio", "unit: rat"))
    own(tmp_path, "task/inr.yaml", "kind: [act")
    faults = refused(
        capsys, tmp_path, "run", f"--config-dir={folder}", f"population.table={table}", "seed=x", "book.carry_dais=1"
    )  # fmt: skip
    for path in (
        "own.csv:2.male",
        "own.csv:3.female",
        "task.ecg.cv.unit",
        "inr.yaml, line",
        "seed",
        "book.carry_dais",
    ):
        assert_named(faults, path)
