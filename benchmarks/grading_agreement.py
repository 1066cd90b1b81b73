"""Agreement of the grader with the recorded verdicts of real model outputs, file by file.

    python benchmarks/grading_agreement.py [--json] [--quick] [--data FOLDER] [--rows]

`--rows` prints every disagreement. Rows without a recorded verdict are graded but not compared. Where a row carries a
verdict by people (`meta.audit_correct`), that one is compared as "audited". Each file is judged as its benchmark is.
The rate is in CPU seconds of this process and its workers.
"""

import argparse
import gzip
import json
import os
import resource
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path

from dartune.grading import Grader

JUDGES = {
    "math_qwen_cot_100": "math",
    "gsm8k_openai_samples": "gsm8k",
    "gsm8k_tora": "gsm8k",
    "math_train_nemo_skills_150": "math",
    "math_mathcoder": "math",
    "math_l5_zeroeval_8models": "math",
    "deepmind_mathcoder": "deepmind-mathematics",
    "theoremqa_tiger": "theoremqa",
}
"""File -> judge of the benchmark whose problems it answers."""

QUICK_ROWS = 200


@dataclass(slots=True, kw_only=True)
class Tally:
    """What grading one file came to."""

    n_rows: int = 0
    n_compared: int = 0
    agree: int = 0
    agree_audited: int = 0
    accepted_alone: int = 0
    """Rows that the grader calls correct and the record does not."""
    rejected_alone: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    cpu_s: float = 0.0


def rows_of(path: Path, limit: int | None) -> Iterator[dict[str, object]]:
    """The rows of one file."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for index, line in enumerate(lines):
            if limit is not None and index >= limit:
                return
            yield json.loads(line)


def cpu_seconds() -> float:
    """CPU seconds of this process."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def worker_cpu_seconds(grader: Grader) -> float:
    """CPU seconds of the grader's living workers."""
    total = 0.0
    for pid in grader.worker_pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def tally_file(grader: Grader, path: Path, *, judge: str, limit: int | None, show: bool) -> Tally:
    """Grade every row of one file by one judge and compare."""
    tally = Tally()
    rows = list(rows_of(path, limit))
    grader.grade(ref_answer="x+1", response="\\boxed{1+x}")  # starts the worker
    start = cpu_seconds() + worker_cpu_seconds(grader)
    grades = [
        grader.grade(
            ref_answer=str(row["ref_answer"]),
            response=str(row["response"]),
            query=str(row["query"]),
            judge=judge,
            meta=row["meta"] if isinstance(row["meta"], dict) else {},
        )
        for row in rows
    ]
    tally.cpu_s = cpu_seconds() + worker_cpu_seconds(grader) - start
    for row, grade in zip(rows, grades, strict=True):
        tally.n_rows += 1
        tally.verdicts[grade.verdict] += 1
        tally.rules[grade.rule] += 1
        recorded = row["correct"]
        if recorded is None:
            continue
        meta = row["meta"]
        audited = meta.get("audit_correct", recorded) if isinstance(meta, dict) else recorded
        accepted = grade.verdict == "correct"
        tally.n_compared += 1
        tally.agree += accepted == recorded
        tally.agree_audited += accepted == audited
        tally.accepted_alone += accepted and not recorded
        tally.rejected_alone += bool(recorded) and not accepted
        if show and accepted != audited:
            print(
                json.dumps(
                    [row["id"], row["ref_answer"], row["pred"], grade.answer, recorded, grade.verdict, grade.rule]
                )
            )
    return tally


def default_data() -> Path:
    """DARTUNE_DATA, or the folder beside the checkout."""
    return Path(os.environ.get("DARTUNE_DATA", Path(__file__).parents[2] / "shared" / "data"))


def main() -> None:
    """Grade, print a table, and as the last line one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print nothing but the JSON object")
    parser.add_argument("--quick", action="store_true", help=f"the first {QUICK_ROWS} rows of each file")
    parser.add_argument("--rows", action="store_true", help="print every disagreement")
    parser.add_argument("--lenient", action="store_true", help="take the last number where there is no marker")
    parser.add_argument("--files", nargs="*", choices=[*JUDGES], default=[*JUDGES])
    parser.add_argument("--judge", help="one judge for all files instead of each benchmark's own")
    parser.add_argument("--data", type=Path, default=default_data())
    options = parser.parse_args()
    tallies: dict[str, Tally] = {}
    with Grader(lenient=options.lenient) as grader:
        for name in options.files:
            path = options.data / "outputs" / f"{name}.jsonl.gz"
            limit = QUICK_ROWS if options.quick else None
            judge = options.judge or JUDGES[name]
            tallies[name] = tally_file(grader, path, judge=judge, limit=limit, show=options.rows)
            if not options.json:
                print(_line(name, tallies[name]), flush=True)
    total_s = sum(tally.cpu_s for tally in tallies.values())
    n_rows = sum(tally.n_rows for tally in tallies.values())
    files = {name: {part.name: getattr(tally, part.name) for part in fields(tally)} for name, tally in tallies.items()}
    print(json.dumps({"files": files, "cases_per_cpu_s": round(n_rows / total_s)}))


def _line(name: str, tally: Tally) -> str:
    share = tally.agree / max(1, tally.n_compared)
    return (
        f"{name:28} {tally.n_rows:5} rows  agree {tally.agree:5}/{tally.n_compared:5} ({share:.2%})"
        f"  audited {tally.agree_audited:5}  accepted alone {tally.accepted_alone:3}"
        f"  rejected alone {tally.rejected_alone:3}  {tally.n_rows / tally.cpu_s:7.0f} rows/CPU-s"
    )


if __name__ == "__main__":
    main()
