"""Benchmarks by name, alone or in named groups."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from dartune.config import QueriesConfig
from dartune.errors import ConfigError
from dartune.queries import describe_sets
from dartune.queries.files import looks_like_file
from dartune.queries.wording import nearest, quoted

TITLES: Final = {
    "math/test": "MATH",
    "gsm8k/test": "GSM8K",
    "college-math/test": "College",
    "deepmind-mathematics": "DM",
    "olympiadbench/oe-to-maths-en-comp": "Olympiad",
    "theoremqa": "Theorem",
}
"""The paper's six benchmarks (section 4.1), by the names of their columns in its tables."""

GROUPS: Final = {
    "six": tuple(TITLES),
    "in-domain": ("math/test", "gsm8k/test"),
    "out-of-domain": tuple(name for name in TITLES if name not in ("math/test", "gsm8k/test")),
}
"""Name of a group -> its benchmarks."""

IN_DOMAIN: Final = frozenset((*GROUPS["in-domain"], "math/500", "gsm8k-platinum"))
"""Benchmarks of the kind whose training problems the paper samples; all others are out of domain."""


_REPEATS: Final = {"math/500": "math/test", "theoremqa/text": "theoremqa", "gsm8k-platinum": "gsm8k/test"}
"""Benchmark -> the one that its problems are from."""


def averaged(names: Iterable[str]) -> list[str]:
    """The benchmarks that an average is over: all, but those whose problems are in another one that is named."""
    asked = list(names)
    return [name for name in asked if _REPEATS.get(name) not in asked]


def choose_benchmarks(
    names: Iterable[str], *, data_dir: Path | None = None, limit: int | None = None
) -> dict[str, QueriesConfig]:
    """Name in the tables -> queries, for names of sets or groups, files of problems, and "hf:" data sets.

    `limit` keeps the first so many problems of each. A file is named by its whole path, so that it is found again when
    answers are regraded from another folder. Raises ConfigError for no names, and for an unknown one, with the
    nearest that is known.
    """
    known = [info.name for info in describe_sets()]
    by_title = {title.casefold(): name for name, title in TITLES.items()}
    chosen: dict[str, QueriesConfig] = {}
    for name in names:
        for source in GROUPS.get(name, (name,)):
            if source not in known and not _is_own(source):
                raise ConfigError(
                    f"--benchmarks: expected a named set, one of the groups {', '.join(GROUPS)}, a file or hf:DATASET, "
                    f"got {quoted(source)}{nearest(by_title.get(source.casefold(), source), [*GROUPS, *known])}; "
                    "`dartune queries list` shows the sets"
                )
            place = source if source in known or source.startswith("hf:") else str(Path(source).expanduser().resolve())
            chosen[source] = QueriesConfig(source=place, data_dir=data_dir, limit=limit)
    if not chosen:
        raise ConfigError(f"--benchmarks: expected at least one name, got none; the groups are {', '.join(GROUPS)}")
    return chosen


def _is_own(source: str) -> bool:
    return source.startswith("hf:") or looks_like_file(source) or Path(source).expanduser().exists()
