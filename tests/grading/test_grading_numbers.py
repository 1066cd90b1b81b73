"""Exact numbers: what is read, what equals what, and that the sizes stay bounded."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dartune.grading.comparison.compare import same_part
from dartune.grading.comparison.numbers import decide, parse_number
from dartune.grading.spelling.normalize import normalize

RATIONALS = st.fractions(max_denominator=10**6)


def _canonical(text: str) -> str:
    normal = normalize(text)
    assert normal is not None
    return normal.text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7", Fraction(7)), ("-7", Fraction(-7)), ("--7", Fraction(7)), ("1,234,567", Fraction(1234567)),
        (".5", Fraction(1, 2)), ("5.", Fraction(5)), ("3/4", Fraction(3, 4)), ("\\frac{3}{4}", Fraction(3, 4)),
        ("-\\frac{3}{-4}", Fraction(3, 4)), ("3\\frac{1}{2}", Fraction(7, 2)), ("3 1/2", Fraction(7, 2)),
        ("2\\frac{3}{2}", Fraction(3)), ("2^3", Fraction(8)), ("2^{-2}", Fraction(1, 4)),
        ("1.5\\times10^3", Fraction(1500)),
        ("2+3", Fraction(5)), ("1.5e-3", Fraction(3, 2000)),
        ("2\\cdot3/4", Fraction(3, 2)), ("(2)(3)", Fraction(6)),
    ],
)  # fmt: skip
def test_rational_numbers_are_read(text: str, value: Fraction) -> None:
    number = parse_number(_canonical(text))
    assert number is not None
    assert number.value == value


@pytest.mark.parametrize(
    "text",
    ["", "-", "x", "1,23", "1,2", "1/0", "\\frac{1}{0}", "2^", "2^10", "\\sqrt{-1}", "5!", "1e", "(5", "5)",
     "1 2", "9^9999", "1e9999", "5%%", "\\frac{1}", "\\sqrt{2}", "\\pi", "1e5",
     "(" * 100 + "1" + ")" * 99, "0^{-1}", "²"],
)  # fmt: skip
def test_other_texts_are_not_numbers(text: str) -> None:
    assert parse_number(text) is None


@given(RATIONALS)
def test_a_rational_equals_its_other_spellings(value: Fraction) -> None:
    slash = f"{value.numerator}/{value.denominator}"
    latex = f"\\frac{{{value.numerator}}}{{{value.denominator}}}"
    assert decide(slash, latex) is True


@given(RATIONALS, RATIONALS)
def test_rationals_are_equal_only_when_they_are(left: Fraction, right: Fraction) -> None:
    assert decide(_canonical(f"{left}"), _canonical(f"\\dfrac{{{right.numerator}}}{{{right.denominator}}}")) is (
        left == right
    )


@given(st.integers(-(10**30), 10**30))
def test_thousands_separators_change_nothing(value: int) -> None:
    assert decide(str(value), _canonical(f"{value:,}")) is True


@given(st.integers(1, 10**6), st.integers(1, 50))
def test_roots_are_compared_exactly(radicand: int, factor: int) -> None:
    assert same_part(f"{factor}\\sqrt{{{radicand}}}", f"\\sqrt{{{radicand * factor * factor}}}") is True
    assert same_part(f"{factor}\\sqrt{{{radicand}}}", f"\\sqrt{{{radicand * factor * factor + 1}}}") is False


@pytest.mark.parametrize(
    ("ref", "answer", "equal"),
    [
        ("1/3", "0.333333", True), ("1/3", "0.33333", False), ("2/3", "0.666667", True), ("2/3", "0.666666", True),
        ("2/3", "0.666668", False), ("0.0000012", "0.0000013", False), ("60", "59.99999999999999", True),
        ("60", "59.999999", False), ("0.03", "0.0273", False), ("\\pi", "3.14", None),
        ("50%", "1/2", True), ("50%", "50", True), ("0.5", "50", False), ("x", "5", None),
        ("101_2", "101_3", False), ("101_2", "101", False), ("101_{two}", "101_2", True), ("12_{10}", "12", True),
    ],
)  # fmt: skip
def test_decide(ref: str, answer: str, equal: bool | None) -> None:
    assert decide(ref, answer) is equal
