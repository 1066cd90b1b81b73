"""The paper's six benchmarks whole, through `dartune evaluate` and a real vLLM server, with a kill in the middle.

    python benchmarks/full_evaluation.py [--json] [--quick] [--data FOLDER] [--vllm-python PATH]

The packaged teacher knows no English, so its scores are next to nothing and its answers are short: what is measured is
the way of some 11,600 prompts to a server and back, with grading, pool and scores. One server on CPU, four calls:

- `whole`: the command from its start to its scores, undisturbed;
- `killed`: the same command into another folder, ended by SIGKILL when half of the rows are on the disk;
- `resumed`: the same command again, to its end;
- `bare`: some of the same requests from a client that only asks and counts, with several numbers in flight; after the
  first call and after the last.

`n_lost` counts rows that were on the disk at the kill and are not there, or changed, at the end; `n_asked_again` those
among them that the server answered once more, by its own count; both must be 0. `n_redone` counts answers that the
server had given and the disk had not: what the kill cost. `whole_over_bare` compares tokens per processor second of
server, client and graders with the best of `bare`, server and bare client: where all share the cores, that is what
their speeds would be on a machine without other work. `client_cpu_share` is the client's and its graders' part of it.
Sizes are the largest resident ones in MB. The last line is one JSON object.
"""

import argparse
import asyncio
import json
import os
import random
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from dartune.pool import read_queries, read_samples
from dartune.prompts import load_template
from dartune.types import Key
from engine_parts.bare import bare_tokens_per_s
from engine_parts.evaluate_command import WINDOW, Ended, Setting, call
from engine_parts.processes import cpu_s, descendants, peaks
from engine_parts.vllm_counts import settled_counts
from engine_parts.vllm_server import vllm_server
from engine_parts.wide_heads import save_wide_teacher

REPOSITORY = Path(__file__).parents[1]
BARE_IN_FLIGHT = (64, 128, 256)
N_BARE = 3_000
QUICK_LIMIT = 200


class Rate(NamedTuple):
    """How fast the bare client was."""

    tokens_per_s: float
    tokens_per_cpu_s: float
    """Of the server's and the bare client's processor time together."""


Rows = Mapping[Key, Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of the command."""

    n_rows: int
    """Put on the disk by it."""
    n_tokens: int
    """Of the answers among them."""
    seconds: float
    rows_per_s: float
    tokens_per_s: float
    client_mb: float
    graders_mb: float
    client_cpu_s: float | None
    """Processor time of the client and its graders; None where it was killed."""
    server_cpu_s: float


def rows_on_disk(pool: Path) -> Rows:
    """Every row of a pool."""
    return {Key(row["query_id"], row["trial"]): row for row in read_samples(pool).to_pylist()}


def measure(setting: Setting, folder: Path) -> dict[str, Any]:
    """All calls in turn; what `main` prints."""
    ended_whole = call(setting, folder / "whole")
    whole = rows_on_disk(folder / "whole")
    n_bare = N_BARE if setting.limit is None else len(whole) // 2
    first = bare_rates(setting, folder / "whole", n=n_bare)
    at_start = settled_counts(setting.url)
    ended_killed = call(setting, folder / "broken", kill_at=len(whole) // 2)
    kept = rows_on_disk(folder / "broken")
    at_kill = settled_counts(setting.url)
    ended_resumed = call(setting, folder / "broken")
    at_end = settled_counts(setting.url)
    broken = rows_on_disk(folder / "broken")
    added = {key: row for key, row in broken.items() if key not in kept}
    second = bare_rates(setting, folder / "whole", n=n_bare)
    bare = {n: Rate(*map(max, rate, second[n])) for n, rate in first.items()}
    calls = {
        "whole": _call(whole, ended_whole),
        "killed": _call(kept, ended_killed),
        "resumed": _call(added, ended_resumed),
    }
    return {
        "n_prompts": len(whole),
        "calls": {name: asdict(one) for name, one in calls.items()},
        "server_mb": round(sum(peaks(setting.server))),
        "n_kept": len(kept),
        "n_lost": sum(broken.get(key) != row for key, row in kept.items()),
        "n_asked_again": at_end.n_answered - at_kill.n_answered - _n_answered(added),
        "n_redone": at_kill.n_answered - at_start.n_answered - _n_answered(kept),
        "resumed_tokens_over_servers": round(calls["resumed"].n_tokens / (at_end.n_tokens - at_kill.n_tokens), 4),
        "failures": json.loads((folder / "whole" / "scores.json").read_text())["failures"],
        "n_texts_changed": sum(whole[key]["response"] != row["response"] for key, row in broken.items()),
        "scores": scores(folder),
        "bare": {n: {name: round(rate) for name, rate in one._asdict().items()} for n, one in bare.items()},
        **_against_bare(calls["whole"], max(one.tokens_per_cpu_s for one in bare.values())),
    }


def _call(rows: Rows, ended: Ended) -> Call:
    n_tokens = sum(row["n_tokens"] or 0 for row in rows.values())
    return Call(
        n_rows=len(rows),
        n_tokens=n_tokens,
        seconds=round(ended.seconds, 1),
        rows_per_s=round(len(rows) / ended.seconds, 1),
        tokens_per_s=round(n_tokens / ended.seconds, 1),
        client_mb=round(ended.held.own),
        graders_mb=round(ended.held.children),
        client_cpu_s=None if ended.client_cpu_s is None else round(ended.client_cpu_s, 1),
        server_cpu_s=round(ended.server_cpu_s, 1),
    )


def _against_bare(whole: Call, bare_tokens_per_cpu_s: float) -> dict[str, float]:
    assert whole.client_cpu_s is not None
    used_s = whole.client_cpu_s + whole.server_cpu_s
    return {
        "tokens_per_cpu_s": round(whole.n_tokens / used_s),
        "whole_over_bare": round(whole.n_tokens / used_s / bare_tokens_per_cpu_s, 3),
        "client_cpu_share": round(whole.client_cpu_s / used_s, 3),
    }


def _n_answered(rows: Rows) -> int:
    return sum(row["failure"] is None for row in rows.values())


def scores(folder: Path) -> dict[str, dict[str, float]]:
    """Benchmark -> rows, and right answers of the whole and of the broken evaluation."""
    found: dict[str, dict[str, float]] = {}
    for name in ("whole", "broken"):
        for score in json.loads((folder / name / "scores.json").read_text())["scores"]:
            one = found.setdefault(score["benchmark"], {"n": score["n_rows"]})
            one[f"{name}_correct"] = score["accuracy"]["n_correct"]
            one[f"{name}_undecided"] = round(score["undecided"] * score["n_rows"])
    return found


def bare_rates(setting: Setting, pool: Path, *, n: int) -> dict[int, Rate]:
    """Requests in flight -> how fast `n` of the pool's requests that were answered are answered again."""
    template = load_template("world")
    prompts = {query.id: template.render(query.text) for query in read_queries(pool)}
    answered = [(key, row) for key, row in rows_on_disk(pool).items() if row["failure"] is None]
    shared = {"model": "teacher", "max_tokens": WINDOW, "temperature": 0.0, "top_p": 1.0}
    bodies = [
        json.dumps({**shared, "prompt": prompts[key.query_id], "seed": row["seed"] % 2**31}).encode()
        for key, row in random.Random(0).sample(answered, min(n, len(answered)))
    ]
    return {n_in_flight: _bare_rate(setting, bodies, n_in_flight) for n_in_flight in BARE_IN_FLIGHT}


def _bare_rate(setting: Setting, bodies: Sequence[bytes], n_in_flight: int) -> Rate:
    started_s, before_s = time.perf_counter(), time.process_time() + cpu_s(setting.server)
    tokens_per_s = asyncio.run(bare_tokens_per_s(setting.url, bodies, n_in_flight))
    seconds, used_s = time.perf_counter() - started_s, time.process_time() + cpu_s(setting.server) - before_s
    return Rate(tokens_per_s, tokens_per_s * seconds / used_s)


def show(found: Mapping[str, Any]) -> None:
    """Print tables for people."""
    columns = ("rows", "seconds", "rows/s", "tokens/s", "client MB", "graders MB", "client CPU s", "server CPU s")
    print(f"{'call':10}" + "".join(f"{column:>14}" for column in columns))
    for name, one in found["calls"].items():
        cpu = "-" if one["client_cpu_s"] is None else f"{one['client_cpu_s']:.1f}"
        print(
            f"{name:10}{one['n_rows']:14,}{one['seconds']:14.1f}{one['rows_per_s']:14.1f}{one['tokens_per_s']:14,.0f}"
            f"{one['client_mb']:14,.0f}{one['graders_mb']:14,.0f}{cpu:>14}{one['server_cpu_s']:14.1f}"
        )
    print()
    for n, rate in found["bare"].items():
        print(
            f"bare client, {n} in flight: {rate['tokens_per_s']:,} tokens/s, "
            f"{rate['tokens_per_cpu_s']:,} tokens per processor second"
        )
    print(
        f"whole: {found['tokens_per_cpu_s']:,} tokens per processor second, {found['whole_over_bare']:.2f} of the best "
        f"of them; client and graders took {found['client_cpu_share']:.0%}"
    )
    print(f"server: {found['server_mb']:,.0f} MB")
    causes = ", ".join(f"{cause} {n:,}" for cause, n in found["failures"].items()) or "none"
    print(f"prompts: {found['n_prompts']:,}; not answered: {causes}")
    print(
        f"at the kill: {found['n_kept']:,} rows on the disk, of which {found['n_lost']:,} lost and "
        f"{found['n_asked_again']:,} asked again; {found['n_redone']:,} answers not yet on the disk, asked again"
    )
    print(f"tokens of the resumed call over the server's own count: {found['resumed_tokens_over_servers']:.4f}")
    print(f"whole and broken evaluation: {found['n_texts_changed']:,} texts differ\n")
    heads = ("rows", "right", "right, broken", "undecided", "%")
    print(f"{'benchmark':36}" + "".join(f"{head:>15}" for head in heads))
    for name, one in found["scores"].items():
        print(
            f"{name:36}{one['n']:15,}{one['whole_correct']:15,}{one['broken_correct']:15,}"
            f"{one['whole_undecided']:15,}{100 * one['whole_correct'] / one['n']:15.2f}"
        )


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and as the last line one JSON object; exits with 1 if a row was lost or asked again."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print nothing but the JSON object")
    parser.add_argument("--quick", action="store_true", help=f"the first {QUICK_LIMIT} problems of each benchmark")
    default = Path(os.environ.get("DARTUNE_DATA", REPOSITORY.parent / "shared" / "data"))
    parser.add_argument("--data", type=Path, default=default, help="folder of the benchmark files")
    parser.add_argument("--vllm-python", type=Path, default=REPOSITORY / ".venv-vllm" / "bin" / "python")
    options = parser.parse_args(arguments)
    if not options.vllm_python.exists():
        print(f"{options.vllm_python} is not there: nothing is measured; make it with: make test-vllm")
        print(json.dumps({"n_prompts": None}))
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        model, log = save_wide_teacher(folder / "teacher"), folder / "server.log"
        with vllm_server(str(options.vllm_python), model, log, served_as="teacher", dtype="float32") as url:
            server = descendants(os.getpid())[0]
            setting = Setting(url=url, server=server, data=options.data, limit=QUICK_LIMIT if options.quick else None)
            found = measure(setting, folder)
    if not options.json:
        show(found)
    print(json.dumps(found))
    if found["n_lost"] or found["n_asked_again"]:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
