"""Agents are rows of the model's arrays, decide and learn all at once, and may bring rules of their own."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

import mesa
import numpy as np
import pytest
from numpy.typing import NDArray

import careload.agents.model
import careload.day.stages
from careload.agents.model import CareModel
from careload.agents.people import GP, Nurse, Patient, Practice, next_seeking, next_trust
from careload.day.accounts import Account
from careload.day.attend import arrivals
from careload.day.block import Block
from careload.inputs.load import load_study
from careload.patients.bundle import Urgency
from careload.simulate import make_block
from runs import outcomes
from support import with_values

LIST: Final = 200
STUDY: Final = load_study(["practice=solo_nurse"])
SHORT: Final = {
    "run.years": 5 / 52,
    "calendar.leave_weeks": (52,),
    "calendar.warm_up_days": 0,
    "calendar.tail_days": 0,
    "practice.list_size": LIST,
    "practice.team.gp.heads": 2,
    "practice.team.gp.sessions": ("08:00-12:00 places",),
    "trust.gain_per_good_episode": 0.02,
    "trust.loss_per_hand_back": 0.1,
    "delegation.hand_back.act": 0.2,
    "delegation.hand_back.contact": 0.2,
}


LONG_WAIT: Final = {"practice.team.gp.slot_minutes": 240.0, "book.fit_in": 0}


def block(values: Mapping[str, Any] = LONG_WAIT, before: Mapping[str, Any] | None = None) -> Block:
    """Two worlds of one practice in two replications; `values` change the second, `before` both."""
    first = with_values(STUDY, {**SHORT, **(before or {})})
    return make_block([first, with_values(first, values)], np.arange(2))


@pytest.fixture
def small() -> Iterator[CareModel]:
    """A model that has not run yet."""
    one = CareModel(block())
    yield one
    one.close()


def results(model: CareModel) -> tuple[NDArray[Any], ...]:
    """Everything a run leaves."""
    state = model.state
    return (
        state.accounts.totals,
        state.accounts.task_ticks,
        *outcomes(state, model.block.n_scenarios),
        model.trust,
        model.seeking,
        model.wait_days,
    )


def run(model: CareModel) -> tuple[NDArray[Any], ...]:
    """Run a model, free it and keep copies of what it leaves."""
    model.run()
    kept = tuple(one.copy() for one in results(model))
    model.close()
    return kept


def same(first: tuple[NDArray[Any], ...], second: tuple[NDArray[Any], ...]) -> bool:
    """Equal to the last bit."""
    return all(
        np.array_equal(a, b, equal_nan=a.dtype.kind == "f") for a, b in zip(first, second, strict=True)
    )


@cache
def plain() -> tuple[NDArray[Any], ...]:
    """What the agents without rules of their own leave."""
    return run(CareModel(block()))


def test_everybody_is_an_agent(small: CareModel) -> None:
    """Every patient of a list, every GP, nurse and practice of every lane is a Mesa agent of the model."""
    by_type = small.agents_by_type
    assert {kind: len(agents) for kind, agents in by_type.items()} == {
        Patient: 2 * 2 * LIST,
        GP: 4 * 2,
        Nurse: 4,
        Practice: 4,
    }
    assert isinstance(small, mesa.Model)
    assert all(isinstance(agent, mesa.Agent) and agent.model is small for agent in small.agents)


def test_patients_who_are_met_late_are_the_same(small: CareModel) -> None:
    """Patients get their objects when somebody asks for agents, in whatever way and week; the run does not notice."""
    small.step()
    assert small.agent_types == [Practice, GP, Nurse, Patient]
    small.agents_by_type[Patient].do("decide")
    small.run()
    assert len(small.agents) == 4 * LIST + 4 + 8 + 4
    assert {patient.seeking for patient in small.agents_by_type[Patient]} == set(small.seeking.reshape(-1))
    assert same(results(small), plain())
    unseen = CareModel(block())
    unseen.close()
    assert len(unseen.agents) == 0


def test_an_attribute_is_a_place_in_an_array(small: CareModel) -> None:
    """Writing an attribute changes the array, and writing the array changes the attribute."""
    for kind, name, array in ((Patient, "seeking", small.seeking), (GP, "trust", small.trust)):
        for agent in list(small.agents_by_type[kind])[:: 37 if kind is Patient else 3]:
            before = array.copy()
            setattr(agent, name, 0.625)
            assert array.reshape(-1)[agent.row] == 0.625
            array.reshape(-1)[agent.row] = 0.5
            assert getattr(agent, name) == 0.5
            changed = np.flatnonzero(array.reshape(-1) != before.reshape(-1))
            assert changed.tolist() == [agent.row]
    small.trust = np.full_like(small.trust, 0.3)
    assert {gp.trust for gp in small.agents_by_type[GP]} == {0.3}


def test_agents_know_their_lane_and_person(small: CareModel) -> None:
    """Rows run over lanes; patients of two scenarios share their person."""
    people = small.block.people
    patients = list(small.agents_by_type[Patient])
    assert [patient.row for patient in patients] == list(range(4 * LIST))
    assert [patient.lane for patient in patients] == [row // LIST for row in range(4 * LIST)]
    assert [patient.age for patient in patients] == people.age.tolist() * 2
    assert [patient.frail for patient in patients] == people.frail.tolist() * 2
    assert [gp.practice.lane for gp in small.agents_by_type[GP]] == [0, 0, 1, 1, 2, 2, 3, 3]
    assert [gp.row for gp in small.agents_by_type[GP]] == list(range(8))
    assert [nurse.practice.lane for nurse in small.agents_by_type[Nurse]] == [0, 1, 2, 3]
    assert [practice.list_size for practice in small.practices] == [LIST] * 4
    assert all(np.isnan(practice.wait_days) for practice in small.practices)
    small.run()
    assert [practice.wait_days for practice in small.practices] == small.wait_days.tolist()


class SamePatient(Patient):
    """Has rules of her own that are those of all."""

    def decide(self) -> float:
        return super().decide()

    def learn(self, wait_days: float) -> None:
        super().learn(wait_days)


class SameGP(GP):
    """Has rules of his own that are those of all."""

    def decide(self) -> float:
        return super().decide()

    def learn(self, good_episodes: int, hand_backs: int) -> None:
        super().learn(good_episodes, hand_backs)


def test_rules_agent_by_agent_give_the_same_bits() -> None:
    """The rule of one agent and the rule of all rows are one rule, to the last bit."""
    assert same(run(CareModel(block(), patient_class=SamePatient)), plain())
    assert same(run(CareModel(block(), gp_class=SameGP)), plain())
    assert same(run(CareModel(block(), SamePatient, SameGP)), plain())
    assert (plain()[4] != STUDY.value("trust.start")).all()
    assert len(np.unique(plain()[5])) > 1


class Loyal(GP):
    """Trusts the delegate fully, whatever happens."""

    def decide(self) -> float:
        return 1.0


class Distrustful(GP):
    """Loses all trust in the first week."""

    def learn(self, good_episodes: int, hand_backs: int) -> None:
        self.trust = 0.0


def test_a_rule_of_its_own_is_honoured() -> None:
    """A GP class that decides or learns differently delegates differently."""
    episodes = {
        kind: run(CareModel(block(), gp_class=kind))[0][Account.EPISODES].sum()
        for kind in (Loyal, GP, Distrustful)
    }
    assert episodes[Loyal] > episodes[GP] > episodes[Distrustful] > 0
    model = CareModel(block(), gp_class=Distrustful)
    model.step()
    assert not model.trust.any()
    parts = model.state.accounts.totals[Account.DELEGATED_PARTS].copy()
    model.run()
    assert parts.sum() > 0
    assert (model.state.accounts.totals[Account.DELEGATED_PARTS] == parts).all()
    model.close()


def test_rules_are_looked_up_once_per_class(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether a class has its own rule is not asked patient by patient."""
    asked: list[type] = []

    def counted(kind: type, base: type, rule: str) -> bool:
        asked.append(kind)
        return getattr(kind, rule) is not getattr(base, rule)

    model = CareModel(block())
    assert Patient in model.agents_by_type
    monkeypatch.setattr(careload.agents.model, "overrides", counted)
    model.step()
    model.close()
    assert 0 < len(asked) <= 8
    assert set(asked) == {Patient, GP}


class Reluctant(Patient):
    """Asks for nothing that can wait."""

    def decide(self) -> float:
        return 0.0


def mixed(row: int) -> type[Patient]:
    """Every third patient is reluctant."""
    return Reluctant if row % 3 == 0 else Patient


def asked_by(
    monkeypatch: pytest.MonkeyPatch,
    before: Mapping[str, Any],
    values: Mapping[str, Any] = LONG_WAIT,
    **classes: Any,
) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
    """Row in the patient state and true urgency of all requests of a run that due dates do not bring."""
    rows: list[NDArray[np.int64]] = []
    urgency: list[NDArray[np.int8]] = []

    def watched(block: Block, state: Any, decisions: Any, day: int) -> Any:
        slips, calls = arrivals(block, state, decisions, day)
        requests = state.register.requests
        free = slips.request[requests.occurrence[slips.request] < 0]
        scenario = slips.lane[requests.occurrence[slips.request] < 0] // block.n_cells
        rows.append(scenario * len(block.people.age) + requests.patient[free])
        urgency.append(requests.urgency[free])
        return slips, calls

    with monkeypatch.context() as patch:
        patch.setattr(careload.day.stages, "arrivals", watched)
        run(CareModel(block(values, before), **classes))
    return np.concatenate(rows), np.concatenate(urgency)


def test_classes_may_be_mixed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each patient follows the rule of her own class; only urgent requests of the reluctant remain."""
    off = {"care_seeking.active": False}
    row, urgency = asked_by(monkeypatch, off)
    mixed_row, mixed_urgency = asked_by(monkeypatch, off, patient_class_of=mixed)
    kept = (row % 3 != 0) | (urgency == Urgency.URGENT)
    assert np.array_equal(np.sort(mixed_row), np.sort(row[kept]))
    reluctant = mixed_row % 3 == 0
    assert (mixed_urgency[reluctant] == Urgency.URGENT).all()
    assert not kept.all()
    assert set(mixed_urgency[~reluctant].tolist()) == {1, 2, 3}


class Imitator(GP):
    """Learns as all do, then moves half-way to what the colleague of the practice trusts."""

    def learn(self, good_episodes: int, hand_backs: int) -> None:
        super().learn(good_episodes, hand_backs)
        colleague = self.model.trust.reshape(-1)[self.row ^ 1]
        self.trust = (self.trust + colleague) / 2


class Follower(Patient):
    """Seeks care as the next patient of her list did, a little less."""

    def learn(self, wait_days: float) -> None:
        after = self.row + 1 if (self.row + 1) % LIST else self.row - LIST + 1
        self.seeking = 0.9 * self.model.seeking.reshape(-1)[after] + 0.1 / (1 + self.row % LIST)


def test_the_order_of_agents_changes_nothing() -> None:
    """Agents that look at each other see last week's state, in whatever order they learn."""
    found = []
    for seed in (None, 5, 6):
        model = CareModel(block(), Follower, Imitator)
        if seed is not None:
            order = np.random.default_rng(seed)
            for kind in (Follower, Imitator, Practice, Nurse):
                agents = list(model.agents_by_type[kind])
                shuffled = [agents[place] for place in order.permutation(len(agents))]
                model.agents_by_type[kind] = mesa.agent.AgentSet(shuffled, random=model.random)
            assert [gp.row for gp in model.agents_by_type[Imitator]] != list(range(8))
        found.append(run(model))
    assert same(found[0], found[1])
    assert same(found[0], found[2])
    assert len(np.unique(found[0][5])) >= LIST


def test_agents_learn_all_at_once() -> None:
    """Two GPs who take over each other's trust swap it; if one saw the other's new value they would agree."""

    class Swapper(GP):
        def learn(self, good_episodes: int, hand_backs: int) -> None:
            self.trust = self.model.trust.reshape(-1)[self.row ^ 1]

    model = CareModel(block(), gp_class=Swapper)
    model.trust[:] = [0.25, 0.75]
    model.step()
    assert (model.trust == [0.75, 0.25]).all()
    model.step()
    assert (model.trust == [0.25, 0.75]).all()
    model.close()


def test_trust_rises_with_good_episodes_and_falls_with_hand_backs() -> None:
    """One good episode adds gain x (1 - trust), one hand-back takes loss x trust, within bounds."""
    trust = np.array([0.8, 0.8, 0.8, 0.8, 0.06, 0.979])
    good, back = np.array([1, 0, 2, 0, 0, 40]), np.array([0, 1, 1, 0, 9, 0])
    one = np.ones(6)
    moved = next_trust(trust, good, back, 0.004 * one, 0.019 * one, 0.05 * one, 0.98 * one)
    assert moved == pytest.approx([0.8008, 0.7848, 0.7864, 0.8, 0.05, 0.98], abs=1e-12)
    assert moved[3] == trust[3]


def test_care_seeking_falls_with_waits() -> None:
    """The factor is (wait / reference) to the elasticity within bounds; no wait known changes nothing."""
    wait = np.array([2.0, 4.0, 1.0, np.nan, 0.0, 1e9, 1e-9])
    one = np.ones(7)
    factor = next_seeking(wait, -0.1 * one, 2.0 * one, 0.8 * one, 1.1 * one)
    assert factor == pytest.approx([1, 2**-0.1, 2**0.1, 1, 1, 0.8, 1.1], abs=1e-12)
    assert (next_seeking(wait, 0 * one, 2.0 * one, 0.8 * one, 1.1 * one) == 1).all()


def test_hand_backs_lower_trust_and_trust_lowers_delegation() -> None:
    """More hand-backs, the same luck: less trust in the end and fewer delegated episodes."""
    never, often = {"delegation.hand_back.act": 0.0, "delegation.hand_back.contact": 0.0}, {}
    often = dict.fromkeys(never, 0.6)
    model = CareModel(block(often, before=never))
    model.run()
    episodes = model.state.accounts.totals[Account.EPISODES].reshape(2, 2)
    trust = model.trust.reshape(2, 2, 2)
    model.close()
    assert (trust[1] < trust[0]).all()
    assert (trust[0] > STUDY.value("trust.start")).all()
    assert episodes[1].sum() < episodes[0].sum()


def test_waits_lower_the_requests_that_can_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Long waits: fewer requests that can wait; every urgent one is still made."""
    before = {
        "care_seeking.elasticity": -0.3,
        "practice.team.gp.heads": 1,
        "practice.team.gp.sessions": ("08:00-10:00 places",),
        "delegation.red_flag_share": 1.0,
    }
    row, urgency = asked_by(monkeypatch, before, {"practice.team.gp.slot_minutes": 60.0, "book.fit_in": 0})
    scenario = row // (2 * LIST)
    count = np.array([[np.sum((scenario == s) & (urgency == u)) for u in (1, 2, 3)] for s in (0, 1)])
    assert count[1, 0] == count[0, 0] > 0
    urgent = [np.sort(row[(scenario == s) & (urgency == Urgency.URGENT)] % (2 * LIST)) for s in (0, 1)]
    assert np.array_equal(*urgent)
    assert count[1, 1:].sum() < count[0, 1:].sum()


def test_a_factor_beyond_its_ceiling_is_a_fault() -> None:
    """A patient class that asks for more than the dominating rate allows is told so, not cut down."""

    class Eager(Patient):
        def decide(self) -> float:
            return 3.0

    model = CareModel(block(), patient_class=Eager)
    with pytest.raises(ArithmeticError, match=r"care_seeking\.factor_ceiling"):
        model.step()
    model.close()


def test_a_closed_model_is_freed() -> None:
    """After `close` nothing keeps the model or its arrays."""
    model = CareModel(block(), SamePatient, SameGP)
    model.step()
    gone = [weakref.ref(model), weakref.ref(model.state), weakref.ref(model.agents_by_type[SameGP][0])]
    assert model in mesa.Agent._ids
    model.close()
    del model
    gc.collect()
    assert [one() for one in gone] == [None, None, None]


def test_very_many_patients_have_rows_but_no_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    """Above the limit only patients with a rule of their own are objects; the results are the same."""
    monkeypatch.setattr(careload.agents.model, "MOST_PATIENT_AGENTS", 4 * LIST - 1)
    model = CareModel(block())
    assert Patient not in model.agents_by_type
    assert len(model.agents_by_type[GP]) == 8
    assert same(run(model), plain())
    assert same(run(CareModel(block(), patient_class=SamePatient)), plain())
    few = CareModel(block(), patient_class_of=mixed)
    assert {kind for kind in few.agents_by_type if issubclass(kind, Patient)} == {Reluctant}
    with_few = run(few)
    monkeypatch.undo()
    assert same(with_few, run(CareModel(block(), patient_class_of=mixed)))


def test_the_limit_itself_still_has_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(careload.agents.model, "MOST_PATIENT_AGENTS", 4 * LIST)
    model = CareModel(block())
    assert len(model.agents_by_type[Patient]) == 4 * LIST
    model.close()
