"""Texts drawn from bytes: answers by a grammar of LaTeX, then damaged; soups of tokens; raw characters.

Any bytes give a text, equal bytes the same one, and few bytes a short one, so that a fuzzer can steer and shrink.
"""

from typing import Final, NamedTuple

TOKENS: Final = (
    *"0123456789abefixyACt+-*/^_=<>!%(){}[]|,.;:'\"$&~# \n\\", "\\frac", "\\dfrac", "\\sqrt", "\\sqrt[3]", "\\binom",
    "\\pi", "\\infty", "\\pm", "\\cdot", "\\times", "\\left", "\\right", "\\le", "\\ge", "\\ne", "\\cup", "\\cap",
    "\\setminus", "\\in", "\\mathbb{R}", "\\emptyset", "\\{", "\\}", "\\sin", "\\ln", "\\log_", "\\overline{",
    "\\text{", "\\boxed{", "\\fbox{", "\\begin{pmatrix}", "\\end{pmatrix}", "\\begin{cases}", "\\\\", "\\(", "\\)",
    "\\[", "\\]", "$$", "\\$", "\\%", "^\\circ", "\\,", "\\!", "{,}", "\\pmod{", "\\sum_{k=1}^{9}", "\\int_0^1",
    "\\prod", "10^{9}", "99999999999", "0.333", "1,000", "e5", "\\frac{1}{2}", "\\underline{\\hspace{1cm}}",
    "\\choose", "\\over", " and ", " or ", " cm", " p.m.", "4:30", "(A)", "Yes", "twelve", "million", "dollars",
    "the ", "answer is ", "Answer: ", "####", "答案是", "**", "<think>", "</think>", '{"answer": "', '"}', "</s>",
    "\n\n", "Question:", "```", "\x00", "\ud800", "\u202e", "\u200b", "\xa0", "½", "²", "√", "π", "−", "°", "≤", "∪",
    "٣", "５", "é", "__import__", "chr(111)", "eval(",
)  # fmt: skip

_LEAVES: Final = (
    "1", "2", "7", "12", "0", "-3", "0.5", "x", "y", "n", "\\pi", "e", "i", "10", "1.25", "x_1", "\\frac12", "a",
    "100", "-1",
)  # fmt: skip
_FORMS: Final = (
    "{}+{}", "{}-{}", "{}{}", "{}^{{{}}}", "\\frac{{{}}}{{{}}}", "{}/{}", "({})({})", "{}\\cdot {}",
    "\\log_{{{}}} {}", "\\sqrt[{}]{{{}}}", "({})^{{{}}}", "\\binom{{{}}}{{{}}}", "{}\\pm {}", "-{}", "({})",
    "\\sqrt{{{}}}", "|{}|", "\\sin {}", "\\ln({})", "\\left({}\\right)", "{}!", "\\lfloor {}\\rfloor",
    "\\overline{{{}}}", "e^{{{}}}", "\\cos^2 {}", "\\tan^{{-1}}({})",
)  # fmt: skip
_WHOLES: Final = (
    "{}", "({},{})", "[{},{})", "({},{}]\\cup({},\\infty)", "{}, {}", "{},{},{}", "\\{{{},{}\\}}", "\\pm {}", "x={}",
    "{}={}", "{}<{}", "{}\\le x<{}", "x\\ge {}", "f(x)={}", "\\begin{{pmatrix}}{}\\\\{}\\end{{pmatrix}}",
    "\\begin{{pmatrix}}{}&{}\\\\{}&{}\\end{{pmatrix}}", "{}\\text{{ cm}}", "{}\\%", "\\${}", "{}^\\circ", "{}_5",
    "{}:{}", "x={} \\text{{ or }} x={}", "\\{{x\\mid x>{}\\}}", "\\text{{{}}}", "\\mathbb{{R}}\\setminus\\{{{}\\}}",
    "\\langle {},{}\\rangle", "{} \\pmod{{{}}}", "{} and {}", "{} million", "\\sum_{{k=1}}^{{{}}} {}", "${}$",
)  # fmt: skip
MAX_DEPTH: Final = 4


class Texts(NamedTuple):
    """What one input of the fuzzer is about."""

    ref: str
    answer: str
    response: str
    pick: int
    """Chooses the judge and the spelling that are tried."""


class Draw:
    """Small numbers from bytes; zeros when the bytes are used up, and zero is always the choice that ends."""

    def __init__(self, data: bytes) -> None:
        self._left = iter(data)

    def below(self, n: int) -> int:
        """A number in [0, n), n at most 256."""
        return next(self._left, 0) % n

    def rest(self) -> bytes:
        """All bytes that are left."""
        return bytes(self._left)


def draw_texts(data: bytes) -> Texts:
    """A reference, an answer to be compared with it, and a response to be searched."""
    draw = Draw(data)
    pick = draw.below(256)
    ref = _answer(draw)
    answer = (_answer, lambda d: _damaged(d, ref), _soup)[draw.below(3)](draw)
    opening = ("So \\boxed{", "The answer is ", "#### ", "", "$")[draw.below(5)]
    closing = ("}", ".", "", "$", "\n")[draw.below(5)]
    middle = (answer, _soup(draw), draw.rest().decode("utf-8", "surrogateescape"))[draw.below(3)]
    return Texts(ref, answer, f"{_soup(draw)}{opening}{middle}{closing}", pick)


def _answer(draw: Draw) -> str:
    kind = draw.below(8)
    if kind == 7:
        return _soup(draw)
    whole = _WHOLES[draw.below(len(_WHOLES))]
    text = whole.format(*(_expression(draw, 0) for _ in range(4)))
    return _damaged(draw, text) if kind == 6 else text


def _expression(draw: Draw, depth: int) -> str:
    choice = draw.below(2 * len(_FORMS))
    if depth >= MAX_DEPTH or choice < len(_FORMS):
        return _LEAVES[draw.below(len(_LEAVES))]
    form = _FORMS[choice - len(_FORMS)]
    return form.format(_expression(draw, depth + 1), _expression(draw, depth + 1) if form.count("{}") > 1 else "")


def _damaged(draw: Draw, text: str) -> str:
    """A text with a few characters left out or tokens put in."""
    for _ in range(1 + draw.below(3)):
        at = draw.below(256) * (len(text) + 1) // 256
        text = text[:at] + (TOKENS[draw.below(len(TOKENS))] if draw.below(2) else "") + text[at + draw.below(2) :]
    return text


def _soup(draw: Draw) -> str:
    return "".join(TOKENS[draw.below(len(TOKENS))] for _ in range(draw.below(24)))
