"""Files in and out: every mix of formats, all columns, the same bytes again, and clear words for bad input."""

import datetime
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from marked_files import Row, read_rows, responses, write_rows

from dartune.errors import DataError, FolderBusy, InputError
from dartune.files import lock_folder
from dartune.marking import MarkingJob, MarkingProgress, mark_file

SUFFIXES = (".jsonl", ".jsonl.gz", ".parquet")


def graded(rows: list[Row]) -> list[Row]:
    """What the output of `responses` is to be."""
    return [
        row
        | {
            "answer": str(row["id"] + (row["id"] % 3 == 0)),
            "verdict": "incorrect" if row["id"] % 3 == 0 else "correct",
            "rule": "boxed/number" if row["id"] % 3 == 0 else "boxed/string",
        }
        for row in rows
    ]


@pytest.mark.parametrize("there", SUFFIXES)
@pytest.mark.parametrize("here", SUFFIXES)
def test_every_format_becomes_every_other(here: str, there: str, tmp_path: Path) -> None:
    rows = responses(2500)
    job = MarkingJob(source=write_rows(tmp_path / f"in{here}", rows), out=tmp_path / "new" / f"out{there}")
    report = mark_file(job, n_workers=1)
    assert read_rows(job.out) == graded(rows)
    assert report.verdicts == {"correct": 1666, "incorrect": 834}
    assert (report.n_rows, report.n_graded) == (2500, 2500)
    assert report.share_correct == 1666 / 2500
    assert sorted(path.name for path in job.out.parent.iterdir()) == [f"out{there}", f"out{there}.manifest.json"]


def test_lines_stay_as_they_are_byte_for_byte(tmp_path: Path) -> None:
    lines = ['{"ref_answer":"1", "response": "\\u0041: 1\\n", "x":1.50,"y":1e400}', '{ "response":"","ref_answer":2 }']
    source = tmp_path / "in.jsonl"
    source.write_bytes("\ufeff{}\n\n{}  \n".format(*lines).encode())
    job = MarkingJob(source=source, out=tmp_path / "out.jsonl")
    mark_file(job, n_workers=1)
    first, second = job.out.read_text().splitlines()
    assert first == lines[0][:-1] + ', "answer": "1", "verdict": "correct", "rule": "answer_colon/string"}'
    assert second == lines[1][:-1].rstrip() + ', "answer": null, "verdict": "no_answer", "rule": "none"}'


def test_parquet_keeps_its_types(tmp_path: Path) -> None:
    table = pa.table(
        {
            "ref_answer": pa.array(["1", "2"]),
            "response": pa.array(["\\boxed{1}", None], pa.large_string()),
            "day": pa.array([datetime.date(2020, 1, 2), None]),
            "level": pa.array([3, None], pa.int8()),
            "kind": pa.array(["a", "a"]).dictionary_encode(),
        }
    )
    pq.write_table(table, tmp_path / "in.parquet")
    job = MarkingJob(source=tmp_path / "in.parquet", out=tmp_path / "out.parquet")
    mark_file(job, n_workers=1)
    out = pq.read_table(job.out)
    assert out.select(table.schema.names).equals(table)
    assert out["verdict"].to_pylist() == ["correct", "no_answer"]
    text = MarkingJob(source=tmp_path / "in.parquet", out=tmp_path / "out.jsonl")
    mark_file(text, n_workers=1)
    assert read_rows(text.out)[0]["day"] == "2020-01-02"


def test_two_workers_write_the_same_bytes_as_one(tmp_path: Path) -> None:
    source = write_rows(tmp_path / "in.jsonl", responses(2000))
    for suffix in SUFFIXES:
        one, two = (MarkingJob(source=source, out=tmp_path / f"{n}{suffix}") for n in (1, 2))
        mark_file(one, n_workers=1)
        mark_file(two, n_workers=2)
        assert one.out.read_bytes() == two.out.read_bytes()


def test_what_is_done_is_not_done_again(tmp_path: Path) -> None:
    job = MarkingJob(source=write_rows(tmp_path / "in.jsonl", responses(10)), out=tmp_path / "out.jsonl")
    first = mark_file(job, n_workers=1)
    again = mark_file(job, n_workers=1)
    assert (again.n_graded, again.verdicts, again.rules) == (0, first.verdicts, first.rules)
    with pytest.raises(DataError, match="was made by another job \\(lenient: there False, given True\\)"):
        mark_file(MarkingJob(source=job.source, out=job.out, lenient=True), n_workers=1)
    with pytest.raises(DataError, match="exists already, and no grading made it"):
        mark_file(MarkingJob(source=job.source, out=job.source), n_workers=1)


def test_another_job_or_process_is_kept_out_of_the_work_folder(tmp_path: Path) -> None:
    job = MarkingJob(source=write_rows(tmp_path / "in.jsonl", responses(10)), out=tmp_path / "out.jsonl")
    work = tmp_path / "out.jsonl.partial"
    lock = lock_folder(work)
    with pytest.raises(FolderBusy):
        mark_file(job, n_workers=1)
    lock.close()
    (work / "job.json").write_text(json.dumps({"job": job.identity() | {"judge": "other"}, "n_rows": 10}))
    with pytest.raises(DataError, match="holds the work of another job \\(judge: there 'other', given 'default'\\)"):
        mark_file(job, n_workers=1)


def test_progress_counts_rows_of_every_stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dartune.marking.progress._EVERY_S", 0.0)
    seen: list[MarkingProgress] = []
    job = MarkingJob(source=write_rows(tmp_path / "in.jsonl", responses(50)), out=tmp_path / "out.jsonl")
    mark_file(job, n_workers=1, watch=seen.append)
    assert [p.n_done for p in seen] == [*range(1, 51)] * 3
    assert [p.stage for p in seen[::50]] == ["checking", "grading", "writing"]
    assert seen[0].time_left_s is None
    assert seen[99].time_left_s == 0.0


GOOD = {"ref_answer": "1", "response": "\\boxed{1}"}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"response": "x"}, "line 2: ref_answer: expected this column, got response; rename"),
        ({"ref_answer": "1"}, "line 2: response: expected this column, got ref_answer; rename"),
        ({"ref_answer": " ", "response": "x"}, "line 2: ref_answer: expected the known answer, got nothing; remove"),
        ({"ref_answer": [1], "response": "x"}, "line 2: ref_answer: expected text or a number, got [1]"),
        ({"ref_answer": "1", "response": 5}, "line 2: response: expected text, got 5"),
        (GOOD | {"query": {"a": 1}}, 'line 2: query: expected text, got {"a": 1}'),
        (GOOD | {"finish_reason": "eos"}, "line 2: finish_reason: expected stop or length, got 'eos'"),
        (GOOD | {"verdict": "correct"}, "line 2: verdict: expected no such column, for grading adds it; rename"),
        (GOOD | {"response": "\ud800"}, 'line 2: response: expected valid Unicode, got "\\ud800"'),
    ],
)
def test_a_faulty_row_is_named_before_anything_is_graded(row: Row, message: str, tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text("\n".join(json.dumps(r) for r in (GOOD, row, GOOD, row, row)))
    with pytest.raises(DataError) as caught:
        mark_file(MarkingJob(source=source, out=tmp_path / "out.jsonl"), n_workers=1)
    assert f"{source}: {message}" in str(caught.value)
    assert str(caught.value).endswith("; also faulty: line 4, 5")
    source.write_text(json.dumps(GOOD))
    assert mark_file(MarkingJob(source=source, out=tmp_path / "out.jsonl"), n_workers=1).n_rows == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"ref_answer": "1"', "line 1: expected a JSON object, got Expecting ',' delimiter at column 19"),
        (b"[1]", "line 1: expected a JSON object, got [1]"),
        (b'{"ref_answer": "\xff"}', "line 1: expected UTF-8 text, got byte 0xff"),
        (b"\n", "expected responses, got no rows"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_bytes(content)
    with pytest.raises(DataError) as caught:
        mark_file(MarkingJob(source=tmp_path / "in.jsonl", out=tmp_path / "out.jsonl"))
    assert str(caught.value) == f"{tmp_path / 'in.jsonl'}: {message}"


def test_text_in_parquet_that_is_no_utf8_is_named(tmp_path: Path) -> None:
    broken = pa.Array.from_buffers(
        pa.string(), 2, [None, pa.array([0, 1, 2], pa.int32()).buffers()[1], pa.py_buffer(b"a\xff")]
    )
    pq.write_table(pa.table({"ref_answer": ["1", "2"], "response": ["", ""], "note": broken}), tmp_path / "in.parquet")
    with pytest.raises(DataError, match=r"in\.parquet: row 2: note: expected UTF-8 text, got byte 0xff"):
        mark_file(MarkingJob(source=tmp_path / "in.parquet", out=tmp_path / "out.jsonl"))


def test_a_column_of_two_types_is_refused_before_grading_for_parquet_alone(tmp_path: Path) -> None:
    source = write_rows(tmp_path / "in.jsonl", [GOOD | {"x": 1}] * 1500 + [GOOD | {"x": "a"}])
    with pytest.raises(DataError, match=r"expected one type for each column.*name an output that ends in \.jsonl"):
        mark_file(MarkingJob(source=source, out=tmp_path / "out.parquet"), n_workers=1)
    assert mark_file(MarkingJob(source=source, out=tmp_path / "out.jsonl"), n_workers=1).n_rows == 1501


def test_columns_of_some_rows_and_numbers_of_two_kinds_fit_into_parquet(tmp_path: Path) -> None:
    rows = [*([GOOD | {"x": 1}] * 1500), GOOD | {"x": 1.5, "late": {"a": 1}}, GOOD | {"x": None}]
    job = MarkingJob(source=write_rows(tmp_path / "in.jsonl", rows), out=tmp_path / "out.parquet")
    mark_file(job, n_workers=1)
    out = read_rows(job.out)
    assert [row["x"] for row in out[-3:]] == [1.0, 1.5, None]
    assert [row["late"] for row in out[-3:]] == [None, {"a": 1}, None]


@pytest.mark.parametrize("name", ["in.csv", "in", "in.jsonl.zst"])
def test_a_suffix_that_is_unknown_is_refused(name: str, tmp_path: Path) -> None:
    good = write_rows(tmp_path / "good.jsonl", [GOOD])
    for source, out in ((tmp_path / name, tmp_path / "out.jsonl"), (good, tmp_path / name)):
        with pytest.raises(DataError, match=r"expected a file named \.jsonl, \.jsonl\.gz, \.parquet, got"):
            mark_file(MarkingJob(source=source, out=out))


def test_a_judge_that_is_unknown_is_refused(tmp_path: Path) -> None:
    source = write_rows(tmp_path / "good.jsonl", [GOOD])
    with pytest.raises(InputError, match="judge 'nosuch': expected one of"):
        mark_file(MarkingJob(source=source, out=tmp_path / "out.jsonl", judge="nosuch"))


def test_an_output_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    source = write_rows(tmp_path / "good.jsonl", [GOOD])
    with pytest.raises(InputError, match=r"could not be written .*, or name another output"):
        mark_file(MarkingJob(source=source, out=source / "out.jsonl"))
    (tmp_path / "folder.jsonl").mkdir()
    with pytest.raises(InputError, match="exists already"):
        mark_file(MarkingJob(source=source, out=tmp_path / "folder.jsonl"))


def test_a_lone_surrogate_in_an_answer_can_be_written(tmp_path: Path) -> None:
    source = write_rows(tmp_path / "in.jsonl", [{"ref_answer": "1", "response": '{"answer": "\\ud800 x"}'}])
    for suffix in SUFFIXES:
        job = MarkingJob(source=source, out=tmp_path / f"out{suffix}")
        mark_file(job, n_workers=1)
        assert read_rows(job.out)[0]["answer"] == "? x"
