import json
from pathlib import Path

import pytest

from dartune.cli.main import run
from fake_recipe import write_recipe


def rates_file(folder: Path, *rates: float) -> str:
    path = folder / "rates.jsonl"
    path.write_text("".join(f'{{"pass_rate": {rate}}}\n' for rate in rates))
    return str(path)


def test_a_simulation_needs_neither_engine_nor_pool(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe, rates = str(write_recipe(tmp_path)), rates_file(tmp_path, 0.0, 0.2, 0.5, 1.0)
    arguments = ["simulate", recipe, "--pass-rates", rates, "--quiet"]
    assert run([*arguments, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["n_queries"], report["n_places"]) == (100, 256)
    assert [level["n_queries"] for level in report["methods"]["uniform"]] == [20] * 5
    assert sum(level["n_kept"] for level in report["methods"]["uniform"]) == 300
    for level in report["methods"]["uniform"]:
        assert level["coverage"] == level["fill"] == level["n_covered"] / 20
    assert run([*arguments, "--json", "--places", "7", "--set", "methods.uniform.k=2"]) == 0
    changed = json.loads(capsys.readouterr().out)
    assert changed["n_places"] == 7
    assert sum(level["n_kept"] for level in changed["methods"]["uniform"]) == 150
    assert run(arguments) == 0
    shown = capsys.readouterr().out
    assert "prop2diff  all" in shown
    assert "100 queries" in shown


@pytest.mark.parametrize(
    ("rates", "more", "message"),
    [
        ((0.5, 1.5), [], "line 2: pass_rate: expected a number in [0, 1], got 1.5"),
        ((), [], "expected a row for each query, got none"),
        ((0.5,), ["--set", "methods.uniform.k=200"], "k (200) must not exceed max_trials (96)"),
        ((0.5,), ["--set", "engine={name='my.engine:Engine'}"], "say it with --places N"),
        ((0.5,), ["--places", "0"], "greater than or equal to 1"),
    ],
)
def test_bad_input_is_one_line_and_code_2(
    rates: tuple[float, ...],
    more: list[str],
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    recipe = str(write_recipe(tmp_path))
    assert run(["simulate", recipe, "--pass-rates", rates_file(tmp_path, *rates), *more]) == 2
    complaint = capsys.readouterr().err
    assert message in complaint
    assert complaint.count("\n") == 1


def test_pass_rates_are_needed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["simulate", str(write_recipe(tmp_path))]) == 2
    assert "--pass-rates" in capsys.readouterr().err
    assert run(["simulate", str(write_recipe(tmp_path)), "--pass-rates", str(tmp_path / "no.csv")]) == 2
    assert "no such file" in capsys.readouterr().err


def test_a_second_chance_is_left_out_and_said_to_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    more = "[second_chance]\nafter = 20\nn_trials = 8\ntemperature = 0.7\n"
    arguments = ["--pass-rates", rates_file(tmp_path, 0.0, 0.5), "--json"]
    assert run(["simulate", str(write_recipe(tmp_path, more=more)), *arguments]) == 0
    shown = capsys.readouterr()
    assert "the second chance is left out" in shown.err
    assert run(["simulate", str(write_recipe(tmp_path)), *arguments]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(shown.out)
