"""TRL's own GRPOTrainer asks the reward function, on a packaged tiny model."""

import warnings
from pathlib import Path

import pytest

from dartune.adapters.trl import math_reward
from dartune.models import resolve_model
from dartune.world import world_queries

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]


def test_grpo_trains_on_the_reward(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from datasets import Dataset
        from transformers import AutoModelForCausalLM, AutoTokenizer
        from trl import GRPOConfig, GRPOTrainer

        folder = resolve_model("world:teacher-a")
        queries = world_queries("world/train", n=8, seed=1)
        rows = Dataset.from_list([{"prompt": query.text, "ref_answer": query.ref_answer} for query in queries])
        asked: list[list[float | None]] = []
        reward = math_reward()

        def recording(**call: object) -> list[float | None]:
            asked.append(reward(**call))
            return asked[-1]

        trainer = GRPOTrainer(
            model=AutoModelForCausalLM.from_pretrained(folder),
            processing_class=AutoTokenizer.from_pretrained(folder),
            reward_funcs=[recording, reward],
            args=GRPOConfig(
                output_dir=str(tmp_path),
                max_steps=2,
                per_device_train_batch_size=4,
                num_generations=4,
                max_completion_length=24,
                use_cpu=True,
                report_to=[],
                save_strategy="no",
                logging_steps=1,
                bf16=False,
            ),
            train_dataset=rows,
        )
        trainer.train()
    assert len(asked) == 2
    assert all(len(rewards) == 4 and set(rewards) <= {0.0, 1.0, None} for rewards in asked)
    logged = [entry for entry in trainer.state.log_history if "rewards/math_reward/mean" in entry]
    assert len(logged) == 2
