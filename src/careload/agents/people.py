"""Patients, GPs, nurses, receptionists and practices as Mesa agents whose state is a row of the model's arrays.

Each weekly rule exists twice: as a method of the agent, and vectorised over rows. The vectorised form is used
unless a subclass overrides the method; that is found out once per class. Patching a single instance is not honoured.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import mesa
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from careload.agents.model import CareModel

__all__ = [
    "CLASS_OF_ROLE",
    "GP",
    "Nurse",
    "Patient",
    "Practice",
    "Receptionist",
    "Staff",
    "next_seeking",
    "next_trust",
    "overrides",
]

FloatArray = NDArray[np.float64]


class Row:
    """Attribute that reads and writes one column of the model's state at the agent's row."""

    def __init__(self, column: Callable[[Any], FloatArray]) -> None:
        self._column = column

    def __get__(self, agent: Any, owner: type | None = None) -> Any:
        """Value of the agent's row."""
        return self if agent is None else self._column(agent.model)[agent.row]

    def __set__(self, agent: Any, value: float) -> None:
        """Set the value of the agent's row."""
        self._column(agent.model)[agent.row] = value


def next_seeking(
    wait_days: FloatArray,
    elasticity: FloatArray,
    reference_days: FloatArray,
    least: FloatArray,
    most: FloatArray,
) -> FloatArray:
    """Care-seeking factor after the waits of the last four weeks.

    Parameters
    ----------
    wait_days : ndarray of float
        Mean open days to a routine appointment; not a number where nobody waited, which changes nothing.
    elasticity, reference_days, least, most : ndarray of float
        Of requests on the wait, the wait at which the factor is 1, and the bounds of the factor.
    """
    wait = np.where(np.isfinite(wait_days) & (wait_days > 0), wait_days, reference_days)
    return np.clip((wait / reference_days) ** elasticity, least, most)


def next_trust(
    trust: FloatArray,
    good_episodes: NDArray[np.int64],
    hand_backs: NDArray[np.int64],
    gain: FloatArray,
    loss: FloatArray,
    least: FloatArray,
    most: FloatArray,
) -> FloatArray:
    """Trust of a GP in the delegate's role after a week of episodes.

    Returns
    -------
    ndarray of float
        Old trust, plus gain x (1 - trust) per good episode, less loss x trust per hand-back, within bounds.
        Unchanged, to the last bit, after a week without episodes.
    """
    moved = trust + gain * (1 - trust) * good_episodes - loss * trust * hand_backs
    return np.where(good_episodes + hand_backs > 0, np.clip(moved, least, most), trust)


class Patient(mesa.Agent):
    """A person on the list of a practice; her state is a row of the population arrays.

    Parameters
    ----------
    model : CareModel
    row : int
        Row of the patient in the lane-major patient state.
    """

    model: CareModel
    seeking = Row(lambda model: model.seeking.reshape(-1))

    def __init__(self, model: CareModel, row: int) -> None:
        super().__init__(model)
        self.row = row

    @property
    def person(self) -> int:
        """Row in the population; patients of two scenarios share it."""
        return self.row % self.model.block.people.age.size

    @property
    def lane(self) -> int:
        """Lane in which she lives."""
        return int(self.model.lane_of_patients[self.row])

    @property
    def age(self) -> int:
        """Age in years."""
        return int(self.model.block.people.age[self.person])

    @property
    def frail(self) -> bool:
        """Whether she is frail."""
        return bool(self.model.block.people.frail[self.person])

    def decide(self) -> float:
        """Care-seeking factor of the coming week."""
        return float(self.seeking)

    def learn(self, wait_days: float) -> None:
        """Long waits lower care-seeking, short ones raise it."""
        rules, lane = self.model.block.practices.weekly, slice(self.lane, self.lane + 1)
        self.seeking = float(
            next_seeking(
                np.array([wait_days]),
                rules.seeking_elasticity[lane],
                rules.seeking_reference_days[lane],
                rules.seeking_least[lane],
                rules.seeking_most[lane],
            )[0]
        )


class GP(mesa.Agent):
    """A general practitioner with final responsibility.

    Parameters
    ----------
    model : CareModel
    row : int
        Row in the lane-major GP state.
    practice : Practice
    """

    model: CareModel
    trust = Row(lambda model: model.trust.reshape(-1))

    def __init__(self, model: CareModel, row: int, practice: Practice) -> None:
        super().__init__(model)
        self.row = row
        self.practice = practice

    def decide(self) -> float:
        """Share of eligible episodes that the GP delegates in the coming week."""
        return float(self.trust)

    def learn(self, good_episodes: int, hand_backs: int) -> None:
        """Good episodes raise trust, hand-backs lower it."""
        rules, lane = self.model.block.practices.weekly, slice(self.practice.lane, self.practice.lane + 1)
        self.trust = float(
            next_trust(
                np.array([self.trust]),
                np.array([good_episodes]),
                np.array([hand_backs]),
                rules.trust_gain[lane],
                rules.trust_loss[lane],
                rules.trust_least[lane],
                rules.trust_most[lane],
            )[0]
        )


class Staff(mesa.Agent):
    """Somebody of the team beside the GPs; presence, pace and scope are rows of the tables.

    Parameters
    ----------
    model : CareModel
    person : int
        Number among the people of the block.
    practice : Practice
    """

    model: CareModel

    def __init__(self, model: CareModel, person: int, practice: Practice) -> None:
        super().__init__(model)
        self.person = person
        self.practice = practice

    @property
    def role(self) -> str:
        """Name of the role."""
        layout = self.model.block.layout
        return str(layout.roles[layout.person_role[self.person]])


class Nurse(Staff):
    """A practice nurse."""


class Receptionist(Staff):
    """A receptionist, the first point of contact."""


CLASS_OF_ROLE: Mapping[str, type[Staff]] = {"nurse": Nurse, "receptionist": Receptionist}
"""Roles with a class of their own; members of any other role are plain `Staff`."""


class Practice(mesa.Agent):
    """Team, place and rules of one lane.

    Parameters
    ----------
    model : CareModel
    lane : int
    """

    model: CareModel

    def __init__(self, model: CareModel, lane: int) -> None:
        super().__init__(model)
        self.lane = lane

    @property
    def list_size(self) -> int:
        """Patients on the list."""
        cell = self.model.block.cell_of_lane[self.lane]
        offset = self.model.block.people.offset
        return int(offset[cell + 1] - offset[cell])

    @property
    def wait_days(self) -> float:
        """Mean open days to a routine appointment in the last four weeks; not a number if nobody asked."""
        return float(self.model.wait_days[self.lane])


def overrides(kind: type, base: type, rule: str) -> bool:
    """Whether a class brings its own form of a weekly rule."""
    return getattr(kind, rule) is not getattr(base, rule)
