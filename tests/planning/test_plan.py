import json
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import tomli_w

from dartune.analysis.figures.plan import plan_figure
from dartune.analysis.tables.plan import plan_grids
from dartune.config import (
    BudgetConfig,
    GiveUpConfig,
    MethodConfig,
    Prices,
    Prop2DiffMethod,
    UniformMethod,
    VanillaMethod,
)
from dartune.errors import ConfigError
from dartune.planning.advice import BUDGET_SHARE
from dartune.planning.beliefs import Belief, from_pass_rates, from_shape
from dartune.planning.forecast import Forecaster, Rates
from dartune.planning.pass_rates import PassRates
from dartune.planning.plan import Plan, make_plan
from dartune.planning.shapes import published_shape
from dartune.planning.suggest import LEAST_FILL, suggest
from dartune.planning.variants import variants
from dartune.recipes import load_recipe, recipe_toml
from dartune.types import Query
from fake_recipe import write_recipe

METHODS: dict[str, MethodConfig] = {
    "few": VanillaMethod(policy="vanilla", n_trials=8),
    "even": UniformMethod(policy="uniform", k=10, max_trials=256),
    "hard first": Prop2DiffMethod(policy="prop2diff", k=20, n_pilot=16, max_trials=256),
}


def belief(n: int = 600) -> Belief:
    return from_shape(published_shape(), [Query.of(f"q{i}", "1", level=i % 5 + 1) for i in range(n)])


@pytest.fixture(scope="module")
def plan() -> Plan:
    return make_plan("small", METHODS, belief(), Rates(tokens_per_s=1000.0), n_examples=4000)


def test_the_recipes_own_methods_come_first_and_nothing_twice(plan: Plan) -> None:
    assert [p.variant.name for p in plan.planned][:3] == list(METHODS)
    keys = [p.variant.method.model_dump_json(exclude={"equal_tokens_with"}) for p in plan.planned]
    assert len(set(keys)) == len(keys)
    assert {p.variant.family for p in plan.planned} == {"recipe", "tries", "exponent", "giving up", "cap", "target"}


def test_a_variant_whose_cap_is_below_its_target_is_left_out() -> None:
    tight: dict[str, MethodConfig] = {"even": UniformMethod(policy="uniform", k=40, max_trials=48)}
    found = variants(tight)
    assert "uniform cap 12" not in [v.name for v in found]
    assert "uniform k 80" not in [v.name for v in found]
    for variant in found:
        if not isinstance(variant.method, VanillaMethod):
            assert variant.method.k <= variant.method.max_trials


def test_a_recipe_of_vrt_alone_is_compared_with_the_papers_methods() -> None:
    names = [v.name for v in variants({"few": VanillaMethod(policy="vanilla", n_trials=8)})]
    assert "uniform give up" in names
    assert "prop2diff alpha 2" in names


def test_fill_and_cost_rise_with_the_cap(plan: Plan) -> None:
    for curve in plan.curves:
        fills = [t.total.fill.mean for t in curve.totals if t.total.fill is not None]
        raw = [t.total.raw_samples.mean for t in curve.totals]
        assert list(curve.caps) == sorted(curve.caps)
        assert len(fills) == len(raw) >= 4
        assert fills == sorted(fills)
        assert raw == sorted(raw)


def test_giving_up_saves_samples_and_costs_fill(plan: Plan) -> None:
    total = {p.variant.name: p.totals.total for p in plan.planned}
    plain, early = total["even"], total["uniform give up early"]
    assert early.raw_samples.mean < 0.9 * plain.raw_samples.mean
    assert early.fill is not None
    assert plain.fill is not None
    assert early.fill.mean < plain.fill.mean
    assert early.coverage.mean == pytest.approx(plain.coverage.mean)  # never-solved queries keep their cap


def test_advice_spends_a_tenth_of_each_method(plan: Plan) -> None:
    costs = {p.variant.name: p.totals.total.tokens for p in plan.planned}
    assert {a.method for a in plan.advice} == set(METHODS)
    for advice in plan.advice:
        cost = costs[advice.method]
        assert cost is not None
        assert advice.extra_cost == pytest.approx(BUDGET_SHARE * cost.mean)
    caps = [a for a in plan.advice if a.method == "even" and a.change == "raise the cap" and a.level is None]
    targets = [a for a in plan.advice if a.method == "even" and a.change == "raise k" and a.level is None]
    assert caps[0].extra_covered > targets[0].extra_covered == 0
    assert targets[0].extra_kept > caps[0].extra_kept


def test_advice_is_what_spending_a_tenth_more_gives() -> None:
    forecaster = Forecaster(belief(), Rates())
    now = forecaster.mean(METHODS["few"]).total
    more = forecaster.mean(VanillaMethod(policy="vanilla", n_trials=9)).total
    made = make_plan("x", {"few": METHODS["few"]}, belief(), Rates())
    (advice,) = [a for a in made.advice if a.level is None]
    assert advice.extra_kept == pytest.approx((more.kept.mean - now.kept.mean) * 0.1 * 8)


def test_suggested_settings_give_the_size_at_the_fill(plan: Plan) -> None:
    assert plan.suggestions is not None
    assert {s.method.policy for s in plan.suggestions.found} == {"uniform", "prop2diff"}
    for suggestion in plan.suggestions.found:
        forecast = suggestion.forecast
        assert 4000 <= forecast.kept.mean < 4600
        assert forecast.fill is not None
        assert forecast.fill.mean >= LEAST_FILL


def test_no_neighbour_of_the_suggested_settings_is_cheaper() -> None:
    forecaster = Forecaster(belief(), Rates())
    found = suggest(4000, METHODS, forecaster).found[0]
    assert isinstance(found.method, UniformMethod)
    for cap in (found.method.max_trials // 2, found.method.max_trials * 2):
        for k in range(1, 12):
            if k > cap:
                continue
            other = forecaster.mean(UniformMethod(policy="uniform", k=k, max_trials=cap)).total
            assert other.fill is not None
            is_enough = other.kept.mean >= 4000 and other.fill.mean >= LEAST_FILL
            assert not is_enough or other.raw_samples.mean > found.forecast.raw_samples.mean


def test_the_suggestion_is_a_part_of_a_recipe(plan: Plan, tmp_path: Path) -> None:
    assert plan.suggestions is not None
    tree = tomllib.loads(recipe_toml(load_recipe(write_recipe(tmp_path))))
    others = {key: value for key, value in tree.items() if key not in ("methods", "curation")}
    path = tmp_path / "suggested.toml"
    path.write_text(tomli_w.dumps(others) + "\n" + plan.suggestions.toml, encoding="utf-8")
    recipe = load_recipe(path)
    assert recipe.curation.n_examples == 4000
    assert recipe.methods["uniform"] == plan.suggestions.found[0].method


def test_a_size_that_cannot_be_had_is_refused() -> None:
    n = 20
    rates = PassRates(
        query_ids=tuple(f"{i:032x}" for i in range(n)),
        pass_rate=np.zeros(n),
        level=np.zeros(n, np.int64),
        mean_tokens=np.full(n, np.nan),
        n_trials=np.zeros(n, np.int64),
    )
    with pytest.raises(ConfigError, match=r"--n-examples 100: expected a size that 20 queries can give"):
        make_plan("x", METHODS, from_pass_rates(rates, source="zeros", seed=0), Rates(), n_examples=100)


def test_giving_up_in_the_recipe_is_planned_and_can_be_turned_off() -> None:
    method = UniformMethod(policy="uniform", k=10, max_trials=256, give_up=GiveUpConfig(below=0.5, min_yield=1.0))
    made = make_plan("x", {"given up": method}, belief(200), Rates())
    assert "give up nobody" in {advice.change for advice in made.advice}
    assert "uniform give up nobody" in {p.variant.name for p in made.planned}


@pytest.mark.parametrize(
    ("budget", "unit"),
    [
        (BudgetConfig(tokens=1e6), "tokens"),
        (BudgetConfig(gpu_hours=0.01, n_gpus=2), "hours"),
        (BudgetConfig(money=0.5), "money"),
    ],
)
def test_a_budget_is_told_how_far_it_goes(budget: BudgetConfig, unit: str) -> None:
    rates = Rates(prices=Prices(completion=1.0), tokens_per_s=20_000.0)
    made = make_plan("x", {"few": METHODS["few"]}, belief(600), rates, budget=budget)
    cost = getattr(made.planned[0].totals.total, unit).mean
    limit = {"tokens": 1e6, "hours": 0.005, "money": 0.5}[unit]
    assert made.budget_covers == pytest.approx({"few": limit / cost})


def test_a_budget_of_what_is_not_known_is_not_compared(plan: Plan) -> None:
    assert plan.budget_covers == {}
    made = make_plan("x", {"few": METHODS["few"]}, belief(60), Rates(), budget=BudgetConfig(gpu_hours=1.0))
    assert made.budget_covers == {}


def test_tables_say_nothing_of_what_is_not_known(plan: Plan) -> None:
    own = plan_grids(plan)[0]
    assert own.columns == (
        "method", "level", "queries", "raw samples", "tokens", "time", "kept", "covered %", "filled %",
    )  # fmt: skip
    assert [row[0] for row in own.rows if row[1] == "all"] == list(METHODS)
    assert len(own.rows) == 3 * 6
    assert all(len(row) == len(grid.columns) for grid in plan_grids(plan) for row in grid.rows)
    assert "±" in own.rows[6][3]


def test_the_figure_is_well_formed_and_says_what_it_shows(plan: Plan) -> None:
    drawn = plan_figure(plan)
    root = ElementTree.fromstring(drawn)
    words = " ".join(root.itertext())
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    for needed in ("small: 600 queries", "% of targets filled", "raw samples", "uniform", "prop2diff", "512"):
        assert needed in words, needed
    assert "<script" not in drawn


def test_a_name_cannot_break_the_figure() -> None:
    hostile = make_plan("<script>&\x1b[31m", {"few": METHODS["few"]}, belief(30), Rates())
    assert ElementTree.fromstring(plan_figure(hostile)) is not None
    assert "<script" not in plan_figure(hostile)


def test_a_plan_is_the_same_every_time(plan: Plan) -> None:
    again = make_plan("small", METHODS, belief(), Rates(tokens_per_s=1000.0), n_examples=4000)
    assert json.dumps(str(again)) == json.dumps(str(plan))
