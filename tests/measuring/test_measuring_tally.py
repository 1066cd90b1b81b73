from pathlib import Path

import pytest
from measured_pools import QUERIES, Try, write_pool

import dartune.measuring.tally as tally_module
from dartune.difficulty.evidence import Tally
from dartune.errors import PoolError
from dartune.measuring import tally_pool

ONE, TWO, THREE = QUERIES[:3]


def test_tries_add_up_over_shards(tmp_path: Path) -> None:
    tries = [
        Try("2", is_correct=True, n_tokens=5),
        Try(r"\frac{4}{2}", is_correct=True, n_tokens=7),
        Try(r"\dfrac{1}{2}"),
        Try("!"),
        Try(r"$\frac12$"),
        Try(None, n_tokens=100),
        Try(None),
        Try("3"),
        Try("x" * 3000),
    ]
    pool = write_pool(tmp_path, {ONE: tries, TWO: [Try("1")], THREE: [Try("!")]})
    found = tally_pool(pool)
    assert found.keys() == {ONE.id, TWO.id}
    assert sorted(found[ONE.id].answers) == [1, 1, 2, 2]
    assert found[ONE.id].n_trials == 8
    assert found[ONE.id].n_correct == 2
    assert found[ONE.id].n_tokens == 5 + 7 + 100 + 5 * 10
    assert found[ONE.id].n_tokens_correct == 12
    assert found[TWO.id] == Tally(n_trials=1, n_tokens=10, answers=(1,))


def test_only_the_first_tries_count_where_that_is_asked(tmp_path: Path) -> None:
    pool = write_pool(tmp_path, {ONE: [Try("!"), Try("5"), Try("2", is_correct=True)], TWO: [Try("!"), Try("1")]})
    found = tally_pool(pool, first=2)
    assert found[ONE.id] == Tally(n_trials=1, n_tokens=10, answers=(1,))
    assert tally_pool(pool, first=1) == {}


def test_a_pool_without_samples_has_no_tallies(tmp_path: Path) -> None:
    assert tally_pool(write_pool(tmp_path, {ONE: []})) == {}


def test_answers_are_added_up_before_they_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tries = [Try(str(n % 7)) for n in range(50)]
    pool = write_pool(tmp_path, {ONE: tries, TWO: tries})
    at_once = tally_pool(pool)
    monkeypatch.setattr(tally_module, "_MAX_LOOSE", 3)
    monkeypatch.setattr(tally_module, "_MAX_SPELLED", 2)
    assert tally_pool(pool) == at_once
    assert sorted(at_once[ONE.id].answers) == [7] * 6 + [8]


def test_no_pool_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PoolError, match="not a pool"):
        tally_pool(tmp_path)
