"""The desk of the first contact against the event list of section 4."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
import twin_schedule as twin

from careload.day import calls as calls_module
from careload.day.schedule import Items, Roster, Schedule, schedule
from careload.simulate import make_block
from careload.ticks import NEVER
from runs import run_through, short

DESK = ("practice=solo_receptionist", "protocol=administration", "first_contact=receptionist")


def test_every_start_at_the_desk_is_the_twins() -> None:
    """Calls, breaks and meetings at the desk of two receptionists: all starts are those of the event list."""
    seen: list[tuple[Roster, Items, Schedule]] = []

    def watch(roster: Roster, items: Items) -> Schedule:
        timed = schedule(roster, items)
        seen.append((roster, items, timed))
        return timed

    values = {
        "practice.team.receptionist.heads": 2,
        "practice.team.receptionist.pattern": "full_days",
        "practice.list_size": 6000,
    }
    with patch.object(calls_module, "schedule", watch):
        run_through(make_block([short(DESK, values)], np.arange(2)))
    compared = 0
    for roster, items, timed in seen[::4]:
        for lane in (0, 1):
            expected = twin.lane_day(roster, items, lane)
            started = np.flatnonzero((items.lane == lane) & (timed.start < NEVER))
            columns = (
                timed.start[started],
                timed.person[started],
                started,
                timed.end[started],
                timed.room_wait[started],
            )
            assert {twin.Start(*map(int, row)) for row in zip(*columns, strict=True)} == set(expected)
            compared += len(expected)
    assert compared > 1000
