"""A chaos server in a process of its own, which can be killed and started again at the same place."""

import json
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any, Self

TESTS = Path(__file__).parents[1]


class ChaosProcess:
    """Use it as a context manager."""

    def __init__(self, **settings: object) -> None:
        self.settings = settings
        self.port = 0
        self._process: subprocess.Popen[str] | None = None

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.root}/v1"

    def start(self) -> None:
        command = [sys.executable, "-m", "engines.chaos_server", "--port", str(self.port)]
        command += ["--settings", json.dumps(self.settings)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=TESTS)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def send_signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None

    def record(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.root}/control", timeout=5) as reply:
            return dict(json.load(reply))

    def change(self, **settings: object) -> None:
        body = json.dumps(settings).encode()
        with urllib.request.urlopen(f"{self.root}/control", data=body, timeout=5) as reply:
            reply.read()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
