"""How well the priors themselves are known: draws of them from their own posterior (pure, seeded).

A few tries of a few hundred queries leave the hard tail of a prior open, and the tail decides the cost. So the priors
of the levels are drawn, not fitted, in a hierarchy. With x = (logit p_zero, ln(a + b), logit of the Beta's mean) of a
level,

    x1 ~ N(s1, 1), x2 ~ N(s2, 0.7), x3 ~ N(0, 3);  s1 ~ N(-5, 2), s2 ~ N(1, 1.5)

s, which the levels share, is drawn from its posterior on a grid, as if all levels had the same x1 and x2; then each
level's x given s by importance sampling from a Student t around its best fit. What levels share moves all of them
together, so that their sum is no more certain than it is.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import betaln, expit, logit, logsumexp

from dartune.difficulty.prior import Prior, fit_prior
from dartune.planning.made import Ints
from dartune.planning.tries import Floats

_CENTRE, _SPREAD = np.array([-5.0, 1.0, 0.0]), np.array([2.0, 1.5, 3.0])
_OF_LEVEL = np.array([1.0, 0.7])
_ZEROS, _TOTALS, _MEANS = np.linspace(-10.0, 1.0, 9), np.linspace(-2.0, 5.0, 10), np.linspace(-6.0, 5.0, 34)
_N_PROPOSED = 2000
_DEGREES = 4.0
_H = 0.05


class Counts(NamedTuple):
    """Tries of the queries of one level: different pairs, and how many queries have each."""

    tries: Floats
    right: Floats
    queries: Floats


class _Proposed(NamedTuple):
    """Candidates for the parameters of one level."""

    x: Floats
    log_weight: Floats
    """Log-likelihood less the log-density of being proposed."""


def count_pairs(n_trials: Ints, n_correct: Ints) -> Counts:
    """The different pairs of counts; queries without tries say nothing."""
    pairs, queries = np.unique(np.stack([n_trials, n_correct], axis=-1)[n_trials > 0], axis=0, return_counts=True)
    return Counts(pairs[:, 0].astype(float), pairs[:, 1].astype(float), queries.astype(float))


def draw_priors(levels: Sequence[Counts], n_draws: int, rng: np.random.Generator) -> list[list[Prior]]:
    """`n_draws` equally likely versions, each with a prior for every level."""
    shared = _draw_shared(levels, n_draws, rng)
    drawn = [_draw_level(_propose(level, rng), shared, rng) for level in levels]
    return [[_prior(x[i]) for x in drawn] for i in range(n_draws)]


def _draw_shared(levels: Sequence[Counts], n_draws: int, rng: np.random.Generator) -> Floats:
    """Values of s, shape (draws, 2): a cell of the grid by its posterior, and anywhere in the cell."""
    grid = np.stack(np.meshgrid(_ZEROS, _TOTALS, _MEANS, indexing="ij"), axis=-1).reshape(-1, 3)
    log_mean = -(((grid[:, 2] - _CENTRE[2]) / _SPREAD[2]) ** 2) / 2.0
    shape = len(_ZEROS), len(_TOTALS), len(_MEANS)
    log_p = sum(logsumexp((_log_likelihood(level, grid) + log_mean).reshape(shape), axis=2) for level in levels)
    cells = grid.reshape(*shape, 3)[:, :, 0, :2].reshape(-1, 2)
    log_p = np.reshape(log_p, -1) - (((cells - _CENTRE[:2]) / _SPREAD[:2]) ** 2).sum(axis=1) / 2.0
    chosen: Floats = cells[_spread_choice(np.exp(log_p - log_p.max()), n_draws, rng)]
    steps = np.array([_ZEROS[1] - _ZEROS[0], _TOTALS[1] - _TOTALS[0]])
    drawn: Floats = rng.permutation(chosen + (rng.random((n_draws, 2)) - 0.5) * steps)
    return drawn


def _draw_level(proposed: _Proposed, shared: Floats, rng: np.random.Generator) -> Floats:
    """One of the candidates for each value of s, shape (draws, 3)."""
    log_mean = -(((proposed.x[:, 2] - _CENTRE[2]) / _SPREAD[2]) ** 2) / 2.0
    distance = (proposed.x[None, :, :2] - shared[:, None, :]) / _OF_LEVEL
    log_p = proposed.log_weight + log_mean - (distance**2).sum(axis=2) / 2.0
    gumbel = rng.gumbel(size=log_p.shape)
    return np.asarray(proposed.x[(log_p + gumbel).argmax(axis=1)])


def _propose(level: Counts, rng: np.random.Generator) -> _Proposed:
    def log_density(x: Floats) -> Floats:
        return _log_likelihood(level, x) - (((x - _CENTRE) / _SPREAD) ** 2).sum(axis=1) / 2.0

    repeated = level.queries.astype(np.int64)
    fitted = fit_prior(
        np.repeat(level.tries.astype(np.int64), repeated), np.repeat(level.right.astype(np.int64), repeated)
    )
    centre = np.array(
        [logit(np.clip(fitted.p_zero, 1e-3, 0.99)), np.log(fitted.a + fitted.b), np.log(fitted.a / fitted.b)]
    )
    root = np.linalg.cholesky(_covariance(log_density, centre))
    scale = np.sqrt(_DEGREES / rng.chisquare(_DEGREES, (_N_PROPOSED, 1)))
    normal = rng.standard_normal((_N_PROPOSED, 3)) * scale
    x = np.clip(centre + normal @ root.T, [-14.0, -6.0, -9.0], [6.0, 9.0, 9.0])
    log_proposal = -(_DEGREES + 3.0) / 2.0 * np.log1p((normal**2).sum(axis=1) / _DEGREES)
    return _Proposed(x, _log_likelihood(level, x) - log_proposal)


def _log_likelihood(level: Counts, x: Floats) -> Floats:
    """Of the counts, at each row of `x`."""
    prior = x[:, None, :]
    log_zero, total, mean = -np.logaddexp(0.0, -prior[..., 0]), np.exp(prior[..., 1]), expit(prior[..., 2])
    a, b = np.maximum(total * mean, 1e-9), np.maximum(total * (1.0 - mean), 1e-9)
    log_not_zero = -np.logaddexp(0.0, prior[..., 0])
    beta = log_not_zero + betaln(a + level.right, b + level.tries - level.right) - betaln(a, b)
    return np.asarray(np.where(level.right == 0, np.logaddexp(log_zero, beta), beta) @ level.queries)


def _covariance(log_density: Callable[[Floats], Floats], centre: Floats) -> Floats:
    """Inverse of the negative curvature at the centre, bounded where the data say little."""
    corners = [
        _H * (i * np.eye(3)[p] + j * np.eye(3)[q])
        for p in range(3) for q in range(p, 3) for i in (-1, 1) for j in (-1, 1)
    ]  # fmt: skip
    values = log_density(centre + np.array(corners)).reshape(-1, 4)
    second = (values[:, 3] - values[:, 2] - values[:, 1] + values[:, 0]) / (4 * _H**2)
    curvature = np.zeros((3, 3))
    curvature[np.triu_indices(3)] = -second
    curvature = curvature + np.triu(curvature, 1).T
    eigenvalues, vectors = np.linalg.eigh(curvature)
    return np.asarray(vectors @ np.diag(1.0 / np.clip(eigenvalues, 0.1, None)) @ vectors.T)


def _spread_choice(chance: Floats, n: int, rng: np.random.Generator) -> Ints:
    """`n` indices by chance, one in each of n equal slices of it: few draws that stand for the whole."""
    at = (np.arange(n) + rng.random(n)) / n * chance.sum()
    return np.asarray(np.minimum(np.searchsorted(np.cumsum(chance), at), len(chance) - 1))


def _prior(x: Floats) -> Prior:
    mean, total = float(expit(x[2])), float(np.exp(x[1]))
    return Prior(a=max(total * mean, 1e-9), b=max(total * (1.0 - mean), 1e-9), p_zero=float(expit(x[0])))
