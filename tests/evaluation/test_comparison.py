from dataclasses import replace
from pathlib import Path

import pytest

from dartune.evaluation.comparison import Aspect, NotComparable, compare_evaluations, shared_benchmarks
from dartune.evaluation.paired import holm, mcnemar_p
from dartune.evaluation.results import Evaluation, average, score_evaluation
from dartune.evaluation.sets import averaged
from dartune.types import SamplingParams
from evaluations import boxed, evaluate

PROBLEMS = {f"What is {i}+{i}?": str(2 * i) for i in range(12)}


def right_on(wanted: range) -> dict[str, list[str]]:
    return {text: [boxed(answer if i in wanted else "no")] for i, (text, answer) in enumerate(PROBLEMS.items())}


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Evaluation, Evaluation]:
    first = evaluate(tmp_path / "a", PROBLEMS, right_on(range(2)))
    return first, evaluate(tmp_path / "b", PROBLEMS, right_on(range(1, 12)))


def test_differences_are_paired_by_query_and_corrected(pair: tuple[Evaluation, Evaluation]) -> None:
    first, second = pair
    third = replace(first, name="c")
    found = compare_evaluations([first, second, third])
    assert [(one.baseline, one.model) for one in found] == [("a", "b"), ("a", "c")]
    better, same = found
    assert (better.paired.n_better, better.paired.n_worse) == (10, 1)
    assert better.paired.difference.value == pytest.approx(9 / 12)
    assert better.paired.p == mcnemar_p(10, 1)
    assert [one.p_adjusted for one in found] == holm([mcnemar_p(10, 1), 1.0])
    assert (same.paired.difference.value, same.paired.p) == (0.0, 1.0)


def test_several_benchmarks_are_compared_on_their_average_too(pair: tuple[Evaluation, Evaluation]) -> None:
    both = [
        replace(
            evaluation,
            record=replace(
                evaluation.record,
                benchmarks=(evaluation.benchmark("own"), replace(evaluation.benchmark("own"), name="more")),
            ),
            tries={"own": evaluation.tries["own"], "more": evaluation.tries["own"]},
        )
        for evaluation in pair
    ]
    found = compare_evaluations(both)
    assert [one.benchmark for one in found] == ["own", "more", "AVG"]
    assert found[2].paired.difference.value == pytest.approx(9 / 12)
    assert found[2].paired.difference.low > found[0].paired.difference.low
    assert found[2].paired.test == "permutation of queries"


@pytest.mark.parametrize(
    ("aspect", "changes", "mend"),
    [
        ("prompt", {"prompt": "Solve {query}"}, "--allow prompt"),
        ("prompt", {"template": "alpaca"}, r"\(a: plain@.*; b: alpaca@"),
        ("sampling", {"sampling": SamplingParams(temperature=0.5)}, r"\(a: temperature=0.0, .*; b: temperature=0.5, "),
        ("grader", {"grader": "0.0.1+old"}, "b: 0.0.1\\+old.*FOLDER --regrade, or .*--allow grader"),
    ],
)
def test_evaluations_made_in_another_way_are_refused_unless_allowed(
    pair: tuple[Evaluation, Evaluation], aspect: Aspect, changes: dict[str, object], mend: str
) -> None:
    first, second = pair
    changed = replace(second, record=replace(second.record, **changes))
    with pytest.raises(NotComparable, match=f"a and b cannot be compared on own: {aspect} differs.*{mend}"):
        compare_evaluations([first, changed])
    assert compare_evaluations([first, changed], allow=[aspect]) == compare_evaluations([first, second])


@pytest.mark.parametrize(("aspect", "change"), [("data", {"checksum": "0" * 16}), ("tries", {"n_trials": 4})])
def test_other_data_cannot_be_compared_at_all(
    pair: tuple[Evaluation, Evaluation], aspect: Aspect, change: dict[str, object]
) -> None:
    first, second = pair
    part = replace(second.record.benchmarks[0], **change)
    other = replace(second, record=replace(second.record, benchmarks=(part,)))
    with pytest.raises(NotComparable, match=f"{aspect} differs"):
        compare_evaluations([first, other])


def test_a_part_of_another_benchmark_counts_once_in_the_average(pair: tuple[Evaluation, Evaluation]) -> None:
    assert averaged(["math/500", "gsm8k/test", "theoremqa/text"]) == ["math/500", "gsm8k/test", "theoremqa/text"]
    names = ("math/test", "math/500", "gsm8k/test")
    first, second = (
        replace(
            evaluation,
            record=replace(
                evaluation.record,
                benchmarks=tuple(replace(evaluation.benchmark("own"), name=name) for name in names),
            ),
            tries={name: evaluation.tries["own"][: 6 if name == "math/500" else 12] for name in names},
        )
        for evaluation in pair
    )
    found = {one.benchmark: one.paired.difference.value for one in compare_evaluations([first, second])}
    assert found["math/500"] != found["math/test"]
    assert found["AVG"] == pytest.approx((found["math/test"] + found["gsm8k/test"]) / 2)
    scores = {score.benchmark: score.accuracy.accuracy for score in score_evaluation(second, lambda a, b: False)}
    means = average(score_evaluation(second, lambda a, b: False))
    assert means.overall is not None
    assert means.overall.value == pytest.approx((scores["math/test"] + scores["gsm8k/test"]) / 2)


def test_other_engines_and_models_may_be_compared(pair: tuple[Evaluation, Evaluation]) -> None:
    first, second = pair
    assert first.record.model != second.record.model
    other = replace(second, record=replace(second.record, engine="VllmEngine", versions={}))
    assert compare_evaluations([first, other])


def test_nothing_in_common_is_refused(pair: tuple[Evaluation, Evaluation]) -> None:
    first, second = pair
    part = replace(second.record.benchmarks[0], name="theirs")
    other = replace(second, record=replace(second.record, benchmarks=(part,)))
    with pytest.raises(NotComparable, match="no benchmark is common to all \\(a: own; b: theirs\\)"):
        shared_benchmarks([first, other])
