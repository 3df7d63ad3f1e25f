from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from html import escape
from pathlib import Path

import pytest

import careload
from careload.inputs.faults import Faults
from careload.inputs.study import Refusal
from careload.results.contrast import Findings
from careload.results.estimate import NOTHING
from careload.results.files import PAGE_NAME
from careload.results.report import report
from careload.results.report_grounds import NOT_MODELLED
from careload.results.report_markup import Markup, element
from careload.results.report_page import page, write_page
from careload.results.sentences import finding, signed
from careload.results.tornado import inputs_band
from careload.results.waterfall import ASSUMED, COLOURS, DESTINATIONS, steps
from short_findings import short_findings
from spread import SHIFTS, with_spread

ROOT = Path(__file__).resolve().parents[2]


def alone() -> Findings:
    return short_findings()


def varied() -> Findings:
    return with_spread(short_findings())


def two_worlds() -> Findings:
    """The nurse's world twice, under two names."""
    findings = short_findings()
    world, contrast = findings.worlds[1], findings.contrasts[0]
    both = replace(
        findings,
        worlds=(*findings.worlds, replace(world, name="second_nurse")),
        contrasts=(contrast, replace(contrast, world="second_nurse")),
        run=replace(
            findings.run,
            totals=findings.run.totals[:, [0, 1, 1]],
            task_ticks=findings.run.task_ticks[:, :, [0, 1, 1]],
            met=findings.run.met[:, [0, 1, 1]],
        ),
    )
    return with_spread(both)


def one_replication() -> Findings:
    findings = short_findings()
    contrast = findings.contrasts[0]

    def bare(family: dict[str, object]) -> dict[str, object]:
        return {name: replace(one, low=math.nan, high=math.nan) for name, one in family.items()}  # type: ignore[type-var]

    new = replace(contrast, parts=bare(contrast.parts), groups=bare(contrast.groups))  # type: ignore[arg-type]
    return replace(findings, contrasts=(new,), run=replace(findings.run, replications=1))


CASES = [alone, varied, two_worlds, one_replication]


@cache
def text_of(case: Callable[[], Findings]) -> str:
    return page(case())


@cache
def tree_of(case: Callable[[], Findings]) -> ET.Element:
    """The page as a tree; it is well-formed as XML as well."""
    first, _, rest = text_of(case).partition("\n")
    assert first == "<!DOCTYPE html>"
    return ET.fromstring(rest)


def said(node: ET.Element) -> str:
    return " ".join(" ".join(node.itertext()).split())


def attributes(tree: ET.Element) -> Iterator[tuple[str, str]]:
    return ((name, value) for node in tree.iter() for name, value in node.attrib.items())


@pytest.mark.parametrize("case", CASES)
def test_the_page_is_well_formed_and_needs_nothing_from_outside(case: Callable[[], Findings]) -> None:
    tree = tree_of(case)
    assert not [node.tag for node in tree.iter() if node.tag in ("script", "link", "img", "iframe", "object")]
    for name, value in attributes(tree):
        assert name not in ("src", "href", "onclick", "onload"), name
        assert "://" not in value or name == "title", (name, value)
        assert "url(" not in value or value == "url(#hatch)"
    style = tree.find("head/style")
    assert style is not None and style.text is not None
    assert "url(" not in style.text and "@import" not in style.text
    ids = Counter(value for name, value in attributes(tree) if name == "id")
    assert ids == {"hatch": 1}


@pytest.mark.parametrize("case", CASES)
def test_every_number_of_the_run_is_on_the_page_with_interval_unit_and_grade(
    case: Callable[[], Findings],
) -> None:
    rows = {
        node.attrib["data-quantity"]: said(node)
        for node in tree_of(case).iter("tr")
        if "data-quantity" in node.attrib
    }
    estimates = list(case().estimates())
    assert len(rows) == len(estimates)
    for one in estimates:
        row = rows[one.quantity]
        if math.isnan(one.value):
            assert f" {NOTHING} " in row
        elif not one.value == one.low == one.high == 0:
            assert signed(one.value, one.decimals) in row
            ends = (
                "no interval"
                if math.isnan(one.low)
                else f"{signed(one.low, one.decimals)} to {signed(one.high, one.decimals)}"
            )
            assert f"({ends})" in row, one.quantity
        assert f" {one.unit} {one.grade} " in f"{row} ", one.quantity


@pytest.mark.parametrize("case", CASES)
def test_the_finding_stands_at_the_head_with_safety_beside_it(case: Callable[[], Findings]) -> None:
    header = next(tree_of(case).iter("header"))
    flat = said(header)
    findings = case()
    for contrast in findings.contrasts:
        released, destinations = finding(findings, contrast).rsplit(": ", 1)
        assert released in flat and destinations in flat
    assert findings.scenario is not None
    for tongue in ("en", "fr", "nl"):
        assert " ".join(findings.scenario.question[tongue].split()) in flat
    assert "urgent requests judged less urgent" in flat and "per 10,000 requests" in flat


@pytest.mark.parametrize("case", CASES)
def test_tables_have_a_caption_and_heads_and_drawings_are_left_to_them(case: Callable[[], Findings]) -> None:
    tree = tree_of(case)
    for node in tree.iter("table"):
        assert node.attrib["class"] == "facts" or said(node.find("caption") or node), said(node)[:80]
        assert list(node.iter("th"))
    for node in tree.iter("svg"):
        assert node.attrib["aria-hidden"] == "true"


def test_bars_lead_from_step_to_step_on_one_scale() -> None:
    contrast = alone().contrasts[0]
    chart = next(node for node in tree_of(alone).iter("table") if node.attrib["class"] == "chart")
    rows = [node for node in chart.iter("tr") if node.find("td/svg/rect") is not None]
    listed = list(steps(contrast))
    assert len(rows) == len(listed)
    places = []
    for row, step in zip(rows, listed, strict=True):
        rects = row.findall("td/svg/rect")
        assert rects[0].attrib["fill"] == COLOURS[step.kind]
        assert [rect.attrib["fill"] for rect in rects[1:]] == ["url(#hatch)"]
        places.append((float(rects[0].attrib["x"].rstrip("%")), float(rects[0].attrib["width"].rstrip("%"))))
    scales = [
        width / abs(step.end - step.start)
        for (_, width), step in zip(places, listed, strict=True)
        if abs(step.end - step.start) > 0.05
    ]
    assert max(scales) == pytest.approx(min(scales), rel=0.02)


def test_grade_d_is_hatched_and_named_in_three_languages() -> None:
    tree = tree_of(alone)
    assert ASSUMED in said(tree)
    marked = [node for node in tree.iter("span") if node.attrib.get("class") == "grade D"]
    assert len(marked) > 20 and all(node.attrib.get("title", ASSUMED) == ASSUMED for node in marked)


def test_inputs_that_were_varied_are_drawn_with_their_ends_and_grounds() -> None:
    tree, findings = tree_of(varied), varied()
    contrast, flat = findings.contrasts[0], said(tree)
    released = contrast.parts["released"].value
    for shift in (-3.0, 0.6):
        assert signed(released + shift, 2) in flat
    assert "Simulation only" not in flat
    study = findings.world(contrast.world).study
    for key in SHIFTS:
        assert key in flat
        for source in study.quantity(key).sources:
            assert study.sources[source].title in flat
    drawn = [node for node in tree.iter("table") if node.attrib["class"] == "chart tornado"]
    names = [said(row) for row in drawn[0].iter("tr") if row.find("td/svg/rect") is not None]
    assert names[0].startswith("time to sign off a contact") and "2 (1 to 4) minutes" in names[0]
    assert any("1 (0.8 to 1.25) times the reference minutes" in name for name in names)
    assert len(drawn) == 3 and len(names) == len(SHIFTS)
    titles = [node.attrib["title"] for node in drawn[0].iter("th") if "title" in node.attrib]
    assert titles[0] == (
        "delegation.supervision_minutes.contact · temps pour valider un contact · tijd om een contact na te kijken"
    )
    bands = [node for node in tree.iter("rect") if node.attrib.get("class") == "inputs"]
    assert len(bands) >= 5


def test_work_is_named_in_three_languages() -> None:
    """In readable words, the other two where one points at it; work that is no task has its group only."""
    titles = {
        said(node): node.attrib["title"] for node in tree_of(alone).iter("th") if "title" in node.attrib
    }
    assert titles["blood draw"].endswith(" · prise de sang · bloedafname")
    assert titles["meetings"] == "overhead"


def test_without_varied_inputs_the_page_says_simulation_only() -> None:
    flat = said(tree_of(alone))
    assert "Simulation only" in flat and "The inputs were not varied" in flat


def test_what_the_law_refused_is_named_with_its_words() -> None:
    findings = alone()
    world = findings.worlds[1]
    refused = (
        Refusal("nurse", "minor_surgery_joint", "A physician's act <only>."),
        Refusal("nurse", "certificate", "Same & so."),
    )
    worlds = (findings.baseline, replace(world, study=replace(world.study, refused=refused)))
    text = page(replace(findings, worlds=worlds))
    assert (
        "nurse: minor surgery and joint injection" in text and "A physician&#x27;s act &lt;only&gt;." in text
    )
    assert "Same &amp; so." in text


def test_nothing_read_from_a_file_becomes_markup() -> None:
    findings = alone()
    assert findings.scenario is not None
    evil = '<script>alert("1")</script>&'
    scenario = replace(findings.scenario, label={"en": evil}, question={"en": evil})
    text = page(replace(findings, scenario=scenario))
    assert "<script" not in text and escape(evil) in text
    ET.fromstring(text.partition("\n")[2])


def test_an_element_escapes_text_and_attributes_but_not_markup() -> None:
    inner = element("b", "a < b", class_='"x"')
    assert inner == '<b class="&quot;x&quot;">a &lt; b</b>'
    assert element("p", inner, " & ", aria_label="c") == f'<p aria-label="c">{inner} &amp; </p>'
    assert element("br") == "<br/>" and element("td") == "<td></td>"
    assert isinstance(inner, Markup)


def test_what_is_not_modelled_is_what_the_documentation_says() -> None:
    _, _, section = (
        (ROOT / "docs" / "model.md").read_text(encoding="utf-8").partition("## What is not modelled\n")
    )
    listed = [" ".join(item.split()) for item in re.split(r"^- ", section.split("\n## ")[0], flags=re.M)[1:]]
    assert listed == list(NOT_MODELLED)


def test_the_page_is_small_and_the_same_again(tmp_path: Path) -> None:
    text = text_of(alone)
    assert len(text) < 400_000
    path = write_page(alone(), tmp_path)
    assert path.name == PAGE_NAME and path.read_text(encoding="utf-8") == text
    assert [one.name for one in tmp_path.iterdir()] == [PAGE_NAME]


def test_from_python_it_is_text_and_one_world_has_none() -> None:
    result = careload.Result(alone())
    assert result.report() == text_of(alone)
    single = careload.Result(replace(alone(), contrasts=()))
    with pytest.raises(Faults, match="a comparison"):
        single.report()


def another_at_the_telephone() -> Findings:
    """The nurse's world with a receptionist's name at the telephone."""
    findings = short_findings()
    world = findings.worlds[1]
    choice = world.study.labels["first_contact"]
    labels = {**world.study.labels, "first_contact": replace(choice, name="receptionist")}
    return replace(
        findings, worlds=(findings.baseline, replace(world, study=replace(world.study, labels=labels)))
    )


def test_time_never_stands_alone_where_first_contact_changes_hands() -> None:
    findings = another_at_the_telephone()
    before, after = (signed(world.levels["missed_urgent"].value, 1) for world in findings.worlds)
    words = f"; {after} urgent requests in 10,000 judged less urgent, against {before}"
    assert finding(findings, findings.contrasts[0]).endswith(words)
    assert words[2:] in said(ET.fromstring(page(findings).partition("\n")[2]))
    assert "judged less urgent" not in finding(alone(), alone().contrasts[0])


def test_cards_of_measures_say_how_far_inputs_move_the_change() -> None:
    text = said(ET.fromstring(text_of(varied).partition("\n")[2]))
    contrast = varied().contrasts[0]
    for name in ("wait_days", "unmet", "missed_urgent"):
        one = contrast.differences[name]
        ends = inputs_band(varied(), contrast, name)
        assert ends is not None
        assert f"inputs: {' to '.join(signed(end, one.decimals) for end in ends)}" in text
    assert "least to most, which is not chance" in text


def test_of_several_worlds_every_level_stands_beside_its_change() -> None:
    findings = two_worlds()
    rows = [row for row in tree_of(two_worlds).iter("tr") if row.find("td") is not None]
    worked = next(row for row in rows if said(row).startswith("worked h/week per GP "))
    cells = [said(cell) for cell in worked.findall("td")]
    printed = next(line for line in report(findings).splitlines() if line.startswith("  worked  ")).split(
        "  "
    )
    for world, cell in zip(findings.worlds, cells, strict=False):
        level = signed(world.levels["gp_worked"].value, 2)
        assert cell.startswith(level)
        assert any(one.strip().startswith(f"{level} ") for one in printed)
    for contrast, cell in zip(findings.contrasts, cells[1:], strict=False):
        assert signed(contrast.differences["gp_worked"].value, 2) in cell


def test_a_page_of_several_worlds_says_what_was_changed() -> None:
    """Its heading is the question; the scenario and what a command changed in it stand below."""
    header = tree_of(two_worlds).find(".//header")
    assert header is not None
    assert "(changed: practice.list_size=600)." in said(header)


def test_destinations_of_several_worlds_stand_end_to_end() -> None:
    chart = next(
        node for node in tree_of(two_worlds).iter("table") if node.attrib["class"] == "chart side wide"
    )
    rows = [row.findall("td/svg/rect") for row in chart.iter("tr") if row.find("td/svg/rect") is not None]
    assert len(rows) == 2
    parts = two_worlds().contrasts[0].parts
    for rects in rows:
        plain = [rect for rect in rects if rect.attrib["fill"] != "url(#hatch)"]
        widths = [float(rect.attrib["width"].rstrip("%")) for rect in plain]
        values = [abs(parts[name].value) for name in DESTINATIONS]
        assert [rect.attrib["fill"] for rect in plain] == [COLOURS[name] for name in DESTINATIONS]
        assert [width / sum(widths) for width in widths] == pytest.approx(
            [value / sum(values) for value in values], abs=2e-3
        )
