from __future__ import annotations

import numpy as np

from careload.day.accounts import Account
from careload.results.measures import HOUR
from careload.results.workload import UNIT, workloads
from short_findings import REPLICATIONS, short_findings


def test_the_hours_of_a_gp_add_up_to_the_time_worked() -> None:
    findings = short_findings()
    found = workloads(findings)
    for place, world in enumerate(findings.worlds):
        worked = world.totals.hours(Account.GP_SERVICE, Account.GP_MEETING, Account.GP_DESK)[:REPLICATIONS]
        summed = sum(one.worlds[place].value for one in found if one.role == "gp")
        assert np.isclose(summed, worked.mean(), rtol=1e-12)


def test_the_hours_of_the_staff_add_up_to_their_work() -> None:
    findings = short_findings()
    found = workloads(findings)
    nurse = findings.worlds[1]
    summed = sum(one.worlds[1].value for one in found if one.role != "gp")
    assert np.isclose(summed, nurse.levels["staff_worked"].value, rtol=1e-12)
    assert all(one.worlds[0].value == 0 for one in found if one.role == "nurse")


def test_changes_are_paired_and_the_largest_come_first() -> None:
    findings = short_findings()
    run, found = findings.run, workloads(findings)
    assert [one.change for one in found] == sorted((one.change for one in found), reverse=True)
    chosen = next(one for one in found if one.role == "gp" and one.work == "blood_draw")
    ticks = run.task_ticks[run.layout.gp, run.layout.tasks.index("blood_draw"), :, :REPLICATIONS]
    hours = (ticks[1] - ticks[0]) / (HOUR * run.window_weeks)
    assert np.isclose(chosen.differences[0].value, hours.mean())
    assert chosen.differences[0].low < hours.mean() < chosen.differences[0].high
    assert {one.worlds[0].unit for one in found} == {UNIT}
