r"""Spellings that few answers have, rewritten before all others.

Each row has a cue, a few characters without which its pattern cannot match: it is looked for first, so that answers
without it pay next to nothing.
"""

import re
from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple


class Rewrite(NamedTuple):
    """A pattern, what stands for a match of it, and what any match holds."""

    cue: str
    pattern: re.Pattern[str]
    replacement: str | Callable[[re.Match[str]], str]


_TEXT = r"\\(?:text|mathrm|mbox|rm)\s?\{\s?"
_AROUND = re.compile(
    r"\\(?:text(?:bf|it|rm|normal|sf|tt)?|math(?:bf|rm|it|sf)|mbox|boldsymbol|bm|underline|ensuremath)\s?(?=\{)"
)
_MARKED = re.compile(r"(?:\$|\\\(|\\\[)([^$]+?)(?:\$|\\\)|\\\])$")


def repeating(whole: str, prefix: str, period: str) -> str:
    """The fraction that a decimal with a period is."""
    scale = 10 ** len(prefix)
    value = Fraction(int(whole + prefix or "0"), scale) + Fraction(int(period), scale * (10 ** len(period) - 1))
    return f"\\frac{{{value.numerator}}}{{{value.denominator}}}"


_ROWS: list[tuple[str, str, str | Callable[[re.Match[str]], str]]] = [
    # LaTeX that only looks, or whose backslash was doubled or lost.
    ("\\\\", r"(?<!\\)\\\\(?=(?:[dt]?frac|sqrt|pi|text|left|right|cdot|times|boxed)(?![a-z]))", r"\\"),
    ("\\\\", r"\\\\\s?$", ""),
    ("frac", r"(?<![\\a-zA-Z])frac(?=\{)|\\(?:nice|s)frac(?=\s?\{)", r"\\frac"),
    ("\\", r"\\(?:[lL]arge|LARGE|small|normalsize|[hH]uge|checkmark|blacksquare|square|qed)(?![a-zA-Z])", ""),
    ("\\", r"\\(?:tag|label)\s?\{[^{}]{0,40}\}", ""),
    ("\\displaystyle", r"^\s?\\displaystyle(?![a-zA-Z])\s?", ""),
    ("dots", r"\\[lc]?dots(?![a-zA-Z])", "..."),
    ("color", r"\\(?:text)?color(?:box)?\s?\{[a-zA-Z]{1,20}\}", ""),
    ("aligne", r"\\(?:begin|end)\s?\{aligned\}|(?<=\s)&(?=\s?=)|&(?==)", ""),
    ("align", r"\\(?:begin|end)\s?\{align\*?\}|&(?==)", ""),
    ("equation", r"\\(?:begin|end)\s?\{equation\*?\}", ""),
    ("cases", r"\\begin\s?\{cases\}([^&]{1,400}?)\\end\s?\{cases\}", lambda m: m[1].replace("\\\\", ",")),
    ("\\middle", r"\\middle\s?(?=[|.])", ""),
    # Signs.
    ("\\gt", r"\\gt(?![a-zA-Z])", ">"),
    ("\\lt", r"\\lt(?![a-zA-Z])", "<"),
    ("<=", r"<=(?!>)", r"\\le "),
    (">=", r">=", r"\\ge "),
    ("\\lor", r"\\lor(?![a-zA-Z])", ","),
    ("\\bigcup", r"\\bigcup(?![a-zA-Z])", r"\\cup"),
    # Roots: √10 and \sqrt10 are the root of ten, whatever TeX makes of the second.
    ("\\sqrt", r"\\sqrt\s?(\d{2,20})", r"\\sqrt{\1}"),
    ("\\sqrt", r"\\sqrt\s?\(([^()]{1,80})\)", r"\\sqrt{\1}"),
    ("sqrt", r"(?<![a-zA-Z\\])sqrt\s?(\d{1,20}|[a-zA-Z](?![a-zA-Z]))", r"\\sqrt{\1}"),
    ("cbrt", r"(?<![a-zA-Z\\])cbrt\s?\(([^()]{1,80})\)", r"\\sqrt[3]{\1}"),
    # Decimals with a period.
    (
        "...",
        r"(\d{0,20})\.(\d{0,20}?)(?:(\d)\3\3+|(\d{2,6}?)\4+)\s?\.\.\.",
        lambda m: repeating(m[1], m[2], m[3] or m[4]),
    ),
    (".", r"(\d{0,20})\.(\d{0,20})\((\d{1,20})\)", lambda m: repeating(m[1], m[2], m[3])),
    ("\\bar", r"(?<=[.\d])\\bar\s?(\d)", r"\\bar{\1}"),
    # An approximation beside the exact value.
    ("\\approx", r"(?<!\\)\(\s?\\approx\s?([^()]{1,40})\)\s?$", r"\\approx \1"),
    (
        "bout",
        r"(?<=\S)[\s,]{0,3}(?:\\text\s?\{\s?)?(?:or|which is)\s{1,3}about\s{0,3}\}?(?=[\s\d\\$.-])",
        r"\\approx ",
    ),
    (
        "roxima",
        r"(?<=\S)[\s,]{0,3}(?:\\text\s?\{[\s,]{0,3})?(?:or\s|which is\s)?\s?approximately\s{0,3}\}?(?=[\s\d\\$.-])",
        r"\\approx ",
    ),
    # Units.
    ("\\circ", rf"\\circ\s?\}}?\s?{_TEXT}([CF])\s?\}}", r"\\circ \1"),
    (
        "\\frac",
        rf"\\frac\s?\{{\s?{_TEXT}([a-zA-Z]{{1,12}})\s?\}}\s?\}}\s?\{{\s?{_TEXT}([a-zA-Z]{{1,12}})\s?\}}"
        r"(?:\^\{?(\d)\}?)?\s?\}",
        lambda m: f" \\text{{{m[1]}/{m[2]}{'^' + m[3] if m[3] else ''}}}",
    ),
    # Intervals with their brackets turned outwards.
    ("]", r"^\]([^\[\]()]{1,80},[^\[\]()]{1,80})\[$", r"(\1)"),
    ("]", r"^\]([^\[\]()]{1,80},[^\[\]()]{1,80})\]$", r"(\1]"),
    ("[", r"^\[([^\[\]()]{1,80},[^\[\]()]{1,80})\[$", r"[\1)"),
    # Bases and times.
    ("base", r"(?<=\w)\s?(?:\\text\s?\{\s?)?\(?base\s?-?(\d{1,2})\)?\s?\}?$", r"_{\1}"),
    ("_{(", r"_\{\((\d{1,2})\)\}", r"_{\1}"),
    # What labels an answer that is not words.
    ("nswer", r"^(?:\\text\s?\{)?\s?(?:the |final )*answer(?:\s?:|\sis:?)\s?\}?\s?(?=[\d\\$(-]|\.\d)", ""),
    ("otal", r"^(?:\\text\s?\{)?\s?total(?:\s?:|\sis:?)\s?\}?\s?(?=[\d\\$(.-])", ""),
]
REWRITES = tuple(Rewrite(cue, re.compile(pattern, re.I), to) for cue, pattern, to in _ROWS)
"""In the order in which they are applied."""

_CJK_UNIT = re.compile(
    r"(?<=[\d})])\s?[个種种元米厘千克公斤里人次天岁度平方立分秒小时只本条颗张名位块辆支棵页件套组双对升毫吨年月日]{1,4}$"
)


def rewrite(text: str) -> str:
    """A text with its rare spellings replaced by usual ones."""
    marked = _MARKED.match(text)
    if marked is not None:
        text = marked[1].strip()
    for row in REWRITES:
        if row.cue in text:
            text = row.pattern.sub(row.replacement, text)
    if text and text[-1] > "\u3fff":
        text = _CJK_UNIT.sub("", text)
    return _opened(text)


def _opened(text: str) -> str:
    r"""Without a command for another font around the whole: `\mathbf{\frac{1}{2}}`, `\text{7 cm}`."""
    text = text.removesuffix(".") if text.endswith("}.") else text
    while text[:2] == "{\\" and _AROUND.match(text, 1) and _closes_last(text, 0):
        text = text[1:-1].strip()
    while (around := _AROUND.match(text)) and _closes_last(text, around.end()):
        inner = text[around.end() + 1 : -1].strip()
        if not (inner[:1].isdigit() or inner[:1] in "-\\$."):
            break
        text = inner
    return text


def _closes_last(text: str, begin: int) -> bool:
    """Whether the brace that opens at `begin` is closed by the last character."""
    depth = 0
    for index in range(begin, len(text)):
        depth += (text[index] == "{") - (text[index] == "}")
        if depth == 0:
            return index == len(text) - 1
    return False
