"""What a file is marked by, and how a job is known again."""

from dataclasses import dataclass
from pathlib import Path

from dartune import __version__


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkingJob:
    """One file of responses and the file that is to hold it with grades."""

    source: Path
    """A .jsonl, .jsonl.gz or .parquet file with the columns ref_answer and response, and if it likes query,
    finish_reason and what the judge reads."""
    out: Path
    """Of any of these kinds; it gets all columns of the source, and answer, verdict and rule."""
    judge: str = "default"
    lenient: bool = False
    """Whether the last number of a response without any answer marker counts as its answer."""

    def identity(self) -> dict[str, object]:
        """All that the grades depend on; the content of the source stands for itself by size and time of change."""
        state = self.source.stat()
        return {
            "source": self.source.name,
            "source_bytes": state.st_size,
            "source_modified_ns": state.st_mtime_ns,
            "judge": self.judge,
            "lenient": self.lenient,
            "dartune_version": __version__,
        }


def difference(stored: dict[str, object], given: dict[str, object]) -> str:
    """What differs between two identities, with both values; empty where nothing does."""
    return "; ".join(
        f"{key}: there {stored.get(key)!r}, given {value!r}" for key, value in given.items() if stored.get(key) != value
    )
