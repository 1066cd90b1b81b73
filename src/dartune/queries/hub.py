"""Rows of a Hugging Face dataset: an id on the hub, or a local folder in the hub's layout.

Reading goes through the `datasets` library, which keeps what it fetched in its own cache.
"""

import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dartune.errors import DataError, MissingExtra
from dartune.queries.rows import NumberedRow
from dartune.queries.wording import one_line, quoted

if TYPE_CHECKING:
    import datasets

_PROBE_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HubDataset:
    """One split of one subset of a dataset."""

    path: str
    """An id such as "openai/gsm8k", or a folder."""
    split: str
    subset: str | None = None
    """Name of the dataset's configuration; None takes the default one."""
    revision: str | None = None
    """Commit or branch on the hub."""

    def __str__(self) -> str:
        subset = f":{self.subset}" if self.subset else ""
        revision = f"@{self.revision[:12]}" if self.revision else ""
        return f"hf:{self.path}{subset}{revision} ({self.split})"


def parse_hub_name(name: str, split: str) -> HubDataset:
    """The dataset named "ID_OR_FOLDER[:SUBSET][@REVISION]"; an existing folder may have : and @ in its name.

    Raises:
        DataError: nothing is named, or a folder that is not there.
    """
    if name and Path(name).expanduser().is_dir():
        return HubDataset(path=str(Path(name).expanduser()), split=split)
    match = re.fullmatch(r"(?P<path>[^:@]+)(?::(?P<subset>[^:@]+))?(?:@(?P<revision>[^:@]+))?", name)
    if match is None:
        raise DataError(f"queries.source: expected hf:ID[:SUBSET][@REVISION] or hf:FOLDER, got {quoted('hf:' + name)}")
    path = match["path"]
    if path.startswith(("/", ".", "~")):
        path = str(Path(path).expanduser())
        if not Path(path).is_dir():
            raise DataError(f"hf:{path}: no such folder")
    return HubDataset(path=path, subset=match["subset"], revision=match["revision"], split=split)


def read_hub(dataset: HubDataset) -> Iterator[NumberedRow]:
    """Rows of the dataset; columns of nested or binary values (pictures) are left out.

    Raises:
        MissingExtra: the `datasets` library is not installed.
        DataError: the hub does not answer, or has no such dataset, subset, revision or split.
    """
    import pyarrow

    number = 0
    for table in _load(dataset).with_format("arrow").iter(batch_size=1024):
        flat = [
            field.name
            for field in table.schema
            if not (pyarrow.types.is_struct(field.type) or pyarrow.types.is_binary(field.type))
        ]
        for raw in table.select(flat).to_pylist():
            number += 1
            yield NumberedRow(number, raw)


def _load(dataset: HubDataset) -> "datasets.Dataset":
    try:
        import datasets
        import huggingface_hub.errors
    except ImportError as error:
        raise MissingExtra("datasets", "datasets") from error

    is_local = Path(dataset.path).is_dir()
    if not is_local and not datasets.config.HF_HUB_OFFLINE:
        _probe(dataset, datasets.config.HF_ENDPOINT)
    # The prefix keeps a folder of the same name beside the user from posing as the hub's dataset.
    path = dataset.path if is_local or dataset.path.count("/") != 1 else f"hf://datasets/{dataset.path}"
    known = (
        OSError,
        ValueError,
        RuntimeError,
        datasets.exceptions.DatasetsError,
        huggingface_hub.errors.HTTPError,  # type: ignore[attr-defined]  # of whichever HTTP client it is built on
    )
    try:
        return datasets.load_dataset(path, dataset.subset, split=dataset.split, revision=dataset.revision)
    except known as error:
        cause = error.__cause__ if isinstance(error, datasets.exceptions.DatasetGenerationError) else None
        raise DataError(f"{dataset}: {one_line(cause or error)}") from error


def _probe(dataset: HubDataset, endpoint: str) -> None:
    # The hub's own client tries an unreachable host for 23 s before it gives up; one try tells as much.
    try:
        urllib.request.urlopen(urllib.request.Request(endpoint, method="HEAD"), timeout=_PROBE_TIMEOUT_S).close()
    except urllib.error.HTTPError as error:
        error.close()
    except OSError as error:
        raise DataError(
            f"{dataset}: {endpoint} does not answer: {one_line(error)}; "
            "for a dataset that was fetched before set HF_HUB_OFFLINE=1"
        ) from error
