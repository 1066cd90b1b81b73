"""The same as launched_training.py, with the model spread over the processes by FSDP2 as `fsdp2-*.yaml` has it.

accelerate spreads models over accelerators alone; here it is told that CPUs are some.
"""

import os
import sys
from importlib.resources import files

import launched_training
import yaml
from accelerate import accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import DistributedType
from torch import nn
from torch.distributed.tensor import DTensor

from dartune.training.ranks import is_main

CONFIG = yaml.safe_load((files("dartune.training") / "launch" / "fsdp2-1x8.yaml").read_text())["fsdp_config"]

_plain_state = AcceleratorState.__init__
_plain_prepare = accelerator.fsdp2_prepare_model


def _sharding_state(self: AcceleratorState, *args: object, **kwargs: object) -> None:
    # The state is one for all who ask for it, and each of them sets it anew.
    plugin = kwargs.get("fsdp_plugin") or self._shared_state.get("fsdp_plugin")
    _plain_state(self, *args, **kwargs)
    if plugin is not None:
        self.distributed_type = DistributedType.FSDP
        self.fsdp_plugin = plugin


def _prepare(of: object, model: nn.Module) -> nn.Module:
    sharded = _plain_prepare(of, model)
    assert all(isinstance(weight, DTensor) for weight in sharded.parameters())
    if is_main():
        print('{"event": "sharded"}', flush=True)
    return sharded


if __name__ == "__main__":
    os.environ["ACCELERATE_USE_FSDP"] = "true"
    os.environ |= {name.upper(): str(value) for name, value in CONFIG.items()}
    AcceleratorState.__init__ = _sharding_state
    accelerator.fsdp2_prepare_model = _prepare
    launched_training.main(*sys.argv[1:])
