"""`compute_score` for verl, as of verl 0.9.

In its configuration: `reward.custom_reward_function.path=pkg://dartune.adapters.verl` and
`name=compute_score`. verl calls it with keywords, from several threads at once: `data_source`, `solution_str`,
`ground_truth`, `extra_info`, the configuration's `reward_kwargs`, and where a reward model is served its address and
tokenizer. It takes a number, or a dict with the key `score` whose other keys are logged; all dicts must have the same
keys. Its offline evaluation (`main_eval`) gives the first three by position and averages: there `compute_reward`.
"""

from collections.abc import Mapping

from dartune.adapters.shared import grade_all, read_meta, read_query, read_reference, score
from dartune.grading import Case

JUDGES = {
    "openai/gsm8k": "gsm8k",
    "gsm8k": "gsm8k",
    "lighteval/MATH": "math",
    "DigitalLearningGmbH/MATH-lighteval": "math",
    "EleutherAI/hendrycks_math": "math",
    "HuggingFaceH4/MATH-500": "math",
    "Hothan/OlympiadBench": "olympiadbench",
    "TIGER-Lab/TheoremQA": "theoremqa",
    "deepmind/math_dataset": "deepmind-mathematics",
}
"""verl's name of a data source -> judge; all others are judged by the default one."""


def compute_score(
    data_source: str,
    solution_str: str,
    ground_truth: object,
    extra_info: Mapping[str, object] | None = None,
    *,
    judge: str | None = None,
    **_options: object,
) -> dict[str, float | str]:
    r"""Score of one solution: 1.0 if its answer is right, else 0.0; with the verdict and the answer.

    verl has no reward for "not known": a solution that could not be judged scores 0.0, with `decided` 0.0.

    Args:
        data_source: Chooses the judge, by `JUDGES`.
        solution_str: The response.
        ground_truth: The known answer, or a worked solution that ends with `####` or holds a `\boxed`.
        extra_info: Of the row: its `question` or `problem` is the query, and what the judge reads is taken from it.
        judge: In place of the one by `data_source`; from `reward_kwargs`.

    Raises:
        InputError: If there is no such judge, or no reference.
    """
    name = judge if judge is not None else JUDGES.get(data_source, "default")
    row = extra_info or {}
    case = Case(
        ref_answer=read_reference(ground_truth),
        response=solution_str,
        query=read_query(row),
        meta=read_meta(row, name),
    )
    (judged,) = grade_all([case], judge=name)
    value = score(judged)
    return {
        "score": value or 0.0,
        "decided": float(value is not None),
        "verdict": judged.verdict,
        "pred": judged.answer or "",
    }


def compute_reward(data_source: str, solution_str: str, ground_truth: object, *, judge: str | None = None) -> float:
    """The `score` of `compute_score` alone."""
    return float(compute_score(data_source, solution_str, ground_truth, judge=judge)["score"])
