"""A budget ends a run at its limit, however often the run is begun, and what it bought is the best for the money."""

from dataclasses import replace
from pathlib import Path

import pytest

from dartune.config import BudgetConfig, FakeEngineConfig, Prices, UniformMethod, WorthConfig
from dartune.engines.fake import FakeEngine
from dartune.errors import ConfigError
from dartune.grading import Grader
from dartune.pool import read_outcomes, read_spending
from dartune.prompts import load_template
from dartune.recipes import load_recipe
from dartune.sampling.budget import Budget
from dartune.sampling.job import Job, SamplingReport
from dartune.sampling.run import sample_pool
from dartune.types import Query, SamplingParams, Spending
from fake_recipe import write_recipe

PRICES = Prices(prompt=1.0, completion=10.0)
QUERIES = [Query.of(f"Problem {i} ?", str(i), level=i % 5 + 1) for i in range(200)]
WITHOUT_END = UniformMethod(policy="uniform", k=2_000, max_trials=2_000)


def budget(before: Spending | None = None, **limit: float) -> Budget:
    config = BudgetConfig.model_validate(limit)
    return Budget(config=config, prices=PRICES, before=before or Spending(), max_new_tokens=500)


def job(config: BudgetConfig, **changes: object) -> Job:
    whole = Job(
        queries=QUERIES,
        methods={"uniform": WITHOUT_END},
        template=load_template("plain"),
        params=SamplingParams(),
        seed=1,
        order="value",
        budget=config,
        prices=PRICES,
    )
    return replace(whole, **changes)  # type: ignore[arg-type]


def sample(the_job: Job, pool: Path, latency_s: float = 0.0) -> SamplingReport:
    engine = FakeEngine(FakeEngineConfig(n_places=32, latency_s=latency_s), QUERIES)
    with Grader() as grader:
        return sample_pool(the_job, engine=engine, grader=grader, pool=pool)


def test_requests_in_flight_count_at_the_mean_and_at_the_most_before_there_is_one() -> None:
    tokens = budget(tokens=10_000)
    assert tokens.allows(Spending(), n_samples=0, n_in_flight=19)
    assert not tokens.allows(Spending(), n_samples=0, n_in_flight=20)
    spent = Spending(n_prompt_tokens=1_000, n_tokens=4_000)
    assert tokens.allows(spent, n_samples=50, n_in_flight=49)
    assert not tokens.allows(spent, n_samples=50, n_in_flight=50)


def test_money_and_hours_are_counted_in_their_own_units_with_what_was_spent_before() -> None:
    money = budget(Spending(n_prompt_tokens=1_000_000, n_tokens=100_000), money=5.0)
    assert money.used(Spending(n_tokens=200_000)) == pytest.approx(4.0)
    assert money.left(Spending(n_tokens=200_000)).share == pytest.approx(0.2)
    assert money.left(Spending(n_tokens=200_000)).times_spent == pytest.approx(0.5)
    hours = budget(Spending(seconds=1_800), gpu_hours=8.0, n_gpus=8)
    assert hours.allows(Spending(seconds=1_700), n_samples=0, n_in_flight=10**6)
    assert not hours.allows(Spending(seconds=1_800), n_samples=9, n_in_flight=0)


@pytest.mark.parametrize("n_calls", [1, 3])
def test_a_run_ends_at_its_limit_and_further_calls_spend_nothing(n_calls: int, tmp_path: Path) -> None:
    for call in range(n_calls):  # the limit is raised at each call: what was spent before counts
        report = sample(job(BudgetConfig(tokens=60_000 * (call + 1) / n_calls)), tmp_path)
        assert report.is_spent
        assert not report.is_interrupted
    spent = read_spending(tmp_path)
    assert 0.97 * 60_000 < spent.n_tokens + spent.n_prompt_tokens < 1.03 * 60_000
    again = sample(job(BudgetConfig(tokens=60_000)), tmp_path)
    assert again.n_samples <= 3


def test_money_is_spent_to_the_limit_by_the_engines_prices(tmp_path: Path) -> None:
    report = sample(job(BudgetConfig(money=0.5)), tmp_path)
    assert report.cost == pytest.approx(0.5, rel=0.05)
    assert report.is_spent


def test_hours_end_a_run_also_where_earlier_calls_took_them(tmp_path: Path) -> None:
    report = sample(job(BudgetConfig(gpu_hours=2 / 3600, n_gpus=2)), tmp_path / "a", latency_s=0.05)
    assert report.is_spent
    assert 0.8 < report.elapsed_s < 3
    assert sample(job(BudgetConfig(gpu_hours=1.0), sampled_s=3_600.0), tmp_path / "b").n_samples == 0


def test_fairness_decides_what_a_budget_buys(tmp_path: Path) -> None:
    def n_correct_by_level(fairness: float) -> list[int]:
        pool = tmp_path / str(fairness)
        worth = WorthConfig(fairness=fairness)
        sample(job(BudgetConfig(tokens=600_000), worth=worth), pool)
        outcomes = read_outcomes(pool)
        return [
            sum(outcomes[q.id].n_correct for q in QUERIES if q.level == level and q.id in outcomes) for level in (1, 5)
        ]

    cheap, fair = n_correct_by_level(0.0), n_correct_by_level(20.0)
    assert cheap[0] > 10 * cheap[1]
    assert fair[0] < 1.5 * fair[1]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("budget.tokens=0", "budget.tokens"),
        ("budget.n_gpus=1", "exactly one of tokens, money and gpu_hours, got none"),
        ("budget={tokens = 5, gpu_hours = 1}", "got tokens and gpu_hours"),
        ("budget.money=3", "give engine.prices"),
    ],
)
def test_an_impossible_budget_is_one_clear_line(override: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_recipe(write_recipe(tmp_path), [override])
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
