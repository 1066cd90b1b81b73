"""`dartune evaluate` on the six benchmarks, as a process that is watched and may be killed."""

import json
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from dartune.pool import read_samples
from engine_parts.processes import Peaks, cpu_s, peaks

WINDOW = 512
"""Tokens that the model sees, and so the most that can be asked for: vLLM refuses more, and shortens what does not fit
beside the prompt."""
_POLL_S = 0.2


class Ended(NamedTuple):
    """How a call was, from outside."""

    seconds: float
    held: Peaks
    client_cpu_s: float | None
    server_cpu_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What every call is given."""

    url: str
    server: int
    """Its process."""
    data: Path
    limit: int | None

    def command(self, out: Path) -> list[str]:
        """The command, with its folder."""
        engine = ["--engine", "openai_http", "--set", f"engine.base_urls={json.dumps([self.url])}"]
        asked = ["--benchmarks", "six", "--template", "world", "--set", f"evaluation.max_new_tokens={WINDOW}"]
        files = ["--data-dir", str(self.data), "--out", str(out), "--quiet", "--json"]
        first = [] if self.limit is None else ["--limit", str(self.limit)]
        return [sys.executable, "-m", "dartune", "evaluate", "teacher", *engine, *asked, *files, *first]


def n_on_disk(pool: Path) -> int:
    """How many a reader finds now."""
    return len(read_samples(pool, ["query_id"])) if (pool / "pool.json").exists() else 0


def call(setting: Setting, out: Path, *, kill_at: int | None = None) -> Ended:
    """Run the command, until it ends or `kill_at` rows are on the disk. Raises RuntimeError if it ends otherwise."""
    log = out.with_suffix(".log")
    client_before_s, server_before_s = _children_cpu_s(), cpu_s(setting.server)
    started_s = time.perf_counter()
    held = Peaks(0.0, 0.0)

    def ended(client_cpu_s: float | None) -> Ended:
        seconds = time.perf_counter() - started_s
        return Ended(seconds, held, client_cpu_s, cpu_s(setting.server) - server_before_s)

    with log.open("wb") as errors:
        process = subprocess.Popen(setting.command(out), stdout=subprocess.DEVNULL, stderr=errors)
        while process.poll() is None:
            held = Peaks(*map(max, held, peaks(process.pid)))
            if kill_at is not None and n_on_disk(out) >= kill_at:
                process.kill()
                process.wait()
                return ended(None)
            time.sleep(_POLL_S)
    if process.returncode or kill_at is not None:
        said = log.read_text(errors="replace")[-2000:]
        raise RuntimeError(f"dartune ended with {process.returncode}, kill at {kill_at} rows: {said}")
    return ended(_children_cpu_s() - client_before_s)


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
