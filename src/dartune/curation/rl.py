"""Problems with their references and pass rates, for trainers that sample the responses themselves.

A query is given out if its pass rate lies in the recipe's band: one that is never or always solved teaches a
group-relative method nothing. The rate is that of the tries which the method alone would have made, without the bias of
having stopped at the target (`unbiased_pass_rate`). Queries without a graded try have none, and are left out.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from dartune.curation.choose import Choice
from dartune.curation.job import CurationJob
from dartune.curation.writing import Columns
from dartune.difficulty.inverse_sampling import unbiased_pass_rate
from dartune.prompts import Template
from dartune.types import Query

GRPO_SCHEMA = pa.schema(
    [
        ("prompt", pa.string()),
        ("ref_answer", pa.string()),
        ("solution", pa.string()),
        ("query", pa.string()),
        ("query_id", pa.string()),
        ("level", pa.int64()),
        ("domain", pa.string()),
        ("pass_rate", pa.float64()),
        ("n_trials", pa.int64()),
    ]
)

VERL_SCHEMA = pa.schema(
    [
        ("data_source", pa.string()),
        ("prompt", pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))),
        ("ability", pa.string()),
        ("reward_model", pa.struct([("style", pa.string()), ("ground_truth", pa.string())])),
        (
            "extra_info",
            pa.struct(
                [
                    ("split", pa.string()),
                    ("index", pa.int64()),
                    ("query_id", pa.string()),
                    ("question", pa.string()),
                    ("level", pa.int64()),
                    ("domain", pa.string()),
                    ("pass_rate", pa.float64()),
                    ("n_trials", pa.int64()),
                ]
            ),
        ),
    ]
)
"""As verl's own preparation scripts write it (examples/data_preprocess/gsm8k.py)."""

_DATA_SOURCES = {"gsm8k": "openai/gsm8k", "math": "DigitalLearningGmbH/MATH-lighteval"}
"""Judge -> the data source by which verl, and `dartune.adapters.verl`, choose how to score."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A query for reinforcement learning."""

    query: Query
    pass_rate: float
    n_trials: int
    """Graded tries behind the rate."""


def choose_prompts(job: CurationJob, choices: Mapping[str, Choice], dropped: Collection[str]) -> list[Prompt]:
    """The queries but for the `dropped` ones whose pass rate lies in the band, both ends included.

    None if the recipe asks for no form that is made of them.
    """
    if not {"grpo", "verl"} & set(job.config.exports):
        return []
    tried = [
        (query, choice)
        for query, choice in zip(job.queries, choices.values(), strict=True)
        if choice.cost.n_raw and query.id not in dropped
    ]
    if not tried:
        return []
    rates = unbiased_pass_rate(
        [choice.cost.n_raw for _, choice in tried],
        [choice.cost.n_correct for _, choice in tried],
        [choice.target.n_correct for _, choice in tried],
        [choice.target.min_trials for _, choice in tried],
    )
    band = job.config.pass_rates
    return [
        Prompt(query=query, pass_rate=rate, n_trials=choice.cost.n_raw)
        for (query, choice), rate in zip(tried, rates.tolist(), strict=True)
        if band.least <= rate <= band.most
    ]


def grpo_columns(template: Template, prompts: Sequence[Prompt]) -> Columns:
    """Rows for TRL's GRPOTrainer: the prompt as the model is trained on it, and what rewards read.

    `ref_answer` is what `dartune.adapters.trl.math_reward` reads, `solution` what TRL's `accuracy_reward` does.
    """
    queries = [prompt.query for prompt in prompts]
    return {
        "prompt": [template.render(query.text) for query in queries],
        "ref_answer": [query.ref_answer for query in queries],
        "solution": [f"$\\boxed{{{query.ref_answer}}}$" for query in queries],
        "query": [query.text for query in queries],
        "query_id": [query.id for query in queries],
        "level": [query.level for query in queries],
        "domain": [query.domain for query in queries],
        "pass_rate": [prompt.pass_rate for prompt in prompts],
        "n_trials": [prompt.n_trials for prompt in prompts],
    }


def verl_columns(prompts: Sequence[Prompt]) -> Columns:
    """Rows for verl, which puts the chat template around `prompt` itself."""
    queries = [prompt.query for prompt in prompts]
    return {
        "data_source": [_DATA_SOURCES.get(query.judge, query.source or "dartune") for query in queries],
        "prompt": [[{"role": "user", "content": query.text}] for query in queries],
        "ability": ["math"] * len(queries),
        "reward_model": [{"style": "rule", "ground_truth": query.ref_answer} for query in queries],
        "extra_info": [
            {
                "split": "train",
                "index": index,
                "query_id": prompt.query.id,
                "question": prompt.query.text,
                "level": prompt.query.level,
                "domain": prompt.query.domain,
                "pass_rate": prompt.pass_rate,
                "n_trials": prompt.n_trials,
            }
            for index, prompt in enumerate(prompts)
        ],
    }
