from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dartune.allocation import uniform, vanilla
from dartune.config import CurationConfig
from dartune.curation.choose import Choice, Examples, History, choose_for_query, cut_to_examples, cut_to_tokens
from dartune.types import Target


def tries(*texts: str | None) -> History:
    """A text is right unless it starts with "x"; None is an engine failure."""
    words = [None if text is None or text.startswith("x") else text.split() for text in texts]
    n = len(texts)
    return History(
        outcomes=[None if text is None else not text.startswith("x") for text in texts],
        n_tokens=np.array([0 if text is None else 10 for text in texts], np.int32),
        is_eligible=np.array([w is not None for w in words], np.bool_),
        is_unsound=np.zeros(n, np.bool_),
        teachers=np.zeros(n, np.int16),
        is_repeat=np.array([w is not None and w in words[:i] for i, w in enumerate(words)], np.bool_),
    )


def chosen(choice: Choice) -> list[int]:
    return list(choice.trials)


def test_uniform_takes_the_first_k_and_pays_up_to_the_kth() -> None:
    choice = choose_for_query(tries("x", "a", None, "b", "c", "x"), uniform(2, max_trials=99), CurationConfig())
    assert chosen(choice) == [1, 3]
    assert (choice.cost.n_raw, choice.cost.n_correct, choice.cost.n_tokens) == (3, 2, 30)


def test_vanilla_takes_all_that_is_right_in_its_tries() -> None:
    choice = choose_for_query(tries("a", "x", "b", "c"), vanilla(3), CurationConfig())
    assert chosen(choice) == [0, 2]
    assert choice.cost.n_raw == 3


def test_prop2diff_takes_no_more_than_its_share_of_the_pilot() -> None:
    target = Target(n_correct=1, max_trials=9, min_trials=4)
    choice = choose_for_query(tries("a", "b", "c", "d", "e"), target, CurationConfig())
    assert chosen(choice) == [0]
    assert choice.cost.n_raw == 4


def test_of_responses_with_the_same_words_the_first_stays() -> None:
    candidates = tries("a  b", "a b\n", "c")
    assert chosen(choose_for_query(candidates, vanilla(3), CurationConfig())) == [0, 2]
    assert choose_for_query(candidates, vanilla(3), CurationConfig()).n_duplicates == 1
    assert chosen(choose_for_query(candidates, vanilla(3), CurationConfig(deduplicate=False))) == [0, 1, 2]


def test_a_limit_on_a_query_leaves_the_rules_something_to_choose() -> None:
    config = CurationConfig(most_per_query=2, pick="shortest")
    history = replace(tries("a", "b", "c", "d"), n_tokens=np.array([4, 3, 2, 1], np.int32))
    assert chosen(choose_for_query(history, uniform(3, max_trials=9), config)) == [2, 1]
    assert chosen(choose_for_query(history, uniform(1, max_trials=9), config)) == [0]
    assert chosen(choose_for_query(history, vanilla(4), config)) == [3, 2]


def test_a_query_without_tries_gives_nothing() -> None:
    assert chosen(choose_for_query(tries(), uniform(1, max_trials=9), CurationConfig())) == []


def test_a_query_is_finished_when_no_try_more_is_wanted() -> None:
    def is_finished(history: History, target: Target) -> bool:
        return choose_for_query(history, target, CurationConfig()).is_finished

    assert is_finished(tries("a", "x", "b"), uniform(2, max_trials=9))
    assert not is_finished(tries("a", "x", "x"), uniform(2, max_trials=9))
    assert is_finished(tries("a", "x", "x"), uniform(2, max_trials=3))
    assert not is_finished(tries("a", "b"), Target(n_correct=2, max_trials=9, min_trials=3))
    assert is_finished(tries("a", "b", "c"), Target(n_correct=2, max_trials=9, min_trials=3))
    assert not is_finished(tries("a"), vanilla(2))
    given_up = Target(n_correct=2, max_trials=9, min_trials=3, caps=(2, 4))
    assert not is_finished(tries("x", "x"), given_up)
    assert is_finished(tries("x", "x", "a"), given_up)
    assert not is_finished(tries("x", "a", "x"), given_up)
    assert is_finished(tries("x", "a", "x", "x"), given_up)


def choices_of(n_right: list[int], target: Target) -> dict[str, Choice]:
    return {
        f"q{i}": choose_for_query(tries(*(f"a{j}" for j in range(n))), target, CurationConfig())
        for i, n in enumerate(n_right)
    }


def keys(choices: dict[str, Choice], examples: Examples) -> list[tuple[str, int]]:
    ids = list(choices)
    return [(ids[place], trial) for place, trial in zip(examples.queries, examples.trials.tolist(), strict=True)]


@given(st.lists(st.integers(0, 5), min_size=1, max_size=20), st.integers(1, 60), st.integers(0, 99))
def test_cutting_never_uncovers_a_query_before_it_must(n_right: list[int], n_examples: int, seed: int) -> None:
    choices = choices_of(n_right, uniform(5, max_trials=9))
    kept = keys(choices, cut_to_examples(choices, n_examples, seed=seed))
    n_solved = sum(n > 0 for n in n_right)
    assert len(kept) == min(n_examples, sum(n_right))
    assert len(set(kept)) == len(kept)
    assert len({query_id for query_id, _ in kept}) == min(n_solved, n_examples)


def test_without_a_size_everything_is_drawn() -> None:
    choices = choices_of([5, 0, 2], vanilla(5))
    drawn = keys(choices, cut_to_examples(choices, None, seed=1))
    assert sorted(drawn) == [*(("q0", t) for t in range(5)), ("q2", 0), ("q2", 1)]
    assert drawn != sorted(drawn)


def test_the_draw_depends_on_the_seed_and_not_on_the_order_of_queries() -> None:
    choices = choices_of([5] * 20, vanilla(5))
    turned = dict(reversed(choices.items()))
    first = keys(choices, cut_to_examples(choices, 30, seed=1))
    assert keys(turned, cut_to_examples(turned, 30, seed=1)) == first
    assert keys(choices, cut_to_examples(choices, 30, seed=2)) != first


def test_cutting_to_tokens_stays_below_and_comes_close() -> None:
    kept = cut_to_tokens(choices_of([5] * 4, vanilla(5)), 95, seed=0)
    assert kept.n_tokens.sum() == 90
    assert cut_to_tokens(choices_of([5] * 4, vanilla(5)), 90, seed=0).n_tokens.sum() == 90
