"""Several processes train one model: the same steps, losses and weights as one process alone."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from safetensors.torch import load_file
from training_sets import additions, write_set

from dartune.config import TrainingConfig
from dartune.training import is_trained, train

MakeConfig = Callable[..., TrainingConfig]
WHOLE, SHARDED = (Path(__file__).with_name(f"{kind}_training.py") for kind in ("launched", "sharded"))


def start(
    n_processes: int, config: TrainingConfig, set_dir: Path, out: Path, program: Path = WHOLE
) -> subprocess.Popen[str]:
    """A training by `n_processes` on this machine."""
    file = out.with_suffix(".json")
    file.write_text(config.model_dump_json())
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(n_processes)]
    return subprocess.Popen(
        [*command, str(program), str(file), str(set_dir), str(out), "5"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> list[dict[str, Any]]:
    """What it prints until its end."""
    output, errors = process.communicate()
    assert process.returncode == 0, errors
    return [json.loads(line) for line in output.splitlines() if line.startswith("{")]


def kill_at_step(process: subprocess.Popen[str], step: int) -> None:
    """End every process of it at once, without warning."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("{") and json.loads(line).get("step") == step:
            break
    for each in [*psutil.Process(process.pid).children(recursive=True), process]:
        each.kill()
    process.communicate()


@pytest.mark.integration
@pytest.mark.timeout(400)
@pytest.mark.parametrize(("program", "packing"), [(WHOLE, False), (WHOLE, True), (SHARDED, True)])
def test_two_processes_train_as_one(tmp_path: Path, make_config: MakeConfig, program: Path, packing: bool) -> None:
    # 101 examples make no whole batches: one process would see a short one, two would repeat an example.
    set_dir = write_set(tmp_path / "set", additions(101))
    config = make_config(packing=packing, max_length=32, batch_size=8, device_batch_size=2, checkpoint_every=4)
    alone = train(config, set_dir=set_dir, out=tmp_path / "alone", seed=5)
    lines = finish(start(2, config, set_dir, tmp_path / "both", program))

    assert any(line["event"] == "sharded" for line in lines) == (program == SHARDED)
    reports = [line for line in lines if line["event"] == "report"]
    assert len(reports) == 1
    assert [line["step"] for line in lines if line["event"] == "step"] == list(range(1, alone.n_steps + 1))
    assert reports[0]["n_steps"] == alone.n_steps
    assert reports[0]["final_loss"] == pytest.approx(alone.final_loss, rel=1e-5)
    ours, theirs = (load_file(tmp_path / name / "model.safetensors") for name in ("both", "alone"))
    # Adam divides by tiny second moments, which makes much of the order in which gradients are added.
    assert ours.keys() == theirs.keys()
    assert all((ours[name] - theirs[name]).abs().max() < 1e-3 for name in theirs)
    assert is_trained(tmp_path / "both", config, set_dir=set_dir, seed=5)
    losses = [
        [entry["loss"] for entry in json.loads((tmp_path / name / "training.json").read_text())["log_history"]]
        for name in ("both", "alone")
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


@pytest.mark.integration
@pytest.mark.timeout(400)
@pytest.mark.parametrize("program", [WHOLE, SHARDED])
def test_two_killed_processes_go_on_to_the_same_loss(tmp_path: Path, make_config: MakeConfig, program: Path) -> None:
    set_dir = write_set(tmp_path / "set", additions(101))
    config = make_config(packing=True, max_length=32, batch_size=8, device_batch_size=2, checkpoint_every=2)
    alone = train(config, set_dir=set_dir, out=tmp_path / "alone", seed=5)
    kill_at_step(start(2, config, set_dir, tmp_path / "both", program), 5)
    assert not is_trained(tmp_path / "both", config, set_dir=set_dir, seed=5)
    lines = finish(start(2, config, set_dir, tmp_path / "both", program))
    assert next(line["step"] for line in lines if line["event"] == "step") > 2, "they go on from a checkpoint"
    assert lines[-1]["final_loss"] == pytest.approx(alone.final_loss, rel=1e-5)
