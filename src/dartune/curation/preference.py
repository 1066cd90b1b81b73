"""Which of a query's correct responses are preferred when there are more than a method wants (pure).

Whatever the rule, ties fall to the earlier trial, and nothing depends on the order in which responses arrived.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, assert_never

import numpy as np
from numpy.typing import NDArray

from dartune.config import CurationConfig

Trials = NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sketches:
    """What is known of the wording of one query's correct responses without their texts."""

    rows: NDArray[np.int32]
    """Trial -> row of `signatures` and place in `steps`; -1 where there is none."""
    signatures: NDArray[np.uint32]
    """MinHash signatures of the runs of words of each."""
    steps: Sequence[frozenset[int]]
    """Hashes of the solution steps of each."""


class Preference(NamedTuple):
    """Correct responses, the preferred ones first."""

    trials: Trials
    n_near_duplicates: int
    """Left out because an earlier one reads nearly the same."""


def preferred(
    trials: Trials,
    config: CurationConfig,
    *,
    n_tokens: NDArray[np.int32],
    teachers: NDArray[np.int16],
    sketches: Sketches | None,
) -> Preference:
    """The `trials`, given in order, by the recipe's rules; `n_tokens` and `teachers` (places) are by trial."""
    kept = trials
    if config.pick == "diverse":
        assert sketches is not None
        kept = _without_near_duplicates(trials, sketches, config.max_similarity)
    shares = [kept[teachers[kept] == place] for place in range(max(1, len(config.teachers)))]
    ordered = [_ordered(share, config, n_tokens, sketches) for share in shares]
    return Preference(_merged(ordered, in_turn=config.teacher_rule == "in_turn"), len(trials) - len(kept))


def _ordered(trials: Trials, config: CurationConfig, n_tokens: NDArray[np.int32], sketches: Sketches | None) -> Trials:
    match config.pick:
        case "trial_order":
            return trials
        case "shortest":
            return trials[np.argsort(n_tokens[trials], kind="stable")]
        case "median_length":
            lengths = n_tokens[trials]
            return trials[np.argsort(np.abs(lengths - np.median(lengths)), kind="stable")] if len(trials) else trials
        case "diverse":
            assert sketches is not None
            return _farthest_first(trials, sketches)
        case _:
            assert_never(config.pick)


def _without_near_duplicates(trials: Trials, sketches: Sketches, max_similarity: float) -> Trials:
    """Those that are no more alike than `max_similarity` to any that is kept before them."""
    signatures = sketches.signatures[sketches.rows[trials]]
    kept: list[int] = []
    for i, signature in enumerate(signatures):
        # The share of equal entries estimates the Jaccard index of the sets of runs (Broder 1997).
        if not kept or (signatures[kept] == signature).mean(axis=1).max() <= max_similarity:
            kept.append(i)
    return trials[kept]


def _farthest_first(trials: Trials, sketches: Sketches) -> Trials:
    """The first, then again and again the one whose steps differ most from those of all before it.

    Gonzalez's farthest-first traversal (1985) under the Jaccard distance of the sets of steps.
    """
    steps = [sketches.steps[row] for row in sketches.rows[trials]]
    distances = np.full(len(steps), np.inf)
    order = []
    for _ in steps:
        chosen = int(np.argmax(distances))
        order.append(chosen)
        distances = np.minimum(distances, [_distance(steps[chosen], other) for other in steps])
        distances[order] = -1
    return trials[order]


def _distance(one: frozenset[int], other: frozenset[int]) -> float:
    n_either = len(one | other)
    return 1 - len(one & other) / n_either if n_either else 0.0


def _merged(ordered: Sequence[Trials], *, in_turn: bool) -> Trials:
    """The teachers' responses, all of the first before any of the second, or one of each in turn."""
    joined = np.concatenate([np.zeros(0, np.int32), *ordered])
    if not in_turn:
        return joined
    rounds = np.concatenate([np.zeros(0, np.int64), *(np.arange(len(trials)) for trials in ordered)])
    return joined[np.argsort(rounds, kind="stable")]
