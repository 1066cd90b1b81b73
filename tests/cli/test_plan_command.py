import json
from pathlib import Path

import pytest

from dartune.allocation import n_trials_needed
from dartune.cli.main import run
from dartune.methods import method_targets
from dartune.pool import read_outcomes
from dartune.queries import load_queries
from dartune.recipes import load_recipe
from fake_recipe import write_recipe

FEW = "methods={pilot={policy='vanilla',n_trials=6}}"


def planned(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, object]:
    assert run(["plan", *arguments, "--json"]) == 0
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(["plan", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return err


def total(plan: dict[str, object], name: str) -> dict[str, dict[str, float]]:
    rows = plan["planned"]
    assert isinstance(rows, list)
    (row,) = [row for row in rows if row["variant"]["name"] == name]
    found: dict[str, dict[str, float]] = row["totals"]["total"]
    return found


def write_rates(folder: Path, recipe: Path, rates: tuple[float, ...] = (0.95, 0.8, 0.6, 0.35, 0.1)) -> Path:
    """The pass rates of the fake engine."""
    queries = load_queries(load_recipe(recipe).queries, seed=3).queries
    path = folder / "rates.jsonl"
    rows = [{"id": q.id, "pass_rate": rates[(q.level or 1) - 1], "mean_tokens": 200} for q in queries]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_a_pilot_foretells_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe, out = str(write_recipe(tmp_path)), str(tmp_path / "run")
    assert run(["sample", recipe, "--out", out, "--quiet", "--set", "curation.n_examples=50", "--set", FEW]) == 0
    capsys.readouterr()
    plan = planned(capsys, recipe, "--pilot", f"{out}/pool")
    assert "600 tries of 100 of 100 queries" in str(plan["source"])
    assert total(plan, "uniform")["hours"] is not None  # timings.json tells the rate
    assert run(["sample", recipe, "--out", out, "--quiet"]) == 0
    opened = load_recipe(recipe)
    ids = [query.id for query in load_queries(opened.queries, seed=3).queries]
    outcomes = {query_id: list(tries.values()) for query_id, tries in read_outcomes(tmp_path / "run" / "pool").items()}
    for name, method in opened.methods.items():
        targets = method_targets(method, ids, {query_id: dict(enumerate(outcomes[query_id])) for query_id in ids})
        n_raw = sum(n_trials_needed(outcomes[query_id], target) for query_id, target in zip(ids, targets, strict=True))
        forecast = total(plan, name)
        low, high = forecast["raw_samples"]["low"], forecast["raw_samples"]["high"]
        slack = 0.5 * (high - low) + 1e-6
        assert low - slack <= n_raw <= high + slack, name


def test_pass_rates_foretell_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = write_recipe(tmp_path)
    rates = str(write_rates(tmp_path, recipe))
    plan = planned(capsys, str(recipe), "--pass-rates", rates, "--n-examples", "300", "--tokens-per-s", "1000")
    raw = total(plan, "uniform")["raw_samples"]
    mean = raw["mean"]
    assert mean == pytest.approx(20 * 4 * sum(1 / p for p in (0.95, 0.8, 0.6, 0.35, 0.1)), rel=0.01)
    assert raw["low"] < mean < raw["high"]
    assert total(plan, "uniform")["tokens"]["mean"] == pytest.approx(200 * mean)
    assert total(plan, "uniform")["hours"]["mean"] == pytest.approx(200 * mean / 3.6e6)
    assert "n_examples = 300" in str(plan["toml"])


def test_tables_figure_and_fragment(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figure = tmp_path / "plan.svg"
    options = ["--figure", str(figure), "--n-examples", "300", "--set", "budget.tokens=1000"]
    assert run(["plan", str(write_recipe(tmp_path)), *options]) == 0
    out = capsys.readouterr().out
    for words in ("the recipe's budget pays for", "from the published pass rates", "small: 100 queries",
                  "What else could be done", "Fill by cap",
                  "Where the next 10% of a method's cost goes best", "The cheapest settings for 300 examples",
                  "# in place of [methods] and [curation]", 'policy = "uniform"'):  # fmt: skip
        assert words in out, words
    assert figure.read_text(encoding="utf-8").startswith("<svg")


def test_prices_of_the_engine_make_money(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    engine = "engine={name='openai_http',model='m',base_urls=['http://x/v1'],prices={completion=2.0}}"
    recipe = write_recipe(tmp_path)
    rates = str(write_rates(tmp_path, recipe))
    plan = planned(capsys, str(recipe), "--pass-rates", rates, "--set", engine)
    uniform = total(plan, "uniform")
    assert uniform["money"]["mean"] == pytest.approx(uniform["tokens"]["mean"] * 2e-6)


def test_bad_input_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = write_recipe(tmp_path)
    name, rates = str(recipe), write_rates(tmp_path, recipe)
    assert "k (200) must not exceed max_trials" in refused(capsys, name, "--set", "methods.uniform.k=200")
    assert "got both" in refused(capsys, name, "--pilot", "x", "--pass-rates", "y")
    assert "--tokens-per-s: expected a number above 0, got 0" in refused(capsys, name, "--tokens-per-s", "0")
    assert "expected a file named .svg" in refused(capsys, name, "--figure", "x.png")
    assert "--n-examples: expected a number above 0, got 0" in refused(capsys, name, "--n-examples", "0")
    assert "not a pool" in refused(capsys, name, "--pilot", str(tmp_path / "nosuch"))
    assert "got none for" in refused(capsys, name, "--pass-rates", str(rates), "--set", "seed=4")
    assert "budget.tokens" in refused(capsys, name, "--set", "budget.tokens=0")
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"id": "a", "pass_rate": 80}\n', encoding="utf-8")
    assert "pass_rate: expected a number in [0, 1]" in refused(capsys, name, "--pass-rates", str(bad))


def test_a_pilot_of_another_run_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe, out = str(write_recipe(tmp_path)), str(tmp_path / "run")
    assert run(["sample", recipe, "--out", out, "--quiet", "--set", FEW]) == 0
    capsys.readouterr()
    pool = f"{out}/pool"
    assert "expected tries of the recipe's 100 queries" in refused(capsys, recipe, "--pilot", pool, "--set", "seed=4")
    hotter = refused(capsys, recipe, "--pilot", pool, "--set", "sampling.temperature=0.5")
    assert "temperature: expected the recipe's 0.5, got 1.6" in hotter
