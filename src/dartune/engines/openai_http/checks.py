"""Whether a server can be asked at all, found out before the run starts and when a server comes back."""

import asyncio
import difflib
import json
import os
from collections.abc import Sequence
from typing import NamedTuple

from dartune.config import OpenAIEngineConfig
from dartune.engines.openai_http.faults import Fault, of_status
from dartune.engines.openai_http.transport import Transport
from dartune.engines.openai_http.wire import Wire
from dartune.errors import ConfigError
from dartune.types import Key, Request, SamplingParams

CHECK_TIMEOUT_S = 3.0
"""For each of the at most three questions that a check asks: ten seconds in all is what a user waits for an error."""


class Refused(NamedTuple):
    """A server that cannot be asked now, and why."""

    url: str
    why: str


async def check_all(urls: Sequence[str], config: OpenAIEngineConfig, transport: Transport) -> list[Refused]:
    """The servers that cannot be asked yet. Raises ConfigError if none can, or if the settings are wrong for one."""
    if not urls:
        raise ConfigError(f"engine.urls_file: {config.urls_file} names no server; expected a URL on each line")
    results = await asyncio.gather(*(_checked(url, config, transport) for url in urls))
    refused = [result for result in results if result is not None]
    if len(refused) == len(urls):
        whys = "; ".join(f"{url}: {why}" for url, why in refused)
        raise ConfigError(f"engine.base_urls: no server can be reached ({whys}); is one running there?")
    return refused


async def _checked(url: str, config: OpenAIEngineConfig, transport: Transport) -> Refused | None:
    try:
        await check(url, config, transport)
    except Fault as fault:
        return Refused(url, str(fault))
    return None


async def check(url: str, config: OpenAIEngineConfig, transport: Transport) -> None:
    """Ask one server for its models.

    Raises ConfigError where the path, the key or the model is wrong, Fault where it may yet come right by itself.
    """
    with transport.secretly():
        await _check(url, config, transport)


async def _check(url: str, config: OpenAIEngineConfig, transport: Transport) -> None:
    status, headers, body = await transport.get(f"{url}/models", timeout_s=CHECK_TIMEOUT_S)
    if status in (401, 403):
        raise ConfigError(refused_key(url, config))
    if status in (404, 405):
        return await _check_without_list(url, config, transport)
    if status != 200:
        raise of_status(status, headers, body)
    names = _names(body)
    if names is None:
        raise ConfigError(f"engine.base_urls: {url}/models is no list of models; is this an OpenAI-compatible server?")
    if names and config.model not in names:
        nearest = difflib.get_close_matches(config.model, names, n=1, cutoff=0.3) or names[:1]
        others = f"it has {', '.join(names[:5])}{' ...' if len(names) > 5 else ''}"
        raise ConfigError(f"engine.model: {url} has no model {config.model!r}; did you mean {nearest[0]!r}? ({others})")


def refused_key(url: str, config: OpenAIEngineConfig) -> str:
    """What to say where a server refuses the key, which is not said itself."""
    is_set = "is set, but refused" if os.environ.get(config.api_key_env) else "is not set"
    return f"engine.api_key_env: {url} asks for a key; the environment variable {config.api_key_env} {is_set}"


async def _check_without_list(url: str, config: OpenAIEngineConfig, transport: Transport) -> None:
    """The same for a server without a list of models: is it one floor up, or does it answer a request?"""
    if not url.endswith("/v1"):
        status, _, body = await transport.get(f"{url}/v1/models", timeout_s=CHECK_TIMEOUT_S)
        if status in (401, 403) or (status == 200 and _names(body) is not None):
            raise ConfigError(f"engine.base_urls: nothing answers at {url}, but {url}/v1 does; add /v1")
    wire = Wire(config.model_copy(update={"first_token_timeout_s": None}))
    params = SamplingParams(temperature=1.0, top_p=1.0, max_new_tokens=1)
    body = wire.body(Request(key=Key("check", 0), prompt="1", seed=0, params=params))
    try:
        with transport.secretly():
            async with asyncio.timeout(CHECK_TIMEOUT_S):
                await transport.post(url + wire.path, body, "check")
    except TimeoutError:
        raise Fault("timeout", f"no reply within {CHECK_TIMEOUT_S:.0f} s") from None
    except Fault as fault:
        if fault.ends == "run":
            raise ConfigError(refused_key(url, config)) from None
        if fault.cause == "not_found":
            raise ConfigError(
                f"engine.base_urls: {url}{wire.path} is not there ({fault.detail}); "
                f"expected the URL up to and including /v1, and engine.model by its name there"
            ) from None
        raise


def _names(body: bytes) -> list[str] | None:
    """The names in a list of models; None where it is none."""
    try:
        models = json.loads(body)["data"]
        return [str(model["id"]) for model in models]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
