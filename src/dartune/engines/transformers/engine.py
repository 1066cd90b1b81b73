"""The engine that asyncio sees, in front of one thread that decodes.

Invariants: only the thread touches the decoder; only an event loop touches its futures. A request is in exactly one
of: the queue, the decoder, delivered. Whatever ends the thread fails every request that is not delivered.
"""

import asyncio
import contextlib
import threading
from collections import defaultdict, deque
from collections.abc import Sequence

import torch

from dartune.config import TransformersEngineConfig
from dartune.engines.transformers.decoder import Continuation, Decoder, Job
from dartune.engines.transformers.loading import load
from dartune.engines.transformers.text import Text, has_stop
from dartune.errors import EngineDown, EngineError
from dartune.types import Request, Response

Future = asyncio.Future[Continuation]
Outcome = Continuation | EngineDown

_ADMIT_SHARE = 32
"""New requests enter the batch when they would fill 1/32 of it, so that their prompts are computed together ..."""
_ADMIT_STEPS = 4
"""... or after this many steps at the latest."""
_STOP_STEPS = 8
"""Steps between two searches for stop strings, which cost a look at every row."""


class TransformersEngine:
    """Answers requests with a local model; see `dartune.engines.base.Engine`.

    A request's text depends on its prompt, parameters and seed; rounding differs with the batch, which can change a
    token whose random number falls on the edge between two tokens.
    """

    def __init__(self, config: TransformersEngineConfig) -> None:
        """Load the model and start the thread.

        Raises:
            ModelError: the model is missing, incomplete or of a kind that this engine cannot batch.
            ConfigError: the device does not exist.
        """
        if config.n_threads is not None:
            torch.set_num_threads(config.n_threads)
        loaded = load(config)
        self._n_places = config.n_places
        self._identity = loaded.identity
        self._context = loaded.context
        self._text = Text(loaded.tokenizer, loaded.end_ids)
        self._futures: dict[Job, Future] = {}
        self._queue: deque[Job] = deque()
        self._cancelled: list[Job] = []
        self._closing = False
        self._down: EngineDown | None = None
        self._changed = threading.Condition()
        decoder = Decoder(loaded.model, loaded.end_ids, config.n_places)
        self._thread = threading.Thread(target=self._run, args=(decoder,), name="dartune-decoder", daemon=True)
        self._thread.start()

    @property
    def n_places(self) -> int:
        """How many requests are decoded at a time."""
        return self._n_places

    @property
    def model(self) -> str:
        """Name of the model and hash of its weights."""
        return self._identity

    async def start(self) -> None:
        """The model was loaded when the engine was made."""

    async def generate(self, request: Request) -> Response:
        """Answer one request.

        Raises:
            EngineError: "context_too_long" if the prompt leaves no room for a response.
            EngineDown: the engine is closed or has failed.
        """
        job = self._job(request)
        future: Future = asyncio.get_running_loop().create_future()
        with self._changed:
            if self._down is not None:
                raise EngineDown(str(self._down)) from self._down
            self._futures[job] = future
            self._queue.append(job)
            self._changed.notify()
        try:
            continuation = await future
        except asyncio.CancelledError:
            with self._changed:
                self._cancelled.append(job)
            raise
        finally:
            del self._futures[job]
        return self._text.response(continuation)

    async def aclose(self) -> None:
        """Stop the thread and release the model; requests in flight fail with EngineDown."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        await asyncio.to_thread(self._thread.join)

    def _job(self, request: Request) -> Job:
        prompt = self._text.encode(request.prompt)
        room = self._context - len(prompt)
        if not prompt:
            raise EngineError("empty_prompt", "the tokenizer makes no token of the prompt")
        if room < 1:
            raise EngineError(
                "context_too_long",
                f"the prompt has {len(prompt)} tokens, which leaves no room in the model's context of {self._context}",
            )
        max_new_tokens = min(request.params.max_new_tokens, room)
        return Job(prompt=prompt, max_new_tokens=max_new_tokens, seed=request.seed, params=request.params)

    # What follows runs in the thread.

    def _run(self, decoder: Decoder) -> None:
        try:
            with torch.inference_mode():
                self._decode(decoder)
            down = EngineDown("the engine is closed")
        except torch.OutOfMemoryError as exc:
            down = EngineDown(f"out of memory with engine.n_places = {self._n_places}; lower engine.n_places")
            down.__cause__ = exc
        except Exception as exc:  # the boundary of the engine call: whatever fails in the model ends the engine
            down = EngineDown(f"the model failed: {type(exc).__name__}: {exc}")
            down.__cause__ = exc
        with self._changed:
            self._down = down
            unanswered = list(self._futures.copy().values())
        _settle_in_loops([(future, EngineDown(str(down))) for future in unanswered])

    def _decode(self, decoder: Decoder) -> None:
        step = 0
        while self._admit(decoder, step):
            if not decoder.jobs:
                continue
            ended = decoder.step()
            step += 1
            if step % _STOP_STEPS == 0:
                ended += decoder.remove(self._stopped(decoder))
            if ended:
                futures = ((self._futures.get(continuation.job), continuation) for continuation in ended)
                _settle_in_loops([(future, continuation) for future, continuation in futures if future is not None])

    def _admit(self, decoder: Decoder, step: int) -> bool:
        """Bring the batch up to date, waiting while there is nothing to do; False when the engine closes."""
        with self._changed:
            self._changed.wait_for(lambda: self._closing or self._queue or decoder.jobs)
            if self._closing:
                return False
            cancelled = set(self._cancelled)
            self._cancelled.clear()
            if cancelled:
                self._queue = deque(job for job in self._queue if job not in cancelled)
            n_new = min(len(self._queue), decoder.n_free)
            due = not decoder.jobs or step % _ADMIT_STEPS == 0 or n_new * _ADMIT_SHARE >= decoder.n_rows
            new = [self._queue.popleft() for _ in range(n_new)] if due else []
        decoder.remove(cancelled)
        decoder.admit(new)
        return True

    def _stopped(self, decoder: Decoder) -> list[Job]:
        """Sequences in which a stop string has appeared since the last look."""
        longest = max((len(string.encode()) for job in decoder.jobs for string in job.params.stop), default=0)
        if not longest:
            return []
        # A token is a byte at least, so this many tokens hold any stop string that ends in the newest ones.
        tails = decoder.tails(_STOP_STEPS + longest)
        return [
            job
            for job, tail in zip(decoder.jobs, tails, strict=True)
            if job.params.stop and has_stop(self._text.decode(tail), job.params.stop)
        ]


def _settle_in_loops(outcomes: Sequence[tuple[Future, Outcome]]) -> None:
    """Settle futures from another thread, with one call into each of their event loops."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[Future, Outcome]]] = defaultdict(list)
    for future, outcome in outcomes:
        by_loop[future.get_loop()].append((future, outcome))
    for loop, batch in by_loop.items():
        # A loop that is closed has nobody left who waits.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(_settle, batch)


def _settle(outcomes: Sequence[tuple[Future, Outcome]]) -> None:
    for future, outcome in outcomes:
        if future.done():
            continue
        if isinstance(outcome, EngineDown):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)
