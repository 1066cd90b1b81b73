"""DeepMind Mathematics (Saxton et al. 2019): the 1,000 generated problems that DART-Math evaluates on.

A row of the release: {"question": "What is 451 to the power of 1/10, to the nearest integer?", "answer": "2"}.
The hub has the generator's output by module, not this sample, so that no hub copy is tried.
"""

from dartune.queries.benchmarks.record import Benchmark, FolderFile, WebFile
from dartune.queries.columns import Columns

DEEPMIND_MATHEMATICS = Benchmark(
    name="deepmind-mathematics",
    description="DeepMind Mathematics, DART-Math's sample of 1,000",
    n_rows=1000,
    sources=(
        FolderFile(
            file="deepmind_mathematics.jsonl.gz",
            n_rows=1000,
            sha256="93ee4495d6d344fdda0fbf8a375c87fef0875521e93bf2f1fb18488095961969",
        ),
        WebFile(
            url="https://raw.githubusercontent.com/hkust-nlp/dart-math/219b32467b55f7c610195e148b56df3431e1a963"
            "/data/dsets/deepmind-mathematics.json",
            n_rows=1000,
            sha256="1caa7e191af2df1c110ca405dcaf7fc663a1bac16f589e6af853bff5d1012a11",
            adapt=Columns(text="question", ref_answer="answer"),
        ),
    ),
)
