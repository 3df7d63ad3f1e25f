"""What is measured in every world: names, units, causal grades, and how each follows from the accounts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias, cast

import numpy as np

from careload.day.accounts import Account
from careload.inputs.study import Study
from careload.patients.calendar import WEEK_DAYS
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
    """

    name: str
    label: str
    unit: str
    grade: Grade
    section: str
    decimals: int
    description: str
    of: Callable[[WorldTotals], Values]


def level_grade(level: Level, studies: Sequence[Study]) -> Grade:
    """Worst grade of a measure over some worlds; where work is delegated none is better than D."""
    return worst_grade([level.grade, "D" if any(map(delegates, studies)) else level.grade])


Of: TypeAlias = Callable[[WorldTotals], Values]

_STAFF: Final = "Other staff"
_PERSON: Final = "Persons"
_CONTACTS: Final = (Account.OFFICE, Account.HOME, Account.PHONE)
_STAFF_WORK: Final = (Account.STAFF_SERVICE, Account.STAFF_MEETING, Account.STAFF_DESK)
_URGENT, _SAME_DAY, _ROUTINE = range(3)

# A heading, then name | label | unit | causal grade | decimals, and what it is; `>` marks a part of the row above.
_TEXT: Final = """
# GP time
gp_worked | worked | h/week per GP | B | 2
    Patients, calls, follow-ons, meetings, desk and travel; idle time out.
gp_presence | presence | h/week per GP | B | 2
    Sessions, time after closing and evening desk.
gp_after_closing | after closing | h/week per GP | B | 2
    Presence after the last session.
gp_evening | evening desk | h/week per GP | B | 2
    Work without a patient that no gap could take.
gp_overtime | overtime | h/week per GP | B | 2
    Work with patients after the last session.
gp_travel | travel | h/week per GP | B | 2
    Travel to home visits, part of the time worked.
gp_usable | usable gaps | h/week per GP | B | 2
    Idle pieces long enough to be used.
gp_crumbs | crumbs | h/week per GP | B | 2
    Shorter idle pieces and breaks.
direct_share_with_travel | direct share, travel in | share | B | 3
    Visits, acts and travel over time worked.
direct_share_without_travel | direct share, travel out | share | B | 3
    Visits and acts over time worked.
# Contacts
contacts_per_person | contacts with a GP | per patient a year | B | 2
    Contacts held by GPs in the office, at home and by telephone.
share_office | office | share | B | 3
    Office among all contacts of GPs.
share_home | home | share | B | 3
    Home among all contacts of GPs.
share_phone | telephone | share | B | 3
    Telephone among all contacts of GPs.
office_patients_per_day | office contacts | per open day and GP | B | 1
    Office contacts held by GPs.
home_visits_per_week | home visits | per week and GP | B | 1
    Home visits of GPs, care homes in.
# Access and safety
wait_days | days to a routine appointment | open days | B | 2
    Mean open days from a patient's own request for a later day to the place.
wait_minutes | wait in the practice | min per contact | B | 1
    Mean minutes from the moment a patient may be seen to the start, contacts put off left out.
seen_same_day_urgent | urgent, seen the same day | share | B | 3
    Urgent needs whose contact was held on the day of the first call.
seen_same_day_next | same-day need, seen the same day | share | B | 3
    Needs of the same day, not urgent, whose contact was held on the day of the first call.
days_urgent | days to contact, urgent | open days | B | 2
    Mean open days from the first call to the contact, urgent needs.
days_same_day | days to contact, same-day need | open days | B | 2
    Mean open days from the first call to the contact, needs of the same day.
days_routine | days to contact, routine | open days | B | 2
    Mean open days from the patient's own first call to the contact, routine needs.
days_routine_p90 | > nine in ten within | open days | B | 1
    Open days within which nine of ten routine needs are seen.
wait_telephone | wait on the telephone | min per call | B | 2
    Mean minutes from a call to its answer, calls answered on their day.
calls_unanswered | calls not answered | per 1,000 patients a year | B | 1
    Calls that nobody answered.
carried | put off to a later day | per 1,000 patients a year | B | 1
    Contacts held on a later day than the one they were released on.
unmet | unmet requests | per 1,000 patients a year | B | 1
    Left, displaced, sent elsewhere or not come.
unmet_left | > gave up | per 1,000 patients a year | B | 1
    No place was found and the patient gave up.
unmet_displaced | > displaced | per 1,000 patients a year | B | 1
    Went to out-of-hours care or another practice.
unmet_elsewhere | > sent elsewhere | per 1,000 patients a year | B | 1
    Sent to another service by the call.
unmet_not_come | > did not come | per 1,000 patients a year | B | 1
    Had a place, did not come or book again.
no_show_share | no-shows | share | C | 3
    Places not taken, over these and all contacts in the office or with a delegate.
missed_urgent | urgent requests judged less urgent | per 10,000 requests | D | 1
    Urgent needs put off by the judgement at first contact.
urgent_delay | urgent, call to contact | hours | D | 1
    Mean hours from the first call to the contact of urgent needs, nights in.
missed_delay | > of those judged less urgent | hours | D | 1
    Mean hours from the first call to the contact of urgent needs judged less urgent, nights in.
# Rooms and seats
room_use | rooms in use | share | B | 3
    Time that rooms are held, over rooms times the time from the first session to the end of the last.
room_wait | wait for a room | h/week | B | 2
    Time of GPs and staff who could see a patient but for a room, whole practice.
without_seat | patients without a seat | per week | B | 1
    Patients who find all seats of the waiting room taken when they come, whole practice.
without_seat_minutes | time without a seat | min per week | B | 1
    Minutes of waiting patients beyond the seats, summed, whole practice.
# Delegation
calls_by_staff | calls answered by others | per week and GP | B | 1
    Calls that others than GPs answer.
delegate_contacts | contacts with a delegate | per week and GP | B | 1
    Contacts a delegate holds.
delegated_parts | acts within a GP's contact | per week and GP | B | 1
    Acts a delegate took over.
overflowed_parts | delegated, taken by the GP | per week and GP | B | 1
    No delegate was free in time.
supervisions | supervisions | per week and GP | B | 1
    Episodes a GP signed off.
hand_backs | hand-backs | per week and GP | B | 1
    Episodes a delegate handed back.
extra_trips | extra trips | per 1,000 patients a year | B | 1
    Trips that patients make because of delegation.
# Other staff
staff_presence | present | h/week | B | 2
    Paid sessions of the staff other than GPs, and their work outside them, whole practice.
staff_worked | worked | h/week | B | 2
    Their time with patients, on the telephone, at the desk and in meetings.
staff_idle | present less worked | h/week | B | 2
    Idle time of the staff in their sessions.
# Persons
zero_contact_men | men without contact | share | B | 3
    Men without a contact with a GP.
zero_contact_women | women without contact | share | B | 3
    Women without a contact with a GP.
share_below_three_contacts | fewer than three contacts | share | B | 3
    Persons with none, one or two.
home_visits_under_65 | home visits, under 65 | per 1,000 of the age a year | B | 0
    Home visits of GPs by age.
home_visits_65_79 | home visits, 65 to 79 | per 1,000 of the age a year | B | 0
    Home visits of GPs by age.
home_visits_80_plus | home visits, 80 and over | per 1,000 of the age a year | B | 0
    Home visits of GPs by age.
bim_gap_45_74 | more contacts with BIM, 45 to 74 | per user a year | B | 1
    Contacts per user with less without increased reimbursement.
bim_contacts_75_plus | contacts with BIM, 75 and over | per user a year | B | 1
    Contacts per user with increased reimbursement.
"""


def _hours(*accounts: Account) -> Of:
    return lambda world: world.hours(*accounts)


def _of_practice(*accounts: Account) -> Of:
    return lambda world: world.practice_hours(*accounts)


def _weekly(*accounts: Account) -> Of:
    return lambda world: world.per_week(*accounts)


def _yearly(*accounts: Account) -> Of:
    return lambda world: world.per_1000(*accounts)


def _ratio(above: Account, *below: Account) -> Of:
    return lambda world: ratio(world.count(above), world.count(*below))


def _minutes_each(ticks: Account, number: Account) -> Of:
    return lambda world: to_minutes(1) * ratio(world.count(ticks), world.count(number))


def _hours_each(ticks: Account, number: Account) -> Of:
    return lambda world: to_minutes(1) / 60 * ratio(world.count(ticks), world.count(number))


def _direct(travel: Account | None) -> Of:
    """Visits and acts over time worked, travel in unless its account is given."""

    def share(world: WorldTotals) -> Values:
        without = 0 if travel is None else world.count(travel)
        return ratio(world.direct - without, world.count(*WORKED))

    return share


def _mean_days(urgency: int) -> Of:
    """Mean open days from call to contact of the requests of an urgency."""

    def days(world: WorldTotals) -> Values:
        counts = world.access[urgency]
        return ratio(np.arange(len(counts)) @ counts, counts.sum(0))

    return days


def _days_of_share(urgency: int, share: float) -> Of:
    """Fewest open days within which a share of the requests of an urgency is seen."""

    def days(world: WorldTotals) -> Values:
        counts = world.access[urgency]
        total = counts.sum(0)
        return np.where(total > 0, (np.cumsum(counts, axis=0) < share * total).sum(0), np.nan)

    return days


def _same_day(urgency: int) -> Of:
    return lambda world: ratio(world.access[urgency, 0], world.access[urgency].sum(0))


def _person(name: str) -> Of:
    row = PERSON_COUNTS.index(name)

    def count(world: WorldTotals) -> Values:
        return np.full(world.list_size.shape, np.nan) if world.persons is None else world.persons[row]

    return count


_FORMULAS: Final[Mapping[str, Of]] = {
    "gp_worked": _hours(*WORKED),
    "gp_presence": _hours(Account.GP_PRESENCE),
    "gp_after_closing": _hours(Account.GP_AFTER_CLOSING),
    "gp_evening": _hours(Account.GP_EVENING),
    "gp_overtime": _hours(Account.GP_OVERTIME),
    "gp_travel": _hours(Account.GP_TRAVEL),
    "gp_usable": _hours(Account.GP_USABLE),
    "gp_crumbs": _hours(Account.GP_CRUMBS, Account.GP_REST),
    "direct_share_with_travel": _direct(None),
    "direct_share_without_travel": _direct(Account.GP_TRAVEL),
    "contacts_per_person": lambda world: world.per_1000(*_CONTACTS) / 1000,
    "share_office": _ratio(Account.OFFICE, *_CONTACTS),
    "share_home": _ratio(Account.HOME, *_CONTACTS),
    "share_phone": _ratio(Account.PHONE, *_CONTACTS),
    "office_patients_per_day": lambda world: world.per_week(Account.OFFICE) / WEEK_DAYS,
    "home_visits_per_week": _weekly(Account.HOME),
    "wait_days": _ratio(Account.WAIT_OPEN_DAYS, Account.WAITED),
    "wait_minutes": _minutes_each(Account.WAIT_TICKS, Account.WAIT_STARTS),
    "seen_same_day_urgent": _same_day(_URGENT),
    "seen_same_day_next": _same_day(_SAME_DAY),
    "days_urgent": _mean_days(_URGENT),
    "days_same_day": _mean_days(_SAME_DAY),
    "days_routine": _mean_days(_ROUTINE),
    "days_routine_p90": _days_of_share(_ROUTINE, 0.9),
    "wait_telephone": _minutes_each(Account.CALL_WAIT_TICKS, Account.CALL_WAITS),
    "calls_unanswered": _yearly(Account.CALLS_UNANSWERED),
    "carried": _yearly(Account.CARRIED),
    "unmet": _yearly(Account.LEFT, Account.DISPLACED, Account.ELSEWHERE, Account.NOT_COME),
    "unmet_left": _yearly(Account.LEFT),
    "unmet_displaced": _yearly(Account.DISPLACED),
    "unmet_elsewhere": _yearly(Account.ELSEWHERE),
    "unmet_not_come": _yearly(Account.NOT_COME),
    "no_show_share": _ratio(Account.NO_SHOWS, Account.NO_SHOWS, Account.OFFICE, Account.DELEGATE_CONTACTS),
    "missed_urgent": lambda world: ratio(
        world.count(Account.MISSED_URGENT), world.count(Account.REQUESTS), 10_000
    ),
    "urgent_delay": _hours_each(Account.URGENT_DELAY_TICKS, Account.URGENT_SEEN),
    "missed_delay": _hours_each(Account.MISSED_DELAY_TICKS, Account.MISSED_SEEN),
    "room_use": _ratio(Account.ROOM_USE, Account.ROOM_OPEN),
    "room_wait": _of_practice(Account.ROOM_WAIT),
    "without_seat": lambda world: world.count(Account.NO_SEAT_PEOPLE) / world.weeks,
    "without_seat_minutes": lambda world: 60 * world.practice_hours(Account.NO_SEAT),
    "calls_by_staff": _weekly(Account.CALLS_BY_STAFF),
    "delegate_contacts": _weekly(Account.DELEGATE_CONTACTS),
    "delegated_parts": _weekly(Account.DELEGATED_PARTS),
    "overflowed_parts": _weekly(Account.OVERFLOWED_PARTS),
    "supervisions": _weekly(Account.SUPERVISIONS),
    "hand_backs": _weekly(Account.HAND_BACKS),
    "extra_trips": _yearly(Account.EXTRA_TRIPS),
    "staff_presence": _of_practice(Account.STAFF_PRESENCE),
    "staff_worked": _of_practice(*_STAFF_WORK),
    "staff_idle": lambda world: (
        world.practice_hours(Account.STAFF_PRESENCE) - world.practice_hours(*_STAFF_WORK)
    ),
} | {name: _person(name) for name in PERSON_COUNTS}


def _read() -> tuple[Level, ...]:
    """Rows of the text with their formulas; a row without formula, or a formula without row, is an error."""
    levels: list[Level] = []
    section = ""
    lines = iter(_TEXT.strip().splitlines())
    for line in lines:
        if line.startswith("# "):
            section = line.removeprefix("# ")
            continue
        name, label, unit, grade, decimals = (cell.strip() for cell in line.split("|"))
        shown = label.replace("> ", "  ")
        facts = (cast(Grade, grade), section, int(decimals), next(lines).strip())
        levels.append(Level(name, shown, unit, *facts, _FORMULAS[name]))
    assert {level.name for level in levels} == set(_FORMULAS)
    return tuple(levels)


LEVELS: Final = _read()
"""Measures of one world, in the order of tables."""


def levels_of(totals: WorldTotals) -> tuple[Level, ...]:
    """Measures that the totals of a world allow, in the order of tables; those of its roles stand with the staff."""
    allowed = [level for level in LEVELS if level.section != _PERSON or totals.persons is not None]
    of_roles = [level for number, role in enumerate(totals.roles) for level in _levels_of_role(number, role)]
    last = max(place for place, level in enumerate(allowed) if level.section == _STAFF) + 1
    return (*allowed[:last], *of_roles, *allowed[last:])


def _levels_of_role(number: int, role: str) -> tuple[Level, ...]:
    """Presence, work and utilisation of one role, whole practice."""
    label = role.replace("_", " ")
    paid, work = f"Paid time of the role {label}.", f"Work of the role {label}."

    def hours(name: str) -> Of:
        return lambda world: getattr(world, name)[number] / (HOUR * world.weeks)

    def used(world: WorldTotals) -> Values:
        return ratio(world.worked[number], world.present[number])

    return (
        Level(f"{role}_present", f"{label}, present", "h/week", "B", _STAFF, 2, paid, hours("present")),
        Level(f"{role}_worked", f"{label}, worked", "h/week", "B", _STAFF, 2, work, hours("worked")),
        Level(f"{role}_utilisation", f"{label}, utilisation", "share", "B", _STAFF, 2, work, used),
    )
