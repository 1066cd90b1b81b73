"""What the engine of a recipe says beside how it is built."""

import pytest

from dartune.config import (
    FREE_FIELDS,
    CustomEngineConfig,
    FakeEngineConfig,
    OpenAIEngineConfig,
    Prices,
    RayEngineConfig,
    ReplayEngineConfig,
    TransformersEngineConfig,
    VllmEngineConfig,
    local_model,
    prices_of,
    with_model,
)
from dartune.errors import ConfigError
from dartune.pipeline.folder import contradictions
from dartune.recipes import change_recipe, load_recipe

SERVER = OpenAIEngineConfig(model="m", base_urls=("http://a/v1/",), prices=Prices(prompt=1.0, completion=4.0))
ALL = (
    FakeEngineConfig, ReplayEngineConfig, TransformersEngineConfig, OpenAIEngineConfig, VllmEngineConfig,
    RayEngineConfig, CustomEngineConfig,
)  # fmt: skip


def test_a_url_loses_its_last_slash() -> None:
    assert SERVER.base_urls == ("http://a/v1",)


def test_prices_are_the_servers_also_on_a_cluster() -> None:
    assert prices_of(SERVER) == prices_of(RayEngineConfig(engine=SERVER)) == Prices(prompt=1.0, completion=4.0)
    assert prices_of(FakeEngineConfig()) == Prices()


def test_a_model_is_put_where_the_weights_are_loaded() -> None:
    on_ray = RayEngineConfig(engine=VllmEngineConfig(model="old"), n_replicas=3)
    changed = with_model(on_ray, "new")
    assert (local_model(on_ray), local_model(changed)) == ("old", "new")
    assert with_model(TransformersEngineConfig(model="old"), "new").model_dump()["model"] == "new"
    assert local_model(SERVER) is None
    with pytest.raises(ConfigError, match="'openai_http' cannot load the models of a run; expected 'transformers' or"):
        with_model(SERVER, "new")


def test_free_fields_are_fields() -> None:
    assert FREE_FIELDS.issubset(field for config in ALL for field in config.model_fields)


@pytest.mark.parametrize(
    ("changes", "is_free"),
    [
        ({"engine.base_urls": ["http://b/v1"], "engine.max_in_flight": 3, "engine.prices.prompt": 2.0}, True),
        ({"engine.api_key_env": "OTHER", "engine.timeout_s": 3.0, "engine.urls_file": "u.txt"}, True),
        ({"engine.model": "n"}, False),
        ({"engine.extra_body.top_k": 3}, False),
        ({"engine.api": "chat"}, False),
    ],
)
def test_where_requests_go_may_change_and_what_is_asked_may_not(changes: dict[str, object], is_free: bool) -> None:
    engine = SERVER.model_dump(mode="json", exclude_none=True)
    recipe = change_recipe(load_recipe("demo"), {"engine": engine, "training": None, "evaluation": None})
    assert (contradictions(recipe, change_recipe(recipe, changes)) == "") is is_free
