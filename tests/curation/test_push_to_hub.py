import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("huggingface_hub")

from curation.hub_server import HubState, serving
from curation.sampled_pools import make_job
from dartune.curation import curate
from dartune.curation.hub import push_sets
from dartune.errors import DataError

pytestmark = [pytest.mark.integration, pytest.mark.timeout(60)]

PUSH = """
import sys
from pathlib import Path
from dartune.curation.hub import push_sets
from dartune.errors import DartuneError
try:
    print(push_sets({"uniform": Path(sys.argv[1])}, sys.argv[2])["uniform"])
except DartuneError as error:
    print(f"{type(error).__name__}: {error}")
"""


def push(hub: HubState, folder: Path, repo: str = "me/sets") -> str:
    """In a process of its own: huggingface_hub reads HF_ENDPOINT when it is imported."""
    home = {"HF_HOME": str(folder.parent / "home"), "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", PUSH, str(folder), repo],
        env={**os.environ, **home, "HF_ENDPOINT": hub.url, "HF_TOKEN": "hf_secret"},
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def made(pool: Path, tmp_path: Path) -> Path:
    curate(pool, make_job(), out=tmp_path / "sets")
    return tmp_path / "sets" / "uniform"


def test_the_hub_gets_the_folder(made: Path) -> None:
    with serving() as hub:
        assert push(hub, made) == f"{hub.url}/datasets/me/sets-uniform"
        given = {str(path.relative_to(made)): path.read_bytes() for path in made.rglob("*") if path.is_file()}
        assert hub.files == {"me/sets-uniform": given}
        assert "manifest.json" in given
        assert hub.tokens == {"Bearer hf_secret"}
        ((created,), unknown) = hub.created, hub.unknown
        assert (created["type"], created["visibility"] if "visibility" in created else created["private"]) in [
            ("dataset", True),
            ("dataset", "private"),
        ]
        assert unknown == []
        (made / "chat" / "train.parquet").unlink()
        push(hub, made)
        assert "chat/train.parquet" not in hub.files["me/sets-uniform"]


@pytest.mark.parametrize(
    ("status", "said"), [(403, "ConfigError: me/sets-uniform: the hub refuses the token"), (400, "WriteError")]
)
def test_a_hub_that_refuses_is_an_error_in_a_line(status: int, said: str, made: Path) -> None:
    with serving() as hub:
        hub.status = status
        assert push(hub, made).startswith(said)


def test_a_name_that_cannot_be_is_refused(made: Path) -> None:
    with serving() as hub:
        assert push(hub, made, "a/b/c").startswith("ConfigError: --push-to-hub: expected owner/name, got 'a/b/c'")
        assert hub.created == []


def test_a_folder_without_a_whole_set_is_not_uploaded(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"expected a training set with its manifest\.json"):
        push_sets({"uniform": tmp_path}, "me/sets")
