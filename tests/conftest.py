"""What tests of several folders share."""

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real benchmarks and model outputs; the test is skipped where it is absent."""
    for candidate in (os.environ.get("DARTUNE_DATA"), REPOSITORY.parent / "shared" / "data"):
        if candidate and (Path(candidate) / "math_test.jsonl.gz").is_file():
            return Path(candidate)
    pytest.skip("the benchmark data folder is absent: set DARTUNE_DATA to it")
