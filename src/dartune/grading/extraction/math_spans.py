r"""Math in running text: `$...$`, `$$...$$`, `\(...\)`, `\[...\]`, told apart from currency.

A `$` opens math, and the next one closes it, as in Pandoc: no blank stands on just one inner side of the pair, no digit
follows it, no new line is inside, and an escaped `\$` is none of both. So "costs $5 and $7" holds no math.
"""

from typing import NamedTuple

MAX_MATH = 2_000
"""Longest math, in characters, that is read."""

MAX_LINE = 10_000
"""Longest line, in characters, whose `$` are paired from its beginning."""

_PAIRS = (("$$", "$$"), ("\\[", "\\]"), ("\\(", "\\)"))


class Math(NamedTuple):
    """One piece of math in a text."""

    content: str
    start: int
    """Index of the opening mark."""
    end: int
    """Index just after the closing mark."""


def math_at(text: str, start: int) -> Math | None:
    """The math that opens at `start`, if one does and is closed within `MAX_MATH` characters."""
    limit = start + MAX_MATH
    for opening, closing in _PAIRS:
        if text.startswith(opening, start):
            return _between(text, start, len(opening), text.find(closing, start + len(opening), limit))
    if not text.startswith("$", start):
        return None
    end = _dollar(text, start + 1, limit)
    return _between(text, start, 1, end) if end >= 0 and _is_pair(text, start, end) else None


def math_before(text: str, end: int) -> Math | None:
    """The math whose closing mark ends at `end`."""
    limit = max(0, end - MAX_MATH)
    for opening, closing in _PAIRS:
        if text.startswith(closing, end - len(closing)) and end >= len(closing):
            start = text.rfind(opening, limit, end - len(closing))
            return _between(text, start, len(opening), end - len(closing)) if start >= 0 else None
    if not text.endswith("$", 0, end):
        return None
    line = text.rfind("\n", max(0, end - MAX_LINE), end) + 1
    if line == 0 and end > MAX_LINE:
        return None
    dollars = [at for at in _dollars(text, line, end) if not _is_doubled(text, at)]
    if len(dollars) % 2 or len(dollars) < 2:
        return None
    return _between(text, dollars[-2], 1, end - 1) if _is_pair(text, dollars[-2], end - 1) else None


def _between(text: str, start: int, mark: int, end: int) -> Math | None:
    content = text[start + mark : end].strip() if end >= 0 else ""
    return Math(content, start, end + mark) if content else None


def _is_pair(text: str, start: int, end: int) -> bool:
    content = text[start + 1 : end]
    if "\n" in content or content[:1].isspace() != content[-1:].isspace():
        return False
    return not text[end + 1 : end + 2].isdigit()


def _dollar(text: str, begin: int, limit: int) -> int:
    return next(iter(_dollars(text, begin, limit)), -1)


def _dollars(text: str, begin: int, limit: int) -> list[int]:
    found: list[int] = []
    at = text.find("$", begin, limit)
    while at >= 0:
        if text[at - 1 : at] != "\\":
            found.append(at)
        at = text.find("$", at + 1, limit)
    return found


def _is_doubled(text: str, at: int) -> bool:
    return text.startswith("$", at + 1) or text.endswith("$", 0, at)
