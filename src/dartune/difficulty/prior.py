"""What a few tries say of a query's pass rate, given what those of all queries say of pass rates (pure).

Model: a query's pass rate p is 0 with probability `p_zero`, and Beta(a, b) otherwise; its tries are independent. The
three numbers are fitted to the counts of all queries (empirical Bayes; Robbins 1956, Casella 1985), by maximum marginal
likelihood of the zero-inflated beta-binomial. A rule that stops by what was seen so far does not change the likelihood,
so the counts may come from sampling that stopped at a target. The posterior is conjugate: Beta(a + c, b + n - c), and
where nothing was right, c = 0, a mass at 0 beside it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.special import betaincinv, betaln, gammaln

Floats = NDArray[np.float64]

_LOG_SPREAD = 2.0
"""Standard deviation of ln a and ln b in the penalty that keeps a fit to few queries finite."""
_BOUNDS = ((-12.0, 4.0), (-6.0, 6.0), (-6.0, 6.0))
"""Of logit p_zero, ln a and ln b."""


@dataclass(frozen=True, slots=True)
class Prior:
    """The distribution of pass rates over queries."""

    a: float = 1.0
    b: float = 1.0
    p_zero: float = 0.0
    """Share of queries that are never solved, in [0, 1)."""

    @property
    def mean(self) -> float:
        """Mean pass rate."""
        return (1.0 - self.p_zero) * self.a / (self.a + self.b)


@dataclass(frozen=True, slots=True)
class Posterior:
    """The distribution of each query's pass rate after its tries; arrays of one shape."""

    a: Floats
    b: Floats
    p_zero: Floats
    """Probability that the pass rate is 0."""

    def mean(self) -> Floats:
        """Expected pass rates: the raw ones, drawn towards the prior's mean the more, the fewer the tries."""
        return (1.0 - self.p_zero) * self.a / (self.a + self.b)

    def interval(self, level: float) -> tuple[Floats, Floats]:
        """Bounds between which each pass rate lies with probability `level`, as much outside on either side."""
        return self._quantile((1.0 - level) / 2.0), self._quantile((1.0 + level) / 2.0)

    def draw(self, rng: np.random.Generator) -> Floats:
        """One pass rate for each query."""
        return np.where(rng.random(self.a.shape) < self.p_zero, 0.0, rng.beta(self.a, self.b))

    def p_reach(self, need: ArrayLike, n_more: ArrayLike) -> Floats:
        """Probability of at least `need` correct responses in `n_more` more tries: a beta-binomial tail, exactly."""
        need, n_more, a, b, p_zero = np.broadcast_arrays(need, n_more, self.a, self.b, self.p_zero)
        # Fewer than `need`, summed term by term: targets are small beside caps.
        x = np.arange(int(np.max(need, initial=0)), dtype=np.float64)
        m, a_, b_ = (np.asarray(v, dtype=np.float64)[..., None] for v in (n_more, a, b))
        with np.errstate(divide="ignore", invalid="ignore"):
            log_pmf = (
                gammaln(m + 1) - gammaln(x + 1) - gammaln(np.maximum(m - x, 0) + 1)
                + betaln(a_ + x, b_ + np.maximum(m - x, 0)) - betaln(a_, b_)
            )  # fmt: skip
        terms = np.where((x < np.asarray(need)[..., None]) & (x <= m), np.exp(log_pmf), 0.0)
        reached = np.clip(1.0 - terms.sum(axis=-1), 0.0, 1.0)
        return np.where(np.asarray(need) <= 0, 1.0, (1.0 - p_zero) * reached)

    def _quantile(self, q: float) -> Floats:
        within = np.clip((q - self.p_zero) / np.maximum(1.0 - self.p_zero, 1e-300), 0.0, 1.0)
        return np.asarray(betaincinv(self.a, self.b, within))


def posterior(prior: Prior, n_trials: ArrayLike, n_correct: ArrayLike) -> Posterior:
    """The posterior of every query from its graded tries and the correct ones among them."""
    n, c = np.broadcast_arrays(np.asarray(n_trials, dtype=np.float64), np.asarray(n_correct, dtype=np.float64))
    a, b = prior.a + c, prior.b + n - c
    # Bayes' rule between "never" and "not yet"; one right response settles it.
    not_yet = (1.0 - prior.p_zero) * np.exp(betaln(prior.a, prior.b + n) - betaln(prior.a, prior.b))
    p_zero = np.where(c > 0, 0.0, prior.p_zero / (prior.p_zero + not_yet))
    return Posterior(a=a, b=b, p_zero=p_zero)


def fit_prior(n_trials: ArrayLike, n_correct: ArrayLike) -> Prior:
    """The prior under which the counts of all queries are most likely.

    Queries without tries say nothing and do not count; without any the prior is flat. ln a and ln b are held near 0 by
    a penalty that a hundred queries outweigh. Raises ValueError unless 0 <= n_correct <= n_trials.
    """
    n, c = np.broadcast_arrays(np.asarray(n_trials, dtype=np.int64), np.asarray(n_correct, dtype=np.int64))
    if np.any((c < 0) | (c > n)):
        raise ValueError("n_correct: expected 0 to n_trials correct responses for every query")
    pairs, weights = np.unique(np.stack([n, c], axis=-1)[n > 0], axis=0, return_counts=True)
    if not len(pairs):
        return Prior()
    tries, right = pairs[:, 0].astype(np.float64), pairs[:, 1].astype(np.float64)

    def loss(x: Floats) -> float:
        p_zero, a, b = 1.0 / (1.0 + np.exp(-x[0])), np.exp(x[1]), np.exp(x[2])
        beta = np.log1p(-p_zero) + betaln(a + right, b + tries - right) - betaln(a, b)
        log_p = np.where(right == 0, np.logaddexp(np.log(p_zero), beta), beta)
        return float(-(weights @ log_p) + ((x[1] / _LOG_SPREAD) ** 2 + (x[2] / _LOG_SPREAD) ** 2) / 2.0)

    # The likelihood may have two hills, one with many never solved and one with many hardly ever.
    fits = [
        minimize(loss, np.array(x), method="L-BFGS-B", bounds=_BOUNDS) for x in ((-3.0, 0.0, 0.0), (-6.0, -1.0, 0.0))
    ]
    x = min(fits, key=lambda fit: float(fit.fun)).x
    return Prior(a=float(np.exp(x[1])), b=float(np.exp(x[2])), p_zero=float(1.0 / (1.0 + np.exp(-x[0]))))
