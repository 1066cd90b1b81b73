"""The reader of expressions and the probes: what is equal, what is not, and what is not certain."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dartune.grading.expressions import constant_ratio, read, same_value, value_of
from dartune.grading.expressions.arithmetic import PRIME, ROOT_OF_MINUS_ONE
from dartune.grading.expressions.reader import MAX_DEPTH, MAX_TOKENS
from dartune.grading.expressions.tree import Apply, Expression, Number, Symbol, add, multiply, negate, power

EQUAL = (
    ("x^2-1", "(x-1)(x+1)"),
    (r"\sqrt{12}", r"2\sqrt{3}"),
    (r"\frac{1}{\sqrt{2}}", r"\frac{\sqrt{2}}{2}"),
    (r"\sin^2x+\cos^2x", "1"),
    (r"\cos(2x)", r"1-2\sin^2x"),
    (r"\ln x+\ln y", r"\ln(xy)"),
    (r"\sqrt{x}\sqrt{y}", r"\sqrt{xy}"),
    (r"e^{i\pi}", "-1"),
    ("(1+i)^2", "2i"),
    (r"\sqrt[3]{-8}", "-2"),
    ("(x^2)^{1/3}", "x^{2/3}"),
    ("2^{n+1}", r"2\cdot2^n"),
    (r"\log_2 8", "3"),
    (r"\log 100", "2"),
    ("5!", "120"),
    (r"\binom{5}{2}", "10"),
    (r"3\frac{1}{2}", r"\frac{7}{2}"),
    (r"\sin30^\circ", r"\frac{1}{2}"),
    (r"\tan^{-1}1", r"\frac{\pi}{4}"),
    ("10^{20}+1-10^{20}", "1"),
    (r"|-3|+\lfloor2.5\rfloor", "5"),
    ("x_1+x_{12}", "x_{12}+x_1"),
    (r"\frac{x^2-1}{x-1}", "x+1"),
    (r"2^{1000000}\cdot2", "2^{1000001}"),
    (r"\sin2x\cos x", r"\cos(x)\sin(2x)"),
    ("-x^2", "-(x^2)"),
    ("1/2x", r"\frac{x}{2}"),
)
UNEQUAL = (
    ("4", "4t"),
    (r"\sqrt{x^2}", "x"),
    ("|x|", "x"),
    ("x_1", "x_2"),
    ("x'", "x"),
    (r"\frac{1+\sqrt{5}}{2}", "1.618"),
    (r"\sqrt{10^{20}+1}-10^{10}", "0"),
    (r"e^{\pi\sqrt{163}}", "262537412640768744"),
    (r"2^{1000000}", "2^{1000001}"),
    ("-x^2", "(-x)^2"),
    (r"\sin2x", r"2\sin x"),
)
UNCERTAIN = ((r"\ln|x|", r"\ln x"), (r"2\ln x", r"\ln x^2"), ("9^{9^{9^9}}", "1"), ("(10^9)!", "1"), ("1/0", "2/0"))
UNREADABLE = ("", "f(x+1)", "1 2", "x+", "(x", "x)", r"\foo", "2^10", "x__1", r"\frac{1}", "||", "=", "3..5")


def same(left: str, right: str) -> bool | None:
    a, b = read(left), read(right)
    assert a is not None, left
    assert b is not None, right
    return same_value(a, b)


@pytest.mark.parametrize(("left", "right"), EQUAL)
def test_equal(left: str, right: str) -> None:
    assert same(left, right) is same(right, left) is True


@pytest.mark.parametrize(("left", "right"), UNEQUAL)
def test_unequal(left: str, right: str) -> None:
    assert same(left, right) is same(right, left) is False


@pytest.mark.parametrize(("left", "right"), UNCERTAIN)
def test_what_is_not_certain_is_not_decided(left: str, right: str) -> None:
    assert same(left, right) is None


@pytest.mark.parametrize("text", UNREADABLE)
def test_unreadable(text: str) -> None:
    assert read(text) is None


def test_beyond_the_limits_nothing_is_read() -> None:
    assert read("+".join("x" * MAX_TOKENS)) is None
    assert read("2^" * (MAX_DEPTH + 1) + "2") is None
    assert read(r"\sin " * (MAX_DEPTH + 1) + "x") is None
    assert read("-" * (MAX_TOKENS - 1) + "1") == Number(Fraction(-1))


def test_numbers_that_would_be_astronomic_stay_unevaluated() -> None:
    assert read("9^{9^9}") == Apply("power", (Number(Fraction(9)), Number(Fraction(9**9))))


@pytest.mark.parametrize(
    ("text", "value"),
    [(r"\frac{3}{4}", 0.75), (r"2\pi", 6.283185307179586), (r"\ln3", 1.0986122886681098), ("e^2", 7.38905609893065)]
)  # fmt: skip
def test_value_of_a_constant(text: str, value: float) -> None:
    assert value_of(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["x", "1/0", "9^{9^9}", "?"])
def test_no_value(text: str) -> None:
    assert value_of(text) is None


def test_constant_ratio() -> None:
    a, b, c = read("2x+4y"), read("-x-2y"), read("x+y")
    assert a is not None
    assert b is not None
    assert c is not None
    assert constant_ratio(a, b) == pytest.approx(-2)
    assert constant_ratio(a, c) == 0


def test_the_modulus_is_what_it_is_said_to_be() -> None:
    assert PRIME % 4 == 1
    assert all(pow(base, PRIME - 1, PRIME) == 1 for base in (2, 3, 5, 7, 11, 13))
    assert ROOT_OF_MINUS_ONE**2 % PRIME == PRIME - 1


LEAVES = st.integers(-9, 9).map(lambda n: Number(Fraction(n))) | st.sampled_from("xyz").map(Symbol)
TREES: st.SearchStrategy[Expression] = st.recursive(
    LEAVES,
    lambda inner: (
        st.tuples(inner, inner).map(lambda pair: add(*pair))
        | st.tuples(inner, inner).map(lambda pair: multiply(*pair))
        | inner.map(negate)
        | st.tuples(inner, st.integers(1, 3)).map(lambda pair: power(pair[0], Number(Fraction(pair[1]))))
    ),
    max_leaves=8,
)


def text_of(expression: Expression) -> str:
    if isinstance(expression, Number):
        return f"({expression.value})"
    if isinstance(expression, Symbol):
        return expression.name
    parts = [text_of(operand) for operand in expression.operands]
    match expression.operator:
        case "add":
            return f"({parts[0]}+{parts[1]})"
        case "multiply":
            return f"{parts[0]}\\cdot {parts[1]}"
        case "negate":
            return f"(-{parts[0]})"
        case _:
            return f"({parts[0]})^{{{parts[1]}}}"


@given(tree=TREES)
@settings(max_examples=200, deadline=None)
def test_what_is_written_is_read(tree: Expression) -> None:
    back = read(text_of(tree))
    assert back is not None
    assert same_value(tree, back) is True


@given(left=TREES, right=TREES)
@settings(max_examples=200, deadline=None)
def test_probes_agree_with_algebra(left: Expression, right: Expression) -> None:
    square = multiply(add(left, right), add(left, right))
    expanded = add(add(power(left, Number(Fraction(2))), power(right, Number(Fraction(2)))), multiply(left, right))
    assert same_value(square, add(expanded, multiply(right, left))) is True
    assert same_value(square, add(square, Number(Fraction(1, 10**30)))) is False
