import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import torch
from tiny_models import WORDS, llama_config, save_model
from transformers import LlamaForCausalLM

from dartune.config import TransformersEngineConfig
from dartune.engines.transformers import TransformersEngine
from dartune.errors import EngineDown, EngineError
from dartune.types import Key, Request, Response, SamplingParams, request_seed

PROMPTS = ("w1 w2 w3", "w4", "w5 w6 w7 w8 w9 w10 w11", "w3 w2 w1", "w12 w13")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tiny-llama")
    save_model(path)
    return path


@pytest.fixture(scope="module")
def endless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that never ends a response, with room for 4096 tokens."""
    path = tmp_path_factory.mktemp("endless-llama")
    save_model(path, llama_config(max_position_embeddings=4096))
    for file in ("config.json", "generation_config.json", "tokenizer_config.json"):
        text = (path / file).read_text()
        path.joinpath(file).write_text(text.replace('"eos_token_id": 2', '"eos_token_id": null'))
    config = (path / "tokenizer_config.json").read_text()
    (path / "tokenizer_config.json").write_text(config.replace('"eos_token": "<eos>",', ""))
    return path


@asynccontextmanager
async def engine_of(folder: Path, n_places: int = 16) -> AsyncIterator[TransformersEngine]:
    engine = TransformersEngine(TransformersEngineConfig(model=str(folder), n_places=n_places, n_threads=1))
    try:
        yield engine
    finally:
        await engine.aclose()


def request(trial: int, prompt: str | None = None, **changes: object) -> Request:
    settings: dict[str, object] = {"temperature": 1.0, "top_p": 1.0, "max_new_tokens": 24}
    prompt = PROMPTS[trial % len(PROMPTS)] if prompt is None else prompt
    key = Key(query_id=prompt, trial=trial)
    return Request(key=key, prompt=prompt, seed=request_seed(key, 0), params=SamplingParams(**(settings | changes)))


def answer(folder: Path, requests: Sequence[Request], n_places: int = 16) -> list[Response]:
    async def run() -> list[Response]:
        async with engine_of(folder, n_places) as engine:
            return await asyncio.gather(*map(engine.generate, requests))

    return asyncio.run(run())


def test_many_more_requests_than_places_are_each_answered_the_same_in_any_company(folder: Path) -> None:
    requests = [request(trial, top_p=0.9) for trial in range(120)]
    forward = answer(folder, requests, n_places=8)
    backward = answer(folder, requests[::-1], n_places=64)[::-1]
    assert len({response.text for response in forward}) > 100
    assert sum(one.text != other.text for one, other in zip(forward, backward, strict=True)) <= 1
    for response in forward:
        words = response.text.split()
        assert set(words) <= set(WORDS)
        assert response.n_tokens <= 24
        assert response.sum_logprob is not None
        assert response.sum_logprob < 0


def test_the_end_token_counts_but_is_not_text(folder: Path) -> None:
    responses = answer(folder, [request(trial, max_new_tokens=16) for trial in range(60)])
    reasons = {response.finish_reason for response in responses}
    assert reasons == {"stop", "length"}
    for response in responses:
        if response.finish_reason == "length":
            assert response.n_tokens == 16
        assert "<eos>" not in response.text


def test_the_prompt_gets_the_special_tokens_of_the_tokenizer(folder: Path) -> None:
    assert answer(folder, [request(0, "w1 w2 w3")])[0].n_prompt_tokens == 3


def test_a_response_ends_before_the_first_stop_string(endless: Path) -> None:
    open_ended = answer(endless, [request(trial, max_new_tokens=80) for trial in range(20)])
    stopped = answer(endless, [request(trial, max_new_tokens=80, stop=("w7 ", "w21 w")) for trial in range(20)])
    n_stopped = 0
    for whole, cut in zip(open_ended, stopped, strict=True):
        places = [place for string in ("w7 ", "w21 w") if (place := whole.text.find(string)) >= 0]
        if not places:
            assert (cut.text, cut.finish_reason, cut.n_tokens) == (whole.text, "length", 80)
            continue
        n_stopped += 1
        assert cut.text == whole.text[: min(places)]
        assert cut.finish_reason == "stop"
        assert cut.n_tokens < 80
    assert n_stopped > 5


def test_a_stopped_response_counts_up_to_the_token_that_completes_the_stop_string(endless: Path) -> None:
    stop = ("w7 ", "w21 w")
    cut = answer(endless, [request(trial, max_new_tokens=80, stop=stop) for trial in range(20)])
    stopped = {trial: response.n_tokens for trial, response in enumerate(cut) if response.finish_reason == "stop"}
    assert stopped
    whole = answer(endless, [request(trial, max_new_tokens=n) for trial, n in stopped.items()])
    short = answer(endless, [request(trial, max_new_tokens=n - 1) for trial, n in stopped.items()])
    for exact, less, trial in zip(whole, short, stopped, strict=True):
        assert any(string in exact.text for string in stop)
        assert not any(string in less.text for string in stop)
        assert cut[trial].sum_logprob == pytest.approx(exact.sum_logprob, abs=1e-3)


def test_the_context_bounds_the_response(folder: Path) -> None:
    # 128 tokens in all.
    long = request(0, " ".join(["w1"] * 126), temperature=0.0, max_new_tokens=500)
    response = answer(folder, [long])[0]
    assert response.n_tokens <= 2
    with pytest.raises(EngineError, match="128") as caught:
        answer(folder, [request(0, " ".join(["w1"] * 128))])
    assert caught.value.cause == "context_too_long"


def test_an_empty_prompt_fails_alone(folder: Path) -> None:
    with pytest.raises(EngineError) as caught:
        answer(folder, [request(0, "")])
    assert caught.value.cause == "empty_prompt"


def test_cancelled_requests_free_their_places(endless: Path) -> None:
    async def run() -> Response:
        async with engine_of(endless, n_places=2) as engine:
            stuck = [asyncio.create_task(engine.generate(request(t, max_new_tokens=4000))) for t in range(4)]
            last = asyncio.create_task(engine.generate(request(9, max_new_tokens=3)))
            await asyncio.sleep(0.05)
            for task in stuck:
                task.cancel()
            assert all(
                isinstance(end, asyncio.CancelledError) for end in await asyncio.gather(*stuck, return_exceptions=True)
            )
            return await asyncio.wait_for(last, timeout=5)

    assert asyncio.run(run()).n_tokens == 3


def test_closing_fails_what_is_in_flight_and_what_follows(endless: Path) -> None:
    async def run() -> None:
        async with engine_of(endless, n_places=2) as engine:
            tasks = [asyncio.create_task(engine.generate(request(t, max_new_tokens=4000))) for t in range(4)]
            await asyncio.sleep(0.05)
            await engine.aclose()
            for end in await asyncio.gather(*tasks, return_exceptions=True):
                assert isinstance(end, EngineDown)
            with pytest.raises(EngineDown, match="closed"):
                await engine.generate(request(0))
            await engine.aclose()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        (RuntimeError("broken kernel"), "RuntimeError: broken kernel"),
        (torch.OutOfMemoryError("17 GiB"), "lower engine.n_places"),
    ],
)
def test_a_model_that_fails_takes_the_engine_down(
    folder: Path, monkeypatch: pytest.MonkeyPatch, failure: Exception, message: str
) -> None:
    def forward(*_: object, **__: object) -> None:
        raise failure

    async def run() -> None:
        async with engine_of(folder, n_places=2) as engine:
            monkeypatch.setattr(LlamaForCausalLM, "forward", forward)
            ends = await asyncio.gather(*(engine.generate(request(t)) for t in range(5)), return_exceptions=True)
            assert all(isinstance(end, EngineDown) and message in str(end) for end in ends)
            with pytest.raises(EngineDown):
                await engine.generate(request(0))

    asyncio.run(run())


def test_an_engine_serves_one_event_loop_after_another(folder: Path) -> None:
    engine = TransformersEngine(TransformersEngineConfig(model=str(folder), n_places=4))

    async def ask() -> str:
        return (await engine.generate(request(3))).text

    assert asyncio.run(ask()) == asyncio.run(ask())
    asyncio.run(engine.aclose())
