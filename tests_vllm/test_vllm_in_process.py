"""The engine `vllm` with a real model on CPU: what it answers, refuses, and leaves behind."""

import asyncio
import time
from collections.abc import Iterator

import psutil
import pytest

from asking import VLLM_OPTIONS, ask, requests, texts
from conftest import Reference
from dartune.config import VllmEngineConfig
from dartune.engines.factory import build_engine
from dartune.engines.vllm import VllmEngine
from dartune.errors import ConfigError, EngineDown, EngineError, ModelError
from dartune.models import model_digest
from dartune.types import Response


def make(model: str, *, copies: int = 1, parts: int = 1, **options: object) -> VllmEngine:
    config = VllmEngineConfig.model_validate(
        {
            "model": model,
            "dtype": "float32",
            "data_parallel_size": copies,
            "tensor_parallel_size": parts,
            "options": VLLM_OPTIONS | options,
        }
    )
    engine = build_engine(config, [])
    assert isinstance(engine, VllmEngine)
    return engine


def vllm_processes() -> list[psutil.Process]:
    """Those that this process has started, dead ones that nobody waited for included."""
    return [child for child in psutil.Process().children(recursive=True) if child.name().startswith("VLLM")]


@pytest.fixture(scope="module")
def engine(teacher: str, loop: asyncio.Runner) -> Iterator[VllmEngine]:
    before = vllm_processes()
    made = make(teacher)
    loop.run(made.start())
    yield made
    loop.run(made.aclose())
    assert vllm_processes() == before


def test_greedy_text_is_that_of_the_transformers_engine(
    engine: VllmEngine, loop: asyncio.Runner, prompts: list[str], greedy: list[Response]
) -> None:
    answered = loop.run(ask(engine, requests(prompts, temperature=0.0)))
    assert texts(answered) == texts(greedy)
    assert [r.sum_logprob for r in answered] == pytest.approx([r.sum_logprob for r in greedy], abs=1e-3)


def test_the_same_seeds_give_the_same_texts_and_others_other(
    engine: VllmEngine, loop: asyncio.Runner, prompts: list[str]
) -> None:
    asked = requests(prompts, temperature=1.0)
    once = loop.run(ask(engine, asked))
    again = loop.run(ask(engine, asked[::-1]))[::-1]
    assert texts(again) == texts(once)
    other = loop.run(ask(engine, requests(prompts, temperature=1.0, run_seed=8)))
    assert sum(a.text != b.text for a, b in zip(once, other, strict=True)) > len(prompts) // 2


def test_log_probabilities_are_at_temperature_1_whatever_it_samples_at(
    engine: VllmEngine, loop: asyncio.Runner, prompts: list[str], greedy: list[Response]
) -> None:
    # So cold that it is greedy, but for near-ties: the teacher has several words for one thing.
    cold = loop.run(ask(engine, requests(prompts, temperature=0.01)))
    same = [(a.sum_logprob, b.sum_logprob) for a, b in zip(cold, greedy, strict=True) if a.text == b.text]
    assert len(same) > len(prompts) // 2
    assert [logprob for logprob, _ in same] == pytest.approx([logprob for _, logprob in same], abs=1e-3)


def test_stop_strings_and_the_limit_end_a_response_as_in_the_transformers_engine(
    engine: VllmEngine, loop: asyncio.Runner, prompts: list[str], reference: Reference
) -> None:
    stopped = requests(prompts[:50], temperature=0.0, stop=("=", "never"))
    limited = requests(prompts[50:100], temperature=0.0, max_new_tokens=5)
    answered = loop.run(ask(engine, [*stopped, *limited]))
    assert texts(answered) == texts(reference.answer([*stopped, *limited]))
    assert {r.finish_reason for r in answered[50:]} == {"length"}
    assert all("=" not in r.text for r in answered[:50])


@pytest.mark.parametrize(("prompt", "cause"), [("1 " * 600, "context_too_long"), ("", "empty_prompt")])
def test_a_prompt_that_leaves_no_room_or_is_none_fails_alone(
    engine: VllmEngine, loop: asyncio.Runner, prompts: list[str], prompt: str, cause: str
) -> None:
    with pytest.raises(EngineError) as error:
        loop.run(ask(engine, requests([prompt], temperature=0.0)))
    assert error.value.cause == cause
    assert loop.run(ask(engine, requests(prompts[:1], temperature=0.0)))[0].text


def test_a_cancelled_request_ends_in_vllm_too(engine: VllmEngine, loop: asyncio.Runner, prompts: list[str]) -> None:
    async def cancel_most() -> list[Response]:
        tasks = [asyncio.create_task(engine.generate(request)) for request in requests(prompts, temperature=1.0)]
        await asyncio.sleep(0.1)
        for task in tasks[1:]:
            task.cancel()
        await asyncio.gather(*tasks[1:], return_exceptions=True)
        assert sum(task.cancelled() for task in tasks) > len(tasks) // 2
        assert engine._core._running.get_num_unfinished_requests() <= 1
        return await ask(engine, requests(prompts[:1], temperature=0.0)) + [await tasks[0]]

    assert all(response.text for response in loop.run(cancel_most()))


def test_the_model_is_known_by_its_content(engine: VllmEngine, teacher: str) -> None:
    assert engine.model == f"teacher@{model_digest(teacher)[:12]}"
    assert engine.n_places == 1024


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_modellen": 64}, "max_modellen: vLLM has no such argument; did you mean 'max_model_len'?"),
        ({"dtype": "bfloat16"}, "engine.options.dtype: expected as engine.dtype"),
        ({"logprobs_mode": "raw_logits"}, "engine.options.logprobs_mode cannot be set"),
    ],
)
def test_impossible_options_are_refused_when_the_engine_is_made(
    teacher: str, options: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigError) as error:
        make(teacher, **options)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_model_is_named_when_the_engine_is_made() -> None:
    with pytest.raises(ModelError, match="no such model folder"):
        make("/nowhere/model")


def test_what_vllm_refuses_is_an_error_in_one_line(teacher: str, loop: asyncio.Runner) -> None:
    engine = make(teacher, max_model_len=10**6)
    started_s = time.monotonic()
    with pytest.raises(ConfigError, match="max_model_len") as error:
        loop.run(engine.start())
    loop.run(engine.aclose())
    assert time.monotonic() - started_s < 10
    assert "\n" not in str(error.value)


def test_too_little_memory_is_an_error_in_one_line_that_says_what_to_lower(teacher: str, loop: asyncio.Runner) -> None:
    engine = make(teacher, kv_cache_memory_bytes=10**14)
    before = vllm_processes()
    with pytest.raises(EngineDown) as error:
        loop.run(engine.start())
    loop.run(engine.aclose())
    message = str(error.value)
    assert "\n" not in message
    assert "memory" in message.partition("; where")[0]
    for option in ("engine.options.gpu_memory_utilization", "engine.options.max_model_len", "engine.n_places"):
        assert option in message
    assert vllm_processes() == before


def test_a_start_that_is_cancelled_leaves_no_process(teacher: str, loop: asyncio.Runner) -> None:
    before = vllm_processes()

    async def start_and_cancel() -> None:
        engine = make(teacher)
        start = asyncio.create_task(engine.start())
        while len(vllm_processes()) == len(before) and not start.done():
            await asyncio.sleep(0.1)
        start.cancel()
        with pytest.raises(asyncio.CancelledError):
            await start
        await engine.aclose()

    loop.run(start_and_cancel())
    assert vllm_processes() == before


def test_the_death_of_vllm_ends_every_request_and_the_engine(
    teacher: str, loop: asyncio.Runner, prompts: list[str]
) -> None:
    before = vllm_processes()
    engine = make(teacher)

    async def die() -> list[object]:
        await engine.start()
        tasks = [asyncio.create_task(engine.generate(request)) for request in requests(prompts, temperature=1.0)]
        await asyncio.sleep(0.1)
        for process in set(vllm_processes()) - set(before):
            process.kill()
        async with asyncio.timeout(10):
            return list(await asyncio.gather(*tasks, return_exceptions=True))

    outcomes = loop.run(die())
    assert {type(outcome) for outcome in outcomes} <= {EngineDown, Response}
    assert any(isinstance(outcome, EngineDown) for outcome in outcomes)
    with pytest.raises(EngineDown, match="vLLM has died"):
        loop.run(ask(engine, requests(prompts[:1], temperature=0.0)))
    loop.run(engine.aclose())
    assert vllm_processes() == before


def test_two_copies_of_the_model_answer_as_one(
    teacher: str, loop: asyncio.Runner, prompts: list[str], greedy: list[Response]
) -> None:
    engine = make(teacher, copies=2)
    before = vllm_processes()
    loop.run(engine.start())
    try:
        names = [process.name() for process in set(vllm_processes()) - set(before)]
        assert sum("EngineCore" in name for name in names) == 2
        assert texts(loop.run(ask(engine, requests(prompts, temperature=0.0)))) == texts(greedy)
    finally:
        loop.run(engine.aclose())
    assert vllm_processes() == before


def test_a_model_in_two_parts_answers_as_in_one(
    teacher: str, loop: asyncio.Runner, prompts: list[str], greedy: list[Response], monkeypatch: pytest.MonkeyPatch
) -> None:
    # By itself it wants a memory bank for each part.
    monkeypatch.setenv("VLLM_CPU_OMP_THREADS_BIND", "nobind")
    engine = make(teacher, parts=2)
    loop.run(engine.start())
    try:
        answered = loop.run(ask(engine, requests(prompts, temperature=0.0)))
    finally:
        loop.run(engine.aclose())
    # Sums are added in another order.
    assert sum(a == b for a, b in zip(texts(answered), texts(greedy), strict=True)) >= 0.99 * len(prompts)
