"""One page for a comparison: a self-contained HTML file that opens without a network and prints on A4."""

from __future__ import annotations

import math
from importlib.resources import files
from pathlib import Path
from typing import Final, TypeAlias

from careload.results.contrast import Contrast, Findings
from careload.results.estimate import NOTHING, Estimate
from careload.results.files import PAGE_NAME
from careload.results.folders import replacing
from careload.results.levels import LEVELS, levels_of
from careload.results.report_bars import HATCH, Scale, band, bar, drawing, whisker
from careload.results.report_cells import (
    described,
    heading_row,
    interval,
    level_table,
    number_cell,
    plain,
    table,
)
from careload.results.report_grounds import all_numbers, assumed_section, method_section, unmodelled_section
from careload.results.report_inputs import inputs_section
from careload.results.report_markup import Markup, element, joined
from careload.results.report_released import released_section
from careload.results.report_work import work_section
from careload.results.sentences import SAFETY, finding, plan_line, signed, warnings_of, world_label
from careload.results.tornado import inputs_band, level_band
from careload.results.waterfall import COLOURS

__all__ = ["page", "write_page"]


Ends: TypeAlias = tuple[float, float]

_ACCESS: Final = "Access and safety"
_ACCESS_GROUPS: Final = (
    (
        "From call to contact, by true urgency",
        (
            "days_urgent",
            "days_same_day",
            "days_routine",
            "days_routine_p90",
            "seen_same_day_urgent",
            "seen_same_day_next",
            "wait_days",
        ),
    ),
    ("Safety", ("missed_urgent", "urgent_delay", "missed_delay")),
    ("Telephone and waiting room", ("wait_telephone", "calls_unanswered", "wait_minutes", "carried")),
    (
        "Requests not met",
        ("unmet", "unmet_left", "unmet_displaced", "unmet_elsewhere", "unmet_not_come", "no_show_share"),
    ),
)
"""Headings and measures of the table on access; what else there is comes last."""

_GLANCE: Final = ("wait_days", "unmet", SAFETY)
"""Measures beside released time at the head of a page; time never stands without safety."""


def write_page(findings: Findings, folder: Path) -> Path:
    """Write the page of a comparison; it takes its place at once.

    Returns
    -------
    Path
    """
    path = folder / PAGE_NAME
    with replacing(path) as temporary:
        temporary.write_text(page(findings), encoding="utf-8")
    return path


def page(findings: Findings) -> str:
    """The page of a comparison as HTML.

    Parameters
    ----------
    findings : Findings
        With at least one world beside the baseline.

    Returns
    -------
    str
    """
    sections = (
        released_section(findings),
        _access_section(findings),
        work_section(findings),
        inputs_section(findings),
        assumed_section(findings),
        unmodelled_section(),
        method_section(findings),
        all_numbers(findings),
    )
    body = element("body", HATCH, element("main", _head(findings), *sections))
    style = Markup(files("careload.results").joinpath("report.css").read_text(encoding="utf-8"))
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", f"careload: {_title(findings)}"),
        element("style", style),
    )
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"


def _title(findings: Findings) -> str:
    if findings.scenario is not None:
        return findings.scenario.label["en"]
    return " and ".join(plain(contrast.world) for contrast in findings.contrasts)


def _head(findings: Findings) -> Markup:
    """The finding, the question, and the numbers to take home."""
    contrasts = findings.contrasts
    question = findings.scenario.question["en"] if findings.scenario else ""
    if len(contrasts) == 1:
        released, destinations = finding(findings, contrasts[0]).rsplit(": ", 1)
        title = joined(released, element("span", f"{destinations}."))
        under = element("p", question, class_="question")
        glance = _cards(findings, contrasts[0])
    else:
        title = joined(question or _title(findings))
        said = (element("li", f"{finding(findings, contrast)}.") for contrast in contrasts)
        label = element("p", f"{_title(findings)}.", class_="question")
        under = joined(label, element("ul", *said, class_="findings"))
        glance = _side_by_side(findings)
    worlds = element(
        "ul",
        *(
            element("li", element("b", plain(world.name)), f": {described(world, findings)}")
            for world in findings.worlds
        ),
        class_="worlds",
    )
    plan = element("p", f"{plan_line(findings)}.", class_="plan")
    warnings = [
        element("p", text, class_="warning", role="note")
        for contrast in contrasts
        for text in warnings_of(contrast, plain(contrast.world))
    ]
    return element(
        "header", element("h1", title), under, *_other_tongues(findings), worlds, plan, *warnings, glance
    )


def _other_tongues(findings: Findings) -> list[Markup]:
    """The question in the other languages of the country."""
    asked = findings.scenario.question if findings.scenario is not None else {}
    return [
        element("p", asked[tongue], class_="plan", lang=tongue) for tongue in ("fr", "nl") if tongue in asked
    ]


def _cards(findings: Findings, contrast: Contrast) -> Markup:
    """Released and taken home, and beside them what it means for patients."""
    before, after = findings.baseline.levels, findings.world(contrast.world).levels
    cards = [_part_card(findings, contrast, name) for name in ("released", "home")]
    for name in _GLANCE:
        cards.append(_level_card(findings, contrast, before[name], after[name]))
    return joined(element("div", *cards, class_="cards"), _glance_key(findings))


def _glance_key(findings: Findings) -> Markup:
    """What the ranges beside the numbers are."""
    varied = "; inputs: one at a time over its declared range, least to most, which is not chance"
    words = f"In brackets chance, 95 % over replications{varied if findings.spread else ''}."
    return element("p", words, class_="key")


def _part_card(findings: Findings, contrast: Contrast, name: str) -> Markup:
    one = contrast.parts[name]
    return element(
        "div",
        element("div", one.label, class_="what"),
        element("div", signed(one.value, 1), class_="big"),
        element("div", one.unit, class_="unit"),
        element("div", interval(one), class_="small"),
        element("div", _inputs(inputs_band(findings, contrast, name), 2), class_="small"),
        class_=f"card {one.grade}",
    )


def _level_card(findings: Findings, contrast: Contrast, before: Estimate, after: Estimate) -> Markup:
    less = contrast.differences[before.quantity]
    one, other = (
        NOTHING if math.isnan(end.value) else signed(end.value, before.decimals) for end in (before, after)
    )
    return element(
        "div",
        element("div", before.label, class_="what"),
        element("div", f"{one} → {other}", class_="big"),
        element("div", before.unit, class_="unit"),
        element("div", "change ", interval(less), class_="small"),
        element(
            "div", _inputs(inputs_band(findings, contrast, before.quantity), before.decimals), class_="small"
        ),
        class_=f"card {less.grade}",
    )


def _inputs(ends: Ends | None, decimals: int) -> str:
    """How far single inputs move a number."""
    return "inputs: " + ("not varied" if ends is None else " to ".join(signed(end, decimals) for end in ends))


def _side_by_side(findings: Findings) -> Markup:
    """Time and safety of several worlds, one row each; released time is against the first row."""
    contrasts = {contrast.world: contrast for contrast in findings.contrasts}
    levels = [next(level for level in LEVELS if level.name == name) for name in _GLANCE if name != SAFETY]
    safety = next(level for level in LEVELS if level.name == SAFETY)
    moved = {name: inputs_band(findings, one, "released") for name, one in contrasts.items()}
    judged = {world.name: level_band(findings, world.name, SAFETY) for world in findings.worlds}
    time = Scale.over(x for name, one in contrasts.items() for x in _span(one.parts["released"], moved[name]))
    missed = Scale.over(x for one in findings.worlds for x in _span(one.levels[SAFETY], judged[one.name]))
    names = ["", "released, h/week per GP", f"{safety.label}, {safety.unit}", "", "taken home, h/week per GP"]
    head = heading_row("world", *names, *(f"{level.label}, {level.unit}" for level in levels))
    rows = []
    for world in findings.worlds:
        contrast, measured = contrasts.get(world.name), world.levels
        drawn: Markup = element("td")
        released = home = element("td", "baseline", class_="num ci")
        if contrast is not None:
            drawn = _bar_cell(time, contrast.parts["released"], moved[world.name], COLOURS["moved"])
            released = _banded_cell(contrast.parts["released"], moved[world.name])
            home = _banded_cell(contrast.parts["home"], inputs_band(findings, contrast, "home"))
        rows.append(
            element(
                "tr",
                element("th", world_label(findings, world.name), scope="row"),
                drawn,
                released,
                _banded_cell(measured[SAFETY], judged[world.name]),
                _bar_cell(missed, measured[SAFETY], judged[world.name], COLOURS["cost"]),
                home,
                *(number_cell(measured[one.name]) for one in levels),
            )
        )
    caption = "Time beside safety, world by world."
    return joined(table(head, rows, caption, "chart side"), _glance_key(findings))


def _span(one: Estimate, inputs: Ends | None) -> tuple[float, ...]:
    """All that is drawn of a number."""
    return (one.low, one.high, *(inputs or ()))


def _bar_cell(scale: Scale, one: Estimate, inputs: Ends | None, colour: str) -> Markup:
    marks = [bar(scale, 0.0, one.value, colour, one.grade == "D"), whisker(scale, one.low, one.high)]
    if inputs is not None:
        marks.append(band(scale, *inputs))
    return element("td", drawing(scale, *marks), class_="draw")


def _banded_cell(one: Estimate, inputs: Ends | None) -> Markup:
    """A number with its interval, and below it how far single inputs move it, where they were varied."""
    moved = [element("div", _inputs(inputs, one.decimals), class_="ci")] if inputs is not None else []
    return element("td", interval(one), *moved, class_="num")


def _access_section(findings: Findings) -> Markup:
    known = {level.name: level for level in levels_of(findings.baseline.totals) if level.section == _ACCESS}
    named = [name for _, names in _ACCESS_GROUPS for name in names]
    groups = [*_ACCESS_GROUPS, ("Other", tuple(name for name in known if name not in named))]
    listed = [
        (heading, [known[name] for name in names if name in known])
        for heading, names in groups
        if any(name in known for name in names)
    ]
    note = element(
        "p",
        "Urgency is what the need truly is, not what it was judged to be. Whether a closed call or a later visit "
        "harms anybody is not modelled: read time and urgent requests judged less urgent together.",
    )
    title = element("h2", "Do patients wait longer, and is it safe?")
    return element("section", title, note, level_table(findings, listed, _ACCESS))
