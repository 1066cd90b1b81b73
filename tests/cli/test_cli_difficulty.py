import json
from pathlib import Path

import pytest

from dartune.cli.main import run
from fake_recipe import write_recipe


@pytest.fixture
def pool(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """The pool of a scripted engine on a hundred problems of the embedded world."""
    assert run(["sample", str(write_recipe(tmp_path)), "--out", str(tmp_path / "run"), "--quiet"]) == 0
    capsys.readouterr()
    return tmp_path / "run" / "pool"


def test_measures_are_shown_compared_and_written(
    pool: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "measures.csv"
    combination = "0.7*fail_rate + 0.3*answer_entropy"
    command = [
        "difficulty",
        str(pool),
        "--pool",
        str(pool),
        "--first",
        "7",
        "--combine",
        combination,
        "--out",
        str(out),
    ]
    assert run(command) == 0
    shown, said = capsys.readouterr()
    assert "Spearman's rho below the diagonal" in shown
    assert "measures of 100 queries" in said
    assert out.read_text("utf-8").startswith('"id","n_trials","n_correct","level","fail_rate"')
    assert run([*command, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["measures"]["combined"]["n_queries"] == 100
    pairs = {(pair["first"], pair["second"]): pair for pair in found["correlations"]}
    # The other model is the same one.
    assert pairs["fail_rate", "models_fail_rate"]["spearman"] == {"value": 1.0, "low": 1.0, "high": 1.0}
    # The scripted engine fails the more, the higher the level.
    assert pairs["level", "fail_rate"]["kendall"]["low"] > 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--combine", "hardness"], "expected measures among level"),
        (["--first", "0"], "first: expected a whole number from 1"),
        (["--out", "measures.xlsx"], "measures.xlsx: expected a file named .jsonl"),
        (["--scores", "nowhere.jsonl"], "nowhere.jsonl: no such file"),
        (["--pool", "nowhere"], "nowhere: not a pool"),
    ],
)
def test_bad_input_is_one_line(
    pool: Path, options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["difficulty", str(pool), *options]) == 2
    out, err = capsys.readouterr()
    assert message in err
    assert len(err.strip().splitlines()) == 1
    assert out == ""
