"""Rules of choice, from a pool with two teachers to the set on disk."""

import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from dartune.config import CurationConfig, UniformMethod
from dartune.curation import CurationJob, SetManifest, curate
from dartune.errors import ConfigError, DataError, MissingExtra
from dartune.pool import PoolWriter, Provenance
from dartune.prompts import load_template
from dartune.types import Grade, Key, Query, Response, Sample, SamplingParams

QUERY = Query.of("Ann has 2 pens . She finds 3 . How many pens ?", "5", level=5)
LONG = "First we take the two pens that she has . Then we add the three pens that she finds . "
TRIES = (
    ("small", LONG + "2 + 3 = 5 . So 5"),
    ("small", LONG + "2 + 3 = 5 . So it is 5"),
    ("large", "2 * 3 = 5 . So 5"),
    ("large", "3 + 2 = 5 . The answer is 5"),
)
RIGHT = Grade(verdict="correct", answer="5", rule="boxed/number")


@pytest.fixture
def pool(tmp_path: Path) -> Path:
    def provenance(model: str) -> Provenance:
        return Provenance(model=model, template="plain", params=SamplingParams(), run_seed=0)

    path = tmp_path / "pool"
    with PoolWriter(path, provenance("small")) as writer:
        for trial, (model, text) in enumerate(TRIES):
            writer.provenance = provenance(model)
            response = Response(text=text, finish_reason="stop", n_prompt_tokens=1, n_tokens=len(text.split()))
            writer.append(Sample(key=Key(QUERY.id, trial), seed=0, response=response, grade=RIGHT))
            writer.flush()
    return path


def choose(pool: Path, **config: object) -> tuple[list[int], SetManifest]:
    """Trials in the set, and its manifest; every response was right and would have been met by trial 1."""
    job = CurationJob(
        queries=[QUERY],
        methods={"two": UniformMethod(policy="uniform", k=4, max_trials=4)},
        config=CurationConfig.model_validate({"n_examples": 2, **config}),
        template=load_template("plain"),
        seed=0,
    )
    out = pool.parent / "sets"
    manifest = curate(pool, job, out=out)["two"]
    return sorted(pq.read_table(out / "two" / "train.parquet")["trial"].to_pylist()), manifest


def test_only_named_teachers_are_taken(pool: Path) -> None:
    assert choose(pool, teachers=["large"])[0] == [2, 3]
    assert choose(pool, teachers=["small"])[0] == [0, 1]


def test_a_teacher_who_is_not_in_the_pool_is_named(pool: Path) -> None:
    with pytest.raises(DataError, match="no correct response by huge for method 'two'"):
        choose(pool, teachers=["huge"])


def test_a_repeat_of_another_teacher_does_not_cost_an_example(pool: Path) -> None:
    assert choose(pool, teachers=["small"], n_examples=4)[1].n_duplicates == 0


def test_near_duplicates_are_left_out(pool: Path) -> None:
    pytest.importorskip("rensa")
    trials, manifest = choose(pool, pick="diverse", n_examples=4)
    assert trials == [0, 2, 3]
    assert manifest.n_near_duplicates == 1


def test_diversity_without_its_library_names_the_extra(pool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rensa", None)
    with pytest.raises(MissingExtra, match=r"dartune\[diverse\]"):
        choose(pool, pick="diverse")


def test_false_equations_are_left_out_or_counted(pool: Path) -> None:
    trials, manifest = choose(pool, process={"check": "equations"}, n_examples=4)
    assert trials == [0, 1, 3]
    assert (manifest.n_unsound, manifest.levels[0].n_unsound, manifest.levels[0].n_correct) == (1, 1, 4)
    trials, manifest = choose(pool, process={"check": "equations", "action": "report"}, n_examples=4)
    assert (trials, manifest.n_unsound) == ([0, 1, 2, 3], 1)


def test_a_check_of_the_users_own(pool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_checks.py").write_text(
        "def brief(query, response):\n    assert query.ref_answer == '5'\n    return len(response) < 50\n"
        "def odd(query, response):\n    return 'perhaps'\nlimit = 3\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    assert choose(pool, process={"check": "my_checks:brief"}, n_examples=4)[0] == [2, 3]
    with pytest.raises(ConfigError, match="expected True or False from my_checks:odd, got str"):
        choose(pool, process={"check": "my_checks:odd"})
    with pytest.raises(ConfigError, match="my_checks:limit is a int; expected a function"):
        choose(pool, process={"check": "my_checks:limit"})
    with pytest.raises(ConfigError, match=r"my_checks:none cannot be found .*; expected module:function"):
        choose(pool, process={"check": "my_checks:none"})
    with pytest.raises(ValidationError, match="check"):
        choose(pool, process={"check": "equation"})
