"""Fuzz the grader: `graders/properties.py` must hold for any text that `graders/soup.py` draws.

    python benchmarks/grading_fuzz.py [--json] [--quick] [--seconds N] [--seed N]

Steered by coverage where atheris is installed (`pip install atheris`), else by chance alone. Every 200th input goes
through the whole grader, its workers included. What does not hold is printed, once for each kind and rule. The last
line is one JSON object; the exit code is 1 where anything did not hold.
"""

import argparse
import importlib
import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from typing import Any

QUICK_S = 5.0
WORKER_STRIDE = 200
MAX_BYTES = 160
SENTINEL = "PWNED"


class Fuzz:
    """One run: gives every input to the properties, and ends the process when its time is over."""

    def __init__(self, *, seconds: float, engine: str, show: bool) -> None:
        self._seconds = seconds
        self._engine = engine
        self._show = show
        self._soup: Any = importlib.import_module("graders.soup")
        self._properties: Any = importlib.import_module("graders.properties")
        grading = importlib.import_module("dartune.grading")
        self._grader = grading.Grader(timeout_s=0.5)
        self._start = time.monotonic()
        self._n = 0
        self._slowest_ms = 0.0
        self._slowest: tuple[str, ...] = ()
        self._found: Counter[str] = Counter()

    def feed(self, data: bytes) -> None:
        """Check one input."""
        texts = self._soup.draw_texts(data)
        begin = time.thread_time()
        findings = self._properties.check(texts)
        took_ms = 1000 * (time.thread_time() - begin)
        if took_ms > self._slowest_ms:
            self._slowest_ms, self._slowest = took_ms, texts[:3]
        self._n += 1
        if self._n % WORKER_STRIDE == 0:
            findings += self._properties.graded(self._grader, texts)
        for finding in findings:
            name = f"{finding.what}: {finding.detail}" if finding.what != "slow" else "slow"
            self._found[name] += 1
            if self._show and self._found[name] == 1:
                print(json.dumps([finding.what, finding.detail, *finding.texts[:3]]), flush=True)
        if time.monotonic() - self._start > self._seconds:
            self.end()

    def end(self) -> None:
        """Print the summary and leave; atheris never comes back by itself."""
        self._grader.close()
        folder = Path.cwd()
        code_ran = (folder / SENTINEL).exists()
        shutil.rmtree(folder)
        report = {
            "engine": self._engine,
            "inputs": self._n,
            "seconds": round(time.monotonic() - self._start, 1),
            "findings": sum(self._found.values()),
            "kinds": len(self._found),
            "slowest_ms": round(self._slowest_ms, 2),
            "slowest": self._slowest,
            "code_ran": code_ran,
        }
        print(json.dumps(report), flush=True)
        os._exit(1 if self._found or code_ran else 0)


def main() -> None:
    """Fuzz for some seconds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--json", action="store_true", help="accepted as by the other benchmarks: findings are JSON too"
    )
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_S:.0f} seconds")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    seconds = QUICK_S if options.quick else options.seconds
    os.chdir(tempfile.mkdtemp(prefix="dartune-fuzz-"))
    if find_spec("atheris") is None:
        by_chance(Fuzz(seconds=seconds, engine="chance", show=not options.json), options.seed)
    atheris = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["dartune.grading"]):
        fuzz = Fuzz(seconds=seconds, engine="atheris", show=not options.json)
    arguments = [sys.argv[0], f"-seed={options.seed + 1}", f"-max_len={MAX_BYTES}", "-len_control=0", "-verbosity=0"]
    atheris.Setup(arguments, fuzz.feed)
    atheris.Fuzz()


def by_chance(fuzz: Fuzz, seed: int) -> None:
    """Random bytes until the time is over."""
    draw = random.Random(seed)
    while True:
        fuzz.feed(draw.randbytes(draw.randrange(MAX_BYTES)))


if __name__ == "__main__":
    main()
