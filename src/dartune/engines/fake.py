"""An engine without a model: scripted pass rates, lengths, latencies and failures, all drawn from the request's seed.

It is for trying out schedules, recipes and crashes. The same request always gives the same response.
"""

import asyncio
import random
from collections.abc import Sequence

from dartune.config import FakeEngineConfig
from dartune.errors import EngineError
from dartune.types import Query, Request, Response


class FakeEngine:
    """Answers each query rightly with the probability that the script gives its level."""

    def __init__(self, config: FakeEngineConfig, queries: Sequence[Query]) -> None:
        """Take the script from `config` and the right answers from `queries`."""
        self._config = config
        self._queries = {query.id: query for query in queries}

    @property
    def n_places(self) -> int:
        """Requests it wants in flight."""
        return self._config.n_places

    @property
    def model(self) -> str:
        """Name stored with every sample; two scripts are two models."""
        return f"fake:{self._config.model_dump_json(exclude={'name', 'n_places', 'latency_s'})}"

    async def start(self) -> None:
        """Nothing to get ready."""

    async def generate(self, request: Request) -> Response:
        """Draw the outcome from the request's seed."""
        draw = random.Random(request.seed)
        config = self._config
        is_failure = draw.random() < config.failure_rate
        query = self._queries[request.key.query_id]
        is_right = draw.random() < config.pass_rates[min(query.level or 1, len(config.pass_rates)) - 1]
        n_tokens = max(1, round(draw.lognormvariate(0.0, 0.5) * config.mean_tokens))
        await asyncio.sleep(draw.expovariate(1.0) * config.latency_s)
        if is_failure:
            raise EngineError("scripted", "the script asks for a failure")
        note = f"Attempt {draw.randrange(10**9)}."
        if n_tokens > request.params.max_new_tokens:
            n_tokens = request.params.max_new_tokens
            return Response(text=note, finish_reason="length", n_prompt_tokens=0, n_tokens=n_tokens)
        answer = query.ref_answer if is_right else _other_answer(query.ref_answer, draw)
        text = f"{note} The answer is \\boxed{{{answer}}}."
        return Response(text=text, finish_reason="stop", n_prompt_tokens=0, n_tokens=n_tokens)

    async def aclose(self) -> None:
        """Hold nothing, so release nothing."""


def _other_answer(answer: str, draw: random.Random) -> str:
    """An answer that no grader takes for `answer`."""
    try:
        return str(int(answer) + draw.randint(1, 9))
    except ValueError:
        return "12345678987654321"
