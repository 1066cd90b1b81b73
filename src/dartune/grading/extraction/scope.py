"""Which part of a response is read for its final answer: the policies, in the order in which they are applied.

What a model thinks is not what it answers: a box in a thought that it goes on to reject is no final answer. So a
response is parted into what is spoken and what is thought, and the strict rules read the first only.
"""

import re
from collections.abc import Callable, Iterable
from itertools import islice
from typing import NamedTuple

MAX_CHARS = 200_000
"""Only this many characters at the end of a response are read."""

_THOUGHT_NAMES = r"(?:think|thinking|[Tt]hought|reasoning|reflection|seed:think)"
_TAG = re.compile(
    rf"<(?P<a>/?){_THOUGHT_NAMES}>|<\|(?:begin|(?P<b>end))_of_thought\|>|\[(?P<c>/?)THINK\]|◁(?P<d>/?)think▷"
)
_ANGLE_TAG = re.compile(rf"<(?:/?{_THOUGHT_NAMES}>|\|(?:begin|end)_of_thought\|>)")
_FINAL_CHANNEL = "<|channel|>final<|message|>"
_END_TOKENS = ("</s>", "<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|end|>", "<|return|>", "<｜end▁of▁sentence｜>")
_QUESTION = re.compile(r"\n\n[ *_#>]{0,12}(?:Question|Problem|Q|Human|User|Instruction|问题)[*_]{0,3}[:：]")
MAX_QUESTIONS = 8
"""Only this many of the first openings of a new question are looked at."""


class Reading(NamedTuple):
    """A response, parted."""

    spoken: str
    thought: str
    policies: tuple[str, ...] = ()
    """Names of the policies that left something out of `spoken`."""


class Scope(NamedTuple):
    """A named policy on what is read."""

    name: str
    description: str
    apply: Callable[[str], Reading | None]
    """Pure; None where it has nothing to say."""


def _window(text: str) -> Reading | None:
    return Reading(text[-MAX_CHARS:], "") if len(text) > MAX_CHARS else None


def _channel(text: str) -> Reading | None:
    if "<" in text and "<|channel|>" in text:
        before, marker, after = text.rpartition(_FINAL_CHANNEL)
        return Reading(after, before) if marker else Reading("", text)
    if text.startswith("analysis") and "assistantfinal" in text:
        thought, _, spoken = text.rpartition("assistantfinal")
        return Reading(spoken, thought)
    return None


def _thought(text: str) -> Reading | None:
    if not ("<" in text and _ANGLE_TAG.search(text)) and "THINK]" not in text and "◁" not in text:
        return None
    spoken: list[str] = []
    thought: list[str] = []
    begin, thinking, met = 0, False, False
    for tag in _TAG.finditer(text):
        piece, begin, met = text[begin : tag.start()], tag.end(), True
        closing = any(tag.group("a", "b", "c", "d"))
        if closing and not thinking:  # the opening tag was in the prompt, or the thought spoke of the closing one
            thought += [*spoken, piece]
            spoken.clear()
        else:
            (thought if thinking else spoken).append(piece)
        thinking = not closing
    if not met:
        return None
    (thought if thinking else spoken).append(text[begin:])
    return Reading("\n".join(spoken), "\n".join(thought))


PARTS = (
    Scope("window", f"Of a long response only the last {MAX_CHARS:,} characters are read.", _window),
    Scope("channel", "Where a response has channels, only its final channel is spoken.", _channel),
    Scope(
        "thinking",
        "What stands between <think> and </think>, or the like, is not spoken; an unclosed thought lasts to the end, "
        "and a closing tag alone ends a thought that began in the prompt.",
        _thought,
    ),
)
"""Policies on what is read, in the order in which they are applied."""


def read(response: str, scopes: Iterable[Scope] = PARTS) -> Reading:
    """What is spoken and what is thought in a response, by `scopes`."""
    spoken, thoughts, names = response, list[str](), list[str]()
    for scope in scopes:
        reading = scope.apply(spoken)
        if reading is not None:
            spoken = reading.spoken
            thoughts.append(reading.thought)
            names.append(scope.name)
    return Reading(spoken, "\n".join(thoughts), tuple(names))


def end_tokens(text: str) -> list[int]:
    """Where tokens stand that end a text, first to last; at most one of each kind."""
    if "<" not in text:
        return []
    tokens = _END_TOKENS if "|" in text or "｜" in text else _END_TOKENS[:1]
    return sorted(at for token in tokens if (at := text.find(token)) >= 0)


def new_questions(text: str) -> list[int]:
    """Where the blank lines before new questions stand, first to last."""
    return [match.start() + 1 for match in islice(_QUESTION.finditer(text), MAX_QUESTIONS)]
