from pathlib import Path

import pytest

from dartune.analysis.tables.evaluation import (
    Scores,
    details_grid,
    differences_grid,
    domain_grid,
    gains_grid,
    level_grid,
    main_grid,
    settings_text,
    tries_grid,
)
from dartune.evaluation.comparison import compare_evaluations
from dartune.evaluation.exchange import ImportedScore, ImportedScores
from dartune.evaluation.metrics import Estimate
from dartune.evaluation.published import published_scores
from dartune.evaluation.results import Evaluation, score_evaluation
from evaluations import boxed, evaluate

PROBLEMS = {f"What is {i}+{i}?": str(2 * i) for i in range(20)}


def never(one: str, other: str) -> bool:
    return False


@pytest.fixture
def pair(tmp_path: Path) -> list[Evaluation]:
    half = {text: [boxed(answer if i < 10 else "no")] for i, (text, answer) in enumerate(PROBLEMS.items())}
    whole = {text: [boxed(answer)] for text, answer in PROBLEMS.items()}
    return [evaluate(tmp_path / "half", PROBLEMS, half), evaluate(tmp_path / "whole", PROBLEMS, whole)]


def scores(evaluations: list[Evaluation]) -> list[Scores]:
    return [Scores(name=e.name, scores=score_evaluation(e, never)) for e in evaluations]


def test_own_rows_have_intervals(pair: list[Evaluation]) -> None:
    grid = main_grid(scores(pair))
    assert grid.columns == ("model", "own", "AVG in", "AVG out", "AVG")
    first, second = grid.rows
    assert first[1].startswith("50.0 ±")
    assert first[1] == first[2] == first[4]
    assert first[3] == "–"
    assert second[1].startswith("100.0 ±")


def test_gains_are_over_the_first_model_and_of_published_rows_over_vrt_on_the_same_base(
    pair: list[Evaluation],
) -> None:
    own = scores(pair)
    assert gains_grid(own).rows == (("whole", "half", "+50.0", "+50.0"),)
    assert gains_grid(own[:1]).rows == ()
    grid = gains_grid([], published=published_scores())
    assert grid.columns == ("model", "over", "MATH", "GSM8K", "College", "DM", "Olympiad", "Theorem", "AVG")
    rows = {row[0]: row[1:] for row in grid.rows}
    assert not any("70B" in name or "VRT" in name for name in rows)
    assert rows["† DART-Math-Mistral-7B (Prop2Diff)"] == (
        "Mistral-7B-VRT", "+6.8", "−1.2", "+5.2", "+9.5", "+6.0", "+0.8", "+4.5",
    )  # fmt: skip
    assert rows["† DeepSeekMath-7B-RL"][0] == "DeepSeekMath-7B-VRT"


def test_published_and_imported_rows_are_marked_with_their_source(pair: list[Evaluation]) -> None:
    imported = ImportedScores(
        model="owner/m",
        program="lm_eval",
        path="r.json",
        scores={
            "gsm8k/test": ImportedScore(metric="exact_match,none", accuracy=Estimate(value=0.5, low=0.4, high=0.6))
        },
    )
    grid = main_grid(scores(pair), published=published_scores(), imported=[imported])
    assert grid.columns[1:3] == ("own", "GSM8K")
    assert [row[0] for row in grid.rows[:3]] == ["half", "whole", "owner/m [1]"]
    assert grid.rows[2][1:3] == ("–", "50.0 ±10.0")
    card = {row[0]: row for row in grid.rows[3:]}
    assert card["† DART-Math-DSMath-7B (Prop2Diff)"][1:] == ("–", "86.8", "70.2", "39.1", "49.4")
    assert card["‡ DeepSeekMath-7B-VRT"][2] == "88.2"
    assert "[1] from r.json (lm_eval, exact_match,none), by that program's grader" in grid.note
    assert "† published, by the authors' grader, not measured here, AVG over the paper's six: Tong et al." in grid.note
    assert (
        "‡ published, by the authors' grader, not measured here, AVG over the paper's six: the VRT baselines"
        in grid.note
    )


def test_what_stands_behind_a_score(pair: list[Evaluation]) -> None:
    (row,) = details_grid(scores(pair)[0]).rows
    assert row[:3] == ("own", "20", "1")
    assert row[3].startswith("50.0 [")
    assert row[6:] == ("0.0", "0.0", "0.0", "7.0")
    assert tries_grid(scores(pair)[0]).rows == ()


def test_several_tries_have_a_row_for_each_k(tmp_path: Path) -> None:
    tries = {text: [boxed(answer), boxed("no"), boxed("no")] for text, answer in PROBLEMS.items()}
    grid = tries_grid(scores([evaluate(tmp_path / "a", PROBLEMS, tries)])[0])
    assert [row[1] for row in grid.rows] == ["1", "2", "3"]
    assert [row[2].split()[0] for row in grid.rows] == ["33.3", "66.7", "100.0"]
    assert [row[3].split()[0] for row in grid.rows] == ["33.3", "33.3", "0.0"]
    assert {row[4] for row in grid.rows} == {"–"}


def test_subjects_and_levels_have_a_column_each(pair: list[Evaluation]) -> None:
    models = scores(pair)
    assert domain_grid(models, "own").columns == ("model", "d0", "d1", "micro", "macro")
    assert level_grid(models, "own").columns == ("model", "1", "2", "micro", "macro")
    assert [row[0] for row in level_grid(models, "own").rows] == ["half", "whole"]
    assert domain_grid(models, "math/test").rows == ()


def test_differences_say_whether_the_models_differ(pair: list[Evaluation]) -> None:
    grid = differences_grid(compare_evaluations(pair))
    (row,) = grid.rows
    assert row[:4] == ("whole − half", "own", "20", "+50.0")
    assert row[5:] == ("10 / 0", "0.002", "0.002", "yes")
    assert "McNemar, exact; Holm's correction for 1 comparison" in grid.note


def test_settings_name_everything_that_a_score_depends_on(pair: list[Evaluation]) -> None:
    text = settings_text("half", pair[0].record)
    for part in (
        "replay:half-responses.jsonl@",
        "prompt: plain '{query}\\n'",
        "greedy, at most 64 new tokens",
        "dartune ",
    ):
        assert part in text
    assert f"grader: {pair[0].record.grader}" in text
    assert f"own: 20 rows x 1 tries, data {pair[0].benchmark('own').checksum}" in text
