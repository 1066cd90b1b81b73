"""What may go wrong with one attempt, whose fault it is, and what follows from that."""

import email.utils
import json
import re
import time
from collections.abc import Mapping
from typing import Literal

Ends = Literal["attempt", "request", "server", "run"]
"""What a fault ends: this attempt alone, the request, the use of this server until it is well again, or the run."""

MOST_RETRY_AFTER_S = 120.0
"""A server that asks for a longer pause gets this one."""

_CONTEXT = re.compile(
    r"context.?(?:length|size|window|limit)|maximum (?:model|context|input)|max_model_len|too long|too many tokens",
    re.I,
)
_PASSING = {408, 409, 425, 429}
_LEAST_SECRET = 8
"""Shorter keys are no secret but what people set where a server wants any; shorter beginnings tell nothing."""
_REFUSALS = ("rate_limited", "overloaded")
_MAX_DETAIL = 300


class Fault(Exception):
    """An attempt that gave no response."""

    def __init__(self, cause: str, detail: str = "", *, ends: Ends = "attempt", retry_after_s: float = 0.0) -> None:
        """`cause` is a short stable word for tallies, `detail` is for people."""
        super().__init__(f"{cause}: {detail}" if detail else cause)
        self.cause = cause
        self.detail = detail
        self.ends = ends
        self.retry_after_s = retry_after_s

    @property
    def is_refusal(self) -> bool:
        """Whether the server said that it is given too much."""
        return self.cause in _REFUSALS

    def without(self, secret: str) -> "Fault":
        """The same fault, with `secret` and what a cut has left of its end taken out of the detail."""
        detail = self.detail
        for length in range(len(secret), _LEAST_SECRET - 1, -1):
            detail = detail.replace(secret[:length], "***")
        return Fault(self.cause, detail, ends=self.ends, retry_after_s=self.retry_after_s)


def of_status(status: int, headers: Mapping[str, str], body: bytes) -> Fault:
    """The fault that a reply with another status than 200 is."""
    said = error_message(body)
    detail = f"status {status}" + (f", {said}" if said else "")
    if status in (401, 403):
        return Fault("refused_key", detail, ends="run")
    if status == 404:
        return Fault("not_found", detail, ends="server")
    if 300 <= status < 400:
        return Fault("redirect", f"{detail} to {headers.get('Location', 'nowhere')[:_MAX_DETAIL]}")
    if status == 429:
        return Fault("rate_limited", detail, retry_after_s=retry_after_s(headers))
    if status == 503:
        return Fault("overloaded", detail, retry_after_s=retry_after_s(headers))
    if status in _PASSING or status >= 500:
        return Fault(f"status_{status}", detail, retry_after_s=retry_after_s(headers))
    if status in (400, 413, 422) and _CONTEXT.search(said):
        return Fault("context_too_long", detail, ends="request")
    return Fault("bad_request", detail, ends="request")


def retry_after_s(headers: Mapping[str, str]) -> float:
    """Seconds that a Retry-After header asks for, as a number or a date; 0 where there is none that can be read."""
    value = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"\d{1,9}(?:\.\d{1,9})?", value):
        return min(float(value), MOST_RETRY_AFTER_S)
    try:
        date = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return 0.0
    return min(max(0.0, date.timestamp() - time.time()), MOST_RETRY_AFTER_S)


def error_message(body: bytes) -> str:
    """What a server says of an error, in one line, cut; the start of the body where it is none of the usual JSON."""
    text = body[:4096].decode("utf-8", "replace")
    try:
        said = json.loads(body)
        said = said.get("error", said) if isinstance(said, dict) else said
        said = said.get("message", said) if isinstance(said, dict) else said
        text = said if isinstance(said, str) else text
    except (ValueError, RecursionError):
        pass
    return " ".join(text.split())[:_MAX_DETAIL]
