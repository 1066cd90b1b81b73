r"""The text of an answer in one canonical spelling, and the unit it carries.

Everything is a table of (pattern, replacement) applied in order; each pattern is linear in the text, and a text longer
than `MAX_CHARS` or nested deeper than `MAX_DEPTH` is refused before any of it. Nothing here knows the other side of the
comparison: what may be dropped for whose sake is decided in `compare`.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from dartune.grading.spelling.rare import repeating, rewrite
from dartune.grading.spelling.symbols import CHARACTERS
from dartune.grading.spelling.units import split_unit

MAX_CHARS = 2_000
"""Longest answer, in characters, that is looked at beyond string equality."""

MAX_DEPTH = 40
"""Deepest nesting of brackets that is looked at beyond string equality."""


class Normal(NamedTuple):
    """An answer in canonical spelling."""

    text: str
    unit: str = ""
    """Canonical unit or currency; "" where there is none, or none that is known."""


_TEXT_COMMAND = (
    r"(?:text(?:bf|it|rm|normal|sf|tt)?|mathrm|mathbf|mathit|mathsf|mathtt|mbox|hbox|operatorname\*?|boldsymbol|bm)"
)

_BRACKETS: dict[str, str] = {"\\lbrace": "\\{", "\\rbrace": "\\}", "\\lbrack": "[", "\\rbrack": "]"}
_SCALE: dict[str, int] = {"hundred": 2, "thousand": 3, "million": 6, "billion": 9, "trillion": 12}

_Table = list[tuple[str, str | Callable[[re.Match[str]], str]]]
"""Patterns and what stands for a match of each."""

_LATEX: _Table = [
    (r"\\(?:displaystyle|textstyle|scriptstyle|limits|nolimits|bf|it|rm)(?![a-zA-Z])", ""),
    (r"\\(?:left|right|[bB]igg?[lr]?|[bB]igg?m)(?![a-zA-Z])\s?\.?", ""),
    (r"\\(?:boxed|fbox)\s?(?=\{)", ""),
    (r"\\!|\\hspace\{[^{}]*\}|\\phantom\{[^{}]*\}", ""),
    (r"(\d)(?:\\[,;: ]|~)(?=\d{3}(?!\d))", r"\1"),
    (r"(\d)\s?\{\s?,\s?\}\s?(?=\d{3}(?!\d))", r"\1"),
    (r"(?<!\\)\\(?:[,;:>](?![a-zA-Z])| |(?:quad|qquad|enspace|thinspace)(?![a-zA-Z]))|~", " "),
    (r"\{\s?,\s?\}", ","),
    (r"\\[()]|(?<!\\)\\[\[\]]|(?<!\\)\$", " "),
    (r"\\(?:dfrac|tfrac|cfrac)(?![a-zA-Z])", r"\\frac"),
    (r"(?<![\\}\]a-zA-Z])\{\s?\}", ""),
    (r"\{([^{}\\]{1,40})\\choose\s?([^{}\\]{1,40})\}", r"\\binom{\1}{\2}"),
    (r"\\(?:dbinom|tbinom)(?![a-zA-Z])", r"\\binom"),
    (r"\\(leq?|geq?|neq?)(?:q|slant)?(?![a-zA-Z])", lambda m: "\\" + m[1][:2]),
    (r"\\(?:lbrace|lbrack|rbrace|rbrack)(?![a-zA-Z])", lambda m: _BRACKETS[m[0]]),
    (r"\\(?:ast|star)(?![a-zA-Z])", "*"),
    (r"\\(?:mid|vert|lvert|rvert)(?![a-zA-Z])", "|"),
    (r"\^\s?\{\s?((?:\\prime\s?){1,3})\}|\^\s?\\prime(?![a-zA-Z])", lambda m: "'" * max(1, m[0].count("prime"))),
    (r"\^\s?(?:\{\s?\\circ\s?\}|\\circ(?![a-zA-Z]))|\\degrees?(?![a-zA-Z])", r"^\\circ"),
    (r"\\%|\\percent(?![a-zA-Z])", "%"),
    (r"\\(?:approx|simeq)(?![a-zA-Z])\s?", r"\\approx "),
    (r"\\mathbb\s?\{?\s?([A-Z])\s?\}?", r"\\mathbb{\1}"),
    (r"\\(?:varnothing|O)(?![a-zA-Z])", r"\\emptyset"),
    (r"\\(?:infin|infty)(?![a-zA-Z])", r"\\infty"),
    (r"\\,?(?:ldots|dots|cdots)(?![a-zA-Z])", "..."),
]

_WORDS: _Table = [
    (rf"\\{_TEXT_COMMAND}\s?\{{([^{{}}]*)\}}", r" \1 "),
    (r"(?<=\d)\s{0,3}([apAP])(?:\.\s?)?[mM]\b\.?", lambda m: f" {m[1].lower()}m"),
    (
        r"^(?:is|are|equals?|be|approximately|about|exactly|roughly|around|only|just|\\approx|=|:|\s)+(?=[\s\d\\(\[$.-])",
        "",
    ),
    (r"(\d)\s{0,3}\^?\{?\s{0,2}(?:st|nd|rd|th)\b\s{0,2}\}?", r"\1"),
    (r"(\d)\s{0,3}(?:per ?cent(?:age)?|pct)\b(?: points?\b)?", r"\1%"),
    (r"(\d)\s{0,3}(hundred|thousand|million|billion|trillion)\b", lambda m: f"{m[1]}\\times10^{{{_SCALE[m[2]]}}}"),
    (r"(?<=\d)\s{1,4}to\s{1,4}(?=\d)", ":"),
    (r"\s{0,4}(?:,\s{0,4})?\b(?:and|or)\b\s?", ", "),
]

_SHAPE: _Table = [
    (r"\\(frac|binom)\s?([0-9a-zA-Z])\s?([0-9a-zA-Z])", r"\\\1{\2}{\3}"),
    (r"\\(frac|binom)\s?([0-9a-zA-Z])\s?(?=\{)", r"\\\1{\2}"),
    (r"(\\frac\s?\{[^{}]*\})\s?([0-9a-zA-Z])", r"\1{\2}"),
    (r"\\sqrt\s?([0-9a-zA-Z])", r"\\sqrt{\1}"),
    (r"(?<![a-zA-Z\\])sqrt\s?\(([^()]*)\)", r"\\sqrt{\1}"),
    (r"(?<![a-zA-Z\\])(pi|infinity|inf|oo)(?![a-zA-Z])", lambda m: "\\pi" if m[1] == "pi" else "\\infty"),
    (r"(?<![a-zA-Z\\])((?:arc)?(?:sin|cos|tan)|cot|sec|csc|ln|log|exp)(?=[\s(^\\])", r"\\\1"),
    (r"\*\* ?(\d{1,20})", r"^{\1}"),
    (r"\*\*", "^"),
    (r"(?<=\d) ?[xX] ?(?=10\^)", r"\\times"),
    (r"(?<=[)\]]) ?U ?(?=[(\[])", r"\\cup"),
    (r"^(\d{1,2}) ?([ap]m)$", r"\1:00 \2"),
    (r"^Matrix\((\[\[.*\]\])\)$", r"\1"),
    (r"^([-+]?\d+(?:\.\d*)?|[-+]?\.\d+) ?[eE] ?([-+]?\d{1,4})$", r"\1\\times10^{\2}"),
    (r"(?<=\d) (\d{1,4}) ?/ ?(\d{1,4})(?![\d.])", r"\\frac{\1}{\2}"),
    (r"(\d{0,20})\.(\d{0,20})\s?\\(?:overline|bar|dot)\s?\{(\d{1,20})\}", lambda m: repeating(m[1], m[2], m[3])),
    (r"\\\{\s?\\\}", r"\\emptyset"),
    (r"(?:\^\{[0-9n-]\}){2,}", lambda m: "^{" + m[0].replace("^", "").replace("{", "").replace("}", "") + "}"),
    (r"(?:_\{\d\}){2,}", lambda m: "_{" + m[0].replace("_", "").replace("{", "").replace("}", "") + "}"),
    (r"\^\s?\(\s?(-?\d{1,4})\s?\)", r"^{\1}"),
    (r"\^(-?\d{2,20}|-\d)(?![\d.])", r"^{\1}"),
    (r"\^(\d) (?=\d)", r"^{\1}"),
    (r"([_^])\s?\{\s?([0-9a-zA-Z])\s?\}(?!\s?\d)", r"\1\2"),
    (r"(?<!\d)(?<!\d[.,])\.(?=\d)", "0."),
    (r"(?<=\d) (?=\d{3}(?!\d| ?/))", ""),
]


_SPACE: _Table = [
    (r",\s(?!\d{3}(?!\d))", ","),
    (r"\s?([=<>+*/^_{}()\[\]|;:!%&-])\s?", r"\1"),
    (r"\s,", ","),
    (r"(\\[a-zA-Z]+) (?=[\d\\])", r"\1"),
    (r"(?<=\d) (?=[a-zA-Z\\])|(?<=[})]) (?=[a-zA-Z0-9\\])|(?<=[a-zA-Z0-9]) (?=\\)", ""),
]


_TABLES = {
    name: [(re.compile(pattern), replacement) for pattern, replacement in table]
    for name, table in {"latex": _LATEX, "words": _WORDS, "shape": _SHAPE, "space": _SPACE}.items()
}
_PLAIN_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_RUNS = re.compile(r"\s+")
_QUOTES = "'`\""
_EDGES = " .,;:*`\"'_"


@lru_cache(maxsize=4096)
def normalize(answer: str) -> Normal | None:
    """Canonical form of `answer`, or None where it exceeds the limits on length or nesting."""
    if len(answer) > MAX_CHARS or _depth(answer) > MAX_DEPTH:
        return None
    if _PLAIN_NUMBER.fullmatch(answer):
        return Normal(answer)
    text = _RUNS.sub(" ", answer.translate(CHARACTERS)).strip()
    text = _apply("latex", _strip_edges(rewrite(text)))
    text, unit = split_unit(_unwrap(_RUNS.sub(" ", text).strip()))
    text = _RUNS.sub(" ", _apply("words", text)).strip()
    text = _RUNS.sub(" ", _apply("shape", text))
    return Normal(_unwrap(_strip_edges(_apply("space", text))), unit)


def _apply(name: str, text: str) -> str:
    for pattern, replacement in _TABLES[name]:
        text = pattern.sub(replacement, text)
    return text


def _depth(text: str) -> int:
    deepest = depth = 0
    for char in text:
        if char in "{([":
            depth += 1
            deepest = max(deepest, depth)
        elif char in "})]":
            depth -= 1
    return deepest


def _strip_edges(text: str) -> str:
    stripped = text.lstrip(_EDGES).rstrip(_EDGES if text[:1] in _QUOTES else _EDGES.replace("'", ""))
    if stripped.endswith("\\") and not stripped.endswith("\\\\"):  # a spacing command such as "\," lost its last sign
        stripped = stripped[:-1].rstrip()
    begin = text.find(stripped)
    # A leading dot may be a decimal point, a trailing quote a prime.
    return "." + stripped if begin > 0 and text[begin - 1] == "." and stripped[:1].isdigit() else stripped


def _unwrap(text: str) -> str:
    """Without braces, or parentheses without a comma, around the whole; an option's letter keeps its own."""
    while len(text) > 2 and text[0] + text[-1] in ("{}", "()") and _encloses(text) and "," not in text:
        if len(text) == 3 and text[1].isalpha() and text[0] == "(":
            return text
        text = text[1:-1].strip()
    return text


def _encloses(text: str) -> bool:
    depth = 0
    for index, char in enumerate(text):
        depth += (char in "{([") - (char in "})]")
        if depth == 0:
            return index == len(text) - 1
    return False
