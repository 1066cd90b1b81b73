"""Final answers that a marker announces: "#### 5", "# Answer", "The answer is 5", "**Answer:** 5".

A marker is looked for from the end of the text by a stem, a few letters that every spelling of it holds: only where the
stem stands is a regular expression tried. The last marker that something follows decides.
"""

import re
from typing import NamedTuple

from dartune.grading.extraction.boxes import is_box
from dartune.grading.extraction.found import Found, is_empty
from dartune.grading.extraction.math_spans import MAX_MATH, math_at

MAX_LINE_ANSWER = 300
"""Longest answer, in characters, that is taken from a line of prose."""

MAX_EMPTY = 64
"""Only this many of the last places of a marker are passed over because no answer follows them."""

_MAX_LEAD = 80
_BLANKS = " \t\u00a0\u3000*_:："
_MARKS = "*_ :：,;\t\r"
_EMPHASIS = re.compile(r"(?<![\w)*])(?:\*\*|__)(?=[^\s*_])|(?<=[^\s*_])(?:\*\*|__)(?![\w(*])")
_SENTENCE_END = re.compile(
    r"\.(?=\s{1,9}[A-Z\"*(\\$#]|\s{0,9}$)|[。？।؟]|(?<=\w)\?|\s(?:because|since|which|where|as)\s|,\s(?:so|hence|which|as)\s"
)
_AFTER_MATH = re.compile(r"[\s.,;!*_)。।]*(?:\n|$)")


class Marker(NamedTuple):
    """A way to announce an answer."""

    stems: tuple[str, ...]
    pattern: re.Pattern[str]
    """Matched where the line, or `n_before` characters before the stem, begins; the answer follows its end."""
    n_before: int | None = None
    """None where the pattern begins with the line."""
    needs: tuple[str, ...] = ()
    """One of these is in every text that holds the marker."""
    wants_line: bool = False
    """Whether the answer stands on the next line that is not blank, if the marker's own line has none."""


ANSWER_IS = Marker(
    stems=("nswer", "NSWER", "olution", "esult"),
    n_before=1,
    pattern=re.compile(
        r"\b(?:answers?|(?:solutions?|results?)(?=[^\n]{0,80}?(?:is|are|be|equals)\b[ :*_]*"
        r"(?:[-−+$\\(\[{\d.√π±∅]|[a-z]\w?\s*[=<>≤≥]|true\b|false\b|yes\b|no\b)))"
        r"(?: (?:to|of|for) (?:the|this|that|your) (?:question|problem|exercise))?"
        r" (?:is|are|would be|should be|must be|equals)\b"
        r"(?: (?:therefore|thus|then|hence|simply|just|indeed|clearly))?\b *+:?[ \t]*+"
        r"(?!(?:in)?correct\b|corrected\b|wrong\b|right\b|derived\b|obtained\b|given\b|found\b|when\b|by\b|as\b|based\b"
        r"|that\b|follows\b)",
        re.I,
    ),
)
ANSWER_COLON = Marker(
    stems=("A:", "nswer:", "nswer*", "NSWER", "ns:", "A**:", "A：", "nswer："),
    pattern=re.compile(
        r"[ \t>*_#-]*(?:(?:the |my |your )?(?:final |correct )?(?:answers?|ans)|A)[*_]*[ \t]*[:：]", re.I
    ),
)
HEADING = Marker(
    stems=("nswer", "NSWER"),
    pattern=re.compile(
        r"#{1,6}[ \t*]*(?:the )?(?:final )?answer[ *]*(?:[:：]|(?=\r?\n|$|-?[\d$\\(]))"
        r"|\*{2,3}(?:the )?(?:final )?answer\*{2,3}[ \t]*(?=\r?\n)",
        re.I,
    ),
    needs=("#", "**"),
    wants_line=True,
)
HASH = Marker(
    stems=("####",),
    pattern=re.compile(
        r"#### *+(?!\d{1,2}[.):] +\D|(?:Step|Part|Case|Solution|Conclusion|Explanation|Method|Proof|Summary)\b"
        r"|(?:Verification|Calculation|Reasoning|Analysis)\b)"
        r"(?:\**(?:The )?(?:[Ff]inal )?[Aa]nswer(?: is\b|\b) *+\**:? *+)?"
    ),
    n_before=0,
)


def last_marked(text: str, marker: Marker) -> Found | None:
    """The answer after the last place of the marker that an answer follows; a box is left to the rules for boxes."""
    best, last = None, -1
    if marker.needs and not any(mark in text for mark in marker.needs):
        return None
    for stem in marker.stems:
        at, n_empty = len(text), 0
        while n_empty < MAX_EMPTY and (at := text.rfind(stem, last + 1, at)) >= 0:
            end = _end_of_marker(text, at, marker)
            if end is None:
                continue
            found = answer_after(text, end, wants_line=marker.wants_line)
            if found is not None and not is_empty(found.answer) and not is_box(found.answer):
                best, last = found, at
                break
            n_empty += 1
    return best


def _end_of_marker(text: str, stem: int, marker: Marker) -> int | None:
    begin = _line_begin(text, stem) if marker.n_before is None else max(0, stem - marker.n_before)
    match = marker.pattern.match(text, begin) if begin >= 0 else None
    return match.end() if match and match.end() > stem else None


def _line_begin(text: str, at: int) -> int:
    begin = text.rfind("\n", max(0, at - _MAX_LEAD), at)
    return begin + 1 if begin >= 0 or at <= _MAX_LEAD else -1


def answer_after(text: str, begin: int, *, wants_line: bool = False) -> Found | None:
    """The answer that begins at `begin`: a piece of math, or the line up to the end of its sentence.

    Where the line is empty, the math that opens the next one; or that line as a whole where it is the last of the text
    or `wants_line` is true.
    """
    limit = min(len(text), begin + MAX_MATH)
    begin = _skip(text, begin, limit, _BLANKS)
    if begin == limit or text[begin] not in "\r\n":
        return _on_line(text, begin, limit)
    begin = _skip(text, begin, limit, _BLANKS + "\r\n>")
    below = text.find("\n", begin, limit)
    if wants_line or below < 0 or not text[below:limit].strip():
        return _on_line(text, begin, limit)
    math = math_at(text, begin)
    return Found(math.content, complete=True) if math and _AFTER_MATH.match(text, math.end) else None


def _skip(text: str, begin: int, limit: int, chars: str) -> int:
    while begin < limit and text[begin] in chars:
        begin += 1
    return begin


def _on_line(text: str, begin: int, limit: int) -> Found | None:
    math = math_at(text, begin)
    if math is not None and _AFTER_MATH.match(text, math.end):
        return Found(math.content, complete=True)
    end = text.find("\n", begin, limit)
    line = _EMPHASIS.sub("", text[begin : end if end >= 0 else limit]).strip(_MARKS)
    sentence = _SENTENCE_END.search(line)
    if sentence:
        return Found(line[: sentence.start()][:MAX_LINE_ANSWER].strip(_MARKS), complete=True)
    return Found(line, complete=end >= 0) if len(line) <= MAX_LINE_ANSWER else None
