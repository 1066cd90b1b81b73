"""Measures and their correlations as text, for a terminal or a file."""

from collections.abc import Sequence

import numpy as np

from dartune.difficulty.correlations import Coefficient, RankCorrelation
from dartune.difficulty.measures import MEASURES
from dartune.measuring.compare import Measured

_SELF = "·"
_NONE = "-"


def measures_table(measured: Measured) -> str:
    """A line for each measure: its number in the matrix, queries it says something about, mean, extremes, meaning."""
    rows: list[Sequence[str]] = [("", "measure", "queries", "mean", "least", "most", "what it measures")]
    for number, (name, values) in enumerate(measured.values.items(), start=1):
        known = values[~np.isnan(values)]
        numbers = [f"{value:.3g}" for value in (known.mean(), known.min(), known.max())] if len(known) else [_NONE] * 3
        meaning = MEASURES[name].meaning if name in MEASURES else "weighted mean of ranks"
        rows.append((str(number), name, f"{len(known):,}", *numbers, meaning))
    return _aligned(rows, n_left=2)


def matrix_table(measured: Measured) -> str:
    """Spearman's rho below the diagonal, Kendall's tau-b above."""
    names = list(measured.values)
    found = {(pair.first, pair.second): pair for pair in measured.correlations}
    rows: list[Sequence[str]] = [("", "", *(str(number) for number in range(1, len(names) + 1)))]
    for row, name in enumerate(names):
        above = [_value(found[name, other].kendall) for other in names[row + 1 :]]
        below = [_value(found[other, name].spearman) for other in names[:row]]
        rows.append((str(row + 1), name, *below, _SELF, *above))
    return _aligned(rows, n_left=2)


def pairs_table(correlations: Sequence[RankCorrelation]) -> str:
    """A line for each pair of measures: queries that count, and both coefficients with their 95 % intervals."""
    rows: list[Sequence[str]] = [("first", "second", "queries", "Spearman", "Kendall tau-b")]
    rows += [
        (pair.first, pair.second, f"{pair.n_queries:,}", _interval(pair.spearman), _interval(pair.kendall))
        for pair in correlations
    ]
    return _aligned(rows, n_left=2)


def _value(coefficient: Coefficient | None) -> str:
    return _NONE if coefficient is None else _decimal(coefficient.value)


def _interval(coefficient: Coefficient | None) -> str:
    if coefficient is None or coefficient.low is None or coefficient.high is None:
        return _value(coefficient)
    return f"{_decimal(coefficient.value)} [{_decimal(coefficient.low)}, {_decimal(coefficient.high)}]"


def _decimal(value: float) -> str:
    return f"{round(value, 2) + 0.0:.2f}"  # adding 0 turns -0 into 0


def _aligned(rows: Sequence[Sequence[str]], *, n_left: int) -> str:
    """Columns side by side: the first `n_left` to the left, the others to the right, a text in the last as it is."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            cell.ljust(width) if column < n_left or not _is_short(rows, column) else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def _is_short(rows: Sequence[Sequence[str]], column: int) -> bool:
    return max(len(row[column]) for row in rows) <= 24
