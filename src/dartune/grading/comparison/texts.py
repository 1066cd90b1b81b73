"""Answers in words: yes and no, names, options, times of day, words for numbers."""

import re
from typing import NamedTuple

from dartune.grading.spelling.number_words import read_number_words

MAX_REFERENCE_WORDS = 4
"""A longer reference in words is prose: other words may say the same, so inequality is not certain."""

_ALIASES = {
    "dne": "does not exist", "doesnt exist": "does not exist",
    "infinitely many solutions": "infinitely many", "t": "true", "f": "false", "yes": "true", "no": "false",
}  # fmt: skip
_IN_SYMBOLS = {
    "all real numbers": "\\mathbb{R}", "all reals": "\\mathbb{R}", "the real numbers": "\\mathbb{R}",
    "real numbers": "\\mathbb{R}", "empty set": "\\emptyset", "the empty set": "\\emptyset",
    "no solution": "\\emptyset", "no solutions": "\\emptyset", "no real solution": "\\emptyset",
    "no real solutions": "\\emptyset", "none": "\\emptyset", "positive infinity": "\\infty",
    "negative infinity": "-\\infty",
}  # fmt: skip
_SHORT_WORDS = "yes no all one two six ten odd day sun mon may jun jul red dne and or am pm"
_SHORT = frozenset(_SHORT_WORDS.split())
_TEXT = re.compile(r"[A-Za-z][A-Za-z\s.,'()?!:;\"-]*|\([A-Za-z]\)")
_ARTICLE = re.compile(r"^(?:an?|the) (?=\w)")
_WORD = re.compile(r"[a-z]+")
_TIME = re.compile(r"(\d{1,2}):(\d{2}(?::\d{2})?)(?: ?([ap]m))?")
_LETTER = re.compile(r"\(?([A-Za-z])\)?[.:)]?")
_LETTERS = re.compile(r"[A-Z]{3,20}")
"""Names of points, throws of a coin: their order counts, so they are no product."""
_OPTION = re.compile(r"^(?:the )?(?:correct )?(?:answer|option|choice)\s?(?:is )?", re.I)
_LABEL = re.compile(r"\(([A-Za-z])\)(.*)|([A-Z])[.:)](.*)|([A-Z])")


def decide(ref: str, answer: str) -> bool | None:
    """Whether two canonical texts are the same words; None where that is not certain."""
    times = _decide_times(ref, answer)
    if times is not None:
        return times
    if len(ref) == 1 == len(answer) and ref.isalpha() and answer.isalpha():
        return ref == answer
    if not is_words(ref) and ref != answer and ref.lower() == answer.lower():
        return False  # 2B and 2b are not the same
    if not is_words(ref):
        return False if is_words(answer) and any(char.isdigit() for char in ref) else None
    if not _TEXT.fullmatch(answer):
        return None if is_prose(ref) else False
    left, right = _spoken(ref), _spoken(answer)
    if left == right:
        return True
    return None if is_prose(ref) else False


def is_words(text: str) -> bool:
    """Whether a canonical text is words rather than an expression in letters."""
    if not _TEXT.fullmatch(text):
        return False
    if _LETTERS.fullmatch(text):
        return True
    words = _WORD.findall(text.lower())
    return any(len(word) >= 4 or word in _SHORT for word in words)


def is_yes_or_no(text: str) -> bool:
    """Whether a canonical text is a plain yes or no, true or false."""
    return text.lower() in ("yes", "no", "true", "false")


def is_time(text: str) -> bool:
    """Whether a canonical text is a time of day that says a.m. or p.m."""
    time = _TIME.fullmatch(text)
    return time is not None and time[3] is not None


def is_prose(text: str) -> bool:
    """Whether a canonical text is a phrase that other words may say as well."""
    return is_words(text) and len(_spoken(text).split()) > MAX_REFERENCE_WORDS


def in_symbols(text: str) -> str:
    """What words say of a number or a set, in symbols ("twelve", "all real numbers"); any other text unchanged."""
    if not text[:1].isalpha():
        return text
    words = text.lower()
    number = read_number_words(words)
    return str(number) if number is not None else _IN_SYMBOLS.get(words, text)


class Option(NamedTuple):
    """A lettered option of a multiple-choice problem."""

    letter: str
    """Capital."""
    value: str
    """What the text says after the letter."""


def read_option(text: str) -> Option | None:
    """The option that a text names: "(c)", "C", "C.", "(C) 12", "C: 12"; None where it names none."""
    label = _LABEL.fullmatch(_OPTION.sub("", text))
    if label is None:
        return None
    letter = label[1] or label[3] or label[5]
    return Option(letter.upper(), (label[2] or label[4] or "").strip())


def decide_options(ref: str, answer: str) -> bool | None:
    """Whether two canonical texts name the same option, where the reference is nothing but an option's letter."""
    left, right = read_option(ref), read_option(answer)
    if left is None or left.value:
        return None
    bare = _LETTER.fullmatch(answer)
    if right is None and not bare:
        return None
    letter = right.letter if right else bare[1].upper() if bare else ""
    return letter == left.letter if right or ref.startswith("(") else None


def _spoken(text: str) -> str:
    spoken = _ARTICLE.sub("", " ".join(_WORD.findall(text.lower().replace("'", ""))))
    if len(spoken) == 1 and text.startswith("("):
        return spoken  # the option (F) is not the word False
    return _ALIASES.get(spoken, spoken)


def _decide_times(ref: str, answer: str) -> bool | None:
    """Times of day; where only one side says a.m. or p.m. that is not held against the other."""
    left, right = _TIME.fullmatch(ref), _TIME.fullmatch(answer)
    if not left or not right:
        return None
    if not (left[3] or right[3]):
        return True if int(left[1]) == int(right[1]) and left[2] == right[2] else None
    same_half = not left[3] or not right[3] or left[3] == right[3]
    return int(left[1]) == int(right[1]) and left[2] == right[2] and same_half
