import json
from pathlib import Path

import pytest

from dartune.cli.main import run
from fake_recipe import write_recipe

TRAINING = "training={model='world:base-a'}"
EVALUATION = "evaluation.benchmarks.x={source='world/held-out',limit=5}"


def lines(capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    captured = capsys.readouterr()
    return captured.out, captured.err


def test_the_loop_stage_by_stage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe, out = str(write_recipe(tmp_path)), str(tmp_path / "run")
    assert run(["sample", recipe, "--out", out, "--json", "--quiet"]) == 0
    done = json.loads(lines(capsys)[0])
    assert done["n_samples"] > 700
    assert run(["sample", recipe, "--out", out, "--json", "--quiet"]) == 0
    assert json.loads(lines(capsys)[0])["n_samples"] == 0
    assert run(["curate", recipe, "--out", out, "--json"]) == 0
    assert json.loads(lines(capsys)[0])["uniform"]["n_examples"] == 200
    assert run(["curate", recipe, "--out", out]) == 0
    assert "uniform: 200 examples" in lines(capsys)[0]
    assert run(["run", recipe, "--out", out, "--quiet"]) == 0
    assert "report: " in lines(capsys)[0]
    assert run(["report", out]) == 0
    assert "uniform" in lines(capsys)[0]
    assert run(["pool", "show", f"{out}/pool"]) == 0
    shown = lines(capsys)[0]
    assert "seed: 3" in shown
    assert "level 5: 20 queries" in shown
    assert run(["pool", "show", f"{out}/pool", "--json"]) == 0
    assert json.loads(lines(capsys)[0])["n_queries"] == 100
    assert run(["pool", "verify", f"{out}/pool"]) == 0
    assert "whole" in lines(capsys)[0]


def test_progress_goes_to_standard_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["run", str(write_recipe(tmp_path)), "--out", str(tmp_path / "run"), "--json"]) == 0
    out, err = lines(capsys)
    assert json.loads(out)["name"] == "small"
    assert "set uniform: 200 examples" in err


def test_a_dry_run_shows_and_makes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    for command in ("run", "sample"):
        assert run([command, str(write_recipe(tmp_path)), "--out", str(out), "--dry-run"]) == 0
        shown = lines(capsys)[0]
        assert 'policy = "prop2diff"' in shown
        assert "? =>" in shown
        assert "100 queries, at least 800 and at most 9,600 tries" in shown
    assert not out.exists()


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert lines(capsys)[0].startswith("dartune 0.")
    assert run(["--help"]) == 0
    assert "Difficulty-aware" in lines(capsys)[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "nowhere"], "error: nowhere: no such recipe"),
        (["run", "RECIPE", "--set", "engine.n_palces=3"], "did you mean 'n_places'"),
        (["run", "RECIPE", "--set", "queries.source=missing.jsonl"], "missing.jsonl: no such file"),
        (["run", "RECIPE", "--set", "queries.source=world/trian"], "world/train"),
        (["sample", "RECIPE", "--set", "engine={name='transformers',model='FOLDER'}"], "config.json is missing"),
        (["sample", "RECIPE", "--set", "engine={name='transformers',model='world:teecher'}"], "teacher-a"),
        (["sample", "RECIPE", "--set", "prompt.template=alpca"], "expected one of alpaca"),
        (["sample", "RECIPE", "--set", "prompt.template=chat"], "'chat' needs an engine that loads a model"),
        (
            ["run", "RECIPE", "--set", "methods.a={policy='vanilla',n_trials=1,equal_tokens_with='b'}"],
            "equal_tokens_with",
        ),
        (["run", "RECIPE", "--set", TRAINING, "--set", EVALUATION], "expected 'transformers'"),
        (["sample", "RECIPE", "--set", "study={seeds=[1],variants={a={}}}"], "a study; 'dartune run' runs it"),
        (["sample", "RECIPE", "--set", TRAINING, "--set", "rounds=2"], "rounds; 'dartune run' runs them"),
        (["run", "RECIPE", "--set", TRAINING, "--set", "rounds=2"], "expected 'transformers'"),
        (["sample", "RECIPE", "--out", "FILE"], "expected a folder for the run, got a file"),
        (["pool", "show", "FILE"], "not a pool"),
        (["train", "RECIPE", "--only", "vrt"], "train: expected one of no models"),
        (["evaluate", "RECIPE", "--only", "vrt"], "evaluate: expected one of no models"),
        (["curate", "RECIPE"], "pool: not a pool"),
        (["report", "FOLDER"], "summary.json"),
        (["pool", "show", "FOLDER"], "not a pool"),
        (["queries", "check", "nothing.csv"], "nothing.csv"),
        (["queries", "show", "world/train", "--column", "text"], "expected FIELD=COLUMN"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    recipe = str(write_recipe(tmp_path))
    file = tmp_path / "file"
    file.touch()
    known = {"RECIPE": recipe, "FILE": str(file)}
    filled = [known.get(a, a.replace("FOLDER", str(folder))) for a in arguments]
    if arguments[0] in ("run", "sample", "train", "evaluate", "curate") and "--out" not in arguments:
        filled += ["--out", str(tmp_path / "run")]
    assert run(filled) == 2
    out, err = lines(capsys)
    assert message in err
    assert len(err.strip().splitlines()) == 1
    assert out == ""


def test_a_wrong_option_is_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["run", "demo", "--nonsense"]) == 2
    assert "--nonsense" in lines(capsys)[1]


def test_hostile_text_cannot_steer_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "q.jsonl"
    path.write_text(json.dumps({"query": "\x1b[2J\u202eevil [red]", "answer": "1"}) + "\n")
    assert run(["queries", "show", str(path)]) == 0
    assert run(["sample", str(write_recipe(tmp_path)), "--set", f"queries.source={path}", "--dry-run"]) == 0
    out, _ = lines(capsys)
    assert "\x1b[2J" not in out
    assert "\u202e" not in out
    assert "evil" in out


def test_sets_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["queries", "list", "--json"]) == 0
    names = {row["name"] for row in json.loads(lines(capsys)[0])}
    assert {"math/train", "theoremqa", "world/train"} <= names
    assert run(["queries", "list"]) == 0
    assert "gsm8k" in lines(capsys)[0]
    assert run(["queries", "show", "world/train", "--limit", "2", "--json"]) == 0
    assert len(lines(capsys)[0].strip().splitlines()) == 2
    assert run(["queries", "check", "world/train", "--limit", "50"]) == 0
    assert "50 different problems" in lines(capsys)[0]


def test_ctrl_c_says_how_to_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("dartune.pipeline.stages.load_queries", interrupt)
    assert run(["run", str(write_recipe(tmp_path)), "--out", str(tmp_path / "run")]) == 130
    assert "run the same command to go on" in lines(capsys)[1]
