from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dartune.config import QueriesConfig
from dartune.errors import DataError
from dartune.queries.collecting import collect
from dartune.queries.records import Opened, Origin
from dartune.queries.rows import Row
from dartune.queries.selection import select_rows
from dartune.types import Query

LEVELS = {"a": 1, "b": 2, "c": 2, "d": 3, "e": None}


def rows_of(names: str) -> list[Row]:
    return [
        Row(number=i, text=name, ref_answer="1", level=LEVELS[name], domain="Algebra" if name in "abd" else "Geometry")
        for i, name in enumerate(names, start=1)
    ]


def chosen(names: str, seed: int = 0, **settings: Any) -> str:
    opened = Opened(name="set", origin=Origin(source="set"), rows=iter(rows_of(names)), is_benchmark=False)
    rows, report = collect(opened)
    config = QueriesConfig.model_validate({"source": "set", **settings})
    return "".join(query.text for query in select_rows(rows, config, seed, report))


def test_filters_keep_order_and_duplicates() -> None:
    assert chosen("edcbacb") == "edcbacb"
    assert chosen("edcbacb", levels=(2,)) == "cbcb"
    assert chosen("edcbacb", domains=("ALGEBRA",)) == "dbab"
    assert chosen("edcbacb", levels=(2, 3), domains=("Algebra",)) == "dbb"


def test_limit_counts_different_queries_and_keeps_their_rows() -> None:
    assert chosen("ccbacb", limit=2) == "ccbcb"
    assert chosen("ab", limit=9) == "ab"


def test_the_sample_is_drawn_after_the_limit() -> None:
    assert set(chosen("abcde", limit=2, sample=2)) == {"a", "b"}


@given(st.permutations("abcdeabc"), st.integers(0, 5), st.integers(1, 5))
def test_a_sample_depends_on_content_and_seed_alone(names: list[str], seed: int, n: int) -> None:
    sample = chosen("".join(names), seed, sample=n)
    assert set(sample) == set(chosen("abcde", seed, sample=n))
    assert len(set(sample)) == n


def test_another_seed_draws_another_sample_and_all_are_as_likely() -> None:
    drawn = [chosen("abcde", seed, sample=1) for seed in range(500)]
    assert all(60 < drawn.count(name) < 140 for name in "abcde")


def test_a_sample_of_a_subset_agrees_with_the_whole() -> None:
    queries = [str(i) for i in range(200)]
    Random(1).shuffle(queries)
    rows = [Query.of(text, "1") for text in queries]
    opened = Opened(name="set", origin=Origin(source="set"), rows=iter(()), is_benchmark=False)
    report = collect(Opened(name=opened.name, origin=opened.origin, rows=iter(rows_of("a")), is_benchmark=False)).report
    small, large = (
        {query.id for query in select_rows(rows, QueriesConfig(source="set", sample=n), 3, report)} for n in (20, 50)
    )
    assert small < large


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"levels": (2, 7)}, "set: expected levels among those of the set (1, 2, 3), got 7"),
        (
            {"domains": ("geometri",)},
            'set: expected domains among those of the set (Algebra, Geometry), got "geometri"; nearest is "Geometry"',
        ),
        (
            {"levels": (1,), "domains": ("Geometry",)},
            "set: expected some of 5 rows to pass queries.levels and queries.domains, got none; "
            "levels are 1, 2, 3, domains are Algebra, Geometry",
        ),
        (
            {"sample": 6},
            "set: expected at least queries.sample = 6 different queries after the filters, got 5; ask for fewer",
        ),
    ],
)
def test_impossible_filters_say_what_there_is(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError) as caught:
        chosen("abcde", **settings)
    assert str(caught.value) == message


def test_a_set_without_levels_says_so() -> None:
    with pytest.raises(DataError, match=r"expected levels among those of the set \(none\), got 1"):
        chosen("e", levels=(1,))
