"""Queries for simulations."""

import math

import numpy as np

from dartune.planning.pass_rates import PassRates


def population(*pass_rates: float, mean_tokens: float = math.nan) -> PassRates:
    """Queries with these pass rates, named q0, q1, ...; levels go round from 1 to 3."""
    n = len(pass_rates)
    return PassRates(
        query_ids=tuple(f"q{row}" for row in range(n)),
        pass_rate=np.array(pass_rates, dtype=np.float64),
        level=np.arange(n) % 3 + 1,
        mean_tokens=np.full(n, mean_tokens),
        n_trials=np.zeros(n, np.int64),
    )


def spread(n: int, *, seed: int = 0, mean_tokens: float = math.nan) -> PassRates:
    """Queries of all sorts, some of them hopeless."""
    random = np.random.default_rng(seed)
    pass_rate = random.beta(0.7, 0.7, n)
    return population(*np.where(random.random(n) < 0.05, 0.0, pass_rate), mean_tokens=mean_tokens)
