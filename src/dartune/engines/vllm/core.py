"""Everything that touches vLLM: its arguments, its processes, its requests. Importing this imports vLLM and torch.

Invariant: vLLM's processes do not see Ctrl-C. A terminal sends it to all of them, and a run that is interrupted must
be able to end its requests before its engine goes.
"""

import asyncio
import contextlib
import dataclasses
import difflib
import itertools
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path

from transformers import PreTrainedTokenizerBase
from vllm import SamplingParams
from vllm.config.logging import LoggingConfig
from vllm.engine.arg_utils import AsyncEngineArgs
from vllm.exceptions import VLLMClientError, VLLMError
from vllm.inputs import tokens_input
from vllm.logger import DEFAULT_LOGGING_CONFIG
from vllm.outputs import CompletionOutput
from vllm.platforms import current_platform
from vllm.sampling_params import RequestOutputKind
from vllm.usage.usage_lib import UsageContext
from vllm.v1.engine.async_llm import AsyncLLM
from vllm.v1.engine.exceptions import EngineDeadError

from dartune.config import VllmEngineConfig
from dartune.engines.vllm.report import Report
from dartune.errors import ConfigError, EngineDown, EngineError
from dartune.types import Request

_SET_ELSEWHERE = ("model", "dtype", "tensor_parallel_size", "data_parallel_size")
_FIXED = {
    "logging_config": "the engine reads vLLM's log to name the cause of a failure",
    "logprobs_mode": "the pool keeps log-probabilities at temperature 1",
}

_SHUTDOWN_S = 30.0
"""Seconds until processes that do not end are killed; vLLM's own 5 are less than some need to give back memory."""


class Core:
    """vLLM with one model: made, started, asked, shut down."""

    def __init__(self, config: VllmEngineConfig, source: str, folder: Path) -> None:
        """Check the arguments. Raises ConfigError.

        `source` is the model's folder or hub id; `folder` is for files that live as long as the engine.
        """
        self._options = check_options(config)
        self._config = config
        self._source = source
        self._llm: AsyncLLM | None = None
        self._report = Report(folder)
        self._ids = itertools.count()

    @property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        """The model's tokenizer; after `launch`."""
        tokenizer: PreTrainedTokenizerBase = self._running.get_tokenizer()
        return tokenizer

    @property
    def context(self) -> int:
        """Longest sequence, prompt and response together, in tokens; after `launch`."""
        return int(self._running.model_config.max_model_len)

    def launch(self) -> None:
        """Load the model in processes of vLLM's own, which takes from seconds to minutes; it blocks.

        Raises ConfigError where vLLM refuses the arguments or the model, EngineDown where its processes fail.
        """
        self._report.keep(DEFAULT_LOGGING_CONFIG)
        arguments = AsyncEngineArgs(**self._arguments())
        # vLLM raises whatever its parts raise: these two are the boundary.
        try:
            settings = arguments.create_engine_config(UsageContext.LLM_CLASS)
        except Exception as error:
            raise ConfigError(f"engine: vLLM cannot run {self._config.model} so ({_one_line(error)})") from error
        try:
            with _without_interrupts():
                self._llm = AsyncLLM.from_vllm_config(settings, disable_log_stats=True)
        except Exception as error:
            raise EngineDown(
                f"vLLM did not start: {self._report.cause()}; where memory is short, lower "
                "engine.options.gpu_memory_utilization, engine.options.max_model_len or engine.n_places"
            ) from error
        self._report.forget()

    async def answer(self, prompt: Sequence[int], request: Request) -> CompletionOutput:
        """Continue `prompt` once. Raises EngineError or EngineDown; cancelled, it aborts the request."""
        llm = self._running
        try:
            outputs = [
                output.outputs[0]
                async for output in llm.generate(tokens_input(list(prompt)), _params(request), str(next(self._ids)))
            ]
        except EngineDeadError:
            # Not as the cause: all requests in flight get the same exception, and each would lengthen its traceback.
            why = "the engine is closed" if self._llm is None else f"vLLM has died: {self._report.cause()}"
            raise EngineDown(why) from None
        except VLLMError as error:
            cause = "bad_request" if isinstance(error, VLLMClientError) else "engine_error"
            raise EngineError(cause, _one_line(error)) from error
        if outputs[-1].finish_reason == "abort":  # not by us: whoever cancels a request does not get here
            raise EngineDown("vLLM is shutting down")
        return outputs[-1]

    async def aclose(self) -> None:
        """End vLLM's processes and wait for them; requests in flight fail with EngineDown."""
        llm, self._llm = self._llm, None
        if llm is None:
            return
        if llm.output_handler is not None:
            # It would take the end of the processes for their death, and print that.
            llm.output_handler.cancel()
            llm.output_processor.propagate_error(EngineDeadError())
        await asyncio.to_thread(llm.shutdown, _SHUTDOWN_S)

    @property
    def _running(self) -> AsyncLLM:
        if self._llm is None:
            raise EngineDown("the engine is not running")
        return self._llm

    def _arguments(self) -> dict[str, object]:
        config = self._config
        defaults: dict[str, object] = {
            "enable_prefix_caching": True,
            "max_num_seqs": -(-config.n_places // config.data_parallel_size),
        }
        if current_platform.is_cpu():
            # vLLM 0.32 dies of a request that has a seed and whose prompt is computed in parts: it rewinds the random
            # numbers of the token that it drops, which torch can do on a GPU only.
            defaults["enable_chunked_prefill"] = False
        ours = {name: getattr(config, name) for name in _SET_ELSEWHERE} | {
            "model": self._source,
            "logging_config": LoggingConfig(pylogging_config_file=str(self._report.settings)),
        }
        return defaults | self._options | ours


def check_options(config: VllmEngineConfig) -> dict[str, object]:
    """`config.options`. Raises ConfigError for one that vLLM lacks or that has another place."""
    known = [field.name for field in dataclasses.fields(AsyncEngineArgs)]
    for name in config.options:
        where = f"engine.options.{name}"
        if name in _SET_ELSEWHERE:
            raise ConfigError(f"{where}: expected as engine.{name}, not among the options")
        if name in _FIXED:
            raise ConfigError(f"{where} cannot be set: {_FIXED[name]}")
        if name not in known:
            nearest = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {nearest[0]!r}?" if nearest else "expected an argument of vLLM's AsyncEngineArgs"
            raise ConfigError(f"{where}: vLLM has no such argument; {hint}")
    return dict(config.options)


def _params(request: Request) -> SamplingParams:
    params = request.params
    return SamplingParams(
        temperature=params.temperature,
        top_p=params.top_p,
        max_tokens=params.max_new_tokens,
        stop=list(params.stop),
        seed=request.seed,
        logprobs=0,  # of the chosen token alone
        flat_logprobs=True,
        # Text is made once, from all tokens; only stop strings need it at every step.
        detokenize=bool(params.stop),
        output_kind=RequestOutputKind.FINAL_ONLY,
    )


@contextlib.contextmanager
def _without_interrupts() -> Iterator[None]:
    """Processes that this thread starts in the block inherit that SIGINT is blocked."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _one_line(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:400]
