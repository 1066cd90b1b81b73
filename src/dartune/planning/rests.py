"""What follows a state (tries, right, goal) under a policy with targets, with or without giving up (pure).

Giving up is exact at some pass rates and for some goals only: what is computed there is the ratio of each moment to the
one without giving up, which is smooth in both, and is read off between them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from dartune.config import GiveUpConfig
from dartune.difficulty.prior import Prior
from dartune.planning.giving_up import until_given_up
from dartune.planning.made import Ints
from dartune.planning.nodes import NODES
from dartune.planning.tries import Floats, Rest, until
from dartune.stopping import give_up_caps

_SOME = np.flatnonzero((NODES > 1e-4) & (NODES < 0.75))[::5]
"""Nodes at which giving up is computed; beyond them hardly anything, or hardly anyone, is given up."""
_MOST_GOALS = 4
"""Goals for which giving up is computed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A method that wants correct responses."""

    goals: tuple[int, ...]
    """Target by number of right tries in the pilot."""
    n_pilot: int
    """Tries of every query that are made whatever they give."""
    max_trials: int
    give_up: GiveUpConfig | None
    prior: Prior | None
    """Under which queries are given up, where any are."""

    def caps(self, goal: int) -> tuple[int, ...] | None:
        """`Target.caps` of a query with this goal."""
        if self.give_up is None or self.prior is None:
            return None
        return _caps(goal, self.max_trials, self.prior, self.give_up)


@cache
def _caps(goal: int, max_trials: int, prior: Prior, rule: GiveUpConfig) -> tuple[int, ...]:
    return give_up_caps(goal, max_trials, prior, rule)


def rests(policy: Policy, states: Ints) -> Rest:
    """Moments of what follows each state, of shape (states, nodes)."""
    tries, right, goal = (states[:, i : i + 1] for i in range(3))
    plain = until(goal - right, policy.max_trials - tries, NODES)
    if policy.give_up is None:
        return plain
    ratios = np.ones((len(Rest._fields), len(states), len(NODES)))
    is_open = np.flatnonzero(goal[:, 0] > right[:, 0])
    goals = _spread_over(np.unique(policy.goals))
    for n in np.unique(tries[is_open, 0]):
        at = is_open[tries[is_open, 0] == n]
        tables = [_ratios(policy.caps(int(g)) or (), int(g), policy.max_trials, int(n)) for g in goals]
        ratios[:, at] = _between(goals, tables, right[at, 0], goal[at, 0])
    return Rest(*(moment * ratio for moment, ratio in zip(plain, ratios, strict=True)))


def _spread_over(goals: Ints) -> Ints:
    if len(goals) <= _MOST_GOALS:
        return goals
    chosen: Ints = goals[np.unique(np.rint(np.linspace(0, len(goals) - 1, _MOST_GOALS)).astype(int))]
    return chosen


@cache
def _ratios(caps: tuple[int, ...], goal: int, max_trials: int, n_tries: int) -> Floats:
    """Ratios by moment, number right and node, shape (6, goal + 1, nodes)."""
    p = NODES[_SOME]
    (stopped,) = until_given_up(caps, [n_tries], p)
    full = until(goal - np.arange(goal + 1)[:, None], max_trials - n_tries, p)
    exact = np.stack([np.where(b > 0, a / np.where(b > 0, b, 1.0), 1.0) for a, b in zip(stopped, full, strict=True)])
    place = np.clip(np.arange(len(NODES)), _SOME[0], _SOME[-1])
    left = np.clip(np.searchsorted(_SOME, place, side="right") - 1, 0, len(_SOME) - 2)
    share = (place - _SOME[left]) / (_SOME[left + 1] - _SOME[left])
    return np.asarray((1.0 - share) * exact[..., left] + share * exact[..., left + 1])


def _between(goals: Ints, tables: Sequence[Floats], right: Ints, goal: Ints) -> Floats:
    """Ratios for each (right, goal), between the two goals around it; shape (6, states, nodes)."""
    found = []
    for c, wanted in zip(right, goal, strict=True):
        high = int(np.searchsorted(goals, wanted))
        low = high if goals[high] == wanted or c >= goals[high - 1] else high - 1
        share = 0.0 if low == high else (wanted - goals[low]) / (goals[high] - goals[low])
        found.append((1.0 - share) * tables[low][:, c] + share * tables[high][:, c])
    return np.stack(found, axis=1)
