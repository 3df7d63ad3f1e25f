"""Released time by hours of the nurse, on mornings and on whole days."""

from __future__ import annotations

from pathlib import Path

from common import Finding, beyond, draw_line, figure, finish, interval, points_of, table

PATTERN, FTE = "practice.team.nurse.pattern", "practice.team.nurse.fte"
NAMES = {"mornings": "mornings", "full_days": "whole days"}


def analyse(folder: Path) -> Finding:
    """What the sweep says, and its figure."""
    points = points_of(folder, PATTERN, FTE)
    posts = sorted({fte for _, fte in points})
    released = {key: row.measures["released_hours"] for key, row in points.items()}
    reinvested = {key: row.measures["reinvested_hours"] for key, row in points.items()}
    better = [post for post in posts if beyond(released["full_days", post], released["mornings", post])]
    least, most = posts[0], posts[-1]
    chart, (left, right) = figure(
        f"{least:g} FTE releases {interval(released['full_days', least], 1)} h a week on whole days and "
        f"{interval(released['mornings', least], 1)} on mornings;\n"
        f"from {next((one for one in posts if one not in better), most):g} FTE on there is no difference beyond chance",
        2,
    )
    for ax, measures, name in (
        (left, released, "GP time released"),
        (right, reinvested, "of it reinvested in requests"),
    ):
        for which, (pattern, words) in enumerate(NAMES.items()):
            draw_line(ax, which, posts, [measures[pattern, post] for post in posts], words)
        finish(ax, name, "nurse, FTE", "h a week per GP")
    right.legend(frameon=False, fontsize=9)
    shares = [
        f"{least:g} FTE on {words} releases {interval(released[pattern, least])} h, a whole post "
        f"{interval(released[pattern, most])}: {released[pattern, least].value / released[pattern, most].value:.0%}"
        for pattern, words in NAMES.items()
    ]
    said = [
        f"- Whole days release more beyond chance with {', '.join(f'{one:g}' for one in better) or 'no'} FTE.",
        f"- {'; '.join(shares)}.",
        f"- What is reinvested is negative for a small post: {interval(reinvested['full_days', least])} h with "
        f"{least:g} FTE on whole days. Patients wait longer for her, and ask less often (elasticity assumed).",
        "",
        "GP time released, h a week per GP:",
        "",
        table(
            ["FTE", *NAMES.values()],
            [[f"{post:g}", *(interval(released[pattern, post]) for pattern in NAMES)] for post in posts],
        ),
        "",
        "![Released and reinvested time by nurse hours and days](finding.svg)",
    ]
    return "\n".join(said), chart
