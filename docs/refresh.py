"""Run the shipped comparisons and write their numbers and figures into the README: `python docs/refresh.py`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import careload
from careload.results.contrast import Contrast, Findings
from careload.results.estimate import Estimate
from careload.results.figures import draw_released, save_figure
from careload.results.figures_inputs import draw_first_contact
from careload.results.sentences import (
    finding,
    inputs_line,
    inputs_range,
    plan_line,
    signed,
    subject,
    targets_line,
)
from careload.results.tornado import inputs_band

ROOT = Path(__file__).resolve().parents[1]
FIGURES = ROOT / "docs" / "figures"
BEGIN, END = "<!-- begin: written by docs/refresh.py -->\n", "<!-- end -->\n"

NURSE, PHONE = "half_time_nurse", "who_takes_the_phone"
OTHERS = ("half_time_receptionist", "half_time_receptionist_protocol", "half_time_assistant")

LEDGER = (
    ("GP work moved to the nurse", "moved"),
    ("less supervision", "supervision"),
    ("less hand-backs", "hand_back"),
    ("less meetings", "meeting"),
    ("**released**", "released"),
    ("of it reinvested (requests met, work taken over)", "reinvested"),
    ("of it taken home", "home"),
    ("of it usable gaps", "usable"),
    ("of it crumbs", "crumbs"),
)
DESTINATIONS = ("reinvested", "home", "usable", "crumbs")
LEVELS = (
    ("GP worked", "gp_worked"),
    ("GP presence", "gp_presence"),
    ("days to a routine appointment", "wait_days"),
    ("wait in the practice", "wait_minutes"),
    ("unmet requests", "unmet"),
    ("urgent requests judged less urgent", "missed_urgent"),
    ("nurse present", "staff_presence"),
    ("nurse worked", "staff_worked"),
)


def main() -> None:
    """Simulate, write the part of the README between the marks, and save the figures."""
    found = simulated()
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    readme.write_text(text.replace(written(text), answer(found)), encoding="utf-8")
    FIGURES.mkdir(exist_ok=True)
    drawn = {
        NURSE: draw_released(found[NURSE], found[NURSE].contrasts[0]),
        PHONE: draw_first_contact(found[PHONE]),
    }
    for name, figure in drawn.items():
        vector, picture = save_figure(figure, FIGURES, name)
        picture.unlink()
        assert vector.is_file()


def simulated() -> dict[str, Findings]:
    """Findings of every comparison that the README shows."""
    found = {name: careload.compare(f"scenario={name}").findings for name in (NURSE, PHONE)}
    for name in OTHERS:
        found[name] = careload.compare(f"scenario={name}", "run.inputs_spread=false").findings
    return found


def written(text: str) -> str:
    """The part between the marks, marks included."""
    return text[text.index(BEGIN) : text.index(END) + len(END)]


def answer(found: Mapping[str, Findings]) -> str:
    """Sentences, tables and figures of the comparisons, between the marks."""
    nurse = found[NURSE]
    contrast = nurse.contrasts[0]
    before, after = nurse.worlds
    ledger = [
        f"| {label} | {_interval(contrast.parts[name])} | {_inputs(nurse, contrast, name)} |"
        for label, name in LEDGER
    ]
    levels = [_level(label, name, before.levels, after.levels, contrast) for label, name in LEVELS]
    lines = [
        "",
        f"**{finding(nurse, contrast)}.** {inputs_range(nurse, contrast)}.",
        "",
        "| GP time, hours a working week | chance, 95 % | inputs, one at a time |",
        "|---|---|---|",
        *ledger,
        "",
        "| | without nurse | with nurse | difference | |",
        "|---|---|---|---|---|",
        *levels,
        "",
        f"{plan_line(nurse)}. {inputs_line(after)}",
        "",
        f"Against Belgian figures, without a nurse: {targets_line(before)}",
        "",
        *_figure(NURSE, "Where the released time went"),
        "Other teams, each against the same GP alone who answers the telephone himself:",
        "",
        *_teams([found[name] for name in OTHERS]),
        "",
        "And if nobody but the telephone changes hands:",
        "",
        *_teams([found[PHONE]]),
        "",
        *_figure(PHONE, "GP time released beside urgent requests judged less urgent"),
    ]
    return BEGIN + "\n".join(lines[:-1]) + "\n" + END


def _figure(name: str, words: str) -> list[str]:
    return [f"![{words}]({(FIGURES / name).relative_to(ROOT).as_posix()}.svg)", ""]


def _teams(found: list[Findings]) -> list[str]:
    """Time with its destinations beside safety, one row per world that is compared."""
    rows = [
        "| h/week per GP; requests per 10,000 | released | reinvested | taken home | usable gaps | crumbs "
        "| urgent judged less urgent: GP | and here |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for findings in found:
        for contrast in findings.contrasts:
            label = subject(findings, contrast)
            worlds = (findings.baseline, findings.world(contrast.world))
            cells = [contrast.parts[name] for name in ("released", *DESTINATIONS)]
            cells += [world.levels["missed_urgent"] for world in worlds]
            rows.append(f"| {label} | {' | '.join(map(_interval, cells))} |")
    return rows


def _level(
    label: str, name: str, before: Mapping[str, Estimate], after: Mapping[str, Estimate], contrast: Contrast
) -> str:
    ends = (before[name], after[name], contrast.differences[name])
    return f"| {label} | {' | '.join(map(_interval, ends))} | {before[name].unit} |"


def _interval(estimate: Estimate) -> str:
    value, low, high = (
        signed(one, estimate.decimals) for one in (estimate.value, estimate.low, estimate.high)
    )
    return f"{value} ({low} to {high})"


def _inputs(findings: Findings, contrast: Contrast, name: str) -> str:
    ends = inputs_band(findings, contrast, name)
    return "" if ends is None else " to ".join(signed(end, contrast.parts[name].decimals) for end in ends)


if __name__ == "__main__":
    main()
