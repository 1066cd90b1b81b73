"""The calling conventions of the libraries that the adapters plug into, keyword for keyword.

TRL's is also run for real in test_adapters_trl.py. verl, lm-evaluation-harness and lighteval cannot be installed beside our
pins: here their calls are made as their sources make them (verl 0.9.1 `reward_manager/naive.py`, lm_eval 0.4.13
`api/task.py`, lighteval 0.13.0 `metrics_sample.py`).
"""

from dataclasses import dataclass

import pytest

from dartune.adapters.lighteval import MathEquality
from dartune.adapters.lm_eval import process_results
from dartune.adapters.trl import math_reward
from dartune.adapters.verl import compute_score
from dartune.errors import DataError

RIGHT, WRONG, SILENT = "So \\boxed{\\frac{2}{4}}.", "So \\boxed{2}.", "I do not know."
UNDECIDED = "\\boxed{symmetric about the origin}"
PROSE = "the graph is symmetric about the origin"


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


def test_lm_eval_calls_with_a_document_and_results() -> None:
    doc = {"question": "?", "answer": "Half: 72/2 = <<72/2=36>>36\n#### 36"}
    assert process_results(doc, ["The answer is 36."]) == {"exact_match": 1.0, "decided": 1.0}
    assert process_results({"ref_answer": "x+1"}, [WRONG]) == {"exact_match": 0.0, "decided": 1.0}
    with pytest.raises(DataError, match="expected one of ref_answer, answer, target, solution"):
        process_results({"question": "?"}, [RIGHT])


@dataclass
class Doc:
    query: str
    choices: list[str]

    def get_golds(self) -> list[str]:
        return self.choices


@dataclass
class ModelResponse:
    text: list[str]

    @property
    def final_text(self) -> list[str]:
        return self.text


def test_lighteval_calls_with_a_document_and_a_response() -> None:
    class Computation:  # stands for lighteval's SampleLevelComputation, which a metric must be
        def compute(self, **kwargs: object) -> float:
            raise NotImplementedError

    class Equality(MathEquality, Computation):
        pass

    metric = Equality()
    doc = Doc(query="?", choices=["7", "0.5"])
    assert metric.compute(doc, ModelResponse([RIGHT]), task_name="mine") == 1.0
    assert metric.compute(doc=doc, model_response=ModelResponse([WRONG])) == 0.0
