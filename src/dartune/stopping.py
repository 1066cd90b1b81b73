"""When a query is given up: a rule on counts, decided before the first try that it concerns (pure).

`Target.caps` holds the rule: entry c is the number of graded tries at which a query with exactly c correct responses is
given up. It depends on a query's own outcomes in trial order alone, so what is chosen and charged does not depend on
the order in which responses arrive.
"""

import numpy as np
from numpy.typing import NDArray

from dartune.difficulty.prior import Prior, posterior


def give_up_caps(n_correct: int, max_trials: int, prior: Prior, *, below: float, unsolved: bool) -> tuple[int, ...]:
    """Caps by number of correct responses, 0 to `n_correct` - 1, for a query that is to have `n_correct`.

    A query is given up at the first try after which the posterior probability of reaching `n_correct` within
    `max_trials` is less than `below`. One that has no correct response yet keeps `max_trials` unless `unsolved`: its
    first correct response covers it, and is worth more than one of forty.

    For a fixed c the probability falls with the tries, so the cap is found by bisection.
    """
    c = np.arange(n_correct)
    low, high = c.copy(), np.full(n_correct, max_trials)  # given up at `high`, never before `low`
    while np.any(low < high):
        middle = (low + high) // 2
        is_hopeless = _p_reach(prior, middle, c, n_correct, max_trials) < below
        low, high = np.where(is_hopeless, low, np.minimum(middle + 1, high)), np.where(is_hopeless, middle, high)
    caps = np.maximum(high, 1)
    if not unsolved:
        caps[0] = max_trials
    return tuple(caps.tolist())


def _p_reach(
    prior: Prior, n: NDArray[np.int64], c: NDArray[np.int64], n_correct: int, max_trials: int
) -> NDArray[np.float64]:
    return posterior(prior, n, c).p_reach(n_correct - c, max_trials - n)
