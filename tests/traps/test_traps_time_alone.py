"""Trap T12: where first contact differs, no table, page or figure shows time without safety beside it."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from matplotlib.text import Text

import careload
from careload.api import SweepResult
from careload.inputs.load import load_comparison
from careload.results.contrast import Findings, find
from careload.results.figures import Chart, draw_released
from careload.results.figures_inputs import draw_first_contact, first_contact_differs
from careload.results.report import report
from careload.results.report_page import page
from careload.results.sentences import SAFETY, signed, world_label
from careload.results.sweep import sweep_of, text_table
from careload.simulate import simulate
from support import SHORT, with_values

WORDS = "urgent requests in 10,000 judged less urgent"


@pytest.fixture(scope="module")
def telephone() -> Findings:
    """A short run of the scenario in which first contact changes hands, with many urgent needs."""
    comparison = load_comparison(["scenario=who_takes_the_phone", "practice.list_size=600"])
    worlds = tuple(
        (name, with_values(study, {"run.years": 0.1, "run.inputs_spread": False, "task.urgent.rate": 3000.0}))
        for name, study in comparison.worlds
    )
    return find(simulate([study for _, study in worlds], 3, 2), worlds, comparison.scenario)


def missed(findings: Findings, name: str) -> str:
    """Missed urgent needs of a world, as they are printed."""
    level = findings.world(name).levels[SAFETY]
    return signed(level.value, level.decimals)


def written(chart: Chart) -> str:
    """All words of a figure."""
    found = chart.findobj(Text)
    return " ".join(" ".join(text.get_text().split()) for text in found if isinstance(text, Text))


def test_every_finding_says_what_is_missed(telephone: Findings) -> None:
    """T12: the sentence of each world, in the table and on the page, ends with missed urgent needs of both worlds."""
    assert first_contact_differs(telephone)
    printed, shown = " ".join(report(telephone).split()), page(telephone)
    for contrast in telephone.contrasts:
        words = f"{missed(telephone, contrast.world)} {WORDS}, against {missed(telephone, contrast.against)}"
        assert words in printed
        assert words in shown
        assert words in written(draw_released(telephone, contrast))
    assert printed.count("h a week per GP (") == printed.count(WORDS) == len(telephone.contrasts)


def test_worlds_stand_in_the_order_of_the_scenario_not_of_their_time(telephone: Findings) -> None:
    """T12: whoever releases most, the page keeps the order of the scenario and has missed urgent needs in every row."""
    first, *others = telephone.contrasts
    for value in (-50.0, 50.0):
        parts = {**first.parts, "released": replace(first.parts["released"], value=value)}
        turned = replace(telephone, contrasts=(replace(first, parts=parts), *others))
        tree = ET.fromstring(page(turned).partition("\n")[2])
        side = next(node for node in tree.iter("table") if node.attrib.get("class") == "chart side")
        rows = side.findall("tbody/tr") or side.findall("tr")
        labels = ["".join(row.find("th").itertext()) for row in rows if row.find("th") is not None]  # type: ignore[union-attr]
        assert labels == [world_label(telephone, world.name) for world in telephone.worlds]
        for row, world in zip(rows, telephone.worlds, strict=True):
            assert missed(telephone, world.name) in "".join(row.itertext())


def test_the_figure_of_first_contact_has_safety_beside_time(telephone: Findings) -> None:
    """T12: one bar of time has one bar of missed urgent needs at its side, and the title names no winner."""
    chart = draw_first_contact(telephone)
    time, safety = chart.axes[:2]
    assert "released" in time.get_xlabel() and "judged less urgent" in safety.get_xlabel()
    assert len(safety.patches) == len(telephone.worlds) == len(time.patches) + 1
    said = written(chart)
    assert WORDS in said
    assert not any(word in said.lower() for word in ("best", "winner", "most effective", "rank"))


@pytest.fixture(scope="module")
def swept() -> dict[str, SweepResult]:
    """Sweeps over who answers, over who answers and the list, and over the list; points of one sweep."""
    keys = ("worlds.solo_nurse.first_contact=gp,nurse", "practice.list_size=200,400")
    whole = careload.sweep(
        *SHORT, "urgency.rank1=0.3", "task.urgent.rate.range=[0,4000]", "task.urgent.rate=3000", *keys
    )
    parts = {"who and list": (0, 1, 2, 3), "who": (1, 3), "list": (0, 1)}
    return {
        name: SweepResult(tuple(whole.points[at] for at in part), tuple(whole.results[at] for at in part))
        for name, part in parts.items()
    }


@pytest.mark.parametrize("name", ["who", "who and list"])
def test_a_sweep_over_first_contact_shows_safety_beside_time(
    swept: dict[str, SweepResult], name: str
) -> None:
    """T12: its table has a column, and its figure a panel and words in the title, for missed urgent needs."""
    chart, table = swept[name].figure(), swept[name].table
    assert chart is not None
    head, *lines = text_of(swept[name]).splitlines()
    assert head.endswith("  judged less urgent")
    assert table[SAFETY].max() > 0
    for line, value in zip(lines, table[SAFETY], strict=True):
        assert f"  {value:.2f} " in line
    ends = {f"{pick(table[SAFETY]):.1f}" for pick in (min, max)}
    assert WORDS in written(chart) and all(end in written(chart) for end in ends)
    heads = [axes.get_title(loc="left") for axes in chart.axes]
    for words in ("GP time released", "urgent requests judged less urgent"):
        assert heads.count(words) == 1


def test_a_sweep_with_one_first_contact_shows_time(swept: dict[str, SweepResult]) -> None:
    """T12: where first contact is the same everywhere nothing is added, so that the tests above can fail."""
    chart = swept["list"].figure()
    assert chart is not None
    assert "judged" not in text_of(swept["list"])
    assert "judged" not in written(chart)


@pytest.mark.parametrize(("name", "words"), [("list", "where it went"), ("who and list", "of it taken home")])
def test_a_sweep_shows_where_released_time_went(swept: dict[str, SweepResult], name: str, words: str) -> None:
    """T12: beside released time stand its four destinations, in every figure and in the title what is taken home."""
    chart = swept[name].figure()
    assert chart is not None
    heads = [axes.get_title(loc="left") for axes in chart.axes]
    assert heads[0] == "GP time released" and words in heads
    said = written(chart)
    for went in ("taken home", "reinvested", "in usable gaps", "in crumbs"):
        assert went in said
    assert "inputs are assumed" in said


def text_of(result: SweepResult) -> str:
    """Table of a sweep as a terminal shows it."""
    return text_table(sweep_of([one.findings for one in result.results]))
