"""GSM8K-Platinum (Vendrow et al. 2025, arXiv:2502.03461): GSM8K's test problems, read again and mended.

A row of the release: {"question": "...", "answer": "...#### 72", "cleaning_status": "consensus"}, as GSM8K's own.
Labels that were wrong are mended, problems that say too little are left out.
"""

from dartune.queries.benchmarks.gsm8k import from_release
from dartune.queries.benchmarks.record import Benchmark, HubCopy
from dartune.queries.hub import HubDataset

GSM8K_PLATINUM = Benchmark(
    name="gsm8k-platinum",
    description="GSM8K-Platinum, the test problems of GSM8K with mended labels",
    n_rows=1209,
    judged_by="gsm8k",
    contamination="as GSM8K's test problems, which it takes from there",
    sources=(
        HubCopy(
            datasets=(HubDataset(path="madrylab/gsm8k-platinum", subset="main", split="test"),),
            n_rows=1209,
            adapt=from_release,
        ),
    ),
)
