import pytest

from dartune.evaluation.published import PublishedScores, published_scores
from dartune.evaluation.sets import TITLES

AVERAGES = {
    "Llama3-70B-MetaMath": 41.9,
    "DART-Math-Llama3-70B (Uniform)": 49.1,
    "DART-Math-Llama3-70B (Prop2Diff)": 49.3,
    "DeepSeekMath-7B-MetaMath": 41.5,
    "DART-Math-DSMath-7B (Uniform)": 49.2,
    "DART-Math-DSMath-7B (Prop2Diff)": 49.4,
    "DeepSeekMath-7B-RL": 49.3,
    "DeepSeekMath-7B-VRT": 48.3,
    "Mistral-7B-MetaMath": 28.9,
    "Mistral-7B-VRT": 34.3,
    "Llama3-8B-VRT": 35.2,
    "DART-Math-Mistral-7B (Prop2Diff)": 38.8,
    "Llama3-8B-MetaMath": 30.8,
    "DART-Math-Llama3-8B (Uniform)": 38.7,
    "DART-Math-Llama3-8B (Prop2Diff)": 39.7,
}
"""The column AVG of the published tables. Mistral-7B (Uniform) is left out: 27.4 there is not the mean of its row."""


def test_rows_are_complete_and_have_a_source() -> None:
    rows = published_scores()
    assert len({row.model for row in rows}) == len(rows) == 16
    for row in rows:
        assert list(row.accuracy) == list(TITLES)
        assert all(0 < value < 1 for value in row.accuracy.values())
        assert "arXiv" in row.source


@pytest.mark.parametrize("row", published_scores(), ids=lambda row: row.model)
def test_averages_are_the_published_ones(row: PublishedScores) -> None:
    model, average = row.model, row.average()
    if model in AVERAGES:
        assert 100 * average == pytest.approx(AVERAGES[model], abs=0.0501)
    else:
        assert 100 * average == pytest.approx(37.4, abs=0.05)


def test_gains_over_the_baseline_are_the_ones_that_the_authors_name() -> None:
    rows = {row.model: row for row in published_scores()}
    assert sorted(row.base for row in rows.values() if row.is_vrt) == ["DeepSeekMath-7B", "Llama3-8B", "Mistral-7B"]
    base = rows["Llama3-8B-VRT"].average()
    gains = [100 * (rows[f"DART-Math-Llama3-8B ({way})"].average() - base) for way in ("Uniform", "Prop2Diff")]
    assert gains == pytest.approx([3.5, 4.5], abs=0.05)
    best, plain = rows["DART-Math-Mistral-7B (Prop2Diff)"].accuracy, rows["Mistral-7B-VRT"].accuracy
    assert 100 * (best["college-math/test"] - plain["college-math/test"]) == pytest.approx(5.2)
    assert 100 * (best["deepmind-mathematics"] - plain["deepmind-mathematics"]) == pytest.approx(9.5)
    assert "MathFusion" in rows["Mistral-7B-VRT"].source
    assert "MathFusion" not in rows["Mistral-7B-MetaMath"].source
