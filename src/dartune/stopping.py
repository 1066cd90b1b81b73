"""When a query is given up: a rule on counts, decided before the first try that it concerns (pure).

`Target.caps` holds the rule: entry c is the number of graded tries at which a query with exactly c correct responses is
given up. It depends on a query's own outcomes in trial order alone, so what is chosen and charged does not depend on
the order in which responses arrive.
"""

import numpy as np
from numpy.typing import NDArray

from dartune.config import GiveUpConfig
from dartune.difficulty.prior import Posterior, Prior, posterior

Ints = NDArray[np.int64]


def give_up_caps(n_correct: int, max_trials: int, prior: Prior, rule: GiveUpConfig) -> tuple[int, ...]:
    """Caps by number of correct responses, 0 to `n_correct` - 1, for a query that is to have `n_correct`.

    With a correct response, a query is given up at the first try after which the posterior probability of reaching
    `n_correct` within `max_trials` is less than `rule.below`, and its expected pass rate less than `rule.min_yield`.
    Without one, at the first after which the probability of any is less than `rule.unsolved`: a first correct response
    covers the query, and is worth more than one of forty.

    For a fixed number of correct responses all three fall with the tries, so each cap is found by bisection.
    """
    c = np.arange(n_correct)
    low, high = c.copy(), np.full(n_correct, max_trials)  # given up at `high`, never before `low`
    while np.any(low < high):
        middle = (low + high) // 2
        is_hopeless = _is_hopeless(posterior(prior, middle, c), n_correct - c, max_trials - middle, rule)
        low, high = np.where(is_hopeless, low, np.minimum(middle + 1, high)), np.where(is_hopeless, middle, high)
    return tuple(np.maximum(high, 1).tolist())


def _is_hopeless(seen: Posterior, need: Ints, n_more: Ints, rule: GiveUpConfig) -> NDArray[np.bool_]:
    """By number of correct responses, 0 first."""
    is_hopeless = (seen.p_reach(need, n_more) < rule.below) & (seen.mean() < rule.min_yield)
    is_hopeless[0] = rule.unsolved is not None and seen.p_reach(1, n_more)[0] < rule.unsolved
    return np.asarray(is_hopeless)
