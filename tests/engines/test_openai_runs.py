"""Whole runs against servers that misbehave: the same targets are filled, by the same samples."""

import signal
import time
from pathlib import Path

import pytest

from dartune.pool.overview import find_faults
from engines.chaos_process import ChaosProcess
from engines.chaos_runs import KEY, QUERIES, dartune, run, samples, start_run, wait_for, write_recipe
from engines.chaos_server import KINDS

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]


def n_correct(pool: Path) -> dict[str, int]:
    counts = dict.fromkeys((query.id for query in QUERIES), 0)
    for (query_id, _), (_, verdict, _) in samples(pool).items():
        counts[query_id] += verdict == "correct"
    return counts


def test_thirty_percent_of_chaos_fills_the_same_targets(tmp_path: Path) -> None:
    with ChaosProcess() as calm:
        run(tmp_path / "calm", calm)
    with ChaosProcess(share=0.3) as wild:
        report, engine = run(tmp_path / "wild", wild)
        record = wild.record()
    here, there = samples(tmp_path / "calm"), samples(tmp_path / "wild")
    assert find_faults(tmp_path / "wild") == []
    assert set(record["injected"]) == set(KINDS)
    assert max(record["attempts"].values()) <= 6
    failed = {key: failure for key, (_, _, failure) in there.items() if failure is not None}
    assert set(failed.values()) <= set(KINDS.values())
    assert report.n_failures == len(failed)
    answered = there.keys() & here.keys() - failed.keys()
    assert len(answered) > 0.9 * len(here)
    assert all(there[key] == here[key] for key in answered)
    assert all(n >= 4 for n in n_correct(tmp_path / "wild").values())
    assert sum(engine.faults.values()) >= sum(record["injected"].values()) - len(failed)


def test_servers_that_are_killed_and_started_again_cost_no_sample(tmp_path: Path) -> None:
    with ChaosProcess() as calm:
        run(tmp_path / "calm", calm)
    first, second = ChaosProcess(delay_s=0.05), ChaosProcess(delay_s=0.05)
    settings = {"max_in_flight": 16, "max_attempts": 20, "timeout_s": 10.0}
    with first, second, start_run(tmp_path / "wild", first, second, **settings) as client:
        for server in (first, second):
            wait_for(server, 40)
            server.kill()
            time.sleep(0.7)
            server.start()
        assert client.wait(90) == 0
    here, there = samples(tmp_path / "calm"), samples(tmp_path / "wild")
    assert here == there


def test_the_key_is_nowhere_on_disk_and_ctrl_c_reaches_the_server(tmp_path: Path) -> None:
    with ChaosProcess(key=KEY, delay_s=0.4) as server:
        recipe = write_recipe(tmp_path, server.url)
        with dartune(tmp_path, "sample", str(recipe), "--out", "run", "--set", "engine.max_in_flight=16") as first:
            while not any((tmp_path / "run" / "pool").glob("shard-*")):
                assert first.poll() is None
                time.sleep(0.1)
            first.send_signal(signal.SIGINT)
            said = first.communicate(timeout=30)[0]
        assert first.returncode == 130, said
        assert server.record()["aborted"] > 0
        assert server.record()["n_now"] == 0
        with dartune(tmp_path, "sample", str(recipe), "--out", "run") as second:
            said += second.communicate(timeout=60)[0]
        assert second.returncode == 0, said
        assert " for 0.0" in said
    assert len(samples(tmp_path / "run" / "pool")) == 40 * 8
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) > 4
    assert not [path for path in written if KEY.encode() in path.read_bytes()]
    assert KEY not in said


@pytest.mark.parametrize(
    ("url", "model", "key", "message"),
    [
        ("http://127.0.0.1:9/v1", "chaos", KEY, "no server can be reached"),
        ("http://host.invalid/v1", "chaos", KEY, "no server can be reached"),
        ("{root}", "chaos", KEY, "add /v1"),
        ("{url}", "chas", KEY, "did you mean 'chaos'?"),
        ("{url}", "chaos", "sk-other", "CHAOS_KEY is set, but refused"),
    ],
)
def test_bad_input_is_one_line_within_ten_seconds(tmp_path: Path, url: str, model: str, key: str, message: str) -> None:
    with ChaosProcess(key=KEY) as server:
        recipe = write_recipe(tmp_path, url.format(root=server.root, url=server.url), model)
        start = time.monotonic()
        with dartune(tmp_path, "sample", str(recipe), "--out", "run", "--quiet", key=key) as process:
            said = process.communicate(timeout=30)[0]
        assert time.monotonic() - start < 10
    assert process.returncode == 2
    assert message in said
    assert len(said.strip().splitlines()) == 1
    assert not (tmp_path / "run" / "pool").exists()


def test_prompts_that_are_too_long_are_recorded_and_the_others_answered(tmp_path: Path) -> None:
    with ChaosProcess(context=len("What is 9 + 2 ?\n")) as server:
        report, _ = run(tmp_path, server)
        record = server.record()
    causes = {failure for _, _, failure in samples(tmp_path).values()}
    assert causes == {None, "context_too_long"}
    assert record["n_requests"] == report.n_samples
