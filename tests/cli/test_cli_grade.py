"""`dartune grade`: what it prints and how it ends."""

import json
from pathlib import Path

import pytest

from dartune.cli.main import run

ROWS = [
    {"ref_answer": "1", "response": "\\boxed{1}"},
    {"ref_answer": "x^2-1", "response": "I think \\boxed{(x-1)(x+1)} \x1b[2J\u202e"},
    {"ref_answer": "3", "response": "so \\boxed{3", "finish_reason": "length"},
    {"ref_answer": "4", "response": "it is 4"},
]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return path


def grade(source: Path, *options: str) -> int:
    return run(["grade", str(source), *options])


@pytest.mark.timeout(30)
def test_a_file_is_graded_and_summed_up(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out.jsonl"
    assert grade(source, "--out", str(out), "--workers", "1") == 0
    printed = capsys.readouterr()
    assert "50.00% correct; 4 rows graded" in printed.out
    assert printed.err == ""
    assert [json.loads(line)["verdict"] for line in out.read_text().splitlines()] == [
        "correct", "correct", "truncated", "no_answer",
    ]  # fmt: skip
    assert grade(source, "--out", str(out)) == 0
    assert "nothing was left to grade" in capsys.readouterr().err


def test_the_summary_as_json(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "out.parquet")
    assert grade(source, "--out", out, "--workers", "1", "--lenient", "--json", "--quiet") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["verdicts"] == {"correct": 3, "truncated": 1}
    assert said["share_correct"] == 0.75
    assert said["n_graded"] == 4
    assert said["job"]["lenient"] is True


def test_reasons_are_printed_without_an_output(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert grade(source, "--explain") == 0
    printed = capsys.readouterr().out
    assert printed.count("verdict ") == 4
    assert "row 4" in printed
    assert "\x1b" not in printed
    assert "\u202e" not in printed
    assert [path.name for path in source.parent.iterdir()] == ["in.jsonl"]
    assert grade(source, "--explain", "--json", "--lenient") == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["grade"]["verdict"] for line in lines] == ["correct", "correct", "truncated", "correct"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "--out: expected the file that is to get the verdicts, or --explain"),
        (("--out", "OUT.txt"), "out.txt: expected a file named .jsonl, .jsonl.gz, .parquet, got"),
        (("--out", "OUT.jsonl", "--judge", "nosuch"), "judge 'nosuch': expected one of"),
        (("--explain", "--judge", "nosuch"), "judge 'nosuch': expected one of"),
        (("--out", "OUT.jsonl", "--workers", "0"), "--workers: expected a whole number from 1, got 0"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    options: tuple[str, ...], message: str, source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert grade(source, *(o.replace("OUT", str(tmp_path / "out")) for o in options)) == 2
    printed = capsys.readouterr()
    assert message in printed.err
    assert len(printed.err.splitlines()) == 1
    assert printed.out == ""


@pytest.mark.parametrize("options", [("--out", "OUT"), ("--explain",)])
def test_a_faulty_file_is_one_line_and_exit_code_2(
    options: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    filled = [o.replace("OUT", str(tmp_path / "out.jsonl")) for o in options]
    source = tmp_path / "in.jsonl"
    assert grade(source, *filled) == 2
    assert capsys.readouterr().err == f"error: {source}: no such file\n"
    source.write_text('{"ref_answer": "1"}\n')
    assert grade(source, *filled) == 2
    assert f"error: {source}: line 1: response: expected this column" in capsys.readouterr().err
