"""What `pip install` brings is all that a run needs."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.integration
@pytest.mark.timeout(120)
def test_a_wheel_holds_every_file_of_the_package(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(REPOSITORY / name, copy)
    shutil.copytree(
        REPOSITORY / "src" / "dartune", copy / "src" / "dartune", ignore=shutil.ignore_patterns("__pycache__")
    )
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        str(tmp_path),
    ]
    subprocess.run([*command, str(copy)], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("dartune-*.whl")
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("dartune/")}
    source = REPOSITORY / "src"
    files = (path for path in (source / "dartune").rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    assert packed == {str(path.relative_to(source)) for path in files}
    assert "dartune/recipes/demo.toml" in packed
    assert "dartune/py.typed" in packed
