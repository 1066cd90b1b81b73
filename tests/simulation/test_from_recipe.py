from typing import Any

import pytest

from dartune.config import BudgetConfig, Recipe
from dartune.errors import ConfigError
from dartune.simulation.from_recipe import engine_places, simulation_of
from simulated_queries import population


def recipe(engine: dict[str, Any]) -> Recipe:
    return Recipe.model_validate(
        {
            "name": "x",
            "seed": 5,
            "queries": {"source": "world/train"},
            "engine": engine,
            "sampling": {"max_new_tokens": 99},
            "methods": {"uniform": {"policy": "uniform"}},
        }
    )


SERVERS = {"name": "openai_http", "model": "m", "base_urls": ["http://a/v1", "http://b/v1"]}


@pytest.mark.parametrize(
    ("engine", "n_places"),
    [
        ({"name": "fake", "n_places": 7}, 7),
        ({"name": "vllm", "model": "m"}, 1024),
        ({"name": "ray", "engine": {"name": "fake", "n_places": 7}, "n_replicas": 3}, 21),
        ({**SERVERS, "max_in_flight": 9}, 18),
        (SERVERS, None),
        ({"name": "ray", "engine": SERVERS, "n_replicas": 3}, None),
        ({"name": "my.module:engine"}, None),
    ],
)
def test_places_are_those_of_all_replicas_and_servers(engine: dict[str, Any], n_places: int | None) -> None:
    assert engine_places(recipe(engine).engine) == n_places


def test_a_simulation_is_the_recipe_s_own() -> None:
    job = simulation_of(recipe({"name": "fake", "n_places": 7}), population(0.5))
    assert (job.n_places, job.seed, job.sampling.max_new_tokens, list(job.methods)) == (7, 5, 99, ["uniform"])
    assert simulation_of(recipe(SERVERS), population(0.5), n_places=3).n_places == 3
    with pytest.raises(ConfigError, match="'openai_http' finds out how many"):
        simulation_of(recipe(SERVERS), population(0.5))


def test_a_budget_of_time_has_no_meaning_without_a_clock() -> None:
    timed = recipe({"name": "fake"}).model_copy(update={"budget": BudgetConfig(gpu_hours=1)})
    with pytest.raises(ConfigError, match=r"budget\.gpu_hours"):
        simulation_of(timed, population(0.5))
    paid = recipe({**SERVERS, "max_in_flight": 9, "prices": {"completion": 2.0}})
    job = simulation_of(paid.model_copy(update={"budget": BudgetConfig(money=1)}), population(0.5))
    assert (job.budget, job.prices.completion) == (BudgetConfig(money=1), 2.0)
