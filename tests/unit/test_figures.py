from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from careload.results.contrast import Findings
from careload.results.figures import BAND, CHANCE, HATCHED, INPUTS, Chart, draw_released, save_figure
from careload.results.figures_inputs import draw_first_contact, draw_inputs, time_and_safety
from careload.results.sentences import SIMULATION_ONLY, finding, signed
from careload.results.tornado import inputs_band, swings
from careload.results.waterfall import COLOURS, HIGH_END, LOW_END, along, interval_of, steps
from short_findings import altered, short_findings
from spread import SHIFTS, with_spread

OKABE_ITO = {"#000000", "#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7"}


def changed(**values: tuple[float, float, float]) -> Findings:
    return altered(short_findings(), **values)


def release() -> Findings:
    return short_findings()


def cost() -> Findings:
    return changed(
        moved_chronic=(0.30, 0.25, 0.35),
        moved_technical=(0.20, 0.18, 0.22),
        moved_prevention=(0.10, 0.05, 0.15),
        supervision=(0.80, 0.75, 0.85),
        hand_back=(0.60, 0.50, 0.70),
        hand_over=(0.15, 0.10, 0.20),
        induced=(0.05, 0.00, 0.10),
        meeting=(0.40, 0.39, 0.41),
        released=(-1.40, -1.60, -1.20),
        reinvested=(-0.50, -0.90, -0.10),
        home=(-0.60, -0.80, -0.40),
        usable=(-0.40, -0.45, -0.35),
        crumbs=(0.10, 0.05, 0.15),
    )


def saturated() -> Findings:
    return changed(
        reinvested=(123.567, 120.1, 126.9),
        home=(-0.01, -0.4, 0.38),
        released=(123.49, 120.3, 126.7),
    )


def nothing_moved() -> Findings:
    contrast = short_findings().contrasts[0]
    zero = dict.fromkeys(contrast.parts, (0.0, 0.0, 0.0))
    return changed(**zero, **{f"moved_{name}": (0.0, 0.0, 0.0) for name in contrast.groups})


def one_replication() -> Findings:
    contrast = short_findings().contrasts[0]
    values = {name: (one.value, math.nan, math.nan) for name, one in contrast.parts.items()}
    groups = {f"moved_{name}": (one.value, math.nan, math.nan) for name, one in contrast.groups.items()}
    return changed(**values, **groups)


def many_groups() -> Findings:
    contrast = short_findings().contrasts[0]
    values = {f"moved_{name}": (0.1 + 0.05 * k, 0.1, 0.9) for k, name in enumerate(contrast.groups)}
    return changed(**values)


def varied() -> Findings:
    return with_spread(cost())


def long_title() -> Findings:
    """A scenario with much changed, as a card of the workshop has it."""
    findings = varied()
    assert findings.scenario is not None
    changes = ", ".join(f"practice.team.nurse.some_key_{k}=0.8" for k in range(9))
    label = {"en": f"A half-time nurse in a solo practice (changed: {changes})"}
    return replace(findings, scenario=replace(findings.scenario, label=label))


CASES = [release, varied, long_title, cost, saturated, nothing_moved, one_replication, many_groups]


def drawn(findings: Findings) -> Chart:
    return draw_released(findings, findings.contrasts[0])


def inputs(findings: Findings) -> Chart:
    return draw_inputs(with_spread(findings), findings.contrasts[0])


def bars(chart: Chart) -> list[Rectangle]:
    return [patch for patch in chart.axes[0].patches if isinstance(patch, Rectangle)]


def words(chart: Chart) -> str:
    legend = [text for one in chart.legends for text in one.get_texts()]
    return "\n".join(text.get_text() for text in (*texts_of(chart), *legend))


def texts_of(chart: Chart) -> list[Text]:
    """All that is written, the numbers of the axes last."""
    labels = [axes.xaxis.label for axes in chart.axes]
    inside = [text for axes in chart.axes for text in axes.texts]
    ticks = [text for axes in chart.axes for text in axes.get_xticklabels() if text.get_visible()]
    return [text for text in (*chart.texts, *inside, *labels, *ticks) if text.get_text()]


@pytest.mark.parametrize("draw", [drawn, inputs, draw_first_contact])
@pytest.mark.parametrize("case", CASES)
def test_no_text_touches_another_or_leaves_the_figure(
    case: Callable[[], Findings], draw: Callable[[Findings], Chart]
) -> None:
    chart = draw(case())
    FigureCanvasAgg(chart).draw()
    page = chart.bbox
    boxes = [(text.get_text(), text.get_window_extent()) for text in texts_of(chart)]
    boxes += [("legend", legend.get_window_extent()) for legend in chart.legends]
    for name, box in boxes:
        assert page.x0 <= box.x0 and box.x1 <= page.x1, name
        assert page.y0 <= box.y0 and box.y1 <= page.y1, name
    for (one, first), (other, second) in combinations(boxes, 2):
        assert not first.overlaps(second), (one, other)


def test_bars_lead_from_what_moved_to_released_and_on_to_where_it_went() -> None:
    contrast = short_findings().contrasts[0]
    rows = bars(drawn(short_findings()))
    ends = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in rows]
    colours = [bar.get_facecolor() for bar in rows]
    middle = next(k for k, bar in enumerate(rows) if (ends[k][0] == 0 and k > 0 and ends[k - 1][1] != 0))
    released = contrast.parts["released"].value
    assert ends[middle] == (0, pytest.approx(released))
    assert ends[middle - 1][1] == pytest.approx(released)
    assert ends[-1][1] == pytest.approx(released)
    assert len(rows) - middle == 5
    for before, after in pairwise(ends[:middle]):
        assert after[0] == before[1]
    assert len(set(colours)) == 7


def test_all_bars_are_hatched_as_assumed_and_only_those() -> None:
    findings = short_findings()
    chart = drawn(findings)
    assert all(bar.get_hatch() for bar in bars(chart))
    assert HATCHED in words(chart)
    contrast = findings.contrasts[0]
    sure = {name: replace(one, grade="B") for name, one in contrast.parts.items()}
    groups = {name: replace(one, grade="B") for name, one in contrast.groups.items()}
    chart = drawn(replace(findings, contrasts=(replace(contrast, parts=sure, groups=groups),)))
    assert not any(bar.get_hatch() for bar in bars(chart))
    assert HATCHED not in words(chart)


def test_the_palette_is_that_of_okabe_and_ito() -> None:
    assert {*COLOURS.values(), LOW_END, HIGH_END} - {COLOURS["released"]} <= OKABE_ITO
    assert COLOURS["released"] not in OKABE_ITO and len(set(COLOURS.values())) == len(COLOURS)


@pytest.mark.parametrize("case", CASES)
def test_title_and_foot_say_what_is_shown(case: Callable[[], Findings]) -> None:
    findings = case()
    said = words(drawn(findings))
    flat = " ".join(said.split())
    assert " ".join(finding(findings, findings.contrasts[0]).split()) in flat
    assert findings.scenario is not None and findings.scenario.question["en"] in flat
    for piece in (CHANCE, "inputs are assumed", "slot policy: unchanged", "seed 1", "6 replications"):
        assert piece in flat
    assert (SIMULATION_ONLY in flat) != bool(findings.spread)
    assert (INPUTS in flat) == bool(findings.spread)
    for destination in ("reinvested", "taken home", "usable gaps", "crumbs", "released"):
        assert destination in said.split("\n")


def test_the_band_of_the_inputs_holds_the_ends_and_the_run_itself() -> None:
    findings = with_spread(release())
    contrast = findings.contrasts[0]
    value = contrast.parts["released"].value
    shifts = [shift for ends in SHIFTS.values() for shift in ends]
    low, high = inputs_band(findings, contrast, "released") or (math.nan, math.nan)
    assert low == pytest.approx(value + min(shifts)) and high == pytest.approx(value + max(shifts))
    assert inputs_band(release(), contrast, "released") is None
    found = swings(findings, contrast)
    assert [swing.spread.key for swing in found] == sorted(
        SHIFTS, key=lambda key: min(0.0, *SHIFTS[key]) - max(0.0, *SHIFTS[key])
    )
    assert found[0].changes_sign == (found[0].least < 0 < found[0].most)


def test_bands_and_intervals_stand_at_the_end_of_a_step_in_its_direction() -> None:
    listed = {step.estimate.quantity: step for step in steps(cost().contrasts[0])}
    meeting, home = listed["meeting"], listed["home"]
    assert along(meeting, 0.1, 0.5) == (
        pytest.approx(meeting.start - 0.5),
        pytest.approx(meeting.start - 0.1),
    )
    assert along(home, -0.8, 0.4) == (pytest.approx(home.start - 0.8), pytest.approx(home.start + 0.4))
    low, high = interval_of(meeting)
    assert low < meeting.end < high
    for step in listed.values():
        one = step.estimate
        assert sorted(interval_of(step))[1] - sorted(interval_of(step))[0] == pytest.approx(
            one.high - one.low
        )


def test_every_input_is_drawn_from_the_run_to_both_ends() -> None:
    findings = with_spread(release())
    contrast = findings.contrasts[0]
    centre = contrast.parts["released"].value
    chart = draw_inputs(findings, contrast)
    ends = [bar.get_x() + bar.get_width() for bar in bars(chart)]
    starts = {bar.get_x() for bar in bars(chart)}
    assert starts == {centre} and len(ends) == 2 * len(SHIFTS)
    wanted = [centre + shift for swing in swings(findings, contrast) for shift in SHIFTS[swing.spread.key]]
    assert ends == pytest.approx(wanted)
    said = words(chart)
    for end in wanted:
        assert signed(end, 2) in said
    assert "Which input moves it most? Time to sign off a contact" in said and HATCHED in said
    assert " at 0.8; " in said and " at 820" not in said
    assert SIMULATION_ONLY not in said


def test_first_contact_shows_time_beside_safety_and_ranks_nobody() -> None:
    findings = release()
    chart = draw_first_contact(findings)
    time, safety = chart.axes
    assert "released" in time.get_xlabel() and "judged less urgent,\nper 10,000" in safety.get_xlabel()
    missed = [world.levels["missed_urgent"].value for world in findings.worlds]
    heights = [bar.get_width() for bar in safety.patches if isinstance(bar, Rectangle)]
    assert heights == pytest.approx(missed)
    said = time_and_safety(findings)
    assert "released: " in said and signed(missed[0], 1) in said and signed(missed[1], 1) in said
    assert not {"best", "worst", "most", "better"} & set(said.split())


def test_the_band_of_the_inputs_stands_on_both_sides_of_first_contact() -> None:
    """Every world has it around safety, the baseline too; the words say that it is not chance."""
    findings = with_spread(release())
    chart = draw_first_contact(findings)
    least, most = (pick(shift for ends in SHIFTS.values() for shift in ends) for pick in (min, max))
    centres = [findings.contrasts[0].parts["released"].value]
    missed = [world.levels["missed_urgent"].value for world in findings.worlds]
    for axes, values in zip(chart.axes, (centres, missed), strict=True):
        bands = [line.get_xdata() for line in axes.lines if line.get_color() == BAND]
        assert [list(band) for band in bands] == [pytest.approx([one + least, one + most]) for one in values]
    assert "inputs: one at a time over its declared range, least to most; not chance" in words(chart)


def test_costs_are_drawn_and_written_with_their_sign() -> None:
    said = words(drawn(cost()))
    assert "costs 1.4 h a week per GP" in " ".join(said.split())
    assert "−0.80 (−0.85 to −0.75)" in said and "−1.40 (−1.60 to −1.20)" in said


def test_the_same_figure_is_the_same_bytes(tmp_path: Path) -> None:
    paths = [save_figure(drawn(short_findings()), tmp_path, name) for name in ("one", "two")]
    assert [path.name for path in paths[0]] == ["one.svg", "one.png"]
    for first, second in zip(*paths, strict=True):
        assert first.read_bytes() == second.read_bytes()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_notebook_shows_it() -> None:
    text = drawn(short_findings())._repr_svg_()
    assert text.startswith("<?xml") and "</svg>" in text


def test_long_names_of_worlds_are_broken_and_not_cut() -> None:
    findings = release()
    worlds = []
    for world in findings.worlds:
        choice = world.study.labels["practice"]
        label = {"en": f"{choice.label['en']} and a receptionist who follows a protocol on three mornings"}
        labels = {**world.study.labels, "practice": replace(choice, label=label)}
        worlds.append(replace(world, study=replace(world.study, labels=labels)))
    chart = draw_first_contact(replace(findings, worlds=tuple(worlds)))
    FigureCanvasAgg(chart).draw()
    for text in texts_of(chart):
        assert text.get_window_extent().x0 >= chart.bbox.x0, text.get_text()
