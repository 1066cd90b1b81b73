r"""From a canonical text in LaTeX to an expression, within limits; only plain numbers are computed with.

A number next to a proper fraction is a mixed number (`3\frac{1}{2}`); letters next to each other are a product; the
argument of a function without brackets goes up to the next sign, slash or function (`\sin 2x\cos x`).
"""

import re
from fractions import Fraction
from functools import lru_cache

from dartune.grading.expressions.tree import (
    EULER,
    HALF,
    IMAGINARY,
    ONE,
    PI,
    Apply,
    Expression,
    Number,
    Symbol,
    add,
    divide,
    multiply,
    negate,
    power,
)

MAX_TOKENS = 600
MAX_DEPTH = 60
"""Deepest nesting of brackets, functions and powers that is read."""

_TOKEN = re.compile(
    r"\s+|\d{1,3}(?:,\d{3})+(?![\d,])(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+|\\[a-zA-Z]+|[a-zA-Z]|\^\\circ|\\\{|\\\}|[-+*/^_{}()\[\]|!%']"
)
_NUMBER = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+")
_TRIGONOMETRIC = frozenset(("sin", "cos", "tan", "cot", "sec", "csc"))
_INVERSES = {name: f"arc{name}" for name in _TRIGONOMETRIC}
_FUNCTIONS = {
    **{f"\\{name}": name for name in _TRIGONOMETRIC},
    "\\arcsin": "arcsin", "\\arccos": "arccos", "\\arctan": "arctan", "\\arccot": "arccot",
    "\\asin": "arcsin", "\\acos": "arccos", "\\atan": "arctan",
    "\\sinh": "sinh", "\\cosh": "cosh", "\\tanh": "tanh", "\\ln": "ln", "\\log": "log", "\\lg": "log", "\\exp": "exp",
}  # fmt: skip
_TIMES = frozenset(("\\cdot", "\\times", "*"))
_SYMBOL = re.compile(
    r"[a-zA-Z]|\\(?:alpha|beta|gamma|delta|epsilon|varepsilon|zeta|eta|theta|vartheta|iota|kappa|lambda|mu|nu|xi|rho|"
    r"sigma|tau|upsilon|phi|varphi|chi|psi|omega|Gamma|Delta|Theta|Lambda|Xi|Sigma|Phi|Psi|Omega|ell|hbar)"
)
_CONSTANTS = {"\\pi": PI, "e": EULER, "i": IMAGINARY}
_CLOSING = {"(": ")", "[": "]", "{": "}", "\\{": "\\}", "\\lfloor": "\\rfloor", "\\lceil": "\\rceil"}
_FENCES = {"\\lfloor": "floor", "\\lceil": "ceiling"}
_ACCENTS = frozenset(("\\bar", "\\hat", "\\vec", "\\tilde", "\\overline"))
_APPLIED = frozenset("fgh")
"""Letters that before a bracket are functions: f(x) is no product."""
_RADIANS_PER_DEGREE = divide(PI, Number(Fraction(180)))
_STARTS = frozenset(("(", "[", "\\frac", "\\sqrt", "\\binom")) | _ACCENTS
_SUBSCRIPT = re.compile(r"[0-9a-zA-Z]+")


class _Unreadable(Exception):
    """The text is no expression of a kind that is read here."""


@lru_cache(maxsize=1024)
def read(text: str) -> Expression | None:
    """The expression that a canonical text spells; None where it spells none, or one beyond the limits."""
    tokens = _TOKEN.findall(text)
    if not tokens or len(tokens) > MAX_TOKENS or sum(map(len, tokens)) != len(text):
        return None
    reader = _Reader([token for token in tokens if not token.isspace()])
    try:
        expression = reader.sum()
    except (_Unreadable, ZeroDivisionError):
        return None
    return expression if reader.at_end() else None


class _Reader:
    """Recursive descent over the tokens; raises `_Unreadable` at anything that it does not know."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = [*tokens, ""]
        self._position = 0
        self._depth = 0
        self._in_angle = False
        self._in_bars = False

    def at_end(self) -> bool:
        return not self._tokens[self._position]

    def sum(self) -> Expression:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _Unreadable
        total = self._product()
        while (token := self._peek()) in ("+", "-"):
            self._position += 1
            term = self._product()
            total = add(total, negate(term) if token == "-" else term)
        self._depth -= 1
        return total

    def _peek(self, ahead: int = 0) -> str:
        index = self._position + ahead
        return self._tokens[index] if index < len(self._tokens) else ""

    def _next(self) -> str:
        token = self._tokens[self._position]
        if token:
            self._position += 1
        return token

    def _take(self, token: str) -> bool:
        if self._tokens[self._position] != token:
            return False
        self._position += 1
        return True

    def _expect(self, token: str) -> None:
        if not self._take(token):
            raise _Unreadable

    def _sign(self) -> int:
        sign = 1
        while self._peek() in ("-", "+"):
            sign = -sign if self._next() == "-" else sign
        return sign

    def _product(self) -> Expression:
        sign = self._sign()
        product = self._mixed() or self._power()
        while token := self._peek():
            if token in _TIMES or token == "/":
                self._position += 1
                inner = self._sign()
                factor = self._power()
                factor = negate(factor) if inner < 0 else factor
                product = divide(product, factor) if token == "/" else multiply(product, factor)
            elif self._starts_factor(token):
                product = multiply(product, self._power())
            else:
                break
        return negate(product) if sign < 0 else product

    def _starts_factor(self, token: str) -> bool:
        if token == "|":
            return not self._in_bars
        if token[0].isdigit() or token[0] == ".":  # two numbers side by side are no product
            return not _NUMBER.fullmatch(self._tokens[self._position - 1])
        return (
            token in _STARTS
            or token in _CONSTANTS
            or token in _FUNCTIONS
            or (token in _FENCES or _SYMBOL.fullmatch(token) is not None)
        )

    def _mixed(self) -> Expression | None:
        r"""A whole number with a proper fraction after it, `3\frac{1}{2}`; None where there is none."""
        ahead = self._tokens[self._position : self._position + 8]
        if len(ahead) < 8 or not ahead[0].isdigit() or ahead[1] != "\\frac" or ahead[2] + ahead[4] != "{}":
            return None
        if ahead[5] + ahead[7] != "{}" or not (ahead[3].isdigit() and ahead[6].isdigit()):
            return None
        top, bottom = int(ahead[3][:100]), int(ahead[6][:100])
        if top >= bottom or self._peek(8) == "^":
            return None
        self._position += 8
        return Number(Fraction(ahead[0]) + Fraction(top, bottom))

    def _power(self) -> Expression:
        base = self._postfix(self._atom())
        if not self._take("^"):
            return base
        return self._postfix(power(base, self._exponent()))

    def _postfix(self, operand: Expression) -> Expression:
        while token := self._peek():
            if token == "!":
                operand = Apply("factorial", (operand,))
            elif token == "%":
                operand = divide(operand, Number(Fraction(100)))
            elif token == "^\\circ":
                operand = multiply(operand, _RADIANS_PER_DEGREE) if self._in_angle else operand
            else:
                break
            self._position += 1
        return operand

    def _exponent(self) -> Expression:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _Unreadable
        token = self._peek()
        if token == "{":
            exponent = self._group("{")
        elif token in ("-", "+"):
            self._position += 1
            exponent = negate(self._exponent()) if token == "-" else self._exponent()
        elif token == "(":
            exponent = self._group("(")
        elif _NUMBER.fullmatch(token) and len(token) > 1 and token.isdigit():
            raise _Unreadable  # LaTeX reads 2^10 as (2^1)0, most writers do not
        else:
            exponent = self._atom()
        self._depth -= 1
        return exponent

    def _group(self, opening: str) -> Expression:
        self._expect(opening)
        bars, self._in_bars = self._in_bars, False
        inner = self.sum()
        self._in_bars = bars
        self._expect(_CLOSING[opening])
        return inner

    def _atom(self) -> Expression:
        token = self._peek()
        if not token:
            raise _Unreadable
        if _NUMBER.fullmatch(token):
            self._position += 1
            return Number(Fraction(token.replace(",", "")))
        if token in ("(", "[", "{"):
            return self._group(token)
        if token in _FENCES:
            return Apply(_FENCES[token], (self._group(token),))
        if token == "|":
            return self._absolute()
        self._position += 1
        if token in _FUNCTIONS:
            return self._function(_FUNCTIONS[token])
        if token == "\\frac":
            return divide(self._parameter(), self._parameter())
        if token == "\\binom":
            return Apply("binomial", (self._parameter(), self._parameter()))
        if token == "\\sqrt":
            return self._root()
        if token in _ACCENTS:
            return self._accented(token)
        return self._symbol(token)

    def _absolute(self) -> Expression:
        self._expect("|")
        if self._in_bars:
            raise _Unreadable
        self._in_bars = True
        inner = self.sum()
        self._in_bars = False
        self._expect("|")
        return Apply("abs", (inner,))

    def _root(self) -> Expression:
        if self._take("["):
            degree = self.sum()
            self._expect("]")
            return power(self._parameter(), divide(ONE, degree))
        return power(self._parameter(), HALF)

    def _parameter(self) -> Expression:
        """What a command is given: a group in braces, or a single digit or symbol."""
        token = self._peek()
        if token == "{":
            return self._group("{")
        if len(token) == 1 and token.isdigit():
            self._position += 1
            return Number(Fraction(token))
        if _SYMBOL.fullmatch(token) or token in _CONSTANTS:
            self._position += 1
            return _CONSTANTS.get(token, Symbol(token))
        raise _Unreadable

    def _symbol(self, token: str) -> Expression:
        if not _SYMBOL.fullmatch(token) and token not in _CONSTANTS:
            raise _Unreadable
        primes = ""
        while self._take("'"):
            primes += "'"
        if self._take("_"):
            return Symbol(f"{token}_{self._subscript()}{primes}")
        if token in _APPLIED and self._peek() == "(":
            return self._applied(token + primes)
        return Symbol(token + primes) if primes else _CONSTANTS.get(token, Symbol(token))

    def _applied(self, name: str) -> Symbol:
        """An unknown function of one symbol or number, f(x), which is a symbol of its own."""
        argument = self._peek(1)
        if self._peek(2) != ")" or not (_SYMBOL.fullmatch(argument) or argument.isdigit()):
            raise _Unreadable
        self._position += 3
        return Symbol(f"{name}({argument})")

    def _accented(self, accent: str) -> Symbol:
        self._expect("{")
        return Symbol(f"{accent}{{{self._name()}}}")

    def _subscript(self) -> str:
        if not self._take("{"):
            name = self._next()
            if not _SUBSCRIPT.fullmatch(name):
                raise _Unreadable
            return name
        return self._name()

    def _name(self) -> str:
        """Letters and digits up to the closing brace."""
        name = ""
        while (token := self._next()) != "}":
            if not _SUBSCRIPT.fullmatch(token):
                raise _Unreadable
            name += token
        return name

    def _function(self, name: str) -> Expression:
        base = None
        if name == "log" and self._take("_"):
            base = self._group("{") if self._peek() == "{" else self._atom()
        exponent = self._exponent() if self._take("^") else None
        if exponent == Number(Fraction(-1)) and name in _INVERSES:
            name, exponent = _INVERSES[name], None
        angle, self._in_angle = self._in_angle, name in _TRIGONOMETRIC
        operand = self._argument()
        self._in_angle = angle
        applied = Apply("log", (operand, base or Number(Fraction(10)))) if name == "log" else _apply(name, operand)
        return power(applied, exponent) if exponent is not None else applied

    def _argument(self) -> Expression:
        """What a function applies to: what is in brackets after it, or the product up to the next function."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _Unreadable
        token = self._peek()
        if token in ("(", "{", "["):
            operand = self._postfix(self._group(token))
        else:
            sign = self._sign()
            operand = self._power()
            while (token := self._peek()) and self._starts_factor(token) and token not in ("(", "[", *_FUNCTIONS):
                operand = multiply(operand, self._power())
            operand = negate(operand) if sign < 0 else operand
        self._depth -= 1
        return operand


def _apply(name: str, operand: Expression) -> Expression:
    return power(EULER, operand) if name == "exp" else Apply(name, (operand,))
