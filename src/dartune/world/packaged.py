"""The models that come with the library."""

from pathlib import Path

from dartune.errors import ModelError

PACKAGED_MODELS = ("teacher-a", "base-a", "teacher-b", "base-b")
"""Two independent pairs: a teacher to sample from, and the younger base of the same run to fine-tune."""


def packaged_model(name: str) -> Path:
    """Folder of a packaged model, a Hugging Face checkpoint.

    Raises:
        ModelError: no packaged model has this name.
    """
    if name not in PACKAGED_MODELS:
        raise ModelError(f"world model: expected one of {', '.join(PACKAGED_MODELS)}, got {name!r}")
    return Path(__file__).parent / "models" / name
