"""How well the priors themselves are known: draws of them from their own posterior (pure, seeded).

A few tries of a few hundred queries leave the hard tail of a prior open, and the tail decides the cost. So the priors
of the levels are drawn, not fitted, and from a richer family than that of `dartune.difficulty.prior`: beside the
queries that are never solved and the Beta(a, b) of most, a share h is beyond the model most of the time, Beta(1, B).
With x = (logit p_zero, ln(a + b), logit a / (a + b), logit h, ln B) of a level,

    x1 ~ N(s1, 1), x2 ~ N(s2, 0.7), x3 ~ N(0, 3), x4 ~ N(-4.7, 2.5), x5 ~ N(3, 0.7)
    s1 ~ N(-6.5, 1.2), s2 ~ N(1, 1.5), and min(0, ln a) ~ N(0, 0.3)

s, which the levels share, is drawn from its posterior on a grid, as if all levels had the same x1 and x2; then each
level's x given s by importance sampling from Student t's around its best fits. What levels share moves all of them
together, so that their sum is no more certain than it is.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize
from scipy.special import betaln, expit, logsumexp

from dartune.difficulty.prior import Posterior
from dartune.planning.made import Ints
from dartune.planning.nodes import beta_weights
from dartune.planning.tries import Floats

_CENTRE, _SPREAD = np.array([-6.5, 1.0, 0.0, -4.7, 3.0]), np.array([1.2, 1.5, 3.0, 2.5, 0.7])
_SHARED, _OWN = slice(0, 2), slice(2, 5)
_POLE = 0.3
"""Standard deviation of ln a below 0."""
_OF_LEVEL = np.array([1.0, 0.7])
_LOW, _HIGH = np.array([-14.0, -5.0, -8.0, -12.0, 0.5]), np.array([6.0, 8.0, 8.0, 6.0, 6.0])
_BOUNDS: list[tuple[float, float]] = list(zip(_LOW.tolist(), _HIGH.tolist(), strict=True))
_GRID = (
    np.linspace(-10.0, 0.0, 6), np.linspace(-2.0, 5.0, 8), np.linspace(-6.0, 5.0, 23), np.linspace(-9.0, 3.0, 7),
    np.array([2.3, 3.0, 3.7]),
)  # fmt: skip
_STARTS: tuple[Floats, ...] = np.array([-6.0, 1.0, 0.0, -5.0, 3.0]), np.array([-6.0, 1.5, 1.0, 0.0, 3.0])
_N_PROPOSED = 1500
"""Around each best fit."""
_DEGREES = 4.0
_H = 0.05


class Counts(NamedTuple):
    """Tries of the queries of one level: different pairs, and how many queries have each."""

    tries: Floats
    right: Floats
    queries: Floats


class LevelPrior(NamedTuple):
    """Distribution of the pass rates of a level: 0, Beta(1, hard_b) or Beta(a, b)."""

    p_zero: float
    hard_share: float
    """Of those that are not 0."""
    hard_b: float
    a: float
    b: float

    def posterior_weights(self, n_trials: Ints, n_correct: Ints) -> Floats:
        """Of a query with these counts, over `NODES`; a row for each."""
        n, c = n_trials.astype(float), n_correct.astype(float)
        hard = (1.0 - self.p_zero) * self.hard_share * np.exp(_log_marginal(1.0, self.hard_b, n, c))
        main = (1.0 - self.p_zero) * (1.0 - self.hard_share) * np.exp(_log_marginal(self.a, self.b, n, c))
        zero = np.where(c == 0, self.p_zero, 0.0)
        total = np.maximum(hard + main + zero, 1e-300)
        none = np.zeros(len(n))
        of_hard = beta_weights(Posterior(a=1.0 + c, b=self.hard_b + n - c, p_zero=none))
        of_main = beta_weights(Posterior(a=self.a + c, b=self.b + n - c, p_zero=none))
        weights = (hard / total)[:, None] * of_hard + (main / total)[:, None] * of_main
        weights[:, 0] += zero / total
        return np.asarray(weights)


class _Proposed(NamedTuple):
    """Candidates for the parameters of one level."""

    x: Floats
    log_weight: Floats
    """Log-likelihood and log-density of what no level shares, less the log-density of being proposed."""


def count_pairs(n_trials: Ints, n_correct: Ints) -> Counts:
    """The different pairs of counts; queries without tries say nothing."""
    pairs, queries = np.unique(np.stack([n_trials, n_correct], axis=-1)[n_trials > 0], axis=0, return_counts=True)
    return Counts(pairs[:, 0].astype(float), pairs[:, 1].astype(float), queries.astype(float))


def draw_priors(levels: Sequence[Counts], n_draws: int, rng: np.random.Generator) -> list[list[LevelPrior]]:
    """`n_draws` equally likely versions, each with a prior for every level."""
    shared = _draw_shared(levels, n_draws, rng)
    drawn = [_draw_level(_propose(level, rng), shared, rng) for level in levels]
    return [[_prior(x[i]) for x in drawn] for i in range(n_draws)]


def _draw_shared(levels: Sequence[Counts], n_draws: int, rng: np.random.Generator) -> Floats:
    """Values of s, shape (draws, 2): a cell of the grid by its posterior, and anywhere in the cell."""
    grid = np.stack(np.meshgrid(*_GRID, indexing="ij"), axis=-1)
    flat, cells = grid.reshape(-1, 5), grid[:, :, 0, 0, 0, :2].reshape(-1, 2)
    own = _log_normal(flat[:, 2:], _OWN)
    log_p = _log_normal(cells, _SHARED)
    for level in levels:
        log_p = log_p + logsumexp((_log_likelihood(level, flat) + own).reshape(len(cells), -1), axis=1)
    chosen: Floats = cells[_spread_choice(np.exp(log_p - log_p.max()), n_draws, rng)]
    steps = np.array([_GRID[0][1] - _GRID[0][0], _GRID[1][1] - _GRID[1][0]])
    return np.asarray(rng.permutation(chosen + (rng.random((n_draws, 2)) - 0.5) * steps))


def _draw_level(proposed: _Proposed, shared: Floats, rng: np.random.Generator) -> Floats:
    """One of the candidates for each value of s, shape (draws, 5)."""
    distance = (proposed.x[None, :, :2] - shared[:, None, :]) / _OF_LEVEL
    log_p = proposed.log_weight - (distance**2).sum(axis=2) / 2.0
    chosen = (log_p + rng.gumbel(size=log_p.shape)).argmax(axis=1)
    return np.asarray(proposed.x[chosen])


def _propose(level: Counts, rng: np.random.Generator) -> _Proposed:
    def log_density(x: Floats) -> Floats:
        return _log_likelihood(level, x) + _log_normal(x, slice(0, 5))

    def loss(x: Floats) -> float:
        return -float(log_density(x[None])[0])

    centres, roots = [], []
    for start in _STARTS:
        fit = minimize(loss, start, method="L-BFGS-B", bounds=_BOUNDS)
        centres.append(fit.x)
        roots.append(np.asarray(np.linalg.cholesky(_covariance(log_density, fit.x)), np.float64))
    scale = np.sqrt(_DEGREES / rng.chisquare(_DEGREES, (len(centres), _N_PROPOSED, 1)))
    normal = rng.standard_normal((len(centres), _N_PROPOSED, 5)) * scale
    x = np.concatenate([c + z @ r.T for c, r, z in zip(centres, roots, normal, strict=True)])
    x = x[((x > _LOW) & (x < _HIGH)).all(axis=1)]
    log_proposal = logsumexp([_log_student(x, c, r) for c, r in zip(centres, roots, strict=True)], axis=0)
    return _Proposed(x, _log_likelihood(level, x) + _log_normal(x[:, 2:], _OWN) - log_proposal)


def _log_student(x: Floats, centre: Floats, root: Floats) -> Floats:
    """Of a Student t, but for a constant."""
    z = np.linalg.solve(root, (x - centre).T)
    return np.asarray(-(_DEGREES + 5) / 2 * np.log1p((z**2).sum(axis=0) / _DEGREES) - np.log(np.diag(root)).sum())


def _log_normal(x: Floats, which: slice) -> Floats:
    """Of the parameters `which`, whose values are the columns of `x`, but for a constant."""
    return np.asarray(-(((x - _CENTRE[which]) / _SPREAD[which]) ** 2).sum(axis=1) / 2.0)


def _log_likelihood(level: Counts, x: Floats) -> Floats:
    """Of the counts, at each row of `x`."""
    log_zero, log_other = -np.logaddexp(0.0, -x[:, :1]), -np.logaddexp(0.0, x[:, :1])
    log_hard, log_main = -np.logaddexp(0.0, -x[:, 3:4]), -np.logaddexp(0.0, x[:, 3:4])
    main = log_main + _log_marginal(*_shape(x[:, 1:3]), level.tries, level.right)
    hard = log_hard + _log_marginal(1.0, np.exp(x[:, 4:5]), level.tries, level.right)
    log_p = log_other + np.logaddexp(main, hard)
    # The mass near 0 is the hard part's: a Beta with a pole there would claim many queries that are all but unsolvable.
    pole = np.minimum(x[:, 1] - np.logaddexp(0.0, -x[:, 2]), 0.0) / _POLE
    return np.asarray(np.where(level.right == 0, np.logaddexp(log_zero, log_p), log_p) @ level.queries - pole**2 / 2.0)


def _shape(x: Floats) -> tuple[Floats, Floats]:
    """Parameters a and b, as columns, from ln(a + b) and logit a / (a + b)."""
    total, mean = np.exp(x[:, :1]), expit(x[:, 1:2])
    return np.maximum(total * mean, 1e-9), np.maximum(total * (1.0 - mean), 1e-9)


def _log_marginal(a: Floats | float, b: Floats | float, n: Floats, c: Floats) -> Floats:
    """Of c right in n tries in a given order, where the pass rate is Beta(a, b)."""
    return np.asarray(betaln(a + c, b + n - c) - betaln(a, b))


def _covariance(log_density: Callable[[Floats], Floats], centre: Floats) -> Floats:
    """Inverse of the negative curvature at the centre, bounded where the data say little."""
    n = len(centre)
    corners = [
        _H * (i * np.eye(n)[p] + j * np.eye(n)[q])
        for p in range(n) for q in range(p, n) for i in (-1, 1) for j in (-1, 1)
    ]  # fmt: skip
    values = log_density(centre + np.array(corners)).reshape(-1, 4)
    second = (values[:, 3] - values[:, 2] - values[:, 1] + values[:, 0]) / (4 * _H**2)
    curvature = np.zeros((n, n))
    curvature[np.triu_indices(n)] = -second
    curvature = curvature + np.triu(curvature, 1).T
    eigenvalues, vectors = np.linalg.eigh(curvature)
    return np.asarray(vectors @ np.diag(1.0 / np.clip(eigenvalues, 0.1, None)) @ vectors.T)


def _spread_choice(chance: Floats, n: int, rng: np.random.Generator) -> Ints:
    """`n` indices by chance, one in each of n equal slices of it: few draws that stand for the whole."""
    at = (np.arange(n) + rng.random(n)) / n * chance.sum()
    return np.asarray(np.minimum(np.searchsorted(np.cumsum(chance), at), len(chance) - 1))


def _prior(x: Floats) -> LevelPrior:
    a, b = _shape(x[None, 1:3])
    return LevelPrior(float(expit(x[0])), float(expit(x[3])), float(np.exp(x[4])), float(a[0, 0]), float(b[0, 0]))
