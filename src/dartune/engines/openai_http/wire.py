"""Between requests and JSON: what is sent to a server, and what of its reply is believed."""

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

from dartune.config import OpenAIEngineConfig
from dartune.engines.openai_http.faults import Fault, error_message
from dartune.types import FinishReason, Request, Response

MARK = "dartune-"
"""Begins every id that is sent as X-Request-Id: servers that put it into their reply say whose answer it is."""

_ENDS: dict[object, FinishReason] = {"stop": "stop", "eos": "stop", "length": "length", "max_tokens": "length"}
_MOST_SEED = 2**31
_LEAST_LOGPROB, _MOST_LOGPROB = -1e6, 1e-3
"""What rounding can make of a log-probability; vLLM writes -9999 for minus infinity."""


class Wire:
    """How one configuration speaks."""

    def __init__(self, config: OpenAIEngineConfig) -> None:
        """Prepare what all bodies share."""
        self._config = config
        self._is_chat = config.api == "chat"
        self._shared: dict[str, Any] = {"model": config.model, **config.extra_body}
        if config.logprobs:
            self._shared["logprobs"] = True if self._is_chat else 1
        if config.first_token_timeout_s is not None:
            self._shared |= {"stream": True, "stream_options": {"include_usage": True}}

    @property
    def path(self) -> str:
        """Where requests go, after the base URL."""
        return "/chat/completions" if self._is_chat else "/completions"

    @property
    def identity(self) -> str:
        """The model's name, with a hash of whatever else decides what it answers, where that is set."""
        config = self._config
        deciding = [config.api if self._is_chat else "", config.system or "", config.extra_body or ""]
        if not any(deciding):
            return config.model
        text = json.dumps(deciding, sort_keys=True)
        return f"{config.model}+{hashlib.blake2b(text.encode(), digest_size=4).hexdigest()}"

    def body(self, request: Request) -> bytes:
        """The JSON of a request. Seeds are folded into 31 bits, which every server takes."""
        params = request.params
        body = {
            **self._shared,
            **self._prompt(request.prompt),
            "temperature": params.temperature,
            "top_p": params.top_p,
            "seed": request.seed % _MOST_SEED,
        }
        if "max_completion_tokens" not in body:
            body["max_tokens"] = params.max_new_tokens
        if params.stop:
            body["stop"] = list(params.stop)
        return json.dumps(body).encode()

    def _prompt(self, prompt: str) -> dict[str, object]:
        if not self._is_chat:
            return {"prompt": prompt}
        system = [] if self._config.system is None else [{"role": "system", "content": self._config.system}]
        return {"messages": [*system, {"role": "user", "content": prompt}]}

    def response(self, body: bytes, request_id: str) -> Response:
        """The response that a whole reply holds. Raises Fault for anything but one finished answer to this request."""
        try:
            reply = json.loads(body)
        except (ValueError, RecursionError):
            raise Fault("bad_json", f"{body[:80]!r}") from None
        if not isinstance(reply, dict):
            raise Fault("bad_reply", f"expected an object, got {type(reply).__name__}")
        return self.read(reply, request_id)

    def read(self, reply: Mapping[str, Any], request_id: str) -> Response:
        """The same for a reply that is parsed already."""
        reply_id = reply.get("id")
        if isinstance(reply_id, str) and MARK in reply_id and request_id not in reply_id:
            raise Fault("other_reply", "it answers another request")
        choices = reply.get("choices")
        if not isinstance(choices, list) or not choices:
            raise Fault("no_choices")
        if len(choices) > 1:
            raise Fault("many_choices", f"{len(choices)}")
        choice = choices[0]
        if not isinstance(choice, dict):
            raise Fault("bad_reply", "a choice is no object")
        text = _chat_text(choice.get("message")) if self._is_chat else _plain_text(choice.get("text"))
        usage = reply.get("usage") or {}
        if not isinstance(usage, dict):
            raise Fault("bad_reply", f"expected a usage, got {type(usage).__name__}")
        logprobs = _logprobs(choice.get("logprobs")) if self._config.logprobs else []
        return Response(
            text=text,
            finish_reason=_finish_reason(choice.get("finish_reason")),
            n_prompt_tokens=_count(usage.get("prompt_tokens"), 0),
            n_tokens=_count(usage.get("completion_tokens"), len(logprobs) or _guessed_tokens(text)),
            sum_logprob=math.fsum(logprobs) if logprobs else None,
        )


class Stream:
    """A reply that comes in parts, put together again; see `Wire.read`."""

    def __init__(self, config: OpenAIEngineConfig) -> None:
        """Nothing has come yet."""
        self._is_chat = config.api == "chat"
        self._has_logprobs = config.logprobs
        self._id: object = None
        self._parts: dict[str, list[str]] = {"text": [], "content": [], "reasoning_content": []}
        self._logprobs: list[object] = []
        self._finish_reason: object = None
        self._usage: object = None

    def add(self, data: bytes) -> bool:
        """Take one event's data; whether it held text, or the end."""
        try:
            event = json.loads(data)
            if event.get("error"):
                raise Fault("stream_error", error_message(data))
            self._id = event.get("id", self._id)
            self._usage = event.get("usage") or self._usage
            choices = event.get("choices") or []
            if len(choices) > 1:
                raise Fault("many_choices", f"{len(choices)}")
            return any([self._add_choice(choice) for choice in choices])
        except (ValueError, AttributeError, TypeError, RecursionError):
            raise Fault("bad_json", f"{data[:80]!r}") from None

    def _add_choice(self, choice: Mapping[str, Any]) -> bool:
        delta = choice.get("delta") or {} if self._is_chat else choice
        names = {name: name for name in self._parts} | {"reasoning": "reasoning_content"}
        added = [(part, kept) for name, kept in names.items() if (part := delta.get(name))]
        for part, kept in added:
            if not isinstance(part, str):
                raise Fault("bad_reply", f"expected text, got {type(part).__name__}")
            self._parts[kept].append(part)
        self._finish_reason = choice.get("finish_reason") or self._finish_reason
        logprobs = choice.get("logprobs")
        if self._has_logprobs and logprobs:
            self._logprobs += _logprobs(logprobs)
        return bool(added) or self._finish_reason is not None

    def reply(self) -> dict[str, Any]:
        """What a server that does not stream would have sent."""
        texts = {name: "".join(parts) for name, parts in self._parts.items()}
        choice = {
            "text": texts["text"],
            "message": {"content": texts["content"], "reasoning_content": texts["reasoning_content"]},
            "finish_reason": self._finish_reason,
            "logprobs": {"token_logprobs": self._logprobs},
        }
        return {"id": self._id, "choices": [choice], "usage": self._usage}


def _plain_text(text: object) -> str:
    if not isinstance(text, str):
        raise Fault("bad_reply", f"expected text, got {type(text).__name__}")
    return text


def _chat_text(message: object) -> str:
    """What the assistant wrote; thoughts that a server has parted from it stand before it between think tags again."""
    if not isinstance(message, dict):
        raise Fault("bad_reply", f"expected a message, got {type(message).__name__}")
    thought = message.get("reasoning_content") or message.get("reasoning")
    content = message.get("content") or ""
    if not isinstance(content, str):
        raise Fault("bad_reply", f"expected text, got {type(content).__name__}")
    return f"<think>\n{thought}\n</think>\n\n{content}" if isinstance(thought, str) and thought else content


def _finish_reason(reason: object) -> FinishReason:
    if isinstance(reason, str) and reason in _ENDS:
        return _ENDS[reason]
    if reason in ("content_filter", "tool_calls", "function_call"):
        raise Fault(str(reason), "the server kept its answer to itself", ends="request")
    raise Fault(
        "aborted" if reason in (None, "abort", "cancelled", "error") else "bad_reply", f"finish_reason {reason!r}"
    )


def _logprobs(logprobs: object) -> list[float]:
    """Log-probabilities of the tokens, in either of the two forms; empty where a server gives none."""
    if logprobs is None:
        return []
    if not isinstance(logprobs, dict):
        raise Fault("bad_reply", f"expected log-probabilities, got {type(logprobs).__name__}")
    entries = logprobs.get("token_logprobs") or logprobs.get("content") or []
    if not isinstance(entries, list):
        raise Fault("bad_reply", f"expected log-probabilities, got {type(entries).__name__}")
    return [_logprob(entry.get("logprob") if isinstance(entry, dict) else entry) for entry in entries]


def _logprob(value: object) -> float:
    # A comparison, not isfinite: that cannot take the long integers that JSON allows.
    if isinstance(value, int | float) and _LEAST_LOGPROB <= value <= _MOST_LOGPROB:
        return float(value)
    raise Fault("bad_reply", f"a log-probability of {str(value)[:20]}")


def _count(value: object, otherwise: int) -> int:
    if value is None:
        return otherwise
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31:
        return value
    raise Fault("bad_reply", f"a count of {str(value)[:20]} tokens")


def _guessed_tokens(text: str) -> int:
    """Tokens of a response whose server does not count them: four bytes each, as usual for English."""
    return -(-len(text.encode("utf-8", "surrogatepass")) // 4)
