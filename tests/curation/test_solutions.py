from pathlib import Path

import numpy as np
import pytest

from dartune.config import MethodConfig, UniformMethod, VanillaMethod
from dartune.curation.solutions import distinct_solutions
from dartune.pool import PoolWriter, Provenance
from dartune.types import Grade, Key, Response, Sample, SamplingParams

IDS = ["a" * 32, "b" * 32, "c" * 32]
"""No try was made of the last."""
ALL = VanillaMethod(policy="vanilla", n_trials=9)


def write(pool: Path, tries: dict[tuple[int, int], str]) -> Path:
    """Responses by query and trial; those with "!" are wrong."""
    provenance = Provenance(model="m", template="plain", params=SamplingParams(), run_seed=3)
    with PoolWriter(pool, provenance) as writer:
        for (query, trial), text in tries.items():
            writer.append(
                Sample(
                    key=Key(IDS[query], trial),
                    seed=0,
                    response=Response(text=text, finish_reason="stop", n_prompt_tokens=1, n_tokens=2),
                    grade=Grade(verdict="incorrect" if "!" in text else "correct", answer=None, rule="boxed/string"),
                )
            )
    return pool


@pytest.mark.parametrize(
    ("tries", "n"),
    [
        ({(0, 0): "x = 1", (0, 1): "x = 2"}, 2),
        ({(0, 0): "x = 1", (0, 1): " x  =\n1 "}, 1),
        ({(0, 0): "x = 1", (1, 0): "x = 1"}, 2),
        ({(0, 0): "x = 1", (0, 1): "x = 1!"}, 1),
        ({(0, 0): "x = 1!"}, 0),
    ],
)
def test_a_solution_is_a_query_with_the_words_of_a_correct_response(
    tmp_path: Path, tries: dict[tuple[int, int], str], n: int
) -> None:
    assert len(distinct_solutions(write(tmp_path / "pool", tries), ALL, IDS)) == n


@pytest.mark.parametrize(
    ("method", "n"),
    [
        (ALL, 4),
        (VanillaMethod(policy="vanilla", n_trials=2), 1),
        (UniformMethod(policy="uniform", k=2, max_trials=9), 2),
    ],
)
def test_only_tries_that_the_method_would_make_count(tmp_path: Path, method: MethodConfig, n: int) -> None:
    pool = write(tmp_path / "pool", {(0, 0): "no!", (0, 1): "one", (0, 2): "two", (0, 3): "three", (0, 4): "four"})
    assert len(distinct_solutions(pool, method, IDS)) == n


def test_the_same_solutions_of_two_pools_are_the_same(tmp_path: Path) -> None:
    first = distinct_solutions(write(tmp_path / "one", {(0, 0): "p q", (1, 0): "r"}), ALL, IDS)
    second = distinct_solutions(write(tmp_path / "two", {(1, 1): "s", (1, 0): "t!", (0, 0): "pq"}), ALL, IDS)
    assert len(np.union1d(first, second)) == 3
