"""What a training changes in its process, and puts back."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import datasets
import torch
from transformers.utils import logging as transformers_logging
from trl.trainer import utils as trl_utils

_BETWEEN_LIBRARIES = ("`is_gradient_checkpointing` is deprecated", "`use_liger_kernel=True` is deprecated")
"""What peft does to transformers, and our use of the only switch for Liger's kernels that works offline."""


@contextmanager
def quiet() -> Iterator[None]:
    """Silence progress bars and notices of the libraries; errors still raise."""
    verbosity, had_bars = transformers_logging.get_verbosity(), datasets.is_progress_bar_enabled()
    had_transformers_bars = transformers_logging.is_progress_bar_enabled()
    transformers_logging.set_verbosity(logging.ERROR)
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    datasets.disable_progress_bars()
    try:
        with warnings.catch_warnings():
            for message in _BETWEEN_LIBRARIES:
                warnings.filterwarnings("ignore", message=message, category=FutureWarning)
            yield
    finally:
        transformers_logging.set_verbosity(verbosity)
        if had_transformers_bars:
            transformers_logging.enable_progress_bar()  # type: ignore[no-untyped-call]
        if had_bars:
            datasets.enable_progress_bars()


@contextmanager
def threads(n_threads: int | None) -> Iterator[None]:
    """Compute on `n_threads` CPU threads; None leaves torch's number."""
    before = torch.get_num_threads()
    torch.set_num_threads(n_threads or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def narrow_loss_buffer(n_columns: int) -> Iterator[None]:
    """Make TRL's buffer of logits no wider than the vocabulary.

    It is 32,768 columns wide however few are used; at 180 entries the far-apart rows cost 7 % of each step on CPU.
    """
    before = trl_utils._CHUNKED_LOGPROB_CHUNK_SIZE
    trl_utils._CHUNKED_LOGPROB_CHUNK_SIZE = min(before, n_columns)
    try:
        yield
    finally:
        trl_utils._CHUNKED_LOGPROB_CHUNK_SIZE = before
