"""What a finished run reads back from its sets."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from dartune.curation import CurationJob, curate
from dartune.pipeline.curated import N_PAIRS, curation_summary, read_omissions, read_tallies
from dartune.pipeline.folder import RunFolder
from dartune.pipeline.stages import Run
from dartune.pipeline.summarise import summarise
from dartune.recipes import load_recipe
from dartune.types import Query
from fake_recipe import write_recipe

CHECK = "def sound(query, response):\n    return '7' not in response.split('.')[0]\n"
PROCESS = "curation.process={check='small_check:sound',action='report'}"


def sampled(folder: Path, *changes: str) -> Run:
    run = Run(recipe=load_recipe(write_recipe(folder), list(changes)), folder=RunFolder(path=folder / "run"))
    run.sample()
    return run


def curated(run: Run, benchmarks: dict[str, list[Query]]) -> None:
    job = CurationJob(
        queries=run.queries().queries,
        methods=run.recipe.methods,
        config=run.recipe.curation,
        template=run.student_template(),
        seed=run.recipe.seed,
        benchmarks=benchmarks,
    )
    curate(run.folder.pool, job, out=run.folder.sets)


def test_the_pairs_are_those_of_the_sets_file_the_doubtful_ones_first(tmp_path: Path) -> None:
    run = sampled(tmp_path)
    queries = list(run.queries().queries)
    longer = [replace(query, text=f"{query.text} Say it in one word , please .") for query in queries[-9:]]
    curated(run, {"same": queries[:30], "longer": longer, "other": [Query.of("One and one ?", "2")]})
    found = curation_summary(run.recipe.curation, run.folder, "uniform").contamination
    assert found is not None
    lines = [json.loads(line) for line in (run.folder.path / found.file).read_text(encoding="utf-8").splitlines()]
    assert found.n_pairs == len(lines) > N_PAIRS == len(found.pairs)
    assert found.n_queries == len({line["query_id"] for line in lines})
    assert [row.benchmark for row in found.benchmarks] == ["same", "longer", "other"]
    assert (found.benchmarks[0].n_exact, found.benchmarks[2].n_queries) == (30, 0)
    by_ngram = [pair for pair in found.pairs if pair.kind == "ngram"]
    assert 0 < len(by_ngram) < N_PAIRS
    assert found.pairs[: len(by_ngram)] == tuple(sorted(by_ngram, key=lambda pair: pair.overlap))
    assert by_ngram[0].benchmark_query.startswith(by_ngram[0].query)
    assert read_omissions(run.folder.sets / "uniform").n_dropped_queries == found.n_queries


def test_what_is_not_looked_for_is_none(tmp_path: Path) -> None:
    run = sampled(tmp_path, "curation.decontamination.action='off'")
    curated(run, {"same": list(run.queries().queries)})
    summary = curation_summary(run.recipe.curation, run.folder, "vrt")
    assert (summary.process, summary.contamination) == (None, None)


def test_unsound_answers_are_counted_by_level_and_named_among_the_hard_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "small_check.py").write_text(CHECK)
    monkeypatch.syspath_prepend(str(tmp_path))
    run = sampled(tmp_path, PROCESS, "curation.n_examples=100000")
    run.curate()
    summary = summarise(run)
    for method in summary.methods:
        tallies = read_tallies(run.folder.sets / method.name)
        assert sum(part.n_correct for part in method.omissions.levels) == sum(t.difficulty.n_correct for t in tallies)
        assert sum(part.n_unsound for part in method.omissions.levels) == method.omissions.n_unsound > 0
        assert method.omissions.n_missing == 100_000 - method.n_examples
    assert summary.curation.process is not None
    assert summary.curation.process.action == "report"
    verdicts = {example.is_sound for example in summary.hard_examples}
    assert verdicts == {"7" not in example.response.split(".")[0] for example in summary.hard_examples}
    assert all(isinstance(verdict, bool) for verdict in verdicts)


def test_without_a_check_nothing_is_said_of_the_steps(tmp_path: Path) -> None:
    run = sampled(tmp_path)
    run.curate()
    summary = summarise(run)
    assert {example.is_sound for example in summary.hard_examples} == {None}
    assert summary.curation.contamination is not None
    assert summary.curation.contamination.benchmarks == ()
