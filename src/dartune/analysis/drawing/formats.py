"""Numbers as people read them in tables, figures and sentences."""

from dartune.evaluation.metrics import Estimate, Score
from dartune.evaluation.significance import SeedMean

MISSING = "–"


def count(value: float) -> str:
    """A count with commas; a mean of counts is rounded to a whole number."""
    return f"{round(value):,}"


def percent(value: float | None) -> str:
    """A fraction as per cent with one decimal, without the sign."""
    return MISSING if value is None else f"{100 * value:.1f}"


def interval(estimate: Estimate | Score) -> str:
    """A fraction and its interval as per cent: "84.7 [83.0, 86.2]"."""
    value = estimate.accuracy if isinstance(estimate, Score) else estimate.value
    return f"{percent(value)} [{percent(estimate.low)}, {percent(estimate.high)}]"


def plus_minus(estimate: Estimate | Score) -> str:
    """A fraction and the longer arm of its interval as per cent: "84.7 ±1.6"."""
    value = estimate.accuracy if isinstance(estimate, Score) else estimate.value
    return f"{percent(value)} ±{percent(max(value - estimate.low, estimate.high - value))}"


def over_seeds(mean: SeedMean) -> str:
    """A fraction over seeds as per cent: "84.7 ±0.2", or without an interval for a single seed."""
    return percent(mean.mean) if mean.high is None else f"{percent(mean.mean)} ±{percent(mean.high - mean.mean)}"


def points(value: float | None) -> str:
    """A difference of fractions in percentage points, always signed."""
    if value is None:
        return MISSING
    rounded = round(100 * value, 1) + 0.0  # turns -0.0 into 0.0
    return f"{rounded:+.1f}".replace("-", "−")


def p_value(value: float | None) -> str:
    """A p value with three decimals, "<0.001" below that."""
    if value is None:
        return MISSING
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def duration(seconds: float) -> str:
    """Seconds as "3.2 s", "2 min 05 s" or "1 h 04 min"."""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def level_name(level: int | None) -> str:
    """The label of a level; queries without one are "no level"."""
    return "no level" if level is None else str(level)


def listing(parts: list[str]) -> str:
    """Parts in a sentence: "a, b and c"."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""
