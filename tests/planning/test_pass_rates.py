import json
import math
from pathlib import Path

import numpy as np
import pytest

from dartune.errors import DataError
from dartune.planning.pass_rates import read_pass_rates
from dartune.types import Query

QUERIES = [Query.of(f"What is {n} + {n}?", str(2 * n), level=1 + n % 2) for n in range(8)]


def write(folder: Path, *rows: object, name: str = "rates.jsonl") -> Path:
    path = folder / name
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


def test_rows_are_matched_by_id_and_by_text_in_the_order_of_the_queries(tmp_path: Path) -> None:
    by_id = [{"id": q.id, "pass_rate": n / 10, "mean_tokens": 100 + n} for n, q in enumerate(QUERIES[:4])]
    by_text = [{"id": "other/7", "query": q.text, "pass_rate": 0.9, "n_trials": 40} for q in QUERIES[4:]]
    stranger = {"id": "x", "query": "Who?", "pass_rate": 0.2}
    rates = read_pass_rates(write(tmp_path, *reversed(by_id), stranger, *by_text), QUERIES)
    assert rates.query_ids == tuple(query.id for query in QUERIES)
    np.testing.assert_allclose(rates.pass_rate, [0.0, 0.1, 0.2, 0.3, 0.9, 0.9, 0.9, 0.9])
    np.testing.assert_array_equal(rates.level, [1, 2, 1, 2, 1, 2, 1, 2])
    np.testing.assert_array_equal(rates.mean_tokens, [100, 101, 102, 103, *[math.nan] * 4])
    np.testing.assert_array_equal(rates.n_trials, [0, 0, 0, 0, 40, 40, 40, 40])


def test_a_csv_file_stands_as_it_is_where_no_queries_are_given(tmp_path: Path) -> None:
    path = tmp_path / "rates.csv"
    path.write_text("id,level,pass_rate,mean_tokens\na,Level 2,0.5,\nb,,1,30.5\n")
    rates = read_pass_rates(path)
    assert rates.query_ids == ("a", "b")
    assert rates.level.tolist() == [2, 0]
    assert rates.pass_rate.tolist() == [0.5, 1.0]
    np.testing.assert_array_equal(rates.mean_tokens, [math.nan, 30.5])


def test_rows_without_a_name_are_a_population_by_level(tmp_path: Path) -> None:
    rows = [{"level": level, "pass_rate": rate} for level in (1, 2) for rate in (0.9 / level, 0.1 / level)]
    rates = read_pass_rates(write(tmp_path, *rows), QUERIES)
    for level in (1, 2):
        assert sorted(rates.pass_rate[rates.level == level].tolist()) == [0.1 / level] * 2 + [0.9 / level] * 2
    assert read_pass_rates(write(tmp_path, *rows)).query_ids == ("row 1", "row 2", "row 3", "row 4")
    everywhere = read_pass_rates(write(tmp_path, *({"pass_rate": n / 10} for n in range(8))), QUERIES)
    assert sorted(everywhere.pass_rate) == [n / 10 for n in range(8)]
    assert everywhere.level.tolist() == [1, 2, 1, 2, 1, 2, 1, 2]


GOOD = {"id": QUERIES[0].id, "pass_rate": 0.5}


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"pass_rate": 1.2}, "line 2: pass_rate: expected a number in [0, 1], got 1.2; percentages"),
        ({"pass_rate": -0.1}, "line 2: pass_rate: expected a number in [0, 1], got -0.1"),
        ({"pass_rate": math.nan}, "line 2: pass_rate: expected a number in [0, 1], got NaN"),
        ({"pass_rate": None}, "line 2: pass_rate: expected a number in [0, 1], got null"),
        ({"pass_rate": True}, "line 2: pass_rate: expected a number, got true"),
        ({"pass_rate": "half"}, 'line 2: pass_rate: expected a number, got "half"'),
        ({"passrate": 0.5}, 'expected a column pass_rate, got "passrate"; nearest is "passrate"'),
        ({"pass_rate": 0.5, "level": 0}, "expected a whole number from 1"),
        ({"pass_rate": 0.5, "mean_tokens": 0}, "mean_tokens: expected a number above 0, got 0"),
        ({"pass_rate": 0.5, "mean_tokens": math.inf}, "mean_tokens: expected a number above 0, got Infinity"),
        ({"pass_rate": 0.5, "n_trials": 0}, "n_trials: expected a whole number from 1, got 0"),
        ({"pass_rate": 0.5, "n_trials": 1.5}, "n_trials: expected a whole number from 1, got 1.5"),
        ({"pass_rate": 0.5, "id": [1]}, "expected text or a number"),
        ([], "line 2: expected a JSON object"),
        ({**GOOD, "pass_rate": 0.6}, "expected one pass rate for query"),
    ],
)
def test_a_bad_row_is_named_with_its_field(bad: object, message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read_pass_rates(write(tmp_path, GOOD, bad), QUERIES[:1])
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_ids_that_do_not_match_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"each of 8 queries, got none for 7 of them.*matched by id"):
        read_pass_rates(write(tmp_path, GOOD), QUERIES)
    with pytest.raises(DataError, match="got none for 8"):
        read_pass_rates(write(tmp_path, {"id": "math/1", "pass_rate": 0.5}), QUERIES)
    with pytest.raises(DataError, match='one row for each id, got "a" in 1 and 2'):
        read_pass_rates(write(tmp_path, *[{"id": "a", "pass_rate": 0.5}] * 2))


def test_a_level_without_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="got none of level 2, which 4 queries have"):
        read_pass_rates(write(tmp_path, {"level": 1, "pass_rate": 0.5}), QUERIES)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected a row for each query, got none"):
        read_pass_rates(write(tmp_path), QUERIES)
    with pytest.raises(DataError, match="no such file"):
        read_pass_rates(tmp_path / "rates.json", QUERIES)
