"""Between text and tokens: prompts in, responses out, stop strings cut."""

import threading
from bisect import bisect_left
from functools import lru_cache

from transformers import PreTrainedTokenizerBase

from dartune.engines.transformers.decoder import Continuation
from dartune.types import Response

_N_PROMPTS_KEPT = 4096


class Text:
    """A tokenizer that may be used from several threads, and the end tokens of its model."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, end_ids: tuple[int, ...]) -> None:
        """`end_ids` are the tokens that end a response and are not part of its text."""
        self._tokenizer = tokenizer
        self._end_ids = frozenset(end_ids)
        # Fast tokenizers raise "Already borrowed" when one thread encodes while another decodes.
        self._lock = threading.Lock()
        self.encode = lru_cache(_N_PROMPTS_KEPT)(self._encode)
        """Token ids of a prompt, with the special tokens that the tokenizer puts around a text."""

    def _encode(self, prompt: str) -> tuple[int, ...]:
        with self._lock:
            return tuple(self._tokenizer(prompt, verbose=False)["input_ids"])

    def decode(self, tokens: list[int]) -> str:
        """Text of `tokens` without special tokens; bytes that are no UTF-8 become U+FFFD."""
        with self._lock:
            return str(self._tokenizer.decode(tokens, skip_special_tokens=True))

    def response(self, continuation: Continuation) -> Response:
        """The response that a continuation is, cut before the first stop string."""
        tokens, stop = continuation.tokens, continuation.job.params.stop
        ended = tokens[-1] in self._end_ids
        body = tokens[:-1] if ended else tokens
        text = self.decode(body)
        n_tokens = len(tokens)
        if has_stop(text, stop):
            # Up to the token that completes the stop string, however much later that was noticed.
            n_tokens = 1 + bisect_left(
                range(1, len(body) + 1), True, key=lambda n: has_stop(self.decode(body[:n]), stop)
            )
            ended = True
            text = self.decode(body[:n_tokens])
            text = text[: min(text.find(string) for string in stop if string in text)]
        return Response(
            text=text,
            finish_reason="stop" if ended else "length",
            n_prompt_tokens=len(continuation.job.prompt),
            n_tokens=n_tokens,
            sum_logprob=sum(continuation.logprobs[:n_tokens]),
        )


def has_stop(text: str, stop: tuple[str, ...]) -> bool:
    """Whether any of the `stop` strings occurs in `text`."""
    return any(string in text for string in stop)
