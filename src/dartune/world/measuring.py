"""How often a world model is right, by level: the small sampler with which pretraining is watched and calibrated."""

from typing import TYPE_CHECKING

from dartune.types import Query
from dartune.world.tokenizer import PROMPT_SUFFIX, world_tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedModel

MAX_NEW_TOKENS = 128
"""Enough for any solution of levels 1 to 5, and nearly all of level 6."""


def sample_solutions(model: "PreTrainedModel", queries: list[Query], *, temperature: float) -> list[str]:
    """One solution of each query, in order; temperature 0 is greedy. Draws from torch's global generator."""
    import torch

    tokenizer = world_tokenizer()
    prompts = tokenizer([query.text + PROMPT_SUFFIX for query in queries], return_tensors="pt", padding=True)
    sampling = {"do_sample": True, "temperature": temperature, "top_k": 0} if temperature > 0 else {"do_sample": False}
    with torch.inference_mode():
        out = model.generate(**prompts.to(model.device), max_new_tokens=MAX_NEW_TOKENS, **sampling)  # type: ignore[operator]
    n_prompt = prompts["input_ids"].shape[1]
    return [str(text) for text in tokenizer.batch_decode(out[:, n_prompt:], skip_special_tokens=True)]


def is_right(solution: str, query: Query) -> bool:
    """Whether the solution ends in the reference answer, boxed as the world words it."""
    return solution.endswith(f"\\boxed{{ {query.ref_answer} }}")


def accuracy_by_level(model: "PreTrainedModel", queries: list[Query], *, temperature: float = 0.0) -> dict[int, float]:
    """Share of right solutions at each level, one try a query."""
    right: dict[int, list[bool]] = {}
    for query, solution in zip(queries, sample_solutions(model, queries, temperature=temperature), strict=True):
        right.setdefault(query.level or 0, []).append(is_right(solution, query))
    return {level: sum(verdicts) / len(verdicts) for level, verdicts in sorted(right.items())}
