import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dartune.allocation import n_trials_needed, power_family, prop2diff, uniform, vanilla
from dartune.types import Difficulty, Target

counts = st.integers(1, 200).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n)))


def test_vanilla_asks_for_tries_and_for_nothing_else() -> None:
    assert vanilla(52) == Target(n_correct=0, min_trials=52, max_trials=52)


def test_uniform_asks_for_k_and_not_for_one_more() -> None:
    assert uniform(40, max_trials=2048) == Target(n_correct=40, max_trials=2048)


def test_prop2diff_gives_the_hardest_k_and_the_easiest_the_cover() -> None:
    tallies = [(100, 100), (100, 75), (100, 50), (100, 0)]
    difficulties = [Difficulty(n_trials=n, n_correct=c) for n, c in tallies]
    targets = prop2diff(difficulties, k=192, cover=1, max_trials=2048, n_pilot=100)
    assert [t.n_correct for t in targets] == [1, 48, 96, 192]
    assert {t.min_trials for t in targets} == {100}


def test_k_goes_to_the_hardest_of_the_set_even_where_it_sometimes_succeeds() -> None:
    assert power_family([0.1, 0.2, 0.4], k=8, cover=1, alpha=1.0) == [2, 4, 8]


def test_nothing_fails_leaves_the_cover_to_prop2diff_and_k_to_uniform() -> None:
    assert power_family([0.0, 0.0], k=8, cover=1, alpha=1.0) == [1, 1]
    assert power_family([0.0, 0.0], k=8, cover=1, alpha=0.0) == [8, 8]


def test_a_cover_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="cover: expected 1 or more, got 0"):
        power_family([0.5], k=8, cover=0, alpha=1.0)


def test_no_queries_no_targets() -> None:
    assert power_family([], k=8, cover=1, alpha=1.0) == []


@given(st.lists(counts, min_size=1, max_size=30), st.integers(1, 400), st.integers(1, 5))
def test_prop2diff_is_the_exact_ceiling_of_the_proportion(tallies: list[tuple[int, int]], k: int, cover: int) -> None:
    difficulties = [Difficulty(n_trials=n, n_correct=c) for n, c in tallies]
    rates = [Fraction(n - c, n) for n, c in tallies]
    largest = max(rates)
    expected = [max(cover, math.ceil(k * rate / largest) if largest else 0) for rate in rates]
    targets = prop2diff(difficulties, k=k, cover=cover, max_trials=10**6)
    assert [t.n_correct for t in targets] == expected


@given(st.lists(st.floats(0, 1), min_size=2, max_size=20), st.floats(0.5, 200), st.floats(0, 4))
def test_harder_queries_never_get_less(fail_rates: list[float], k: float, alpha: float) -> None:
    ordered = sorted(fail_rates)
    targets = power_family(ordered, k=k, cover=1, alpha=alpha)
    assert targets == sorted(targets)
    assert max(targets) <= max(1, math.ceil(k))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20), st.integers(1, 200))
def test_alpha_zero_is_uniform(fail_rates: list[float], k: int) -> None:
    assert power_family(fail_rates, k=k, cover=1, alpha=0.0) == [k] * len(fail_rates)


def test_cost_ends_with_the_last_wanted_correct_response() -> None:
    outcomes = [False, True, None, False, True, True]
    assert n_trials_needed(outcomes, uniform(2, max_trials=10)) == 5
    assert n_trials_needed(outcomes, uniform(1, max_trials=10)) == 2
    assert n_trials_needed(outcomes, uniform(9, max_trials=10)) == 6
    assert n_trials_needed(outcomes, uniform(3, max_trials=4)) == 4
    assert n_trials_needed(outcomes, vanilla(3)) == 3
    assert n_trials_needed(outcomes, Target(n_correct=1, max_trials=10, min_trials=4)) == 4
    assert n_trials_needed(outcomes, Target(n_correct=0, max_trials=10, min_trials=2)) == 2
