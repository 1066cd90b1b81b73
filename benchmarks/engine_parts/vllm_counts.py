"""What a vLLM server says that it has done, from its /metrics."""

import re
import time
import urllib.request
from typing import NamedTuple

SETTLE_S = 60.0
_POLL_S = 0.5


class Counts(NamedTuple):
    """Since the server came up."""

    n_answered: int
    """Requests that ended by themselves or at their limit."""
    n_tokens: int
    """New tokens, those of requests that were given up included."""
    n_open: int
    """Requests that run or wait now."""


def counts(url: str) -> Counts:
    """The counts of the server with the base URL `url`."""
    with urllib.request.urlopen(url.removesuffix("/v1") + "/metrics", timeout=30) as reply:
        text = reply.read().decode()
    return Counts(
        n_answered=_sum(text, r'request_success_total\{[^}]*finished_reason="(?:stop|length)"[^}]*\}'),
        n_tokens=_sum(text, r"generation_tokens_total\{[^}]*\}"),
        n_open=_sum(text, r"num_requests_(?:running|waiting)\{[^}]*\}"),
    )


def settled_counts(url: str) -> Counts:
    """The counts when nothing is open and nothing changes any more: those who asked are gone.

    Raises TimeoutError if that takes more than `SETTLE_S`.
    """
    deadline_s = time.monotonic() + SETTLE_S
    last = counts(url)
    while time.monotonic() < deadline_s:
        time.sleep(_POLL_S)
        now = counts(url)
        if now == last and not now.n_open:
            return now
        last = now
    raise TimeoutError(f"{url}: still {last.n_open} requests open after {SETTLE_S:g} s")


def _sum(text: str, series: str) -> int:
    return round(sum(float(value) for value in re.findall(rf"^vllm:{series} (\S+)$", text, re.MULTILINE)))
