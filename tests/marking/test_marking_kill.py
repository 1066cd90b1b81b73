"""kill -9 and Ctrl-C at random moments: the same command goes on, and the output is the same, byte for byte."""

import contextlib
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from marked_files import responses, write_rows

N_KILLS = 5
N_ROWS = 60_000


def start(source: Path, out: Path, n_workers: int = 2) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "dartune", "grade", str(source), "--out", str(out), "--workers", str(n_workers)]
    return subprocess.Popen([*command, "--quiet"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def finish(source: Path, out: Path) -> None:
    process = start(source, out)
    _, errors = process.communicate()
    assert process.returncode == 0, errors.decode()


def n_kept(out: Path) -> int:
    """Rows whose grades are on the disk."""
    work = out.with_name(f"{out.name}.partial")
    n_rows = 0
    for part in work.glob("grades-*.jsonl"):
        with contextlib.suppress(FileNotFoundError):  # the output is there, and the parts are being deleted
            n_rows += len(part.read_bytes().splitlines())
    return n_rows


def wait_for_part(process: subprocess.Popen[bytes], out: Path, n_before: int) -> None:
    while n_kept(out) <= n_before and process.poll() is None:
        time.sleep(0.02)


@pytest.mark.integration
@pytest.mark.timeout(120)
@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_five_kills_leave_the_same_output(suffix: str, tmp_path: Path) -> None:
    source = write_rows(tmp_path / f"in{suffix}", responses(N_ROWS))
    out, whole = tmp_path / f"killed{suffix}", tmp_path / f"whole{suffix}"
    draw = random.Random(suffix)
    kept = [0]
    for _ in range(N_KILLS):
        process = start(source, out)
        wait_for_part(process, out, kept[-1])
        time.sleep(draw.uniform(0.0, 0.3))
        process.kill()
        process.communicate()
        kept.append(n_kept(out))
    if not out.exists():
        assert kept == sorted(kept)
        assert kept[1] > 0
    finish(source, out)
    finish(source, whole)
    assert out.read_bytes() == whole.read_bytes()
    assert not out.with_name(f"{out.name}.partial").exists()


@pytest.mark.integration
@pytest.mark.timeout(60)
def test_kills_while_the_output_is_written_leave_none_or_a_whole_one(tmp_path: Path) -> None:
    source = write_rows(tmp_path / "in.jsonl", responses(N_ROWS))
    whole = tmp_path / "whole.jsonl"
    finish(source, whole)
    out = tmp_path / "out.jsonl"
    draw = random.Random(0)
    for _ in range(N_KILLS):
        process = start(source, out)
        while process.poll() is None and n_kept(out) < N_ROWS:
            time.sleep(0.005)
        time.sleep(draw.uniform(0.0, 0.1))
        process.kill()
        process.communicate()
        assert not out.exists() or out.read_bytes() == whole.read_bytes()
    finish(source, out)
    assert out.read_bytes() == whole.read_bytes()


@pytest.mark.integration
@pytest.mark.timeout(60)
@pytest.mark.parametrize("n_workers", [1, 2])
def test_ctrl_c_keeps_what_was_graded(n_workers: int, tmp_path: Path) -> None:
    source = write_rows(tmp_path / "in.jsonl", responses(N_ROWS))
    out = tmp_path / "out.jsonl"
    process = start(source, out, n_workers)
    wait_for_part(process, out, 0)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate()
    assert process.returncode == 130
    assert errors.decode() == "interrupted; what was done is kept; run the same command to go on\n"
    assert 0 < n_kept(out) < N_ROWS
    finish(source, out)
    assert len(out.read_bytes().splitlines()) == N_ROWS
