"""What the measures say of real pass rates: 40 models on 721 problems."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.data
@pytest.mark.integration
@pytest.mark.timeout(120)
def test_measures_of_real_pass_rates_are_what_the_page_says(data_dir: Path) -> None:
    command = [sys.executable, str(REPOSITORY / "benchmarks/difficulty.py"), "--quick", "--json", "--data", data_dir]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert (found["n_problems"], found["n_models"]) == (721, 40)
    # One try of a model tells something of the other models, twenty models nearly all.
    assert 0.45 < found["one_against_others"]["mean"] < 0.65
    assert 0.88 < found["split_half"]["mean"] < 0.94
    value, low, high = found["entropy_and_fail_rate"]["spearman"]
    assert 0.7 < low < value < high < 0.9
    assert found["entropy_and_fail_rate_apart"]["mean"] < value
    for row, least_gain in zip(found["held_out"], (0.5, 0.5, 0.3, 0.1, 0.05), strict=True):
        errors, losses = row["squared_error"], row["log_loss"]
        assert errors["shrunk"]["mean"] < (1 - least_gain) * errors["raw"]["mean"], row["n_tries"]
        assert losses["shrunk"]["mean"] < losses["raw"]["mean"], row["n_tries"]
        assert row["shrunk_is_better"] == 1.0
