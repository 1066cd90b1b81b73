"""Closed forms against exact enumeration and against brute-force simulation."""

import numpy as np
import pytest

from dartune.allocation import n_trials_needed
from dartune.planning.giving_up import until_given_up
from dartune.planning.tries import Rest, after_pilot, at_least, fixed, keeping, until
from dartune.types import Target

P = np.array([0.0, 1e-9, 0.01, 0.2, 0.5, 0.97, 1.0])


def enumerate_until(need: int, room: int, p: float, caps: tuple[int, ...] | None = None) -> list[float]:
    """The six moments of `Rest`, summed over every history by a recursion on its length."""
    alive = {0: 1.0}
    ends: dict[tuple[int, int], float] = {}
    for n in range(room + 1):
        for c in list(alive):
            if c == need or n == room or (caps is not None and n >= caps[c]):
                ends[n, c] = ends.get((n, c), 0.0) + alive.pop(c)
        following: dict[int, float] = {}
        for c, weight in alive.items():
            following[c] = following.get(c, 0.0) + weight * (1 - p)
            following[c + 1] = following.get(c + 1, 0.0) + weight * p
        alive = following
    values = [(n, c, n * n, n * c, c * c, float(c > 0)) for n, c in ends]
    return [sum(w * v[i] for w, v in zip(ends.values(), values, strict=True)) for i in range(6)]


def columns(rest: Rest, i: int) -> list[float]:
    return [float(moment[i]) for moment in rest]


@pytest.mark.parametrize(("need", "room"), [(1, 1), (1, 7), (2, 2), (3, 11), (5, 64), (12, 40)])
def test_until_is_the_sum_over_all_histories(need: int, room: int) -> None:
    found = until(need, room, P)
    for i, p in enumerate(P):
        assert columns(found, i) == pytest.approx(enumerate_until(need, room, p), rel=1e-9, abs=1e-12)


def test_until_at_the_papers_scale_matches_simulation() -> None:
    rng = np.random.default_rng(5)
    need, room, n = 40, 2048, 200_000
    for p in (0.01, 0.02, 0.3):
        tries = need + rng.negative_binomial(need, p, n)
        correct = np.where(tries <= room, need, 0)
        is_short = tries > room
        short = rng.binomial(room, p, 4 * n)
        correct[is_short] = rng.choice(short[short < need], is_short.sum()) if is_short.any() else 0
        tries = np.minimum(tries, room)
        found = until(need, room, p)
        for moment, sample in zip(found, (tries, correct, tries**2, tries * correct, correct**2), strict=False):
            assert float(moment) == pytest.approx(sample.mean(), abs=5 * sample.std() / np.sqrt(n) + 1e-9)


@pytest.mark.parametrize(("need", "room"), [(40, 2048), (192, 8192), (1, 10**6)])
def test_wald(need: int, room: int) -> None:
    found = until(need, room, P)
    assert found.correct == pytest.approx(P * found.tries, rel=1e-9)
    assert np.all(found.tries2 - found.tries**2 >= -1e-9 * found.tries2)
    assert np.all(found.correct2 - found.correct**2 >= -1e-9 * np.maximum(found.correct2, 1))


def test_a_query_that_is_never_solved_takes_all_its_room() -> None:
    assert columns(until(40, 2048, np.zeros(1)), 0) == [2048, 0, 2048**2, 0, 0, 0]


def test_nothing_is_needed_or_there_is_no_room() -> None:
    for need, room in ((0, 9), (-3, 9), (4, 0), (4, -1)):
        assert columns(until(need, room, np.array([0.3])), 0) == [0] * 6


def test_fixed_is_a_binomial() -> None:
    found = fixed(9, P)
    for i, p in enumerate(P):
        assert columns(found, i) == pytest.approx(enumerate_until(10, 9, p), abs=1e-12)


def test_tails_of_the_binomial() -> None:
    assert at_least([0, -1, 3, 1], [5, 5, 2, 4], 0.5).tolist() == pytest.approx([1, 1, 0, 1 - 0.5**4])


def test_kept_shares_of_the_target() -> None:
    found = keeping(until(3, 10, P), target=8, is_covered=True)
    assert found.fill == pytest.approx(found.kept / 8)
    assert found.covered.tolist() == [0] * len(P)
    assert keeping(fixed(4, P), target=0, is_covered=False).fill.tolist() == [0] * len(P)


@pytest.mark.parametrize("caps", [(9, 9, 9), (9, 4, 6), (2, 5, 9), (1, 1, 1), (40, 7, 12, 20, 33)])
def test_giving_up_is_the_sum_over_all_histories(caps: tuple[int, ...]) -> None:
    (found,) = until_given_up(caps, [0], P)
    for i, p in enumerate(P):
        expected = enumerate_until(len(caps), max(caps), p, caps)
        assert [float(moment[0, i]) for moment in found] == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_without_early_caps_nothing_is_given_up() -> None:
    starts = (0, 3, 50)
    for n, found in zip(starts, until_given_up((30,) * 6, starts, P), strict=True):
        for c in range(6):
            plain = until(6 - c, 30 - n, P)
            for moment, expected in zip(found, plain, strict=True):
                assert moment[c] == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_giving_up_charges_what_the_ledger_would_charge() -> None:
    rng, caps, p, n = np.random.default_rng(2), (24, 6, 9, 15), 0.15, 20_000
    target = Target(n_correct=4, max_trials=24, caps=caps)
    outcomes = rng.random((n, 24)) < p
    tries = np.array([n_trials_needed(row.tolist(), target) for row in outcomes])
    correct = np.array([row[:t].sum() for row, t in zip(outcomes, tries, strict=True)])
    (found,) = until_given_up(caps, [0], np.array([p]))
    for moment, sample in zip(found, (tries, correct, tries**2, tries * correct, correct**2), strict=False):
        assert float(moment[0, 0]) == pytest.approx(sample.mean(), abs=5 * sample.std() / np.sqrt(n))


def test_a_pilot_is_mixed_over_its_outcomes() -> None:
    """Targets that follow the pilot's outcome, against simulation with the ledger's own count of tries."""
    rng, p, n_pilot, cap, n = np.random.default_rng(3), 0.35, 4, 20, 20_000
    goals = np.array([6.0, 5.0, 3.0, 2.0, 1.0])
    outcomes = rng.random((n, cap)) < p
    in_pilot = outcomes[:, :n_pilot].sum(axis=1)
    targets = [Target(n_correct=int(goals[c]), max_trials=cap, min_trials=n_pilot) for c in range(n_pilot + 1)]
    tries = np.array([n_trials_needed(row.tolist(), targets[c]) for row, c in zip(outcomes, in_pilot, strict=True)])
    correct = np.array([row[:t].sum() for row, t in zip(outcomes, tries, strict=True)])
    kept = np.minimum(correct, goals[in_pilot])
    c = np.arange(n_pilot + 1.0)[:, None]
    probability = at_least(c, n_pilot, p) - at_least(c + 1, n_pilot, p)
    goal = goals[:, None]
    found = after_pilot(probability, n_pilot, c, 0, goal, until(goal - c, cap - n_pilot, np.array([p])))
    fill = kept / goals[in_pilot]
    samples = (tries, correct, kept, kept > 0, fill, tries**2, tries * correct, correct**2, kept**2, fill**2)
    for moment, sample in zip(found, samples, strict=True):
        assert float(moment[0]) == pytest.approx(sample.mean(), abs=5 * sample.std() / np.sqrt(n))
