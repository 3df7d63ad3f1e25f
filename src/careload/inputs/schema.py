"""What a configuration must hold: every key with its form, unit and bounds, as one table.

A row reads `key | form | unit | low | high`. A star stands for any name, a question mark behind a name for a
part that may be absent. Forms: `number`, `integer`, `numbers:n` (n of them; without n any number of them),
`integers`, `switch`, `choice`, `clock`, `date`, `span` (one clock span or a list), `sessions`, `file`,
`code`. Rows with unit `-` are plain values: `text`, `flag`, `labels` (in three languages), `names` (a list),
`some` (a list, or the word any), `order`, `conditions`, `scope`, `values`, `worlds` and `one:a,b` (one of these).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Final

__all__ = [
    "KINDS",
    "Leaf",
    "Node",
    "any_task_schema",
    "choice_schema",
    "role_schema",
    "section_schema",
    "task_schema",
    "team_schema",
]

KINDS: Final = ("visit", "act", "desk", "org")
"""Accounting classes of tasks."""

SECTIONS: Final = """
calendar.as_of                                | date      | date           |      |
calendar.leave_weeks                          | integers  | iso_week       | 1    | 52
calendar.warm_up_days                         | integer   | open_day       | 0    | 225
calendar.tail_days                            | integer   | open_day       | 0    | 225
demand.weekday_weight                         | numbers:5 | ratio          | 0    | 5
demand.season_amplitude                       | number    | share          | 0    | 1
demand.season_peak_week                       | integer   | iso_week       | 1    | 52
demand.call_minute_profile                    | numbers   | share          | 0    | 1
demand.sex_ratio.women_18_64                  | number    | ratio          | 0.05 | 5
demand.sex_ratio.men_18_64                    | number    | ratio          | 0.05 | 5
demand.sex_ratio.women_other                  | number    | ratio          | 0.05 | 5
demand.sex_ratio.men_other                    | number    | ratio          | 0.05 | 5
gp.home_round_start                           | clock     | clock          |      |
gp.last_start_cap                             | clock     | clock          |      |
call.recovery_minutes                         | number    | minute         | 0    | 60
call.recontact_share                          | number    | share          | 0    | 1
call.recontact_days                           | integer   | open_day       | 1    | 225
practice.list_size                            | integer   | person         | 1    | 100000
practice.opening                              | span:1    | clock_span     |      |
practice.shared_record                        | switch    | switch         |      |
practice.slot_policy                          | choice    | choice         |      |
practice.extra_rooms                          | integer   | room           | 0    | 20
practice.waiting_room_seats                   | integer   | seat           | 0    | 200
practice.slot_policy_minutes                  | number    | minute         | 0    | 600
practice.team.gp.heads                        | integer   | person         | 1    | 20
practice.team.gp.sessions                     | sessions  | session        |      |
practice.team.gp.leaves_at                    | clock     | clock          |      |
practice.team.gp.rests                        | span      | clock_span     |      |
practice.team.gp.days_off                     | integers  | weekday        | 0    | 5
practice.team.gp.slot_minutes                 | number    | minute         | 1    | 240
practice.team.*.heads                         | integer   | person         | 1    | 20
practice.team.*.fte                           | number    | fte_hours      | 0    | 1
practice.team.*.pattern                       | choice    | choice         |      |
practice.team.*.leaves_after_minutes          | number    | minute         | 0    | 600
practice.team.*.programme_share?              | number    | share          | 0    | 1
practice.team.*.slot_minutes?                 | number    | minute         | 1    | 240
contract.week_hours                           | number    | hour_per_week  | 1    | 80
contract.day_start                            | clock     | clock          |      |
contract.lunch                                | span:1    | clock_span     |      |
meeting.huddle                                | number    | minute         | 0    | 240
meeting.huddle_start                          | clock     | clock          |      |
meeting.monthly                               | number    | minute         | 0    | 480
meeting.monthly_start                         | clock     | clock          |      |
meeting.monthly_weekday                       | integer   | weekday        | 1    | 5
meeting.monthly_every_weeks                   | integer   | week           | 1    | 52
book.held_share                               | number    | share          | 0    | 1
book.horizon_days                             | integer   | calendar_day   | 1    | 365
book.follow_up_tolerance                      | number    | share          | 0    | 1
book.follow_up_tolerance_least_days           | integer   | calendar_day   | 0    | 365
book.days_for_continuity                      | number    | calendar_day   | 0    | 365
book.continuity_factor_older_or_chronic       | number    | ratio          | 0    | 20
book.fit_in                                   | integer   | person_per_day | 0    | 200
book.no_place.retry                           | number    | share          | 0    | 1
book.no_place.leave                           | number    | share          | 0    | 1
book.retry_max                                | integer   | count          | 0    | 100
book.carry_days                               | integer   | open_day       | 0    | 3
book.no_show_lead_days                        | integers  | calendar_day   | 0    | 365
book.no_show_by_lead                          | numbers   | share          | 0    | 1
book.no_show_rebooks                          | number    | share          | 0    | 1
book.no_show_rebook_days                      | integer   | open_day       | 1    | 225
book.punctuality.earliest                     | number    | minute         | -240 | 240
book.punctuality.latest                       | number    | minute         | -240 | 240
book.travel_after_call                        | number    | minute         | 0    | 600
urgency.rank1                                 | number    | share          | 0    | 1
first_contact.*.closed_share                  | number    | share          | 0    | 1
first_contact.*.elsewhere_share               | number    | share          | 0    | 1
first_contact.*.under_share                   | number    | share          | 0    | 1
first_contact.*.over_share                    | number    | share          | 0    | 1
first_contact.*.training_gain                 | number    | share          | 0    | 1
first_contact.*.minutes?                      | number    | minute         | 0    | 240
care.share_unbooked                           | number    | share          | 0    | 1
reference.no_show_mean                        | number    | share          | 0    | 0.5
reference.no_show_rebooks                     | number    | share          | 0    | 1
reference.closed_share                        | number    | share          | 0    | 0.9
reference.recontact                           | number    | share          | 0    | 1
delegation.supervision_minutes.act            | number    | minute         | 0    | 120
delegation.supervision_minutes.contact        | number    | minute         | 0    | 120
delegation.hand_back.act                      | number    | share          | 0    | 1
delegation.hand_back.contact                  | number    | share          | 0    | 1
delegation.hand_back_minutes                  | number    | minute         | 0    | 120
delegation.hand_over_minutes.shared_record    | number    | minute         | 0    | 120
delegation.hand_over_minutes.separate_records | number    | minute         | 0    | 120
delegation.extra_follow_up                    | number    | share          | 0    | 1
delegation.extra_follow_up_days               | integer   | open_day       | 1    | 225
delegation.stable_share                       | number    | share          | 0    | 1
delegation.review_every_n                     | integer   | count          | 1    | 1000
delegation.nurse_absent                       | number    | share          | 0    | 1
delegation.overflow_minutes                   | number    | minute         | 0    | 1000
delegation.red_flag_share                     | number    | share          | 0    | 1
trust.active                                  | switch    | switch         |      |
trust.start                                   | number    | share          | 0    | 1
trust.gain_per_good_episode                   | number    | per_episode    | 0    | 1
trust.loss_per_hand_back                      | number    | per_episode    | 0    | 1
trust.floor                                   | number    | share          | 0    | 1
trust.ceiling                                 | number    | share          | 0    | 1
care_seeking.active                           | switch    | switch         |      |
care_seeking.elasticity                       | number    | elasticity     | -5   | 5
care_seeking.reference_days                   | number    | open_day       | 0.01 | 225
care_seeking.memory_weeks                     | integer   | week           | 1    | 52
care_seeking.factor_floor                     | number    | ratio          | 0.01 | 1
care_seeking.factor_ceiling                   | number    | ratio          | 1    | 10
patient.heterogeneity                         | number    | shape          | 0.0625 | 1000
patient.heterogeneity_top                     | number    | ratio          | 1    | 100
patient.bim_share                             | numbers:7 | share          | 0    | 1
patient.bim_rate_ratio                        | numbers:7 | ratio          | 0.05 | 20
patient.frail_share                           | numbers:7 | share          | 0    | 1
patient.nursing_home_share                    | numbers:7 | share          | 0    | 1
patient.accepts_nurse                         | number    | share          | 0    | 1
patient.accepts_nurse_75_drop                 | number    | share          | 0    | 1
patient.accepts_second_trip                   | number    | share          | 0    | 1
condition.prevalence.hypertension             | numbers:7 | share          | 0    | 1
condition.prevalence.diabetes                 | numbers:7 | share          | 0    | 1
condition.prevalence.copd                     | numbers:7 | share          | 0    | 1
condition.prevalence.asthma                   | numbers:7 | share          | 0    | 1
condition.prevalence.cvd                      | numbers:7 | share          | 0    | 1
condition.prevalence.ckd                      | numbers:7 | share          | 0    | 1
condition.prevalence.depression               | numbers:7 | share          | 0    | 1
condition.correlation.any_pair                | number    | correlation    | 0    | 0.95
condition.correlation.cardiometabolic         | number    | correlation    | 0    | 0.95
population.table                              | file      | file           |      |
population.nis_code                           | code      | nis_code       |      |
run.replications                              | integer   | count          | 1    | 100000
run.years                                     | number    | year           | 0.05 | 20
run.spread_replications                       | integer   | count          | 2    | 100000
run.fixed_list_replications                   | integer   | count          | 2    | 100000
run.inputs_spread                             | switch    | switch         |      |
run.crumb_limit_minutes                       | number    | minute         | 0    | 1440
target.fitted.*                               | number    | any            |      |
target.implied.*                              | number    | any            |      |
target.held_out.*                             | number    | any            |      |
"""

EVERY_TASK: Final = """
label?                 | labels    | - | |
kind                   | one:visit,act,desk,org | - | |
group                  | one:GROUPS | - | |
channel                | one:office,home,phone,none | - | |
driver                 | text      | - | |
rate                   | number    | per_1000_patients_year | 0 | 100000
cv                     | number    | ratio  | 0 | 4
minutes.gp             | number    | minute | 0 | 1440
minutes.*              | number    | minute | 0 | 1440
"""

TASK_GROUPS: Final = (
    "first_contact",
    "technical",
    "chronic",
    "prevention",
    "palliative",
    "home_complex",
    "population",
    "management",
    "admin",
    "social",
)
"""The eight task groups, then administration and social work."""

OF_KIND: Final = {
    "visit": """
arrival                | one:rate,due | - | |
condition              | conditions | - | |
seasonal               | flag      | - | |
urgent_share           | number    | share | 0 | 1
age_rates              | numbers:7 | per_1000_band_year | 0 | 100000
set_by_practice_share  | number    | share | 0 | 1
interval_days?         | number    | calendar_day | 1 | 3650
frail_ratio?           | number    | ratio | 0.05 | 100
travel_minutes?        | number    | minute | 0 | 240
children?.*            | number    | share | 0 | 1
""",
    "act": """
children_only?         | flag      | - | |
age_weights            | numbers:7 | relative | 0 | 1000
window_weeks?          | integers:2 | iso_week | 1 | 52
children?.*            | number    | share | 0 | 1
""",
    "desk": """
children_only?         | flag      | - | |
delegable_share?       | number    | share | 0 | 1
""",
    "org": """
delegable_share?       | number    | share | 0 | 1
""",
}

ROLE: Final = """
label                  | labels    | - | |
kind                   | one:staff | - | |
order                  | order     | - | |
pace                   | integer   | per_1024 | 1 | 16384
scope.*                | scope     | - | |
minutes?.*             | number    | minute | 0 | 1440
"""
"""A role without its `team`, whose keys are `practice.team.NAME.*`."""

NAMED: Final = """
name                   | text      | - | |
label                  | labels    | - | |
"""

VALUES: Final = """
values                 | values    | - | |
"""

CHOICES: Final = {
    "practice": NAMED + VALUES + "staff | names | - | |",
    "population": NAMED + VALUES,
    "picture": NAMED + VALUES,
    "behaviour": NAMED + VALUES,
    "run": NAMED + VALUES + "inputs | names | - | |",
    "first_contact": NAMED + "answered_by | text | - | |",
    "country": NAMED + "sections | names | - | |",
    "protocol": NAMED
    + """
delegate_roles         | some      | - | |
responsible_role       | text      | - | |
acts?                  | some      | - | |
visits?                | some      | - | |
desk?                  | some      | - | |
requires_stable?       | names     | - | |
""",
    "scenario": NAMED + "question | labels | - | |\nworlds | worlds | - | |\ninputs? | names | - | |",
}


@dataclass(frozen=True)
class Leaf:
    """Form, unit and bounds of one key; unit None for a plain value, "any" for any unit."""

    form: str
    unit: str | None
    low: float | None
    high: float | None

    @property
    def size(self) -> int | None:
        """Length of a list that is fixed by the form."""
        _, _, size = self.form.partition(":")
        return int(size) if size.isdigit() else None

    @property
    def allowed(self) -> tuple[str, ...]:
        """Words of a form `one:a,b`."""
        kind, _, words = self.form.partition(":")
        return tuple(words.split(",")) if kind == "one" else ()


@dataclass(frozen=True)
class Node:
    """A part of the tree: names to parts or leaves (a star for any name), and names that may be absent."""

    below: dict[str, Node | Leaf] = field(default_factory=dict)
    optional: set[str] = field(default_factory=set)

    def find(self, name: str) -> Node | Leaf | None:
        """Return the part under a name, or under any name."""
        return self.below.get(name) or self.below.get("*")


@cache
def section_schema() -> Node:
    """Keys of all sections together."""
    return _parse(SECTIONS)


@cache
def team_schema(role: str) -> Node:
    """Keys `practice.team.ROLE.*` of one role."""
    node: Node | Leaf | None = section_schema()
    for name in ("practice", "team", role):
        node = node.find(name) if isinstance(node, Node) else None
    assert isinstance(node, Node)
    return node


@cache
def task_schema(kind: str) -> Node:
    """Keys of a task of one accounting class."""
    return _parse(_every_task() + OF_KIND[kind])


@cache
def any_task_schema() -> Node:
    """Keys that every task has, whatever else stands there."""
    node = _parse(_every_task())
    node.below["*"] = Leaf("anything", None, None, None)
    return node


@cache
def role_schema() -> Node:
    """Keys of a role."""
    return _parse(ROLE)


@cache
def choice_schema(group: str) -> Node:
    """Keys of a file that is chosen by `group=name`."""
    return _parse(CHOICES[group])


def _every_task() -> str:
    """Rows of every task, the task groups written out."""
    return EVERY_TASK.replace("GROUPS", ",".join(TASK_GROUPS))


def _parse(table: str) -> Node:
    """Build the tree of a table."""
    root = Node()
    for line in table.strip().splitlines():
        if not line.strip():
            continue
        key, form, unit, low, high = (cell.strip() for cell in line.split("|"))
        leaf = Leaf(
            form, None if unit == "-" else unit, float(low) if low else None, float(high) if high else None
        )
        node, names = root, key.split(".")
        for position, part in enumerate(names):
            name = part.removesuffix("?")
            if part.endswith("?"):
                node.optional.add(name)
            if position == len(names) - 1:
                node.below[name] = leaf
            else:
                below = node.below.setdefault(name, Node())
                assert isinstance(below, Node)
                node = below
    return root
