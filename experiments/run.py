"""Run experiments again and write what they find into their README: `python experiments/run.py [01 ...]`.

The command of an experiment is the first block of code in its README. Its results go to `results/experiments/NN`;
points that are there already are not run again. `analyse.py` makes text and figure of them.
"""

from __future__ import annotations

import argparse
import importlib.util
import shlex
import sys
from pathlib import Path

import matplotlib

from careload.command.cli import main as careload
from careload.results.figures import STYLE, save_figure

HERE = Path(__file__).resolve().parent
BEGIN, END = "<!-- begin: written by experiments/run.py -->\n", "<!-- end -->\n"


def command_of(readme: str) -> list[str]:
    """Arguments of the command in a README."""
    return shlex.split(readme.split("```\n")[1])[1:]


def found(folder: Path, results: Path) -> None:
    """Write finding and figure of an experiment from its results."""
    spec = importlib.util.spec_from_file_location("analyse", folder / "analyse.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with matplotlib.rc_context(STYLE):
        text, figure = module.analyse(results)
        _, picture = save_figure(figure, folder, "finding")
    picture.unlink()
    readme = folder / "README.md"
    before, _, rest = readme.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    readme.write_text(f"{before}{BEGIN}\n{text}\n\n{END}{after}", encoding="utf-8")


def main() -> int:
    """Run and analyse what is asked for, by default everything."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("numbers", nargs="*", help="01, 02, ...; by default all")
    parser.add_argument("--results", type=Path, default=HERE.parent / "results" / "experiments")
    chosen = parser.parse_args()
    for folder in sorted(HERE.glob("[0-9][0-9]_*")):
        number = folder.name[:2]
        if chosen.numbers and number not in chosen.numbers:
            continue
        results = chosen.results / number
        code = careload(
            [*command_of((folder / "README.md").read_text(encoding="utf-8")), f"output={results}"]
        )
        if code:
            return code
        found(folder, results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
