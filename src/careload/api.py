"""The model from Python: `run` for one world, `compare` for worlds against a baseline, `sweep` for many of these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from careload.command.points import points, without_globs
from careload.command.progress import progress_line
from careload.inputs.faults import Fault, Faults, raise_any
from careload.inputs.load import load_comparison, load_study
from careload.inputs.vocabulary import files_at_rest, search_path
from careload.jobs import Point, point_of, simulate_points, simulate_worlds, write_findings
from careload.results.contrast import Contrast, Findings
from careload.results.folders import open_folder
from careload.results.report import report
from careload.simulate import Progress

if TYPE_CHECKING:
    import pandas as pd

    from careload.results.figures import Chart
    from careload.results.sweep import Sweep

__all__ = ["Result", "SweepResult", "compare", "run", "sweep"]


@dataclass(frozen=True, eq=False)
class Result:
    """What a run says.

    Attributes
    ----------
    findings : Findings
    """

    findings: Findings

    @property
    def table(self) -> pd.DataFrame:
        """Every number: quantity, label, value, low, high, unit, grade, note; one row each."""
        import pandas as pd

        rows = [asdict(one) for one in self.findings.estimates()]
        columns = ["quantity", "label", "value", "low", "high", "unit", "grade", "note"]
        return pd.DataFrame(rows)[columns].set_index("quantity")

    @property
    def cells(self) -> pd.DataFrame:
        """Every replication of every world, with all accounts; one row each."""
        import pandas as pd

        from careload.results.files import cell_columns

        return pd.DataFrame({column.name: column.values for column in cell_columns(self.findings)})

    def summary(self) -> str:
        """Return the tables as text, as the command line prints them."""
        return report(self.findings)

    def figure(self, world: str | None = None) -> Chart:
        """Draw the released time of a world and where it went.

        Parameters
        ----------
        world : str, optional
            By default the first after the baseline.
        """
        from careload.results.figures import draw_released

        return draw_released(self.findings, self._contrast(world))

    def report(self) -> str:
        """Return the page of a comparison as HTML, as `save` writes it to `report.html`."""
        from careload.results.report_page import page

        self._contrast(None)
        return page(self.findings)

    def save(self, folder: str | Path) -> list[Path]:
        """Write results, summary, figures and page to a folder, and return what was written."""
        return write_findings(self.findings, open_folder(Path(folder)))

    def _contrast(self, world: str | None) -> Contrast:
        contrasts = {contrast.world: contrast for contrast in self.findings.contrasts}
        if not contrasts:
            fault = Fault("figure", "one world", "a comparison", "careload.compare")
            raise Faults([fault])
        name = next(iter(contrasts)) if world is None else world
        if name not in contrasts:
            raise Faults([Fault("world", name, "a world that is compared", " or ".join(contrasts))])
        return contrasts[name]

    def _repr_html_(self) -> str:
        """Show the table in a notebook."""
        return str(self.table.to_html(max_rows=None))


def run(
    *overrides: str,
    replications: int | None = None,
    config_dirs: Sequence[str | Path] = (),
    progress: bool = False,
) -> Result:
    """Simulate one world.

    Parameters
    ----------
    *overrides : str
        As on the command line: `practice=solo`, `practice.list_size=1500`.
    replications : int, optional
        By default `run.replications`.
    config_dirs : sequence of path
        Folders with files of your own.
    progress : bool
        Whether to show how far the run is.

    Returns
    -------
    Result

    Raises
    ------
    Faults
        All faults of the overrides at once.
    """
    study = load_study(overrides, config_dirs)
    worlds = ((study.choices["practice"], study),)
    return Result(simulate_worlds(worlds, None, _checked(replications), _line(progress)))


def compare(
    *overrides: str,
    replications: int | None = None,
    config_dirs: Sequence[str | Path] = (),
    progress: bool = False,
) -> Result:
    """Simulate the worlds of a scenario and compare each with the baseline.

    Parameters
    ----------
    *overrides : str
        As on the command line: `scenario=half_time_nurse`, `practice.list_size=1500`; they hold in every world.
    replications, config_dirs, progress
        As for `run`.

    Returns
    -------
    Result

    Raises
    ------
    Faults
        All faults of the overrides at once.
    """
    comparison = load_comparison(overrides, config_dirs)
    findings = simulate_worlds(
        comparison.worlds, comparison.scenario, _checked(replications), _line(progress)
    )
    return Result(findings)


@dataclass(frozen=True, eq=False)
class SweepResult:
    """What the points of a sweep say, in the order of their overrides.

    Attributes
    ----------
    points : tuple of tuple of str
        Overrides of every point, one value each.
    results : tuple of Result
        One for each point.
    """

    points: tuple[tuple[str, ...], ...]
    results: tuple[Result, ...]

    @property
    def table(self) -> pd.DataFrame:
        """Swept keys and measures with their intervals; one row for each point and world compared."""
        import pandas as pd

        from careload.results.sweep import table_columns

        return pd.DataFrame({name: values for name, values, _ in table_columns(self._sweep())})

    def figure(self, world: str | None = None) -> Chart | None:
        """Draw released time over the one or two keys that were swept; None for another number of keys."""
        from careload.results.sweep_figure import draw_sweep

        return draw_sweep(self._sweep(), world)

    def _sweep(self) -> Sweep:
        from careload.results.sweep import sweep_of

        return sweep_of([result.findings for result in self.results])

    def _repr_html_(self) -> str:
        """Show the table in a notebook."""
        return str(self.table.to_html())


def sweep(
    *overrides: str,
    replications: int | None = None,
    config_dirs: Sequence[str | Path] = (),
    progress: bool = False,
) -> SweepResult:
    """Compare at all combinations of values, simulated together; inputs are not varied beside.

    Parameters
    ----------
    *overrides : str
        As behind `careload compare -m`: `practice.list_size=1000,1500`, `practice.team.nurse.fte=0.2,0.4`.
    replications, config_dirs, progress
        As for `run`.

    Returns
    -------
    SweepResult

    Raises
    ------
    Faults
        All faults of all points at once.
    """
    folders, faults = search_path(config_dirs)
    listed, wrong = points(without_globs(overrides, folders))
    raise_any([*faults, *wrong])
    loaded: list[Point] = []
    with files_at_rest():
        for texts in listed:
            try:
                one = load_comparison(texts, config_dirs)
                loaded.append(point_of(one.worlds, one.scenario, _checked(replications), spread=False))
            except Faults as error:
                faults += error.faults
    raise_any(faults)
    found: dict[int, Findings] = {}

    def take(number: int, outcome: Findings | Exception) -> None:
        if isinstance(outcome, Exception):
            raise outcome
        found[number] = outcome

    simulate_points(loaded, take, _line(progress))
    return SweepResult(tuple(listed), tuple(Result(found[number]) for number in range(len(listed))))


def _checked(replications: int | None) -> int | None:
    if replications is not None and replications < 1:
        raise Faults([Fault("replications", replications, "one or more", "30")])
    return replications


def _line(wanted: bool) -> Progress | None:
    return progress_line() if wanted else None
