"""Recorded outputs of real models through the whole path give their recorded accuracy again, model by model.

    python benchmarks/known_answers.py [--json] [--quick] [--data FOLDER] [--rows] [--write FOLDER]

For each model of each file: its responses are replayed by the replay engine over the benchmark's queries, sampled into
a pool by `evaluate_model`, graded by the benchmark's own judge, and read back as scored rows. `recorded` and `ours` are
accuracies in per cent over the `n` rows that have a recorded verdict; `differing` counts the rows whose verdict
differs, by the kind of reason that docs/grading-disagreements.md gives for each, and `unexplained` those that it does
not name. `audited` is the recorded accuracy with the verdicts that are wrong there by that document set right. `--rows`
prints every differing row. `--write` measures nothing: it writes, for each file, its problems and the responses of each
model, which `dartune evaluate MODEL --engine replay` takes. The last line is one JSON object.
"""

import argparse
import gzip
import json
import os
import re
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dartune.config import EvaluationConfig, QueriesConfig, ReplayEngineConfig
from dartune.engines.replay import ReplayEngine
from dartune.evaluation.run import EvaluationJob, evaluate_model
from dartune.grading import Grader
from dartune.pool import read_samples
from dartune.prompts import load_template
from dartune.queries import Origin, QuerySet, SourceReport, load_queries
from dartune.types import Query, query_id

REPOSITORY = Path(__file__).parents[1]
FILES = {
    "deepmind_mathcoder": "deepmind-mathematics",
    "gsm8k_tora": "gsm8k/test",
    "gsm8k_openai_samples": "gsm8k/test",
    "math_l5_zeroeval_8models": "math/test",
    "theoremqa_tiger": "theoremqa",
}
"""File of outputs -> benchmark whose problems they answer."""
QUICK_ROWS = 40
_REASON = re.compile(r"^\| (?P<row>\S+) \| .* \| (?:correct|incorrect) \| .* \|$")
Row = dict[str, Any]
"""One line of a file of outputs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One recorded model."""

    benchmark: str
    recorded: float
    audited: float
    ours: float
    n: int
    differing: dict[str, int]
    """Kind of reason -> rows."""
    unexplained: int

    @property
    def difference(self) -> float:
        """Ours minus recorded, in points."""
        return self.ours - self.recorded


def rows_by_model(path: Path, limit: int | None) -> dict[str, list[Row]]:
    """The rows of each model of one file, the first `limit` of each."""
    found: defaultdict[str, list[Row]] = defaultdict(list)
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            if limit is None or len(found[row["model"]]) < limit:
                found[row["model"]].append(row)
    return dict(found)


def answered(rows: list[Row], benchmark: QuerySet) -> QuerySet:
    """The queries of `benchmark` that `rows` answer; where a file has another reference, with that one."""
    by_text: dict[tuple[str, str], Query] = {}
    for query in benchmark.queries:
        by_text.setdefault((query.text, ""), query)
        by_text[query.text, query.ref_answer] = query
    queries: dict[str, Query] = {}
    for row in rows:
        text, ref_answer = row["query"].strip(), str(row["ref_answer"]).strip()
        known = by_text.get((text, ref_answer)) or by_text[text, ""]
        query = Query.of(text, ref_answer, judge=known.judge, meta=known.meta, level=known.level, domain=known.domain)
        queries[query.id] = query
    report = SourceReport(
        name=benchmark.report.name,
        origin=Origin(source=benchmark.report.origin.source),
        n_rows=len(rows),
        n_duplicates=0,
        n_conflicting_texts=0,
        defects=(),
        n_by_level={},
        n_by_domain={},
    )
    return QuerySet(queries=tuple(queries.values()), rows=tuple(queries), report=report)


def verdicts(rows: list[Row], benchmark: QuerySet, grader: Grader, folder: Path) -> Iterator[tuple[Row, bool]]:
    """Each row with our verdict on it, from the pool of an evaluation that replays them."""
    recorded = folder / "responses.jsonl"
    recorded.write_text(
        "".join(json.dumps({"query": row["query"], "response": row["response"]}) + "\n" for row in rows)
    )
    queries = answered(rows, benchmark)
    # A query that is there twice is asked twice: the t-th row of a query is its trial t.
    n_trials = max(Counter(row["query"].strip() for row in rows).values())
    config = EvaluationConfig(n_trials=n_trials, temperature=1.0)
    evaluate_model(
        EvaluationJob(benchmarks={benchmark.report.name: queries}, template=load_template("plain"), config=config),
        engine=ReplayEngine(ReplayEngineConfig(path=recorded), queries.queries),
        grader=grader,
        pool=folder / "pool",
    )
    samples = read_samples(folder / "pool", ["query_id", "trial", "verdict"]).to_pylist()
    said = {(row["query_id"], row["trial"]): row["verdict"] == "correct" for row in samples}
    seen: Counter[str] = Counter()
    for row in rows:
        text = row["query"].strip()
        yield row, said[query_id(text, str(row["ref_answer"]).strip()), seen[text]]
        seen[text] += 1


def reasons(name: str) -> dict[str, str]:
    """Row -> kind of reason, of one file's section of docs/grading-disagreements.md."""
    found: dict[str, str] = {}
    kind = None
    for line in (REPOSITORY / "docs" / "grading-disagreements.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            kind = line.strip("# ").removesuffix(f" ({name})") if line.endswith(f"({name})") else None
        match = _REASON.match(line)
        if kind and match:
            found[match["row"]] = kind
    return found


def measure(name: str, benchmark: QuerySet, options: argparse.Namespace) -> dict[str, Known]:
    """Every model of one file."""
    why = reasons(name)
    found = {}
    path = options.data / "outputs" / f"{name}.jsonl.gz"
    with Grader(n_workers=os.cpu_count() or 1) as grader:
        for model, rows in rows_by_model(path, QUICK_ROWS if options.quick else None).items():
            with tempfile.TemporaryDirectory() as folder:
                pairs = [
                    (row, ours)
                    for row, ours in verdicts(rows, benchmark, grader, Path(folder))
                    if row["correct"] is not None
                ]
            differing = [row for row, ours in pairs if row["correct"] != ours]
            kinds = Counter(_kind(row, why) for row in differing)
            n_right = sum(row["correct"] for row, _ in pairs)
            n_mended = sum(1 - 2 * row["correct"] for row in differing if _kind(row, why) == "Record wrong")
            found[model] = Known(
                benchmark=benchmark.report.name,
                recorded=round(100 * n_right / len(pairs), 2),
                audited=round(100 * (n_right + n_mended) / len(pairs), 2),
                ours=round(100 * sum(ours for _, ours in pairs) / len(pairs), 2),
                n=len(pairs),
                differing=dict(kinds.most_common()),
                unexplained=kinds["unexplained"],
            )
            if options.rows:
                print(*(f"{row['id']}: {_kind(row, why)}" for row in differing), sep="\n")
    return found


def _kind(row: Row, why: dict[str, str]) -> str:
    return why.get(row["id"].partition("/")[2], "unexplained")


def write_files(options: argparse.Namespace) -> None:
    """Write the problems of each file, and each model's responses, as files that a user would have."""
    for name in FILES:
        folder = options.write / name
        folder.mkdir(parents=True, exist_ok=True)
        problems: dict[str, str] = {}
        for model, rows in rows_by_model(options.data / "outputs" / f"{name}.jsonl.gz", None).items():
            lines = [json.dumps({"query": row["query"], "response": row["response"]}) for row in rows]
            (folder / f"{model}.jsonl").write_text("".join(f"{line}\n" for line in lines), "utf-8")
            for row in rows:
                problem = {key: row[key] for key in ("query", "ref_answer", "level", "domain")}
                problems.setdefault(row["query"], json.dumps(problem))
        (folder / "problems.jsonl").write_text("".join(f"{line}\n" for line in problems.values()), "utf-8")


def default_data() -> Path:
    """DARTUNE_DATA, or the folder beside the checkout."""
    return Path(os.environ.get("DARTUNE_DATA", REPOSITORY.parent / "shared" / "data"))


def main() -> None:
    """Replay every file, print a table, and as the last line one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print nothing but the JSON object")
    parser.add_argument("--quick", action="store_true", help=f"the first {QUICK_ROWS} rows of each model")
    parser.add_argument("--rows", action="store_true", help="print every differing row with the kind of reason")
    parser.add_argument("--data", type=Path, default=default_data())
    parser.add_argument("--write", type=Path, metavar="FOLDER", help="write problems and responses there instead")
    options = parser.parse_args()
    if options.write is not None:
        return write_files(options)
    known: dict[str, Known] = {}
    for name, benchmark in FILES.items():
        queries = load_queries(QueriesConfig(source=benchmark, data_dir=options.data))
        known |= measure(name, queries, options)
    if not options.json:
        for model, row in known.items():
            print(
                f"{model:40} {row.benchmark:22} n {row.n:5}  recorded {row.recorded:6.2f}  audited {row.audited:6.2f}  "
                f"ours {row.ours:6.2f}  difference {row.difference:+6.2f}  {row.differing}"
            )
    largest = max(known.values(), key=lambda row: abs(row.difference))
    print(
        json.dumps(
            {
                **{model: asdict(row) for model, row in known.items()},
                "max_difference": round(abs(largest.difference), 2),
                "max_difference_audited": round(max(abs(row.ours - row.audited) for row in known.values()), 2),
                "n_unexplained": sum(row.unexplained for row in known.values()),
            }
        )
    )


if __name__ == "__main__":
    main()
