"""Run the default comparison and write its numbers and figure into the README: `python docs/refresh.py`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import careload
from careload.results.contrast import Findings
from careload.results.estimate import Estimate
from careload.results.report import finding, inputs_line, plan_line, signed

ROOT = Path(__file__).resolve().parents[1]
FIGURE = ROOT / "docs" / "figures" / "half_time_nurse.svg"
BEGIN, END = "<!-- begin: written by docs/refresh.py -->\n", "<!-- end -->\n"

LEDGER = (
    ("GP work moved to the nurse", "moved"),
    ("less supervision", "supervision"),
    ("less hand-backs", "hand_back"),
    ("less meetings", "meeting"),
    ("**released**", "released"),
    ("of it reinvested in other patients", "reinvested"),
    ("of it taken home", "home"),
    ("of it usable gaps", "usable"),
    ("of it crumbs", "crumbs"),
)
LEVELS = (
    "gp_worked",
    "gp_presence",
    "wait_days",
    "wait_minutes",
    "unmet",
    "missed_urgent",
    "staff_presence",
    "staff_worked",
)


def main() -> None:
    """Simulate, write the part of the README between the marks, and save the figure."""
    result = careload.compare()
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    readme.write_text(text.replace(written(text), answer(result.findings)), encoding="utf-8")
    with TemporaryDirectory() as folder:
        drawn = next(path for path in result.save(folder) if path.suffix == ".svg")
        FIGURE.parent.mkdir(exist_ok=True)
        FIGURE.write_bytes(drawn.read_bytes())


def written(text: str) -> str:
    """The part between the marks, marks included."""
    return text[text.index(BEGIN) : text.index(END) + len(END)]


def answer(findings: Findings) -> str:
    """Sentence, tables and figure of the default comparison, between the marks."""
    contrast = findings.contrasts[0]
    before, after = findings.worlds
    ledger = [f"| {label} | {_interval(contrast.parts[name])} |" for label, name in LEDGER]
    levels = [_level(before.levels, after.levels, contrast.differences, name) for name in LEVELS]
    lines = [
        "",
        f"{finding(findings, contrast)}. **Simulation only**: the intervals (95 %) hold chance, not what is assumed.",
        "",
        "| GP time, hours a working week | |",
        "|---|---|",
        *ledger,
        "",
        "| | without nurse | with nurse | difference | |",
        "|---|---|---|---|---|",
        *levels,
        "",
        f"{plan_line(findings)}. {inputs_line(after)}",
        "",
        f"![Where the released time went]({FIGURE.relative_to(ROOT).as_posix()})",
        "",
    ]
    return BEGIN + "\n".join(lines) + END


def _level(
    before: Mapping[str, Estimate], after: Mapping[str, Estimate], less: Mapping[str, Estimate], name: str
) -> str:
    one = before[name]
    label = one.label if name.startswith(("wait", "unmet", "missed")) else f"{_WHO[name[:2]]} {one.label}"
    return f"| {label} | {_interval(one)} | {_interval(after[name])} | {_interval(less[name])} | {one.unit} |"


_WHO = {"gp": "GP", "st": "nurse"}


def _interval(estimate: Estimate) -> str:
    value, low, high = (
        signed(one, estimate.decimals) for one in (estimate.value, estimate.low, estimate.high)
    )
    return f"{value} ({low} to {high})"


if __name__ == "__main__":
    main()
