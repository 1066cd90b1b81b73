"""The engine for servers, asked directly: what it sends, what it believes, and how every fault ends."""

import asyncio
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dartune.config import OpenAIEngineConfig
from dartune.engines.openai_http import OpenAIEngine
from dartune.engines.openai_http.engine import Sleep
from dartune.engines.openai_http.faults import Fault, of_status, retry_after_s
from dartune.engines.openai_http.wire import Wire
from dartune.errors import ConfigError, EngineDown, EngineError
from dartune.types import Key, Request, Response, SamplingParams
from engines.chaos_process import ChaosProcess
from engines.chaos_runs import nap
from engines.chaos_server import KINDS, answer

PROMPT = "What is 20 + 22 ?"


@pytest.fixture
def server() -> Iterator[ChaosProcess]:
    with ChaosProcess() as process:
        yield process


def request(prompt: str = PROMPT, seed: int = 7, **params: Any) -> Request:
    return Request(key=Key("q", 0), prompt=prompt, seed=seed, params=SamplingParams(**params))


def config(*servers: ChaosProcess, **settings: Any) -> OpenAIEngineConfig:
    urls = tuple(server.url for server in servers)
    return OpenAIEngineConfig(**{"model": "chaos", "base_urls": urls, "timeout_s": 1.0, "max_attempts": 3, **settings})


def ask(
    settings: OpenAIEngineConfig, *requests: Request, patience_s: float = 60.0, sleep: Sleep = nap
) -> list[Response | BaseException]:
    async def run() -> list[Response | BaseException]:
        engine = OpenAIEngine(settings, patience_s=patience_s, sleep=sleep)
        try:
            await engine.start()
            return await asyncio.gather(*map(engine.generate, requests), return_exceptions=True)
        finally:
            await engine.aclose()

    return asyncio.run(run())


def one(settings: OpenAIEngineConfig, asked: Request | None = None) -> Response:
    (response,) = ask(settings, asked or request())
    if isinstance(response, BaseException):
        raise response
    return response


@pytest.mark.parametrize("more", [{}, {"api": "chat"}, {"api": "chat", "system": "You add."}])
@pytest.mark.parametrize("first_token_timeout_s", [None, 5.0])
def test_a_request_is_answered(server: ChaosProcess, more: dict[str, str], first_token_timeout_s: float | None) -> None:
    response = one(config(server, first_token_timeout_s=first_token_timeout_s, **more))
    text, n_tokens = answer(PROMPT, 7, 0.6)
    assert response == Response(
        text=text, finish_reason="stop", n_prompt_tokens=len(PROMPT.split()), n_tokens=n_tokens, sum_logprob=None
    )


def test_log_probabilities_are_summed_and_lengths_told(server: ChaosProcess) -> None:
    assert one(config(server, logprobs=True)).sum_logprob == -0.75
    cut = one(config(server), request(max_new_tokens=3))
    assert (cut.finish_reason, cut.n_tokens) == ("length", 3)


@pytest.mark.parametrize("kind", KINDS)
def test_every_fault_ends_as_one_error_with_its_cause(server: ChaosProcess, kind: str) -> None:
    server.change(share=1.0, kinds=[kind])
    outcomes = ask(config(server, max_attempts=2, timeout_s=0.4), *(request(seed=seed) for seed in range(3)))
    assert [getattr(outcome, "cause", outcome) for outcome in outcomes] == [KINDS[kind]] * 3
    assert set(server.record()["attempts"].values()) == {2}


@pytest.mark.parametrize("kind", ["429", "reset", "half_chunk", "html"])
def test_a_fault_that_passes_is_made_good(server: ChaosProcess, kind: str) -> None:
    server.change(share=0.5, kinds=[kind])
    outcomes = ask(config(server, max_attempts=12), *(request(seed=seed) for seed in range(40)))
    assert [outcome.text for outcome in outcomes if isinstance(outcome, Response)] == [
        answer(PROMPT, seed, 0.6)[0] for seed in range(40)
    ]


def test_no_first_token_is_not_waited_for_long(server: ChaosProcess) -> None:
    server.change(share=1.0, kinds=["hang"])
    start = time.monotonic()
    (outcome,) = ask(config(server, max_attempts=1, timeout_s=30, first_token_timeout_s=0.2), request())
    assert isinstance(outcome, EngineError)
    assert outcome.cause == "first_token_timeout"
    assert time.monotonic() - start < 5


def test_a_prompt_that_is_too_long_is_not_tried_again(server: ChaosProcess) -> None:
    server.change(context=10)
    with pytest.raises(EngineError) as caught:
        one(config(server))
    assert caught.value.cause == "context_too_long"
    assert server.record()["n_requests"] == 1


def test_cancelling_a_request_reaches_the_server(server: ChaosProcess) -> None:
    server.change(delay_s=20.0)

    async def run() -> None:
        engine = OpenAIEngine(config(server, timeout_s=60))
        await engine.start()
        task = asyncio.create_task(engine.generate(request()))
        while (await asyncio.to_thread(server.record))["n_now"] == 0:
            await asyncio.sleep(0.02)
        task.cancel()
        while (await asyncio.to_thread(server.record))["n_now"] == 1:
            await asyncio.sleep(0.02)
        await engine.aclose()

    asyncio.run(asyncio.wait_for(run(), 8))
    assert server.record()["aborted"] == 1


def test_a_key_is_sent_and_never_shown(server: ChaosProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    server.change(key="sk-secret-123")
    with pytest.raises(ConfigError, match="asks for a key; the environment variable MY_KEY is not set"):
        one(config(server, api_key_env="MY_KEY"))
    monkeypatch.setenv("MY_KEY", "sk-wrong")
    with pytest.raises(ConfigError, match="MY_KEY is set, but refused") as caught:
        one(config(server, api_key_env="MY_KEY"))
    assert "sk-wrong" not in str(caught.value)
    monkeypatch.setenv("MY_KEY", "sk-secret-123")
    assert one(config(server, api_key_env="MY_KEY")).finish_reason == "stop"
    engine = OpenAIEngine(config(server, api_key_env="MY_KEY"))
    assert "sk-secret-123" not in repr(engine) + engine.model


def test_a_key_that_is_refused_in_the_middle_ends_the_run(server: ChaosProcess) -> None:
    async def run() -> None:
        engine = OpenAIEngine(config(server))
        try:
            await engine.start()
            await engine.generate(request())
            await asyncio.to_thread(server.change, key="new")
            with pytest.raises(EngineDown, match="OPENAI_API_KEY is not set"):
                await engine.generate(request(seed=8))
        finally:
            await engine.aclose()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("settings", "url", "message"),
    [
        ({}, "http://127.0.0.1:9/v1", r"no server can be reached \(http://127.0.0.1:9/v1: connect: "),
        ({}, "{root}", "nothing answers at {root}, but {root}/v1 does; add /v1"),
        ({}, "{root}/v2", "is not there .*up to and including /v1"),
        ({"model": "chaoss"}, "{url}", "has no model 'chaoss'; did you mean 'chaos'?"),
    ],
)
def test_what_cannot_work_is_said_at_the_start(
    server: ChaosProcess, settings: dict[str, str], url: str, message: str
) -> None:
    known = {"root": server.root, "url": server.url}
    start = time.monotonic()
    with pytest.raises(ConfigError, match=message.format(**known)):
        one(config(server, base_urls=(url.format(**known),), **settings))
    assert time.monotonic() - start < 10


def test_a_server_that_never_answers_is_given_up_in_ten_seconds() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        start = time.monotonic()
        with pytest.raises(ConfigError, match=r"no server can be reached .*timeout: no reply within 3 s"):
            one(config(base_urls=(f"http://127.0.0.1:{silent.getsockname()[1]}/v1",)))
        assert time.monotonic() - start < 10


def test_a_server_without_a_list_of_models_is_asked_a_question(server: ChaosProcess) -> None:
    server.change(has_list=False)
    assert one(config(server)).finish_reason == "stop"
    with pytest.raises(ConfigError, match=r"is not there .*The model `other` does not exist.*engine.model by its name"):
        one(config(server, model="other"))


def test_work_goes_to_the_servers_by_their_room() -> None:
    with ChaosProcess(delay_s=0.05) as first, ChaosProcess(delay_s=0.05) as second:
        ask(config(first, second, max_in_flight=8), *(request(seed=seed) for seed in range(200)))
        records = first.record(), second.record()
    assert all(record["most_at_once"] <= 8 for record in records)
    assert all(60 <= record["n_requests"] <= 140 for record in records)


def test_servers_die_come_back_appear_and_vanish(tmp_path: Path) -> None:
    urls_file = tmp_path / "urls.txt"

    async def run(first: ChaosProcess, second: ChaosProcess, third: ChaosProcess) -> int:
        urls_file.write_text(f"{second.url}  # joins later\n")
        settings = config(first, urls_file=urls_file, max_in_flight=4, max_attempts=8, timeout_s=5)
        engine = OpenAIEngine(settings)
        n_done = 0

        async def lane(index: int) -> None:
            nonlocal n_done
            for trial in range(60):
                await engine.generate(request(seed=index * 60 + trial))
                n_done += 1

        try:
            await engine.start()  # the second does not run yet
            work = asyncio.gather(*(lane(index) for index in range(8)))
            await asyncio.sleep(0.5)
            await asyncio.to_thread(second.start)
            while (await asyncio.to_thread(second.record))["n_requests"] < 5:
                await asyncio.sleep(0.05)
            await asyncio.to_thread(first.kill)
            await asyncio.sleep(0.5)
            await asyncio.to_thread(first.start)
            await asyncio.to_thread(third.start)
            urls_file.write_text(f"{third.url}\n")  # the second vanishes from the list
            while (await asyncio.to_thread(third.record))["n_requests"] < 5:
                await asyncio.sleep(0.05)
            assert set(engine.limits) == {first.url, third.url}
            await work
        finally:
            await engine.aclose()
        return n_done

    first, second, third = (ChaosProcess(delay_s=0.05) for _ in range(3))
    with first:
        with second:
            pass  # it has its port now, and is down
        assert asyncio.run(run(first, second, third)) == 8 * 60
        second.kill()
        third.kill()


def test_when_no_server_comes_back_the_run_is_stopped(server: ChaosProcess) -> None:
    async def run() -> None:
        engine = OpenAIEngine(config(server, max_attempts=50), patience_s=1.0)
        try:
            await engine.start()
            await asyncio.to_thread(server.kill)
            with pytest.raises(EngineDown, match=r"no server has answered for 1 s \(http.*connect: "):
                await engine.generate(request())
        finally:
            await engine.aclose()

    asyncio.run(run())


def test_the_body_has_what_was_asked_and_the_identity_what_decides() -> None:
    settings = OpenAIEngineConfig(model="m", base_urls=("http://h/v1",), extra_body={"top_k": 3})
    sent = json.loads(Wire(settings).body(request(seed=2**62 + 5, stop=("\n",), temperature=0.7)))
    assert sent == {
        "model": "m", "top_k": 3, "prompt": PROMPT, "temperature": 0.7, "top_p": 0.95, "seed": 5,
        "max_tokens": 2048, "stop": ["\n"],
    }  # fmt: skip
    modern = settings.model_copy(update={"extra_body": {"max_completion_tokens": 9}})
    assert "max_tokens" not in json.loads(Wire(modern).body(request()))
    plain = settings.model_copy(update={"extra_body": {}})
    names = {Wire(c).identity for c in (settings, plain, plain.model_copy(update={"api": "chat"}), modern)}
    assert "m" in names
    assert len(names) == 4


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"content": "4"}, "4"),
        ({"content": None}, ""),
        ({"content": "4", "reasoning_content": "2+2"}, "<think>\n2+2\n</think>\n\n4"),
        ({"content": "4", "reasoning": "2+2"}, "<think>\n2+2\n</think>\n\n4"),
    ],
)
def test_thoughts_that_a_server_parts_come_back(message: dict[str, object], text: str) -> None:
    wire = Wire(OpenAIEngineConfig(model="m", base_urls=("http://h/v1",), api="chat"))
    reply = {"choices": [{"message": message, "finish_reason": "stop"}]}
    assert wire.read(reply, "dartune-1").text == text


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        ("[]", "bad_reply"),
        ("null", "bad_reply"),
        ('{"choices": [3]}', "bad_reply"),
        ('{"choices": [{"text": 3}]}', "bad_reply"),
        ('{"choices": [{"text": "a", "finish_reason": null}]}', "aborted"),
        ('{"choices": [{"text": "a", "finish_reason": "content_filter"}]}', "content_filter"),
        ('{"choices": [{"text": "a", "finish_reason": ["stop"]}]}', "bad_reply"),
        ("[" * 100_000, "bad_json"),
        ('{"id": "x-dartune-2", "choices": [{"text": "a", "finish_reason": "stop"}]}', "other_reply"),
    ],
)
def test_what_is_no_answer_is_not_taken_for_one(reply: str, cause: str) -> None:
    with pytest.raises(Fault) as caught:
        Wire(OpenAIEngineConfig(model="m", base_urls=("http://h/v1",))).response(reply.encode(), "dartune-1")
    assert caught.value.cause == cause


@pytest.mark.parametrize(
    ("value", "least", "most"),
    [("3", 3, 3), ("0.5", 0.5, 0.5), ("999999", 120, 120), ("soon", 0, 0), ("", 0, 0), ("-3", 0, 0),
     ("Wed, 21 Oct 2015 07:28:00 GMT", 0, 0), ("Wed, 21 Oct 2065 07:28:00 GMT", 120, 120)],
)  # fmt: skip
def test_retry_after(value: str, least: float, most: float) -> None:
    assert least <= retry_after_s({"Retry-After": value}) <= most


def test_what_a_server_says_is_told_in_one_line() -> None:
    body = json.dumps({"error": {"message": "too\nlong " + "x" * 1000}}).encode()
    fault = of_status(422, {}, body)
    assert (fault.cause, fault.ends) == ("context_too_long", "request")
    assert "\n" not in str(fault)
    assert len(str(fault)) < 400
    assert of_status(418, {}, b"<html>").cause == "bad_request"
