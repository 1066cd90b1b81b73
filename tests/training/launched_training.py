"""A training in processes of its own, for tests that kill or compare it: a JSON line for each step, the report last.

Arguments: a JSON file with the fields of `TrainingConfig`, the set's folder, the output folder, the seed.
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path

from dartune.config import TrainingConfig
from dartune.training import train
from dartune.training.ranks import is_main


def main(config: str, set_dir: str, out: str, seed: str) -> None:
    report = train(
        TrainingConfig.model_validate_json(Path(config).read_bytes()),
        set_dir=Path(set_dir),
        out=Path(out),
        seed=int(seed),
        progress=lambda step: print(json.dumps({"event": "step", **asdict(step)}), flush=True),
    )
    if is_main():
        print(json.dumps({"event": "report", **asdict(report)}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
