"""Pass rates of queries that were sampled until they had enough correct responses (pure)."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def unbiased_pass_rate(
    n_trials: ArrayLike, n_correct: ArrayLike, target: ArrayLike, min_trials: ArrayLike = 0
) -> NDArray[np.float64]:
    """Estimate of each query's pass rate that stopping at the target does not bias; in [0, 1].

    A query whose sampling ended with its k-th correct response ended on a success, so k / n is too high on average.
    (k - 1) / (n - 1) is unbiased (Haldane 1945, "On a method of estimating frequencies"). That is Girshick, Mosteller
    and Savage's estimator (1946) for the truncated rule "k correct or `max_trials` tries" as well: where the cap ended
    it, n_correct / n_trials is unbiased together with the other, and so it is where the target was met within
    `min_trials` that were made in any case. A target of 1 allows no better estimate than 1 in the first try and 0
    later; it is unbiased, and of little use alone. Queries that were given up early are taken as if by a cap, which
    makes their rates a little too low.

    Args:
        n_trials: Graded tries of each query, 1 or more.
        n_correct: Correct ones among them.
        target: Correct responses at which sampling would have stopped; 0 where tries alone were counted (VRT).
        min_trials: Tries made before any stop.

    Raises:
        ValueError: More correct responses than tries, or no tries.
    """
    n, c, k, m = np.broadcast_arrays(
        *(np.asarray(x, dtype=np.int64) for x in (n_trials, n_correct, target, min_trials))
    )
    if np.any(n < 1) or np.any((c < 0) | (c > n)):
        raise ValueError("n_trials, n_correct: expected 0 <= n_correct <= n_trials and n_trials >= 1")
    stopped = (k > 0) & (c == k) & (n > m)
    plain = c / n
    # One try that was right with a target of 1: the limit of 0 / 0 is what the rule gives, a pass rate of 1.
    inverse = np.where(n > 1, (c - 1) / np.maximum(n - 1, 1), 1.0)
    return np.where(stopped, inverse, plain)
