"""A local model on vLLM's asynchronous engine, without a server between.

vLLM itself is imported when such an engine is made.
"""

from dartune.engines.vllm.engine import VllmEngine

__all__ = ["VllmEngine"]
