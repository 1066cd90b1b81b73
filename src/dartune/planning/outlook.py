"""What one method has of every query already, and what is still to come, as a function of the pass rate (pure)."""

from dataclasses import dataclass
from functools import cache
from typing import NamedTuple, TypeVar, assert_never

import numpy as np
from numpy.typing import NDArray

from dartune.allocation import power_family
from dartune.config import MethodConfig, Prop2DiffMethod, UniformMethod, VanillaMethod
from dartune.difficulty.prior import Prior, fit_prior
from dartune.planning.beliefs import Belief
from dartune.planning.made import Ints, Made, coarse
from dartune.planning.nodes import NODES
from dartune.planning.rests import Policy, rests
from dartune.planning.tries import Floats, Yield, after_pilot, at_least, fixed, keeping

_MOST_ROOMS = 200
"""Different numbers of tries left that are told apart exactly."""

Table = TypeVar("Table", Floats, NDArray[np.int32])


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """Known sums and open states; arrays with an entry for each query."""

    tries: Floats
    correct: Floats
    kept: Floats
    covered: Floats
    fill: Floats
    tokens: Floats
    state: Ints
    """Row of `future`; -1 where the method asks no more of the query."""
    future: Yield
    """Of shape (states, nodes)."""
    has_targets: bool
    """Whether the method wants a number of correct responses, so that there is something to fill."""


def outlook(method: MethodConfig, belief: Belief) -> Outlook:
    """Where a method stands with every query."""
    match method:
        case VanillaMethod():
            return _of_tries(method.n_trials, belief.made)
        case UniformMethod():
            goals = np.full(method.n_fixed + 1, method.k)
            return _of_targets(_policy(method, goals, method.n_fixed, belief), belief.made)
        case Prop2DiffMethod():
            goals = _goals(method, _fewest_right(belief, method.n_pilot))
            return _of_targets(_policy(method, goals, method.n_pilot, belief), belief.made)
        case _:
            assert_never(method)


def _policy(method: UniformMethod | Prop2DiffMethod, goals: Ints, n_pilot: int, belief: Belief) -> Policy:
    return Policy(
        goals=tuple(int(goal) for goal in goals),
        n_pilot=n_pilot,
        max_trials=method.max_trials,
        give_up=method.give_up,
        prior=_fitted(n_pilot, _pilot_counts(belief, n_pilot)) if method.give_up else None,
    )


def _goals(method: Prop2DiffMethod, fewest_right: int) -> Ints:
    """Target by number of right tries in the pilot, where the hardest query has `fewest_right`."""
    n = method.n_pilot
    fail_rates = [1.0 - max(c, fewest_right) / n for c in range(n + 1)]
    return np.array(power_family(fail_rates, k=method.k, cover=method.cover, alpha=method.alpha))


class _Cells(NamedTuple):
    """Queries that are alike in what the pilot of a method holds of them."""

    weights: Floats
    """Of their pass rates, a row for each cell."""
    right: Ints
    """Right tries so far, shape (cells, 1)."""
    missing: Ints
    """Tries that the pilot still makes, shape (cells, 1)."""
    n_queries: Ints


def _cells(belief: Belief, n_pilot: int) -> _Cells:
    made = belief.made
    so_far = _at(made.n_correct, np.minimum(made.n_tries, n_pilot))
    missing = np.maximum(n_pilot - made.n_tries, 0)
    cells, n = np.unique(np.stack([belief.row, so_far, missing], axis=1), axis=0, return_counts=True)
    return _Cells(np.mean(belief.weights, axis=0)[cells[:, 0]], cells[:, 1:2], cells[:, 2:3], n)


def _fewest_right(belief: Belief, n_pilot: int) -> int:
    """Right tries of the query that fares worst in the pilot: known, or the median of what is believed."""
    cells = _cells(belief, n_pilot)
    for fewest in range(n_pilot):
        more = np.einsum("ij,ij->i", cells.weights, at_least(fewest + 1 - cells.right, cells.missing, NODES))
        if cells.n_queries @ np.log(np.clip(more, 1e-12, 1.0)) < np.log(0.5):
            return fewest
    return n_pilot


def _pilot_counts(belief: Belief, n_pilot: int) -> tuple[int, ...]:
    """Queries by number of right tries in the pilot, as far as it is known, and as many as are expected beyond."""
    cells = _cells(belief, n_pilot)
    reached = [
        float(cells.n_queries @ np.einsum("ij,ij->i", cells.weights, at_least(c - cells.right, cells.missing, NODES)))
        for c in range(n_pilot + 2)
    ]
    return tuple(np.diff(-np.rint(reached)).astype(int).tolist())


@cache
def _fitted(n_pilot: int, counts: tuple[int, ...]) -> Prior:
    """What the run will fit to its pilot when it decides whom to give up."""
    n = sum(counts)
    return fit_prior(np.full(n, n_pilot), np.repeat(np.arange(n_pilot + 1), counts))


def _of_tries(n_trials: int, made: Made) -> Outlook:
    done = np.minimum(made.n_tries, n_trials)
    right = _at(made.n_correct, done).astype(float)
    states, state = _number(np.stack([done, right > 0], axis=1), done < n_trials)
    future = keeping(fixed(n_trials - states[:, :1], NODES), target=0, is_covered=states[:, 1:] > 0)
    return Outlook(
        tries=done.astype(float),
        correct=right,
        kept=right,
        covered=(right > 0).astype(float),
        fill=np.zeros(len(done)),
        tokens=_at(made.n_tokens, done),
        state=state,
        future=future,
        has_targets=False,
    )


def _of_targets(policy: Policy, made: Made) -> Outlook:
    goals = np.array(policy.goals)
    knows_goal = made.n_tries >= policy.n_pilot
    goal = goals[_at(made.n_correct, np.minimum(made.n_tries, policy.n_pilot))]
    goal = np.where(knows_goal, goal, 0)
    stop = _stops(policy, made, goal)
    done = np.minimum(made.n_tries, stop)
    right = _at(made.n_correct, done)
    # What a query has whose target is not known yet is kept or not as the target comes out.
    kept = np.where(knows_goal, np.minimum(right, goal), 0).astype(float)
    is_open = stop > made.n_tries
    room = policy.max_trials - done
    if len(np.unique(room[is_open])) > _MOST_ROOMS:
        room = np.where(knows_goal, coarse(room), room)
    states, state = _number(np.stack([policy.max_trials - room, right, goal], axis=1), is_open)
    return Outlook(
        tries=done.astype(float),
        correct=right.astype(float),
        kept=kept,
        covered=(kept > 0).astype(float),
        fill=kept / np.maximum(goal, 1),
        tokens=_at(made.n_tokens, done),
        state=state,
        future=_future(policy, states),
        has_targets=True,
    )


def _stops(policy: Policy, made: Made, goal: Ints) -> Ints:
    """After how many tries the method stops at each query; one more than were made where it goes on."""
    never = made.n_tries + 1
    stop = never.copy()
    tries = np.arange(made.n_correct.shape[1])
    for value in np.unique(goal[goal > 0]):
        at = np.flatnonzero(goal == value)
        right = made.n_correct[at]
        is_end = (right >= value) | (tries >= policy.max_trials)
        if (caps := policy.caps(int(value))) is not None:
            is_end |= tries >= np.asarray([*caps, 0])[np.minimum(right, value)]
        is_end[:, 0] = False
        is_end &= tries <= made.n_tries[at, None]
        first = np.where(is_end.any(axis=1), is_end.argmax(axis=1), never[at])
        stop[at] = np.maximum(first, np.minimum(policy.n_pilot, never[at]))
    return stop


def _future(policy: Policy, states: Ints) -> Yield:
    """Moments for each state (tries, right, goal), goal 0 where the pilot is not over."""
    knows_goal = states[:, 2] > 0
    parts = np.zeros((len(Yield._fields), len(states), len(NODES)))
    settled = states[knows_goal]
    if len(settled):
        now = keeping(rests(policy, settled), target=settled[:, 2:], is_covered=settled[:, 1:2] > 0)
        parts[:, knows_goal] = now
    for i in np.flatnonzero(~knows_goal):
        parts[:, i] = _through_pilot(policy, int(states[i, 0]), int(states[i, 1]))
    return Yield(*parts)


def _through_pilot(policy: Policy, n_tries: int, n_right: int) -> Yield:
    left = policy.n_pilot - n_tries
    more = np.arange(left + 1)
    goal = np.array(policy.goals)[n_right + more]
    probability = at_least(more[:, None], left, NODES) - at_least(more[:, None] + 1, left, NODES)
    states = np.stack([np.full(left + 1, policy.n_pilot), n_right + more, goal], axis=1)
    return after_pilot(
        probability, left, more[:, None].astype(float), n_right, goal[:, None].astype(float), rests(policy, states)
    )


class _Numbered(NamedTuple):
    rows: Ints
    """The different ones, at least one."""
    place: Ints
    """Row of each, -1 where it is closed."""


def _number(rows: NDArray[np.int64], is_open: NDArray[np.bool_]) -> _Numbered:
    index = np.full(len(rows), -1)
    if not is_open.any():
        return _Numbered(rows[:1].astype(np.int64), index)
    different, inverse = np.unique(rows[is_open].astype(np.int64), axis=0, return_inverse=True)
    index[is_open] = inverse.reshape(-1)
    return _Numbered(different, index)


def _at(table: Table, column: Ints) -> Table:
    """One entry of each row."""
    return table[np.arange(len(table)), column]
