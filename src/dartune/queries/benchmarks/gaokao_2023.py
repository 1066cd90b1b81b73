"""Gaokao 2023 in English (Liao et al. 2024, MARIO): 385 problems of China's university entrance exam and of the ACT.

A row of the file: {"source": "2023BJ...", "question": "...", "lang": "en", "answer": "$3$"}; some answers are an
option's letter.
"""

from dartune.queries.benchmarks.qwen_files import qwen_sources
from dartune.queries.benchmarks.record import Benchmark
from dartune.queries.columns import Columns

GAOKAO_2023 = Benchmark(
    name="gaokao/2023-en",
    description="Gaokao and ACT of 2023, in English",
    n_rows=385,
    judged_by="math",
    contamination="the Chinese originals are public since June 2023",
    sources=qwen_sources(
        "gaokao2023en",
        n_rows=385,
        sha256="654d8f49bdb86f578c171dbc0dd8f4d9f1bf3d7a7438f60359fda7d643df4951",
        adapt=Columns(text="question", ref_answer="answer"),
    ),
)
