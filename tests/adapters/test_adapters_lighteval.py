"""lighteval's calls, and the metric as an object of its own: a stand-in package has its names and constructor."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dartune.adapters.lighteval import MathEquality, math_equality
from dartune.errors import InputError

RIGHT, WRONG = "So \\boxed{\\frac{2}{4}}.", "So \\boxed{2}."

STAND_IN = {
    "metrics/metrics_sample.py": """
class SampleLevelComputation:
    def compute(self, **kwargs): raise NotImplementedError
""",
    "metrics/utils/metric_utils.py": """
from dataclasses import dataclass
from typing import Any
@dataclass
class SampleLevelMetric:
    metric_name: str
    higher_is_better: bool
    category: Any
    sample_level_fn: Any
    corpus_level_fn: Any
""",
    "tasks/requests.py": """
import enum
class SamplingMethod(str, enum.Enum):
    GENERATIVE = "GENERATIVE"
""",
}
"""Names and fields as in lighteval 0.13.0, whose pins exclude ours."""


@dataclass
class Doc:
    query: str
    choices: list[str]

    def get_golds(self) -> list[str]:
        return self.choices


@dataclass
class RowDoc(Doc):
    specific: dict[str, object] | None = None


@dataclass
class ModelResponse:
    text: list[str]

    @property
    def final_text(self) -> list[str]:
        return self.text


@pytest.fixture
def lighteval(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, code in STAND_IN.items():
        path = tmp_path / "lighteval" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    for name in [name for name in sys.modules if name.split(".")[0] == "lighteval"]:
        del sys.modules[name]


def test_any_reference_will_do_and_generations_are_averaged() -> None:
    metric = MathEquality()
    doc = Doc(query="?", choices=["7", "0.5"])
    assert metric.compute(doc, ModelResponse([RIGHT]), task_name="mine") == 1.0
    assert metric.compute(doc=doc, model_response=ModelResponse([WRONG])) == 0.0
    assert metric.compute(doc=doc, model_response=ModelResponse([WRONG, RIGHT, RIGHT, WRONG])) == 0.5


def test_the_judge_gets_its_fields() -> None:
    row: dict[str, object] = {"error": "0.1", "answer_type": "Numerical", "is_multiple_answer": False}
    near, doc = ModelResponse(["\\boxed{2.05}"]), RowDoc(query="?", choices=["2.0"], specific=row)
    assert MathEquality(judge="olympiadbench").compute(doc, near) == 1.0
    assert MathEquality(judge="olympiadbench").compute(RowDoc(query="?", choices=["2.0"]), near) == 0.0


@pytest.mark.usefixtures("lighteval")
def test_the_metric_is_of_lightevals_classes() -> None:
    metric: Any = math_equality(judge="gsm8k")
    from lighteval.metrics.metrics_sample import SampleLevelComputation

    assert isinstance(metric.sample_level_fn, SampleLevelComputation)
    assert (metric.metric_name, metric.category, metric.higher_is_better) == ("math_equality", "GENERATIVE", True)
    doc = Doc(query="?", choices=["Half of 72.\n#### 36"])
    assert metric.sample_level_fn.compute(doc=doc, model_response=ModelResponse(["#### 36"])) == 1.0
    assert metric.corpus_level_fn([1.0, 0.0]) == 0.5


def test_without_lighteval_or_judge_it_is_one_clear_line() -> None:
    with pytest.raises(InputError, match=r"lighteval cannot be imported .*pip install lighteval"):
        math_equality()
    with pytest.raises(InputError, match="judge 'maths'"):
        MathEquality(judge="maths")
