"""Who meets: everybody present on the day, and nobody alone."""

from __future__ import annotations

import numpy as np

from careload.day.accounts import Account
from careload.day.parts import Part
from careload.simulate import make_block
from runs import run_through, short

DAILY = {"meeting.huddle": 10.0, "meeting.monthly": 0.0}
ONE_DAY = {"practice.team.nurse.fte": 0.2, "practice.team.nurse.pattern": "full_days", **DAILY}
"""A nurse on Mondays only."""


def test_nobody_meets_alone() -> None:
    """A GP alone holds no meeting; with a nurse on one day of five he meets on that day only."""
    studies = [
        short(("practice=solo", "protocol=none"), DAILY),
        short(("practice=solo_nurse",), ONE_DAY),
        short(("practice=solo_nurse",), DAILY),
    ]
    totals = run_through(make_block(studies, np.arange(4))).state.accounts.totals
    alone, one_day, every_day = totals[Account.GP_MEETING].reshape(3, -1).sum(1)
    assert alone == 0
    assert 0 < one_day < 0.4 * every_day


def test_the_monthly_meeting_is_where_the_inputs_say() -> None:
    """Each world meets on its own weekday, so many weeks after the last time, in weeks that are open."""
    monthly = {"meeting.huddle": 0.0, "meeting.monthly": 45.0}
    changed = {"meeting.monthly_weekday": 2, "meeting.monthly_every_weeks": 5}
    studies = [
        short(("practice=solo_nurse",), monthly),
        short(("practice=solo_nurse",), {**monthly, **changed}),
    ]
    block = make_block(studies, np.arange(3))
    met = np.zeros(2, np.int64)
    for day in range(len(block.calendar)):
        absences = block.rota(day).absences
        meets = np.isin(np.arange(block.n_lanes), absences.lane[absences.part == Part.MEETING])
        weekday, week = int(block.calendar.weekday[day]), int(block.calendar.week[day])
        expected = (weekday == 3 and week % 4 == 1, weekday == 1 and week % 5 == 1)
        for world, is_day in enumerate(expected):
            assert (meets[block.lane_of[world]] == is_day).all()
        met += expected
    assert met.all()
