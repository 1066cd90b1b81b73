"""The calling conventions of the libraries that the adapters plug into, keyword for keyword.

TRL itself runs in test_adapters_trl.py, the others in test_adapters_installed.py where they are installed. Here their
calls are made as their sources make them (verl 0.9.1 `reward_manager/naive.py`, lm_eval 0.4.13 `api/task.py`, lighteval
0.13.0 `metrics_sample.py`).
"""

from dataclasses import dataclass

import pytest

from dartune.adapters.lighteval import MathEquality
from dartune.adapters.lm_eval import ProcessResults, gsm8k, process_results
from dartune.adapters.shared import read_reference
from dartune.adapters.trl import math_reward
from dartune.adapters.verl import compute_reward, compute_score
from dartune.errors import DataError, InputError

RIGHT, WRONG, SILENT = "So \\boxed{\\frac{2}{4}}.", "So \\boxed{2}.", "I do not know."
UNDECIDED = "\\boxed{symmetric about the origin}"
PROSE = "the graph is symmetric about the origin"
WORKED = "Half: 72/2 = <<72/2=36>>36\n#### 36"
CHOICES = "Which is prime? (A) 4 (B) 7 (C) 9"
TOLERANCE = {"error": "1e-1", "answer_type": "Numerical", "is_multiple_answer": False}


@pytest.mark.parametrize(
    ("reference", "answer"),
    [(WORKED, "36"), ("So $\\boxed{\\frac{1}{2}}$.", "\\frac{1}{2}"), (" 5 ", "5"), (5, "5"), (["1", "3"], "1, 3")],
)
def test_a_reference_is_reduced_to_its_final_answer(reference: object, answer: str) -> None:
    assert read_reference(reference) == answer


@pytest.mark.parametrize("reference", [None, "", " ", {}, [], [{}]])
def test_a_reference_that_is_none_is_one_clear_line(reference: object) -> None:
    with pytest.raises(DataError, match=r"^reference: expected "):
        read_reference(reference)


def test_trl_calls_with_columns() -> None:
    reward = math_reward()
    rewards = reward(
        prompts=["q"] * 4,
        completions=[RIGHT, WRONG, SILENT, UNDECIDED],
        completion_ids=[[1]] * 4,
        ref_answer=["\\frac{1}{2}"] * 3 + [PROSE],
        trainer_state=None,
    )
    assert rewards == [1.0, 0.0, 0.0, None]
    assert reward.__name__ == "math_reward"


def test_trl_conversations_end_with_the_answer() -> None:
    completions = [[{"role": "assistant", "content": "Hm."}, {"role": "assistant", "content": RIGHT}]]
    assert math_reward(column="solution")(prompts=[], completions=completions, solution=["0.5"]) == [1.0]


@pytest.mark.parametrize(
    ("conversation", "reward"),
    [
        ([{"role": "assistant", "content": RIGHT}, {"role": "tool", "content": "2"}], 1.0),
        ([{"role": "assistant", "content": [{"type": "text", "text": RIGHT}]}], 1.0),
        ([{"role": "assistant", "content": None}], 0.0),
        ([{"role": "assistant"}], 0.0),
        ([], 0.0),
    ],
)
def test_trl_conversations_of_any_shape(conversation: list[dict[str, object]], reward: float) -> None:
    assert math_reward()(completions=[conversation], ref_answer=["0.5"]) == [reward]


def test_trl_references_may_be_worked_solutions() -> None:
    assert math_reward(column="answer", judge="gsm8k")(completions=["The answer is 36."], answer=[WORKED]) == [1.0]


def test_trl_judges_read_their_columns() -> None:
    columns = {name: [value, value] for name, value in TOLERANCE.items()}
    reward = math_reward(judge="olympiadbench")
    assert reward(completions=["\\boxed{4.3}", "\\boxed{4.5}"], ref_answer=["4.2"] * 2, **columns) == [1.0, 0.0]


def test_trl_options_need_the_query() -> None:
    call = {"completions": ["The answer is (B)."], "ref_answer": ["7"], "question": [CHOICES]}
    assert math_reward(query_column="question")(**call) == [1.0]
    assert math_reward()(**call) == [0.0]


def test_trl_what_was_cut_off_is_not_guessed_at() -> None:
    call = {
        "completions": ["So the answer is 3", "So \\boxed{3}."],
        "completion_ids": [[1] * 8] * 2,
        "ref_answer": ["3"] * 2,
    }
    assert math_reward(max_completion_length=8)(**call) == [0.0, 1.0]
    assert math_reward(max_completion_length=9)(**call) == [1.0, 1.0]


def test_an_unknown_judge_is_named_before_training() -> None:
    with pytest.raises(InputError, match="judge 'nosuch'"):
        math_reward(judge="nosuch")
    with pytest.raises(InputError, match="judge 'nosuch'"):
        MathEquality(judge="nosuch")
    with pytest.raises(InputError, match="judge 'nosuch'"):
        ProcessResults(judge="nosuch")


def test_trl_a_missing_column_is_one_clear_line() -> None:
    with pytest.raises(DataError, match=r"expected a column 'ref_answer'.*got \['answer', 'prompts'\]"):
        math_reward()(prompts=["q"], completions=[RIGHT], answer=["0.5"])


def test_verl_calls_with_keywords() -> None:
    scored = compute_score(
        data_source="openai/gsm8k", solution_str="#### 1,000", ground_truth="1000", extra_info={"index": 3}, extra=1
    )
    assert scored == {"score": 1.0, "decided": 1.0, "verdict": "correct", "pred": "1,000"}
    undecided = compute_score(data_source="mine", solution_str=UNDECIDED, ground_truth=PROSE, extra_info=None)
    assert (undecided["score"], undecided["decided"], undecided["verdict"]) == (0.0, 0.0, "ungradable")
    assert scored.keys() == undecided.keys()


def test_verl_reads_the_row() -> None:
    scored = compute_score("mine", "The answer is (B).", "7", {"question": CHOICES, "index": 0})
    assert scored["score"] == 1.0
    assert compute_score("Hothan/OlympiadBench", "\\boxed{4.3}", "4.2", TOLERANCE)["score"] == 1.0
    assert compute_score("openai/gsm8k", "#### 36", WORKED)["score"] == 1.0
    assert compute_score("mine", "\\boxed{4.3}", "4.2", TOLERANCE, judge="olympiadbench")["score"] == 1.0


def test_verl_has_a_plain_reward() -> None:
    assert [compute_reward("openai/gsm8k", text, "36") for text in ("#### 36", "#### 35")] == [1.0, 0.0]
    assert compute_reward("mine", UNDECIDED, PROSE, reward_router_address="127.0.0.1:1") == 0.0


def test_lm_eval_judges_by_the_benchmark() -> None:
    assert gsm8k({"question": "?", "answer": WORKED}, ["She sold 36 clips: #### 36 clips"])["exact_match"] == 1.0
    doc = {"question": "?", "final_answer": ["4.2"], "solution": ["..."], **TOLERANCE}
    assert ProcessResults(judge="olympiadbench")(doc, ["\\boxed{4.3}"]) == {"exact_match": 1.0, "decided": 1.0}


def test_lm_eval_averages_repeats() -> None:
    doc = {"problem": CHOICES, "answer": "7"}
    assert process_results(doc, [["The answer is (B).", WRONG]]) == {"exact_match": 0.5, "decided": 1.0}


def test_lm_eval_calls_with_a_document_and_results() -> None:
    doc = {"question": "?", "answer": "Half: 72/2 = <<72/2=36>>36\n#### 36"}
    assert process_results(doc, ["The answer is 36."]) == {"exact_match": 1.0, "decided": 1.0}
    assert process_results({"ref_answer": "x+1"}, [WRONG]) == {"exact_match": 0.0, "decided": 1.0}
    with pytest.raises(DataError, match="expected one of ref_answer, final_answer, answer, Answer, target, solution"):
        process_results({"question": "?"}, [RIGHT])


@dataclass
class Doc:
    query: str
    choices: list[str]
    specific: dict[str, object] | None = None

    def get_golds(self) -> list[str]:
        return self.choices


@dataclass
class ModelResponse:
    text: list[str]

    @property
    def final_text(self) -> list[str]:
        return self.text


def test_lighteval_calls_with_a_document_and_a_response() -> None:
    class Computation:  # lighteval's SampleLevelComputation, which a metric must be
        def compute(self, **kwargs: object) -> float:
            raise NotImplementedError

    class Equality(MathEquality, Computation):
        pass

    metric = Equality()
    doc = Doc(query="?", choices=["7", "0.5"])
    assert metric.compute(doc, ModelResponse([RIGHT]), task_name="mine") == 1.0
    assert metric.compute(doc=doc, model_response=ModelResponse([WRONG])) == 0.0


def test_lighteval_reads_the_document() -> None:
    worked, options = Doc("?", [f" {WORKED}"]), Doc(CHOICES, ["7"])
    assert MathEquality(judge="gsm8k").compute(worked, ModelResponse(["#### 36"])) == 1.0
    assert MathEquality().compute(options, ModelResponse(["The answer is (B).", WRONG])) == 0.5
    tolerant = Doc("?", ["4.2"], specific=TOLERANCE)
    assert MathEquality(judge="olympiadbench").compute(tolerant, ModelResponse(["\\boxed{4.3}"])) == 1.0
    assert MathEquality().compute(options, ModelResponse([])) == 0.0
