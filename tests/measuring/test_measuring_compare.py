import csv
import json
import math
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from measured_pools import QUERIES, Try, write_pool

from dartune.difficulty.correlations import Coefficient, RankCorrelation
from dartune.errors import ConfigError, DataError
from dartune.measuring import MeasuringJob, measure_pool, write_measures
from dartune.measuring.compare import COMBINED
from dartune.measuring.tables import matrix_table, measures_table, pairs_table
from dartune.pool.schema import QUERY_SCHEMA


@pytest.fixture
def pool(tmp_path: Path) -> Path:
    """Forty queries of eight tries; query n is right n % 9 times, and its wrong answers are all different."""
    return write_pool(
        tmp_path / "pool",
        {
            query: [Try("right", is_correct=True)] * (n % 9) + [Try(str(i)) for i in range(8 - n % 9)]
            for n, query in enumerate(QUERIES)
        },
    )


def write_lines(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text("\n".join(json.dumps(row) for row in rows), "utf-8")
    return path


def test_what_nothing_is_known_of_is_left_out(pool: Path) -> None:
    measured = measure_pool(MeasuringJob(pool=pool))
    assert set(measured.values) == {
        "level",
        "fail_rate",
        "fail_rate_shrunk",
        "mean_tokens",
        "mean_tokens_correct",
        "answer_entropy",
        "answer_disagreement",
    }
    assert measured.values["fail_rate"].tolist() == [1 - (n % 9) / 8 for n in range(40)]
    assert len(measured.correlations) == 7 * 6 / 2
    pair = next(p for p in measured.correlations if (p.first, p.second) == ("fail_rate", "answer_entropy"))
    assert pair.n_queries == 40
    assert pair.spearman is not None
    assert pair.spearman.value > 0.99
    # Ten tokens each, whatever the query: an order that is none.
    assert all(p.spearman is None for p in measured.correlations if "mean_tokens" in (p.first, p.second))


def test_other_models_judges_and_combinations(pool: Path, tmp_path: Path) -> None:
    other = write_pool(
        tmp_path / "other", {query: [Try("a", is_correct=n % 2 == 0), Try("b")] for n, query in enumerate(QUERIES[:30])}
    )
    rates = write_lines(tmp_path / "rates.jsonl", [{"id": q.id, "pass_rate": 1.0} for q in QUERIES[10:]])
    scores = write_lines(tmp_path / "scores.jsonl", [{"id": q.id, "score": n} for n, q in enumerate(QUERIES)])
    measured = measure_pool(
        MeasuringJob(
            pool=pool, others=(other,), pass_rates=(rates,), scores=scores, combination="2*judge_score - fail_rate"
        )
    )
    models = measured.values["models_fail_rate"]
    assert models[:2].tolist() == [0.5, 1.0]
    assert models[10:12].tolist() == [0.25, 0.5]
    assert models[30:].tolist() == [0.0] * 10
    assert measured.values["judge_score"].tolist() == list(range(40))
    assert list(measured.values)[-1] == COMBINED
    assert np.argmin(measured.values[COMBINED]) == 0
    text = "\n".join(
        [measures_table(measured), matrix_table(measured), pairs_table(measured.correlations)]
    ).splitlines()
    assert max(map(len, text)) < 130
    assert "weighted mean of ranks" in text[len(measured.values)]


def test_first_tries_alone_may_be_counted(pool: Path) -> None:
    measured = measure_pool(MeasuringJob(pool=pool, first=4))
    assert measured.values["fail_rate"].tolist() == [1 - min(n % 9, 4) / 4 for n in range(40)]


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet"])
def test_measures_are_written_for_each_query(pool: Path, tmp_path: Path, suffix: str) -> None:
    measured = measure_pool(MeasuringJob(pool=pool))
    path = tmp_path / "new" / f"out.{suffix}"
    write_measures(path, measured)
    rows = {
        "jsonl": lambda: [json.loads(line) for line in path.read_text("utf-8").splitlines()],
        "csv": lambda: list(csv.DictReader(path.read_text("utf-8").splitlines())),
        "parquet": lambda: pq.read_table(path).to_pylist(),
    }[suffix]()
    assert list(rows[0]) == ["id", "n_trials", "n_correct", *measured.values]
    assert [row["id"] for row in rows] == [query.id for query in QUERIES]
    assert [float(row["fail_rate"]) for row in rows] == measured.values["fail_rate"].tolist()
    # Never solved: no length of solutions.
    assert math.isnan(measured.values["mean_tokens_correct"][0])
    assert rows[0]["mean_tokens_correct"] in (None, "")


def test_an_unknown_suffix_is_refused(pool: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"out\.xlsx: expected a file named \.jsonl or \.csv or \.parquet"):
        write_measures(tmp_path / "out.xlsx", measure_pool(MeasuringJob(pool=pool)))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"id": "A", "points": 1}], 'line 1: expected a column score, got "id", "points"'),
        ([{"id": "A", "score": 1}, {"id": "A", "score": 2}], 'line 2: id: expected one row for each query, got "A"'),
        ([{"id": "A", "score": "hard"}], 'line 1: score: expected a finite number, got "hard"'),
        ([{"id": "A", "score": None}], "line 1: score: expected a finite number, got null"),
        ([{"id": "A", "score": True}], "got true"),
        ([{"id": 3, "score": 1}], "line 1: id: expected a query's id, got 3"),
        ([{"id": "A", "score": 1}], "expected ids of the pool's queries, such as "),
        ([], "expected a row for each query, got none"),
    ],
)
def test_scores_that_cannot_be_used_are_refused(
    pool: Path, tmp_path: Path, rows: list[dict[str, object]], message: str
) -> None:
    path = write_lines(tmp_path / "scores.jsonl", rows)
    with pytest.raises(DataError, match=r"scores\.jsonl: ") as caught:
        measure_pool(MeasuringJob(pool=pool, scores=path))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_line_that_is_no_row_is_refused(pool: Path, tmp_path: Path) -> None:
    path = tmp_path / "scores.jsonl"
    path.write_text('{"id": "A", "score": 1}\n["A", 2]\n', "utf-8")
    with pytest.raises(DataError, match=r"scores\.jsonl: line 2: expected a JSON object"):
        measure_pool(MeasuringJob(pool=pool, scores=path))


def test_a_pool_without_queries_is_refused(tmp_path: Path) -> None:
    write_pool(tmp_path, {})
    pq.write_table(QUERY_SCHEMA.empty_table(), tmp_path / "queries.parquet")
    with pytest.raises(DataError, match="expected a pool with queries, got none"):
        measure_pool(MeasuringJob(pool=tmp_path))


def test_an_order_that_is_none_reads_as_zero() -> None:
    nothing = Coefficient(-0.001, -0.004, 0.3)
    pair = RankCorrelation(first="a", second="b", n_queries=30, spearman=nothing, kendall=None)
    assert "0.00 [0.00, 0.30]" in pairs_table([pair])
    assert "-0.00" not in pairs_table([pair])


def test_models_of_other_queries_are_refused(pool: Path, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "rates.jsonl", [{"id": "A", "pass_rate": 0.5}])
    with pytest.raises(DataError, match="made with other queries"):
        measure_pool(MeasuringJob(pool=pool, pass_rates=(path,)))


@pytest.mark.parametrize(
    ("job", "message"),
    [
        ({"combination": "judge_score"}, "expected measures that something is known of"),
        ({"combination": "hardness"}, "expected measures among level"),
        ({"first": 0}, "first: expected a whole number from 1, got 0"),
    ],
)
def test_settings_that_make_no_sense_are_refused(pool: Path, job: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        measure_pool(MeasuringJob(pool=pool, **job))  # type: ignore[arg-type]
