"""Nothing heavy is loaded before it is needed."""

import subprocess
import sys

import pytest

HEAVY = {
    "accelerate", "datasets", "huggingface_hub", "math_verify", "matplotlib", "pandas", "plotly", "polars", "pyarrow",
    "ray", "sympy", "torch", "transformers", "trl", "vllm",
}  # fmt: skip
MODEL_LIBRARIES = HEAVY - {"pyarrow"}


def loaded_by(program: str) -> set[str]:
    """Top-level modules that a fresh interpreter holds at the end of `program`."""
    report = "\nimport sys; print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", program + report], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


@pytest.mark.parametrize(
    "program",
    [
        "import dartune",
        "from dartune.cli.main import run; assert run(['--help']) == 0",
        "from dartune.cli.main import run; assert run(['--version']) == 0",
        "from dartune.cli.main import run; assert run(['queries', '--help']) == 0",
        "import dartune; dartune.load_recipe('demo')",
    ],
)
def test_nothing_heavy_is_loaded(program: str) -> None:
    loaded = loaded_by(program)
    assert "dartune" in loaded
    assert loaded & HEAVY == set()


def test_the_whole_public_surface_loads_no_model_library() -> None:
    assert loaded_by("import dartune; [getattr(dartune, n) for n in dartune.__all__]") & MODEL_LIBRARIES == set()


def test_heavy_modules_would_be_seen() -> None:
    assert "pyarrow" in loaded_by("import dartune.pool")
