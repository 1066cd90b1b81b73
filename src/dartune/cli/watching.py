"""The sampler's progress, live on a terminal and as a line now and then elsewhere."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from dartune.cli.console import complain
from dartune.sampling.progress import Progress
from dartune.sampling.run import Watcher

_LINE_EVERY_S = 10.0


def progress_line(progress: Progress) -> str:
    """One line: how much, how fast, how full, how long."""
    rate = progress.n_samples / progress.elapsed_s if progress.elapsed_s else 0.0
    tokens_rate = progress.n_tokens / progress.elapsed_s if progress.elapsed_s else 0.0
    left = "?" if progress.time_left_s is None else _clock(progress.time_left_s)
    fill = " ".join(f"{'-' if level is None else level}:{part.ratio:.0%}" for level, part in progress.fill.items())
    failures = f", {progress.n_failures:,} failed" if progress.n_failures else ""
    return (
        f"{progress.n_samples:,} samples ({rate:,.0f}/s, {tokens_rate:,.0f} tokens/s), "
        f"{progress.n_correct:,} correct{failures}, {progress.n_durable:,} on disk | fill {fill} | {left} left"
    )


@contextmanager
def watching(*, is_quiet: bool) -> Iterator[Watcher | None]:
    """A watcher that shows progress on standard error while the block runs."""
    if is_quiet:
        yield None
    elif sys.stderr.isatty():
        from rich.console import Console
        from rich.live import Live
        from rich.text import Text

        with Live(console=Console(stderr=True), refresh_per_second=4, transient=True) as live:
            yield lambda progress: live.update(Text(progress_line(progress)))
    else:
        yield _Lines().show


class _Lines:
    def __init__(self) -> None:
        self._last_s = 0.0

    def show(self, progress: Progress) -> None:
        if progress.elapsed_s - self._last_s >= _LINE_EVERY_S:
            self._last_s = progress.elapsed_s
            complain(progress_line(progress))


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
