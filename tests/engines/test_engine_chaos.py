"""What the engine for servers makes of misbehaviour, exactly: what becomes of each request can be foretold."""

import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from dartune.errors import EngineError
from dartune.pool.overview import find_faults
from dartune.prompts import load_template
from dartune.types import Key, request_seed
from engines.chaos_kinds import KINDS, STREAM_KINDS
from engines.chaos_process import ChaosProcess
from engines.chaos_runs import QUERIES, nap, run, samples, start_run, wait_for
from engines.chaos_server import Fate, Settings, fate
from engines.test_openai_http import ask, config, request

SHARE = 0.3


def fates(keys: list[tuple[str, int]], settings: Settings, max_attempts: int) -> dict[tuple[str, int], Fate]:
    """What is to become of the requests of the runs here."""
    render, texts = load_template("plain").render, {query.id: query.text for query in QUERIES}
    seeds = {key: request_seed(Key(*key), 1) % 2**31 for key in keys}
    return {key: fate(render(texts[key[0]]), seeds[key], settings, max_attempts) for key in keys}


@pytest.mark.integration
@pytest.mark.timeout(120)
def test_chaos_that_enough_attempts_outlast_leaves_no_trace(tmp_path: Path) -> None:
    with ChaosProcess() as calm:
        run(tmp_path / "calm", calm)
    with ChaosProcess(share=SHARE) as wild:
        _, engine = run(tmp_path / "wild", wild, sleep=nap, max_attempts=12, timeout_s=3.0)
        record = wild.record()
        n_more = run(tmp_path / "wild", wild, max_attempts=12)[0].n_samples
    here, there = samples(tmp_path / "calm"), samples(tmp_path / "wild")
    assert here == there
    expected = fates(list(there), Settings(share=SHARE), 12)
    assert sorted(record["attempts"].values()) == sorted(fate.n_attempts for fate in expected.values())
    causes = Counter[str]()
    for kind, n in record["injected"].items():
        causes[KINDS[kind]] += n
    assert engine.faults == causes
    assert set(record["injected"]) == set(KINDS)
    assert record["retried"] == record["injected"]
    assert n_more == 0


@pytest.mark.integration
@pytest.mark.timeout(120)
def test_every_failure_is_recorded_with_the_cause_of_its_last_attempt(tmp_path: Path) -> None:
    with ChaosProcess(share=SHARE) as wild:
        report, _ = run(tmp_path, wild, sleep=nap, max_attempts=2, timeout_s=3.0)
        record = wild.record()
    outcomes = samples(tmp_path)
    expected = fates(list(outcomes), Settings(share=SHARE), 2)
    assert {key: failure for key, (_, _, failure) in outcomes.items()} == {key: f.cause for key, f in expected.items()}
    assert report.n_failures == sum(fate.cause is not None for fate in expected.values()) > 20
    assert record["n_requests"] == sum(fate.n_attempts for fate in expected.values())
    assert max(record["attempts"].values()) == 2
    assert find_faults(tmp_path) == []
    for query in QUERIES:
        verdicts = [verdict for (query_id, _), (_, verdict, _) in outcomes.items() if query_id == query.id]
        assert verdicts.count("correct") >= 4 or len(verdicts) == 60
        assert len(verdicts) >= 6


@pytest.mark.integration
@pytest.mark.timeout(120)
def test_replies_that_come_twice_are_never_taken_for_other_requests(tmp_path: Path) -> None:
    with ChaosProcess() as calm:
        run(tmp_path / "calm", calm)
    with ChaosProcess(again_after_s=0.005, delay_s=0.02) as server:
        _, engine = run(tmp_path / "wild", server, sleep=nap, max_in_flight=16)
    here, there = samples(tmp_path / "calm"), samples(tmp_path / "wild")
    assert engine.faults["other_reply"] > 20
    # A reply of the other kind that the engine asks for, the list of models, has no choices.
    assert {failure for _, _, failure in there.values()} <= {None, "other_reply", "no_choices", "reset"}
    answered = [key for key, (_, _, failure) in there.items() if failure is None and key in here]
    assert len(answered) > 0.8 * len(here)
    assert all(here[key] == there[key] for key in answered)


@pytest.mark.parametrize("kind", STREAM_KINDS)
def test_every_fault_of_a_stream_ends_as_one_error_with_its_cause(kind: str) -> None:
    settings = {"max_attempts": 2, "timeout_s": 0.5, "first_token_timeout_s": 30}
    with ChaosProcess(share=1.0, kinds=[kind]) as server:
        outcomes = ask(config(server, **settings), *(request(seed=seed) for seed in range(3)))
        outcomes += ask(config(server, api="chat", **settings), *(request(seed=seed) for seed in range(3, 6)))
        attempts = server.record()["attempts"]
    assert [getattr(outcome, "cause", outcome) for outcome in outcomes] == [STREAM_KINDS[kind]] * 6
    assert list(attempts.values()) == [2] * 6


@pytest.mark.parametrize("kind", ["429", "503"])
def test_a_pause_that_a_server_asks_for_is_made(kind: str) -> None:
    pauses: list[float] = []

    async def write_down(seconds: float) -> None:
        pauses.append(seconds)

    with ChaosProcess(share=1.0, kinds=[kind], retry_after="77") as server:
        (outcome,) = ask(config(server, max_attempts=4), request(), sleep=write_down)
    assert isinstance(outcome, EngineError)
    assert len(pauses) == 3
    assert all(77 <= pause < 200 for pause in pauses)


def test_pauses_grow_and_differ() -> None:
    pauses: list[float] = []

    async def write_down(seconds: float) -> None:
        pauses.append(seconds)

    with ChaosProcess(share=1.0, kinds=["500"]) as server:
        ask(config(server, max_attempts=6), *(request(seed=seed) for seed in range(4)), sleep=write_down)
    assert len(set(pauses)) == len(pauses) == 20
    assert all(0 < pause <= 30 for pause in pauses)
    assert sum(pauses[-4:]) > sum(pauses[:4])


def test_a_redirect_takes_neither_request_nor_key_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-123")
    with ChaosProcess() as other:
        redirect = f"{other.url}/completions"
        with ChaosProcess(share=1.0, kinds=["redirect"], redirect=redirect, key="sk-secret-123") as server:
            (outcome,) = ask(config(server), request())
        assert isinstance(outcome, EngineError)
        assert outcome.cause == "redirect"
        assert other.record()["n_requests"] == 0


@pytest.mark.integration
@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "tail",
    ["\ud800", "\x00", "\u202e\x1b[2J", "\\boxed{" * 500],
    ids=["lone surrogate", "nul", "controls", "braces"],
)
def test_odd_text_is_kept_and_graded(tmp_path: Path, tail: str) -> None:
    with ChaosProcess(tail=tail) as server:
        report, _ = run(tmp_path, server, timeout_s=9.0)
    assert report.n_failures == 0
    assert {key for key, (text, _, _) in samples(tmp_path).items() if text is None} == set()


@pytest.mark.integration
@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    "limits",
    [{"per_s": 60, "retry_after": "0.5"}, {"per_s": 60, "retry_after": ""},
     {"refuse_above": 8, "delay_s": 0.02, "retry_after": ""}],
    ids=["429 and when", "429", "503"],
)  # fmt: skip
def test_a_server_that_refuses_what_is_too_much_gets_less_and_no_sample_is_lost(
    tmp_path: Path, limits: dict[str, object]
) -> None:
    with ChaosProcess(**limits) as server:
        report, engine = run(tmp_path, server, max_in_flight=None, timeout_s=20.0)
        record = server.record()
    assert report.n_failures == 0
    assert 0 < record["refused"] < report.n_samples
    assert engine.faults.total() == record["refused"]


@pytest.mark.integration
@pytest.mark.timeout(120)
@pytest.mark.parametrize("comes_back", [True, False])
def test_a_frozen_server_costs_time_and_no_sample(tmp_path: Path, comes_back: bool) -> None:
    with ChaosProcess() as calm:
        run(tmp_path / "calm", calm)
    first, second = ChaosProcess(delay_s=0.05), ChaosProcess(delay_s=0.05)
    with first, second, start_run(tmp_path / "wild", first, second, max_in_flight=8, max_attempts=12) as client:
        wait_for(first, 40)
        first.send_signal(signal.SIGSTOP)
        if comes_back:
            time.sleep(3)
            first.send_signal(signal.SIGCONT)
        assert client.wait(90) == 0
        first.send_signal(signal.SIGCONT)
    assert samples(tmp_path / "calm") == samples(tmp_path / "wild")


@pytest.mark.integration
@pytest.mark.timeout(120)
def test_the_only_server_may_be_killed_and_started_again(tmp_path: Path) -> None:
    with ChaosProcess() as calm:
        run(tmp_path / "calm", calm)
    server = ChaosProcess(delay_s=0.05, share=0.1)
    with server, start_run(tmp_path / "wild", server, max_in_flight=8, max_attempts=20) as client:
        for _ in range(3):
            wait_for(server, 60)
            server.kill()
            time.sleep(1)
            server.start()
        assert client.wait(90) == 0
    assert samples(tmp_path / "calm") == samples(tmp_path / "wild")


@pytest.mark.integration
@pytest.mark.timeout(120)
def test_servers_that_appear_and_vanish_in_a_run_cost_no_sample(tmp_path: Path) -> None:
    with ChaosProcess() as calm:
        run(tmp_path / "calm", calm)
    urls = tmp_path / "urls.txt"
    settings = {"base_urls": (), "urls_file": urls, "max_in_flight": 4, "max_attempts": 20}
    with ChaosProcess(delay_s=0.1) as first, ChaosProcess(delay_s=0.1) as second:
        urls.write_text(f"{first.url}\n")
        with start_run(tmp_path / "wild", **settings) as client:
            wait_for(first, 20)
            urls.write_text(f"{first.url}\n{second.url}\n")
            wait_for(second, 20)
            urls.write_text(f"{second.url}\n")
            first.kill()
            assert client.wait(90) == 0
        n_there = len(samples(tmp_path / "wild"))
        assert 20 < second.record()["n_requests"] < n_there
    assert samples(tmp_path / "calm") == samples(tmp_path / "wild")
