from pathlib import Path

import pytest

from curation.sampled_pools import fill


@pytest.fixture(scope="session")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fill(tmp_path_factory.mktemp("run") / "pool")
