"""A reward function for TRL's GRPOTrainer (`reward_funcs=[math_reward()]`), as of TRL 1.16.

TRL calls it with `prompts`, `completions` (texts, or conversations whose last message is the answer),
`completion_ids` and every other column of the dataset, each a list with one entry a completion. A reward of
None leaves a completion out.
"""

from collections.abc import Callable, Sequence
from typing import cast

from dartune.adapters.shared import score
from dartune.errors import DataError
from dartune.grading import grade

Completion = str | Sequence[dict[str, str]]
Reward = Callable[..., list[float | None]]


def math_reward(*, column: str = "ref_answer", judge: str = "default") -> Reward:
    """A reward function: 1.0 for a right answer, 0.0 for a wrong one or none, None where the grader could not tell.

    Args:
        column: Column of the dataset with the reference answers.
        judge: Whose rules decide: "default", or the name of a benchmark.
    """

    def reward(completions: Sequence[Completion], **columns: object) -> list[float | None]:
        references = columns.get(column)
        if references is None:
            raise DataError(f"the dataset: expected a column {column!r} with reference answers, got {sorted(columns)}")
        pairs = zip(completions, cast(Sequence[object], references), strict=True)
        return [
            score(grade(ref_answer=str(reference), response=_text(completion), judge=judge))
            for completion, reference in pairs
        ]

    reward.__name__ = "math_reward"
    return reward


def _text(completion: Completion) -> str:
    return completion if isinstance(completion, str) else completion[-1]["content"]
