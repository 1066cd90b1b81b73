"""A small recipe that needs no model."""

from pathlib import Path

FAKE = """
name = "small"
seed = 3
[queries]
source = "world/train"
limit = 100
[prompt]
template = "world"
[engine]
name = "fake"
latency_s = {latency_s}
[sampling]
speculation = 0
[methods.vrt]
policy = "vanilla"
n_trials = 7
[methods.uniform]
policy = "uniform"
k = 4
max_trials = 96
[methods.prop2diff]
policy = "prop2diff"
k = 7.5
n_pilot = 8
max_trials = 96
[curation]
n_examples = 200
"""


def write_recipe(folder: Path, *, latency_s: float = 0.0, more: str = "") -> Path:
    """Write the recipe and return its path."""
    path = folder / "small.toml"
    path.write_text(FAKE.format(latency_s=latency_s) + more)
    return path
