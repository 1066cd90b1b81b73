"""Where Qwen2.5-Math keeps small benchmarks: in its repository, or in a copy of its evaluation/data folder."""

from dartune.queries.benchmarks.record import FolderFile, WebFile
from dartune.queries.rows import Adapter

_DATA = "https://raw.githubusercontent.com/QwenLM/Qwen2.5-Math/a45202bd16f1ec06f433442dc1152d0074773465/evaluation/data"


def qwen_sources(name: str, *, n_rows: int, sha256: str, adapt: Adapter) -> tuple[FolderFile, WebFile]:
    """The file `<name>/test.jsonl`, in the data folder or on the web."""
    file = f"{name}/test.jsonl"
    return (
        FolderFile(file=file, n_rows=n_rows, sha256=sha256, adapt=adapt),
        WebFile(url=f"{_DATA}/{file}", n_rows=n_rows, sha256=sha256, adapt=adapt),
    )
