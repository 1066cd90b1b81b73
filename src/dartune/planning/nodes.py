"""Distributions of a pass rate as weights over fixed nodes, so that any expectation is one matrix product (pure)."""

import numpy as np
from scipy.special import betainc, expit

from dartune.difficulty.prior import Posterior
from dartune.planning.tries import Floats

_LOGITS = np.linspace(-13.8, 8.0, 260)
_STEP = _LOGITS[1] - _LOGITS[0]

NODES: Floats = np.concatenate([[0.0], expit(_LOGITS), [1.0]])
"""Pass rates: 0, then 1e-6 to 0.9997 in steps of 8 % of p / (1 - p), then 1. Between two neighbours the tries until a
target differ so little from a straight line that reading them off it errs by less than 0.1 %."""

_EDGES = np.concatenate([[0.0], expit((_LOGITS[1:] + _LOGITS[:-1]) / 2), [1.0]])


def beta_weights(posterior: Posterior) -> Floats:
    """Weights of zero-inflated Beta distributions, shape (distributions, nodes); rows sum to 1."""
    a, b, p_zero = (np.atleast_1d(x)[:, None] for x in (posterior.a, posterior.b, posterior.p_zero))
    weights = np.zeros((len(a), len(NODES)))
    weights[:, 1:-1] = (1.0 - p_zero) * np.diff(betainc(a, b, _EDGES), axis=1)
    weights[:, 0] = p_zero[:, 0]
    return weights


def point_weights(pass_rates: Floats) -> Floats:
    """Weights of known pass rates: each is shared by the two nodes around it so that its mean is kept."""
    above = np.clip(np.searchsorted(NODES, pass_rates), 1, len(NODES) - 1)
    share = (pass_rates - NODES[above - 1]) / (NODES[above] - NODES[above - 1])
    weights = np.zeros((len(pass_rates), len(NODES)))
    rows = np.arange(len(pass_rates))
    weights[rows, above - 1] = 1.0 - share
    weights[rows, above] = share
    return weights
