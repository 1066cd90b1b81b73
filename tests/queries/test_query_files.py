import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dartune.config import QueriesConfig
from dartune.errors import ConfigError, DataError
from dartune.queries import QuerySet, check_queries, load_queries
from dartune.queries.files import read_file
from dartune.queries.rows import NumberedRow
from dartune.types import Query

ROWS = [
    {"query": "1 + 1 = ?", "ref_answer": "2", "level": 1, "domain": "sums"},
    {"query": 'Zwölf\nmal, "zwölf" ?', "ref_answer": "144", "level": 2, "domain": None},
]


def as_csv(rows: list[dict[str, object]]) -> str:
    def field(value: object) -> str:
        return "" if value is None else '"' + str(value).replace('"', '""') + '"'

    return "\n".join([",".join(rows[0])] + [",".join(map(field, row.values())) for row in rows])


def write_jsonl(path: Path) -> None:
    path.write_text("".join(json.dumps(row) + "\n\n" for row in ROWS), encoding="utf-8")


def write_jsonl_gz(path: Path) -> None:
    path.write_bytes(gzip.compress("".join(json.dumps(row) + "\r\n" for row in ROWS).encode("utf-8-sig")))


def write_json(path: Path) -> None:
    path.write_text(json.dumps(ROWS, ensure_ascii=False), encoding="utf-8-sig")


def write_csv(path: Path) -> None:
    path.write_text(as_csv(ROWS), encoding="utf-8-sig")


def write_csv_gz(path: Path) -> None:
    path.write_bytes(gzip.compress(as_csv(ROWS).encode()))


def write_parquet(path: Path) -> None:
    pq.write_table(pa.Table.from_pylist(ROWS), path)


def load(path: Path, **settings: object) -> QuerySet:
    return load_queries(QueriesConfig.model_validate({"source": str(path), **settings}))


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("a.jsonl", write_jsonl),
        ("a.ndjson", write_jsonl),
        ("a.v2.jsonl.gz", write_jsonl_gz),
        ("a.json", write_json),
        ("a.csv", write_csv),
        ("a.CSV.gz", write_csv_gz),
        ("a.parquet", write_parquet),
    ],
)
def test_every_format_gives_the_same_queries(tmp_path: Path, name: str, write: Callable[[Path], None]) -> None:
    write(tmp_path / name)
    loaded = load(tmp_path / name)
    assert loaded.queries == (
        Query.of("1 + 1 = ?", "2", level=1, domain="sums", source=name),
        Query.of('Zwölf\nmal, "zwölf" ?', "144", level=2, source=name),
    )
    assert loaded.rows == tuple(query.id for query in loaded.queries)
    assert loaded.report.origin.path == str(tmp_path / name)
    assert loaded.report.origin.checksum == "not verified"


@given(st.lists(st.fixed_dictionaries({"query": st.text(min_size=1), "ref_answer": st.text()}), max_size=5))
def test_jsonl_gives_back_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, str]]
) -> None:
    path = tmp_path_factory.mktemp("jsonl") / "a.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    assert list(read_file(path).rows) == [NumberedRow(number, row) for number, row in enumerate(rows, start=1)]


def test_jsonl_is_read_as_a_stream(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"query": "q", "ref_answer": "1"}\n' * 3 + b"\xff" * 10_000_000)
    rows = iter(read_file(path).rows)
    assert [next(rows), next(rows), next(rows)][2] == NumberedRow(3, {"query": "q", "ref_answer": "1"})


def test_columns_are_mapped(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"q": "1+1?", "answer": 7, "sol": 2, "grade": "Level 4", "text": "no"}\n')
    loaded = load(tmp_path / "a.jsonl", columns={"text": "q", "ref_answer": "sol", "level": "grade"})
    assert loaded.queries == (Query.of("1+1?", "2", level=4, source="a.jsonl"),)


def test_a_column_may_be_missing_in_some_objects(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"problem": "a", "answer": "1"}\n{"problem": "b", "answer": "2", "level": 3}\n')
    assert [query.level for query in load(tmp_path / "a.jsonl", columns={"level": "level"}).queries] == [None, 3]


GOOD = '{"query": "a", "ref_answer": "1"}\n'


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", "", "{path}: expected problems, got no rows"),
        (
            "a.jsonl",
            GOOD + '{"query": "b", \n' + GOOD,
            "{path}: line 2: expected a JSON object, got Expecting property name enclosed in double quotes "
            "at column 15; correct or remove them (`dartune queries check` lists all)",
        ),
        (
            "a.jsonl",
            GOOD + "[1]\n" + GOOD + '{"query": "b", "ref_answer": ""}\n',
            "{path}: line 2: expected a JSON object, got [1]; also faulty: line 4; "
            "correct or remove them (`dartune queries check` lists all)",
        ),
        (
            "a.jsonl",
            GOOD + '{"query": "b", "ref_answer": null}\n',
            "{path}: line 2: ref_answer: expected text, got nothing; "
            "correct or remove them (`dartune queries check` lists all)",
        ),
        (
            "a.jsonl",
            GOOD + '{"query": "b"}\n',
            "{path}: line 2: ref_answer: expected text, got nothing; "
            "correct or remove them (`dartune queries check` lists all)",
        ),
        (
            "a.jsonl",
            GOOD + "[" * 200_000 + "\n",
            "{path}: line 2: expected a JSON object, got maximum recursion depth exceeded while decoding a JSON array "
            "from a unicode string; correct or remove them (`dartune queries check` lists all)",
        ),
        (
            "a.jsonl",
            '{"question": "a", "reference": "1"}\n',
            "{path}: expected a column for ref_answer named ref_answer or answer or ref_ans, got columns question, "
            'reference; name it with queries.columns = { ref_answer = "..." }',
        ),
        ("a.json", '{"query": "a"}', "{path}: expected a JSON list of objects, got dict"),
        (
            "a.json",
            GOOD + GOOD,
            "{path}: line 2: expected a JSON list of objects, got Extra data at column 1; "
            "a file of one object per line is named .jsonl",
        ),
        ("a.csv", "", "{path}: expected a header line, got an empty file"),
        (
            "a.csv",
            "query,answer\na,1\nb\n",
            "{path}: row 2: expected 2 fields as in the header, got 1; "
            "correct or remove them (`dartune queries check` lists all)",
        ),
        ("a.csv", 'query,answer\na,1\n"b', "{path}: line 3: expected CSV, got unexpected end of data"),
        ("a.jsonl.gz", "plain", "{path}: expected a whole gzip file, got Not a gzipped file (b'pl'); fetch it again"),
        (
            "a.parquet",
            "plain text, long enough to hold a footer",
            "{path}: expected a Parquet file, got Parquet magic bytes not found in footer. Either the file is "
            "corrupted or this is not a parquet file.",
        ),
        (
            "a.txt",
            GOOD,
            "{path}: expected a file named .jsonl or .ndjson or .json or .csv or .parquet (all but .parquet also with "
            ".gz)",
        ),
    ],
)
def test_bad_files_get_one_clear_line(tmp_path: Path, name: str, content: str, message: str) -> None:
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(DataError) as caught:
        load(path)
    assert str(caught.value) == message.replace("{path}", str(path))


@pytest.mark.parametrize("name", ["a.csv", "a.json"])
def test_bytes_that_are_not_utf8_are_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"query,answer\n\xe4,1\n")
    with pytest.raises(DataError, match=r"a.*: expected UTF-8 text, got byte 0xe4"):
        load(tmp_path / name)


def test_a_line_that_is_not_utf8_is_numbered(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(GOOD.encode() + b'{"query": "\xe4"}\n')
    with pytest.raises(DataError, match=r"a.jsonl: line 2: expected UTF-8 text, got byte 0xe4"):
        load(tmp_path / "a.jsonl")


def test_a_gzip_file_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(os.urandom(1000).hex().encode())[:500])
    with pytest.raises(DataError, match=r"a.jsonl.gz: expected a whole gzip file, got .*; fetch it again"):
        load(tmp_path / "a.jsonl.gz")


def test_a_missing_file_names_its_nearest_neighbour(tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_text(GOOD)
    with pytest.raises(DataError) as caught:
        load(tmp_path / "trian.jsonl")
    assert str(caught.value) == f'{tmp_path}/trian.jsonl: no such file; nearest is "train.jsonl"'


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        load(tmp_path)
    assert str(caught.value).endswith(
        f'expected a file, got a folder; for a folder in the hub\'s layout write "hf:{tmp_path}"'
    )


def test_a_wrong_column_lists_those_found_and_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("query,answer,hardness\na,1,2\n")
    with pytest.raises(DataError) as caught:
        load(tmp_path / "a.csv", columns={"ref_answer": "anwser"})
    assert str(caught.value) == (
        f'{tmp_path}/a.csv: expected column "anwser" for ref_answer, got columns query, answer, hardness; '
        'nearest is "answer"'
    )


def test_an_unknown_field_in_the_mapping_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("query,answer\na,1\n")
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "a.csv", columns={"refanswer": "answer"})
    assert str(caught.value) == (
        'queries.columns: expected fields among text, ref_answer, level, domain, got "refanswer"; '
        'nearest is "ref_answer"'
    )


@pytest.mark.parametrize("source", ["math/train", "world/train"])
def test_a_mapping_for_a_named_set_is_refused(source: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_queries(QueriesConfig(source=source, columns={"text": "problem"}))
    assert str(caught.value) == (f"queries.columns: {source} is a named set and knows its columns; remove the mapping")


def test_check_lists_every_fault_and_load_the_first(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(GOOD + "{\n" + '{"query": "b", "ref_answer": ""}\n' + '{"query": "a", "ref_answer": "2"}\n' + GOOD)
    check = check_queries(QueriesConfig(source=str(path)))
    assert [(finding.severity, finding.message.removeprefix(f"{path}: ")) for finding in check.findings] == [
        ("error", "line 2: expected a JSON object, got Expecting property name enclosed in double quotes at column 2"),
        ("error", "line 3: ref_answer: expected text, got nothing"),
        ("warning", "rows that repeat an earlier text and reference, one query each: 1"),
        ("warning", "texts with more than one reference, each pair a query of its own: 1"),
    ]
    assert not check.is_ok
    assert check.n_selected == 2
    assert (check.report.n_rows, check.report.n_duplicates, check.report.empty_rows) == (5, 1, (3,))
