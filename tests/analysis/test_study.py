from dataclasses import replace

import pytest

from dartune.analysis.study import StudyRun, study
from dartune.analysis.summary import RunSummary, StudySummary
from dartune.errors import DataError
from dartune.evaluation.significance import paired_test, seed_mean


def as_run(summary: RunSummary, variant: str, seed: int) -> StudyRun:
    return StudyRun(variant=variant, path=f"runs/{variant}-{seed}", summary=replace(summary, seed=seed))


def headline(run: RunSummary, method: str, benchmark: str = "story") -> float:
    return next(row for row in run.evaluations if (row.method, row.benchmark) == (method, benchmark)).headline.value


def test_rows_for_each_variant_and_pooled(study_summary: StudySummary) -> None:
    rows = [row for row in study_summary.accuracies if (row.method, row.benchmark, row.level) == ("vrt", "story", None)]
    assert [(row.variant, row.accuracy.n) for row in rows] == [("pair a", 5), ("pair b", 5), (None, 10)]
    assert rows[2].accuracy.mean == pytest.approx((rows[0].accuracy.mean + rows[1].accuracy.mean) / 2)


def test_differences_are_the_paired_tests_of_the_runs(study_summary: StudySummary, run_summary: RunSummary) -> None:
    pooled = {
        row.method: row.test
        for row in study_summary.differences
        if (row.variant, row.benchmark, row.level) == (None, "story", None)
    }
    assert list(pooled) == ["uniform", "prop2diff"]
    assert pooled["uniform"].n == 10
    assert 0.02 < pooled["uniform"].difference < pooled["prop2diff"].difference < 0.08

    second = replace(
        run_summary,
        evaluations=tuple(row for row in run_summary.evaluations if row.method != "uniform" or row.benchmark != "expr"),
    )
    result = study("s", "now", [as_run(run_summary, "a", 0), as_run(second, "a", 1)])
    by_benchmark = {
        row.benchmark: row.test for row in result.differences if row.method == "uniform" and row.level is None
    }
    values = [headline(run_summary, "uniform")] * 2, [headline(run_summary, "vrt")] * 2
    assert by_benchmark["story"] == paired_test(*values)
    assert by_benchmark["expr"].n == 1


def test_one_variant_is_not_pooled_twice(run_summary: RunSummary) -> None:
    result = study("s", "now", [as_run(run_summary, "a", 0)])
    assert {row.variant for row in result.accuracies} == {"a"}
    assert result.sets[0].n_examples == seed_mean([6000])
    assert result.sets[0].coverage[5] == 0.5


def test_every_level_is_compared_and_a_single_level_only_once(study_summary: StudySummary) -> None:
    def levels(benchmark: str) -> list[int | None]:
        return [
            row.level
            for row in study_summary.differences
            if (row.variant, row.method, row.benchmark) == ("pair a", "uniform", benchmark)
        ]

    assert levels("story") == [None, 1, 2, 3, 4, 5]
    assert levels("story level 6") == [None]


def test_several_baselines(run_summary: RunSummary) -> None:
    result = study("s", "now", [as_run(run_summary, "a", 0)], baselines=("vrt", "uniform"))
    pairs = {(row.method, row.baseline) for row in result.differences}
    assert pairs == {("uniform", "vrt"), ("prop2diff", "vrt"), ("prop2diff", "uniform")}


def test_the_same_run_twice_is_refused(run_summary: RunSummary) -> None:
    runs = [as_run(run_summary, "a", 0), replace(as_run(run_summary, "a", 0), path="elsewhere")]
    with pytest.raises(DataError, match="one run for each variant and seed, got runs/a-0 and elsewhere"):
        study("s", "now", runs)
    with pytest.raises(DataError, match="at least one run"):
        study("s", "now", [])
