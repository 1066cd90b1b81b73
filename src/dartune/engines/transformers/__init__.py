"""Local models through the transformers library, on CPU or GPU, with continuous batching.

Importing this package imports torch: `dartune.engines` does so only when such an engine is asked for.
"""

from dartune.errors import MissingExtra

try:
    import torch  # noqa: F401
    import transformers  # noqa: F401
except ImportError as exc:
    raise MissingExtra(exc.name or "transformers", "hf") from exc

from dartune.engines.transformers.engine import TransformersEngine

__all__ = ["TransformersEngine"]
