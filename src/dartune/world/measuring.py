"""How often a world model is right, by level: the small sampler with which pretraining is watched and calibrated."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dartune.types import Query
from dartune.world.checking import check_solution
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


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelRates:
    """What a model does on the queries of one level."""

    n_queries: int
    n_tries: int
    """For each query."""
    pass_rate: float
    """Share of all tries that are right."""
    solved_share: float
    """Share of queries with at least one right try."""
    false_step_share: float
    """Among right tries, the share with a false equation; 0 where no try is right."""


def rates_by_level(
    model: "PreTrainedModel", queries: list[Query], *, n_tries: int, temperature: float, n_rows: int = 768
) -> dict[int, LevelRates]:
    """Rates over `n_tries` tries of each query, `n_rows` sampled at a time."""
    tries: dict[int, dict[str, list[bool | None]]] = {}
    # Rows of like length share a batch, which then ends early for short ones.
    asked = sorted((q for q in queries for _ in range(n_tries)), key=lambda q: (q.level or 0, len(q.text.split())))
    for start in range(0, len(asked), n_rows):
        batch = asked[start : start + n_rows]
        for query, solution in zip(batch, sample_solutions(model, batch, temperature=temperature), strict=True):
            has_true_steps = check_solution(solution).all_true if is_right(solution, query) else None
            tries.setdefault(query.level or 0, {}).setdefault(query.id, []).append(has_true_steps)
    return {level: _rates(by_query.values(), n_tries) for level, by_query in sorted(tries.items())}


def _rates(by_query: Iterable[list[bool | None]], n_tries: int) -> LevelRates:
    """Rates of one level from each query's tries: None for a wrong one, else whether its steps are all true."""
    queries = list(by_query)
    right = [outcome for outcomes in queries for outcome in outcomes if outcome is not None]
    return LevelRates(
        n_queries=len(queries),
        n_tries=n_tries,
        pass_rate=len(right) / (n_tries * len(queries)),
        solved_share=sum(any(o is not None for o in outcomes) for outcomes in queries) / len(queries),
        false_step_share=right.count(False) / len(right) if right else 0.0,
    )
