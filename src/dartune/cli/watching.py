"""Progress on standard error: live on a terminal, a line now and then elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dartune.cli.console import complain
from dartune.sampling.progress import Progress

if TYPE_CHECKING:
    from dartune.marking import MarkingProgress
    from dartune.simulation.simulate import SimulationProgress
    from dartune.training.sft import StepProgress

_LINE_EVERY_S = 10.0


@contextmanager
def watching(*, is_quiet: bool) -> Iterator[Callable[[Progress], None] | None]:
    """A watcher of sampling that shows how it goes while the block runs; None where nothing is to be shown."""
    with _shown(is_quiet=is_quiet) as show:
        yield None if show is None else lambda progress: show(progress_line(progress))


@contextmanager
def watching_steps(*, is_quiet: bool) -> Iterator["Callable[[StepProgress], None] | None"]:
    """The same for fine-tuning."""
    start = time.monotonic()
    first: list[int] = []

    def line(progress: "StepProgress") -> str:
        first[:] = first or [progress.step - 1]
        pace_s = (time.monotonic() - start) / (progress.step - first[0])
        return (
            f"step {progress.step:,} of {progress.n_steps:,}, loss {progress.loss:.3f}, "
            f"learning rate {progress.learning_rate:.2e}, {progress.tokens_per_s:,.0f} tokens/s, "
            f"{'' if progress.mfu is None else f'MFU {progress.mfu:.1%}, '}"
            f"{_clock(pace_s * (progress.n_steps - progress.step))} left"
        )

    with _shown(is_quiet=is_quiet) as show:
        yield None if show is None else lambda progress: show(line(progress))


@contextmanager
def watching_rows(*, is_quiet: bool) -> Iterator["Callable[[MarkingProgress], None] | None"]:
    """The same for grading a file."""

    def line(progress: "MarkingProgress") -> str:
        of = "" if progress.n_rows is None else f" of {progress.n_rows:,}"
        left = "" if progress.time_left_s is None else f", {_clock(progress.time_left_s)} left"
        return f"{progress.stage}: {progress.n_done:,}{of} rows, {progress.rows_per_s:,.0f}/s{left}"

    with _shown(is_quiet=is_quiet) as show:
        yield None if show is None else lambda progress: show(line(progress))


@contextmanager
def watching_simulation(*, is_quiet: bool) -> Iterator["Callable[[SimulationProgress], None] | None"]:
    """The same for a simulation."""

    def line(progress: "SimulationProgress") -> str:
        return (
            f"{progress.n_samples:,} samples and {progress.n_tokens:,} tokens simulated, "
            f"about {progress.expected_tries:,.0f} samples left"
        )

    with _shown(is_quiet=is_quiet) as show:
        yield None if show is None else lambda progress: show(line(progress))


def progress_line(progress: Progress) -> str:
    """One line: how much, how fast, how full, how long."""
    rate = progress.n_samples / progress.elapsed_s if progress.elapsed_s else 0.0
    tokens_rate = progress.n_tokens / progress.elapsed_s if progress.elapsed_s else 0.0
    left = "?" if progress.time_left_s is None else _clock(progress.time_left_s)
    fill = " ".join(f"{'-' if level is None else level}:{part.ratio:.0%}" for level, part in progress.fill.items())
    failures = f", {progress.n_failures:,} failed" if progress.n_failures else ""
    cost = f", {progress.cost:,.2f} spent" if progress.cost else ""
    if progress.budget_left is not None:
        cost += f", {progress.budget_left.share:.0%} of the budget left"
    return (
        f"{progress.n_samples:,} samples ({rate:,.0f}/s, {tokens_rate:,.0f} tokens/s), "
        f"{progress.n_correct:,} correct{failures}{cost}, {progress.n_durable:,} on disk | fill {fill} | {left} left"
    )


@contextmanager
def _shown(*, is_quiet: bool) -> Iterator[Callable[[str], None] | None]:
    if is_quiet:
        yield None
    elif sys.stderr.isatty():
        from rich.console import Console
        from rich.live import Live
        from rich.text import Text

        with Live(console=Console(stderr=True), refresh_per_second=4, transient=True) as live:
            yield lambda line: live.update(Text(line))
    else:
        yield _now_and_then()


def _now_and_then() -> Callable[[str], None]:
    last_s = time.monotonic()

    def show(line: str) -> None:
        nonlocal last_s
        if time.monotonic() - last_s >= _LINE_EVERY_S:
            last_s = time.monotonic()
            complain(line)

    return show


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
