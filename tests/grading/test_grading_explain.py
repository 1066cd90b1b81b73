"""Reasons agree with the grade that they are for."""

import pytest

from dartune.errors import InputError
from dartune.grading import Grader
from dartune.grading.batch import Case
from dartune.grading.comparison.compare import STEPS
from dartune.grading.explain import Explanation, explain, to_text
from dartune.grading.extraction.extract import RULES


def why(grader: Grader, ref_answer: str, response: str) -> Explanation:
    return explain(Case(ref_answer=ref_answer, response=response), grader=grader)


def test_every_rule_is_told_and_the_steps_end_with_the_one_that_decided(grader: Grader) -> None:
    told = why(grader, "\\frac{3}{4}", "The answer is 5, no: \\boxed{0.75}")
    assert told.grade == grader.grade(ref_answer="\\frac{3}{4}", response="The answer is 5, no: \\boxed{0.75}")
    assert [tried.rule for tried in told.rules] == [rule.name for rule in RULES]
    found = {tried.rule: tried.found for tried in told.rules}
    assert found["boxed"] == "0.75"
    assert found["hash"] is None
    assert [(c.step, c.said) for c in told.steps] == [("string", "not certain"), ("number", "yes")]
    assert told.symbolic is None
    assert to_text(told).splitlines()[0] == "verdict     correct, by boxed/number"
    assert "  > boxed            0.75" in to_text(told).splitlines()


def test_what_symbolic_algebra_said_is_told(grader: Grader) -> None:
    told = why(grader, "\\binom{n}{2}", "\\boxed{\\frac{n(n-1)}{2}}")
    if told.decision is not None and told.decision.pair is not None:
        assert told.symbolic == told.grade.verdict
        assert {compared.said for compared in told.steps} == {"not certain"}
        assert [compared.step for compared in told.steps] == [step.name for step in STEPS]
        assert to_text(told).endswith(f"symbolic    {told.grade.verdict}")
    assert told.grade.verdict == "correct"


def test_without_an_answer_nothing_is_compared(grader: Grader) -> None:
    told = why(grader, "4", "it is 4")
    assert (told.pair, told.steps, told.decision, told.symbolic) == (None, (), None, None)
    assert "answer      none" in to_text(told)


def test_what_was_thought_aloud_is_not_looked_at(grader: Grader) -> None:
    told = why(grader, "4", "<think>\\boxed{5}</think> So \\boxed{4}")
    assert next(tried.found for tried in told.rules if tried.rule == "boxed") == "4"


def test_an_answer_over_the_limit_has_no_canonical_spelling(grader: Grader) -> None:
    told = why(grader, "4", "\\boxed{" + "1+" * 5000 + "1}")
    assert told.grade.verdict == "ungradable"
    assert told.pair is None
    assert max(map(len, to_text(told).splitlines())) < 250


def test_hostile_text_cannot_steer_a_terminal(grader: Grader) -> None:
    text = to_text(why(grader, "\x1b[2J", "\\boxed{\u202e\x00\x1b[31m\n}\r"))
    assert not {"\x1b", "\u202e", "\x00", "\r"} & set(text)


def test_an_unknown_judge_is_bad_input(grader: Grader) -> None:
    with pytest.raises(InputError, match="judge 'nosuch'"):
        explain(Case(ref_answer="1", response=""), grader=grader, judge="nosuch")
