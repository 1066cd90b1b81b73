"""A sample-level metric for lighteval, as of lighteval 0.13: `metrics=[math_equality(judge="gsm8k")]` in a task.

lighteval calls `compute(doc=..., model_response=...)` of a metric's `sample_level_fn`, which must be one of its own
classes; `doc.get_golds()` are the references and `model_response.final_text` the generations.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from dartune.adapters.shared import grade_all, read_meta, read_reference, score
from dartune.errors import InputError
from dartune.grading import Case
from dartune.grading.grader import find_judge

if TYPE_CHECKING:
    from lighteval.metrics.utils.metric_utils import SampleLevelMetric


class Doc(Protocol):
    """What is used of lighteval's `Doc`; fields that the judge reads are taken from `specific`, where it has one."""

    query: str

    def get_golds(self) -> list[str]:
        """The references, answers or worked solutions; any of them will do."""
        ...


class ModelResponse(Protocol):
    """What is used of lighteval's `ModelResponse`."""

    @property
    def final_text(self) -> Sequence[str]:
        """The generations, without thoughts where those were taken out."""
        ...


class MathEquality:
    """Share of the generations whose answer is one of the references; what could not be told counts as not.

    Raises InputError if there is no such judge.
    """

    def __init__(self, *, judge: str = "default") -> None:
        find_judge(judge)
        self._judge = judge

    def compute(self, doc: Doc, model_response: ModelResponse, **_kwargs: object) -> float:
        """The metric of one sample, in [0, 1]. Raises DataError where a reference is none."""
        references = [read_reference(gold) for gold in doc.get_golds()]
        responses = model_response.final_text
        meta = read_meta(getattr(doc, "specific", None) or {}, self._judge)
        cases = [
            Case(ref_answer=reference, response=response, query=doc.query, meta=meta)
            for response in responses
            for reference in references
        ]
        is_right = [score(grade) == 1.0 for grade in grade_all(cases, judge=self._judge)]
        n = len(references)
        return sum(any(is_right[i * n : i * n + n]) for i in range(len(responses))) / max(1, len(responses))


def math_equality(*, judge: str = "default") -> "SampleLevelMetric":
    """The metric `math_equality` as an object of lighteval's, averaged over the samples of a task.

    Raises:
        InputError: If there is no such judge, or lighteval cannot be imported.
    """
    try:
        from lighteval.metrics.metrics_sample import SampleLevelComputation
        from lighteval.metrics.utils.metric_utils import SampleLevelMetric
        from lighteval.tasks.requests import SamplingMethod
    except ImportError as error:
        raise InputError(f"lighteval cannot be imported ({error}); mend it with: pip install lighteval") from error

    class Computation(MathEquality, SampleLevelComputation):  # type: ignore[misc]  # lighteval's classes have no types
        """Whether the final answer is a reference."""

    return SampleLevelMetric(
        metric_name="math_equality",
        higher_is_better=True,
        category=SamplingMethod.GENERATIVE,
        sample_level_fn=Computation(judge=judge),
        corpus_level_fn=_mean,
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / max(1, len(values))
