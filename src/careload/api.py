"""The model from Python: `run` for one world, `compare` for worlds against a baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from careload.command.progress import progress_line
from careload.inputs.faults import Fault, Faults
from careload.inputs.load import load_comparison, load_study
from careload.jobs import simulate_worlds, write_findings
from careload.results.contrast import Contrast, Findings
from careload.results.folders import open_folder
from careload.results.report import report
from careload.simulate import Progress

if TYPE_CHECKING:
    import pandas as pd

    from careload.results.figures import Chart

__all__ = ["Result", "compare", "run"]


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


def _checked(replications: int | None) -> int | None:
    if replications is not None and replications < 1:
        raise Faults([Fault("replications", replications, "one or more", "30")])
    return replications


def _line(wanted: bool) -> Progress | None:
    return progress_line() if wanted else None
