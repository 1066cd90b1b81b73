"""The command line of one training."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from dartune.config import TrainingConfig
from dartune.training.__main__ import main

MakeConfig = Callable[..., TrainingConfig]


def options(config: Path, set_dir: Path, out: Path) -> list[str]:
    return ["--config", str(config), "--set", str(set_dir), "--out", str(out), "--seed", "0"]


def test_it_prints_steps_and_then_the_report(
    tmp_path: Path, make_config: MakeConfig, addition_set: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "config.json"
    file.write_text(make_config(n_epochs=1).model_dump_json())
    assert main(options(file, addition_set, tmp_path / "out")) == 0
    captured = capsys.readouterr()
    lines = [json.loads(line) for line in captured.out.splitlines()]
    assert [line["event"] for line in lines] == ["step"] * 4 + ["report"]
    assert set(lines[0]) == {"event", "step", "n_steps", "loss", "learning_rate", "tokens_per_s"}
    assert lines[-1]["n_steps"] == 4
    assert captured.err == ""


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "JSON: Invalid JSON"),
        ('{"model": "m", "learning_rat": 1}', "learning_rat: Extra inputs"),
        ('{"model": "no/such/folder"}', "no such model folder"),
        (None, "config.json: cannot be read"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    tmp_path: Path, addition_set: Path, capsys: pytest.CaptureFixture[str], text: str | None, complaint: str
) -> None:
    file = tmp_path / "config.json"
    if text is not None:
        file.write_text(text)
    assert main(options(file, addition_set, tmp_path / "out")) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert complaint in captured.err
    assert captured.err.count("\n") == 1
