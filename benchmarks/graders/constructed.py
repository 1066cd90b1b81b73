"""Pairs of a reference and an answer whose truth is known by construction.

References come from the benchmarks. Right answers are made by respellings that keep the value; wrong ones by changes
that do not, and by the answer of another problem where both are plain numbers that differ. Polynomials are made
here, and expanded or factored by sympy.
"""

import gzip
import json
import random
import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

from graders.case import Case

FILES = ("math_test", "math_train", "olympiadbench_oe_to_maths_en_comp", "deepmind_mathematics")
N_POLYNOMIALS = 400

Change = Callable[[str], str | None]
"""A changed answer; None where the change does not apply."""

_INTEGER = re.compile(r"-?\d+")
_FRACTION = re.compile(r"(-?)\\d?frac\{(\d+)\}\{(\d+)\}")
_PAIR = re.compile(r"\((-?\d+), ?(-?\d+)\)")
_LIST = re.compile(r"-?\d+(?:, ?-?\d+)+")
_INTERVAL = re.compile(r"([(\[])([^()\[\]]+),([^()\[\]]+)([)\]])")


def _when(pattern: re.Pattern[str], change: Callable[[re.Match[str]], str | None]) -> Change:
    def apply(ref: str) -> str | None:
        match = pattern.fullmatch(ref)
        return change(match) if match else None

    return apply


def _has_no_dollar(change: Callable[[str], str]) -> Change:
    return lambda ref: change(ref) if "$" not in ref else None


RIGHT: dict[str, Change] = {
    "in dollars": _has_no_dollar(lambda ref: f"${ref}$"),
    "in parentheses": _has_no_dollar(lambda ref: rf"\({ref}\)"),
    "full stop": _has_no_dollar(lambda ref: f"{ref}."),
    "dfrac": lambda ref: ref.replace("\\frac", "\\dfrac") if "\\frac" in ref else None,
    "named": _when(_INTEGER, lambda m: f"x = {m[0]}"),
    "unit": _when(_INTEGER, lambda m: rf"{m[0]} \text{{ cm}}"),
    "noun": _when(_INTEGER, lambda m: f"{m[0]} apples"),
    "currency": _when(re.compile(r"\d+"), lambda m: rf"\${m[0]}"),
    "decimal": _when(_INTEGER, lambda m: f"{m[0]}.0"),
    "thousands": _when(re.compile(r"\d{4,12}"), lambda m: f"{int(m[0]):,}"),
    "LaTeX thousands": _when(re.compile(r"\d{4,12}"), lambda m: f"{int(m[0]):,}".replace(",", "{,}")),
    "sum": _when(re.compile(r"\d{1,9}"), lambda m: f"{int(m[0]) + 7} - 7"),
    "scaled fraction": _when(_FRACTION, lambda m: rf"{m[1]}\frac{{{3 * int(m[2])}}}{{{3 * int(m[3])}}}"),
    "slash": _when(_FRACTION, lambda m: f"{m[1]}{m[2]}/{m[3]}"),
    "spaced pair": _when(_PAIR, lambda m: rf"\left({m[1]} ,\, {m[2]}\right)"),
    "reversed list": _when(_LIST, lambda m: ", ".join(reversed(re.split(", ?", m[0])))),
    "list in words": _when(re.compile(r"(-?\d+), ?(-?\d+)"), lambda m: rf"{m[1]} \text{{ and }} {m[2]}"),
    "interval as inequality": _when(_INTERVAL, lambda m: _as_inequality(m)),
}
"""Respellings that keep the value."""

WRONG: dict[str, Change] = {
    "next integer": _when(_INTEGER, lambda m: str(int(m[0]) + 1)),
    "other sign": _when(re.compile(r"-?[1-9]\d*"), lambda m: str(-int(m[0]))),
    "another digit": _when(re.compile(r"\d{2,}"), lambda m: m[0][:-1] + str((int(m[0][-1]) + 3) % 10)),
    "with a variable": _when(re.compile(r"-?[1-9]\d*"), lambda m: f"{m[0]}t"),
    "split": _when(re.compile(r"(\d)(\d+)"), lambda m: f"{m[1]}, {m[2]}"),
    "reciprocal": _when(_FRACTION, lambda m: rf"{m[1]}\frac{{{m[3]}}}{{{m[2]}}}" if m[2] != m[3] else None),
    "rounded": _when(_FRACTION, lambda m: _rounded(int(m[2]), int(m[3]), m[1])),
    "swapped pair": _when(_PAIR, lambda m: f"({m[2]}, {m[1]})" if m[1] != m[2] else None),
    "other brackets": _when(_INTERVAL, lambda m: _other_brackets(m)),
    "one more": _when(_LIST, lambda m: f"{m[0]}, 1234567"),
    "one less": _when(_LIST, lambda m: m[0].rpartition(",")[0]),
    "another base": _when(re.compile(r"(\d+)_\{?(\d)\}?"), lambda m: f"{m[1]}_{int(m[2]) + 1}"),
    "another unit": _when(re.compile(r"(\d+)\\text\{ ?cm\}"), lambda m: rf"{m[1]}\text{{ km}}"),
    "a word": _when(_INTEGER, lambda m: "impossible"),
}
"""Changes that do not keep the value."""


def _as_inequality(match: re.Match[str]) -> str | None:
    low, high = match[2].strip(), match[3].strip()
    if "infty" in match[0]:
        return None
    if match[1] + match[4] == "()":  # a pair of numbers may be a point
        return None
    first, second = ("<" if bracket in "()" else "\\le" for bracket in (match[1], match[4]))
    return f"{low} {first} x {second} {high}"


def _other_brackets(match: re.Match[str]) -> str | None:
    if "infty" in match[0]:
        return None
    return ("[" if match[1] == "(" else "(") + f"{match[2]},{match[3]}" + match[4]


def _rounded(top: int, bottom: int, sign: str) -> str | None:
    return f"{sign}{top / bottom:.2f}" if 100 * top % bottom else None


def constructed_cases(data: Path) -> Iterator[Case]:
    """Every change of every reference that it applies to, and pairs of polynomials."""
    references = sorted({ref for name in FILES for ref in _references(data / f"{name}.jsonl.gz")})
    for ref in references:
        for right, changes in ((True, RIGHT), (False, WRONG)):
            for origin, change in changes.items():
                answer = change(ref)
                if answer is not None:
                    yield Case(ref_answer=ref, text=answer, right=right, origin=origin)
    numbers = [ref for ref in references if _INTEGER.fullmatch(ref)]
    for ref, other in pairwise(numbers):
        same = int(ref) == int(other)
        yield Case(ref_answer=ref, text=other, right=same, origin="another problem")
    yield from _polynomials()


def _references(path: Path) -> list[str]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line)["ref_answer"] for line in lines]


def _polynomials() -> Iterator[Case]:
    """Products of two factors, against their expansion and against that with another constant."""
    import sympy

    draw = random.Random(0)
    x, y = sympy.symbols("x y")
    for _ in range(N_POLYNOMIALS):
        a, b, c, d = (draw.choice([n for n in range(-9, 10) if n]) for _ in range(4))
        factored = (a * x + b * y) * (c * x**2 + d)
        expanded = sympy.expand(factored)
        ref = sympy.latex(factored)
        yield Case(ref_answer=ref, text=sympy.latex(expanded), right=True, origin="expanded")
        changed = sympy.latex(expanded + draw.choice([-1, 1]))
        yield Case(ref_answer=ref, text=changed, right=False, origin="expanded, changed")
