"""Of several processes one tokenises, and all have the tokens."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("sharing_rows.py")


@pytest.mark.integration
@pytest.mark.timeout(200)
def test_one_process_makes_the_rows_of_all(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run([*command, str(PROGRAM), str(tmp_path / "rows.arrow")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    lines.sort(key=lambda line: line["rank"])
    assert [line["rank"] for line in lines if line["event"] == "made"] == [0]
    got = [(line["rank"], line["tokens"], line["counts"]) for line in lines if line["event"] == "got"]
    assert got == [(rank, [[1, 2], [3]], [2, 1]) for rank in (0, 1)]
    refused = [(line["rank"], line["message"]) for line in lines if line["event"] == "refused"]
    assert refused == [(rank, "the set is empty") for rank in (0, 1)]
