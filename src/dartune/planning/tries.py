"""How many tries a query takes, and what they give, in closed form (pure).

A query with pass rate p is tried until `need` responses are correct, or `room` tries are made. With X ~ Bin(room, p)
the number of correct ones among `room` tries and T the try of the `need`-th, it takes min(T, room) and gives
min(X, need).
Every moment here is a few tails of the binomial, P(Bin(n, p) >= j) = I_p(j, n - j + 1), because

    E[X (X - 1) ... (X - i + 1); X < need] = room ... (room - i + 1) p^i P(Bin(room - i, p) < need - i)
    E[T (T + 1) ... (T + i - 1); T <= room] = need ... (need + i - 1) p^-i P(Bin(room + i, p) >= need + i)

Wald's identity, E[min(X, need)] = p E[min(T, room)], follows and is a test.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc

Floats = NDArray[np.float64]

_TINY = 1e-300


class Rest(NamedTuple):
    """First and second moments of what is still to come for a query; arrays of one shape."""

    tries: Floats
    correct: Floats
    tries2: Floats
    """E[tries^2], and so on."""
    cross: Floats
    """E[tries * correct]."""
    correct2: Floats
    any: Floats
    """Probability of at least one correct response."""


def at_least(j: ArrayLike, n: ArrayLike, p: ArrayLike) -> Floats:
    """P(Bin(n, p) >= j) for whole j and n, of any sign, and p in [0, 1]."""
    j, n, p = np.broadcast_arrays(np.asarray(j, np.float64), np.asarray(n, np.float64), np.asarray(p, np.float64))
    tail = betainc(np.clip(j, 1, None), np.clip(n - j + 1, 1, None), p)
    return np.where(j <= 0, 1.0, np.where(j > n, 0.0, tail))


def until(need: ArrayLike, room: ArrayLike, p: ArrayLike) -> Rest:
    """Tries until `need` are correct, at most `room`. Nothing where `need` or `room` is 0 or less."""
    k, n, p = np.broadcast_arrays(np.asarray(need, np.float64), np.asarray(room, np.float64), np.asarray(p, np.float64))
    k = np.where(n > 0, np.clip(k, 0, None), 0.0)
    n = np.where(k > 0, n, 0.0)
    is_met, safe_p = at_least(k, n, p), np.maximum(p, _TINY)
    few = 1.0 - is_met
    x_short = n * p * (1.0 - at_least(k - 1, n - 1, p))
    xx_short = n * (n - 1) * p**2 * (1.0 - at_least(k - 2, n - 2, p)) + x_short
    t_met = k * (at_least(k + 1, n + 1, p) / safe_p)
    tt_met = k * (k + 1) * (at_least(k + 2, n + 2, p) / safe_p / safe_p) - t_met
    return Rest(
        tries=t_met + n * few,
        correct=x_short + k * is_met,
        tries2=tt_met + n**2 * few,
        cross=k * t_met + n * x_short,
        correct2=xx_short + k**2 * is_met,
        any=np.where(k > 0, at_least(1, n, p), 0.0),
    )


def fixed(n_trials: ArrayLike, p: ArrayLike) -> Rest:
    """Exactly `n_trials` tries; nothing where that is 0 or less."""
    n, p = np.broadcast_arrays(np.clip(np.asarray(n_trials, np.float64), 0, None), np.asarray(p, np.float64))
    mean = n * p
    return Rest(
        tries=n.astype(np.float64),
        correct=mean,
        tries2=n**2,
        cross=n * mean,
        correct2=mean * (1 - p) + mean**2,
        any=at_least(1, n, p),
    )


class Yield(NamedTuple):
    """First and second moments of what a method takes and keeps from here on; arrays of one shape."""

    tries: Floats
    correct: Floats
    kept: Floats
    covered: Floats
    fill: Floats
    """Kept over target; 0 where the method has no target."""
    tries2: Floats
    cross: Floats
    correct2: Floats
    kept2: Floats
    fill2: Floats


def keeping(rest: Rest, *, target: ArrayLike, is_covered: ArrayLike) -> Yield:
    """What is kept of `rest` where every correct response is wanted.

    `target` is the method's for the whole query, 0 where it has none; `is_covered` says whether one was kept before.
    """
    share = np.where(np.asarray(target) > 0, 1.0 / np.maximum(target, 1), 0.0)
    return Yield(
        tries=rest.tries,
        correct=rest.correct,
        kept=rest.correct,
        covered=np.where(is_covered, 0.0, rest.any),
        fill=rest.correct * share,
        tries2=rest.tries2,
        cross=rest.cross,
        correct2=rest.correct2,
        kept2=rest.correct2,
        fill2=rest.correct2 * share**2,
    )


def after_pilot(probability: Floats, n_tries: int, n_right: Floats, n_before: int, goal: Floats, rest: Rest) -> Yield:
    """A pilot whose outcome is not known yet, and what follows it; mixed over its outcomes, the first axis.

    Args:
        probability: Of each outcome, shape (outcomes, nodes).
        n_tries: Tries that the pilot still makes.
        n_right: Correct ones among them, shape (outcomes, 1).
        n_before: Correct ones among the pilot's tries that were made already.
        goal: The target that each outcome leads to, shape (outcomes, 1).
        rest: What follows each outcome, shape (outcomes, nodes).
    """
    kept_in_pilot = np.minimum(n_before + n_right, goal)
    kept = kept_in_pilot + rest.correct
    kept2 = kept_in_pilot**2 + 2 * kept_in_pilot * rest.correct + rest.correct2
    parts = Yield(
        tries=n_tries + rest.tries,
        correct=n_right + rest.correct,
        kept=kept,
        covered=np.where(kept_in_pilot > 0, 1.0, rest.any),
        fill=kept / goal,
        tries2=n_tries**2 + 2 * n_tries * rest.tries + rest.tries2,
        cross=n_tries * n_right + n_tries * rest.correct + n_right * rest.tries + rest.cross,
        correct2=n_right**2 + 2 * n_right * rest.correct + rest.correct2,
        kept2=kept2,
        fill2=kept2 / goal**2,
    )
    return Yield(*(np.sum(probability * part, axis=0) for part in parts))
