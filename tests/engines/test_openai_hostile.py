"""Replies of the engine for servers that no honest server sends: each fails one attempt, and none the run."""

import json
from typing import Any

import pytest

from dartune.config import OpenAIEngineConfig
from dartune.engines.openai_http.faults import Fault, of_status
from dartune.engines.openai_http.wire import Stream, Wire
from dartune.types import Response

HUGE = 10**400
OK = {"text": "four", "finish_reason": "stop"}


def config(**settings: Any) -> OpenAIEngineConfig:
    return OpenAIEngineConfig(**{"model": "m", "base_urls": ("http://h/v1",), **settings})


def read(reply: str, **settings: Any) -> Response:
    return Wire(config(**settings)).response(reply.encode(), "dartune-1")


LOGPROBS = [
    "5", '"abc"', "[1]", '{"token_logprobs": 5}', '{"token_logprobs": "abc"}', '{"token_logprobs": [NaN]}',
    '{"token_logprobs": [-Infinity]}', '{"token_logprobs": [null, -1]}', '{"token_logprobs": [2.5]}',
    f'{{"token_logprobs": [{HUGE}]}}', f'{{"token_logprobs": [{-HUGE}]}}', '{"content": [{"logprob": "x"}]}',
    '{"content": [[]]}',
]  # fmt: skip


@pytest.mark.parametrize("logprobs", LOGPROBS)
def test_log_probabilities_that_are_none_fail_where_they_are_asked_for(logprobs: str) -> None:
    reply = f'{{"choices": [{{"text": "four", "finish_reason": "stop", "logprobs": {logprobs}}}]}}'
    assert read(reply).sum_logprob is None
    with pytest.raises(Fault) as caught:
        read(reply, logprobs=True)
    assert (caught.value.cause, caught.value.ends) == ("bad_reply", "attempt")


@pytest.mark.parametrize("usage", ["3", '"3"', "[1]", '{"prompt_tokens": -1}', '{"completion_tokens": 2.5}',
                                   '{"completion_tokens": true}', '{"prompt_tokens": 1e99}',
                                   f'{{"completion_tokens": {HUGE}}}', '{"completion_tokens": "7"}'])  # fmt: skip
def test_counts_that_are_none_fail(usage: str) -> None:
    with pytest.raises(Fault) as caught:
        read(f'{{"choices": [{json.dumps(OK)}], "usage": {usage}}}')
    assert (caught.value.cause, caught.value.ends) == ("bad_reply", "attempt")


def test_tokens_that_a_server_does_not_count_are_guessed() -> None:
    for usage in ("", ', "usage": null', ', "usage": {}'):
        response = read(f'{{"choices": [{json.dumps(OK | {"text": "twelve bytes"})}]{usage}}}')
        assert (response.n_prompt_tokens, response.n_tokens) == (0, 3)
    with_logprobs = OK | {"logprobs": {"token_logprobs": [-1.0, -0.5]}}
    assert read(json.dumps({"choices": [with_logprobs]}), logprobs=True).n_tokens == 2


@pytest.mark.parametrize("event", ["5", "[]", '"x"', '{"choices": 5}', '{"choices": [5]}', '{"choices": [{"text": 5}]}',
                                   '{"choices": [{"text": {"a": 1}}]}', '{"choices": {"a": 1}}', "[" * 100_000,
                                   '{"choices": [{"text": "a"}, {"text": "b"}]}', '{"error": {"message": "boom"}}',
                                   f'{{"choices": [{{"logprobs": {{"token_logprobs": [{HUGE}]}}}}]}}'])  # fmt: skip
def test_events_that_are_none_fail(event: str) -> None:
    with pytest.raises(Fault) as caught:
        Stream(config(logprobs=True)).add(event.encode())
    assert caught.value.ends == "attempt"
    assert caught.value.cause in ("bad_json", "bad_reply", "many_choices", "stream_error")


def test_only_text_or_the_end_is_a_first_token() -> None:
    stream = Stream(config(api="chat"))
    assert not stream.add(b'{"choices": [{"delta": {"role": "assistant", "content": ""}}]}')
    assert not stream.add(b'{"choices": [], "usage": {"completion_tokens": 1}}')
    assert stream.add(b'{"choices": [{"delta": {"reasoning": "hm"}}]}')
    assert stream.add(b'{"choices": [{"delta": {"content": "4"}}]}')
    assert stream.add(b'{"choices": [{"delta": {}, "finish_reason": "stop"}]}')
    response = Wire(config(api="chat")).read(stream.reply(), "dartune-1")
    assert (response.text, response.n_tokens) == ("<think>\nhm\n</think>\n\n4", 1)


def test_a_key_is_taken_out_of_a_fault_whole_or_cut_and_a_placeholder_is_not() -> None:
    fault = Fault("bad_json", "b'sk-secret-123', sk-secret-123 and sk-secret-1", ends="server", retry_after_s=3.0)
    bare = fault.without("sk-secret-123")
    assert bare.detail == "b'***', *** and ***"
    assert (bare.cause, bare.ends, bare.retry_after_s) == ("bad_json", "server", 3.0)
    assert fault.without("EMPTY").detail == fault.without("").detail == fault.detail
    assert Fault("x", "EMPTY reply").without("EMPTY").detail == "EMPTY reply"


@pytest.mark.parametrize(
    "said",
    [  # vLLM 0.32 (two places), SGLang 0.5.23, llama.cpp (server), OpenAI
        "This model's maximum context length is 512 tokens. However, your prompt contains 600 input tokens",
        "The decoder prompt (length 600) is longer than the maximum model length of 512.",
        "Requested token count exceeds the model's maximum context length of 512 tokens. You requested a total of 600",
        "the request exceeds the available context size, try increasing it",
        "Your input exceeds the context window of this model. Please adjust your input and try again.",
    ],
)
def test_prompts_that_are_too_long_are_known_by_what_servers_say(said: str) -> None:
    fault = of_status(400, {}, json.dumps({"error": {"message": said, "code": 400}}).encode())
    assert (fault.cause, fault.ends) == ("context_too_long", "request")
    assert of_status(400, {}, b'{"error": {"message": "seed is not supported"}}').cause == "bad_request"
