"""One training in its own process: `python -m dartune.training --config FILE --set DIR --out DIR --seed N`.

Prints one JSON object a line on standard output: {"event": "step", ...} after each optimizer step, with the fields of
`StepProgress`, and {"event": "report", ...} last, with those of `TrainingReport`. An error is one line on standard
error. Exit status: 0 done, 1 failed, 2 bad input, 130 interrupted; the same command then goes on.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from dartune.config import TrainingConfig
from dartune.errors import ConfigError, DartuneError, InputError
from dartune.training.record import TrainingReport
from dartune.training.run import train

if TYPE_CHECKING:
    from dartune.training.sft import StepProgress


def main(arguments: Sequence[str] | None = None) -> int:
    """Train as the command line says; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m dartune.training", description="Fine-tune on a curated set.")
    parser.add_argument("--config", type=Path, required=True, help="JSON file with the fields of a training section")
    parser.add_argument("--set", type=Path, required=True, help="folder of a curated set")
    parser.add_argument("--out", type=Path, required=True, help="folder for the tuned model")
    parser.add_argument("--seed", type=int, required=True)
    options = parser.parse_args(arguments)
    try:
        config = _read_config(options.config)
        report = train(config, set_dir=options.set, out=options.out, seed=options.seed, progress=_print)
    except DartuneError as exc:
        print(exc, file=sys.stderr)
        return 2 if isinstance(exc, InputError) else 1
    except KeyboardInterrupt:
        print("stopped; run the same command to go on", file=sys.stderr)
        return 130
    _print(report)
    return 0


def _read_config(path: Path) -> TrainingConfig:
    try:
        return TrainingConfig.model_validate_json(path.read_bytes())
    except OSError as exc:
        raise ConfigError(f"{path}: cannot be read ({exc.strerror})") from exc
    except ValidationError as exc:
        first = exc.errors()[0]
        raise ConfigError(f"{path}: {'.'.join(map(str, first['loc'])) or 'JSON'}: {first['msg']}") from exc


def _print(event: "StepProgress | TrainingReport") -> None:
    kind = "report" if isinstance(event, TrainingReport) else "step"
    print(json.dumps({"event": kind, **asdict(event)}), flush=True)


if __name__ == "__main__":
    sys.exit(main())
