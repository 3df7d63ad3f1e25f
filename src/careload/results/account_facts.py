"""Unit, causal grade and meaning of every account, for the columns of results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, cast

from careload.day.accounts import Account
from careload.results.measures import Grade

__all__ = ["ACCOUNT_FACTS", "AccountFact"]

_TEXT: Final = """
REQUESTS            | count    | B | Requests of patients, and visits set by the practice.
SERVED              | count    | B | Requests whose contact was held.
CLOSED              | count    | B | Requests closed at first contact whose need ended.
ELSEWHERE           | count    | B | Requests sent to another service at first contact.
NOT_COME            | count    | C | Places not taken by patients who did not book again.
LEFT                | count    | B | Requests given up because no place was found.
DISPLACED           | count    | B | Requests displaced to out-of-hours care or another practice.
CALLS               | count    | B | Calls answered.
CALLS_UNANSWERED    | count    | B | Calls that nobody could answer.
NO_SHOWS            | count    | C | Places not taken.
MISSED_URGENT       | count    | D | Urgent requests judged less urgent.
OFFICE              | count    | B | Contacts of GPs in the office.
HOME                | count    | B | Contacts of GPs at home and in nursing homes.
PHONE               | count    | B | Contacts of GPs by telephone.
DELEGATE_CONTACTS   | count    | B | Contacts held by a delegate.
DELEGATED_PARTS     | count    | B | Parts of a GP's contact done by a delegate.
OVERFLOWED_PARTS    | count    | B | Delegated parts done by a GP because no delegate was free in time.
EXTRA_TRIPS         | count    | B | Contacts that exist because of delegation.
LAPSED_FOLLOW_ONS   | count    | B | Follow-ons carried too long and let go.
WAIT_OPEN_DAYS      | open_day | B | Open days from a patient's own request for a later day to the place, summed.
WAITED              | count    | B | Own requests for a later day that found a place.
WAIT_TICKS          | minute   | B | Time in the practice before a contact starts, summed.
WAIT_STARTS         | count    | B | Contacts that this time is summed over.
GP_SERVICE          | minute   | B | GP time on contacts, calls, acts and follow-ons.
GP_MEETING          | minute   | A | GP time in meetings.
GP_DESK             | minute   | B | GP time on work without a patient.
GP_PRESENCE         | minute   | B | Presence of GPs: sessions, time after closing, evening desk.
GP_AFTER_CLOSING    | minute   | B | Part of presence after the last session, before the evening desk.
GP_EVENING          | minute   | B | Part of presence at the desk in the evening.
GP_REST             | minute   | B | Breaks of GPs.
GP_USABLE           | minute   | B | Idle pieces of GPs long enough to be used.
GP_CRUMBS           | minute   | B | Shorter idle pieces of GPs.
GP_OVERTIME         | minute   | B | GP time with patients after the last session.
GP_TRAVEL           | minute   | B | GP travel to home visits, part of service.
SUPERVISION         | minute   | D | GP time to sign off delegated episodes.
HAND_BACK           | minute   | D | GP time on episodes handed back.
HAND_OVER           | minute   | D | GP time to hand over.
DEFAULT_ALL         | minute   | B | Reference time of the GP for all work done by anyone whose default is the GP.
DEFAULT_SHIFTED     | minute   | B | Part of it done by others.
EXCESS              | minute   | B | GP time above the reference on the GP's own work.
STAFF_SERVICE       | minute   | B | Time of other staff with patients and on the telephone.
STAFF_MEETING       | minute   | A | Time of other staff in meetings.
STAFF_PRESENCE      | minute   | B | Paid sessions of other staff, and their work outside them.
SUPERVISIONS        | count    | B | Delegated episodes signed off.
HAND_BACKS          | count    | B | Delegated episodes handed back.
EPISODES            | count    | B | Delegated episodes done by a delegate.
INDUCED             | minute   | D | GP time on contacts that delegation itself brings.
CARRIED             | count    | B | Contacts held on a later day than the one they were released on.
ROOM_OPEN           | minute   | A | Rooms times the time from the first session to the end of the last.
ROOM_USE            | minute   | B | Time that rooms are held.
ROOM_WAIT           | minute   | B | Time of GPs and staff who could see a patient but for a room.
NO_SEAT             | minute   | B | Time of waiting patients beyond the seats of the waiting room.
NO_SEAT_PEOPLE      | count    | B | Patients who found no seat when they came.
CALLS_BY_STAFF      | count    | B | Calls answered by others than GPs.
CALL_WAIT_TICKS     | minute   | B | Time from a call to its answer on the same day, summed.
CALL_WAITS          | count    | B | Calls that this time is summed over.
STAFF_DESK          | minute   | B | Desk work done by other staff.
URGENT_SEEN         | count    | B | Urgent needs that called and were seen.
URGENT_DELAY_TICKS  | minute   | D | Time from their first call to the contact, nights in, summed.
MISSED_SEEN         | count    | D | Part of them that was judged less urgent.
MISSED_DELAY_TICKS  | minute   | D | Their time from the first call to the contact, nights in, summed.
"""


@dataclass(frozen=True)
class AccountFact:
    """Column name, unit, causal grade where nothing is delegated, and meaning of an account."""

    column: str
    unit: str
    grade: Grade
    description: str

    @property
    def is_time(self) -> bool:
        """Whether the account is kept in ticks."""
        return self.unit == "minute"


def _read(line: str) -> tuple[Account, AccountFact]:
    name, unit, grade, description = (part.strip() for part in line.split("|"))
    column = name.lower().removesuffix("_ticks") + ("_minutes" if unit == "minute" else "")
    return Account[name], AccountFact(column, unit, cast(Grade, grade), description)


ACCOUNT_FACTS: Final = dict(_read(line) for line in _TEXT.strip().splitlines())
"""Account to its facts, in the order of the accounts."""
