"""An OpenAI-compatible endpoint, asked with patience: retries with growing pauses, few calls at a time."""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from dartune.config import OpenAIEngineConfig, check_url
from dartune.engines.openai_http.faults import Fault
from dartune.engines.openai_http.transport import Transport
from dartune.errors import ConfigError, EngineError, MissingExtra

Sleep = Callable[[float], Awaitable[None]]

_LONGEST_PAUSE_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointConfig:
    """Where the model is, and how hard it is asked."""

    base_url: str
    """Up to and without `/chat/completions`, such as "http://localhost:8000/v1"."""
    model: str
    api_key_env: str = "OPENAI_API_KEY"
    """Environment variable with the key; a server on one's own machine needs none."""
    timeout_s: float = 60.0
    max_retries: int = 5
    first_pause_s: float = 0.5
    """Before the first retry; each further pause is twice as long."""
    max_concurrency: int = 8
    max_tokens: int = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the model said, and what it used."""

    text: str
    n_prompt_tokens: int
    n_tokens: int


class Endpoint:
    """A client of one endpoint, for one event loop. Close it."""

    def __init__(self, config: EndpointConfig, *, sleep: Sleep = asyncio.sleep) -> None:
        if find_spec("aiohttp") is None:
            raise MissingExtra("aiohttp", "http")
        try:
            base_url = check_url(config.base_url)
        except ValueError as error:
            raise ConfigError(f"base_url: {error}") from None
        server = OpenAIEngineConfig(model=config.model, base_urls=(base_url,), timeout_s=config.timeout_s)
        self._transport = Transport(server, os.environ.get(config.api_key_env, "").strip() or None)
        self._url = f"{base_url}/chat/completions"
        self._config = config
        self._places = asyncio.Semaphore(config.max_concurrency)
        self._sleep = sleep

    async def ask(self, prompt: str) -> Reply:
        """The model's reply, at temperature 0.

        Raises:
            EngineError: If the endpoint refuses, or gives no reply that can be read, after all retries.
        """
        body = json.dumps(self._body(prompt)).encode()
        pause_s = self._config.first_pause_s
        async with self._places:
            for n_left in reversed(range(self._config.max_retries + 1)):
                try:
                    return _read(await self._transport.post(self._url, body, "judge"))
                except Fault as fault:
                    if fault.ends != "attempt" or not n_left:
                        raise EngineError(
                            "no_reply", f"{self._url}: {fault}; check base_url, model and {self._config.api_key_env}"
                        ) from None
                    await self._sleep(max(fault.retry_after_s, min(_LONGEST_PAUSE_S, pause_s)))
                    pause_s *= 2
        raise AssertionError("unreachable: the last try returns or raises")

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

    def _body(self, prompt: str) -> dict[str, Any]:
        return {
            "model": self._config.model,
            "messages": [{"role": "user", "content": prompt}],
            "temperature": 0,
            "max_tokens": self._config.max_tokens,
        }


def _read(body: bytes) -> Reply:
    try:
        reply = json.loads(body)
        usage = reply.get("usage") or {}
        return Reply(
            text=str(reply["choices"][0]["message"]["content"] or ""),
            n_prompt_tokens=int(usage.get("prompt_tokens") or 0),
            n_tokens=int(usage.get("completion_tokens") or 0),
        )
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError, RecursionError):
        raise Fault("bad_reply", "a reply that is no chat completion") from None
