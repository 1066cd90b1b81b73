"""What is known of a published benchmark: how many rows it has and where copies of it are."""

from collections.abc import Callable
from dataclasses import dataclass

from dartune.queries.columns import CANONICAL
from dartune.queries.hub import HubDataset
from dartune.queries.rows import Adapter, RawRow

Keep = Callable[[RawRow], bool]
"""Whether a row of a file belongs to the set."""


def _every_row(raw: RawRow) -> bool:
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderFile:
    """A file of the data folder, with the columns query, ref_answer, level, domain."""

    file: str
    n_rows: int
    """Rows that are kept."""
    sha256: str
    """Of the whole file."""
    adapt: Adapter = CANONICAL
    keep: Keep = _every_row

    def __str__(self) -> str:
        return f"data folder ({self.file})"

    @property
    def label(self) -> str:
        """Short name for lists."""
        return "data folder"


@dataclass(frozen=True, slots=True, kw_only=True)
class HubCopy:
    """A copy on the Hugging Face hub, at a pinned commit where one is known; its subsets are read in order."""

    datasets: tuple[HubDataset, ...]
    n_rows: int
    adapt: Adapter

    def __str__(self) -> str:
        first, n = self.datasets[0], len(self.datasets)
        return str(first) if n == 1 else f"hf:{first.path} ({first.split} of {n} subsets)"

    @property
    def label(self) -> str:
        """Short name for lists."""
        return f"hf:{self.datasets[0].path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebFile:
    """A file of a public repository at a pinned commit, fetched over https."""

    url: str
    n_rows: int
    sha256: str
    adapt: Adapter
    keep: Keep = _every_row

    def __str__(self) -> str:
        return self.url

    @property
    def label(self) -> str:
        """Short name for lists: the host and the repository."""
        return "/".join(self.url.split("/")[2:5])


Source = FolderFile | HubCopy | WebFile
"""Where a benchmark may be found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """A named set of problems and its sources in the order in which they are tried."""

    name: str
    description: str
    n_rows: int
    """Rows of the first source; another may have more or fewer and says so."""
    levels: tuple[int, ...] = ()
    n_domains: int = 0
    remark: str = ""
    """Added to the error where no source answers."""
    judged_by: str = ""
    """Judge that grades its answers; by default that of its own name."""
    contamination: str = ""
    """What is known of its problems being in training data, with the source."""
    sources: tuple[Source, ...]

    @property
    def judge(self) -> str:
        """Name of the judge that grades its answers: that of the benchmark, whatever the split."""
        return self.judged_by or self.name.partition("/")[0]
