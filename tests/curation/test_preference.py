import numpy as np
import pytest

from dartune.config import CurationConfig
from dartune.curation.preference import Preference, Sketches, preferred


def prefer(
    config: dict[str, object],
    *,
    n: int = 6,
    n_tokens: list[int] | None = None,
    teachers: list[int] | None = None,
    sketches: Sketches | None = None,
) -> Preference:
    return preferred(
        np.arange(n, dtype=np.int32),
        CurationConfig.model_validate(config),
        n_tokens=np.array(n_tokens or [1] * n, np.int32),
        teachers=np.array(teachers or [0] * n, np.int16),
        sketches=sketches,
    )


def sketches_of(*steps: str, signatures: list[list[int]] | None = None) -> Sketches:
    n = len(steps)
    alike = signatures or [[i * 4 + j for j in range(4)] for i in range(n)]
    return Sketches(
        rows=np.arange(n, dtype=np.int32),
        signatures=np.array(alike, np.uint32),
        steps=[frozenset(map(ord, one)) for one in steps],
    )


def test_by_default_the_order_is_that_of_the_tries() -> None:
    assert list(prefer({}, n_tokens=[9, 1, 5, 3, 2, 8]).trials) == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(("pick", "order"), [("shortest", [1, 4, 3, 2, 5, 0]), ("median_length", [2, 3, 4, 1, 5, 0])])
def test_length_policies(pick: str, order: list[int]) -> None:
    assert list(prefer({"pick": pick}, n_tokens=[9, 1, 5, 3, 2, 8]).trials) == order


def test_the_earlier_trial_wins_a_tie() -> None:
    assert list(prefer({"pick": "shortest"}, n_tokens=[5, 1, 5, 1, 5, 1]).trials) == [1, 3, 5, 0, 2, 4]


def test_the_next_response_is_the_one_whose_steps_are_farthest() -> None:
    sketches = sketches_of("abc", "abd", "xyz", "abe", "abx")
    assert list(prefer({"pick": "diverse"}, n=5, sketches=sketches).trials) == [0, 2, 1, 3, 4]


def test_a_response_that_is_nearly_an_earlier_one_is_left_out() -> None:
    sketches = sketches_of("abc", "xyz", "klm", signatures=[[1, 2, 3, 4], [1, 2, 3, 9], [1, 2, 8, 9]])
    chosen = prefer({"pick": "diverse", "max_similarity": 0.7}, n=3, sketches=sketches)
    assert (list(chosen.trials), chosen.n_near_duplicates) == ([0, 2], 1)
    assert prefer({"pick": "diverse", "max_similarity": 0.8}, n=3, sketches=sketches).n_near_duplicates == 0


def test_responses_without_steps_are_no_farther_than_others() -> None:
    assert sorted(prefer({"pick": "diverse"}, n=3, sketches=sketches_of("", "", "a")).trials) == [0, 1, 2]


@pytest.mark.parametrize(("rule", "order"), [("in_order", [1, 3, 4, 0, 2, 5]), ("in_turn", [1, 0, 3, 2, 4, 5])])
def test_teachers_come_in_their_order_or_in_turn(rule: str, order: list[int]) -> None:
    config = {"teachers": ["b", "a"], "teacher_rule": rule}
    assert list(prefer(config, teachers=[1, 0, 1, 0, 0, 1]).trials) == order


def test_a_rule_of_length_holds_within_each_teacher() -> None:
    config = {"teachers": ["b", "a"], "pick": "shortest"}
    assert list(prefer(config, n=4, n_tokens=[4, 3, 2, 1], teachers=[0, 0, 1, 1]).trials) == [1, 0, 3, 2]


def test_nothing_is_preferred_among_nothing() -> None:
    for pick in ("trial_order", "shortest", "median_length"):
        assert list(prefer({"pick": pick}, n=0).trials) == []
    assert list(prefer({"pick": "diverse"}, n=0, sketches=sketches_of(signatures=[[]])).trials) == []
