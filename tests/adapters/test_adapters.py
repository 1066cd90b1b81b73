"""The calling conventions of the libraries that the adapters plug into, keyword for keyword.

TRL's is also run for real in test_adapters_trl.py. verl, lm-evaluation-harness and lighteval cannot be installed beside
our pins: here their calls are made as their sources make them (verl 0.9.1 `reward_manager/naive.py` and
`trainer/main_eval.py`, lm_eval 0.4.13 `api/task.py`, lighteval 0.13.0 `metrics_sample.py`).
"""

import pickle
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy
import pytest

from dartune.adapters import lm_eval, verl
from dartune.adapters.lm_eval import ProcessResults, process_results
from dartune.adapters.shared import read_reference
from dartune.adapters.trl import math_reward
from dartune.adapters.verl import compute_reward, compute_score
from dartune.errors import DataError, InputError

RIGHT, WRONG, SILENT = "So \\boxed{\\frac{2}{4}}.", "So \\boxed{2}.", "I do not know."
UNDECIDED = "\\boxed{symmetric about the origin}"
PROSE = "the graph is symmetric about the origin"
WORKED = "Half: 72/2 = <<72/2=36>>36\n#### 36"
OLYMPIAD = {"final_answer": ["2.0"], "error": "0.1", "answer_type": "Numerical", "is_multiple_answer": False}
"""A row of OlympiadBench: its judge allows the error that the row states."""
NEAR = "So \\boxed{2.05}."


@pytest.mark.parametrize(
    ("reference", "answer"),
    [
        ("36", "36"),
        (36, "36"),
        (0.5, "0.5"),
        (WORKED, "36"),
        ("We get $\\boxed{\\frac{1}{2}}$, so \\boxed{\\frac{1}{3}}.", "\\frac{1}{3}"),
        (["3", "5"], "3, 5"),
        (["$x=2$"], "$x=2$"),
        (numpy.array(["3", "5"], dtype=object), "3, 5"),
        (numpy.int64(36), "36"),
    ],
)
def test_a_reference_is_its_final_answer(reference: object, answer: str) -> None:
    assert read_reference(reference) == answer


@pytest.mark.parametrize("reference", [None, "", " \n", [], {"a": 1}, [None], ["1", None], "It follows. ####"])
def test_what_is_no_reference_is_one_clear_line(reference: object) -> None:
    with pytest.raises(DataError, match=r"^reference: "):
        read_reference(reference)


def test_trl_calls_with_columns() -> None:
    reward = math_reward()
    rewards = reward(
        prompts=["q"] * 5,
        completions=[RIGHT, WRONG, SILENT, UNDECIDED, "It is \\boxed{36}."],
        completion_ids=[[1]] * 5,
        ref_answer=["\\frac{1}{2}"] * 3 + [PROSE, WORKED],
        trainer_state=None,
        log_extra=lambda name, values: None,
        log_metric=lambda name, value: None,
    )
    assert rewards == [1.0, 0.0, 0.0, None, 1.0]
    assert reward.__name__ == "math_reward"
    assert pickle.loads(pickle.dumps(reward)) == reward


TOOL = {"role": "tool", "content": WRONG}


@pytest.mark.parametrize(
    "conversation",
    [
        [{"role": "assistant", "content": "Hm."}, {"role": "assistant", "content": RIGHT}],
        [{"role": "assistant", "content": RIGHT}, TOOL],
        [{"role": "assistant", "content": [{"type": "image"}, {"type": "text", "text": RIGHT}]}],
        [{"content": RIGHT}],
    ],
)
def test_trl_what_the_assistant_said_last_is_graded(conversation: Sequence[dict[str, object]]) -> None:
    assert math_reward(column="solution")(prompts=[], completions=[conversation], solution=["0.5"]) == [1.0]


@pytest.mark.parametrize("conversation", [[], [TOOL], [{"role": "assistant", "content": None, "tool_calls": []}]])
def test_trl_an_assistant_that_said_nothing_is_wrong(conversation: Sequence[dict[str, object]]) -> None:
    assert math_reward()(prompts=[], completions=[conversation], ref_answer=["2"]) == [0.0]


def test_trl_the_judge_gets_its_columns_and_the_query_its_own() -> None:
    columns: dict[str, object] = {name: [value] for name, value in OLYMPIAD.items()}
    assert math_reward(column="final_answer")(completions=[NEAR], **columns) == [0.0]
    assert math_reward(column="final_answer", judge="olympiadbench")(completions=[NEAR], **columns) == [1.0]
    options = ["Which? (A) 3 (B) 5"]
    assert math_reward()(completions=["\\boxed{5}"], ref_answer=["B"], problem=options) == [1.0]
    assert math_reward()(completions=["\\boxed{5}"], ref_answer=["B"], other=options) == [0.0]


def test_trl_a_completion_of_full_length_was_cut_off() -> None:
    call = {"completions": ["The answer is 36"], "completion_ids": [[1, 2, 3]], "ref_answer": ["36"]}
    assert math_reward(max_completion_length=4)(**call) == [1.0]
    assert math_reward(max_completion_length=3)(**call) == [0.0]


def test_trl_a_missing_column_is_one_clear_line() -> None:
    with pytest.raises(DataError, match=r"expected a column 'ref_answer'.*got \['answer', 'prompts'\]"):
        math_reward()(prompts=["q"], completions=[RIGHT], answer=["0.5"], trainer_state=None)


@pytest.mark.parametrize("make", [lambda: math_reward(judge="maths"), lambda: ProcessResults(judge="maths")])
def test_an_unknown_judge_is_an_error_at_once(make: Callable[[], object]) -> None:
    with pytest.raises(InputError, match="judge 'maths': expected one of"):
        make()


def test_verl_calls_with_keywords() -> None:
    scored = compute_score(
        data_source="openai/gsm8k", solution_str="#### 1,000", ground_truth="1000", extra_info={"index": 3}, extra=1
    )
    assert scored == {"score": 1.0, "decided": 1.0, "verdict": "correct", "pred": "1,000"}
    undecided = compute_score(data_source="mine", solution_str=UNDECIDED, ground_truth=PROSE, extra_info=None)
    assert (undecided["score"], undecided["decided"], undecided["verdict"]) == (0.0, 0.0, "ungradable")
    assert scored.keys() == undecided.keys()
    assert compute_score("openai/gsm8k", "#### 36", WORKED)["score"] == 1.0


def test_verl_the_judge_is_the_data_sources_or_the_one_that_is_named() -> None:
    call = {"solution_str": NEAR, "ground_truth": OLYMPIAD["final_answer"], "extra_info": OLYMPIAD}
    assert compute_score("Hothan/OlympiadBench", **call)["score"] == 1.0
    assert compute_score("mine", **call)["score"] == 0.0
    assert compute_score("mine", **call, judge="olympiadbench")["score"] == 1.0
    with pytest.raises(InputError, match="judge 'maths'"):
        compute_score("mine", **call, judge="maths")


def test_verls_offline_evaluation_averages_numbers() -> None:
    rewards = [compute_reward("openai/gsm8k", text, WORKED) for text in ("#### 36", "#### 35")]
    assert rewards == [1.0, 0.0]
    assert all(type(reward) is float for reward in rewards)


@pytest.mark.parametrize("judge", sorted(set(verl.JUDGES.values())))
def test_verls_judges_exist(judge: str) -> None:
    assert compute_score("mine", "\\boxed{3}", "3", {}, judge=judge)["score"] == 1.0


def test_lm_eval_calls_with_a_document_and_results() -> None:
    doc = {"question": "?", "answer": WORKED}
    assert process_results(doc, ["The answer is 36."]) == {"exact_match": 1.0, "decided": 1.0}
    assert process_results({"ref_answer": "x+1"}, [WRONG]) == {"exact_match": 0.0, "decided": 1.0}
    assert process_results({"ref_answer": PROSE}, [UNDECIDED]) == {"exact_match": 0.0, "decided": 0.0}
    with pytest.raises(DataError, match=r"expected one of ref_answer, final_answer, .*got \['question'\]"):
        process_results({"question": "?"}, [RIGHT])


def test_lm_eval_several_responses_are_averaged() -> None:
    assert process_results({"answer": "2"}, [[WRONG, RIGHT, SILENT, WRONG]])["exact_match"] == 0.5
    assert process_results({"answer": "2"}, [WRONG, RIGHT])["exact_match"] == 0.5


def test_lm_eval_the_judge_gets_its_fields() -> None:
    assert process_results(OLYMPIAD, [NEAR])["exact_match"] == 0.0
    assert lm_eval.olympiadbench(OLYMPIAD, [NEAR])["exact_match"] == 1.0
    assert lm_eval.theoremqa({"Question": "?", "Answer": 5.65, "answer_type": "float"}, ["The answer is 5.64."]) == {
        "exact_match": 1.0,
        "decided": 1.0,
    }


@pytest.mark.parametrize("name", ["process_results", "gsm8k", "math", "olympiadbench", "theoremqa"])
def test_lm_eval_can_name_each_function(name: str) -> None:
    docs = (Path(__file__).parents[2] / "docs" / "adapters.md").read_text(encoding="utf-8")
    assert name in docs
    assert callable(getattr(lm_eval, name))
