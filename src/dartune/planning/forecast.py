"""What a method will cost and give: totals with intervals, over all queries and by level (pure).

For each version of an uncertain prior the queries are independent, so means and variances add up, and a total over many
queries is close to normal; the forecast is the mixture over the versions. A query's variance is that of its tries at a
given pass rate plus that of their mean over its pass rates; that of its tokens has three parts more: of single lengths,
of the query's mean length, and, shared by all queries of a level, of the level's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from dartune.config import NO_PRICES, MethodConfig, Prices
from dartune.planning.beliefs import Belief
from dartune.planning.lengths import Lengths
from dartune.planning.made import Ints
from dartune.planning.outlook import Outlook, outlook
from dartune.planning.tries import Floats, Yield

INTERVAL = 0.9
"""Probability that a value lies in its interval, as much outside on either side."""
_N_POINTS = 200
_POINTS: Floats = ndtri((np.arange(_N_POINTS) + 0.5) / _N_POINTS)


class Expected(NamedTuple):
    """One predicted number."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What one method is expected to do with some queries, what a pool holds of it already included."""

    n_queries: int
    raw_samples: Expected
    """Tries with a response."""
    correct: Expected
    kept: Expected
    """Chosen for the training set, before duplicates are taken out and before `curation.n_examples`."""
    coverage: Expected
    """Share of queries with at least one kept."""
    fill: Expected | None
    """Mean over queries of kept / target; None where the method has no target."""
    tokens: Expected | None
    """Completion tokens; None where nothing is known of lengths."""
    money: Expected | None
    """By the engine's prices; None where it has none."""
    hours: Expected | None
    """None where no rate is known."""


class Totals(NamedTuple):
    """A forecast over all queries, and its parts."""

    total: Forecast
    by_level: Mapping[int, Forecast]
    """Level 0 holds the queries without one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """What turns tokens into money and hours."""

    prices: Prices = NO_PRICES
    tokens_per_s: float | None = None
    """Completion tokens of the whole engine."""


@dataclass(slots=True)
class Forecaster:
    """Forecasts of any method for one set of queries; remembers what it was asked before."""

    belief: Belief
    rates: Rates
    _means: dict[MethodConfig, Totals] = field(default_factory=dict)
    _mean_weights: Floats = field(init=False)

    def __post_init__(self) -> None:
        """Average the versions of the prior once."""
        self._mean_weights = np.mean(self.belief.weights, axis=0)

    def forecast(self, method: MethodConfig) -> Totals:
        """With intervals."""
        return self._totals(outlook(method, self.belief), self.belief.weights)

    def mean(self, method: MethodConfig) -> Totals:
        """The same means, and intervals that take the prior as known: for comparing many methods."""
        if method not in self._means:
            self._means[method] = self._totals(outlook(method, self.belief), (self._mean_weights,))
        return self._means[method]

    def _totals(self, view: Outlook, versions: tuple[Floats, ...]) -> Totals:
        belief = self.belief
        levels, group = np.unique(belief.level, return_inverse=True)
        pairs = _pair(view, belief.row, len(versions[0]))
        sums = [self._sums(view, _per_query(view, pairs, weights), group, len(levels)) for weights in versions]
        n_queries = np.bincount(group, minlength=len(levels))
        everything = [{name: part.over_all() for name, part in version.items()} for version in sums]
        return Totals(
            total=self._forecast(view, everything, 0, belief.n_queries),
            by_level={int(level): self._forecast(view, sums, i, int(n_queries[i])) for i, level in enumerate(levels)},
        )

    def _sums(self, view: Outlook, future: Yield, group: Ints, n_groups: int) -> "dict[str, _Sums]":
        """Mean and variance of each quantity, by group, under one version of the prior."""

        def add(known: Floats, mean: Floats, square: Floats, shared: Floats | float = 0.0) -> _Sums:
            variance = np.maximum(square - mean**2, 0.0)
            return _Sums(_by_group(group, known + mean, n_groups), _by_group(group, variance, n_groups) + shared)

        found = {
            "raw_samples": add(view.tries, future.tries, future.tries2),
            "correct": add(view.correct, future.correct, future.correct2),
            "kept": add(view.kept, future.kept, future.kept2),
            "coverage": add(view.covered, future.covered, future.covered),
            "fill": add(view.fill, future.fill, future.fill2),
        }
        if self.belief.right is not None and self.belief.wrong is not None:
            found["tokens"] = add(view.tokens, *self._lengths(future, group, n_groups, 1.0, 0.0))
            prices = self.rates.prices
            if prices != NO_PRICES:
                prompt = prices.prompt / 1e6 * self.belief.made.prompt_tokens
                known = view.tokens * prices.completion / 1e6 + view.tries * prompt
                found["money"] = add(known, *self._lengths(future, group, n_groups, prices.completion / 1e6, prompt))
        return found

    def _lengths(self, future: Yield, group: Ints, n_groups: int, price: float, per_try: Floats | float) -> "_Weighed":
        """Sum over tries of price * length + per_try: mean and mean square by query, and what a level shares."""
        assert self.belief.right is not None
        assert self.belief.wrong is not None
        right, wrong = _priced(self.belief.right, price), _priced(self.belief.wrong, price)
        n_wrong = future.tries - future.correct
        right2, both = future.correct2, future.cross - future.correct2
        wrong2 = future.tries2 - 2.0 * future.cross + future.correct2
        m_right, m_wrong = right.mean + per_try, wrong.mean + per_try
        square = (
            (m_right**2 + right.mean_variance) * right2
            + (m_wrong**2 + wrong.mean_variance) * wrong2
            + 2.0 * m_right * m_wrong * both
            + right.spread2 * future.correct
            + wrong.spread2 * n_wrong
        )
        shared = np.zeros(n_groups)
        for lengths, n in ((right, future.correct), (wrong, n_wrong)):
            follows = _by_group(group, lengths.shared * n, n_groups)
            variance = np.zeros(n_groups)
            variance[group] = lengths.level_variance
            shared += follows**2 * variance
        return _Weighed(m_right * future.correct + m_wrong * n_wrong, square, shared)

    def _forecast(self, view: Outlook, versions: "list[dict[str, _Sums]]", group: int, n_queries: int) -> Forecast:
        def expected(name: str, scale: float = 1.0, most: float = np.inf) -> Expected | None:
            if name not in versions[0]:
                return None
            means = np.array([version[name].mean[group] for version in versions]) * scale
            deviations = np.sqrt([version[name].variance[group] for version in versions]) * scale
            return _mixture(means, deviations, most)

        tokens_per_s = self.rates.tokens_per_s
        share = 1.0 / max(n_queries, 1)
        raw, correct, kept = expected("raw_samples"), expected("correct"), expected("kept")
        coverage = expected("coverage", share, 1.0)
        assert raw is not None
        assert correct is not None
        assert kept is not None
        assert coverage is not None
        return Forecast(
            n_queries=n_queries,
            raw_samples=raw,
            correct=correct,
            kept=kept,
            coverage=coverage,
            fill=expected("fill", share, 1.0) if view.has_targets else None,
            tokens=expected("tokens"),
            money=expected("money"),
            hours=expected("tokens", 1.0 / 3600.0 / tokens_per_s) if tokens_per_s else None,
        )


class _Sums(NamedTuple):
    """Of one quantity, by group of queries."""

    mean: Floats
    variance: Floats

    def over_all(self) -> "_Sums":
        return _Sums(self.mean.sum(keepdims=True), self.variance.sum(keepdims=True))


class _Weighed(NamedTuple):
    """Of a sum over tries."""

    mean: Floats
    square: Floats
    shared: Floats


class _Pairs(NamedTuple):
    """The different pairs of a state and a row of weights, among the queries that go on."""

    state: Ints
    row: Ints
    of_query: Ints
    """Index of each open query's pair."""


def _pair(view: Outlook, row: Ints, n_rows: int) -> _Pairs:
    is_open = view.state >= 0
    pairs, of_query = np.unique(view.state[is_open] * n_rows + row[is_open], return_inverse=True)
    return _Pairs(pairs // n_rows, pairs % n_rows, of_query)


def _per_query(view: Outlook, pairs: _Pairs, weights: Floats) -> Yield:
    """Moments of what is to come, mixed over each query's pass rates."""
    mixed = np.zeros((len(Yield._fields), len(pairs.state)))
    future = np.stack(view.future)
    for state in np.unique(pairs.state):
        at = pairs.state == state
        mixed[:, at] = future[:, state] @ weights[pairs.row[at]].T
    spread = np.zeros((len(Yield._fields), len(view.state)))
    spread[:, view.state >= 0] = mixed[:, pairs.of_query]
    return Yield(*spread)


def _priced(lengths: Lengths, price: float) -> Lengths:
    return Lengths(
        mean=lengths.mean * price,
        mean_variance=lengths.mean_variance * price**2,
        spread2=lengths.spread2 * price**2,
        shared=lengths.shared,
        level_variance=lengths.level_variance * price**2,
    )


def _by_group(group: Ints, values: Floats, n_groups: int) -> Floats:
    return np.bincount(group, values, n_groups).astype(np.float64)


def _mixture(means: Floats, deviations: Floats, most: float) -> Expected:
    points = np.clip(means[:, None] + deviations[:, None] * _POINTS, 0.0, most)
    tail = (1.0 - INTERVAL) / 2.0
    low, high = np.quantile(points, [tail, 1.0 - tail])
    return Expected(float(means.mean()), float(low), float(high))
