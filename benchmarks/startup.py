"""Seconds that a bare import and `dartune --help` take in a fresh process, warm.

    python benchmarks/startup.py [--json] [--quick]

The first run of each warms the disk cache and is not counted. The last line is one JSON object: `import_s` and `help_s`
(medians of wall time), `interpreter_s` (Python doing nothing, to subtract) and `n_runs`.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time

PROGRAMS = {
    "interpreter_s": ("-c", "pass"),
    "import_s": ("-c", "import dartune"),
    "help_s": ("-m", "dartune", "--help"),
}


def median_s(arguments: tuple[str, ...], n_runs: int) -> float:
    """Median wall seconds of `python ARGUMENTS`."""
    seconds = []
    for _ in range(n_runs + 1):
        start = time.perf_counter()
        subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds[1:])


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="5 runs of each instead of 20")
    parser.add_argument("--json", action="store_true", help="print the JSON line only")
    options = parser.parse_args()
    n_runs = 5 if options.quick else 20
    found = {name: round(median_s(arguments, n_runs), 3) for name, arguments in PROGRAMS.items()}
    if not options.json:
        for name, seconds in found.items():
            print(f"{name:14} {seconds:.3f}")
    print(json.dumps({**found, "n_runs": n_runs}))


if __name__ == "__main__":
    main()
