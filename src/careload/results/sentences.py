"""What findings say, in sentences: for the terminal, the page and the titles of figures alike."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

from careload.results.contrast import PATH_LIMIT, Contrast, Findings, World
from careload.results.estimate import NOTHING, Estimate
from careload.results.targets import targets_of
from careload.results.tornado import estimate_of, inputs_band, swings

__all__ = [
    "SAFETY",
    "SIMULATION_ONLY",
    "finding",
    "inputs_line",
    "inputs_range",
    "intervals_line",
    "plan_line",
    "refused_lines",
    "short",
    "signed",
    "subject",
    "targets_line",
    "warnings_of",
    "what_if_lines",
    "with_interval",
    "world_label",
]

SAFETY: Final = "missed_urgent"
"""Measure that stands beside time: time never stands alone where first contact changes hands."""

SIMULATION_ONLY: Final = "simulation only (95 %): the intervals hold chance, not what is assumed"

VARIED: Final = "intervals (95 %) hold chance; inputs were varied one at a time over their declared ranges"

_SPENT: Final = (
    ("kept", -1, "calls and contacts that the GP keeps and that take longer"),
    ("taken", 1, "work that the GP takes over"),
    ("new", 1, "requests that were unmet or not made"),
)
"""Parts of what is reinvested that can make the GP work more, with their sign in it."""


def subject(findings: Findings, contrast: Contrast) -> str:
    """Who releases time: the scenario, or where it has several worlds, the choice that tells them apart."""
    if findings.scenario is not None and len(findings.contrasts) == 1:
        return findings.scenario.label["en"]
    return world_label(findings, contrast.world)


def world_label(findings: Findings, name: str) -> str:
    """Label that tells the worlds apart: of practice, first contact or protocol; else the name of the world."""
    labels = findings.world(name).study.labels
    if len(findings.worlds) == 1:
        return labels["practice"].label["en"]
    for group in ("practice", "first_contact", "protocol"):
        said = {world.study.labels[group].label["en"] for world in findings.worlds}
        if len(said) == len(findings.worlds):
            return labels[group].label["en"]
    return name.replace("_", " ")


def finding(findings: Findings, contrast: Contrast) -> str:
    """Released time, its spread and its destinations in one sentence; safety where first contact changes hands."""
    released = contrast.parts["released"]
    decimals = 1 if abs(released.value) >= 1 else 2
    value, ends = released.value, (released.low, released.high)
    sure = math.isnan(released.low) or released.low > 0 or released.high < 0
    verb = "releases" if value > 0 else "costs"
    if not sure or value == 0:
        verb = "neither clearly releases nor costs GP time,"
    elif value < 0:
        value, ends = -value, (-released.high, -released.low)
    interval = f"chance {signed(ends[0], decimals)} to {signed(ends[1], decimals)}"
    spread = "one replication, no interval" if math.isnan(released.low) else interval
    if band := inputs_band(findings, contrast, "released"):
        least, most = sorted(-end for end in band) if verb == "costs" else band
        spread += f"; single inputs {signed(least, decimals)} to {signed(most, decimals)}"
    size = signed(value, decimals)
    went = ", ".join(
        f"{signed(contrast.parts[name].value, decimals)} {words}"
        for name, words in (
            ("reinvested", "reinvested"),
            ("home", "taken home"),
            ("usable", "in usable gaps"),
            ("crumbs", "in crumbs"),
        )
    )
    who = subject(findings, contrast) + (":" if len(findings.contrasts) > 1 else "")
    safety = _safety(findings, contrast)
    return f"{who} {verb} {size} h a week per GP ({spread}): {went}{safety}"


def _safety(findings: Findings, contrast: Contrast) -> str:
    """What stands beside time where another person takes first contact; empty where nobody else does."""
    before, after = findings.baseline, findings.world(contrast.world)
    if before.study.choices.get("first_contact") == after.study.choices.get("first_contact"):
        return ""
    one, other = (
        signed(world.levels[SAFETY].value, world.levels[SAFETY].decimals) for world in (after, before)
    )
    return f"; {one} urgent requests in 10,000 judged less urgent, against {other}"


def warnings_of(contrast: Contrast, world: str) -> list[str]:
    """What a reader must know before the released time of a world, which is called `world`; often nothing."""
    found = []
    if contrast.decided_by_path:
        share = with_interval(contrast.checks["path_share"])
        found.append(
            f"Path divergence, not cause, decides the class of {share} of GP time in {world} (more than "
            f"{PATH_LIMIT:.0%}): read the parts of the released time with care."
        )
    if contrast.works_more:
        spent = {words: sign * contrast.parts[name].value for name, sign, words in _SPENT}
        most = max(spent, key=lambda words: spent[words])
        found.append(
            f"In {world} GP time is released, but the GP works {_hours(-contrast.parts['fewer_minutes'].value)} "
            f"more: {_hours(spent[most])} went to {most}. Released is not saved: read it with its destinations."
        )
    return found


def _hours(value: float) -> str:
    return f"{signed(value, 1 if abs(value) >= 1 else 2)} h a week"


def intervals_line(findings: Findings) -> str:
    """What the intervals hold."""
    return VARIED if findings.spread else SIMULATION_ONLY


def inputs_range(findings: Findings, contrast: Contrast, outcome: str = "released") -> str:
    """How far inputs move an outcome, one at a time, and which move it most; empty where they were not varied."""
    found = swings(findings, contrast, outcome)
    if not found:
        return ""
    least, most = min(found, key=lambda one: one.least), max(found, key=lambda one: one.most)
    one = estimate_of(contrast, outcome)
    ends = " to ".join(
        f"{signed(value, one.decimals)} ({swing.spread.label})"
        for value, swing in ((least.least, least), (most.most, most))
    )
    return f"One input at a time over its declared range, {one.label}: {ends} {one.unit}"


def signed(value: float, decimals: int) -> str:
    """A number with a true minus sign; zero has none."""
    text = f"{value:.{decimals}f}"
    return text.replace("-", "") if float(text) == 0 else text.replace("-", "\N{MINUS SIGN}")


def plan_line(findings: Findings) -> str:
    """What was run: replications, length, list, slot policy, seed."""
    run, study = findings.run, findings.baseline.study
    policies = {world.study.value("practice.slot_policy"): None for world in findings.worlds}
    policy = " and ".join(str(name).replace("_", " ") for name in policies)
    count = "1 replication" if run.replications == 1 else f"{run.replications} replications"
    return (
        f"{count}, {run.window_weeks:g} working weeks, {run.list_size[0]:,} patients; slot policy: {policy}; "
        f"seed {study.seed}"
    )


def inputs_line(world: World) -> str:
    """How many inputs of a world have which status."""
    counts = world.study.share_assumed()
    total = sum(counts.values())
    listed = ", ".join(f"{count} {status}" for status, count in counts.items())
    share = f"{counts['assumed'] / total:.0%}" if total else "0%"
    return f"Inputs of {world.name}: {total}, of these {listed}; {share} assumed."


def refused_lines(worlds: Iterable[World]) -> list[str]:
    """What protocols ask for and the law refuses: world, role, task and what the law says."""
    return [
        f"Not delegated in {world.name}, as the law does not allow it: {one.role}: {one.task}: {one.text}"
        for world in worlds
        for one in world.study.refused
    ]


def what_if_lines(worlds: Iterable[World]) -> list[str]:
    """What the law does not allow of those who judge new problems on the telephone in the place of the GP.

    First contact is chosen and not refused: such a world shows what it would do.
    """
    lines = []
    for world in worlds:
        role = world.study.roles[world.study.first_contact.answered_by]
        refused = [
            (world.study.value(f"task.{name}.urgent_share"), role.scope[name].text)
            for name, task in world.study.tasks.items()
            if task.channel == "phone" and task.urgent_share is not None
            if name in role.scope and name not in role.permitted
        ]
        if refused:
            _, text = max(refused)
            lines.append(
                f"A what-if ({world.name}): the {role.label['en'].lower()} judges how urgent a call is, and no law "
                f"that we found allows it. {text}"
            )
    return lines


def targets_line(world: World) -> str:
    """How many measured quantities that were not used lie in the range measured, and those that do not."""
    held_out = [one for one in targets_of(world) if one.role == "held_out" and one.inside is not None]
    if not held_out:
        return ""
    missed = [
        f"{one.found.label.strip()} {with_interval(one.found)} against {short(one.measured.low)} to "
        f"{short(one.measured.high)}"
        for one in held_out
        if one.found is not None and not one.inside
    ]
    text = f"{len(held_out) - len(missed)} of {len(held_out)} measured figures that were not used lie in their range"
    return f"{text}; outside: {'; '.join(missed)}." if missed else f"{text}."


def with_interval(estimate: Estimate) -> str:
    """Mean and half width, or both ends where the interval is not symmetric."""
    value, low, high, decimals = estimate.value, estimate.low, estimate.high, estimate.decimals
    if math.isnan(value):
        return NOTHING
    if math.isnan(low):
        return f"{signed(value, decimals)} (no interval)"
    if math.isclose(high - value, value - low, rel_tol=1e-6, abs_tol=1e-12):
        return f"{signed(value, decimals)} \N{PLUS-MINUS SIGN} {high - value:.{decimals}f}"
    return f"{signed(value, decimals)} ({signed(low, decimals)} to {signed(high, decimals)})"


def short(value: object) -> str:
    """A number without needless digits, anything else as it is."""
    return f"{value:g}" if isinstance(value, int | float) else str(value)
