"""A training that is killed goes on from its newest complete checkpoint, to the same model."""

import dataclasses
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from training_sets import additions, write_set

from dartune.config import TrainingConfig
from dartune.errors import ConfigError, WriteError
from dartune.training import is_trained, train
from dartune.training.checkpoints import mark_complete, newest_complete, remove_incomplete
from dartune.training.sft import StepProgress

MakeConfig = Callable[..., TrainingConfig]


def test_only_marked_checkpoints_count(tmp_path: Path) -> None:
    for step in (9, 10, 100):
        (tmp_path / f"checkpoint-{step}").mkdir()
        (tmp_path / f"checkpoint-{step}" / "model.safetensors").write_bytes(b"weights")
    assert newest_complete(tmp_path) is None
    for step in (9, 10):
        mark_complete(tmp_path / f"checkpoint-{step}", step=step, seconds=1.5)
    assert newest_complete(tmp_path) == (tmp_path / "checkpoint-10", 10, 1.5)
    remove_incomplete(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint-10", "checkpoint-9"]


class Launched:
    """A training in its own process."""

    def __init__(self, config: TrainingConfig, set_dir: Path, out: Path) -> None:
        file = out.with_suffix(".json")
        file.write_text(config.model_dump_json())
        program = Path(__file__).with_name("launched_training.py")
        self.process = subprocess.Popen(
            [sys.executable, str(program), str(file), str(set_dir), str(out), "5"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )

    def kill_at_step(self, step: int) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if json.loads(line)["step"] == step:
                break
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()
        assert self.process.returncode == -signal.SIGKILL

    def finish(self) -> list[dict[str, float]]:
        output, errors = self.process.communicate()
        assert (self.process.returncode, errors) == (0, "")
        return [json.loads(line) for line in output.splitlines()]


def test_an_interrupted_training_goes_on_and_guards_its_checkpoints(
    tmp_path: Path, make_config: MakeConfig, addition_set: Path
) -> None:
    config, out = make_config(n_epochs=2, checkpoint_every=3), tmp_path / "out"

    def interrupt(progress: StepProgress) -> None:
        if progress.step == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(config, set_dir=addition_set, out=out, seed=0, progress=interrupt)
    assert not is_trained(out, config, set_dir=addition_set, seed=0)
    other = config.model_copy(update={"weight_decay": 0.1})
    with pytest.raises(ConfigError, match=r"another training \(weight_decay differ; weight_decay: expected 0.1, got 0"):
        train(other, set_dir=addition_set, out=out, seed=0)
    steps: list[StepProgress] = []
    report = train(config, set_dir=addition_set, out=out, seed=0, progress=steps.append)
    assert [step.step for step in steps] == list(range(4, 9))
    assert report == dataclasses.replace(
        train(config, set_dir=addition_set, out=tmp_path / "whole", seed=0),
        seconds=report.seconds,
        tokens_per_s=report.tokens_per_s,
    )


@pytest.mark.parametrize("checkpoint_every", [1, 500])
def test_a_full_disk_stops_the_training_and_it_goes_on_later(
    tmp_path: Path, make_config: MakeConfig, addition_set: Path, checkpoint_every: int
) -> None:
    config, out = make_config(n_epochs=1, checkpoint_every=checkpoint_every), tmp_path / "out"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(WriteError, match="could not be written") as caught:
            train(config, set_dir=addition_set, out=out, seed=0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "\n" not in str(caught.value)
    assert not is_trained(out, config, set_dir=addition_set, seed=0)
    assert train(config, set_dir=addition_set, out=out, seed=0).n_steps == 4


@pytest.mark.integration
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("packing", "kills"), [(False, (12, 90)), (True, (20,))])
def test_a_killed_training_ends_as_an_uninterrupted_one(
    tmp_path: Path, make_config: MakeConfig, packing: bool, kills: tuple[int, ...]
) -> None:
    set_dir = write_set(tmp_path / "set", additions(200))
    config = make_config(
        n_epochs=6, checkpoint_every=7, packing=packing, max_length=32, batch_size=8, device_batch_size=4
    )
    whole = Launched(config, set_dir, tmp_path / "whole").finish()
    out = tmp_path / "killed"
    for step in kills:
        Launched(config, set_dir, out).kill_at_step(step)
        assert not is_trained(out, config, set_dir=set_dir, seed=5)
    lines = Launched(config, set_dir, out).finish()

    assert lines[0]["step"] > kills[-1] - 7, "the last run goes on from the newest checkpoint"
    assert lines[-1]["event"] == "report"
    for name in ("final_loss", "n_steps", "n_examples", "n_completion_tokens"):
        assert lines[-1][name] == whole[-1][name]
    ours, theirs = (load_file(folder / "model.safetensors") for folder in (out, tmp_path / "whole"))
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    assert is_trained(out, config, set_dir=set_dir, seed=5)
