"""The launch configurations that come with the package, and the recipes that they are for."""

import argparse
from importlib.resources import files

import pytest
from accelerate.commands.config.config_args import ClusterConfig
from accelerate.commands.launch import _validate_launch_command, launch_command_parser
from accelerate.utils.launch import prepare_multi_gpu_env

from dartune.recipes import load_recipe
from dartune.training.arguments import accumulation_steps

LAUNCH = files("dartune.training") / "launch"
CONFIGS = {"fsdp2-1x8": 8, "fsdp2-4x8": 32, "zero3-1x8": 8, "zero3-4x8": 32}
PAPER = {
    "mistral-7b": (3, 1e-5),
    "llama-3-8b": (1, 5e-5),
    "llama-3-70b": (1, 2e-5),
    "deepseekmath-7b": (3, 5e-5),
}
"""Epochs and learning rate (arXiv 2407.13690, appendix B)."""


def resolved(name: str) -> argparse.Namespace:
    """What `accelerate launch` makes of a configuration, read by its own parser and checks."""
    parser = launch_command_parser()
    line = ["--config_file", str(LAUNCH / f"{name}.yaml"), "-m", "dartune", "train", "RECIPE", "--only", "METHOD"]
    arguments, _, _ = _validate_launch_command(parser.parse_args(line))
    return arguments


def test_every_configuration_is_here() -> None:
    assert sorted(path.name for path in LAUNCH.iterdir()) == sorted(f"{name}.yaml" for name in CONFIGS)


@pytest.mark.parametrize("name", CONFIGS)
def test_accelerate_accepts_the_configuration(name: str) -> None:
    config = ClusterConfig.from_yaml_file(str(LAUNCH / f"{name}.yaml"))
    assert config.num_processes == CONFIGS[name]
    assert config.num_processes == 8 * config.num_machines
    arguments = resolved(name)
    assert (arguments.use_fsdp, arguments.use_deepspeed) == (name.startswith("fsdp2"), name.startswith("zero3"))


@pytest.mark.parametrize("name", [name for name in CONFIGS if name.startswith("fsdp2")])
def test_fsdp_reaches_the_processes_as_version_2(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = prepare_multi_gpu_env(resolved(name))
    for key, value in environment.items():
        monkeypatch.setenv(key, value)
    from accelerate.utils import FullyShardedDataParallelPlugin

    plugin = FullyShardedDataParallelPlugin()
    assert plugin.fsdp_version == 2
    assert plugin.activation_checkpointing
    assert plugin.cpu_ram_efficient_loading
    assert plugin.reshard_after_forward is True
    assert "FULL_STATE_DICT" in str(plugin.state_dict_type)


@pytest.mark.parametrize("name", PAPER)
def test_recipes_have_the_papers_settings_and_fit_their_devices(name: str) -> None:
    training = load_recipe(name).training
    assert training is not None
    assert (training.n_epochs, training.learning_rate) == PAPER[name]
    assert (training.batch_size, training.max_length, training.packing) == (64, 4096, True)
    assert (training.schedule, training.warmup_ratio) == ("cosine", 0.03)
    n_devices = 32 if "70b" in name else 8
    assert accumulation_steps(training, n_devices=n_devices) == 64 // n_devices
