"""From a method of a recipe to the target of every query (pure).

Methods share one pool: a try made for one counts for all. Each method's targets depend on what the pool holds only
through the first `n_pilot` tries of each query, so they come out the same however far the pool has grown since.
"""

from collections.abc import Mapping, Sequence
from typing import assert_never

from dartune.allocation import prop2diff, uniform, vanilla
from dartune.config import MethodConfig, Prop2DiffMethod, UniformMethod, VanillaMethod
from dartune.difficulty import pilot_difficulty
from dartune.types import Difficulty, Outcomes, Target


def pilot_target(method: MethodConfig) -> Target | None:
    """The tries of every query that a method must see before it can set targets; None if it needs none."""
    return vanilla(method.n_pilot) if isinstance(method, Prop2DiffMethod) else None


def method_targets(method: MethodConfig, query_ids: Sequence[str], outcomes: Outcomes) -> list[Target]:
    """The target of each query, in order, once the pilot tries are in `outcomes`."""
    match method:
        case VanillaMethod():
            return [vanilla(method.n_trials)] * len(query_ids)
        case UniformMethod():
            return [uniform(method.k, max_trials=method.max_trials)] * len(query_ids)
        case Prop2DiffMethod():
            return prop2diff(
                pilot_difficulties(method, query_ids, outcomes),
                k=method.k,
                cover=method.cover,
                max_trials=method.max_trials,
                n_pilot=method.n_pilot,
                alpha=method.alpha,
            )
        case _:
            assert_never(method)


def least_trials(method: MethodConfig) -> int:
    """Tries that a method makes for a query even if all are right."""
    match method:
        case VanillaMethod():
            return method.n_trials
        case UniformMethod():
            return method.k
        case Prop2DiffMethod():
            return max(method.n_pilot, method.cover)
        case _:
            assert_never(method)


def most_trials(method: MethodConfig) -> int:
    """Tries that a method makes for a query even if none is right."""
    return method.n_trials if isinstance(method, VanillaMethod) else method.max_trials


def pilot_difficulties(method: Prop2DiffMethod, query_ids: Sequence[str], outcomes: Outcomes) -> list[Difficulty]:
    """Each query's difficulty over the method's pilot tries."""
    return [_pilot_difficulty(outcomes.get(query_id, {}), method.n_pilot) for query_id in query_ids]


def _pilot_difficulty(tries: Mapping[int, bool | None], n_pilot: int) -> Difficulty:
    # Looking at the pilot's trials alone: there may be a thousand times as many others.
    graded = ((trial, right) for trial in range(n_pilot) if (right := tries.get(trial)) is not None)
    return pilot_difficulty(graded, n_pilot)
