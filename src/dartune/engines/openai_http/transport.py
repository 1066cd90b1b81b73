"""One attempt over HTTP: bytes out, bytes in, and whatever happens between named as a fault."""

import asyncio
import contextlib
import resource
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from dartune.config import OpenAIEngineConfig
from dartune.engines.openai_http.faults import Fault, of_status
from dartune.engines.openai_http.wire import Stream

if TYPE_CHECKING:
    import aiohttp

MOST_REPLY_BYTES = 64 * 2**20
"""A longer reply is broken off: no response of a model is that long."""

_KEEP_ALIVE_S = 4.0
"""Unused connections are closed before servers close them, vLLM after five seconds: a request sent then is lost."""
_MOST_ERROR_BYTES = 2**16
_ERROR_BODY_S = 5.0
"""Longest wait for the text of an error; its status says enough."""
_SPARE_FILES = 256


class Transport:
    """Connections to all servers; lives in one event loop."""

    def __init__(self, config: OpenAIEngineConfig, api_key: str | None) -> None:
        """Open nothing yet. The key goes with every request."""
        import aiohttp

        self._config = config
        self._api_key = api_key or ""
        self._timeout = aiohttp.ClientTimeout(total=config.timeout_s, connect=config.connect_timeout_s)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEP_ALIVE_S),
            headers={"Authorization": f"Bearer {api_key}"} if api_key else {},
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    @contextlib.contextmanager
    def secretly(self) -> Iterator[None]:
        """Take the key out of the faults that are raised meanwhile: some servers repeat it."""
        try:
            yield
        except Fault as fault:
            raise fault.without(self._api_key) from None

    async def post(self, url: str, body: bytes, request_id: str, stream: Stream | None = None) -> bytes:
        """Send a request and give back the body of the reply; with `stream` what comes goes there instead.

        Raises Fault for anything but a whole reply with status 200. Cancelled, it closes the connection, which tells
        the server to stop.
        """
        import aiohttp

        headers = {"Content-Type": "application/json", "X-Request-Id": request_id}
        first_token = asyncio.timeout(self._config.first_token_timeout_s if stream is not None else None)
        try:
            async with (
                first_token,
                self._session.post(
                    url, data=body, headers=headers, timeout=self._timeout, allow_redirects=False, proxy=proxy_of(url)
                ) as reply,
            ):
                if reply.status != 200:
                    raise of_status(reply.status, reply.headers, await _read_error(reply))
                if stream is None:
                    return await _read(reply, MOST_REPLY_BYTES)
                await _read_stream(reply, stream, first_token)
                return b""
        except aiohttp.ConnectionTimeoutError:
            raise Fault("connect", f"no connection within {self._config.connect_timeout_s} s") from None
        except TimeoutError:
            if first_token.expired():
                raise Fault("first_token_timeout", f"none within {self._config.first_token_timeout_s} s") from None
            raise Fault("timeout", f"no whole reply within {self._config.timeout_s} s") from None
        except aiohttp.ClientConnectorError as error:
            raise Fault("connect", str(error.os_error)) from None
        except aiohttp.ClientPayloadError as error:
            raise Fault("cut_off", str(error)) from None
        except (aiohttp.ClientConnectionError, OSError) as error:
            raise Fault("reset", str(error)) from None
        except (aiohttp.ClientError, ValueError) as error:
            raise Fault("bad_reply", f"{type(error).__name__}: {error}") from None

    async def get(self, url: str, *, timeout_s: float) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers and body of a page. Raises Fault where there is none within `timeout_s`."""
        import aiohttp

        try:
            async with asyncio.timeout(timeout_s):
                async with self._session.get(url, allow_redirects=False, proxy=proxy_of(url)) as reply:
                    if reply.status != 200:
                        return reply.status, reply.headers, await _read_error(reply)
                    return reply.status, reply.headers, await _read(reply, 2**20)
        except TimeoutError:
            raise Fault("timeout", f"no reply within {timeout_s:.0f} s") from None
        except aiohttp.ClientConnectorError as error:
            raise Fault("connect", str(error.os_error)) from None
        except (aiohttp.ClientError, ValueError, OSError) as error:
            raise Fault("bad_reply", f"{type(error).__name__}: {error}") from None

    async def aclose(self) -> None:
        """Close all connections."""
        await self._session.close()


async def _read_error(reply: "aiohttp.ClientResponse") -> bytes:
    """As much of the body of an error as comes."""
    import aiohttp

    body = b""
    with contextlib.suppress(aiohttp.ClientError, TimeoutError):
        async with asyncio.timeout(_ERROR_BODY_S):
            while len(body) < _MOST_ERROR_BYTES and (part := await reply.content.readany()):
                body += part
    return body


async def _read_stream(reply: "aiohttp.ClientResponse", stream: Stream, first_token: asyncio.Timeout) -> None:
    """Feed the events of a reply to `stream`; the first that holds a part of the answer stops the clock."""
    size = 0
    while line := await reply.content.readline():
        size += len(line)
        if size > MOST_REPLY_BYTES:
            raise Fault("too_big", f"more than {MOST_REPLY_BYTES} bytes")
        if not line.startswith(b"data:"):
            continue
        data = line[5:].strip()
        if data == b"[DONE]":
            return
        if stream.add(data):
            first_token.reschedule(None)
    raise Fault("cut_off", "the stream ended before [DONE]")


async def _read(reply: "aiohttp.ClientResponse", most: int) -> bytes:
    parts, size = [], 0
    async for part in reply.content.iter_any():
        parts.append(part)
        size += len(part)
        if size > most:
            raise Fault("too_big", f"more than {most} bytes")
    return b"".join(parts)


@lru_cache(maxsize=1024)
def proxy_of(url: str) -> str | None:
    """The proxy that the environment names for a URL; none for this machine itself."""
    parts = urllib.parse.urlsplit(url)
    host = parts.hostname or ""
    if host == "localhost" or host.startswith("127.") or host == "::1" or urllib.request.proxy_bypass(host):
        return None
    return urllib.request.getproxies().get(parts.scheme)


def most_connections() -> int:
    """How many connections this process may open, after raising its limit of open files as far as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return max(1, hard - _SPARE_FILES) if hard != resource.RLIM_INFINITY else 2**20
