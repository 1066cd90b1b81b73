"""The processes of one training, as torchrun or `accelerate launch` starts them: one for each device."""

import atexit
import os
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from typing import TypeVar

from dartune.errors import DartuneError

Value = TypeVar("Value")

_PATIENCE = timedelta(hours=2)
"""How long processes wait for another. NCCL's own ten minutes do not suffice to tokenise or save a large one."""


def n_ranks() -> int:
    """Processes of this training, on all machines."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_main() -> bool:
    """Whether this is the process that writes what there is one of."""
    return os.environ.get("RANK", "0") == "0"


def from_main(make: Callable[[], Value]) -> Value:
    """What `make` returns in the main process, in every process; where it raises a DartuneError there, all raise it.

    All processes must call it. None of them goes on before the main one has its value.
    """
    if n_ranks() == 1:
        return make()
    from accelerate.utils import broadcast_object_list

    _join()
    box: list[object] = [None]
    if is_main():
        try:
            box = [make()]
        except DartuneError as exc:
            box = [exc]
    broadcast_object_list(box)
    if isinstance(box[0], DartuneError):
        raise box[0]
    return box[0]  # type: ignore[return-value]


@cache
def _join() -> None:
    """Make the processes a group, once, that is taken apart when they end."""
    import torch
    from accelerate import PartialState

    # Without a device accelerate joins processes only where it is told that there is none.
    group = PartialState(cpu=not torch.accelerator.is_available(), timeout=_PATIENCE)
    # Left to the end of the interpreter, its threads may abort a process that has done all it had to do.
    atexit.register(group.destroy_process_group)


def wait_for_all() -> None:
    """Return when every process has come here."""
    from_main(lambda: None)
