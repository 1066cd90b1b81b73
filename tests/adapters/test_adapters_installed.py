"""verl, lm-evaluation-harness and lighteval themselves call the adapters.

They cannot stand beside our pins (verl wants transformers before 5.11, lighteval latex2sympy2-extended 1.0.6), so these
tests are skipped unless they were put there without their dependencies:

    pip install --no-deps -r tests/adapters/libraries.txt
"""

import asyncio
import importlib
import importlib.util
import warnings
from pathlib import Path
from typing import Any

import pytest

from dartune.models import resolve_model

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(120),
    pytest.mark.filterwarnings("ignore"),  # what these libraries say of their own dependencies is theirs to mend
]

TASK = """
task: sums
dataset_path: json
dataset_kwargs: {{data_files: {{test: {rows}}}}}
test_split: test
output_type: generate_until
doc_to_text: "{{{{question}}}}"
doc_to_target: "{{{{answer}}}}"
process_results: !function dartune.adapters.lm_eval.gsm8k
metric_list:
  - {{metric: exact_match, aggregation: mean, higher_is_better: true}}
  - {{metric: decided, aggregation: mean, higher_is_better: true}}
"""


def installed(name: str) -> Any:
    """A module of a library; the test is skipped where the library is absent, and fails where it is broken."""
    library = name.partition(".")[0]
    if importlib.util.find_spec(library) is None:
        pytest.skip(f"{library} is absent: pip install --no-deps -r tests/adapters/libraries.txt")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module(name)


def test_lm_eval_evaluates_a_task_by_it(tmp_path: Path) -> None:
    evaluator, model = installed("lm_eval.evaluator"), installed("lm_eval.api.model")
    tasks = installed("lm_eval.tasks")
    (tmp_path / "rows.jsonl").write_text(
        '{"question": "Half of 72?", "answer": "72/2 = <<72/2=36>>36\\n#### 36"}\n'
        '{"question": "Half of 10?", "answer": "10/2 = <<10/2=5>>5\\n#### 5"}\n'
    )
    (tmp_path / "sums.yaml").write_text(TASK.format(rows=tmp_path / "rows.jsonl"))

    class Says36(model.LM):
        def generate_until(self, requests: list[Any], disable_tqdm: bool = False) -> list[str]:
            return ["The answer is 36." for _ in requests]

        loglikelihood = loglikelihood_rolling = None

    Says36.__abstractmethods__ = frozenset()
    results = evaluator.simple_evaluate(
        model=Says36(),
        tasks=["sums"],
        task_manager=tasks.TaskManager(include_path=str(tmp_path), include_defaults=False),
        bootstrap_iters=0,
    )
    sums = results["results"]["sums"]
    assert (sums["exact_match,none"], sums["decided,none"]) == (0.5, 1.0)


def test_lighteval_applies_the_metric() -> None:
    metrics, requests = installed("lighteval.metrics"), installed("lighteval.tasks.requests")
    output = installed("lighteval.models.model_output")
    from dartune.adapters.lighteval import math_equality

    metric = math_equality(judge="gsm8k")
    docs = [requests.Doc(query="Half of 72?", choices=[" 72/2 = 36\n#### 36"], gold_index=0) for _ in range(2)]
    responses = [output.ModelResponse(text=[text]) for text in ("So \\boxed{36}.", "So \\boxed{35}.")]
    scored = metrics.apply_metric(responses, docs, [metric])
    assert scored == [{"math_equality": 1.0}, {"math_equality": 0.0}]
    assert metric.get_corpus_aggregations()["math_equality"]([1.0, 0.0]) == 0.5


def verl_config(name: str) -> Any:
    function = {"path": "pkg://dartune.adapters.verl", "name": name, "reward_kwargs": {}}
    return installed("omegaconf").OmegaConf.create({"reward": {"custom_reward_function": function}})


def test_verl_loads_it_and_its_manager_asks_it() -> None:
    import numpy as np
    import torch
    from transformers import AutoTokenizer

    protocol, rewards = installed("verl"), installed("verl.trainer.ppo.reward")
    manager = installed("verl.experimental.reward_loop.reward_manager.naive").NaiveRewardManager
    tokenizer = AutoTokenizer.from_pretrained(resolve_model("world:teacher-a"))
    ids = torch.tensor([tokenizer.convert_tokens_to_ids(list("A:36"))])
    text = tokenizer.decode(ids[0], skip_special_tokens=True)
    batch = protocol.DataProto.from_dict(
        tensors={"responses": ids, "attention_mask": torch.ones_like(ids)},
        non_tensors={
            "data_source": np.array(["openai/gsm8k"], object),
            "reward_model": np.array([{"ground_truth": "36"}], object),
            "extra_info": np.array([{"index": 0}], object),
        },
    )

    async def ask() -> dict[str, Any]:
        config = verl_config("compute_score")
        return dict(await manager(config, tokenizer, rewards.get_custom_reward_fn(config)).run_single(batch))

    given = asyncio.run(ask())
    direct = rewards.get_custom_reward_fn(verl_config("compute_score"))("openai/gsm8k", text, "36")
    assert given["reward_extra_info"] == direct
    assert given["reward_score"] == direct["score"]


def test_verl_averages_the_plain_reward_of_its_evaluation() -> None:
    rewards = installed("verl.trainer.ppo.reward")
    import numpy as np

    reward = rewards.get_custom_reward_fn(verl_config("compute_reward"))
    responses = ["So \\boxed{36}.", "So \\boxed{35}."]
    assert np.mean([reward("openai/gsm8k", response, "36") for response in responses]) == 0.5
