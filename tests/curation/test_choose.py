from hypothesis import given
from hypothesis import strategies as st

from dartune.allocation import uniform, vanilla
from dartune.curation.choose import Candidate, Choice, choose_for_query, cut_to_examples, cut_to_tokens
from dartune.types import Key, Target


def tries(*texts: str | None, query_id: str = "q") -> list[Candidate]:
    """Candidates in trial order: a text is right unless it starts with "x"; None is an engine failure."""
    return [
        Candidate(
            key=Key(query_id, trial),
            is_correct=None if text is None else not text.startswith("x"),
            text=text or "",
            n_tokens=0 if text is None else 10,
            n_prompt_tokens=3,
        )
        for trial, text in enumerate(texts)
    ]


def chosen(choice: Choice) -> list[int]:
    return [c.key.trial for c in choice.chosen]


def test_uniform_takes_the_first_k_and_pays_up_to_the_kth() -> None:
    choice = choose_for_query(tries("x", "a", None, "b", "c", "x"), uniform(2, max_trials=99), deduplicate=True)
    assert chosen(choice) == [1, 3]
    assert (choice.cost.n_raw, choice.cost.n_correct, choice.cost.n_tokens) == (3, 2, 30)


def test_vanilla_takes_all_that_is_right_in_its_tries() -> None:
    choice = choose_for_query(tries("a", "x", "b", "c"), vanilla(3), deduplicate=True)
    assert chosen(choice) == [0, 2]
    assert choice.cost.n_raw == 3


def test_prop2diff_takes_no_more_than_its_share_of_the_pilot() -> None:
    target = Target(n_correct=1, max_trials=9, min_trials=4)
    choice = choose_for_query(tries("a", "b", "c", "d", "e"), target, deduplicate=True)
    assert chosen(choice) == [0]
    assert choice.cost.n_raw == 4


def test_of_responses_with_the_same_words_the_first_stays() -> None:
    candidates = tries("a  b", "a b\n", "c")
    assert chosen(choose_for_query(candidates, vanilla(3), deduplicate=True)) == [0, 2]
    assert choose_for_query(candidates, vanilla(3), deduplicate=True).n_duplicates == 1
    assert chosen(choose_for_query(candidates, vanilla(3), deduplicate=False)) == [0, 1, 2]


def test_what_lies_beyond_a_missing_trial_is_not_comparable_yet() -> None:
    candidates = tries("x", "a", "b")
    del candidates[1]
    assert chosen(choose_for_query(candidates, uniform(1, max_trials=9), deduplicate=True)) == []


def test_a_query_without_tries_gives_nothing() -> None:
    assert chosen(choose_for_query([], uniform(1, max_trials=9), deduplicate=True)) == []


def choices_of(n_right: list[int], target: Target) -> dict[str, Choice]:
    return {
        f"q{i}": choose_for_query(tries(*(f"a{j}" for j in range(n)), query_id=f"q{i}"), target, deduplicate=True)
        for i, n in enumerate(n_right)
    }


@given(st.lists(st.integers(0, 5), min_size=1, max_size=20), st.integers(1, 60), st.integers(0, 99))
def test_cutting_never_uncovers_a_query_before_it_must(n_right: list[int], n_examples: int, seed: int) -> None:
    kept = cut_to_examples(choices_of(n_right, uniform(5, max_trials=9)), n_examples, seed=seed)
    n_solved = sum(n > 0 for n in n_right)
    assert len(kept) == min(n_examples, sum(n_right))
    assert len({c.key for c in kept}) == len(kept)
    assert len({c.key.query_id for c in kept}) == min(n_solved, n_examples)


def test_the_draw_depends_on_the_seed_and_not_on_the_order_of_queries() -> None:
    choices = choices_of([5] * 20, vanilla(5))
    turned = dict(reversed(choices.items()))
    first = cut_to_examples(choices, 30, seed=1)
    assert cut_to_examples(turned, 30, seed=1) == first
    assert cut_to_examples(choices, 30, seed=2) != first


def test_cutting_to_tokens_stays_below_and_comes_close() -> None:
    kept = cut_to_tokens(choices_of([5] * 4, vanilla(5)), 95, seed=0)
    assert sum(c.n_tokens for c in kept) == 90
