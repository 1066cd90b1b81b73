"""Where the problems of a recipe or a benchmark come from."""

from pathlib import Path

from pydantic import Field

from dartune.config.sections import Count, Section


class QueriesConfig(Section):
    """Where problems come from, and which of them."""

    source: str
    """A named set ("math/train", "world/train"), a JSONL, JSON, CSV or Parquet file, or "hf:<dataset id or folder>"."""
    columns: dict[str, str] = Field(default_factory=dict)
    """Query field (text, ref_answer, level, domain) -> column of the source, where they differ."""
    split: str = "train"
    """Split of a Hugging Face dataset."""
    data_dir: Path | None = None
    """Folder with the benchmark files; before DARTUNE_DATA and the network."""
    levels: tuple[int, ...] | None = None
    domains: tuple[str, ...] | None = None
    limit: Count | None = None
    """The first this many, after the filters; for a procedural world, how many to make."""
    sample: Count | None = None
    """A seeded sample of this many, after the filters."""
