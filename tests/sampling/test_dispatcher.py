import asyncio
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from dartune.config import FakeEngineConfig, MethodConfig, Prices, Prop2DiffMethod, UniformMethod, VanillaMethod
from dartune.engines.base import Engine
from dartune.engines.fake import FakeEngine
from dartune.errors import EngineDown, PoolMismatch, WriteError
from dartune.grading import Grader
from dartune.pool import read_outcomes, read_samples
from dartune.pool.overview import find_faults
from dartune.prompts import Template, load_template
from dartune.sampling.dispatcher import MOST_REPORTING
from dartune.sampling.job import Job, SamplingReport
from dartune.sampling.progress import Progress
from dartune.sampling.run import sample_pool, sample_pool_async
from dartune.types import Query, Request, Response, SamplingParams

QUERIES = [Query.of(f"Problem {i} ?", str(i), level=i % 5 + 1) for i in range(50)]
METHODS = {
    "vrt": VanillaMethod(policy="vanilla", n_trials=5),
    "uniform": UniformMethod(policy="uniform", k=3, max_trials=40),
    "prop2diff": Prop2DiffMethod(policy="prop2diff", k=6, n_pilot=8, max_trials=40),
}


def job(speculation: float = 0.0, seed: int = 1) -> Job:
    return Job(
        queries=QUERIES,
        methods=METHODS,
        template=load_template("plain"),
        params=SamplingParams(),
        seed=seed,
        speculation=speculation,
    )


def run(
    pool: Path, engine: Engine, *, the_job: Job | None = None, watch: list[Progress] | None = None
) -> SamplingReport:
    with Grader() as grader:
        return sample_pool(
            the_job or job(), engine=engine, grader=grader, pool=pool, watch=None if watch is None else watch.append
        )


def fake(**settings: float) -> FakeEngine:
    return FakeEngine(FakeEngineConfig.model_validate(settings), QUERIES)


class Odd(FakeEngine):
    """A fake engine that keeps account, and may break after so many requests."""

    def __init__(self, breaks_after: int = 10**9, error: Exception | None = None) -> None:
        super().__init__(FakeEngineConfig(n_places=32, latency_s=0.001), QUERIES)
        self.breaks_after, self.error = breaks_after, error or ValueError("boom")
        self.n_asked = self.n_flying = self.most_flying = 0
        self.is_closed = False

    async def generate(self, request: Request) -> Response:
        self.n_asked += 1
        self.n_flying += 1
        self.most_flying = max(self.most_flying, self.n_flying)
        try:
            if self.n_asked > self.breaks_after:
                raise self.error
            return await super().generate(request)
        finally:
            self.n_flying -= 1

    async def aclose(self) -> None:
        self.is_closed = True


def test_every_method_gets_what_it_asks_for(tmp_path: Path) -> None:
    report = run(tmp_path, fake(failure_rate=0.05))
    outcomes = read_outcomes(tmp_path)
    assert find_faults(tmp_path) == []
    for query in QUERIES:
        tries = outcomes[query.id]
        assert sorted(tries) == list(range(len(tries)))
        assert len(tries) >= 8
        assert list(tries.values()).count(True) >= 3 or len(tries) == 40
    assert report.n_samples == sum(len(tries) for tries in outcomes.values())
    assert report.n_failures == sum(outcome is None for tries in outcomes.values() for outcome in tries.values()) > 0


def test_tokens_are_paid_for(tmp_path: Path) -> None:
    priced = replace(job(), prices=Prices(prompt=1e9, completion=2.0))
    watch: list[Progress] = []
    report = run(tmp_path, fake(), the_job=priced, watch=watch)
    assert (report.n_prompt_tokens, report.cost) == (0, pytest.approx(report.n_tokens * 2.0 / 1e6))
    assert watch[-1].cost == report.cost > 0


def test_a_second_call_has_nothing_to_do(tmp_path: Path) -> None:
    run(tmp_path, fake())
    before = read_samples(tmp_path)
    assert run(tmp_path, fake()).n_samples == 0
    assert read_samples(tmp_path).equals(before)


def test_the_engine_is_kept_full_and_closed(tmp_path: Path) -> None:
    engine = Odd()
    run(tmp_path, engine)
    assert engine.most_flying == 32
    assert engine.n_flying == 0
    assert engine.is_closed


def test_strict_pools_are_the_same_whatever_the_order_of_arrival(tmp_path: Path) -> None:
    run(tmp_path / "a", fake(latency_s=0.002, n_places=7))
    run(tmp_path / "b", fake(n_places=300))
    rows = [sorted(map(str, read_samples(tmp_path / name).to_pylist())) for name in "ab"]
    assert rows[0] == rows[1]


def test_a_broken_engine_ends_the_run_and_what_was_graded_stays(tmp_path: Path) -> None:
    with pytest.raises(EngineDown, match="Odd raised ValueError: boom"):
        run(tmp_path, Odd(breaks_after=100))
    assert sum(map(len, read_outcomes(tmp_path).values())) >= 100 - 32
    run(tmp_path, Odd())
    run(tmp_path / "whole", Odd())
    assert read_outcomes(tmp_path) == read_outcomes(tmp_path / "whole")


def test_a_prompt_that_cannot_be_rendered_ends_the_run(tmp_path: Path) -> None:
    def refuse(text: str) -> str:
        raise RuntimeError("the chat template refuses")

    with pytest.raises(RuntimeError, match="the chat template refuses"):
        run(tmp_path, fake(), the_job=replace(job(), template=Template(name="odd", render=refuse, separator="")))


def test_methods_with_other_caps_cost_no_more_than_the_one_that_needs_most(tmp_path: Path) -> None:
    methods: dict[str, MethodConfig] = {
        "deep": UniformMethod(policy="uniform", k=1, max_trials=300),
        "wide": UniformMethod(policy="uniform", k=20, max_trials=20),
    }
    n_tries = {}
    for name, chosen in {"deep": {"deep": methods["deep"]}, "wide": {"wide": methods["wide"]}, "both": methods}.items():
        run(tmp_path / name, fake(), the_job=replace(job(), methods=chosen))
        n_tries[name] = {query_id: len(tries) for query_id, tries in read_outcomes(tmp_path / name).items()}
    assert n_tries["both"] == {q: max(n, n_tries["wide"][q]) for q, n in n_tries["deep"].items()}


def test_a_full_disk_ends_the_run_with_its_own_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, write: object) -> None:
        raise WriteError(f"{path}: could not be written (No space left on device)")

    engine = Odd()
    run(tmp_path, Odd(), the_job=job())
    with monkeypatch.context() as patch:
        patch.setattr("dartune.pool.writer.write_atomic", refuse)
        with pytest.raises(WriteError, match="No space left"):
            run(tmp_path / "full", engine)
    assert engine.is_closed


def test_another_seed_contradicts_the_pool(tmp_path: Path) -> None:
    run(tmp_path, fake())
    engine = Odd()
    with pytest.raises(PoolMismatch, match="seed: pool 1, recipe 2"):
        run(tmp_path, engine, the_job=job(seed=2))
    assert engine.n_asked == 0


def test_progress_ends_full(tmp_path: Path) -> None:
    seen: list[Progress] = []
    run(tmp_path, fake(pass_rates=(0.5,)), watch=seen)  # type: ignore[arg-type]
    last = seen[-1]
    assert last.n_durable == last.n_samples
    assert last.n_in_flight == 0
    assert last.expected_tries == 0
    assert {level: fill.ratio for level, fill in last.fill.items()} == dict.fromkeys(range(1, 6), 1.0)


def test_speculation_shortens_the_tail_and_awaits_all(tmp_path: Path) -> None:
    run(tmp_path / "strict", fake())
    run(tmp_path / "ahead", fake(), the_job=job(speculation=1.0))
    strict, ahead = read_outcomes(tmp_path / "strict"), read_outcomes(tmp_path / "ahead")
    surplus = Counter({q: len(ahead[q]) - len(strict[q]) for q in strict})
    assert min(surplus.values()) >= 0
    assert surplus.total() > 0
    assert all(ahead[q][t] == outcome for q, tries in strict.items() for t, outcome in tries.items())


def test_a_cancelled_run_keeps_what_was_graded(tmp_path: Path) -> None:
    async def start_and_cancel() -> None:
        engine = Odd()
        with Grader() as grader:
            task = asyncio.create_task(sample_pool_async(job(), engine=engine, grader=grader, pool=tmp_path))
            while engine.n_asked < 60:
                await asyncio.sleep(0.001)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        assert engine.n_flying == 0

    asyncio.run(start_and_cancel())
    assert sum(map(len, read_outcomes(tmp_path).values())) >= 60 - 32


def test_a_prompt_is_rendered_once_for_each_query(tmp_path: Path) -> None:
    rendered: Counter[str] = Counter()

    def render(text: str) -> str:
        rendered[text] += 1
        return text

    run(tmp_path, fake(), the_job=replace(job(), template=Template(name="counted", render=render, separator="")))
    assert rendered == dict.fromkeys((query.text for query in QUERIES), 1)


def test_slow_watchers_are_told_less_often(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dartune.sampling.dispatcher.REPORT_EVERY_S", 0.0)
    n_reports = 0

    def watch(progress: Progress) -> None:
        nonlocal n_reports
        n_reports += 1
        time.sleep(0.01)

    with Grader() as grader:
        report = sample_pool(job(), engine=Odd(), grader=grader, pool=tmp_path, watch=watch)
    n_phases = 2
    assert n_phases <= n_reports <= report.elapsed_s * MOST_REPORTING / 0.01 + 2 * n_phases
