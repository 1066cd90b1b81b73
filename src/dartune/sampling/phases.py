"""What a run asks for, one phase after the other (pure).

1. The pilot: the first tries of every query, from which some methods derive their targets.
2. With a second chance: the targets, but a query without a correct response is held at `after` tries.
3. With a second chance: the next tries of those queries, asked in another way.
4. The targets of all methods.

Each phase is a function of the outcomes of the tries before it, so a run that is resumed goes through the same ones.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from dartune.config import MethodConfig
from dartune.methods import method_targets, pilot_target
from dartune.types import Outcomes, Target

Targets = Mapping[str, Sequence[Target]]
"""Query id -> a target for each method; a query that is not in it is not asked."""


class Hold(NamedTuple):
    """Where queries without a correct response wait for another way of being asked, and for how many tries."""

    after: int
    n_trials: int


def pilot(methods: Mapping[str, MethodConfig], ids: Sequence[str]) -> Targets:
    """The pilot tries; nothing where no method needs any."""
    pilots = [target for method in methods.values() if (target := pilot_target(method)) is not None]
    return dict.fromkeys(ids, pilots) if pilots else {}


def held(methods: Mapping[str, MethodConfig], ids: Sequence[str], outcomes: Outcomes, hold: Hold) -> Targets:
    """The targets as far as they go before any second chance."""
    whole = final(methods, ids, outcomes)
    return {query_id: [_held(target, hold.after) for target in targets] for query_id, targets in whole.items()}


def second(methods: Mapping[str, MethodConfig], ids: Sequence[str], outcomes: Outcomes, hold: Hold) -> Targets:
    """The targets of the queries that were held, to the end of their second chance."""
    whole = final(methods, ids, outcomes)
    return {
        query_id: [_until(target, hold.after + hold.n_trials) for target in targets]
        for query_id, targets in whole.items()
        if is_held(outcomes.get(query_id, {}), hold.after)
    }


def final(methods: Mapping[str, MethodConfig], ids: Sequence[str], outcomes: Outcomes) -> Targets:
    """What every method asks for, once the pilots are in."""
    by_method = [method_targets(method, ids, outcomes) for method in methods.values()]
    return {query_id: targets for query_id, *targets in zip(ids, *by_method, strict=True)}


def is_held(tries: Mapping[int, bool | None], after: int) -> bool:
    """Whether a query has had `after` graded tries, and none of the first of them was right."""
    n_graded = 0
    for trial in range(len(tries)):
        if n_graded == after or tries.get(trial) is True:
            break
        n_graded += tries.get(trial) is not None
    return n_graded == after


def _held(target: Target, after: int) -> Target:
    if target.n_correct == 0 or after >= target.max_trials:
        return target
    caps = target.caps or (target.max_trials,) * target.n_correct
    return replace(target, caps=(min(after, caps[0]), *caps[1:]))


def _until(target: Target, last: int) -> Target:
    caps = None if target.caps is None else tuple(min(cap, last) for cap in target.caps)
    return replace(target, max_trials=min(last, target.max_trials), caps=caps)
