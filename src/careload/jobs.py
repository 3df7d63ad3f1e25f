"""The jobs of the command line: one world alone, worlds against a baseline, and the points of a sweep."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from careload.inputs.study import Comparison, Scenario, Study
from careload.plan import Order, make_plan
from careload.processes import Progress
from careload.results.contrast import Findings, find
from careload.results.folders import open_folder, staging
from careload.results.provenance import mark_of
from careload.results.report import report
from careload.results.shift import VariedInput, spread_of
from careload.results.sweep import is_finished
from careload.simulate import Run, simulate_plan

__all__ = [
    "Point",
    "compare_job",
    "point_job",
    "point_of",
    "run_job",
    "simulate_points",
    "simulate_worlds",
    "swept_point",
    "write_findings",
]

_SPREAD_KEYS = ("run.inputs_spread", "run.spread_replications")
_FIXED_LIST_KEY = "run.fixed_list_replications"

Deliver = Callable[[int, "Findings | Exception"], None]


@dataclass(frozen=True, eq=False)
class Point:
    """A run with all that it is to say: of the command line, or one of a sweep.

    Attributes
    ----------
    worlds : tuple of (str, Study)
        Names and studies, the baseline first.
    scenario : Scenario or None
    replications, fixed : int
        Cells with people of their own, and cells that share the people of the first.
    inputs : tuple of VariedInput
        To be varied one at a time.
    spread_replications : int
        Replications at each end.
    """

    worlds: tuple[tuple[str, Study], ...]
    scenario: Scenario | None
    replications: int
    fixed: int
    inputs: tuple[VariedInput, ...] = ()
    spread_replications: int = 0

    @property
    def mark(self) -> str:
        """Hash of all that its results follow from."""
        names = [one.key for one in self.inputs]
        return mark_of(self.worlds, self.scenario, self.replications, self.fixed, names)

    def orders(self) -> list[Order]:
        """The run itself, then the low and the high end of every input."""
        own = Order(tuple(study for _, study in self.worlds), self.replications, self.fixed)
        ends = [studies for one in self.inputs for _, studies in one.ends]
        return [own, *(Order(studies, self.spread_replications) for studies in ends)]


def point_of(
    worlds: Sequence[tuple[str, Study]],
    scenario: Scenario | None = None,
    replications: int | None = None,
    spread: bool = True,
) -> Point:
    """What is to be run for some worlds.

    Parameters
    ----------
    worlds : sequence of (str, Study)
        Names and studies, the baseline first.
    scenario : Scenario, optional
    replications : int, optional
        By default `run.replications` of the baseline; if given, no more share one list of people or are run at an end
        of the range of an input either.
    spread : bool
        Whether inputs are varied where the run asks for it (`run.inputs_spread`).
    """
    first = worlds[0][1]
    count = round(first.value("run.replications"))
    fixed = round(first.value("run.fixed_list_replications")) if len(worlds) > 1 else 0
    if replications is not None:
        count, fixed = replications, min(fixed, replications)
    keys = scenario.inputs if scenario is not None and spread and first.value("run.inputs_spread") else ()
    at_ends = min(count, round(first.value("run.spread_replications")))
    inputs = tuple(_varied(worlds, key) for key in keys if any(study.has(key) for _, study in worlds))
    return Point(tuple(worlds), scenario, count, fixed, inputs, at_ends)


def _varied(worlds: Sequence[tuple[str, Study]], key: str) -> VariedInput:
    """An input at the ends of its range in all worlds that have it.

    Where a world has another value than the baseline, the input is part of what the scenario changes, and the baseline
    stays as it is.
    """
    own = [study.quantity(key) if study.has(key) else None for _, study in worlds]
    differing = [one for one in own[1:] if one is not None and (own[0] is None or one.value != own[0].value)]
    quantity = next(one for one in (*differing, *own) if one is not None)
    stays = bool(differing)

    def at(end: object) -> tuple[object, tuple[Study, ...]]:
        studies = [
            study if one is None or (stays and number == 0) else study.with_value(key, end)
            for number, (one, (_, study)) in enumerate(zip(own, worlds, strict=True))
        ]
        return end, tuple(studies)

    return VariedInput(key, quantity, (at(quantity.low), at(quantity.high)))


def simulate_points(
    points: Sequence[Point],
    deliver: Deliver,
    progress: Progress | None = None,
    processes: int | None = 1,
) -> None:
    """Simulate points together, equal lanes once, and hand on what each says as soon as it is there.

    Parameters
    ----------
    points : sequence of Point
    deliver : callable
        Told the number of a point, and its findings or the error that it failed with; never both, never twice.
    progress : callable, optional
        Told the load done and the load in all.
    processes : int, optional
        Processes to use; None for as many as shorten the run. Results are the same.
    """
    asked = [point.orders() for point in points]
    owner = [number for number, orders in enumerate(asked) for _ in orders]
    first = [owner.index(number) for number in range(len(points))]
    plan = make_plan([order for orders in asked for order in orders], processes)
    runs: list[dict[int, Run]] = [{} for _ in points]
    failed: set[int] = set()

    def take(order: int, outcome: Run | Exception) -> None:
        number = owner[order]
        if number in failed:
            return
        if isinstance(outcome, Exception):
            failed.add(number)
            deliver(number, outcome)
            return
        runs[number][order - first[number]] = outcome
        if len(runs[number]) == len(asked[number]):
            same = [plan.same_lanes(first[number], first[number] + k) for k in range(len(asked[number]))]
            deliver(number, _found(points[number], runs[number], same))
            runs[number] = {}

    simulate_plan(plan, take, progress)


def _found(point: Point, runs: dict[int, Run], same: Sequence[bool]) -> Findings | Exception:
    """What a point says; `same` tells which orders have the lanes of the run itself."""
    try:
        findings = find(runs[0], point.worlds, point.scenario)
        read = [k for k in range(len(point.inputs)) if not (same[2 * k + 1] and same[2 * k + 2])]
        pairs = [(runs[2 * k + 1], runs[2 * k + 2]) for k in read]
        unread = tuple(one.key for k, one in enumerate(point.inputs) if k not in read)
        spread = spread_of(findings, [point.inputs[k] for k in read], pairs)
        return replace(findings, spread=spread, unread=unread)
    except Exception as error:
        return error


def simulate_worlds(
    worlds: Sequence[tuple[str, Study]],
    scenario: Scenario | None = None,
    replications: int | None = None,
    progress: Progress | None = None,
    processes: int | None = 1,
) -> Findings:
    """Simulate worlds and estimate all that the run says.

    Parameters
    ----------
    worlds, scenario, replications
        As for `point_of`.
    progress, processes
        As for `simulate_points`.

    Returns
    -------
    Findings
    """
    return _simulated(point_of(worlds, scenario, replications), progress, processes)


def swept_point(worlds: Study | Comparison) -> Point:
    """A point of a sweep: inputs are varied, and lists held fixed, only if the command says so itself."""
    if isinstance(worlds, Study):
        return point_of(_alone(worlds), None)
    texts = [text.lstrip("+") for text in worlds.worlds[0][1].overrides]
    varied = any(text.startswith(_SPREAD_KEYS) for text in texts)
    point = point_of(worlds.worlds, worlds.scenario, spread=varied)
    return point if any(text.startswith(_FIXED_LIST_KEY) for text in texts) else replace(point, fixed=0)


def _alone(study: Study) -> list[tuple[str, Study]]:
    return [(study.choices.get("practice", "practice"), study)]


def point_job(worlds: Study | Comparison, folder: Path, progress: Progress | None = None) -> None:
    """Simulate one point of a sweep by itself and write its results, unless they are there already.

    Parameters
    ----------
    worlds : Study or Comparison
    folder, progress
        As for `run_job`.
    """
    open_folder(folder)
    point = swept_point(worlds)
    if not is_finished(folder, point.mark):
        write_findings(_simulated(point, progress, None), folder, figures=False)


def _simulated(point: Point, progress: Progress | None, processes: int | None) -> Findings:
    """What one point says."""
    found: list[Findings] = []

    def take(_: int, outcome: Findings | Exception) -> None:
        if isinstance(outcome, Exception):
            raise outcome
        found.append(outcome)

    simulate_points([point], take, progress, processes)
    return found[0]


def run_job(study: Study, folder: Path, progress: Progress | None = None) -> str:
    """Simulate one world, write its results, and return the tables to print.

    Parameters
    ----------
    study : Study
    folder : Path
        Made if there is none.
    progress : callable, optional
        Told the load done and the load in all.

    Returns
    -------
    str

    Raises
    ------
    Faults
        The folder cannot be written to; raised before anything is simulated.
    """
    return _job(_alone(study), None, folder, progress)


def compare_job(comparison: Comparison, folder: Path, progress: Progress | None = None) -> str:
    """Simulate the worlds of a comparison, write results and figures, and return the tables to print.

    Parameters
    ----------
    comparison : Comparison
    folder, progress
        As for `run_job`.

    Returns
    -------
    str
    """
    return _job(comparison.worlds, comparison.scenario, folder, progress)


def write_findings(findings: Findings, folder: Path, figures: bool = True) -> list[Path]:
    """Write results, summary, and for a comparison its spread, figures and page; all of them or none.

    What a run before has left in the folder goes.

    Parameters
    ----------
    findings : Findings
    folder : Path
    figures : bool
        Whether to draw and write the page; for a point of a sweep neither is done.

    Returns
    -------
    list of Path
        What was written.
    """
    from careload.results.files import PARQUET_NAME, names_of_run, write_parquet, write_spread, write_summary
    from careload.results.report_page import write_page

    with staging(folder, PARQUET_NAME, names_of_run(folder)) as stage:
        paths = [write_parquet(findings, stage), write_summary(findings, stage)]
        paths += [write_spread(findings, stage)] if findings.spread else []
        if figures and findings.contrasts:
            paths += [*_draw(findings, stage), write_page(findings, stage)]
    return [folder / path.name for path in paths]


def _draw(findings: Findings, stage: Path) -> list[Path]:
    """Figures of every contrast, and of time beside safety where first contact differs."""
    from careload.results.figures import draw_released, save_figure
    from careload.results.figures_inputs import draw_first_contact, draw_inputs, first_contact_differs

    paths = []
    for contrast in findings.contrasts:
        ending = "" if len(findings.contrasts) == 1 else f"_{contrast.world}"
        paths += save_figure(draw_released(findings, contrast), stage, f"released{ending}")
        if findings.spread:
            paths += save_figure(draw_inputs(findings, contrast), stage, f"inputs{ending}")
    if first_contact_differs(findings):
        paths += save_figure(draw_first_contact(findings), stage, "time_and_safety")
    return paths


def _job(
    worlds: Sequence[tuple[str, Study]], scenario: Scenario | None, folder: Path, progress: Progress | None
) -> str:
    open_folder(folder)
    findings = simulate_worlds(worlds, scenario, progress=progress, processes=None)
    paths = write_findings(findings, folder)
    return report(findings) + "\n" + "".join(f"{path}\n" for path in paths)
