"""The properties that `benchmarks/grading_fuzz.py` tries for minutes, on a few hundred texts."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dartune.grading import Grader
from dartune.grading.comparison.decision import Decision, Task
from dartune.grading.judges import Judge

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))
from graders import properties
from graders.soup import Texts, draw_texts

DRAWN = st.binary(max_size=160).map(draw_texts)
TIMED = "slow"
"""What a busy machine makes of any input; time is measured by the benchmark."""


def _broken(texts: Texts) -> list[str]:
    return [f"{finding.what}: {finding.detail}" for finding in properties.check(texts) if finding.what != TIMED]


@given(texts=DRAWN)
@settings(max_examples=400, deadline=None, derandomize=True)
@example(texts=Texts("(0,1)", "(0,1)", "\\boxed{(0,1)}", 6))
def test_properties_hold_for_texts_by_a_grammar(texts: Texts) -> None:
    assert _broken(texts) == []


@given(ref=st.text(max_size=40), answer=st.text(max_size=40), pick=st.integers(0, 255))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_properties_hold_for_any_characters(ref: str, answer: str, pick: int) -> None:
    assert _broken(Texts(ref, answer, f"The answer is {answer}", pick)) == []


@pytest.mark.integration
@pytest.mark.timeout(120)
@given(texts=DRAWN)
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_whole_grader_has_a_verdict_for_any_text(grader: Grader, texts: Texts) -> None:
    assert properties.graded(grader, texts) == []


@given(data=st.binary(max_size=160))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_equal_bytes_draw_equal_texts(data: bytes) -> None:
    assert draw_texts(data) == draw_texts(data)


def _raises(task: Task) -> Decision:
    raise ValueError(task.answer)


def _says_no(task: Task) -> Decision:
    return Decision(False, "no")


def _turns(task: Task) -> Decision:
    return Decision("$" not in task.answer, "turns")


@pytest.mark.parametrize(
    ("decide", "what"), [(_raises, "raises"), (_says_no, "not itself by dollars"), (_turns, "turned by dollars")]
)
def test_a_broken_grader_is_found(
    monkeypatch: pytest.MonkeyPatch, decide: Callable[[Task], Decision], what: str
) -> None:
    monkeypatch.setattr(properties, "JUDGES", {"default": Judge(name="default", decide=decide)})
    pick = list(properties.SPELLINGS).index("dollars")
    assert what in [finding.what for finding in properties.check(Texts("x+1", "1+x", "\\boxed{x+1}", pick))]
