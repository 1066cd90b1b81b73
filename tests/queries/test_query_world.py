import pytest

from dartune.config import QueriesConfig
from dartune.errors import ConfigError
from dartune.queries import load_queries


def test_a_world_set_has_as_many_problems_as_the_limit() -> None:
    loaded = load_queries(QueriesConfig(source="world/train", limit=20, levels=(2, 3)), seed=5)
    assert len(loaded.queries) == len(set(loaded.rows)) == 20
    assert {query.level for query in loaded.queries} == {2, 3}
    assert {query.source for query in loaded.queries} == {"world/train"}
    assert loaded.report.origin.source == "world/train (seed 5)"
    assert loaded == load_queries(QueriesConfig(source="world/train", limit=20, levels=(2, 3)), seed=5)
    assert loaded.queries != load_queries(QueriesConfig(source="world/train", limit=20, levels=(2, 3)), seed=6).queries


def test_a_world_set_without_a_limit_has_a_thousand_problems() -> None:
    assert len(load_queries(QueriesConfig(source="world/expr", levels=(3, 4))).queries) == 1000


def test_an_unknown_world_set_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"expected one of world/train, .*got 'world/trian'"):
        load_queries(QueriesConfig(source="world/trian"))
