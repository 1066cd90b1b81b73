"""A grader of strings in the manner of PRM800K's: normalise, compare as text, then as numbers, element by element.

Written for this comparison: strings are normalised, tuples and intervals split, and elements that are the same string
or the same number are equal. There is no algebra.
"""

import re
from fractions import Fraction

_MARKERS = re.compile(r"(?:####|answer is:?|A:|\*\*answer:\*\*)\s*([^\n]*)", re.IGNORECASE)
_DROPPED = re.compile(
    r"\\left|\\right|\\!|\\,|\\ |\\text\{[^{}]*\}|\\mbox\{[^{}]*\}|\^\\circ|\^\{\\circ\}|\\%|%|\\\$|\$|\s"
)
_FRACTION = re.compile(r"(-?)\\frac\{?(\d+)\}?\{?(\d+)\}?")
_THOUSANDS = re.compile(r"(\d),(?=\d{3}(?:\D|$))")


def extract(response: str) -> str | None:
    """The last box, or what stands after the last marker."""
    start = response.rfind("\\boxed{")
    if start >= 0:
        depth = 0
        for index in range(start + 6, len(response)):
            depth += (response[index] == "{") - (response[index] == "}")
            if not depth:
                return response[start + 7 : index]
        return None
    found = _MARKERS.findall(response)
    return found[-1].strip().rstrip(".") if found else None


def equal(ref: str, answer: str) -> bool:
    """Whether two answers are the same once normalised."""
    left, right = _normalize(ref), _normalize(answer)
    if left == right:
        return True
    if left[:1] + left[-1:] != right[:1] + right[-1:] and any(text[:1] in "([" for text in (left, right)):
        return False
    first, second = _elements(left), _elements(right)
    return len(first) == len(second) and all(_same(a, b) for a, b in zip(first, second, strict=True))


def _normalize(text: str) -> str:
    text = text.replace("dfrac", "frac").replace("tfrac", "frac").replace("{,}", "").rstrip(".")
    text = _DROPPED.sub("", text).removeprefix("x=")
    return _THOUSANDS.sub(r"\1", text)


def _elements(text: str) -> list[str]:
    return text.strip("()[]").split(",") if text[:1] in "([" or "," in text else [text]


def _same(a: str, b: str) -> bool:
    if a == b:
        return True
    left, right = _number(a), _number(b)
    return left is not None and left == right


def _number(text: str) -> Fraction | None:
    fraction = _FRACTION.fullmatch(text)
    try:
        return Fraction(f"{fraction[1]}{fraction[2]}/{fraction[3]}") if fraction else Fraction(text)
    except (ValueError, ZeroDivisionError):
        return None
