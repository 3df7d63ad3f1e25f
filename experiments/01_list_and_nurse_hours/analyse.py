"""Released time and what is taken home, by list and by hours of the nurse."""

from __future__ import annotations

from pathlib import Path

from common import Finding, beyond, draw_line, figure, finish, interval, negative, points_of, table

LIST, FTE = "practice.list_size", "practice.team.nurse.fte"


def analyse(folder: Path) -> Finding:
    """What the sweep says, and its figure."""
    points = points_of(folder, LIST, FTE)
    lists, posts = (sorted({key[place] for key in points}) for place in (0, 1))
    least, most = posts[0], posts[-1]
    released = {key: row.measures["released_hours"] for key, row in points.items()}
    home = {key: row.measures["taken_home_hours"] for key, row in points.items()}
    fewer = sum(
        released[one, posts[1]].value - released[one, least].value
        > released[one, most].value - released[one, posts[-2]].value
        for one in lists
    )
    longest = max(lists, key=lambda one: released[one, most].value)
    clear = [
        one for one in lists if one != longest and not beyond(released[longest, most], released[one, most])
    ]
    not_home = [one for one in lists if home[one, most].high < 0]
    last = home[lists[-1], most]
    later = (
        f"the GP comes home {interval(negative(last), 1)} h later"
        if last.high < 0
        else f"{interval(last, 1)} h go home"
    )
    chart, (left, right) = figure(
        f"A whole post releases {interval(released[lists[0], most], 1)} h a week with {lists[0]:,} patients and "
        f"{interval(released[longest, most], 1)} with {longest:,};\nwith {lists[-1]:,} {later}",
        2,
    )
    for ax, measures, name in ((left, released, "GP time released"), (right, home, "of it taken home")):
        for which, one in enumerate(lists):
            draw_line(ax, which, posts, [measures[one, post] for post in posts], f"{one:,} patients")
        finish(ax, name, "nurse, FTE", "h a week per GP")
    right.legend(frameon=False, fontsize=9)
    sizes = [f"{one:,} patients" for one in lists]
    said = [
        f"- The first further fifth of a post releases more than the last in {fewer} of {len(lists)} lists. With "
        f"{lists[1]:,} patients {least:g} FTE releases {interval(released[lists[1], least])} h, {posts[1]:g} FTE "
        f"{interval(released[lists[1], posts[1]])} h, a whole post {interval(released[lists[1], most])} h.",
        f"- A whole post releases most with {longest:,} patients; "
        + (
            f"beyond chance more than with any other list but {' and '.join(f'{one:,}' for one in clear)}."
            if clear
            else "beyond chance more than with any other list."
        ),
        "- With "
        + (" and ".join(f"{one:,}" for one in not_home) or "no list")
        + " patients the GP comes home later than without a nurse: what is released, and more, goes to requests that "
        "had found no place or were not made.",
        "",
        "GP time released, h a week per GP:",
        "",
        table(
            ["FTE", *sizes],
            [[f"{post:g}", *(interval(released[one, post]) for one in lists)] for post in posts],
        ),
        "",
        "Of it taken home:",
        "",
        table(
            ["FTE", *sizes], [[f"{post:g}", *(interval(home[one, post]) for one in lists)] for post in posts]
        ),
        "",
        "![Released and taken home by list and nurse hours](finding.svg)",
    ]
    return "\n".join(said), chart
