"""Made-up summaries with realistic numbers: the world of issue 1, two thousand queries, sets of six thousand."""

import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from dartune.analysis.collect import QueryTally, evaluation_summary, method_summary
from dartune.analysis.curated import (
    BenchmarkMatches,
    Contamination,
    CurationSummary,
    MatchedPair,
    Omissions,
    ProcessCheck,
    UnsoundLevel,
)
from dartune.analysis.study import StudyRun, study
from dartune.analysis.summary import HardExample, MethodSummary, PoolSummary, RunSummary, StudySummary
from dartune.evaluation.metrics import Scored
from dartune.types import Difficulty, Target

PASS_RATES = (0.96, 0.82, 0.61, 0.38, 0.12)
RESPONSES_PER_QUERY = {
    "vrt": (4.98, 4.25, 3.16, 1.97, 0.64),
    "uniform": (3.04, 3.04, 3.04, 3.03, 2.85),
    "prop2diff": (1.0, 1.55, 2.7, 4.05, 5.7),
}
COVERAGE = {
    "vrt": (1.0, 1.0, 0.99, 0.92, 0.5),
    "uniform": (1.0, 1.0, 1.0, 1.0, 0.96),
    "prop2diff": (1.0, 1.0, 1.0, 1.0, 0.98),
}
TRIES_PER_QUERY = {"vrt": (7, 7, 7, 7, 7), "uniform": (4, 5, 7, 11, 34), "prop2diff": (7, 8, 9, 14, 58)}
STORY = {
    "base": (0.93, 0.66, 0.41, 0.2, 0.07),
    "vrt": (0.998, 0.988, 0.954, 0.757, 0.3),
    "uniform": (0.998, 0.99, 0.962, 0.81, 0.43),
    "prop2diff": (0.997, 0.99, 0.967, 0.82, 0.46),
    "teacher": (0.996, 0.981, 0.94, 0.79, 0.4),
}
EXPR = {
    "base": (0.9, 0.6, 0.3, 0.1, 0.03),
    "vrt": (0.94, 0.7, 0.4, 0.18, 0.05),
    "uniform": (0.94, 0.71, 0.43, 0.22, 0.06),
    "prop2diff": (0.93, 0.7, 0.44, 0.24, 0.08),
}
LEVEL_6 = {"base": 0.01, "vrt": 0.04, "uniform": 0.09, "prop2diff": 0.12}
POLICIES = {
    "vrt": "7 tries for every query",
    "uniform": "until 4 are correct, at most 96 tries",
    "prop2diff": "up to 7.5 correct in proportion to the fail rate, at least 1; 7 pilot tries, at most 96",
}


UNSOUND = (0.005, 0.01, 0.07, 0.2, 0.4)
CURATION = CurationSummary(
    process=ProcessCheck(check="equations", action="report"),
    contamination=Contamination(
        action="drop",
        n=13,
        min_overlap=0.5,
        same_numbers=True,
        benchmarks=(
            BenchmarkMatches(benchmark="story", n_problems=2000, n_exact=1, n_ngram=2, n_queries=2),
            BenchmarkMatches(benchmark="expr", n_problems=2000, n_exact=0, n_ngram=0, n_queries=0),
        ),
        n_queries=2,
        n_pairs=3,
        pairs=(
            MatchedPair(
                query="Ann has 7 boxes of 9 pens . She gives 4 away . How many pens are left with her ?",
                benchmark="story",
                benchmark_query="Ben has 7 boxes of 9 pens . She gives 4 away . How many ?",
                kind="ngram",
                overlap=0.643,
            ),
            MatchedPair(
                query="Tom has 3 coins .",
                benchmark="story",
                benchmark_query="Tom has 3 coins",
                kind="exact",
                overlap=1.0,
            ),
        ),
        file="sets/vrt/contamination.jsonl",
    ),
)


def made_up_omissions() -> Omissions:
    return Omissions(
        n_duplicates=28,
        n_near_duplicates=5,
        n_unsound=274,
        n_dropped_queries=2,
        n_missing=17,
        n_missing_tokens=0,
        n_unfinished=1,
        levels=tuple(
            UnsoundLevel(level=level, n_correct=400, n_unsound=round(400 * share))
            for level, share in enumerate(UNSOUND, start=1)
        ),
    )


def made_up_method(name: str) -> MethodSummary:
    tallies = []
    for i, pass_rate in enumerate(PASS_RATES):
        n_queries = 400
        n_covered = round(COVERAGE[name][i] * n_queries)
        n_examples = round(RESPONSES_PER_QUERY[name][i] * n_queries)
        n_raw = TRIES_PER_QUERY[name][i]
        for j in range(n_queries):
            n_here = (n_examples // n_covered + (j < n_examples % n_covered)) if j < n_covered else 0
            tallies.append(
                QueryTally(
                    level=i + 1,
                    target=Target(n_correct=0 if name == "vrt" else 4, max_trials=96),
                    difficulty=Difficulty(n_trials=n_raw, n_correct=min(n_raw, max(n_here, round(pass_rate * n_raw)))),
                    raw_tokens=n_raw * (12 + 11 * i),
                    n_examples=n_here,
                    response_tokens=n_here * (11 + 10 * i),
                    prompt_tokens=n_here * (20 + 9 * i),
                )
            )
    return method_summary(name, POLICIES[name], tallies, made_up_omissions())


def made_up_answers(rates: tuple[float, ...], rng: random.Random, first_level: int = 1) -> list[Scored]:
    return [
        Scored(
            query_id=f"{first_level + i}-{j}",
            level=first_level + i,
            domain="story",
            is_correct=(right := rng.random() < rate),
            n_tokens=14 + 9 * i,
            verdict="correct" if right else ("truncated" if j % 29 == 0 else "incorrect"),
        )
        for i, rate in enumerate(rates)
        for j in range(400)
    ]


HARD_EXAMPLES = (
    HardExample(
        query="Tom has 48 coins . He finds 11 , gives away 23 , doubles the rest and loses 5 . How many ?",
        level=5,
        ref_answer="67",
        fail_rate=0.979,
        n_trials=96,
        response="48 + 11 = 59 . So 59 - 23 = 36 .\nNext 36 * 2 = 72 , and 72 - 5 = 67 .\n\\boxed{ 67 }",
        is_sound=True,
    ),
    HardExample(
        query="Ann has 7 boxes of 9 pens . She shares them among 3 . Each gives back 4 . How many has she ?",
        level=5,
        ref_answer="12",
        fail_rate=0.948,
        n_trials=58,
        response="7 * 9 = 63 . Each friend has 63 / 3 = 21 .\n3 * 4 = 12 .\n\\boxed{ 12 }",
        is_sound=False,
    ),
)


def made_up_run(seed: int = 0, *, lift: float = 0.0) -> RunSummary:
    rng = random.Random(seed)
    evaluations = [
        evaluation_summary(
            name, "story", in_domain=True, rows=made_up_answers(tuple(min(1.0, r + lift) for r in rates), rng)
        )
        for name, rates in STORY.items()
    ]
    evaluations += [
        evaluation_summary(name, "expr", in_domain=False, rows=made_up_answers(rates, rng))
        for name, rates in EXPR.items()
    ]
    evaluations += [
        evaluation_summary(name, "story level 6", in_domain=False, rows=made_up_answers((rate,), rng, 6))
        for name, rate in LEVEL_6.items()
    ]
    return RunSummary(
        name="demo",
        seed=seed,
        recipe_hash="3f9a2c7d51b0e864",
        recipe='name = "demo"\nseed = 0\n\n[queries]\nsource = "world/train"\nlimit = 2000\n',
        created="2026-03-01T12:00:00+00:00",
        versions={"dartune": "0.1.0", "torch": "2.13.0", "transformers": "5.23.0", "trl": "1.16.0"},
        queries="world/train",
        sampled_model="world:teacher-a",
        student="world:base-a",
        pool=PoolSummary(n_queries=2000, n_raw=41230, n_failures=3, raw_tokens=1_964_402, seconds_sampling=61.4),
        methods=tuple(made_up_method(name) for name in POLICIES),
        curation=CURATION,
        evaluations=tuple(evaluations),
        hard_examples=HARD_EXAMPLES,
        timings={"sample": 61.4, "curate": 0.8, "train": 93.0, "evaluate": 22.5},
    )


def made_up_study() -> StudySummary:
    runs = [
        StudyRun(variant=f"pair {pair}", path=f"runs/{pair}-{seed}", summary=made_up_run(10 * i + seed, lift=0.02 * i))
        for i, pair in enumerate("ab")
        for seed in range(5)
    ]
    return study("world-study", "2026-03-01T12:00:00+00:00", runs)


@pytest.fixture(scope="session")
def run_summary() -> RunSummary:
    return made_up_run()


@pytest.fixture(scope="session")
def study_summary() -> StudySummary:
    return made_up_study()


def hostile_curation(text: str) -> CurationSummary:
    assert CURATION.process is not None
    assert CURATION.contamination is not None
    pair = replace(CURATION.contamination.pairs[0], query=text, benchmark=text, benchmark_query=text)
    row = replace(CURATION.contamination.benchmarks[0], benchmark=text)
    contamination = replace(CURATION.contamination, pairs=(pair,), benchmarks=(row,), file=text)
    return CurationSummary(process=replace(CURATION.process, check=text), contamination=contamination)


@pytest.fixture(scope="session")
def hostile(run_summary: RunSummary) -> Callable[[str], RunSummary]:
    """The run with every piece of free text replaced."""

    def replaced(text: str) -> RunSummary:
        return replace(
            run_summary,
            name=text,
            recipe=text,
            recipe_hash=text,
            queries=text,
            sampled_model=text,
            student=text,
            created=text,
            versions={text: text},
            methods=tuple(replace(method, name=text + method.name, policy=text) for method in run_summary.methods),
            curation=hostile_curation(text),
            evaluations=tuple(
                replace(row, method=text + row.method, benchmark=text + row.benchmark)
                for row in run_summary.evaluations
            ),
            hard_examples=tuple(
                replace(example, query=text, ref_answer=text, response=text) for example in run_summary.hard_examples
            ),
            timings={text: 1.0},
        )

    return replaced
