"""`dartune evaluate MODEL` and `dartune compare`, as a user runs them."""

import json
from pathlib import Path

import pytest

from dartune.analysis.drawing.grid import Grid
from dartune.cli.compare import print_grids, say_notes
from dartune.cli.main import run
from evaluations import boxed, evaluate, write_problems

PROBLEMS = {f"What is {i}+{i}?": str(2 * i) for i in range(30)}


def test_a_model_is_evaluated_and_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    problems = write_problems(tmp_path / "problems.jsonl", PROBLEMS)
    for name, rates in (("a", "[0.9]"), ("b", "[0.1]")):
        more = ["--set", f"engine.pass_rates={rates}", "--out", str(tmp_path / name), "--quiet"]
        assert run(["evaluate", name, "--engine", "fake", "--benchmarks", str(problems), *more]) == 0
    capsys.readouterr()
    exported = tmp_path / "lm.json"
    again = [
        "evaluate",
        "a",
        "--engine",
        "fake",
        "--benchmarks",
        str(problems),
        "--out",
        str(tmp_path / "a"),
        "--quiet",
    ]
    more = ["--set", "engine.pass_rates=[0.9]", "--lm-eval", str(exported), "--json"]
    assert run([*again, *more]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document == json.loads((tmp_path / "a" / "scores.json").read_text())
    accuracy = document["scores"][0]["accuracy"]["accuracy"]
    assert accuracy > 0.6
    assert document["record"]["template"] == "few-shot"
    assert document["record"]["benchmarks"][0]["template"] == "minerva-4-shot"
    assert "I hope it is correct." in document["record"]["sampling"]["stop"]

    assert run(["compare", str(tmp_path / "a"), str(tmp_path / "b"), str(exported), "--published", "--json"]) == 0
    compared = json.loads(capsys.readouterr().out)
    (difference,) = compared["differences"]
    assert difference["p_adjusted"] < 0.001
    assert difference["paired"]["difference"]["high"] < 0
    assert compared["imported"][0]["scores"][str(problems)]["accuracy"]["value"] == accuracy

    assert run(["compare", str(tmp_path / "a"), str(tmp_path / "b"), "--published"]) == 0
    shown = capsys.readouterr().out
    for part in (
        "† DART-Math-Llama3-8B (Prop2Diff)",
        "published, by the authors' grader",
        "gains, in points",
        "a: scores",
        "b: scores",
        "McNemar",
        "grader: ",
        "yes",
    ):
        assert part in shown


def test_what_the_engine_did_not_answer_is_said_with_its_cause(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    problems = write_problems(tmp_path / "problems.jsonl", PROBLEMS)
    command = ["evaluate", "a", "--engine", "fake", "--benchmarks", str(problems), "--quiet"]
    failing = ["--set", "engine.failure_rate=1.0", "--out", str(tmp_path / "failing")]
    assert run([*command, *failing]) == 0
    shown = capsys.readouterr().out
    assert "not answered, and counted as not correct: 30 of 30 tries (scripted 30)" in shown
    assert run([*command, *failing, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["failures"] == {"scripted": 30}

    assert run([*command, "--out", str(tmp_path / "answering")]) == 0
    assert "not answered" not in capsys.readouterr().out
    assert json.loads((tmp_path / "answering" / "scores.json").read_text())["failures"] == {}


def test_notes_on_training_data_stand_below_the_scores(capsys: pytest.CaptureFixture[str]) -> None:
    say_notes(["college-math/test", "math/test", "own.jsonl"])
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("  note on math/test: MATH's test solutions are public since 2021")


def test_what_cannot_be_compared_ends_with_two(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answers = {text: [boxed(answer)] for text, answer in PROBLEMS.items()}
    evaluate(tmp_path / "a", PROBLEMS, answers)
    evaluate(tmp_path / "b", PROBLEMS, answers, template="boxed")
    assert run(["compare", str(tmp_path / "a"), str(tmp_path / "b")]) == 2
    assert "prompt differs (a: plain@" in capsys.readouterr().err
    assert run(["compare", str(tmp_path / "a"), str(tmp_path / "b"), "--allow", "prompt"]) == 0
    assert run(["compare", str(tmp_path / "a"), "--allow", "data"]) == 2
    assert "--allow: expected some of prompt, sampling, grader, got 'data'" in capsys.readouterr().err


def test_regrading_asks_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evaluate(tmp_path / "a", PROBLEMS, {text: [boxed(answer)] for text, answer in PROBLEMS.items()})
    assert run(["evaluate", str(tmp_path / "a"), "--regrade"]) == 0
    captured = capsys.readouterr()
    assert "30 responses graded again, 0 verdicts changed" in captured.err
    assert "100.0" in captured.out
    assert run(["evaluate", str(tmp_path / "nosuch"), "--regrade"]) == 2
    assert "not an evaluation" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["world:base-a", "--benchmarks", "gsm8/test"], 'nearest is "gsm8k/test"'),
        (["world:base-a", "--benchmarks", "own.jsonl", "--template", "nosuch"], "--template: expected one of"),
        (["{folder}", "--benchmarks", "own.jsonl"], "no weights"),
        (["./nosuch", "--benchmarks", "own.jsonl"], "no such model folder"),
        (["m", "--engine", "nosuch", "--benchmarks", "own.jsonl"], "engine.name: expected one of"),
        (["m", "--engine", "fake", "--benchmarks", "none.jsonl"], "none.jsonl"),
        (["m", "--engine", "fake", "--benchmarks", "own.jsonl", "--set", "evaluation.n_trials=4"], "greedy tries"),
        (["m", "--benchmarks", "own.jsonl", "--set", "sampling.temperature=1"], "expected engine.KEY=VALUE, or eval"),
        (["m", "--benchmarks", "own.jsonl", "--set", "evaluation.in_domain=1"], "with KEY one of max_new_tokens,"),
        (["m", "--engine", "replay", "--benchmarks", "own.jsonl"], "error: engine.path is missing"),
        (["demo", "--limit", "5"], "--limit: has no meaning for a recipe; the recipe says what"),
        (["demo", "--dry-run"], "--dry-run: has no meaning for a recipe"),
        (["m", "--only", "vrt-7"], "--only: has no meaning for a model; it chooses among the models of a recipe"),
        (["e", "--regrade", "--template", "plain"], "--template: has no meaning with --regrade"),
        (["m", "--benchmarks", " ,"], "--benchmarks: expected at least one name, got none"),
        (["m", "--benchmarks", "math/test", "--data-dir", "nosuch"], "'--data-dir': dir 'nosuch' does not exist"),
    ],
)
def test_bad_input_is_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    write_problems(tmp_path / "own.jsonl", PROBLEMS)
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "config.json").write_text("{}")
    assert run(["evaluate", *(part.format(folder=tmp_path / "empty") for part in arguments), "--quiet"]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_a_plan_asks_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    problems = write_problems(tmp_path / "problems.jsonl", PROBLEMS)
    assert run(["evaluate", "world:base-a", "--benchmarks", str(problems), "--dry-run"]) == 0
    shown = capsys.readouterr().out
    assert "What is 0+0? =>" in shown
    assert "30 prompts" in shown
    assert not (tmp_path / "evals").exists()


@pytest.mark.integration
@pytest.mark.timeout(120)
def test_a_packaged_model_answers_the_worlds_problems(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    problems = write_problems(tmp_path / "problems.jsonl", {"3 + 4": "7", "2 * 5": "10", "9 - 4": "5"})
    more = ["--benchmarks", str(problems), "--out", str(tmp_path / "e"), "--set", "evaluation.max_new_tokens=32"]
    assert run(["evaluate", "world:teacher-a", *more, "--quiet", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)["record"]
    assert record["engine"] == "TransformersEngine"
    assert record["template"] == "world"
    assert record["model"].startswith("teacher-a@")


@pytest.mark.parametrize("width", [40, 80, 120])
def test_no_number_is_cut_off_in_a_narrow_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], width: int
) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("COLUMNS", str(width))
    names = tuple(f"heading {i} of several words" for i in range(8))
    numbers = tuple(f"{i}.0 ±43.4" for i in range(8))
    print_grids([Grid(title="t", columns=("model", *names), rows=(("world-teacher-a", *numbers),))])
    shown = capsys.readouterr().out
    assert [number for number in numbers if number not in shown] == []
