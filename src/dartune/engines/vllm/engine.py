"""The engine that a recipe names: prompts to tokens, tokens to responses, and when vLLM's processes live.

Invariants: prompts and responses pass through the model's own tokenizer as in the transformers engine, so both give
the same text for the same tokens. Whatever ends `start`, no process of vLLM outlives `aclose`, or this process.
"""

import asyncio
import multiprocessing
import os
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from dartune.config import VllmEngineConfig
from dartune.engines.vllm.guard import start_guard
from dartune.errors import EngineError, MissingExtra, ModelError
from dartune.models import model_identity, resolve_model
from dartune.types import Request, Response

if TYPE_CHECKING:
    from vllm.outputs import CompletionOutput

    from dartune.engines.transformers.text import Text

_ENVIRONMENT = {
    "OMP_WAIT_POLICY": "PASSIVE",  # threads that spin while they wait take the cores of whatever else runs
    "VLLM_LOGGING_LEVEL": "WARNING",
    "VLLM_LOGGING_STREAM": "ext://sys.stderr",  # standard output is the command's
    "VLLM_NO_USAGE_STATS": "1",
}
"""What vLLM reads when it is imported, and its processes when they start; the user's own settings go before."""
_POLL_S = 0.2


class VllmEngine:
    """Answers requests with a local model on vLLM; see `dartune.engines.base.Engine`.

    Every request has its own seed, and prefixes that prompts share are computed once.
    """

    def __init__(self, config: VllmEngineConfig) -> None:
        """Check model and options; nothing is loaded.

        Raises:
            MissingExtra: vLLM is not installed.
            ModelError: the model is missing or incomplete.
            ConfigError: vLLM has no such option.
        """
        for name, value in _ENVIRONMENT.items():
            os.environ.setdefault(name, value)
        try:
            from dartune.engines.vllm.core import Core
        except ImportError as exc:
            raise MissingExtra(exc.name or "vllm", "vllm") from exc
        source = resolve_model(config.model)
        self._identity = model_identity(config.model, source, _revision(source, config.options.get("revision")))
        self._folder = TemporaryDirectory(prefix="dartune-vllm-")
        self._core = Core(config, source, Path(self._folder.name))
        self._n_places = config.n_places
        self._text: Text
        self._guard: subprocess.Popen[bytes] | None = None

    @property
    def n_places(self) -> int:
        """How many requests vLLM is given at a time."""
        return self._n_places

    @property
    def model(self) -> str:
        """Name of the model and hash of its weights, as for the transformers engine."""
        return self._identity

    async def start(self) -> None:
        """Load the model in processes of vLLM's own; takes from seconds to minutes.

        Raises:
            ConfigError: vLLM cannot run this model with these options.
            EngineDown: it failed to start; the message names the cause and what to lower where memory is short.
        """
        from dartune.engines.transformers.text import Text

        others = set(multiprocessing.active_children())
        launch = asyncio.create_task(asyncio.to_thread(self._core.launch))
        try:
            await asyncio.shield(launch)
        except asyncio.CancelledError:
            while not launch.done():
                for process in set(multiprocessing.active_children()) - others:
                    process.terminate()
                await asyncio.wait([launch], timeout=_POLL_S)
            launch.exception()
            raise
        started = set(multiprocessing.active_children()) - others
        self._guard = start_guard([process.pid for process in started if process.pid is not None])
        self._text = Text(self._core.tokenizer, end_ids=())

    async def generate(self, request: Request) -> Response:
        """Answer one request.

        Raises:
            EngineError: "context_too_long" or "empty_prompt" of a prompt that leaves no room for a response, or has no
                token; "bad_request" or "engine_error" where vLLM fails this request alone.
            EngineDown: vLLM has died.
        """
        prompt = self._text.encode(request.prompt)
        if not prompt:
            raise EngineError("empty_prompt", "the tokenizer makes no token of the prompt")
        if len(prompt) >= self._core.context:
            raise EngineError(
                "context_too_long",
                f"the prompt has {len(prompt)} tokens, which leaves no room in the context of {self._core.context}",
            )
        output = await self._core.answer(prompt, request)
        return _response(output, self._text, n_prompt_tokens=len(prompt))

    async def aclose(self) -> None:
        """End vLLM's processes; requests in flight fail with EngineDown."""
        await self._core.aclose()
        if self._guard is not None:
            self._guard.terminate()
            self._guard.wait()
        self._folder.cleanup()


def _revision(source: str, wanted: object) -> str | None:
    """The commit of a model on the hub; None of a folder. Raises ModelError if there is no such model."""
    if Path(source).is_dir():
        return None
    from transformers import PreTrainedConfig

    try:
        found, _ = PreTrainedConfig.get_config_dict(source, revision=wanted)
    except OSError as exc:
        reason = " ".join(str(exc).split())[:300]
        raise ModelError(f"model {source}: its configuration cannot be had ({reason})") from exc
    return found.get("_commit_hash")


def _response(output: "CompletionOutput", text: "Text", n_prompt_tokens: int) -> Response:
    """What vLLM gave back, with the text that the tokenizer makes of all tokens at once.

    vLLM's own text starts with the space, if any, between prompt and response.
    """
    tokens, stop = list(output.token_ids), output.stop_reason
    stopped = output.finish_reason == "stop"
    ends_in_token = stopped and not isinstance(stop, str)
    body = text.decode(tokens[:-1] if ends_in_token else tokens)
    if isinstance(stop, str):
        # Not found: it began with that space.
        body = body[: max(body.find(stop), 0)]
    return Response(
        text=body,
        finish_reason="stop" if stopped else "length",
        n_prompt_tokens=n_prompt_tokens,
        n_tokens=len(tokens),
        sum_logprob=output.cumulative_logprob,
    )
