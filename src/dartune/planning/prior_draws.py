"""How well the prior itself is known: draws of it from its own posterior (pure, seeded).

A few tries of a few hundred queries leave the hard tail of the prior open, and the tail decides the cost. The
posterior of (logit p_zero, logit of the Beta's mean, ln(a + b)) given the counts is drawn from by importance sampling:
a Student t around the fitted prior with its curvature, weighted, resampled. Hyperpriors are weak: ln a and ln b normal
around 0 as in `fit_prior`, logit p_zero normal around -4 with a standard deviation of 3.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, expit, logit

from dartune.difficulty.prior import Prior
from dartune.planning.tries import Floats

_LOG_SPREAD = 2.0
_ZERO_MEAN, _ZERO_SPREAD = -4.0, 3.0
_N_PROPOSED = 3000
_DEGREES = 4.0
_H = 0.05


def draw_priors(
    fitted: Prior, n_trials: NDArray[np.int64], n_correct: NDArray[np.int64], n_draws: int, rng: np.random.Generator
) -> list[Prior]:
    """`n_draws` equally likely priors, given counts to which `fitted` is the best one."""
    pairs, counts = np.unique(np.stack([n_trials, n_correct], axis=-1)[n_trials > 0], axis=0, return_counts=True)
    tries, right, weight = pairs[:, 0].astype(float), pairs[:, 1].astype(float), counts.astype(float)

    def log_density(x: Floats) -> Floats:
        a, b, p_zero = _parameters(x)
        a, b, zero = a[:, None], b[:, None], p_zero[:, None]
        beta = np.log1p(-zero) + betaln(a + right, b + tries - right) - betaln(a, b)
        log_p = np.where(right == 0, np.logaddexp(np.log(zero), beta), beta)
        hyper = (np.log(a[:, 0]) ** 2 + np.log(b[:, 0]) ** 2) / _LOG_SPREAD**2
        hyper += ((x[:, 0] - _ZERO_MEAN) / _ZERO_SPREAD) ** 2
        return np.asarray(log_p @ weight - hyper / 2.0)

    centre = np.array(
        [logit(np.clip(fitted.p_zero, 1e-4, 0.999)), np.log(fitted.a / fitted.b), np.log(fitted.a + fitted.b)]
    )
    covariance = _covariance(log_density, centre)
    root = np.linalg.cholesky(covariance)
    scale = np.sqrt(_DEGREES / rng.chisquare(_DEGREES, (_N_PROPOSED, 1)))
    normal = rng.standard_normal((_N_PROPOSED, 3)) * scale
    proposed = np.clip(centre + normal @ root.T, [-14, -9, -6], [6, 9, 9])
    log_proposal = -(_DEGREES + 3) / 2 * np.log1p((normal**2).sum(axis=1) / _DEGREES)
    log_weight = log_density(proposed) - log_proposal
    chance = np.exp(log_weight - log_weight.max())
    # One draw in each of n equal slices of the weights: fewer draws stand for the whole than by independent choice.
    at = (np.arange(n_draws) + rng.random(n_draws)) / n_draws
    order = np.argsort(proposed[:, 1])
    chosen = order[np.minimum(np.searchsorted(np.cumsum(chance[order]) / chance.sum(), at), _N_PROPOSED - 1)]
    a, b, p_zero = _parameters(proposed[chosen])
    return [Prior(a=float(x), b=float(y), p_zero=float(z)) for x, y, z in zip(a, b, p_zero, strict=True)]


def _parameters(x: Floats) -> tuple[Floats, Floats, Floats]:
    mean, total = expit(x[:, 1]), np.exp(x[:, 2])
    return total * mean, total * (1.0 - mean), expit(x[:, 0])


def _covariance(log_density: Callable[[Floats], Floats], centre: Floats) -> Floats:
    """Inverse of the negative curvature at the centre, made positive where the data say nothing."""
    steps = np.concatenate([np.zeros((1, 3)), *(
        np.array([_H * (i * np.eye(3)[p] + j * np.eye(3)[q])])
        for p in range(3) for q in range(p, 3) for i in (-1, 1) for j in (-1, 1)
    )])  # fmt: skip
    values = log_density(centre + steps)
    curvature = np.zeros((3, 3))
    at = 1
    for p in range(3):
        for q in range(p, 3):
            low_low, low_high, high_low, high_high = values[at : at + 4]
            curvature[p, q] = curvature[q, p] = -(high_high - high_low - low_high + low_low) / (4 * _H**2)
            at += 4
    eigenvalues, vectors = np.linalg.eigh(curvature)
    return np.asarray(vectors @ np.diag(1.0 / np.clip(eigenvalues, 0.1, None)) @ vectors.T)
