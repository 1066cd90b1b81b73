"""A sample-level metric for lighteval, as of lighteval 0.13.

lighteval calls `compute(doc, model_response, **kwargs)` of a `SampleLevelComputation`; `doc.get_golds()` are the
references and `model_response.final_text` the generations. It wants a subclass of its own class:
docs/adapters.md has the lines around this one.
"""

from collections.abc import Sequence
from typing import Protocol

from dartune.adapters.shared import score
from dartune.grading import grade


class Doc(Protocol):
    """What is used of lighteval's `Doc`."""

    query: str

    def get_golds(self) -> list[str]:
        """The reference answers; any of them will do."""
        ...


class ModelResponse(Protocol):
    """What is used of lighteval's `ModelResponse`."""

    @property
    def final_text(self) -> Sequence[str]:
        """The generations, without thoughts where those were taken out."""
        ...


class MathEquality:
    """1.0 where the first generation's answer is one of the references, else 0.0, also where it could not be told."""

    def __init__(self, *, judge: str = "default") -> None:
        self._judge = judge

    def compute(self, doc: Doc, model_response: ModelResponse, **_kwargs: object) -> float:
        """The metric of one sample."""
        response = model_response.final_text[0]
        scores = (score(grade(ref_answer=gold, response=response, judge=self._judge)) for gold in doc.get_golds())
        return float(any(scores))
