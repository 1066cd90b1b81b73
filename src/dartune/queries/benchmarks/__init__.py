"""The published benchmarks that have a name here, one small file for each."""

from dartune.queries.benchmarks.aime_2024 import AIME_2024
from dartune.queries.benchmarks.amc_2023 import AMC_2023
from dartune.queries.benchmarks.college_math import COLLEGE_MATH_TEST
from dartune.queries.benchmarks.deepmind_mathematics import DEEPMIND_MATHEMATICS
from dartune.queries.benchmarks.gaokao_2023 import GAOKAO_2023
from dartune.queries.benchmarks.gsm8k import GSM8K_TEST, GSM8K_TRAIN
from dartune.queries.benchmarks.gsm8k_platinum import GSM8K_PLATINUM
from dartune.queries.benchmarks.math import MATH_TEST, MATH_TRAIN
from dartune.queries.benchmarks.math_500 import MATH_500
from dartune.queries.benchmarks.minerva import MINERVA
from dartune.queries.benchmarks.olympiadbench import OLYMPIADBENCH
from dartune.queries.benchmarks.record import Benchmark, FolderFile, HubCopy, Source, WebFile
from dartune.queries.benchmarks.sat_math import SAT_MATH
from dartune.queries.benchmarks.theoremqa import THEOREMQA, THEOREMQA_TEXT

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
        THEOREMQA_TEXT,
        MATH_500,
        GSM8K_PLATINUM,
        AIME_2024,
        AMC_2023,
        MINERVA,
        SAT_MATH,
        GAOKAO_2023,
    )
}
"""Name -> what is known of it."""

__all__ = ["BENCHMARKS", "Benchmark", "FolderFile", "HubCopy", "Source", "WebFile"]
