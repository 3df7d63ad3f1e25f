"""Small worlds without luck in durations, in which the class and time of every instance are known beforehand.

All requests are of one visit, all durations are their means, nobody hesitates, forgets or stays away unless the
world is about that. Every day is measured.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final

import numpy as np

from careload.day.accounts import Account
from careload.day.block import Block, Decisions, State, first_state
from careload.day.stages import run_day
from careload.inputs.load import load_study
from careload.inputs.study import Study
from careload.patients.tables import minutes_ticks
from careload.practice.tables import Practices
from careload.results.ledger import CLASSES, Ledger, compare_worlds
from careload.simulate import make_block
from careload.ticks import MINUTE
from runs import classes_of_rows
from support import with_values

BASE: Final = load_study(["practice=solo_nurse"])
LIST: Final = 160
LATE: Final = 22 * 60 * MINUTE
PER_DAY: Final = 10 * 225 * 1000 / LIST
"""Yearly rate per 1,000 that brings ten requests a day."""

Classes = dict[tuple[str, str], int]
Change = Callable[[Practices, slice], None]


def quiet() -> dict[str, Any]:
    """No work at all, no luck, no refusal, a day without breaks."""
    values: dict[str, Any] = {}
    for name, task in BASE.tasks.items():
        if not task.children_only:
            values[f"task.{name}.rate"] = 0.0
    for key, _ in BASE.quantities():
        shares = (".cv", ".urgent_share", ".set_by_practice_share")
        if key.startswith("task.") and (key.endswith(shares) or ".children." in key):
            values[key] = 0.0
    values |= {
        "run.years": 2 / 52,
        "calendar.leave_weeks": (52,),
        "calendar.warm_up_days": 0,
        "calendar.tail_days": 0,
        "demand.season_amplitude": 0.0,
        "practice.list_size": LIST,
        "practice.team.gp.sessions": ("08:00-19:00 places",),
        "practice.team.gp.rests": (),
        "practice.team.gp.leaves_at": "22:00",
        "gp.last_start_cap": "22:00",
        "practice.team.nurse.fte": 1.0,
        "practice.team.nurse.pattern": "full_days",
        "meeting.huddle": 0.0,
        "meeting.monthly": 0.0,
        "care.share_unbooked": 1.0,
        "care_seeking.factor_ceiling": 1.0,
        "practice.team.nurse.slot_minutes": 20.0,
        "practice.team.nurse.programme_share": 1.0,
        "book.held_share": 0.0,
        "book.no_show_by_lead": (0.0,) * 7,
        "book.carry_days": 30,
        "first_contact.gp.closed_share": 0.0,
        "first_contact.gp.elsewhere_share": 0.0,
        "first_contact.gp.under_share": 0.0,
        "first_contact.gp.over_share": 0.0,
        "patient.accepts_nurse": 1.0,
        "patient.accepts_nurse_75_drop": 0.0,
        "patient.accepts_second_trip": 1.0,
        "delegation.red_flag_share": 0.0,
        "delegation.stable_share": 1.0,
        "delegation.supervision_minutes.act": 0.0,
        "delegation.supervision_minutes.contact": 0.0,
        "delegation.hand_back.act": 0.0,
        "delegation.hand_back.contact": 0.0,
        "delegation.extra_follow_up": 0.0,
        "delegation.overflow_minutes": 24 * 60.0,
        "delegation.nurse_absent": 1.0,
    }
    return values


QUIET: Final = quiet()
ACTS: Final = {"task.minor_illness.rate": PER_DAY, "task.injection.rate": 0.4 * PER_DAY}
"""Patients who come unasked, four in ten of them for an injection as well."""
CALLS: Final = {"task.phone_acute.rate": PER_DAY}
"""Patients who are called back."""
BOOKED: Final = {"task.prevention_check.rate": PER_DAY, "care.share_unbooked": 0.0}
"""Patients who call and get a place on the next open day."""
NO_NURSE: Final = {"practice.team.nurse.heads": 0}


def study(
    demand: Mapping[str, Any],
    values: Mapping[str, Any] | None = None,
    acts: Sequence[str] = (),
    visits: Sequence[str] = (),
    stable: Sequence[str] = (),
) -> Study:
    """A quiet study with one kind of demand and a nurse who takes the acts and visits named.

    Of the visits in `stable` she takes those of stable patients between the GP's reviews.
    """
    changed = with_values(BASE, {**QUIET, **demand, **(values or {})})
    protocol = replace(
        BASE.protocol,
        acts=dict.fromkeys(acts, "nurse"),
        visits=dict.fromkeys(visits, "nurse"),
        requires_stable=tuple(stable),
    )
    return replace(changed, protocol=protocol)


def ticks(task: str, role: str = "gp") -> int:
    """Reference duration of a task."""
    return minutes_ticks(BASE.value(f"task.{task}.minutes.{role}"))


@dataclass(frozen=True)
class Small:
    """A finished small world: baseline and scenario of one practice."""

    block: Block
    state: State
    ledger: Ledger
    first_of_day: list[int]
    """Number of requests before each day."""

    @property
    def before_last_day(self) -> int:
        """Number of requests before the last day."""
        return self.first_of_day[-1]

    def rows(self, task: str, until: int | None = None) -> int:
        """Instances of a task, in all requests or in the first `until`."""
        rows = self.state.register.rows
        mine = rows.task == self.block.layout.tasks.index(task)
        return int((mine if until is None else mine & (rows.request < until)).sum())

    def classes(self) -> Classes:
        """Instances by task and class, those of no class left out."""
        names = (*CLASSES, "")
        kind = classes_of_rows(self.state, 0, 1)
        task = self.state.register.rows.task
        pairs = Counter((self.block.layout.tasks[t], names[k]) for t, k in zip(task, kind, strict=True))
        return {pair: count for pair, count in pairs.items() if pair[1]}

    def account(self, account: Account, scenario: int) -> int:
        """One counter of a scenario."""
        return int(self.state.accounts.totals[account, scenario])

    def time(self, role: str, task: str, scenario: int) -> int:
        """Ticks of a role on a task."""
        layout = self.block.layout
        return int(
            self.state.accounts.task_ticks[layout.roles.index(role), layout.tasks.index(task), scenario]
        )


def all_day(practices: Practices, lanes: slice) -> None:
    """Give the nurse, person 0, the session of the GP; she leaves as late as he does."""
    here = practices.heads[lanes, 0] > 0
    session, leaves = practices.rota.session[lanes], practices.rota.leaves_at[lanes]
    session[here, 0] = session[here, 1]
    leaves[here, 0] = LATE


def resting(practices: Practices, lanes: slice) -> None:
    """Let the nurse be there all day and rest all day."""
    all_day(practices, lanes)
    practices.rota.rest[lanes, 0, 0] = 8 * 60 * MINUTE, LATE


def run(baseline: Study, scenario: Study, nurse: Change | None = all_day) -> Small:
    """Run two worlds, by default for ten open days; `nurse` says when she is there, by default all day."""
    block = make_block([baseline, scenario], np.arange(1))
    calendar = block.calendar
    assert len(calendar) >= 10
    assert calendar.in_window.all()
    if nurse is not None and len(block.layout.roles) > 1:
        nurse(block.practices, slice(0, 2))
    state, first_of_day = first_state(block), []
    decisions = Decisions(
        trust=np.ones((2, len(block.layout.gps))), seeking=np.ones((2, len(block.people.age)))
    )
    for day in range(len(calendar)):
        run_day(block, state, decisions, day)
        first_of_day.append(state.drawn[day].start)
    small = Small(block, state, compare_worlds(block, state)[0, 1], first_of_day)
    assert not small.ledger.residual.any()
    assert state.register.n_requests > 50
    return small


def time_of(ledger: Ledger) -> dict[str, int]:
    """Ledger entries before the destinations, those of zero left out."""
    names = ("moved", "ended", "induced", "supervision", "hand_back", "hand_over", "meeting")
    names += ("kept", "taken", "new", "abandoned")
    entries = {name: int(getattr(ledger, name)[0]) for name in names}
    return {name: amount for name, amount in entries.items() if amount}


def test_nothing_changes() -> None:
    """Two equal worlds: everything is kept (K) and no time moves."""
    one = run(study(ACTS, NO_NURSE), study(ACTS, NO_NURSE))
    visits, acts = one.rows("minor_illness"), one.rows("injection")
    assert one.classes() == {("minor_illness", "K"): visits, ("injection", "K"): acts}
    assert time_of(one.ledger) == {}
    assert one.time("gp", "injection", 0) == acts * ticks("injection")


def test_one_act_is_delegated() -> None:
    """A nurse who is always there takes one act: exactly its instances are moved (X), and the visits are kept."""
    one = run(study(ACTS, NO_NURSE), study(ACTS, acts=["injection"]))
    visits, acts = one.rows("minor_illness"), one.rows("injection")
    assert one.classes() == {("minor_illness", "K"): visits, ("injection", "X"): acts}
    assert time_of(one.ledger) == {"moved": acts * ticks("injection")}
    assert one.time("nurse", "injection", 1) == acts * ticks("injection", "nurse")
    assert one.ledger.released == one.ledger.fewer_minutes == acts * ticks("injection")


def test_the_visits_are_delegated() -> None:
    """A nurse takes a kind of visit: all visits that take place are moved (X), the GP's calls are kept."""
    one = run(study(BOOKED, NO_NURSE), study(BOOKED, visits=["prevention_check"]))
    held = one.rows("prevention_check", until=one.before_last_day)
    assert one.classes() == {
        ("call_handling", "K"): one.rows("prevention_check"),
        ("prevention_check", "X"): held,
    }
    assert time_of(one.ledger) == {"moved": held * ticks("prevention_check")}
    assert one.time("nurse", "prevention_check", 1) == held * ticks("prevention_check", "nurse")


def test_a_delegated_visit_leaves_to_the_gp_what_only_the_gp_may_do() -> None:
    """An act that the protocol does not give the nurse stays with the GP (K) when she holds the visit."""
    demand = BOOKED | {"task.prevention_check.children.cancer_screening_advice": 0.6}
    one = run(study(demand, NO_NURSE), study(demand, visits=["prevention_check"]))
    held = one.rows("prevention_check", until=one.before_last_day)
    advice = one.rows("cancer_screening_advice", until=one.before_last_day)
    assert 0 < advice < held
    assert one.classes() == {
        ("call_handling", "K"): one.rows("prevention_check"),
        ("prevention_check", "X"): held,
        ("cancer_screening_advice", "K"): advice,
    }
    assert time_of(one.ledger) == {"moved": held * ticks("prevention_check")}
    assert one.time("nurse", "cancer_screening_advice", 1) == 0


def test_the_gp_takes_an_act_back() -> None:
    """The nurse of the baseline is gone: her acts are taken over by the GP (Y), and R stays zero."""
    one = run(study(ACTS, acts=["injection"]), study(ACTS, NO_NURSE))
    visits, acts = one.rows("minor_illness"), one.rows("injection")
    assert one.classes() == {("minor_illness", "K"): visits, ("injection", "Y"): acts}
    assert time_of(one.ledger) == {"taken": acts * ticks("injection")}
    assert one.ledger.released == 0
    assert one.ledger.reinvested == -one.ledger.fewer_minutes == acts * ticks("injection")


ELSEWHERE: Final = {"first_contact.gp.elsewhere_share": 1.0}


def test_all_requests_are_refused() -> None:
    """Requests sent elsewhere are abandoned (A): nothing is released, reinvested time is negative."""
    one = run(study(CALLS, NO_NURSE), study(CALLS, {**NO_NURSE, **ELSEWHERE}))
    n = one.rows("phone_acute")
    assert one.classes() == {("call_handling", "K"): n, ("phone_acute", "A"): n}
    assert time_of(one.ledger) == {"abandoned": n * ticks("phone_acute")}
    assert one.ledger.released == 0
    assert one.account(Account.ELSEWHERE, 1) == n


def test_refused_requests_are_accepted() -> None:
    """Requests that the baseline sends elsewhere are met in the scenario (N): time is reinvested, none released."""
    one = run(study(CALLS, {**NO_NURSE, **ELSEWHERE}), study(CALLS, NO_NURSE))
    n = one.rows("phone_acute")
    assert one.classes() == {("call_handling", "K"): n, ("phone_acute", "N"): n}
    assert time_of(one.ledger) == {"new": n * ticks("phone_acute")}
    assert one.ledger.released == 0
    assert one.ledger.reinvested == n * ticks("phone_acute")


def test_needs_that_end_on_the_telephone() -> None:
    """Calls closed for good end their need (D): its time is released, the calls are kept."""
    closing = {"first_contact.gp.closed_share": 1.0, "call.recontact_share": 0.0}
    one = run(study(CALLS, NO_NURSE), study(CALLS, {**NO_NURSE, **closing}))
    n = one.rows("phone_acute")
    assert one.classes() == {("call_handling", "K"): n, ("phone_acute", "D"): n}
    assert time_of(one.ledger) == {"ended": n * ticks("phone_acute")}
    assert one.ledger.released == one.ledger.fewer_minutes == n * ticks("phone_acute")


def test_needs_that_call_again_are_only_delayed() -> None:
    """Calls closed for a day end no need: it is met later (K) and every closing costs the GP one more call.

    Those who will call after the last day are not served in time (A).
    """
    closing = {
        "first_contact.gp.closed_share": 0.5,
        "call.recontact_share": 1.0,
        "call.recontact_days": 1,
    }
    one = run(study(CALLS, NO_NURSE), study(CALLS, {**NO_NURSE, **closing}))
    n, waiting = one.rows("phone_acute"), int((one.state.slips.table().lane == 1).sum())
    assert 0 < waiting < n / 4
    assert one.classes() == {
        ("call_handling", "K"): n,
        ("phone_acute", "K"): n - waiting,
        ("phone_acute", "A"): waiting,
    }
    more_calls = one.account(Account.CALLS, 1) - one.account(Account.CALLS, 0)
    assert more_calls > n / 2
    assert time_of(one.ledger) == {
        "kept": -more_calls * ticks("call_handling"),
        "abandoned": waiting * ticks("phone_acute"),
    }
    assert one.ledger.released == 0


def test_extra_follow_ups_cost_the_gp_their_supervision() -> None:
    """Follow-ups that delegation brings are held by the nurse: I takes no GP time, R falls by their supervision.

    Every delegated visit before the last day has one before the run ends.
    """
    values = {
        "delegation.supervision_minutes.contact": 2.5,
        "practice.team.nurse.programme_share": 0.5,
        "practice.team.nurse.slot_minutes": 5.0,
        "task.prevention_check.minutes.nurse": 5.0,
    }
    more = {**values, "delegation.extra_follow_up": 1.0}
    visits = ["prevention_check"]
    one = run(study(BOOKED, values, visits=visits), study(BOOKED, more, visits=visits))
    held, with_follow_up = one.first_of_day[-1], one.first_of_day[-2]
    assert one.classes() == {("call_handling", "K"): one.rows("prevention_check")}
    assert one.account(Account.DELEGATE_CONTACTS, 0) == held
    assert one.account(Account.DELEGATE_CONTACTS, 1) == held + with_follow_up
    assert one.account(Account.EXTRA_TRIPS, 1) == with_follow_up
    assert time_of(one.ledger) == {"supervision": with_follow_up * minutes_ticks(2.5)}
    assert one.ledger.released == -with_follow_up * minutes_ticks(2.5)


def test_every_delegated_visit_comes_back() -> None:
    """If all is handed back, the GP does all of it again and loses the minutes of the hand-back besides."""
    values = {"delegation.hand_back.contact": 1.0, "delegation.hand_back_minutes": 3.0}
    one = run(study(BOOKED, NO_NURSE), study(BOOKED, values, visits=["prevention_check"]))
    held, gp = one.before_last_day, ticks("prevention_check")
    assert one.classes()["prevention_check", "X"] == held
    assert one.account(Account.HAND_BACKS, 1) == held
    assert time_of(one.ledger) == {"moved": held * gp, "hand_back": held * (gp + minutes_ticks(3))}
    assert one.ledger.released == -held * minutes_ticks(3)


def test_every_delegated_act_comes_back_the_next_day() -> None:
    """Acts handed back cost the GP their own time and that of the hand-back, on the day after."""
    values = {"delegation.hand_back.act": 1.0, "delegation.hand_back_minutes": 3.0}
    one = run(study(ACTS, NO_NURSE), study(ACTS, values, acts=["injection"]))
    acts, back, gp = one.rows("injection"), one.rows("injection", one.before_last_day), ticks("injection")
    assert 0 < back < acts
    assert one.classes() == {("minor_illness", "K"): one.rows("minor_illness"), ("injection", "X"): acts}
    assert time_of(one.ledger) == {"moved": acts * gp, "hand_back": back * (gp + minutes_ticks(3))}


def test_supervision_and_hand_over_are_counted_apart() -> None:
    """The GP signs each delegated visit and, without a shared record, is told about it: overhead, to the tick."""
    values = {
        "practice.shared_record": False,
        "delegation.hand_over_minutes.separate_records": 3.0,
        "delegation.supervision_minutes.contact": 1.5,
    }
    one = run(study(BOOKED, NO_NURSE), study(BOOKED, values, visits=["prevention_check"]))
    held = one.before_last_day
    assert time_of(one.ledger) == {
        "moved": held * ticks("prevention_check"),
        "supervision": held * minutes_ticks(1.5),
        "hand_over": held * minutes_ticks(3),
    }
    assert one.ledger.released == held * (ticks("prevention_check") - minutes_ticks(4.5))


AFTERNOON: Final = {
    "practice.team.gp.sessions": ("13:00-19:00 places",),
    "practice.team.nurse.fte": 0.5,
    "practice.team.nurse.pattern": "mornings",
    "practice.team.nurse.programme_share": 0.0,
    "practice.team.nurse.slot_minutes": 10.0,
}


def test_acts_wait_for_a_second_trip() -> None:
    """A nurse who is never there with the GP takes the acts on the next open day: one more trip each (X).

    Acts of the last day wait beyond the run (A).
    """
    one = run(study(ACTS, {**NO_NURSE, **AFTERNOON}), study(ACTS, AFTERNOON, acts=["injection"]), nurse=None)
    acts, moved = one.rows("injection"), one.rows("injection", until=one.before_last_day)
    assert 0 < moved < acts
    assert one.classes() == {
        ("minor_illness", "K"): one.rows("minor_illness"),
        ("injection", "X"): moved,
        ("injection", "A"): acts - moved,
    }
    assert one.account(Account.EXTRA_TRIPS, 1) == moved
    assert time_of(one.ledger) == {
        "moved": moved * ticks("injection"),
        "abandoned": (acts - moved) * ticks("injection"),
    }


def test_patients_who_want_no_second_trip_have_their_act_from_the_gp() -> None:
    """With the nurse away and no second trip accepted the GP does the act at once: all is kept."""
    scenario = {**AFTERNOON, "patient.accepts_second_trip": 0.0}
    baseline = {**scenario, **NO_NURSE}
    one = run(study(ACTS, baseline), study(ACTS, scenario, acts=["injection"]), nurse=None)
    assert one.classes() == {
        ("minor_illness", "K"): one.rows("minor_illness"),
        ("injection", "K"): one.rows("injection"),
    }
    assert time_of(one.ledger) == {}


def test_the_gp_takes_over_from_a_nurse_who_does_not_start() -> None:
    """Delegated acts that the nurse leaves lying go to the GP after the overflow delay: all is kept (K)."""
    values = {"delegation.overflow_minutes": 0.0}
    one = run(study(ACTS, NO_NURSE), study(ACTS, values, acts=["injection"]), nurse=resting)
    acts = one.rows("injection")
    assert one.classes() == {("minor_illness", "K"): one.rows("minor_illness"), ("injection", "K"): acts}
    assert one.account(Account.OVERFLOWED_PARTS, 1) == acts
    assert time_of(one.ledger) == {}


def test_a_slow_nurse_does_one_act_a_day() -> None:
    """A nurse who needs the whole day for an act moves one a day (X); the GP takes over the others (K)."""
    values = {"delegation.overflow_minutes": 0.0, "task.injection.minutes.nurse": 1400.0}
    one = run(study(ACTS, NO_NURSE), study(ACTS, values, acts=["injection"]))
    acts, days = one.rows("injection"), np.array([*one.first_of_day, one.state.register.n_requests])
    rows = one.state.register.rows
    asked = rows.request[rows.task == one.block.layout.tasks.index("injection")]
    moved = int((np.histogram(asked, days)[0] > 0).sum())
    assert 0 < moved < acts
    assert one.classes() == {
        ("minor_illness", "K"): one.rows("minor_illness"),
        ("injection", "X"): moved,
        ("injection", "K"): acts - moved,
    }
    assert one.account(Account.OVERFLOWED_PARTS, 1) == acts - moved
    assert time_of(one.ledger) == {"moved": moved * ticks("injection")}


def left_by_a_short_day(small: Small, cap: int, carries: bool) -> tuple[int, int]:
    """Patients not seen, and days that patients were carried, by hand: first come, first served, until the cap."""
    arrived = small.state.register.requests.minute
    edges = [*small.first_of_day, small.state.register.n_requests]
    waiting: list[int] = []
    lost = carried = 0
    for first, last in pairwise(edges):
        queue = [0] * len(waiting) + sorted(arrived[first:last].tolist())
        free = 8 * 60 * MINUTE
        waiting = []
        for minute in queue:
            start = max(free, minute)
            if start < cap:
                free = start + ticks("minor_illness")
            elif carries:
                waiting.append(minute)
            else:
                lost += 1
        carried += len(waiting)
    return lost + len(waiting), carried


WALK_IN: Final = {"task.minor_illness.rate": PER_DAY}


def test_patients_of_a_short_day_are_displaced() -> None:
    """A GP who starts nothing after ten and carries nobody over abandons (A) whoever could not start before."""
    short = {**NO_NURSE, "gp.last_start_cap": "10:00", "book.carry_days": 0}
    one = run(study(WALK_IN, NO_NURSE), study(WALK_IN, short))
    n = one.rows("minor_illness")
    lost, _ = left_by_a_short_day(one, 10 * 60 * MINUTE, carries=False)
    assert 0 < lost < n
    assert one.classes() == {("minor_illness", "K"): n - lost, ("minor_illness", "A"): lost}
    assert one.account(Account.DISPLACED, 1) == lost
    assert time_of(one.ledger) == {"abandoned": lost * ticks("minor_illness")}
    assert one.ledger.released == 0


def test_patients_of_a_short_day_are_carried_over() -> None:
    """If they may come back the next morning they are only delayed (K), but for those of the last evening (A)."""
    short = {**NO_NURSE, "gp.last_start_cap": "10:00", "book.carry_days": 30}
    one = run(study(WALK_IN, NO_NURSE), study(WALK_IN, short))
    n = one.rows("minor_illness")
    lost, carried = left_by_a_short_day(one, 10 * 60 * MINUTE, carries=True)
    assert 0 < lost < carried
    assert one.classes() == {("minor_illness", "K"): n - lost, ("minor_illness", "A"): lost}
    assert int(one.state.contacts.carried.sum()) + one.account(Account.CARRIED, 1) > lost
    assert (one.state.contacts.lane == 1).sum() == len(one.state.contacts.lane) == lost
    assert time_of(one.ledger) == {"abandoned": lost * ticks("minor_illness")}


def test_a_faster_gp_keeps_all_and_saves_the_difference() -> None:
    """Working at half the minutes moves nothing: K holds the time saved, as negative reinvestment."""
    one = run(study(ACTS, NO_NURSE), study(ACTS, {**NO_NURSE, "role.gp.pace": 512}))
    visits, acts = one.rows("minor_illness"), one.rows("injection")
    saved = (visits * ticks("minor_illness") + acts * ticks("injection")) // 2
    assert one.classes() == {("minor_illness", "K"): visits, ("injection", "K"): acts}
    assert time_of(one.ledger) == {"kept": saved}
    assert one.ledger.released == 0
    assert one.ledger.fewer_minutes == saved


def test_shorter_letters_are_time_saved_on_work_kept() -> None:
    """Work that comes without a request is the same in both worlds: shorter minutes are saved on K."""
    demand = {**WALK_IN, "task.letters_in.rate": 10_000.0}
    one = run(study(demand, NO_NURSE), study(demand, {**NO_NURSE, "task.letters_in.minutes.gp": 0.25}))
    letters = one.time("gp", "letters_in", 0) // ticks("letters_in")
    assert letters > 50
    assert one.time("gp", "letters_in", 1) == letters * minutes_ticks(0.25)
    assert time_of(one.ledger) == {"kept": letters * (ticks("letters_in") - minutes_ticks(0.25))}


def test_desk_work_of_a_delegated_visit_stays_with_the_gp() -> None:
    """The nurse's visits leave their letters to the GP (K)."""
    demand = {**BOOKED, "task.prevention_check.children.referral_letter": 0.5}
    one = run(study(demand, NO_NURSE), study(demand, visits=["prevention_check"]))
    letters = one.rows("referral_letter", until=one.before_last_day)
    assert letters > 10
    assert one.classes()["referral_letter", "K"] == letters
    assert time_of(one.ledger) == {"moved": one.before_last_day * ticks("prevention_check")}


def test_patients_may_insist_on_the_gp() -> None:
    """Acts of patients who accept the nurse are moved (X), those of the others kept (K)."""
    demand = {**ACTS, "patient.accepts_nurse": 0.6}
    one = run(study(demand, NO_NURSE), study(demand, acts=["injection"]))
    register = one.state.register
    injected = register.rows.request[register.rows.task == one.block.layout.tasks.index("injection")]
    moved = int(one.block.people.accepts_nurse[register.requests.patient[injected]].sum())
    assert 0 < moved < len(injected)
    assert one.classes() == {
        ("minor_illness", "K"): one.rows("minor_illness"),
        ("injection", "X"): moved,
        ("injection", "K"): len(injected) - moved,
    }
    assert time_of(one.ledger) == {"moved": moved * ticks("injection")}


def test_the_gp_reviews_every_third_visit_of_a_stable_patient() -> None:
    """Of a stable patient's due visits the GP keeps every third (K), the nurse has the others (X).

    Patients who are not stable stay with the GP.
    """
    demand = {
        "task.chronic_hypertension.rate": BASE.value("task.chronic_hypertension.rate"),
        "task.chronic_hypertension.interval_days": 14.0,
        "task.chronic_hypertension.set_by_practice_share": 1.0,
        "run.years": 14 / 52,
        "delegation.stable_share": 0.7,
        "delegation.review_every_n": 3,
    }
    task = ["chronic_hypertension"]
    one = run(study(demand, NO_NURSE), study(demand, visits=task, stable=task))
    register, names = one.state.register, (*CLASSES, "")
    mine = np.flatnonzero(register.rows.task == one.block.layout.tasks.index(task[0]))
    request = register.rows.request[mine]
    kind = [names[k] for k in classes_of_rows(one.state, 0, 1)[mine]]
    patient = register.requests.patient[request].tolist()
    turn = (register.requests.occurrence[request] % 3).tolist()
    turns: dict[int, dict[str, list[int]]] = {}
    for who, name, place in zip(patient, kind, turn, strict=True):
        turns.setdefault(who, {"K": [], "X": [], "": []})[name].append(place)
    seen = [found for found in turns.values() if len(found["K"] + found["X"]) >= 3]
    stable = [found for found in seen if found["X"]]
    assert 0 < len(stable) < len(seen)
    assert all(len(set(found["K"])) <= 1 and not set(found["K"]) & set(found["X"]) for found in stable)
    assert any(found["K"] for found in stable)
    assert all(set(found["K"]) == {0, 1, 2} for found in seen if not found["X"])
    moved, minutes = kind.count("X"), ticks(task[0])
    assert moved > 50
    assert time_of(one.ledger) == {"moved": moved * minutes}


def test_the_gp_who_reviews_every_visit_delegates_none() -> None:
    """If each visit is a review, all stay with the GP (K)."""
    demand = {
        "task.chronic_hypertension.rate": BASE.value("task.chronic_hypertension.rate"),
        "task.chronic_hypertension.interval_days": 14.0,
        "task.chronic_hypertension.set_by_practice_share": 1.0,
        "run.years": 10 / 52,
        "delegation.review_every_n": 1,
    }
    task = ["chronic_hypertension"]
    one = run(study(demand, NO_NURSE), study(demand, visits=task, stable=task))
    assert {kind for _, kind in one.classes()} == {"K"}
    assert time_of(one.ledger) == {}
