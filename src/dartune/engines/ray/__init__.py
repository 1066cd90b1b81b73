"""Replicas of any other engine on a Ray cluster. Ray itself is imported when such an engine is made."""

from dartune.engines.ray.engine import RayEngine

__all__ = ["RayEngine"]
