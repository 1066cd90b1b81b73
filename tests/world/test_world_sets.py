from collections import Counter

import pytest

from dartune.errors import ConfigError
from dartune.types import Query
from dartune.world import WORLD_SETS, world_queries


@pytest.mark.parametrize("name", WORLD_SETS)
def test_sets_are_what_the_table_says(name: str) -> None:
    queries = world_queries(name, n=600, seed=4)
    assert len({q.id for q in queries}) == len({q.text for q in queries}) == 600
    assert {q.domain for q in queries} == {WORLD_SETS[name].family}
    assert {q.source for q in queries} == {name}
    sizes = Counter(q.level for q in queries)
    assert set(sizes) == set(WORLD_SETS[name].levels)
    assert max(sizes.values()) - min(sizes.values()) <= 1
    assert all(1 <= int(q.ref_answer) <= 99 for q in queries)
    assert all(q == Query.of(q.text, q.ref_answer, level=q.level, domain=q.domain, source=q.source) for q in queries)


def test_name_count_and_seed_decide_everything() -> None:
    queries = world_queries("world/train", n=50, seed=1)
    assert queries == world_queries("world/train", n=50, seed=1)
    assert queries == world_queries("world/train", n=80, seed=1)[:50]
    assert not {q.id for q in queries} & {q.id for q in world_queries("world/train", n=50, seed=2)}


def test_levels_can_be_chosen() -> None:
    assert Counter(q.level for q in world_queries("world/expr", n=10, seed=0, levels=(2, 5))) == {2: 5, 5: 5}


def test_a_set_of_twenty_thousand_has_no_repeats() -> None:
    assert len({q.id for q in world_queries("world/held-out", n=20_000, seed=0)}) == 20_000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "world/tain", "n": 1}, r"query set: expected one of world/train, .*, got 'world/tain'"),
        ({"name": "world/train", "n": -1}, r"world/train: n must be 0 or more, got -1"),
        ({"name": "world/train", "n": 1, "levels": (6,)}, r"levels must be among \(1, 2, 3, 4, 5\), got \(6,\)"),
        ({"name": "world/train", "n": 1, "levels": ()}, r"levels must be among"),
    ],
)
def test_bad_requests_are_named(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        world_queries(**arguments, seed=0)  # type: ignore[arg-type]
