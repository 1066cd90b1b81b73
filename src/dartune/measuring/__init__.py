"""What pools and files say of queries, as every measure of difficulty sees it, and how far the measures agree."""

from dartune.measuring.compare import Measured, MeasuringJob, measure_pool
from dartune.measuring.tally import tally_pool
from dartune.measuring.writing import find_writer, write_measures

__all__ = ["Measured", "MeasuringJob", "find_writer", "measure_pool", "tally_pool", "write_measures"]
