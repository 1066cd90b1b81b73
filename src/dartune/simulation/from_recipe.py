"""From a recipe and pass rates to what is simulated."""

from dartune.config import EngineConfig, OpenAIEngineConfig, RayEngineConfig, Recipe, prices_of
from dartune.config.engines import CustomEngineConfig
from dartune.errors import ConfigError
from dartune.planning.pass_rates import PassRates
from dartune.simulation.simulate import Simulation


def simulation_of(recipe: Recipe, rates: PassRates, *, n_places: int | None = None) -> Simulation:
    """The recipe's sampling, on an engine of `n_places`, by default as many as its own engine has.

    Raises:
        ConfigError: `n_places` is None, and the recipe does not say how many requests its engine runs at a time; or
            its budget is one of time.
    """
    n_places = n_places or engine_places(recipe.engine)
    if n_places is None:
        raise ConfigError(
            f"engine: {recipe.engine.name!r} finds out how many requests run at a time when it runs; say it with "
            "--places N"
        )
    if recipe.budget and recipe.budget.gpu_hours:
        raise ConfigError("budget.gpu_hours: a simulation has no clock; give a budget of tokens or of money")
    return Simulation(
        methods=recipe.methods,
        rates=rates,
        n_places=n_places,
        seed=recipe.seed,
        sampling=recipe.sampling,
        budget=recipe.budget,
        prices=prices_of(recipe.engine),
    )


def engine_places(config: EngineConfig) -> int | None:
    """Requests that an engine runs at a time, over all its replicas or servers; None where its recipe does not say."""
    if isinstance(config, RayEngineConfig):
        n_places = engine_places(config.engine)
        return n_places and n_places * config.n_replicas
    if isinstance(config, OpenAIEngineConfig):
        return config.max_in_flight and config.max_in_flight * max(1, len(config.base_urls))
    return None if isinstance(config, CustomEngineConfig) else config.n_places
