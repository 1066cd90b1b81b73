"""Which grader gave a verdict: two graders that could judge differently have different names."""

import hashlib
from functools import cache
from importlib import metadata
from pathlib import Path

import dartune

_JUDGING_LIBRARIES = ("latex2sympy2-extended", "math-verify", "mpmath", "sympy")


@cache
def grader_version() -> str:
    """Version of the library and eight hex digits over the grader's source and the libraries that it asks.

    It changes with every change of the grader, also between releases.
    """
    folder = Path(str(dartune.__file__)).parent / "grading"
    digest = hashlib.blake2b(digest_size=4)
    for path in sorted(folder.rglob("*.py")):
        digest.update(f"{path.relative_to(folder)}\0".encode() + path.read_bytes())
    for name in _JUDGING_LIBRARIES:
        digest.update(f"{name}=={metadata.version(name)}\0".encode())
    return f"{dartune.__version__}+{digest.hexdigest()}"
