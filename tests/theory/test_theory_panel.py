"""Panel arithmetic: places over requests per patient is the list that a practice can hold, and FTE is paid hours.

Murray (2007): 20 places on 220 days and two requests per patient a year make a panel of 2,200. The numbers of the model
are its own: places of its timetable, rates of its demand, requests and presence that a run counts. A comparison with an
expectation fails by chance once in 10,000 times.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from careload.day.accounts import Account
from careload.day.block import Block
from careload.inputs.study import Study
from careload.patients.calendar import WEEK_DAYS
from careload.simulate import make_block
from careload.ticks import MINUTE
from runs import count_all_days, only, run_through, short, without_demand

VISIT: Final = "undifferentiated"
DAY_PLACES, YEAR_DAYS, PER_PATIENT, PANEL = 20, 220, 2.0, 2200
MURRAY: Final[Mapping[str, Any]] = {
    "calendar.leave_weeks": (1, 8, 15, 22, 29, 30, 31, 52),
    "practice.team.gp.sessions": ("08:00-13:00 places", "14:00-18:00 desk"),
    "practice.team.gp.rests": (),
    "book.held_share": 0.0,
    "demand.weekday_weight": (1.0,) * WEEK_DAYS,
    "reference.no_show_mean": 0.0,
    "reference.closed_share": 0.0,
    "urgency.rank1": 0.0,
    "care.share_unbooked": 0.0,
    f"task.{VISIT}.age_rates": (1000 * PER_PATIENT,) * 7,
    f"task.{VISIT}.urgent_share": 0.0,
    f"task.{VISIT}.minutes.gp": 10.0,
    f"task.{VISIT}.set_by_practice_share": 0.0,
}
"""Places of a quarter of an hour from eight to one; all requests are routine, and everybody comes."""
CELLS: Final = 12
LISTS: Final = np.array([1980, PANEL, 2420])
ALARM: Final = 1e-4


def murray(**values: Any) -> Study:
    """A GP who sees one kind of request."""
    given = {key.replace("__", "."): value for key, value in values.items()}
    return only(short(("practice=solo", "protocol=none")), [VISIT], {}, {**MURRAY, **given})


def places(block: Block) -> int:
    """Places of the first practice in a year."""
    week = sum(int(block.rota_of_weekday(day).ordinary[:, 0].sum()) for day in range(WEEK_DAYS))
    return week * block.calendar.year_days // WEEK_DAYS


def requests(block: Block) -> NDArray[np.float64]:
    """Requests that the lists of a block make in a year, by the rates of their ages."""
    rate = block.demand.rate[block.demand.names.index(VISIT)][block.people.band]
    asked: NDArray[np.float64] = np.add.reduceat(rate, block.people.offset[:-1])
    return asked


def test_places_over_requests_are_the_published_panel() -> None:
    """B4: 20 places on 220 days are 4,400; at two requests a year 2,200 patients ask for just as many."""
    block = make_block([murray()], np.arange(1), list_sizes=np.array([PANEL]))
    assert block.calendar.year_days == YEAR_DAYS
    assert places(block) == DAY_PLACES * YEAR_DAYS
    assert requests(block) == pytest.approx(places(block), rel=1e-12)


def test_the_panel_of_a_practice_grows_with_its_gps() -> None:
    """Two GPs have twice the places, and a GP with two days off has three fifths of them."""
    two = make_block([murray(practice__team__gp__heads=2)], np.arange(1))
    off = make_block([murray(practice__team__gp__heads=2, practice__team__gp__days_off=(1, 5))], np.arange(1))
    one = places(make_block([murray()], np.arange(1)))
    assert places(two) == 2 * one
    assert 5 * places(off) == 8 * one


@pytest.mark.parametrize(("patients", "visits"), [(127, 279), (227, 499)])
def test_more_patients_ask_for_the_published_number_of_visits(patients: int, visits: int) -> None:
    """B4: 127 and 227 patients more, at 2.2 visits each, are 279 and 499 visits a year."""
    study = murray(**{f"task__{VISIT}__age_rates": (2200.0,) * 7})
    block = make_block([study], np.arange(2), list_sizes=np.array([1500, 1500 + patients]))
    fewer, more = requests(block)
    assert round(more - fewer) == visits


@pytest.fixture(scope="module")
def counted() -> dict[str, NDArray[np.int64]]:
    """Requests, contacts and open days of waiting with a list below, at and above the panel, shape (lists, cells)."""
    lists = np.repeat(LISTS, CELLS)
    block = count_all_days(make_block([murray()], np.arange(len(lists)), list_sizes=lists))
    totals = run_through(block).state.accounts.totals
    found = {one.name: totals[one].reshape(len(LISTS), CELLS) for one in Account}
    return {**found, "days": np.array(len(block.calendar))}


def test_a_run_brings_the_requests_of_the_panel_equation(counted: dict[str, NDArray[np.int64]]) -> None:
    """B4: requests of a run are list times two times the share of the year that it lasts, within chance."""
    expected = PER_PATIENT * LISTS * int(counted["days"]) / YEAR_DAYS
    found = counted["REQUESTS"]
    error = found.std(axis=1, ddof=1) / np.sqrt(CELLS)
    margin = stats.t.ppf(1 - ALARM / 2, CELLS - 1) * error
    assert (abs(found.mean(1) - expected) < margin).all()
    assert (margin < 0.1 * expected).all()


def test_above_the_panel_places_bind(counted: dict[str, NDArray[np.int64]]) -> None:
    """A tenth below the panel nearly all are seen; a tenth above it all places are taken, and people wait and leave."""
    below, _, above = counted["SERVED"] / counted["REQUESTS"]
    refused = counted["LEFT"] + counted["DISPLACED"]
    taken = counted["SERVED"][2] / (DAY_PLACES * int(counted["days"]))
    wait = counted["WAIT_OPEN_DAYS"] / counted["WAITED"]
    assert (below > 0.96).all()
    assert (above < below).all()
    assert (taken > 0.9).all()
    assert (refused[2] > refused[0]).all()
    assert (wait[2] > wait[0].max()).all()
    assert wait[2].mean() > 2 * wait[0].mean()


@pytest.mark.parametrize("pattern", ["mornings", "full_days"])
def test_a_full_time_equivalent_is_paid_for_its_hours(pattern: str) -> None:
    """FTE times the hours of a full contract is the presence that a run counts, whatever the days it falls on."""
    posts = {0.1: 1, 0.3: 1, 0.5: 2, 1.0: 1}
    team = "practice.team.nurse"
    common = {f"{team}.pattern": pattern, "meeting.huddle": 0, "meeting.monthly": 0}
    studies = [
        short(("practice=solo_nurse",), {**common, f"{team}.fte": fte, f"{team}.heads": heads})
        for fte, heads in posts.items()
    ]
    block = without_demand(make_block(studies, np.arange(1)))
    model = run_through(block)
    present = model.state.accounts.present[block.layout.roles.index("nurse")] / (60 * MINUTE)
    full = float(studies[0].value("contract.week_hours")) * block.calendar.window_weeks
    assert present == pytest.approx([fte * heads * full for fte, heads in posts.items()], rel=1e-6)
