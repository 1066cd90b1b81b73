"""`process_results` for a task of lm-evaluation-harness, as of lm_eval 0.4.13.

In a task's YAML: `process_results: !function dartune.adapters.lm_eval.gsm8k`, and `metric_list` names `exact_match` and
`decided`. It is called with a row of the dataset and the list of its responses after filtering, one for each request;
a response is a list where a task has `repeats` and its filter keeps them all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dartune.adapters.shared import grade_all, read_meta, read_query, read_reference, score
from dartune.errors import DataError
from dartune.grading import Case
from dartune.grading.grader import find_judge

REFERENCE_FIELDS = ("ref_answer", "final_answer", "answer", "Answer", "target", "solution")
"""Fields of a document that may hold the reference, the first that is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessResults:
    """Metrics of one document by one judge. Raises InputError if there is no such judge."""

    judge: str = "default"
    """Whose rules decide: "default", or the name of a benchmark. What it reads is taken from fields of that name."""

    def __post_init__(self) -> None:
        find_judge(self.judge)

    def __call__(self, doc: Mapping[str, object], results: Sequence[str | Sequence[str]]) -> dict[str, float]:
        """`exact_match`, and `decided`, which is 0.0 where the grader could not tell; means over several responses.

        A worked solution as reference is reduced to its final answer. Raises DataError where there is no reference.
        """
        reference = next((doc[name] for name in REFERENCE_FIELDS if doc.get(name) is not None), None)
        if reference is None:
            raise DataError(f"document: expected one of {', '.join(REFERENCE_FIELDS)}, got {sorted(doc)}")
        ref_answer, query, meta = read_reference(reference), read_query(doc), read_meta(doc, self.judge)
        responses = [text for result in results for text in ([result] if isinstance(result, str) else result)]
        cases = [Case(ref_answer=ref_answer, response=text, query=query, meta=meta) for text in responses]
        scores = [score(grade) for grade in grade_all(cases, judge=self.judge)]
        n = max(1, len(scores))
        return {"exact_match": scores.count(1.0) / n, "decided": 1 - scores.count(None) / n}


process_results = ProcessResults()
"""By the default judge."""
gsm8k = ProcessResults(judge="gsm8k")
"""For GSM8K, whose reference is a worked solution."""
math = ProcessResults(judge="math")
"""For MATH, whose reference is a worked solution."""
olympiadbench = ProcessResults(judge="olympiadbench")
"""For OlympiadBench, whose rows have a tolerance and a type of answer."""
theoremqa = ProcessResults(judge="theoremqa")
"""For TheoremQA."""
