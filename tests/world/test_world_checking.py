import time

import pytest

from dartune.world import check_solution


@pytest.mark.parametrize(
    ("text", "n_equations", "n_false"),
    [
        ("", 0, 0),
        ("The answer is \\boxed{ 5 }", 0, 0),
        ("Then 48 + 11 = 59 . So 59 - 9 = 50 . Hence \\boxed{ 50 }", 2, 0),
        ("Then 48 + 11 = 58 . So 58 - 9 = 50 . Hence \\boxed{ 50 }", 2, 2),
        ("2 + 3 * 4 = 14 .", 1, 0),
        ("( 2 + 3 ) * 4 = 20 .", 1, 0),
        ("9 - 4 - 3 = 2 .", 1, 0),
        ("24 / 4 / 2 = 3 .", 1, 0),
        ("7 / 2 * 2 = 7 .", 1, 0),
        ("3 + 4 = 7 = 7", 2, 0),
        ("3 + 4 = 7 = 8", 2, 1),
        ("= 5", 1, 1),
        ("5 =", 1, 1),
        ("= = =", 3, 3),
        ("5 + = 5", 1, 1),
        ("( 5 = 5", 1, 1),
        ("5 ) = 5", 1, 1),
        ("5 5 = 5", 1, 1),
        ("5 / 0 = 0", 1, 1),
        ("5 / ( 3 - 3 ) = 1", 1, 1),
        ("2 + 2 = four", 1, 1),
        ("x = 4", 1, 1),
        ("2 ** 9 = 512", 1, 1),
        ("__import__('os').system('true') = 0", 1, 1),
        ("٣ + ٤ = 7", 1, 1),
        ("² = 2", 1, 1),
        ("9999999 = 9999999", 1, 1),
    ],
)
def test_equations(text: str, n_equations: int, n_false: int) -> None:
    check = check_solution(text)
    assert (check.n_equations, check.n_false) == (n_equations, n_false)
    assert check.all_true == (n_false == 0)


@pytest.mark.parametrize(
    "text",
    [
        "( " * 100_000 + "1 = 1",
        "9 * " * 100_000 + "9 = 9",
        "9" * 1_000_000 + " = 9",
        "= " * 100_000,
        "1 / 999983 + " * 30_000 + "1 = 1",
        "\0\ud800 = 1 \x1b[31m",
    ],
)
def test_hostile_text_costs_little_and_raises_nothing(text: str) -> None:
    start = time.perf_counter()
    check = check_solution(text)
    assert time.perf_counter() - start < 1.0
    assert check.n_false == check.n_equations
