"""`dartune sample` on Ray, as a user starts it: interrupted, killed, gone on with; and nothing of Ray left behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cluster.loopback import assert_gone, ray_alone
from dartune.pool import read_samples
from dartune.pool.overview import find_faults
from fake_recipe import FAKE

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]

FAKE_ENGINE = 'name = "fake"\nlatency_s = {latency_s}\n'
ON_RAY = 'name = "ray"\nn_replicas = 2\nn_cpus = 0.5\nn_graders = 1\n[engine.engine]\n'
ENGINE = 'name = "fake"\nn_places = 16\nlatency_s = 0.15\n'


def write(path: Path, engine: str) -> Path:
    assert FAKE_ENGINE in FAKE
    path.write_text(FAKE.replace(FAKE_ENGINE, engine))
    return path


def start(recipe: Path, out: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "dartune", "sample", str(recipe), "--out", str(out)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)


def finish(recipe: Path, out: Path) -> list[str]:
    process = start(recipe, out)
    _, errors = process.communicate()
    assert process.returncode == 0, errors.decode()
    assert find_faults(out / "pool") == []
    return sorted(str(row) for row in read_samples(out / "pool").to_pylist())


def until_samples(process: subprocess.Popen[bytes], out: Path) -> None:
    """Wait until some samples are durable."""
    while not any((out / "pool").glob("**/*.parquet")) or not len(read_samples(out / "pool")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.1)


def test_a_run_on_ray_is_interrupted_and_killed_and_gives_the_same_samples(tmp_path: Path) -> None:
    plain = finish(write(tmp_path / "plain.toml", 'name = "fake"\n'), tmp_path / "plain")
    recipe = write(tmp_path / "ray.toml", ON_RAY + ENGINE)
    with ray_alone():
        process = start(recipe, tmp_path / "ray")
        until_samples(process, tmp_path / "ray")
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does, to every process
        _, errors = process.communicate()
        assert process.returncode == 130, errors.decode()
        assert b"Traceback" not in errors
        assert_gone(os.environ["RAY_TMPDIR"])

        n_before = len(read_samples(tmp_path / "ray" / "pool"))
        process = start(recipe, tmp_path / "ray")
        while len(read_samples(tmp_path / "ray" / "pool")) == n_before:
            assert process.poll() is None, process.communicate()
            time.sleep(0.1)
        process.kill()
        process.communicate()
        assert_gone(os.environ["RAY_TMPDIR"])

        assert finish(recipe, tmp_path / "ray") == plain
