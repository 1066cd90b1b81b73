"""Result files of other programs, in the shapes that they write."""

import json
from pathlib import Path

import pytest

from dartune.errors import DataError
from dartune.evaluation.exchange import read_scores, write_lighteval, write_lm_eval
from dartune.evaluation.results import score_evaluation
from evaluations import boxed, evaluate

LM_EVAL = {
    "results": {
        "gsm8k": {
            "alias": "gsm8k",
            "exact_match,strict-match": 0.55,
            "exact_match_stderr,strict-match": 0.013,
            "exact_match,flexible-extract": 0.6,
            "exact_match_stderr,flexible-extract": 0.012,
        },
        "minerva_math500": {
            "alias": "m",
            "exact_match,none": 0.2,
            "math_verify,none": 0.3,
            "math_verify_stderr,none": 0.02,
        },
        "hellaswag": {"acc_norm,none": 0.6},
    },
    "n-samples": {"gsm8k": {"original": 1319, "effective": 1319}},
    "config": {"model": "hf"},
    "model_name": "owner/model",
}
LIGHTEVAL = {
    "config_general": {"lighteval_sha": "?", "max_samples": None, "model_name": "google/gemma-2b-it"},
    "results": {
        "lighteval|gsm8k|5": {"qem": 0.034, "qem_stderr": 0.005},
        "custom|aime24|0": {"extractive_match": 0.1, "extractive_match_stderr": 0.05},
        "all": {"qem": 0.067},
    },
    "versions": {"lighteval|gsm8k|5": 0},
}


def write(path: Path, document: object) -> Path:
    path.write_text(json.dumps(document))
    return path


def test_lm_eval_is_read_under_our_names(tmp_path: Path) -> None:
    found = read_scores(write(tmp_path / "r.json", LM_EVAL))
    assert (found.program, found.model) == ("lm_eval", "owner/model")
    assert {name: (s.metric, s.accuracy.value) for name, s in found.scores.items()} == {
        "gsm8k/test": ("exact_match,flexible-extract", 0.6),
        "math/500": ("math_verify,none", 0.3),
    }
    accuracy = found.scores["gsm8k/test"].accuracy
    assert (accuracy.low, accuracy.high) == pytest.approx((0.6 - 1.96 * 0.012, 0.6 + 1.96 * 0.012), abs=1e-6)


def test_lighteval_is_read_under_our_names(tmp_path: Path) -> None:
    found = read_scores(write(tmp_path / "r.json", LIGHTEVAL))
    assert (found.program, found.model) == ("lighteval", "google/gemma-2b-it")
    assert {name: (s.metric, s.accuracy.value) for name, s in found.scores.items()} == {
        "gsm8k/test": ("qem", 0.034),
        "aime/2024": ("extractive_match", 0.1),
    }
    assert found.scores["aime/2024"].accuracy.low == pytest.approx(0.1 - 1.96 * 0.05, abs=1e-5)


@pytest.mark.parametrize(
    ("metric", "is_read"),
    [
        ("pass@k:k=1&n=1", True),
        ("pass@k:k=1&n=4", True),
        ("pass@k:k=1", True),
        ("avg@n:n=4", True),
        ("math_pass@1:1_samples", True),
        ("pass@k:k=16&n=16", False),
        ("pass@k:k=4&n=16", False),
        ("math_pass@16:16_samples", False),
    ],
)
def test_lightevals_metrics_of_one_try_are_read_and_no_others(tmp_path: Path, metric: str, is_read: bool) -> None:
    values = {metric: 0.25, f"{metric}_stderr": 0.1, "pass@k:k=8&n=8": 0.75, "pass@k:k=8&n=8_stderr": 0.1}
    path = write(tmp_path / "r.json", {"config_general": {}, "results": {"lighteval|math_500|0": values}})
    if not is_read:
        with pytest.raises(DataError, match="expected a task with one of the metrics"):
            read_scores(path)
        return
    accuracy = read_scores(path).scores["math/500"].accuracy
    assert (accuracy.value, accuracy.low) == (0.25, pytest.approx(0.25 - 0.1 * 1.96, abs=1e-5))


def test_the_parts_of_a_group_are_left_to_the_group(tmp_path: Path) -> None:
    values = {"math_verify,none": 0.25}
    whole = {"minerva_math": values, "minerva_math_algebra": values, "gsm8k": {"exact_match,none": 0.5}}
    found = read_scores(write(tmp_path / "r.json", {"results": {**whole, "gsm8k_cot": {"exact_match,none": 0.5}}}))
    assert list(found.scores) == ["math/test", "gsm8k/test"]
    alone = read_scores(write(tmp_path / "r.json", {"results": {"minerva_math_algebra": values}}))
    assert list(alone.scores) == ["minerva_math_algebra"]


@pytest.mark.parametrize("writer", [write_lm_eval, write_lighteval])
def test_what_is_written_is_read_back(tmp_path: Path, writer: object) -> None:
    problems = {f"What is {i}?": str(i) for i in range(40)}
    evaluation = evaluate(tmp_path / "a", problems, {text: [boxed(int(a) % 30)] for text, a in problems.items()})
    scores = score_evaluation(evaluation, lambda one, other: False)
    path = tmp_path / "r.json"
    writer(path, evaluation.record, scores)  # type: ignore[operator]
    found = read_scores(path)
    assert (found.program, found.model) == ("dartune", evaluation.record.model)
    accuracy = found.scores["own"].accuracy
    assert accuracy.value == scores[0].accuracy.accuracy == 0.75
    assert accuracy.high - accuracy.low == pytest.approx(scores[0].accuracy.high - scores[0].accuracy.low)
    assert json.loads(path.read_text())["dartune"]["grader"] == evaluation.record.grader


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "with the field results"),
        ({"results": 3}, "with the field results"),
        ({"results": {"gsm8k": {"acc": 0.5}}}, "results: expected a task with one of the metrics"),
        ({"results": {"gsm8k": {"exact_match,none": "0.5"}}}, "results: expected a task"),
        ({"results": {"gsm8k": {"exact_match,none": 55.0}}}, "results: expected a task"),
    ],
)
def test_a_file_of_another_kind_is_refused(tmp_path: Path, document: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_scores(write(tmp_path / "r.json", document))


def test_a_file_that_is_not_there_or_no_json_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_scores(tmp_path / "none.json")
    (tmp_path / "r.json").write_text("{")
    with pytest.raises(DataError, match="does not parse"):
        read_scores(tmp_path / "r.json")
