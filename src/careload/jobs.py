"""The two jobs of the command line: one world alone, and worlds against a baseline."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from careload.inputs.study import Comparison, Scenario, Study
from careload.results.contrast import Findings, find
from careload.results.folders import open_folder, staging
from careload.results.report import report
from careload.simulate import Progress, simulate, useful_processes

__all__ = ["compare_job", "run_job", "simulate_worlds", "write_findings"]


def run_job(study: Study, folder: Path, progress: Progress | None = None) -> str:
    """Simulate one world, write its results, and return the tables to print.

    Parameters
    ----------
    study : Study
    folder : Path
        Made if there is none.
    progress : callable, optional
        Told the open days done and the open days in all.

    Returns
    -------
    str

    Raises
    ------
    Faults
        The folder cannot be written to; raised before anything is simulated.
    """
    return _job([(study.choices.get("practice", "practice"), study)], None, folder, progress)


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
    worlds : sequence of (str, Study)
        Names and studies, the baseline first.
    scenario : Scenario, optional
    replications : int, optional
        By default `run.replications` of the baseline; if given, no more share one list of people either.
    progress : callable, optional
    processes : int, optional
        Processes to use; None for as many as shorten the run. Results are the same.

    Returns
    -------
    Findings
    """
    first = worlds[0][1]
    count = round(first.value("run.replications"))
    fixed = round(first.value("run.fixed_list_replications")) if len(worlds) > 1 else 0
    if replications is not None:
        count, fixed = replications, min(fixed, replications)
    studies = [study for _, study in worlds]
    run = simulate(studies, count, fixed, progress, processes or useful_processes(studies, count + fixed))
    return find(run, worlds, scenario)


def write_findings(findings: Findings, folder: Path) -> list[Path]:
    """Write results, summary, and for a comparison one figure per contrast and one page; all of them or none.

    Returns
    -------
    list of Path
        What was written.
    """
    from careload.results.figures import draw_released, save_figure
    from careload.results.files import write_parquet, write_summary
    from careload.results.report_page import write_page

    with staging(folder) as stage:
        paths = [write_parquet(findings, stage), write_summary(findings, stage)]
        for contrast in findings.contrasts:
            name = "released" if len(findings.contrasts) == 1 else f"released_{contrast.world}"
            paths += save_figure(draw_released(findings, contrast), stage, name)
        if findings.contrasts:
            paths.append(write_page(findings, stage))
    return [folder / path.name for path in paths]


def _job(
    worlds: Sequence[tuple[str, Study]], scenario: Scenario | None, folder: Path, progress: Progress | None
) -> str:
    open_folder(folder)
    findings = simulate_worlds(worlds, scenario, progress=progress, processes=None)
    paths = write_findings(findings, folder)
    return report(findings) + "\n" + "".join(f"{path}\n" for path in paths)
