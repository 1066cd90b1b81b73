"""A reward function for TRL's GRPOTrainer (`reward_funcs=[math_reward()]`), as of TRL 1.16.

TRL calls it with `prompts`, `completions` (texts, or conversations), `completion_ids` and every other column of the
dataset, each a list with one entry a completion; and with `trainer_state`, `log_extra` and `log_metric`. A reward of
None leaves a completion out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dartune.adapters.shared import grade_all, read_meta, read_query, read_reference, score
from dartune.errors import DataError
from dartune.grading import Case
from dartune.grading.grader import find_judge

Completion = str | Sequence[Mapping[str, object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class MathReward:
    """1.0 for a right answer, 0.0 for a wrong one or none, None where the grader could not tell; see `math_reward`."""

    column: str
    judge: str
    max_completion_length: int | None
    __name__ = "math_reward"  # TRL logs rewards by this name

    def __call__(
        self,
        completions: Sequence[Completion],
        completion_ids: Sequence[Sequence[int]] | None = None,
        **columns: object,
    ) -> list[float | None]:
        """The reward of each completion. Raises DataError where the dataset lacks the column of references."""
        n = len(completions)
        table = {
            name: values for name, values in columns.items() if isinstance(values, list | tuple) and len(values) == n
        }
        if self.column not in table:
            raise DataError(
                f"the dataset: expected a column {self.column!r} with reference answers, got {sorted(table)}"
            )
        cases = [
            self._case(
                _text(completion),
                {name: values[i] for name, values in table.items()},
                n_tokens=len(completion_ids[i]) if completion_ids is not None else 0,
            )
            for i, completion in enumerate(completions)
        ]
        return [score(grade) for grade in grade_all(cases, judge=self.judge)]

    def _case(self, response: str, row: Mapping[str, object], *, n_tokens: int) -> Case:
        is_cut = self.max_completion_length is not None and n_tokens >= self.max_completion_length
        return Case(
            ref_answer=read_reference(row[self.column]),
            response=response,
            query=read_query(row),
            finish_reason="length" if is_cut else "stop",
            meta=read_meta(row, self.judge),
        )


def math_reward(
    *, column: str = "ref_answer", judge: str = "default", max_completion_length: int | None = None
) -> MathReward:
    r"""A reward function, which can be pickled.

    Args:
        column: Column of the dataset with the references: final answers, or worked solutions that end with `####` or
            hold a `\boxed`.
        judge: Whose rules decide: "default", or the name of a benchmark. What it reads is taken from columns of that
            name, and the problem from `query`, `question` or `problem`, for lettered options.
        max_completion_length: That of the trainer: a completion of so many tokens was cut off, and only a finished
            answer counts. None where TRL's lengths say nothing.

    Raises:
        InputError: If there is no such judge.
    """
    find_judge(judge)
    return MathReward(column=column, judge=judge, max_completion_length=max_completion_length)


def _text(completion: Completion) -> str:
    """What the assistant said last; "" where it said nothing."""
    if isinstance(completion, str):
        return completion
    contents = [message.get("content") for message in completion if message.get("role", "assistant") == "assistant"]
    content = contents[-1] if contents else ""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "".join(part["text"] for part in parts if isinstance(part, Mapping) and isinstance(part.get("text"), str))
