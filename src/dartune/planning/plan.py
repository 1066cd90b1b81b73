"""A plan: what a recipe's methods and their neighbours would cost and give, before anything is spent."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from dartune.config import BudgetConfig, MethodConfig, Prop2DiffMethod, UniformMethod
from dartune.planning.advice import Advice, advise
from dartune.planning.beliefs import Belief
from dartune.planning.forecast import Forecast, Forecaster, Rates, Totals
from dartune.planning.suggest import Suggestions, suggest
from dartune.planning.variants import Variant, bases, variants, with_cap

_N_CAPS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One method of the comparison with its forecast."""

    variant: Variant
    totals: Totals


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One method over caps (the paper's figure 4)."""

    name: str
    caps: tuple[int, ...]
    """Each twice the one before."""
    totals: tuple[Totals, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that `dartune plan` tells."""

    recipe: str
    source: str
    """What the forecasts rest on."""
    n_queries: int
    planned: tuple[Planned, ...]
    """The recipe's own methods first."""
    curves: tuple[Curve, ...]
    advice: tuple[Advice, ...]
    suggestions: Suggestions | None = None
    budget_covers: Mapping[str, float] = field(default_factory=dict)
    """Method of the recipe -> the share of its expected cost that the recipe's budget pays for; empty without a budget,
    or where what it limits is not known."""


def make_plan(
    name: str,
    methods: Mapping[str, MethodConfig],
    belief: Belief,
    rates: Rates,
    *,
    n_examples: int | None = None,
    budget: BudgetConfig | None = None,
) -> Plan:
    """Forecast `methods` and their variants; with `n_examples` also suggest settings for a set of that size.

    Raises ConfigError where a set of that size cannot be had.
    """
    forecaster = Forecaster(belief, rates)
    base = bases(methods)
    covers = {n: _covered(budget, forecaster.mean(method).total, belief) for n, method in methods.items()}
    return Plan(
        recipe=name,
        source=belief.source,
        n_queries=belief.n_queries,
        planned=tuple(Planned(variant=v, totals=forecaster.forecast(v.method)) for v in variants(methods)),
        curves=tuple(_curve(method, forecaster) for method in (base.uniform, base.prop2diff)),
        advice=tuple(advise(methods, forecaster)),
        suggestions=None if n_examples is None else suggest(n_examples, methods, forecaster),
        budget_covers={n: share for n, share in covers.items() if share is not None},
    )


def _covered(budget: BudgetConfig | None, forecast: Forecast, belief: Belief) -> float | None:
    """The share of a method's cost that a budget pays for; None where that is not known."""
    if budget is None:
        return None
    prompts = forecast.raw_samples.mean * float(belief.made.prompt_tokens.mean())
    costs = (
        (budget.tokens, forecast.tokens and forecast.tokens.mean + prompts),
        (budget.money, forecast.money and forecast.money.mean),
        (budget.gpu_hours, forecast.hours and forecast.hours.mean * budget.n_gpus),
    )
    return next((min(1.0, limit / cost) for limit, cost in costs if limit and cost), None)


def _curve(method: UniformMethod | Prop2DiffMethod, forecaster: Forecaster) -> Curve:
    """The method with its own cap, six steps below it and one above, as far as its target allows."""
    caps = [round(method.max_trials * 2.0**i) for i in range(2 - _N_CAPS, 2)]
    plain = method.model_copy(update={"give_up": None})
    possible = {cap: changed for cap in caps if (changed := with_cap(plain, cap)) is not None}
    return Curve(
        name=method.policy,
        caps=tuple(possible),
        totals=tuple(forecaster.forecast(changed) for changed in possible.values()),
    )
