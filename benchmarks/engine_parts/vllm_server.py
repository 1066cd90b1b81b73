"""A real vLLM server on this machine, for as long as it is needed."""

import contextlib
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

START_S = 300.0
"""Longest wait for the server; 20 s with two idle cores."""
STOP_S = 30.0
_POLL_S = 0.5


@contextlib.contextmanager
def vllm_server(
    python: str, model: str, log: Path, *, served_as: str, dtype: str, more: Sequence[str] = ()
) -> Iterator[str]:
    """Base URL of a server of `model` in the environment of `python`; it is gone when the block ends.

    What it prints goes to the file `log`; `more` are further arguments. Raises RuntimeError with the end of the log if
    the server does not come up.
    """
    port = _free_port()
    arguments = ["--host", "127.0.0.1", "--port", str(port), "--model", model, "--served-model-name", served_as]
    # Prompts are computed whole: vLLM 0.32 on CPU dies of a request that has a seed and whose prompt comes in parts.
    arguments += ["--dtype", dtype, "--max-model-len", "512", "--enforce-eager", "--no-enable-chunked-prefill"]
    arguments += ["--uvicorn-log-level", "warning", *more]
    environment = os.environ | {"VLLM_CPU_KVCACHE_SPACE": "1", "OMP_WAIT_POLICY": "PASSIVE", "VLLM_NO_USAGE_STATS": "1"}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [python, "-m", "vllm.entrypoints.openai.api_server", *arguments],
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )
    try:
        _wait_until_healthy(process, port, log)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        _stop(process)


def _wait_until_healthy(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline_s = time.monotonic() + START_S
    while time.monotonic() < deadline_s and process.poll() is None:
        with contextlib.suppress(urllib.error.URLError, OSError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=_POLL_S).close()
            return
        time.sleep(_POLL_S)
    raise RuntimeError(f"vLLM's server did not come up; the end of {log}:\n{log.read_text(errors='replace')[-4000:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        # Its own processes too: they are the session that it was started in.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
