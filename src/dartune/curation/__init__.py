"""From a pool to training sets: choose, deduplicate, cut to size, write."""

from dartune.curation.contamination import BenchmarkOverlap
from dartune.curation.curate import curate, curation_order
from dartune.curation.job import CurationJob
from dartune.curation.manifest import LevelCount, SetManifest

__all__ = ["BenchmarkOverlap", "CurationJob", "LevelCount", "SetManifest", "curate", "curation_order"]
