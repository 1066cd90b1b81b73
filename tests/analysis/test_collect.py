from statistics import fmean

import pytest

from dartune.analysis.collect import QueryTally, evaluation_summary, method_summary
from dartune.analysis.curated import Omissions
from dartune.errors import DataError
from dartune.evaluation.metrics import Score, Scored
from dartune.types import Difficulty, Target, Verdict

NONE = Omissions(
    n_duplicates=0,
    n_near_duplicates=0,
    n_unsound=0,
    n_dropped_queries=0,
    n_missing=0,
    n_missing_tokens=0,
    n_unfinished=0,
    levels=(),
)


def tally(level: int | None, n_raw: int, n_correct: int, n_examples: int, target: int = 4) -> QueryTally:
    return QueryTally(
        level=level,
        target=Target(n_correct=target, max_trials=96),
        difficulty=Difficulty(n_trials=n_raw, n_correct=n_correct),
        raw_tokens=10 * n_raw,
        n_examples=n_examples,
        response_tokens=9 * n_examples,
        prompt_tokens=20 * n_examples,
    )


def answer(level: int | None, verdict: Verdict, n_tokens: int = 10) -> Scored:
    return Scored(
        query_id=f"{level} {verdict}",
        level=level,
        domain=None,
        is_correct=verdict == "correct",
        n_tokens=n_tokens,
        verdict=verdict,
    )


def test_method_adds_up_by_level() -> None:
    method = method_summary("uniform", "k = 4", [tally(2, 96, 1, 0), tally(1, 4, 4, 4), tally(2, 8, 4, 3)], NONE)
    assert (method.n_raw, method.n_correct, method.n_examples) == (108, 9, 7)
    assert (method.raw_tokens, method.response_tokens, method.prompt_tokens) == (1080, 63, 140)
    assert method.fill == pytest.approx(fmean([1 / 4, 1, 1]))
    assert method.acceptance == 9 / 108
    first, second = method.levels
    assert (first.level, first.coverage, first.responses_per_query, first.mean_fail_rate) == (1, 1.0, 4.0, 0.0)
    assert (second.level, second.n_queries, second.n_covered, second.coverage) == (2, 2, 1, 0.5)
    assert second.responses_per_query == 1.5
    assert second.mean_fail_rate == pytest.approx(fmean([95 / 96, 1 - 3 / 7]))  # one stopped at its target


def test_more_than_the_target_counts_as_full() -> None:
    assert method_summary("u", "", [tally(1, 9, 9, 9), tally(1, 9, 0, 0)], NONE).fill == 0.5


def test_policy_without_target_has_no_fill() -> None:
    assert method_summary("vrt", "", [tally(1, 7, 3, 3, target=0)], NONE).fill is None


def test_no_queries_and_no_tries_are_zeros() -> None:
    empty = method_summary("vrt", "", [], NONE)
    assert (empty.n_raw, empty.levels, empty.fill, empty.acceptance) == (0, (), None, None)
    untried = method_summary("u", "", [tally(None, 0, 0, 0)], NONE)
    assert untried.levels[0].mean_fail_rate == 1.0


def test_queries_without_level_come_last() -> None:
    method = method_summary("u", "", [tally(None, 4, 4, 4), tally(3, 4, 4, 4), tally(1, 4, 4, 4)], NONE)
    assert [row.level for row in method.levels] == [1, 3, None]


def test_evaluation_takes_the_macro_mean_over_labelled_levels_only() -> None:
    rows = [answer(1, "correct"), answer(2, "incorrect"), answer(2, "truncated", 40), answer(None, "correct")]
    summary = evaluation_summary("vrt", "story", in_domain=True, rows=rows)
    assert summary.overall == Score.of(2, 4)
    assert summary.macro is not None
    assert summary.macro.value == summary.headline.value == 0.5
    assert [part.level for part in summary.levels] == [1, 2, None]
    assert [(part.domain, part.score.n) for part in summary.domains] == [(rows[0].domain, 4)]
    assert summary.mean_tokens == 17.5
    assert summary.verdicts == {"correct": 2, "incorrect": 1, "truncated": 1}


def test_evaluation_without_levels_has_plain_accuracy_as_headline() -> None:
    summary = evaluation_summary(
        "vrt", "gsm8k", in_domain=True, rows=[answer(None, "correct"), answer(None, "no_answer")]
    )
    assert summary.macro is None
    assert summary.headline.value == 0.5
    assert (summary.headline.low, summary.headline.high) == (summary.overall.low, summary.overall.high)


def test_evaluation_of_nothing_is_refused() -> None:
    with pytest.raises(DataError, match="benchmark story: expected at least one graded answer of vrt, got none"):
        evaluation_summary("vrt", "story", in_domain=True, rows=[])
