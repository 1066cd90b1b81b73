"""An OpenAI-compatible endpoint, asked with patience: retries with growing pauses, few calls at a time."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dartune.errors import EngineError, MissingExtra

if TYPE_CHECKING:
    import httpx2

Sleep = Callable[[float], Awaitable[None]]

_PASSING = frozenset((408, 409, 425, 429))
"""Refusals that a later try may not meet; so are all of the 500s."""
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
        try:
            import httpx2
        except ImportError as error:
            raise MissingExtra("httpx2", "http") from error
        key = os.environ.get(config.api_key_env)
        self._client = httpx2.AsyncClient(
            timeout=config.timeout_s, headers={"Authorization": f"Bearer {key}"} if key else {}
        )
        self._config = config
        self._places = asyncio.Semaphore(config.max_concurrency)
        self._sleep = sleep

    async def ask(self, prompt: str) -> Reply:
        """The model's reply, at temperature 0.

        Raises:
            EngineError: If the endpoint refuses, or gives no reply that can be read, after all retries.
        """
        import httpx2

        cause = ""
        async with self._places:
            for n_tries in range(self._config.max_retries + 1):
                if n_tries:
                    await self._sleep(min(_LONGEST_PAUSE_S, self._config.first_pause_s * 2 ** (n_tries - 1)))
                try:
                    response = await self._client.post(self._url, json=self._body(prompt))
                    if response.status_code == 200:
                        return _read(response)
                    cause = f"status {response.status_code}"
                    if response.status_code < 500 and response.status_code not in _PASSING:
                        break
                except httpx2.HTTPError as error:
                    cause = f"{type(error).__name__}: {error}".rstrip(": ")
                except (ValueError, KeyError, TypeError, IndexError):
                    cause = "a reply that is no chat completion"
        raise EngineError("no_reply", f"{self._url}: {cause}; check base_url, model and {self._config.api_key_env}")

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    @property
    def _url(self) -> str:
        return f"{self._config.base_url.rstrip('/')}/chat/completions"

    def _body(self, prompt: str) -> dict[str, Any]:
        return {
            "model": self._config.model,
            "messages": [{"role": "user", "content": prompt}],
            "temperature": 0,
            "max_tokens": self._config.max_tokens,
        }


def _read(response: "httpx2.Response") -> Reply:
    body = response.json()
    usage = body.get("usage") or {}
    return Reply(
        text=str(body["choices"][0]["message"]["content"] or ""),
        n_prompt_tokens=int(usage.get("prompt_tokens") or 0),
        n_tokens=int(usage.get("completion_tokens") or 0),
    )
