import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from dartune.analysis.summary import (
    SCHEMA_VERSION,
    RunSummary,
    StudySummary,
    from_json,
    read_summary,
    to_json,
    write_summary,
)
from dartune.errors import DataError, WriteError


def test_run_round_trip(run_summary: RunSummary, tmp_path: Path) -> None:
    path = tmp_path / "runs" / "demo" / "summary.json"
    write_summary(run_summary, path)
    assert read_summary(path) == run_summary
    assert [file.name for file in path.parent.iterdir()] == ["summary.json"]


def test_study_round_trip(study_summary: StudySummary, tmp_path: Path) -> None:
    write_summary(study_summary, tmp_path / "summary.json")
    assert read_summary(tmp_path / "summary.json") == study_summary


def test_missing_levels_round_trip(run_summary: RunSummary) -> None:
    method = run_summary.methods[0]
    bare = replace(
        run_summary,
        student=None,
        methods=(replace(method, fill=None, levels=(replace(method.levels[0], level=None),)),),
        evaluations=(),
        hard_examples=(replace(run_summary.hard_examples[0], level=None),),
    )
    assert from_json(to_json(bare), "summary.json") == bare


def test_hostile_text_round_trips_as_it_is(hostile: Callable[[str], RunSummary]) -> None:
    run = hostile('</script>\x00\u202e\ud800"\\')
    assert from_json(to_json(run), "summary.json") == run
    to_json(run).encode("ascii")


def test_file_gives_what_others_read(run_summary: RunSummary) -> None:
    document = json.loads(to_json(run_summary))
    assert (document["schema_version"], document["kind"]) == (SCHEMA_VERSION, "run")
    vrt = document["methods"][0]
    assert (vrt["name"], vrt["n_examples"]) == ("vrt", 6000)
    assert vrt["response_tokens"] > 0
    assert [round(row["coverage"], 2) for row in vrt["levels"]] == [1.0, 1.0, 0.99, 0.92, 0.5]
    story = document["evaluations"][0]
    assert (story["method"], story["benchmark"], story["macro"].keys()) == ("base", "story", {"value", "low", "high"})


def test_another_schema_version_is_refused(run_summary: RunSummary) -> None:
    document = json.loads(to_json(run_summary)) | {"schema_version": SCHEMA_VERSION + 1}
    with pytest.raises(
        DataError, match=rf"s\.json: field schema_version: expected {SCHEMA_VERSION}, got {SCHEMA_VERSION + 1}"
    ):
        from_json(json.dumps(document), "s.json")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "does not parse"),
        ("[]", "got list"),
        ("{}", "schema_version: expected 1, got None"),
        ('{"schema_version": 1, "kind": "pool"}', "field kind: expected 'run', 'study', 'rounds', got 'pool'"),
        ('{"schema_version": 1, "kind": "run", "name": 3}', "field name: .*string.*got 3"),
    ],
)
def test_malformed_files_are_named_with_their_field(text: str, message: str) -> None:
    with pytest.raises(DataError, match=f"^s.json: .*{message}") as caught:
        from_json(text, "s.json")
    assert "\n" not in str(caught.value)


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(DataError, match="does not parse"):
        from_json(b"\xff\xfe\xff", "s.json")


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.json: .*No such file"):
        read_summary(tmp_path / "none.json")


def test_failed_write_leaves_the_old_file(run_summary: RunSummary, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(WriteError, match="could not be written"):
        write_summary(run_summary, tmp_path / "file" / "summary.json")
    taken = tmp_path / "summary.json"
    taken.mkdir()
    (taken / "kept").touch()
    with pytest.raises(WriteError, match="could not be written"):
        write_summary(run_summary, taken)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "summary.json"]
