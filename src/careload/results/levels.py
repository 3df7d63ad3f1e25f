"""What is measured in every world: names, units, causal grades, and how each follows from the accounts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from careload.day.accounts import Account
from careload.inputs.study import Study
from careload.results.measures import HOUR, WORKED, Grade, Values, WorldTotals, delegates, ratio, worst_grade
from careload.results.persons import PERSON_COUNTS
from careload.ticks import to_minutes

__all__ = ["LEVELS", "Level", "level_grade", "levels_of"]


@dataclass(frozen=True)
class Level:
    """A measure of one world.

    Attributes
    ----------
    name : str
    label : str
        How a table calls it.
    unit : str
    grade : str
        Causal grade where nothing is delegated.
    section : str
        Heading in tables.
    decimals : int
        In tables.
    description : str
        One sentence.
    of : callable
        From the totals of a world to one value per cell.
    by_delegation : bool
        Whether delegation moves it, so that its grade is D in a world that delegates.
    """

    name: str
    label: str
    unit: str
    grade: Grade
    section: str
    decimals: int
    description: str
    of: Callable[[WorldTotals], Values]
    by_delegation: bool = True


def level_grade(level: Level, studies: Sequence[Study]) -> Grade:
    """Worst grade of a measure over some worlds."""
    moved = level.by_delegation and any(delegates(study) for study in studies)
    return worst_grade([level.grade, "D" if moved else level.grade])


_CONTACTS: Final = (Account.OFFICE, Account.HOME, Account.PHONE)
_UNMET: Final = (Account.LEFT, Account.DISPLACED, Account.ELSEWHERE, Account.NOT_COME)
_STAFF_WORK: Final = (Account.STAFF_SERVICE, Account.STAFF_MEETING, Account.STAFF_DESK)

_WEEK: Final = "h/week per GP"
_STAFF_WEEK: Final = "h/week"
_EACH_WEEK: Final = "per week and GP"
_YEARLY: Final = "per 1,000 patients a year"

_PERSON: Final = "Persons"
_OF_BAND: Final = "per 1,000 of the age a year"
_GP, _CONTACT, _ACCESS, _ROOMS, _TEAM, _STAFF = (
    "GP time",
    "Contacts",
    "Access and safety",
    "Rooms and seats",
    "Delegation",
    "Other staff",
)


def _hours(name: str, label: str, description: str, *accounts: Account) -> Level:
    return Level(name, label, _WEEK, "B", _GP, 2, description, lambda world: world.hours(*accounts))


def _weekly(name: str, label: str, description: str, *accounts: Account) -> Level:
    return Level(name, label, _EACH_WEEK, "B", _TEAM, 1, description, lambda world: world.per_week(*accounts))


def _yearly(name: str, label: str, section: str, description: str, *accounts: Account) -> Level:
    return Level(name, label, _YEARLY, "B", section, 1, description, lambda world: world.per_1000(*accounts))


def _share(name: str, label: str, account: Account) -> Level:
    return Level(
        name,
        label,
        "share",
        "B",
        _CONTACT,
        3,
        f"{label} among all contacts of GPs.",
        lambda world: ratio(world.count(account), world.count(*_CONTACTS)),
    )


def _staff(
    name: str, label: str, grade: Grade, description: str, of: Callable[[WorldTotals], Values]
) -> Level:
    return Level(name, label, _STAFF_WEEK, grade, _STAFF, 2, description, of, by_delegation=grade != "A")


def _direct(name: str, label: str, description: str, travel: bool) -> Level:
    def share(world: WorldTotals) -> Values:
        without = 0 if travel else world.count(Account.GP_TRAVEL)
        return ratio(world.direct - without, world.count(*WORKED))

    return Level(name, label, "share", "B", _GP, 3, description, share)


def _person(name: str, label: str, unit: str, decimals: int, description: str) -> Level:
    row = PERSON_COUNTS.index(name)

    def of(world: WorldTotals) -> Values:
        return np.full(world.list_size.shape, np.nan) if world.persons is None else world.persons[row]

    return Level(name, label, unit, "B", _PERSON, decimals, description, of)


def levels_of(totals: WorldTotals) -> tuple[Level, ...]:
    """Measures that the totals of a world allow, in the order of tables; those of its roles stand with the staff."""
    allowed = [level for level in LEVELS if level.section != _PERSON or totals.persons is not None]
    of_roles = [level for number, role in enumerate(totals.roles) for level in _levels_of_role(number, role)]
    last = max(place for place, level in enumerate(allowed) if level.section == _STAFF) + 1
    return (*allowed[:last], *of_roles, *allowed[last:])


def _levels_of_role(number: int, role: str) -> tuple[Level, ...]:
    """Presence, work and utilisation of one role, whole practice."""
    label = role.replace("_", " ")

    def hours(name: str) -> Callable[[WorldTotals], Values]:
        return lambda world: getattr(world, name)[number] / (HOUR * world.weeks)

    return (
        _staff(
            f"{role}_present", f"{label}, present", "B", f"Paid time of the role {label}.", hours("present")
        ),
        _staff(f"{role}_worked", f"{label}, worked", "B", f"Work of the role {label}.", hours("worked")),
        Level(
            f"{role}_utilisation",
            f"{label}, utilisation",
            "share",
            "B",
            _STAFF,
            2,
            f"Work over paid time of the role {label}.",
            lambda world: ratio(world.worked[number], world.present[number]),
        ),
    )


def _mean_days(urgency: int) -> Callable[[WorldTotals], Values]:
    """Mean open days from call to contact of the requests of an urgency, 0 the most urgent."""

    def of(world: WorldTotals) -> Values:
        counts = world.access[urgency]
        return ratio(np.arange(len(counts)) @ counts, counts.sum(0))

    return of


def _days_of_share(urgency: int, share: float) -> Callable[[WorldTotals], Values]:
    """Fewest open days within which a share of the requests of an urgency is seen."""

    def of(world: WorldTotals) -> Values:
        counts = world.access[urgency]
        total = counts.sum(0)
        days = (np.cumsum(counts, axis=0) < share * total).sum(0)
        return np.where(total > 0, days, np.nan)

    return of


def _same_day(urgency: int) -> Callable[[WorldTotals], Values]:
    return lambda world: ratio(world.access[urgency, 0], world.access[urgency].sum(0))


def _delay_hours(seen: Account, delay: Account) -> Callable[[WorldTotals], Values]:
    return lambda world: to_minutes(1) / 60 * ratio(world.count(delay), world.count(seen))


LEVELS: Final[tuple[Level, ...]] = (
    _hours(
        "gp_worked",
        "worked",
        "Patients, calls, follow-ons, meetings, desk and travel; idle time out.",
        *WORKED,
    ),
    _hours("gp_presence", "presence", "Sessions, time after closing and evening desk.", Account.GP_PRESENCE),
    _hours("gp_after_closing", "after closing", "Presence after the last session.", Account.GP_AFTER_CLOSING),
    _hours(
        "gp_evening", "evening desk", "Work without a patient that no gap could take.", Account.GP_EVENING
    ),
    _hours("gp_overtime", "overtime", "Work with patients after the last session.", Account.GP_OVERTIME),
    _hours("gp_travel", "travel", "Travel to home visits, part of the time worked.", Account.GP_TRAVEL),
    _hours("gp_usable", "usable gaps", "Idle pieces long enough to be used.", Account.GP_USABLE),
    _hours("gp_crumbs", "crumbs", "Shorter idle pieces and breaks.", Account.GP_CRUMBS, Account.GP_REST),
    _direct(
        "direct_share_with_travel",
        "direct share, travel in",
        "Visits, acts and travel over time worked.",
        True,
    ),
    _direct(
        "direct_share_without_travel", "direct share, travel out", "Visits and acts over time worked.", False
    ),
    Level(
        "contacts_per_person",
        "contacts with a GP",
        "per patient a year",
        "B",
        _CONTACT,
        2,
        "Contacts held by GPs in the office, at home and by telephone.",
        lambda world: world.per_1000(*_CONTACTS) / 1000,
    ),
    _share("share_office", "office", Account.OFFICE),
    _share("share_home", "home", Account.HOME),
    _share("share_phone", "telephone", Account.PHONE),
    Level(
        "office_patients_per_day",
        "office contacts",
        "per open day and GP",
        "B",
        _CONTACT,
        1,
        "Office contacts held by GPs.",
        lambda world: world.per_week(Account.OFFICE) / 5,
    ),
    Level(
        "home_visits_per_week",
        "home visits",
        _EACH_WEEK,
        "B",
        _CONTACT,
        1,
        "Home visits of GPs, care homes in.",
        lambda world: world.per_week(Account.HOME),
    ),
    Level(
        "wait_days",
        "days to a routine appointment",
        "open days",
        "B",
        _ACCESS,
        2,
        "Mean open days from a patient's own request for a later day to the place.",
        lambda world: ratio(world.count(Account.WAIT_OPEN_DAYS), world.count(Account.WAITED)),
    ),
    Level(
        "wait_minutes",
        "wait in the practice",
        "min per contact",
        "B",
        _ACCESS,
        1,
        "Mean minutes from the moment a patient may be seen to the start, contacts put off left out.",
        lambda world: (
            to_minutes(1) * ratio(world.count(Account.WAIT_TICKS), world.count(Account.WAIT_STARTS))
        ),
    ),
    Level(
        "seen_same_day_urgent",
        "urgent, seen the same day",
        "share",
        "B",
        _ACCESS,
        3,
        "Urgent needs whose contact was held on the day of the first call.",
        _same_day(0),
    ),
    Level(
        "seen_same_day_next",
        "same-day need, seen the same day",
        "share",
        "B",
        _ACCESS,
        3,
        "Needs of the same day, not urgent, whose contact was held on the day of the first call.",
        _same_day(1),
    ),
    Level(
        "days_urgent",
        "days to contact, urgent",
        "open days",
        "B",
        _ACCESS,
        2,
        "Mean open days from the first call to the contact, urgent needs.",
        _mean_days(0),
    ),
    Level(
        "days_same_day",
        "days to contact, same-day need",
        "open days",
        "B",
        _ACCESS,
        2,
        "Mean open days from the first call to the contact, needs of the same day.",
        _mean_days(1),
    ),
    Level(
        "days_routine",
        "days to contact, routine",
        "open days",
        "B",
        _ACCESS,
        2,
        "Mean open days from the patient's own first call to the contact, routine needs.",
        _mean_days(2),
    ),
    Level(
        "days_routine_p90",
        "  nine in ten within",
        "open days",
        "B",
        _ACCESS,
        1,
        "Open days within which nine of ten routine needs are seen.",
        _days_of_share(2, 0.9),
    ),
    Level(
        "wait_telephone",
        "wait on the telephone",
        "min per call",
        "B",
        _ACCESS,
        2,
        "Mean minutes from a call to its answer, calls answered on their day.",
        lambda world: (
            to_minutes(1) * ratio(world.count(Account.CALL_WAIT_TICKS), world.count(Account.CALL_WAITS))
        ),
    ),
    _yearly(
        "calls_unanswered",
        "calls not answered",
        _ACCESS,
        "Calls that nobody answered.",
        Account.CALLS_UNANSWERED,
    ),
    _yearly(
        "carried",
        "put off to a later day",
        _ACCESS,
        "Contacts held on a later day than the one they were released on.",
        Account.CARRIED,
    ),
    _yearly("unmet", "unmet requests", _ACCESS, "Left, displaced, sent elsewhere or not come.", *_UNMET),
    _yearly("unmet_left", "  gave up", _ACCESS, "No place was found and the patient gave up.", Account.LEFT),
    _yearly(
        "unmet_displaced",
        "  displaced",
        _ACCESS,
        "Went to out-of-hours care or another practice.",
        Account.DISPLACED,
    ),
    _yearly(
        "unmet_elsewhere",
        "  sent elsewhere",
        _ACCESS,
        "Sent to another service by the call.",
        Account.ELSEWHERE,
    ),
    _yearly(
        "unmet_not_come",
        "  did not come",
        _ACCESS,
        "Had a place, did not come or book again.",
        Account.NOT_COME,
    ),
    Level(
        "no_show_share",
        "no-shows",
        "share",
        "C",
        _ACCESS,
        3,
        "Places not taken, over these and all contacts in the office or with a delegate.",
        lambda world: ratio(
            world.count(Account.NO_SHOWS),
            world.count(Account.NO_SHOWS, Account.OFFICE, Account.DELEGATE_CONTACTS),
        ),
    ),
    Level(
        "missed_urgent",
        "urgent requests judged less urgent",
        "per 10,000 requests",
        "D",
        _ACCESS,
        1,
        "Urgent needs put off by the judgement at first contact.",
        lambda world: ratio(world.count(Account.MISSED_URGENT), world.count(Account.REQUESTS), 1e4),
    ),
    Level(
        "urgent_delay",
        "urgent, call to contact",
        "hours",
        "D",
        _ACCESS,
        1,
        "Mean hours from the first call to the contact of urgent needs, nights in.",
        _delay_hours(Account.URGENT_SEEN, Account.URGENT_DELAY_TICKS),
    ),
    Level(
        "missed_delay",
        "  of those judged less urgent",
        "hours",
        "D",
        _ACCESS,
        1,
        "Mean hours from the first call to the contact of urgent needs judged less urgent, nights in.",
        _delay_hours(Account.MISSED_SEEN, Account.MISSED_DELAY_TICKS),
    ),
    _weekly(
        "calls_by_staff",
        "calls answered by others",
        "Calls that others than GPs answer.",
        Account.CALLS_BY_STAFF,
    ),
    Level(
        "room_use",
        "rooms in use",
        "share",
        "B",
        _ROOMS,
        3,
        "Time that rooms are held, over rooms times the time from the first session to the end of the last.",
        lambda world: ratio(world.count(Account.ROOM_USE), world.count(Account.ROOM_OPEN)),
    ),
    Level(
        "room_wait",
        "wait for a room",
        "h/week",
        "B",
        _ROOMS,
        2,
        "Time of GPs and staff who could see a patient but for a room, whole practice.",
        lambda world: world.practice_hours(Account.ROOM_WAIT),
    ),
    Level(
        "without_seat",
        "patients without a seat",
        "per week",
        "B",
        _ROOMS,
        1,
        "Patients who find all seats of the waiting room taken when they come, whole practice.",
        lambda world: world.count(Account.NO_SEAT_PEOPLE) / world.weeks,
    ),
    Level(
        "without_seat_minutes",
        "time without a seat",
        "min per week",
        "B",
        _ROOMS,
        1,
        "Minutes of waiting patients beyond the seats, summed, whole practice.",
        lambda world: 60 * world.practice_hours(Account.NO_SEAT),
    ),
    _weekly(
        "delegate_contacts",
        "contacts with a delegate",
        "Contacts a delegate holds.",
        Account.DELEGATE_CONTACTS,
    ),
    _weekly(
        "delegated_parts", "acts within a GP's contact", "Acts a delegate took over.", Account.DELEGATED_PARTS
    ),
    _weekly(
        "overflowed_parts",
        "delegated, taken by the GP",
        "No delegate was free in time.",
        Account.OVERFLOWED_PARTS,
    ),
    _weekly("supervisions", "supervisions", "Episodes a GP signed off.", Account.SUPERVISIONS),
    _weekly("hand_backs", "hand-backs", "Episodes a delegate handed back.", Account.HAND_BACKS),
    _yearly(
        "extra_trips",
        "extra trips",
        _TEAM,
        "Trips that patients make because of delegation.",
        Account.EXTRA_TRIPS,
    ),
    _staff(
        "staff_presence",
        "present",
        "B",
        "Paid sessions of the staff other than GPs, and their work outside them, whole practice.",
        lambda world: world.practice_hours(Account.STAFF_PRESENCE),
    ),
    _staff(
        "staff_worked",
        "worked",
        "B",
        "Their time with patients and in meetings.",
        lambda world: world.practice_hours(*_STAFF_WORK),
    ),
    _staff(
        "staff_idle",
        "present less worked",
        "B",
        "Idle time of the staff in their sessions.",
        lambda world: world.practice_hours(Account.STAFF_PRESENCE) - world.practice_hours(*_STAFF_WORK),
    ),
    _person("zero_contact_men", "men without contact", "share", 3, "Men without a contact with a GP."),
    _person("zero_contact_women", "women without contact", "share", 3, "Women without a contact with a GP."),
    _person(
        "share_below_three_contacts",
        "fewer than three contacts",
        "share",
        3,
        "Persons with none, one or two.",
    ),
    _person("home_visits_under_65", "home visits, under 65", _OF_BAND, 0, "Home visits of GPs by age."),
    _person("home_visits_65_79", "home visits, 65 to 79", _OF_BAND, 0, "Home visits of GPs by age."),
    _person("home_visits_80_plus", "home visits, 80 and over", _OF_BAND, 0, "Home visits of GPs by age."),
    _person(
        "bim_gap_45_74",
        "more contacts with BIM, 45 to 74",
        "per user a year",
        1,
        "Contacts per user with less without increased reimbursement.",
    ),
    _person(
        "bim_contacts_75_plus",
        "contacts with BIM, 75 and over",
        "per user a year",
        1,
        "Contacts per user with increased reimbursement.",
    ),
)
"""Measures of one world, in the order of tables."""
