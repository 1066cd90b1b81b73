"""Where the next tenth of a budget goes best: what a little more of each setting gives for what it costs (pure)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dartune.config import MethodConfig, VanillaMethod
from dartune.planning.forecast import Forecast, Forecaster, Totals
from dartune.planning.variants import with_cap, with_target

BUDGET_SHARE = 0.1
"""Of what the method costs; the gains are those of spending this much more."""
_STEP = 1.1
_FARTHEST = 50.0
"""How far a step's gain for its cost is carried on; a level whose step costs still less cannot take such a budget."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """One way to spend a tenth more, and what it would give."""

    method: str
    change: str
    level: int | None
    """The level at which alone the setting is raised; None for all queries, 0 for those without a level."""
    extra_cost: float
    """Completion tokens, or tries where nothing is known of lengths: a tenth of what the method costs."""
    extra_kept: float
    extra_covered: float
    """Queries."""


def advise(methods: Mapping[str, MethodConfig], forecaster: Forecaster) -> list[Advice]:
    """For each method, every change, those that keep most first."""
    found = []
    for name, method in methods.items():
        now = forecaster.mean(method)
        of_method = [
            advice
            for change, changed in _changes(method)
            for advice in _compare(name, change, now, forecaster.mean(changed))
        ]
        found += sorted(of_method, key=lambda advice: -advice.extra_kept)
    return found


def _changes(method: MethodConfig) -> Iterator[tuple[str, MethodConfig]]:
    if isinstance(method, VanillaMethod):
        more = max(method.n_trials + 1, round(method.n_trials * _STEP))
        yield "more tries", method.model_copy(update={"n_trials": more})
        return
    if (changed := with_target(method, max(int(method.k) + 1, round(method.k * _STEP)))) is not None:
        yield "raise k", changed
    if (changed := with_cap(method, max(method.max_trials + 1, round(method.max_trials * _STEP)))) is not None:
        yield "raise the cap", changed
    if method.give_up is not None:
        yield "give up nobody", method.model_copy(update={"give_up": None})


def _compare(name: str, change: str, now: Totals, then: Totals) -> Iterator[Advice]:
    parts: dict[int | None, tuple[Forecast, Forecast]] = {None: (now.total, then.total)}
    if len(now.by_level) > 1:
        parts |= {level: (now.by_level[level], then.by_level[level]) for level in now.by_level}
    budget = BUDGET_SHARE * _cost(now.total)
    for level, (before, after) in parts.items():
        spent = _cost(after) - _cost(before)
        if spent <= budget / _FARTHEST:
            continue
        scale = budget / spent
        covered = after.coverage.mean * after.n_queries - before.coverage.mean * before.n_queries
        yield Advice(
            method=name,
            change=change,
            level=level,
            extra_cost=budget,
            extra_kept=(after.kept.mean - before.kept.mean) * scale,
            extra_covered=max(0.0, min(covered * scale, (1.0 - before.coverage.mean) * before.n_queries)),
        )


def _cost(forecast: Forecast) -> float:
    return (forecast.tokens or forecast.raw_samples).mean
