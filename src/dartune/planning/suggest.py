"""The settings that give a set of a wanted size at least cost, as a fragment of a recipe."""

from collections.abc import Mapping
from dataclasses import dataclass

import tomli_w

from dartune.config import MethodConfig, Prop2DiffMethod, UniformMethod
from dartune.errors import ConfigError
from dartune.planning.forecast import Forecast, Forecaster
from dartune.planning.variants import bases

LEAST_FILL = 0.9
"""Without this, the cheapest set of any size is many responses to easy queries alone. The paper's fill as well."""
_CAPS = tuple(2**i for i in range(4, 15))


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """One method with what it is expected to do."""

    name: str
    method: UniformMethod | Prop2DiffMethod
    forecast: Forecast


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestions:
    """The cheapest settings of Uniform and of Prop2Diff."""

    n_examples: int
    found: tuple[Suggestion, ...]

    @property
    def toml(self) -> str:
        """The recipe's [methods] and [curation], to be put in place of those that are there."""
        methods = {s.name: s.method.model_dump(mode="json", exclude_none=True) for s in self.found}
        return tomli_w.dumps({"methods": methods, "curation": {"n_examples": self.n_examples}})


def suggest(n_examples: int, methods: Mapping[str, MethodConfig], forecaster: Forecaster) -> Suggestions:
    """Settings under which `n_examples` are expected to be kept and `LEAST_FILL` of the targets filled.

    Raises ConfigError where no k and cap do that.
    """
    base = bases(methods)
    found = []
    for method in (base.uniform, base.prop2diff):
        best: Suggestion | None = None
        for cap in _CAPS:
            if (candidate := _cheapest(n_examples, method, cap, forecaster)) is None:
                continue
            forecast = forecaster.mean(candidate).total
            if best is None or _cost(forecast) < _cost(best.forecast):
                best = Suggestion(name=method.policy, method=candidate, forecast=forecast)
        if best is not None:
            full = forecaster.forecast(best.method).total
            found.append(Suggestion(name=best.name, method=best.method, forecast=full))
    if not found:
        n = forecaster.belief.n_queries
        raise ConfigError(
            f"--n-examples {n_examples}: expected a size that {n:,} queries can give at a fill of {LEAST_FILL:.0%} and "
            f"a cap of at most {_CAPS[-1]:,}; ask for fewer, or give more queries"
        )
    return Suggestions(n_examples=n_examples, found=tuple(found))


def _cheapest(
    n_examples: int, base: UniformMethod | Prop2DiffMethod, cap: int, forecaster: Forecaster
) -> UniformMethod | Prop2DiffMethod | None:
    """The least k, to 2 %, that keeps enough with this cap; None where none does, or its targets stay too empty."""
    if cap < getattr(base, "cover", 1):
        return None
    shared = {"max_trials": cap, "n_pilot": min(base.n_pilot, cap)}
    low, high, found = 0, cap + 1, None  # `low` keeps too little, `high` enough or cannot be
    k = -(-n_examples // forecaster.belief.n_queries)
    while high - low > max(1, low // 50):
        k = min(max(k, low + 1), high - 1)
        method = base.model_copy(update={**shared, "k": k})
        forecast = forecaster.mean(method).total
        assert forecast.fill is not None
        is_full = forecast.fill.mean >= LEAST_FILL
        if forecast.kept.mean >= n_examples:
            high, found = k, method if is_full else None
        elif not is_full:
            return None  # a larger target is emptier still
        else:
            low = k
        k = round(k * (n_examples / max(forecast.kept.mean, 1.0)) ** 1.1)
    return found


def _cost(forecast: Forecast) -> float:
    return (forecast.tokens or forecast.raw_samples).mean
