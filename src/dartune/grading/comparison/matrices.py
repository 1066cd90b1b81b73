r"""Matrices and vectors: `\begin{pmatrix}1&2\\3&4\end{pmatrix}`, entry by entry.

A matrix of one column or one row is a vector: a tuple `(1,2)` or `\langle1,2\rangle` answers it, and the reverse.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from dartune.grading.comparison.sequences import parse_sequence

MAX_ENTRIES = 256

_MATRIX = re.compile(r"(?:\(|\[)?\\begin\{([pbB]?matrix|smallmatrix|array)\}(?:\{[lcr|]*\})?(.*)\\end\{\1\}(?:\)|\])?")
_ROW = re.compile(r"\\\\|\\cr(?![a-zA-Z])")


class Matrix(NamedTuple):
    """Entries by row."""

    rows: tuple[tuple[str, ...], ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of entries of each row."""
        return tuple(len(row) for row in self.rows)

    @property
    def entries(self) -> tuple[str, ...]:
        """All entries, row by row."""
        return tuple(entry for row in self.rows for entry in row)


def decide(ref: str, answer: str, same: Callable[[str, str], bool | None]) -> bool | None:
    """Whether two canonical texts are the same matrix or vector; None where that is not certain."""
    left, right = parse_matrix(ref), parse_matrix(answer)
    if left is None and right is None:
        return None
    a, b = left or _vector(ref), right or _vector(answer)
    if a is None or b is None:
        return None
    is_vector = left is None or right is None
    if len(a.entries) != len(b.entries) or (not is_vector and a.shape != b.shape):
        return False
    if is_vector and not (_is_line(a) and _is_line(b)):
        return a.shape == b.shape and _all_same(a, b, same)
    return _all_same(a, b, same)


def _all_same(a: Matrix, b: Matrix, same: Callable[[str, str], bool | None]) -> bool | None:
    verdicts = [same(left, right) for left, right in zip(a.entries, b.entries, strict=True)]
    if False in verdicts:
        return False
    return None if None in verdicts else True


def _is_line(matrix: Matrix) -> bool:
    return len(matrix.rows) == 1 or set(matrix.shape) == {1}


def parse_matrix(text: str) -> Matrix | None:
    """The matrix that a canonical text spells in an environment of LaTeX; None where it spells none."""
    matrix = _MATRIX.fullmatch(text)
    if matrix is None or "\\begin" in matrix[2]:
        return None
    rows = [row.strip() for row in _ROW.split(matrix[2]) if row.strip() not in ("", "\\hline")]
    cells = tuple(tuple(cell.strip() for cell in row.split("&")) for row in rows)
    return Matrix(cells) if cells and sum(map(len, cells)) <= MAX_ENTRIES else None


def _vector(text: str) -> Matrix | None:
    """A tuple, or a list of lists as programs write a matrix."""
    sequence = parse_sequence(text)
    if sequence is None or sequence.brackets not in ("()", "[]", "<>"):
        return None
    rows = [parse_sequence(item) for item in sequence.items]
    if all(row is not None and row.brackets in ("()", "[]") for row in rows):
        return Matrix(tuple(row.items for row in rows if row is not None))
    return Matrix((sequence.items,))
