"""Result files of lm-evaluation-harness and lighteval: read into scores, and written from them.

A file of lm_eval (0.4.x): {"results": {task: {"exact_match,strict-match": 0.11, "exact_match_stderr,strict-match":
0.008, ...}}, "n-samples": {task: {"original": n, "effective": n}}, "model_name": ...}. A file of lighteval (0.6-0.13):
{"config_general": {"model_name": ...}, "results": {"lighteval|gsm8k|5": {"qem": 0.12, "qem_stderr": 0.009}, "all":
...}}. Such files hold no verdicts, so that their scores can stand in a table but not in a paired test.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from dartune.errors import DataError
from dartune.evaluation.metrics import Estimate, Score
from dartune.evaluation.record import EvaluationRecord
from dartune.evaluation.results import BenchmarkScore
from dartune.files import write_json

_Z = 1.959964

TASKS: Final = {
    "aime24": "aime/2024",
    "gsm8k": "gsm8k/test",
    "gsm8k_cot": "gsm8k/test",
    "gsm8k_cot_zeroshot": "gsm8k/test",
    "gsm8k_platinum": "gsm8k-platinum",
    "gsm8k_platinum_cot": "gsm8k-platinum",
    "hendrycks_math": "math/test",
    "hendrycks_math500": "math/500",
    "math_500": "math/500",
    "minerva_math": "math/test",
    "minerva_math500": "math/500",
}
"""Task of either program -> benchmark of the same problems here; a task that is not named keeps its own name."""

METRICS: Final = (
    "math_verify", "exact_match,flexible-extract", "exact_match", "extractive_match", "math_equality", "pass@k:k=1",
    "avg@n", "math_pass@1", "qem", "em",
)  # fmt: skip
"""Which of a task's metrics is taken, the first that is there.

In a file, a metric of lm_eval has its filter behind a comma, one of lighteval its settings behind a colon or an
ampersand: "pass@k:k=1&n=4", "avg@n:n=4".
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedScore:
    """One score of another program's file."""

    metric: str
    accuracy: Estimate
    """With the 95 % interval of the file's standard error; of no width where it gives none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedScores:
    """One model's scores from another program's file."""

    model: str
    program: str
    """What graded the answers: "lm_eval", "lighteval", or "dartune" where it wrote the file."""
    path: str
    scores: Mapping[str, ImportedScore]
    """Benchmark -> score."""


def read_scores(path: Path) -> ImportedScores:
    """The scores in a result file of lm_eval or lighteval. Raises DataError if it is neither, or holds no score."""
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise DataError(f"{path}: expected a JSON object, got text that does not parse ({error})") from error
    results = document.get("results") if isinstance(document, dict) else None
    if not isinstance(results, dict):
        raise DataError(f"{path}: expected a result file of lm_eval or lighteval with the field results")
    is_lighteval = "config_general" in document
    scores: dict[str, ImportedScore] = {}
    for task, values in results.items():
        found = None if task == "all" or _is_part(task, results) else _pick(values)
        if found is not None:
            name = task.split("|")[-2] if task.count("|") else task
            scores[TASKS.get(name, name)] = found
    if not scores:
        raise DataError(f"{path}: results: expected a task with one of the metrics {', '.join(METRICS)}, got none")
    general = document["config_general"] if is_lighteval else document
    return ImportedScores(
        model=str(general.get("model_name") or "unknown") if isinstance(general, dict) else "unknown",
        program="dartune" if "dartune" in document else "lighteval" if is_lighteval else "lm_eval",
        path=str(path),
        scores=scores,
    )


def _is_part(task: str, results: Mapping[str, object]) -> bool:
    """Whether a task of lm_eval is one of a group's that is there as a whole: "minerva_math_algebra"."""
    return task not in TASKS and any(task.startswith(f"{group}_") for group in TASKS if group in results)


def _pick(values: object) -> ImportedScore | None:
    if not isinstance(values, dict):
        return None
    for wanted in METRICS:
        for metric, value in values.items():
            if metric != wanted and not metric.startswith(tuple(f"{wanted}{mark}" for mark in ",:&")):
                continue
            if isinstance(value, int | float) and 0 <= value <= 1:
                name, comma, kept = metric.partition(",")
                error = values.get(f"{name}_stderr{comma}{kept}")
                half = _Z * error if isinstance(error, int | float) else 0.0
                return ImportedScore(
                    metric=metric,
                    accuracy=Estimate(value=float(value), low=max(0.0, value - half), high=min(1.0, value + half)),
                )
    return None


def write_lm_eval(path: Path, record: EvaluationRecord, scores: Sequence[BenchmarkScore]) -> None:
    """Write scores as a result file of lm_eval. Raises WriteError."""
    write_json(
        path,
        {
            "results": {
                score.benchmark: {
                    "alias": score.benchmark,
                    "exact_match,none": score.accuracy.accuracy,
                    "exact_match_stderr,none": _standard_error(score.accuracy),
                }
                for score in scores
            },
            "n-samples": {score.benchmark: {"original": score.n_rows, "effective": score.n_rows} for score in scores},
            "versions": {score.benchmark: record.benchmarks[i].checksum for i, score in enumerate(scores)},
            "model_name": record.model,
            "dartune": asdict(record),
        },
    )


def write_lighteval(path: Path, record: EvaluationRecord, scores: Sequence[BenchmarkScore]) -> None:
    """Write scores as a result file of lighteval. Raises WriteError."""
    results: dict[str, Any] = {
        f"dartune|{score.benchmark}|0": {
            "extractive_match": score.accuracy.accuracy,
            "extractive_match_stderr": _standard_error(score.accuracy),
        }
        for score in scores
    }
    mean = sum(score.accuracy.accuracy for score in scores) / len(scores)
    write_json(
        path,
        {
            "config_general": {"lighteval_sha": "?", "max_samples": None, "model_name": record.model},
            "results": {**results, "all": {"extractive_match": mean}},
            "versions": {f"dartune|{score.benchmark}|0": 0 for score in scores},
            "dartune": asdict(record),
        },
    )


def _standard_error(score: Score) -> float:
    return (score.high - score.low) / (2 * _Z)
