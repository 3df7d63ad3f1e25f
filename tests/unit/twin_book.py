"""Scalar twin of the book, written from docs/day.md section 8: one lane, one request at a time."""

from __future__ import annotations

from dataclasses import dataclass

Day = list[tuple[int, bool]]
"""Places of one diary on one day: (start, held) in time order."""


@dataclass(frozen=True)
class Rules:
    """The rules of the page; a test may break one."""

    held_kept_for_the_day: bool = True
    held_join_at_opening: bool = True
    not_before: bool = True
    grace: bool = True
    ties_to_lowest: bool = True
    skipped_lost: bool = True
    taken_lost: bool = True


@dataclass(frozen=True)
class Later:
    """A request for a coming day."""

    may: set[int]
    need: list[int]
    usual: int
    continuity_days: int
    not_before: int


@dataclass(frozen=True)
class Today:
    """A request for today."""

    minute: int
    may: set[int]
    need: list[int]
    order: list[int]


RULES = Rules()


def ordinary(day: Day, rules: Rules = RULES) -> list[int]:
    """List the starts of the places that may be booked ahead."""
    return [start for start, held in day if not (held and rules.held_kept_for_the_day)]


def later(
    days: list[list[Day]],
    used: list[list[int]],
    person: list[int],
    requests: list[Later],
    rules: Rules = RULES,
) -> list[tuple[int, int, int, int] | None]:
    """Diary, day, index and start of each booking; ``used[diary][day]`` is changed in place."""
    result: list[tuple[int, int, int, int] | None] = []
    for request in requests:
        options = []
        for diary in sorted(request.may):
            for ahead in range(1, len(days[diary])):
                if rules.not_before and ahead < request.not_before:
                    continue
                if len(ordinary(days[diary][ahead], rules)) - used[diary][ahead] >= request.need[diary]:
                    wanted = person[diary] == request.usual and rules.grace
                    score = ahead - (request.continuity_days if wanted else 0)
                    tie = (person[diary], diary) if rules.ties_to_lowest else (-person[diary], -diary)
                    options.append((score, tie, diary, ahead))
                    break
        if not options:
            result.append(None)
            continue
        _, _, diary, ahead = min(options)
        place = used[diary][ahead]
        used[diary][ahead] = place + request.need[diary]
        result.append((diary, ahead, place, ordinary(days[diary][ahead], rules)[place]))
    return result


def today(
    places: list[Day], used: list[int], requests: list[Today], rules: Rules = RULES
) -> list[tuple[int, int] | None]:
    """Diary and start of each booking for today."""
    free: list[list[int]] = []
    for diary, day in enumerate(places):
        left = []
        before = 0
        for start, held in day:
            if held:
                if rules.held_join_at_opening:
                    left.append(start)
            else:
                if before >= used[diary]:
                    left.append(start)
                before += 1
        free.append(left)
    result: list[tuple[int, int] | None] = []
    for request in requests:
        sign = 1 if rules.ties_to_lowest else -1
        answer = None
        for diary in sorted(request.may, key=lambda d: (request.order[d], sign * d)):
            left, need = free[diary], request.need[diary]
            for i in range(len(left)):
                if left[i] >= request.minute and len(left) - i >= need:
                    answer = (diary, left[i])
                    gone = need if rules.taken_lost else 1
                    free[diary] = ([] if rules.skipped_lost else left[:i]) + left[i + gone :]
                    break
            if answer:
                break
        result.append(answer)
    return result
