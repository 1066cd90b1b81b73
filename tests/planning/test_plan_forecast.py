"""Forecasts against runs that are drawn try by try and counted by the library's own rules."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pytest

from dartune.allocation import n_trials_needed
from dartune.config import GiveUpConfig, MethodConfig, Prices, Prop2DiffMethod, UniformMethod, VanillaMethod
from dartune.methods import method_targets
from dartune.planning.beliefs import Belief, from_pass_rates, from_pilot, from_shape
from dartune.planning.forecast import Expected, Forecaster, Rates
from dartune.planning.made import Made, nothing_made
from dartune.planning.pass_rates import PassRates
from dartune.planning.shapes import published_shape
from dartune.types import Query

MOST = 96
METHODS: dict[str, MethodConfig] = {
    "vrt": VanillaMethod(policy="vanilla", n_trials=12),
    "uniform": UniformMethod(policy="uniform", k=4, max_trials=64),
    "prop2diff": Prop2DiffMethod(policy="prop2diff", k=8, n_pilot=8, max_trials=64),
    "concave": Prop2DiffMethod(policy="prop2diff", k=9, alpha=0.5, cover=2, n_pilot=6, max_trials=MOST),
    "giving up": UniformMethod(
        policy="uniform", k=6, max_trials=MOST, n_pilot=8, give_up=GiveUpConfig(below=0.5, min_yield=1.0)
    ),
    "giving up by difficulty": Prop2DiffMethod(
        policy="prop2diff", k=12, n_pilot=8, max_trials=MOST, give_up=GiveUpConfig(below=0.3, min_yield=1.0)
    ),
}


class Run(NamedTuple):
    """Every try that any method could make, and its length."""

    queries: tuple[Query, ...]
    pass_rates: np.ndarray
    is_right: np.ndarray
    tokens: np.ndarray


def draw_run(rng: np.random.Generator, n: int, hard_share: float = 0.3) -> Run:
    levels = rng.integers(1, 4, n)
    hard = rng.random(n) < hard_share * levels / 2
    pass_rates = np.where(hard, rng.beta(1, 15, n), rng.beta(8, 2, n))
    own_length = 40.0 * levels * rng.lognormal(0, 0.2, n)
    return Run(
        queries=tuple(Query.of(f"q{i}", "1", level=int(level)) for i, level in enumerate(levels)),
        pass_rates=pass_rates,
        is_right=rng.random((n, MOST)) < pass_rates[:, None],
        tokens=np.rint(own_length[:, None] * rng.lognormal(0, 0.3, (n, MOST))),
    )


def made_of(run: Run, n: int) -> Made:
    """The first n tries of each query."""
    right, tokens = run.is_right[:, :n], run.tokens[:, :n]

    def sums(chosen: np.ndarray) -> np.ndarray:
        return np.stack([(chosen * tokens**i).sum(axis=1) for i in (1, 2)], axis=1)

    start = np.zeros((len(right), 1))
    return Made(
        n_tries=np.full(len(right), n),
        n_correct=np.hstack([start, right.cumsum(axis=1)]).astype(np.int32),
        n_tokens=np.hstack([start, tokens.cumsum(axis=1)]),
        right_tokens=sums(right),
        wrong_tokens=sums(~right),
        prompt_tokens=np.full(len(right), 10.0),
    )


def actual(run: Run, method: MethodConfig) -> dict[str, float]:
    """What the method takes and gives, by the rules that charge and choose."""
    ids = [query.id for query in run.queries]
    outcomes = {q: dict(enumerate(row.tolist())) for q, row in zip(ids, run.is_right, strict=True)}
    raw = tokens = correct = kept = covered = 0.0
    fills = []
    for i, target in enumerate(method_targets(method, ids, outcomes)):
        n = n_trials_needed(run.is_right[i].tolist(), target)
        right = int(run.is_right[i, :n].sum())
        chosen = min(right, target.n_correct) if target.n_correct else right
        raw, tokens, correct, kept = raw + n, tokens + run.tokens[i, :n].sum(), correct + right, kept + chosen
        covered += chosen > 0
        fills.append(chosen / target.n_correct if target.n_correct else 0.0)
    return {
        "raw_samples": raw,
        "correct": correct,
        "kept": kept,
        "coverage": covered / len(ids),
        "fill": float(np.mean(fills)),
        "tokens": tokens,
    }


def z_scores(belief: Belief, run: Run, method: MethodConfig) -> dict[str, float]:
    """How far off each prediction is, in standard deviations of its own interval."""
    total = Forecaster(belief, Rates()).forecast(method).total
    found = {}
    for name, value in actual(run, method).items():
        predicted = getattr(total, name)
        if isinstance(predicted, Expected):
            found[name] = (value - predicted.mean) / max((predicted.high - predicted.low) / 3.29, 1e-9)
    return found


def known(run: Run, tokens: float = np.nan) -> Belief:
    """The true pass rates."""
    n = len(run.queries)
    rates = PassRates(
        query_ids=tuple(query.id for query in run.queries),
        pass_rate=run.pass_rates,
        level=np.array([query.level or 0 for query in run.queries]),
        mean_tokens=np.full(n, tokens),
        n_trials=np.zeros(n, np.int64),
    )
    return from_pass_rates(rates, source="truth", seed=0)


@pytest.mark.parametrize("name", METHODS)
def test_known_pass_rates_predict_means_and_spread(name: str) -> None:
    """Over 20 sets of queries the errors have mean 0 and variance 1."""
    rng = np.random.default_rng(11)
    scores = []
    for _ in range(20):
        run = draw_run(rng, 60)
        scores.append(z_scores(known(run), run, METHODS[name]))
    for quantity in ("raw_samples", "correct", "kept", "coverage", "fill"):
        values = [score[quantity] for score in scores if quantity in score]
        if name == "vrt" and quantity in ("raw_samples", "fill"):
            continue
        assert abs(np.mean(values)) < 0.7, quantity
        assert 0.5 < np.std(values) < 1.6, quantity


@pytest.mark.parametrize("name", METHODS)
def test_what_a_pilot_has_settled_is_counted_and_not_guessed(name: str) -> None:
    run = draw_run(np.random.default_rng(3), 60)
    belief = from_pilot(made_of(run, MOST), run.queries, source="all", tokens_per_s=None, seed=0)
    total = Forecaster(belief, Rates()).forecast(METHODS[name]).total
    counted = actual(run, METHODS[name])
    for quantity, value in counted.items():
        predicted = getattr(total, quantity)
        assert predicted is None or predicted == pytest.approx((value, value, value), rel=1e-9), quantity


@pytest.mark.parametrize("name", ["uniform", "prop2diff"])
def test_intervals_from_a_pilot_hold(name: str) -> None:
    """5 sets of queries: 5 quantities each, of which 90 % are to hold."""
    rng, inside = np.random.default_rng(8), []
    for seed in range(5):
        run = draw_run(rng, 200)
        belief = from_pilot(made_of(run, 4), run.queries, source="pilot", tokens_per_s=None, seed=seed)
        total = Forecaster(belief, Rates()).forecast(METHODS[name]).total
        counted = actual(run, METHODS[name])
        for quantity in ("raw_samples", "tokens", "kept", "coverage", "fill"):
            predicted = getattr(total, quantity)
            inside.append(predicted.low <= counted[quantity] <= predicted.high)
    assert np.mean(inside) >= 0.75


def test_more_tries_make_intervals_narrower() -> None:
    run = draw_run(np.random.default_rng(4), 200)
    widths = []
    for n in (2, 6, 24):
        belief = from_pilot(made_of(run, n), run.queries, source="pilot", tokens_per_s=None, seed=0)
        raw = Forecaster(belief, Rates()).forecast(METHODS["uniform"]).total.raw_samples
        widths.append(raw.high - raw.low)
    assert widths == sorted(widths, reverse=True)


def test_a_pilot_of_some_queries_tells_of_the_others() -> None:
    run = draw_run(np.random.default_rng(5), 400)
    made = made_of(run, 6)
    tried = np.arange(400) < 150
    part = Made(
        n_tries=np.where(tried, 6, 0),
        n_correct=np.where(tried[:, None], made.n_correct, 0),
        n_tokens=np.where(tried[:, None], made.n_tokens, 0.0),
        right_tokens=np.where(tried[:, None], made.right_tokens, 0.0),
        wrong_tokens=np.where(tried[:, None], made.wrong_tokens, 0.0),
        prompt_tokens=made.prompt_tokens,
    )
    belief = from_pilot(part, run.queries, source="some", tokens_per_s=None, seed=0)
    assert all(abs(score) < 3 for score in z_scores(belief, run, METHODS["uniform"]).values())


def test_levels_add_up() -> None:
    run = draw_run(np.random.default_rng(6), 200)
    belief = from_pilot(made_of(run, 4), run.queries, source="pilot", tokens_per_s=None, seed=0)
    totals = Forecaster(belief, Rates()).forecast(METHODS["prop2diff"])
    for quantity in ("raw_samples", "kept", "tokens"):
        parts = [getattr(part, quantity).mean for part in totals.by_level.values()]
        assert sum(parts) == pytest.approx(getattr(totals.total, quantity).mean)
    assert sum(part.n_queries for part in totals.by_level.values()) == 200


def test_money_and_hours_follow_from_tokens() -> None:
    run = draw_run(np.random.default_rng(7), 50)
    belief = from_pilot(made_of(run, 4), run.queries, source="pilot", tokens_per_s=None, seed=0)
    rates = Rates(prices=Prices(prompt=2.0, completion=5.0), tokens_per_s=100.0)
    total = Forecaster(belief, rates).forecast(METHODS["uniform"]).total
    assert total.tokens is not None
    assert total.money is not None
    assert total.hours is not None
    assert total.hours.mean == pytest.approx(total.tokens.mean / 360_000)
    assert total.money.mean == pytest.approx((total.tokens.mean * 5 + total.raw_samples.mean * 10 * 2) / 1e6)
    assert total.money.low < total.money.mean < total.money.high


def test_nothing_is_said_of_what_is_not_known() -> None:
    run = draw_run(np.random.default_rng(7), 50)
    total = (
        Forecaster(known(run), Rates(prices=Prices(completion=1.0), tokens_per_s=9.0)).forecast(METHODS["vrt"]).total
    )
    assert (total.tokens, total.money, total.hours, total.fill) == (None, None, None, None)
    assert Forecaster(known(run, 80.0), Rates()).forecast(METHODS["vrt"]).total.tokens is not None


def test_pass_rates_of_few_tries_are_not_taken_for_exact() -> None:
    run = draw_run(np.random.default_rng(9), 100)
    n = np.full(100, 8)
    counted = PassRates(
        query_ids=tuple(query.id for query in run.queries),
        pass_rate=run.is_right[:, :8].mean(axis=1),
        level=np.zeros(100, np.int64),
        mean_tokens=np.full(100, np.nan),
        n_trials=n,
    )
    belief = from_pass_rates(counted, source="file", seed=0)
    assert belief.made.n_tries.tolist() == [0] * 100
    assert all(abs(score) < 3 for score in z_scores(belief, run, METHODS["uniform"]).values())


def levels_of(queries: Sequence[Query]) -> list[int]:
    return [query.level or 0 for query in queries]


def test_the_published_shape_stands_in_where_nothing_is_known() -> None:
    queries = [Query.of(f"q{i}", "1", level=i % 6 or None) for i in range(60)]
    belief = from_shape(published_shape(), queries)
    assert belief.level.tolist() == levels_of(queries)
    assert "published" in belief.source
    totals = Forecaster(belief, Rates()).forecast(UniformMethod(policy="uniform"))
    assert (
        totals.by_level[5].raw_samples.mean > totals.by_level[1].raw_samples.mean > totals.by_level[0].raw_samples.mean
    )


def test_the_worst_query_of_an_easy_set_sets_the_scale_of_prop2diff() -> None:
    """f_max is the largest fail rate in the set, not 1."""
    n = 50
    queries = tuple(Query.of(f"q{i}", "1") for i in range(n))
    rng = np.random.default_rng(0)
    is_right = rng.random((n, MOST)) < 0.9
    run = Run(queries=queries, pass_rates=np.full(n, 0.9), is_right=is_right, tokens=np.ones((n, MOST)))
    assert nothing_made(n).n_right.tolist() == [0] * n
    scores = z_scores(known(run), run, METHODS["prop2diff"])
    assert abs(scores["kept"]) < 3
