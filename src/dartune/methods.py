"""From a method of a recipe to the target of every query (pure).

Methods share one pool: a try made for one counts for all. Each method's targets depend on what the pool holds only
through the first `n_pilot` tries of each query, so they come out the same however far the pool has grown since.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import assert_never

from dartune.allocation import prop2diff, uniform, vanilla
from dartune.config import GiveUpConfig, MethodConfig, Prop2DiffMethod, UniformMethod, VanillaMethod
from dartune.difficulty import pilot_difficulty
from dartune.types import Difficulty, Outcomes, Target


def pilot_target(method: MethodConfig) -> Target | None:
    """The tries of every query that a method must see before it can set targets; None if it needs none."""
    return None if isinstance(method, VanillaMethod) or not method.n_fixed else vanilla(method.n_fixed)


def method_targets(method: MethodConfig, query_ids: Sequence[str], outcomes: Outcomes) -> list[Target]:
    """The target of each query, in order, once the pilot tries are in `outcomes`."""
    match method:
        case VanillaMethod():
            return [vanilla(method.n_trials)] * len(query_ids)
        case UniformMethod():
            targets = [uniform(method.k, max_trials=method.max_trials, min_trials=method.n_fixed)] * len(query_ids)
        case Prop2DiffMethod():
            targets = prop2diff(
                pilot_difficulties(method, query_ids, outcomes),
                k=method.k,
                cover=method.cover,
                max_trials=method.max_trials,
                n_pilot=method.n_pilot,
                alpha=method.alpha,
            )
        case _:
            assert_never(method)
    if method.give_up is None:
        return targets
    return _giving_up(targets, method.give_up, pilot_difficulties(method, query_ids, outcomes))


def least_trials(method: MethodConfig) -> int:
    """Tries that a method makes for a query even if all are right."""
    match method:
        case VanillaMethod():
            return method.n_trials
        case UniformMethod():
            return max(method.k, method.n_fixed)
        case Prop2DiffMethod():
            return max(method.n_pilot, method.cover)
        case _:
            assert_never(method)


def most_trials(method: MethodConfig) -> int:
    """Tries that a method makes for a query even if none is right."""
    return method.n_trials if isinstance(method, VanillaMethod) else method.max_trials


def pilot_difficulties(
    method: UniformMethod | Prop2DiffMethod, query_ids: Sequence[str], outcomes: Outcomes
) -> list[Difficulty]:
    """Each query's difficulty over the method's pilot tries."""
    return [_pilot_difficulty(outcomes.get(query_id, {}), method.n_pilot) for query_id in query_ids]


def _giving_up(targets: Sequence[Target], config: GiveUpConfig, pilots: Sequence[Difficulty]) -> list[Target]:
    """The targets with the caps at which queries are given up, by the prior that the pilot tries give."""
    # Here, because scipy takes a third of a second, and most commands do without.
    from dartune.difficulty.prior import fit_prior
    from dartune.stopping import give_up_caps

    prior = fit_prior([d.n_trials for d in pilots], [d.n_correct for d in pilots])
    caps = {target: give_up_caps(target.n_correct, target.max_trials, prior, config) for target in set(targets)}
    return [replace(target, caps=caps[target]) for target in targets]


def _pilot_difficulty(tries: Mapping[int, bool | None], n_pilot: int) -> Difficulty:
    # Looking at the pilot's trials alone: there may be a thousand times as many others.
    graded = ((trial, right) for trial in range(n_pilot) if (right := tries.get(trial)) is not None)
    return pilot_difficulty(graded, n_pilot)
