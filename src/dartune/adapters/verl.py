"""`compute_score` for verl, as of verl 0.9.

In its configuration: `reward.custom_reward_function.path=pkg://dartune.adapters.verl` and
`name=compute_score`. verl calls it with keywords: `data_source`, `solution_str`, `ground_truth`,
`extra_info`, and what the configuration adds. It takes a number, or a dict with the key `score` whose other
keys are logged; all dicts must have the same keys.
"""

from collections.abc import Mapping

from dartune.adapters.shared import score
from dartune.grading import grade

JUDGES = {
    "openai/gsm8k": "gsm8k",
    "gsm8k": "gsm8k",
    "lighteval/MATH": "math",
    "DigitalLearningGmbH/MATH-lighteval": "math",
    "HuggingFaceH4/MATH-500": "math",
    "TIGER-Lab/TheoremQA": "theoremqa",
}
"""verl's name of a data source -> judge; all others are judged by the default one."""


def compute_score(
    data_source: str,
    solution_str: str,
    ground_truth: str,
    extra_info: Mapping[str, object] | None = None,
    **_options: object,
) -> dict[str, float | str]:
    """Score of one solution: 1.0 if its answer is right, else 0.0; with the verdict and the answer.

    verl has no reward for "not known": a solution that could not be judged scores 0.0, with `decided` 0.0.
    """
    judged = grade(
        ref_answer=str(ground_truth),
        response=solution_str,
        judge=JUDGES.get(data_source, "default"),
        meta=extra_info or {},
    )
    value = score(judged)
    return {
        "score": value or 0.0,
        "decided": float(value is not None),
        "verdict": judged.verdict,
        "pred": judged.answer or "",
    }
