"""Whole numbers in English words: "twelve", "twenty-five", "three hundred and four thousand"."""

import re
from collections.abc import Sequence

_SMALL_WORDS = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
eighteen nineteen
"""
_SMALL = {word: value for value, word in enumerate(_SMALL_WORDS.split())}
_TENS_WORDS = "twenty thirty forty fifty sixty seventy eighty ninety"
_TENS = {word: value for value, word in zip(range(20, 100, 10), _TENS_WORDS.split(), strict=True)}
_SCALES = (("million", 10**6), ("thousand", 10**3), ("hundred", 10**2))
_WORD = re.compile(r"[a-z]+")
_TEXT = re.compile(r"[a-z]+(?:(?:[ -]| ?(?<=hundred),| and )[a-z]+){0,12}")
"""Words with spaces, hyphens or "and" between them; `normalize` turns "and" into a comma."""


def read_number_words(text: str) -> int | None:
    """The number that a text in small letters names; None where it names none."""
    if not _TEXT.fullmatch(text):
        return None
    return _value([word for word in _WORD.findall(text) if word != "and"])


def _value(words: Sequence[str]) -> int | None:
    for name, scale in _SCALES:
        if name in words:
            at = words.index(name)
            head = _value(words[:at])
            rest = _value(words[at + 1 :]) if words[at + 1 :] else 0
            return None if not head or head >= 1000 or rest is None or rest >= scale else head * scale + rest
    if len(words) == 1:
        return _SMALL.get(words[0], _TENS.get(words[0]))
    if len(words) == 2 and words[0] in _TENS and 1 <= _SMALL.get(words[1], 0) <= 9:
        return _TENS[words[0]] + _SMALL[words[1]]
    return None
