"""Policies: how many correct responses, or how many tries, each query is given (pure).

All targets belong to one family (DART-Math section 3.1, with the exponent as our generalisation):

    target_i = max(cover, ceil(k * (f_i / f_max) ** alpha))

f_i is the fail rate of query i and f_max the largest in the set. alpha = 0 is DARS-Uniform, alpha = 1 is
DARS-Prop2Diff. Vanilla rejection tuning has no target: the same number of tries for every query.
"""

import math
from collections.abc import Sequence

from dartune.types import Difficulty, Target


def vanilla(n_trials: int) -> Target:
    """VRT: exactly `n_trials` tries, whatever they give."""
    return Target(min_trials=n_trials, max_trials=n_trials)


def uniform(k: int, *, max_trials: int, min_trials: int = 0) -> Target:
    """DARS-Uniform: tries until `k` are correct, at most `max_trials`, and the first `min_trials` in any case."""
    return Target(n_correct=k, max_trials=max_trials, min_trials=min_trials)


def prop2diff(
    difficulties: Sequence[Difficulty], *, k: float, cover: int, max_trials: int, n_pilot: int = 0, alpha: float = 1.0
) -> list[Target]:
    """DARS-Prop2Diff: the hardest query gets `k`, every other in proportion to its fail rate, none less than `cover`.

    A target per difficulty, in order. `n_pilot` tries have been made for each query to learn its difficulty.
    """
    counts = power_family([d.fail_rate for d in difficulties], k=k, cover=cover, alpha=alpha)
    return [Target(n_correct=n, max_trials=max_trials, min_trials=n_pilot) for n in counts]


def power_family(fail_rates: Sequence[float], *, k: float, cover: int, alpha: float) -> list[int]:
    """Targets max(cover, ceil(k * (f_i / f_max) ** alpha)) for fail rates in [0, 1].

    Where nothing fails (f_max = 0) there is no difficulty to follow: each query gets its share at ratio 0.
    Raises ValueError for a `cover` below 1: a target of 0 is that of VRT, which keeps all.
    """
    if cover < 1:
        raise ValueError(f"cover: expected 1 or more, got {cover}")
    f_max = max(fail_rates, default=0.0)
    ratios = [f / f_max if f_max > 0 else 0.0 for f in fail_rates]
    # Rounding to 9 places first: k * ratio is an integer in exact arithmetic far more often than in floating point,
    # and ceil must not turn 96.00000000000001 into 97.
    return [max(cover, math.ceil(round(k * ratio**alpha, 9))) for ratio in ratios]


def n_trials_needed(outcomes: Sequence[bool | None], target: Target) -> int:
    """Tries that a query with these `outcomes` (in trial order; None is an engine failure) costs under `target`.

    It is what strict sampling for this target alone makes: the tries up to its last wanted correct response, or to the
    one after which the query is given up, at least `min_trials`, at most `max_trials`. Where the outcomes end before
    that, all of them.
    """
    return max(_n_wanted(outcomes, target), min(target.min_trials, len(outcomes)))


def _n_wanted(outcomes: Sequence[bool | None], target: Target) -> int:
    if target.n_correct == 0:
        return 0
    n_correct = n_graded = 0
    for trial, is_correct in enumerate(outcomes[: target.max_trials]):
        n_correct += is_correct is True
        n_graded += is_correct is not None
        if n_correct == target.n_correct or (target.caps is not None and n_graded >= target.caps[n_correct]):
            return trial + 1
    return min(target.max_trials, len(outcomes))
