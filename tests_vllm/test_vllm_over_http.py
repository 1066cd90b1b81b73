"""The engine `openai_http` on vLLM's own server: what it answers, refuses and aborts."""

import asyncio
import re
import time
import urllib.request
from dataclasses import replace

import pytest

from asking import ask, requests, texts
from conftest import Reference
from dartune.config import OpenAIEngineConfig
from dartune.engines.base import Engine
from dartune.engines.factory import build_engine
from dartune.errors import EngineError, InputError
from dartune.types import Request, Response


def make(url: str, **settings: object) -> Engine:
    return build_engine(OpenAIEngineConfig.model_validate({"model": "teacher", "base_urls": [url]} | settings), [])


def answer(loop: asyncio.Runner, url: str, asked: list[Request], **settings: object) -> list[Response]:
    """The responses of an engine that is made for them."""
    engine = make(url, **settings)

    async def use() -> list[Response]:
        await engine.start()
        try:
            return await ask(engine, asked)
        finally:
            await engine.aclose()

    return loop.run(use())


def without_first_space(responses: list[Response]) -> list[Response]:
    """The server's text starts with the space, if any, between prompt and response; engines that decode have none."""
    return [replace(response, text=response.text.removeprefix(" ")) for response in responses]


@pytest.mark.parametrize("api", ["completions", "chat"])
def test_greedy_text_is_that_of_the_transformers_engine(
    server: str, loop: asyncio.Runner, prompts: list[str], greedy: list[Response], api: str
) -> None:
    answered = answer(loop, server, requests(prompts, temperature=0.0), api=api, logprobs=True)
    assert texts(without_first_space(answered)) == texts(greedy)
    assert [r.sum_logprob for r in answered] == pytest.approx([r.sum_logprob for r in greedy], abs=1e-3)


def test_the_same_seeds_give_the_same_texts_and_others_other(
    server: str, loop: asyncio.Runner, prompts: list[str]
) -> None:
    asked = requests(prompts, temperature=1.0)
    once = answer(loop, server, asked)
    again = answer(loop, server, asked[::-1])[::-1]
    assert texts(again) == texts(once)
    other = answer(loop, server, requests(prompts, temperature=1.0, run_seed=8))
    assert sum(a.text != b.text for a, b in zip(once, other, strict=True)) > len(prompts) // 2


def test_stop_strings_and_the_limit_end_a_response(
    server: str, loop: asyncio.Runner, prompts: list[str], reference: Reference
) -> None:
    asked = requests(prompts[:50], temperature=0.0, stop=("=", "never"))
    asked += requests(prompts[50:100], temperature=0.0, max_new_tokens=5)
    answered = answer(loop, server, asked)
    assert texts(without_first_space(answered)) == texts(reference.answer(asked))


def test_cancelled_requests_end_at_the_server(server: str, loop: asyncio.Runner, prompts: list[str]) -> None:
    # About 10 s of work for two cores.
    asked = requests(prompts, temperature=1.0, max_new_tokens=400)
    engine = make(server, extra_body={"ignore_eos": True}, max_in_flight=len(asked))

    async def cancel() -> None:
        await engine.start()
        tasks = [asyncio.create_task(engine.generate(request)) for request in asked]
        while await asyncio.to_thread(n_at_server, server) < len(asked) // 2:
            await asyncio.sleep(0.1)
        for task in tasks:
            task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert sum(isinstance(outcome, asyncio.CancelledError) for outcome in outcomes) > len(asked) // 2
        cancelled_s = time.monotonic()
        while await asyncio.to_thread(n_at_server, server):
            assert time.monotonic() - cancelled_s < 3
            await asyncio.sleep(0.1)
        await engine.aclose()

    loop.run(cancel())


def n_at_server(url: str) -> int:
    """Requests that run or wait there."""
    with urllib.request.urlopen(url.removesuffix("/v1") + "/metrics", timeout=10) as reply:
        counts = re.findall(
            r"^vllm:num_requests_(?:running|waiting)\{[^}]*\} (\S+)$", reply.read().decode(), re.MULTILINE
        )
    return round(sum(map(float, counts)))


def test_a_context_that_is_too_long_fails_alone(server: str, loop: asyncio.Runner, prompts: list[str]) -> None:
    with pytest.raises(EngineError) as error:
        answer(loop, server, requests(["1 " * 600], temperature=0.0))
    assert error.value.cause == "context_too_long"


@pytest.mark.parametrize(
    ("path", "model", "expected"), [("/v1", "nosuch", "teacher"), ("", "teacher", "/v1")], ids=["model", "path"]
)
def test_a_wrong_model_or_path_is_an_error_within_seconds_that_names_the_right_one(
    server: str, loop: asyncio.Runner, path: str, model: str, expected: str
) -> None:
    engine = make(server.removesuffix("/v1") + path, model=model)
    started_s = time.monotonic()
    with pytest.raises(InputError, match=expected) as error:
        loop.run(engine.start())
    loop.run(engine.aclose())
    assert time.monotonic() - started_s < 10
    assert "\n" not in str(error.value)
