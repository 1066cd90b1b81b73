import os
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def no_folders_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("DARTUNE_DATA", raising=False)
    monkeypatch.setenv("DARTUNE_CACHE", str(tmp_path / "cache"))


_DATA = Path(os.environ.get("DARTUNE_DATA") or Path(__file__).parents[3] / "shared" / "data")


@pytest.fixture(scope="session")
def benchmark_folder() -> Path:
    if not (_DATA / "math_test.jsonl.gz").is_file():
        pytest.skip(f"the benchmark data folder is not at {_DATA} (set DARTUNE_DATA)")
    return _DATA
