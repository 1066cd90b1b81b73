"""What is known of each query before a run: its pass rate, its lengths, the tries that are made already.

Queries of whose pass rate the same is known share a row of weights over `NODES`. Where the weights follow from a prior
that is itself uncertain, there are several equally likely versions of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dartune.planning.lengths import Lengths, fit_lengths, known_lengths
from dartune.planning.made import Ints, Made, coarse, nothing_made
from dartune.planning.nodes import NODES, point_weights
from dartune.planning.pass_rates import PassRates
from dartune.planning.prior_draws import count_pairs, draw_priors
from dartune.planning.shapes import Shape
from dartune.planning.tries import Floats
from dartune.types import Query

_MOST_DRAWS, _FEWEST_DRAWS = 32, 8
"""Versions of an uncertain prior: fewer where many queries differ in their counts, which then say more than a prior."""
_MOST_ROWS = 20_000
"""Of weights, in all versions together, while there are more than `_FEWEST_DRAWS`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Belief:
    """What is known; arrays with an entry for each query unless said otherwise."""

    source: str
    """Where it is from, in words."""
    level: Ints
    """0 where there is none."""
    row: Ints
    """The query's row in each of `weights`."""
    weights: tuple[Floats, ...]
    """Equally likely versions, each of shape (rows, nodes)."""
    right: Lengths | None
    """Tokens of right responses; None where nothing is known of lengths."""
    wrong: Lengths | None
    made: Made
    tokens_per_s: float | None = None

    @property
    def n_queries(self) -> int:
        """How many queries."""
        return len(self.level)


def from_pilot(made: Made, queries: Sequence[Query], *, source: str, tokens_per_s: float | None, seed: int) -> Belief:
    """From tries that were made: a posterior for each query, under a prior of its level."""
    level = _levels(queries)
    row, weights = _posteriors(made.n_tries, made.n_right, level, seed)
    n_wrong = made.n_tries - made.n_right
    ease = (made.n_right + 1.0) / (made.n_tries + 2.0)
    right = fit_lengths(made.n_right, made.right_tokens, ease, level)
    wrong = fit_lengths(n_wrong, made.wrong_tokens, ease, level)
    return Belief(
        source=source,
        level=level,
        row=row,
        weights=weights,
        right=_or_other(right, wrong),
        wrong=_or_other(wrong, right),
        made=made,
        tokens_per_s=tokens_per_s,
    )


def from_pass_rates(rates: PassRates, *, source: str, seed: int) -> Belief:
    """From pass rates: exact where the file does not say of how many tries, else a posterior as from a pilot.

    The tries behind them are not the run's own, and are not counted as made.
    """
    level = rates.level.astype(np.int64)
    n = rates.n_trials
    if (n > 0).all():
        row, weights = _posteriors(n, np.rint(rates.pass_rate * n).astype(np.int64), level, seed)
    else:
        values, row = np.unique(rates.pass_rate, return_inverse=True)
        weights = (point_weights(values),)
    lengths = None
    if (is_known := ~np.isnan(rates.mean_tokens)).any():
        lengths = known_lengths(np.where(is_known, rates.mean_tokens, rates.mean_tokens[is_known].mean()))
    return Belief(
        source=source,
        level=level,
        row=row,
        weights=weights,
        right=lengths,
        wrong=lengths,
        made=nothing_made(len(level)),
    )


def from_shape(shape: Shape, queries: Sequence[Query]) -> Belief:
    """From nothing but the queries' levels: the published shape, its lengths an assumption."""
    level = _levels(queries)
    groups = np.array([shape.group_of(query) for query in queries])
    lengths = known_lengths(shape.mean_tokens[groups])
    return Belief(
        source=shape.source,
        level=level,
        row=groups,
        weights=(shape.weights(),),
        right=lengths,
        wrong=lengths,
        made=nothing_made(len(queries)),
    )


def _posteriors(n: Ints, c: Ints, level: Ints, seed: int) -> tuple[Ints, tuple[Floats, ...]]:
    """A row for each different (level, n, c), and the rows' weights under each draw of the levels' priors."""
    levels, group = np.unique(level, return_inverse=True)
    n = coarse(n)
    c = np.minimum(coarse(c), n)
    rows, row = np.unique(np.stack([group, n, c], axis=1), axis=0, return_inverse=True)
    n_draws = min(_MOST_DRAWS, max(_FEWEST_DRAWS, _MOST_ROWS // len(rows)))
    counts = [count_pairs(n[group == i], c[group == i]) for i in range(len(levels))]
    versions = []
    for priors in draw_priors(counts, n_draws, np.random.default_rng(seed)):
        weights = np.zeros((len(rows), len(NODES)))
        for i, prior in enumerate(priors):
            at = rows[:, 0] == i
            weights[at] = prior.posterior_weights(rows[at, 1], rows[at, 2])
        versions.append(weights)
    return row.reshape(-1), tuple(versions)


def _levels(queries: Sequence[Query]) -> Ints:
    return np.array([query.level or 0 for query in queries], np.int64)


def _or_other(lengths: Lengths, other: Lengths) -> Lengths:
    """The other kind's where none of this kind was seen."""
    return other if np.isnan(lengths.mean).any() else lengths
