from pathlib import Path

import pytest

from dartune.config import Recipe, TransformersEngineConfig
from dartune.errors import ConfigError
from dartune.recipes import change_recipe, load_recipe, packaged_recipes, recipe_hash, recipe_toml

SMALL = """
name = "small"
[queries]
source = "world/train"
[engine]
name = "fake"
[methods.vrt]
policy = "vanilla"
n_trials = 3
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(SMALL)
    return path


@pytest.mark.parametrize("name", packaged_recipes())
def test_packaged_recipes_are_valid_and_survive_a_round_trip(name: str, tmp_path: Path) -> None:
    recipe = load_recipe(name)
    assert recipe.name == name
    resolved = tmp_path / "resolved.toml"
    resolved.write_text(recipe_toml(recipe))
    assert load_recipe(resolved) == recipe
    assert recipe_hash(load_recipe(resolved)) == recipe_hash(recipe)


def test_defaults_are_the_papers(small: Path) -> None:
    sampling = load_recipe(small).sampling
    assert (sampling.temperature, sampling.top_p, sampling.max_new_tokens) == (1.6, 0.95, 2048)


def test_set_changes_a_key_and_the_hash(small: Path) -> None:
    changed = load_recipe(small, ["sampling.temperature=1.0", "name=other", "methods.vrt.n_trials=9"])
    assert changed.sampling.temperature == 1.0
    assert changed.name == "other"
    assert changed.methods["vrt"].model_dump()["n_trials"] == 9
    assert recipe_hash(changed) != recipe_hash(load_recipe(small))


def test_set_can_add_a_section(small: Path) -> None:
    changed = load_recipe(small, ["methods.more={policy='uniform',k=2,max_trials=9}"])
    assert list(changed.methods) == ["vrt", "more"]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("methods.vrt.n_tirals=4", "unknown key methods.vrt.n_tirals; did you mean 'n_trials'?"),
        ("engin.name=fake", "unknown key engin; did you mean 'engine'?"),
        ("engine.n_palces=1", "unknown key engine.n_palces; did you mean 'n_places'?"),
        ("sampling.zzz=1", "unknown key sampling.zzz; known keys: max_new_tokens, order, speculation,"),
        ("methods.vrt.n_trials=0", "methods.vrt.n_trials: Input should be greater than or equal to 1, got 0"),
        ("engine.name=vlm", "module:attribute, ray, got 'vlm'; did you mean 'vllm'?"),
        ("engine={}", "engine.name: expected one of fake, "),
        ("engine={name='openai_http',model='m'}", "engine: expected base_urls or urls_file, got neither"),
        ("engine={name='openai_http',base_urls=['http://h/v1']}", "engine.model is missing"),
        ("engine={name='openai_http',model='m',base_urls=['h:80']}", "engine.base_urls: expected a URL such as http"),
        ("engine={name='openai_http',model='m',base_urls=['http://u:p@h']}", "must not hold a user, a password"),
        ("engine={name='openai_http',model='m',base_urls=['http://h'],system='s'}", "system needs api"),
        ("engine={name='ray',engine={name='vllm',modle='m'}}", "engine.engine.model is missing"),
        ("engine={name='ray',engine={name='fake',n_palces=3}}", "key engine.engine.n_palces; did you mean 'n_places'?"),
        ("engine={name='ray',engine={name='ray',engine={name='fake'}}}", "engine.engine.name: expected one of fake"),
        ("engine={name='my:Engine',places=1}", "unknown key engine.places; known keys: name, options"),
        ("methods.a={k=1}", "methods.a.policy is missing"),
        ("methods.a={policy='unifrom',k=1}", "methods.a.policy: expected one of vanilla, uniform, prop2diff"),
        ("sampling.top_p=2", "sampling.top_p: Input should be less than or equal to 1, got 2"),
        ("name.x=2", "'name' is a value of the recipe, not a section"),
        ("methods={}", "methods: Dictionary should have at least 1 item"),
        ("methods.base={policy='vanilla',n_trials=1}", "methods.base: this name means the model itself"),
        ("methods.a={policy='uniform',k=9,max_trials=8}", "methods.a: k (9) must not exceed max_trials (8)"),
        ("methods.a={policy='prop2diff',k=inf}", "methods.a.k: Input should be a finite number"),
        ("sampling.max_new_tokens=3000000000", "Input should be less than or equal to 2147483647"),
        ("sampling.temperature=inf", "sampling.temperature: Input should be a finite number"),
        ("seed=-1", "seed: Input should be greater than or equal to 0"),
        ("name='../x'", "name: String should match pattern"),
        ("name=''", "name: String should match pattern"),
        ("study={seeds=[1,1],variants={a={}}}", "study: two seeds are the same"),
        ("study={seeds=[],variants={a={}}}", "study.seeds: Tuple should have at least 1 item"),
        ("study={seeds=[1],variants={}}", "study.variants: Dictionary should have at least 1 item"),
        ("evaluation={}", "evaluation has no model to score: add [training]"),
        ("evaluation={include_teacher=true,in_domain=['x']}", "evaluation.in_domain: expected names of"),
        ("sampling.temperature", "expected key=value"),
        ("=3", "expected key=value"),
    ],
)
def test_a_wrong_key_or_value_is_one_clear_line(small: Path, override: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_recipe(small, [override])
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_section_is_named(tmp_path: Path) -> None:
    path = tmp_path / "r.toml"
    path.write_text("name = 'x'")
    with pytest.raises(ConfigError, match="queries is missing"):
        load_recipe(path)


def test_a_pilot_beyond_the_cap_is_refused(small: Path) -> None:
    with pytest.raises(ConfigError, match="n_pilot \\(52\\) must not exceed max_trials \\(9\\)"):
        load_recipe(small, ["methods.p={policy='prop2diff',max_trials=9}"])


@pytest.mark.parametrize("content", [b"name = ", b"\xff\xfe"])
def test_a_file_that_is_not_toml_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "r.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"r\.toml: not valid TOML"):
        load_recipe(path)


def test_an_unknown_recipe_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"nowhere: no such recipe; .*demo"):
        load_recipe("nowhere")


def test_changes_of_a_study_reach_every_part() -> None:
    demo = load_recipe("demo")
    changed = change_recipe(demo, {"engine.model": "world:teacher-b", "training.model": "world:base-b", "seed": 5})
    assert isinstance(changed, Recipe)
    assert isinstance(changed.engine, TransformersEngineConfig)
    assert changed.engine.model == "world:teacher-b"
    assert changed.seed == 5
    with pytest.raises(ConfigError, match=r"demo: unknown key engine\.modle; did you mean 'model'"):
        change_recipe(demo, {"engine.modle": "x"})
