"""Desk work of a day, shared between the staff and the GPs (docs/day.md, section 9)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from careload.columns import join, spread, take
from careload.day.accounts import Account
from careload.day.block import Block, State
from careload.day.parts import WITH_PATIENT, Part, Parts, desk_rows, durations_of
from careload.day.settle import Served, fate_of
from careload.day.slips import Errand
from careload.draws import child, index16, name_key, uniform
from careload.poisson import poisson_rows
from careload.practice.rota import DayRota

__all__ = ["desk_work", "inside_sessions"]

_DESK: Final = name_key("desk work")
_COUNT: Final = name_key("desk work of a day")
_LUCK: Final = name_key("duration")
_BY_STAFF: Final = name_key("desk work done by staff")


@dataclass(frozen=True)
class DeskWork:
    """Instances of desk work, n rows.

    Attributes
    ----------
    lane, task : ndarray of int64
    row : ndarray of int64
        Row of the register, -1 for work that comes at a rate.
    instance : ndarray of int64
        Number among the day's work at a rate, the same in all worlds; -1 for other work.
    luck : ndarray of uint16
        Place of the duration in its law.
    draw : ndarray of float64
        Uniform number that decides whether it is work the staff may take.
    """

    lane: NDArray[np.int64]
    task: NDArray[np.int64]
    row: NDArray[np.int64]
    instance: NDArray[np.int64]
    luck: NDArray[np.uint16]
    draw: NDArray[np.float64]


def desk_work(block: Block, state: State, day: int, started: Parts, done: Served) -> NDArray[np.int64]:
    """Give the day's desk work to the staff who may take it, as long as their session lasts, and the rest to the GPs.

    Returns
    -------
    ndarray of int64, shape (L,)
        Ticks left to the GPs.
    """
    work = join([_left_by_contacts(block, state, started), _at_a_rate(block, day)])
    reference = durations_of(block.layout, block.mean_by_role, work.lane, work.task, work.luck)
    by, ticks = _performer(block, day, started, done, work, reference)
    by_gp = by == block.layout.gp
    measured = bool(block.calendar.in_window[day])
    left = np.flatnonzero(work.row >= 0)
    by_gp_left = by_gp.take(left)
    fate = fate_of(by_gp_left)
    gp_ticks = ticks.take(left) * (by_gp_left & measured)
    state.outcomes.record(work.lane.take(left), work.row.take(left), fate, gp_ticks)
    place = by_gp * block.n_lanes + work.lane
    staff, gp = np.bincount(place, ticks, minlength=2 * block.n_lanes).astype(np.int64).reshape(2, -1)
    if measured:
        state.accounts.add_lanes(Account.STAFF_DESK, staff)
        state.accounts.add_lanes(Account.GP_DESK, gp)
        default = np.bincount(place, reference[block.layout.gp], minlength=2 * block.n_lanes).astype(np.int64)
        shifted, kept = default.reshape(2, -1)
        state.accounts.add_lanes(Account.DEFAULT_ALL, shifted + kept)
        state.accounts.add_lanes(Account.DEFAULT_SHIFTED, shifted)
        state.accounts.add_tasks(by, work.task, work.lane, ticks)
        if not by_gp.all():
            _count_moved(block, state, work, by_gp, ticks)
    return gp


def _left_by_contacts(block: Block, state: State, started: Parts) -> DeskWork:
    """What finished contacts leave; extra follow-ups leave nothing."""
    register = state.register
    chosen = take(started, WITH_PATIENT.take(started.part) & (started.errand != Errand.EXTRA))
    of, row = desk_rows(register, chosen.request, chosen.visit, chosen.acts)
    lane, task = chosen.lane.take(of), register.rows.task.take(row).astype(np.int64)
    draw = np.ones(len(row))
    some = np.flatnonzero(block.practices.desk.given.take(task))
    some = some.compress(block.practices.desk.role[lane.take(some), task.take(some)] >= 0)
    request = chosen.request.take(of.take(some))
    key = child(register.requests.key.take(request), block.bundles.task_key.take(task.take(some)))
    act = register.rows.parent.take(row.take(some)).astype(np.int64)
    # An act by its name: its number depends on the other acts of the run.
    left_by = np.where(act < 0, act.astype(np.uint64), block.bundles.task_key[block.layout.act_tasks[act]])
    draw[some] = uniform(child(key, left_by), _BY_STAFF)
    none, luck = np.full(len(row), -1), register.rows.luck.take(row)
    return DeskWork(lane=lane, task=task, row=row, instance=none, luck=luck, draw=draw)


def _at_a_rate(block: Block, day: int) -> DeskWork:
    """Work that comes at a rate, drawn per practice and shared by all worlds."""
    desk, calendar = block.desk, block.calendar
    prefix = child(block.cell_key[:, None], _DESK, desk.key[None, :], day)
    sizes = np.diff(block.people.offset)[:, None]
    factor = float(block.demand.weekday_weight[calendar.weekday[day]]) / calendar.year_days
    count = poisson_rows(uniform(prefix, _COUNT).T, (desk.rate * sizes * factor).T).T
    of, ordinal = spread(count.ravel())
    cell, kind = np.divmod(of, len(desk.key))
    key = child(prefix.reshape(-1).take(of), ordinal)
    draw = uniform(key, _BY_STAFF) if block.practices.desk.given.any() else np.ones(len(cell))
    lanes = block.lane_of.take(cell, axis=1)
    world, instance = np.nonzero(lanes >= 0)
    return DeskWork(
        lane=lanes[world, instance],
        task=desk.task.take(kind).take(instance),
        row=np.full(len(instance), -1),
        instance=instance,
        luck=index16(key, _LUCK).astype(np.uint16).take(instance),
        draw=draw.take(instance),
    )


def _performer(
    block: Block,
    day: int,
    started: Parts,
    done: Served,
    work: DeskWork,
    reference: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Role that does each instance, and its ticks.

    The instances of a lane are given to the staff in order; from the first that no longer fits on, the rest is
    the GPs'.
    """
    layout, rules = block.layout, block.practices.desk
    by, ticks = np.full(len(work.lane), layout.gp), reference[layout.gp].copy()
    may = np.flatnonzero(work.draw < 1.0)
    at = (work.lane.take(may), work.task.take(may))
    role_of = np.where(work.draw.take(may) < rules.share[at], rules.role[at], -1)
    for role in layout.others:
        mine = may.compress(role_of == role)
        if not len(mine):
            continue
        mine = mine[np.argsort(work.lane[mine], kind="stable")]
        lane = work.lane[mine]
        people = np.flatnonzero(layout.person_role == role)
        pace = block.practices.rota.pace[lane, people[0]]
        need = np.maximum(1, reference[role].take(mine) * pace // 1024)
        total = np.cumsum(need)
        first = np.searchsorted(lane, lane)
        total -= total[first] - need[first]
        fits = total <= _idle(block.rota(day), people, started, done)[lane]
        by[mine[fits]], ticks[mine[fits]] = role, need[fits]
    return by, ticks


def _idle(rota: DayRota, people: NDArray[np.int64], started: Parts, done: Served) -> NDArray[np.int64]:
    """Idle ticks of some people inside their sessions, shape (L,)."""
    length = rota.length[people].sum(0)
    busy = np.flatnonzero(np.isin(done.person, people) & (started.part != Part.OFF))
    lane = started.lane.take(busy)
    start, end = done.start.take(busy), done.end.take(busy)
    inside = inside_sessions(rota, done.person.take(busy), lane, start, end)
    idle: NDArray[np.int64] = length - np.bincount(lane, inside, minlength=len(length)).astype(np.int64)
    return idle


def inside_sessions(
    rota: DayRota,
    person: NDArray[np.int64],
    lane: NDArray[np.int64],
    start: NDArray[np.int64],
    end: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Ticks of each start that lie inside the sessions of its person, shape (n,)."""
    opens, closes = rota.session[person, :, 0, lane], rota.session[person, :, 1, lane]
    overlap = np.maximum(0, np.minimum(end[:, None], closes) - np.maximum(start[:, None], opens))
    ticks: NDArray[np.int64] = overlap.sum(1)
    return ticks


def _count_moved(
    block: Block, state: State, work: DeskWork, by_gp: NDArray[np.bool_], ticks: NDArray[np.int64]
) -> None:
    """Match the work at a rate between the worlds that are compared."""
    accounts = state.accounts
    rated = np.flatnonzero(work.instance >= 0)
    lane, instance = work.lane.take(rated), work.instance.take(rated)
    place = np.zeros(1 + int(instance.max(initial=-1)), np.int64)
    place[instance] = work.task.take(rated) * block.n_cells + block.cell_of_lane.take(lane)
    at = (block.scenario_of_lane.take(lane), instance)
    gp_ticks, moved = (np.zeros((block.n_scenarios, len(place)), kind) for kind in (np.int64, np.bool_))
    gp_ticks[at], moved[at] = np.where(by_gp, ticks, 0).take(rated), ~by_gp.take(rated)
    for pair, (baseline, scenario) in enumerate(block.contrasts):
        gone = np.where(moved[scenario] & ~moved[baseline], gp_ticks[baseline], 0)
        back = np.where(moved[baseline] & ~moved[scenario], gp_ticks[scenario], 0)
        for total, amount in ((accounts.desk_moved, gone), (accounts.desk_taken, back)):
            summed = np.bincount(place, amount, minlength=total[pair].size).astype(np.int64)
            total[pair] += summed.reshape(total[pair].shape)
