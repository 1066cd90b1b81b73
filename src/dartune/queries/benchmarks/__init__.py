"""The published benchmarks that have a name here, one small file for each."""

from dartune.queries.benchmarks.college_math import COLLEGE_MATH_TEST
from dartune.queries.benchmarks.deepmind_mathematics import DEEPMIND_MATHEMATICS
from dartune.queries.benchmarks.gsm8k import GSM8K_TEST, GSM8K_TRAIN
from dartune.queries.benchmarks.math import MATH_TEST, MATH_TRAIN
from dartune.queries.benchmarks.olympiadbench import OLYMPIADBENCH
from dartune.queries.benchmarks.record import Benchmark, FolderFile, HubCopy, Source, WebFile
from dartune.queries.benchmarks.theoremqa import THEOREMQA

BENCHMARKS: dict[str, Benchmark] = {
    benchmark.name: benchmark
    for benchmark in (
        MATH_TRAIN,
        MATH_TEST,
        GSM8K_TRAIN,
        GSM8K_TEST,
        COLLEGE_MATH_TEST,
        DEEPMIND_MATHEMATICS,
        OLYMPIADBENCH,
        THEOREMQA,
    )
}
"""Name -> what is known of it."""

__all__ = ["BENCHMARKS", "Benchmark", "FolderFile", "HubCopy", "Source", "WebFile"]
