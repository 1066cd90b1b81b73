"""The chaos server itself: what other tests take for granted of it."""

import http.client
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from engines.chaos_kinds import KINDS
from engines.chaos_process import ChaosProcess
from engines.chaos_server import Settings, answer, fate, misdeed

PROMPT = "What is 3 + 4 ?"


@pytest.fixture
def server() -> Iterator[ChaosProcess]:
    with ChaosProcess() as process:
        yield process


def post(server: ChaosProcess, seed: int = 1, *, timeout_s: float = 5.0, **more: Any) -> tuple[int, bytes]:
    """Status and body of one request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=timeout_s)
    try:
        body = json.dumps({"model": "chaos", "prompt": PROMPT, "seed": seed} | more)
        connection.request("POST", "/v1/completions", body)
        reply = connection.getresponse()
        return reply.status, reply.read()
    finally:
        connection.close()


def test_prompt_and_seed_decide_the_answer_and_the_rate_of_right_ones(server: ChaosProcess) -> None:
    status, body = post(server, 5)
    assert (status, json.loads(body)["choices"][0]["text"]) == (200, answer(PROMPT, 5, 0.6)[0])
    server.kill()
    server.start()
    assert post(server, 5)[1] == body
    n_right = sum("boxed{7}" in answer(PROMPT, seed, 0.6)[0] for seed in range(1000))
    assert 550 < n_right < 650


def test_what_becomes_of_a_request_is_foretold(server: ChaosProcess) -> None:
    kinds = ("429", "500", "503", "redirect")
    server.change(share=0.5, kinds=kinds)
    settings = Settings(share=0.5, kinds=kinds)
    for seed in range(20):
        for attempt in range(1, 4):
            kind = misdeed(PROMPT, seed, attempt, settings)
            expected = {None: 200, "redirect": 307}.get(kind) or int(str(kind))
            assert post(server, seed)[0] == expected
        ends = fate(PROMPT, seed, settings, 3)
        causes = [misdeed(PROMPT, seed, n, settings) for n in range(1, ends.n_attempts + 1)]
        assert None not in causes[:-1]
        assert ends.cause == (None if causes[-1] is None else KINDS[causes[-1]])
    record = server.record()
    assert set(record["attempts"].values()) == {3}
    assert sum(record["retried"].values()) < sum(record["injected"].values()) < 60
    assert record["lost_s"].keys() == record["retried"].keys()


def test_the_share_is_as_asked_and_every_kind_has_its_part() -> None:
    settings = Settings(share=0.3)
    drawn = [misdeed(PROMPT, seed, 1, settings) for seed in range(5000)]
    assert 0.28 < 1 - drawn.count(None) / 5000 < 0.32
    assert all(drawn.count(kind) > 5000 * 0.3 / len(KINDS) * 0.6 for kind in KINDS)


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("reset", ConnectionResetError),
        ("closed", http.client.RemoteDisconnected),
        ("half_body", http.client.IncompleteRead),
        ("half_chunk", http.client.IncompleteRead),
        ("not_http", http.client.BadStatusLine),
        ("hang", TimeoutError),
    ],
)
def test_connections_break_as_they_are_said_to(server: ChaosProcess, kind: str, error: type[Exception]) -> None:
    server.change(share=1.0, kinds=[kind])
    with pytest.raises(error) as caught:
        post(server, timeout_s=0.5)
    assert type(caught.value) is error
    assert server.record()["injected"] == {kind: 1}


def test_what_is_too_much_is_refused(server: ChaosProcess) -> None:
    server.change(per_s=2, retry_after="9")
    assert [post(server, seed)[0] for seed in range(4)] == [200, 200, 429, 429]
    server.change(per_s=0, refuse_above=0)
    assert post(server)[0] == 503
    assert server.record()["refused"] == 3


def test_clients_that_go_away_are_seen(server: ChaosProcess) -> None:
    server.change(delay_s=30)
    with pytest.raises(TimeoutError):
        post(server, timeout_s=0.3)
    while server.record()["n_now"]:
        time.sleep(0.02)
    assert server.record()["aborted"] == 1
