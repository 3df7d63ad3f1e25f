"""Who meets: everybody present on the day, and nobody alone."""

from __future__ import annotations

import numpy as np

from careload.day.accounts import Account
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
