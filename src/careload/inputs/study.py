"""A study: all that a run rests on, chosen, overridden, checked and frozen."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from careload.inputs.faults import near
from careload.inputs.quantity import STATUSES, Quantity, Value

__all__ = [
    "Choice",
    "Comparison",
    "FirstContact",
    "Protocol",
    "Refusal",
    "Role",
    "Scenario",
    "Scope",
    "Source",
    "Study",
    "Task",
]

Labels = Mapping[str, str]

NOT_INPUTS = ("run.", "target.")
"""Keys of what is measured or of the method: no inputs of the model."""


@dataclass(frozen=True)
class Source:
    """Where a number comes from; `url` is None where a choice or a law stands alone."""

    key: str
    title: str
    url: str | None
    year: int | str
    note: str


@dataclass(frozen=True)
class Task:
    """A type of work.

    Attributes
    ----------
    name : str
    label : mapping of str to str
        Readable name by language; empty if its file gives none.
    kind : str
        Accounting class: visit, act, desk or org.
    group : str
        One of the task groups, or admin, social.
    channel : str
        office, home, phone or none.
    driver : str
        What makes it arise, in words; changes nothing.
    rate : Quantity
        Per 1,000 patients and year.
    cv : Quantity
        Standard deviation over mean of its duration.
    minutes : mapping of str to Quantity
        Role to mean minutes, from the file of the task or of the role; a role that cannot take it is absent.
    children : mapping of str to Quantity
        Task to probability that this one brings it.
    children_only : bool
        Comes from parents only.
    arrival : str
        rate or due; visits.
    conditions : tuple of str
        Only persons with one of them; visits. May be the single word frail, nursing_home or multimorbid.
    seasonal : bool
    urgent_share, age_rates, set_by_practice_share : Quantity or None
        Visits.
    interval_days, frail_ratio, travel_minutes : Quantity or None
        Visits that have them.
    age_weights, window_weeks : Quantity or None
        Acts.
    delegable_share : Quantity or None
        Share of the work that need not be the GP's; desk and org.
    """

    name: str
    label: Mapping[str, str]
    kind: str
    group: str
    channel: str
    driver: str
    rate: Quantity
    cv: Quantity
    minutes: Mapping[str, Quantity]
    children: Mapping[str, Quantity]
    children_only: bool = False
    arrival: str = "rate"
    conditions: tuple[str, ...] = ()
    seasonal: bool = False
    urgent_share: Quantity | None = None
    age_rates: Quantity | None = None
    set_by_practice_share: Quantity | None = None
    interval_days: Quantity | None = None
    frail_ratio: Quantity | None = None
    travel_minutes: Quantity | None = None
    age_weights: Quantity | None = None
    window_weeks: Quantity | None = None
    delegable_share: Quantity | None = None

    @property
    def words(self) -> str:
        """Readable name in English, that of the file if it gives no other."""
        return self.label.get("en", self.name.replace("_", " "))


@dataclass(frozen=True)
class Scope:
    """What the law says about one task of a role; in force from a date, perhaps with a doctor in the building only."""

    allowed: bool
    status: str
    since: str
    source: str
    text: str
    doctor_on_site: bool = False


@dataclass(frozen=True)
class Role:
    """A kind of worker.

    Attributes
    ----------
    name : str
    label : mapping of str to str
        Language to name.
    order : int
        The least qualified first.
    pace : Quantity
        In 1/1024 of the reference minutes.
    scope : mapping of str to Scope
        Task to what the law says; `all` stands for every task.
    permitted : frozenset of str
        Tasks the role may perform on the date of the study: allowed, verified or derived, and in force.
    """

    name: str
    label: Labels
    order: int
    pace: Quantity
    scope: Mapping[str, Scope]
    permitted: frozenset[str]


@dataclass(frozen=True)
class Protocol:
    """Who takes what from whom, after law, practice and minutes: the least qualified who may do it.

    Attributes
    ----------
    name : str
    label : mapping of str to str
    delegate_roles : tuple of str
        Roles that may take tasks, by role order, in the practice or not.
    responsible_role : str
        From whom they take them.
    acts, visits, desk : mapping of str to str
        Task to the role that takes it, in order of the tasks' names.
    requires_stable : tuple of str
        Visits among them that only stable patients make to a delegate.
    """

    name: str
    label: Labels
    delegate_roles: tuple[str, ...]
    responsible_role: str
    acts: Mapping[str, str]
    visits: Mapping[str, str]
    desk: Mapping[str, str]
    requires_stable: tuple[str, ...]

    @property
    def takers(self) -> frozenset[str]:
        """Roles of the practice that take anything."""
        return frozenset((*self.acts.values(), *self.visits.values(), *self.desk.values()))


@dataclass(frozen=True)
class FirstContact:
    """Who answers the telephone while in session; otherwise the GP does.

    Its quantities are `first_contact.NAME.*`; those of the GP are `first_contact.gp.*`.
    """

    name: str
    label: Labels
    answered_by: str


@dataclass(frozen=True)
class Refusal:
    """A task that the protocol gives to a role which the law does not allow it, and what the law says."""

    role: str
    task: str
    text: str


@dataclass(frozen=True)
class Choice:
    """A file that was chosen by `group=name`."""

    group: str
    name: str
    label: Labels


@dataclass(frozen=True)
class Study:
    """Everything a run of one world rests on.

    Attributes
    ----------
    seed : int
    tasks : mapping of str to Task
        In the order of their names.
    roles : mapping of str to Role
        All known roles by role order.
    staff : tuple of str
        Roles in the practice, by role order.
    protocol : Protocol
    first_contact : FirstContact
    refused : tuple of Refusal
    labels : mapping of str to Choice
        Group to the file chosen.
    sources : mapping of str to Source
    table_path : Path
        Population table.
    overrides : tuple of str
        What the user wrote, choices and values.
    """

    seed: int
    tasks: Mapping[str, Task]
    roles: Mapping[str, Role]
    staff: tuple[str, ...]
    protocol: Protocol
    first_contact: FirstContact
    refused: tuple[Refusal, ...]
    labels: Mapping[str, Choice]
    sources: Mapping[str, Source]
    table_path: Path
    overrides: tuple[str, ...]
    _quantities: Mapping[str, Quantity] = field(repr=False)

    @property
    def practice(self) -> Choice:
        """The practice chosen."""
        return self.labels["practice"]

    @property
    def choices(self) -> dict[str, str]:
        """Group to the name chosen."""
        return {group: choice.name for group, choice in self.labels.items()}

    def quantity(self, key: str) -> Quantity:
        """Return the quantity of a dotted key."""
        try:
            return self._quantities[key]
        except KeyError:
            raise KeyError(f"{key} is no quantity; near: {near(key, self._quantities, 'none')}") from None

    def value(self, key: str) -> Any:
        """Return the value of a dotted key; a list is a tuple."""
        return self.quantity(key).value

    def has(self, key: str) -> bool:
        """Whether there is a quantity of this key."""
        return key in self._quantities

    def task_minutes(self, task: str, role: str) -> float | None:
        """Mean minutes of a task by a role, from the file of the task or of the role; None if it cannot take it."""
        for key in (f"task.{task}.minutes.{role}", f"role.{role}.minutes.{task}"):
            if key in self._quantities:
                return float(self.value(key))
        return None

    def quantities(self) -> Iterator[tuple[str, Quantity]]:
        """Return keys and quantities by key."""
        return iter(self._quantities.items())

    def inputs(self) -> Iterator[tuple[str, Quantity]]:
        """Return keys and quantities of the inputs, without the method and what is measured."""
        return ((key, quantity) for key, quantity in self.quantities() if not key.startswith(NOT_INPUTS))

    def with_value(self, key: str, value: Any) -> Study:
        """Return the same study with another value of one quantity, inside or outside its range."""
        changed = replace(self.quantity(key), value=value)
        return replace(self, _quantities={**self._quantities, key: changed})

    def share_assumed(self) -> dict[str, int]:
        """Return the number of inputs of every status."""
        counts = Counter(quantity.status for _, quantity in self.inputs())
        return {status: counts[status] for status in STATUSES}

    @cached_property
    def digest(self) -> str:
        """SHA-256 of everything that can change a result, the population table and the seed included."""
        parts = {
            "seed": self.seed,
            "staff": self.staff,
            "quantities": {key: _facts(quantity) for key, quantity in self._quantities.items()},
            "tasks": {name: _plain_fields(task) for name, task in self.tasks.items()},
            "roles": {name: _role_facts(role) for name, role in self.roles.items()},
            "protocol": _protocol_facts(self.protocol),
            "first_contact": [self.first_contact.name, self.first_contact.answered_by],
            "table": hashlib.sha256(self.table_path.read_bytes()).hexdigest(),
        }
        text = json.dumps(parts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Scenario:
    """A question that is answered by comparing worlds; `inputs` are varied one at a time."""

    name: str
    label: Labels
    question: Labels
    inputs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """Studies of the worlds of a scenario; the first is the baseline."""

    scenario: Scenario
    worlds: tuple[tuple[str, Study], ...]


def _facts(quantity: Quantity) -> list[Any]:
    """Value, unit, range and status; notes change no result."""
    if quantity.unit == "file":
        return [quantity.unit]
    ends: Iterable[Value] = (quantity.low, quantity.high)
    return [
        _canonical(quantity.value),
        quantity.unit,
        *map(_canonical, ends),
        list(quantity.choices),
        quantity.status,
    ]


def _canonical(value: Any) -> Any:
    """Whole floats as integers, so that 20 and 20.0 are one number."""
    if isinstance(value, tuple):
        return [_canonical(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _role_facts(role: Role) -> list[Any]:
    """Order, what the role may do, and what of it only with a doctor in the building."""
    supervised = sorted(task for task, scope in role.scope.items() if scope.doctor_on_site)
    return [role.order, sorted(role.permitted), supervised]


def _plain_fields(task: Task) -> list[Any]:
    """Fields of a task that are no quantities."""
    return [
        task.kind,
        task.group,
        task.channel,
        task.children_only,
        task.arrival,
        list(task.conditions),
        task.seasonal,
        sorted(task.children),
        sorted(task.minutes),
    ]


def _protocol_facts(protocol: Protocol) -> list[Any]:
    """Fields of a protocol that change results."""
    shared = (protocol.acts, protocol.visits, protocol.desk)
    return [
        protocol.responsible_role,
        *(sorted(tasks.items()) for tasks in shared),
        sorted(protocol.requires_stable),
    ]
