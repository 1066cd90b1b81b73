import numpy as np
import pytest

from dartune.planning.nodes import NODES
from dartune.planning.shapes import FACTS, GROUPS, N_QUERIES, facts_of, published_shape
from dartune.planning.tries import until
from dartune.types import Query


def total(values: np.ndarray) -> float:
    return float(N_QUERIES @ (published_shape().weights() @ values))


def test_the_shape_meets_the_facts_it_is_fitted_to() -> None:
    assert facts_of(published_shape()) == pytest.approx(FACTS, rel=0.02)


def test_the_facts_in_closed_form_are_those_of_the_weights() -> None:
    weights, math = published_shape().weights(), N_QUERIES[1:] / N_QUERIES[1:].sum()
    assert weights.sum(axis=1) == pytest.approx(np.ones(len(GROUPS)))
    found = {
        "acceptance": total(NODES) / N_QUERIES.sum(),
        "solved_in_100": 1 - math @ (weights @ (1 - NODES) ** 100)[1:],
        "unsolved_in_1000": math @ (weights @ (1 - NODES) ** 1000)[1:],
        "level_5_without_any": (weights @ (1 - NODES) ** 8)[-1],
    }
    assert found == pytest.approx(facts_of(published_shape()), rel=0.01)


def test_facts_that_were_not_fitted_come_out_as_published() -> None:
    """Uniform, k 40: about 5 million raw samples, 590 thousand kept at a cap of 2,048; Prop2Diff, k 192: above 15
    million, with a cap above 8,000."""
    uniform = until(40, 2048, NODES)
    assert 4e6 < total(uniform.tries) < 6e6
    assert 560e3 < total(uniform.correct) < 600e3
    prop2diff = until(np.maximum(1, np.ceil(192 * (1 - NODES))), 8192, NODES)
    assert 15e6 < total(prop2diff.tries) < 22e6


def test_harder_levels_have_more_hard_queries() -> None:
    share = published_shape().hard_share
    assert np.all(np.diff(share[1:]) > 0)
    assert share[0] < 0.1


def test_every_query_has_a_group() -> None:
    shape = published_shape()
    levels = [None, 1, 5, 6]
    assert [shape.group_of(Query.of("q", "1", level=level)) for level in levels] == [0, 1, 5, 5]
