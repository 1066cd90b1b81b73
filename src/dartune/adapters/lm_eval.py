"""`process_results` for a task of lm-evaluation-harness, as of lm_eval 0.4.13.

In a task's YAML: `process_results: !function my_task.process_results`, where `my_task.py` holds
`from dartune.adapters.lm_eval import process_results`, and `metric_list` names `exact_match` and `decided`.
"""

from collections.abc import Mapping, Sequence

from dartune.adapters.shared import score
from dartune.errors import DataError
from dartune.grading import grade

REFERENCE_FIELDS = ("ref_answer", "answer", "target", "solution")
"""Fields of a document that may hold the reference, the first that is there."""


def process_results(doc: Mapping[str, object], results: Sequence[str]) -> dict[str, float]:
    """Metrics of one document: `exact_match`, and `decided`, which is 0.0 where the grader could not tell.

    A worked solution as reference is reduced to its final answer.
    """
    field = next((name for name in REFERENCE_FIELDS if doc.get(name) is not None), None)
    if field is None:
        raise DataError(f"document: expected one of {', '.join(REFERENCE_FIELDS)}, got {sorted(doc)}")
    value = score(grade(ref_answer=final_answer(str(doc[field])), response=results[0]))
    return {"exact_match": value or 0.0, "decided": float(value is not None)}


def final_answer(reference: str) -> str:
    r"""The final answer of a worked solution (what its last `\boxed` or "####" holds); any other text unchanged."""
    from dartune.grading.extraction.extract import extract

    found = extract(reference)
    return found.answer if found.answer is not None and found.rule in ("boxed", "hash") else reference
