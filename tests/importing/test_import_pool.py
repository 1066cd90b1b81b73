"""Small files in the columns of each published set, through matching, grading and curation."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dartune.cli.main import run
from dartune.config import CurationConfig, VanillaMethod
from dartune.curation import CurationJob, curate
from dartune.errors import ConfigError, DataError
from dartune.importing import SCHEMAS, import_pool
from dartune.pool import read_outcomes, read_samples
from dartune.prompts import load_template
from dartune.types import Query

SUM = Query.of("What is $2 + 3$, the sum of two and three?", "5", level=1)
HALF = Query.of(r"A jar holds 48 sweets and Ben eats half of them on Monday. How many are left in it?", "24", level=2)
QUERIES = [SUM, HALF]
RIGHT, WRONG = "We add them. The answer is: 5", "We multiply them. The answer is: 6"
TYPED = "What is  2+3, the sum of two and three"
"""The first query as another set types it."""

ROWS: dict[str, list[dict[str, object]]] = {
    "dart": [{"query": TYPED, "response": RIGHT}, {"query": TYPED, "response": WRONG}],
    "dart-pool": [
        {
            "query_id": 17,
            "query": TYPED,
            "response": text,
            "gt_ans": "5",
            "ans_correct": True,
            "domain": "Algebra",
            "query_metadata": {"level": 1},
        }
        for text in (RIGHT, WRONG)
    ],
    "metamath": [
        {"type": "MATH_AnsAug", "query": TYPED, "original_question": TYPED, "response": text} for text in (RIGHT, WRONG)
    ],
    "tora": [
        {
            "dataset": "tora-corpus-math",
            "level": "Level 1",
            "id": f"math-train-1-{i}",
            "gt": "5",
            "gt_cot": r"It is $\boxed{5}$.",
            "messages": [
                {"role": "user", "content": TYPED},
                {"role": "assistant", "content": f"```python\nprint(2 + 3)\n```\n```output\n5\n```\n{text}"},
            ],
        }
        for i, text in enumerate((RIGHT, WRONG))
    ],
    "mmiqc": [{"instruction": TYPED, "output": text, "source": "MetaMathQA"} for text in (RIGHT, WRONG)],
    "mario": [{"question": TYPED, "answer": text} for text in (RIGHT, WRONG)],
    "xwin-math": [
        {"question": TYPED, "answer": "5", "type": "MATH", "subtype": "Algebra", "level": 1, "completion": [text]}
        for text in (RIGHT, WRONG)
    ],
    "kpmath": [{"problem": TYPED, "solution": text} for text in (RIGHT, WRONG)],
}


def write(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


@pytest.mark.parametrize("schema", SCHEMAS)
def test_every_schema_becomes_a_pool(schema: str, tmp_path: Path) -> None:
    report = import_pool(write(tmp_path / "set.jsonl", ROWS[schema]), schema, QUERIES, tmp_path / "pool", n_workers=1)
    assert (report.n_rows, report.n_exact, report.n_correct, report.n_asked) == (2, 2, 1, 1)
    outcomes = read_outcomes(tmp_path / "pool")
    assert outcomes[SUM.id].leading() == [True, False]
    assert set(read_samples(tmp_path / "pool", ["model"])["model"].to_pylist()) == {schema}
    assert (tmp_path / "pool" / "unmatched.jsonl").read_text() == ""


def test_parquet_with_nested_columns_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "train-00000-of-00001.parquet"
    pq.write_table(pa.Table.from_pylist(ROWS["tora"]), path)
    assert import_pool(path, "tora", QUERIES, tmp_path / "pool", n_workers=1).n_correct == 1


def test_what_is_not_in_the_pool_is_kept_with_the_reason(tmp_path: Path) -> None:
    nearly = HALF.text.replace("sweets and", "sweets, and").replace("left in it", "left there in it")
    other = HALF.text.replace("48", "50")
    rows: list[dict[str, object]] = [
        {"type": "GSM_AnsAug", "query": nearly, "response": "24. The answer is: 24"},
        {"type": "GSM_AnsAug", "query": other, "response": "The answer is: 25"},
        {"type": "GSM_Rephrased", "query": "Ben eats half of 48 sweets.", "response": "The answer is: 24"},
        {"type": "GSM_FOBAR", "query": HALF.text, "response": "The answer is: 48"},
        {"type": "GSM_AnsAug", "query": HALF.text, "response": None},
    ]
    report = import_pool(write(tmp_path / "set.jsonl", rows), "metamath", QUERIES, tmp_path / "pool", n_workers=1)
    assert (report.n_rows, report.n_exact, report.n_fuzzy, report.n_correct) == (5, 0, 1, 1)
    assert (report.n_derived, report.n_unmatched, report.n_faulty) == (2, 1, 1)
    aside = [json.loads(line) for line in (tmp_path / "pool" / "unmatched.jsonl").read_text().splitlines()]
    assert [(row["row"], row["reason"]) for row in aside] == [
        (2, "unmatched"),
        (3, "derived"),
        (4, "derived"),
        (5, "faulty"),
    ]


def test_the_part_of_mmiqc_that_comes_from_the_web_is_kept_aside(tmp_path: Path) -> None:
    asked = {"instruction": HALF.text, "output": "The answer is: 24"}
    rows: list[dict[str, object]] = [asked | {"source": source} for source in ("stackexchange-math", "IQC", None)]
    report = import_pool(write(tmp_path / "set.jsonl", rows), "mmiqc", QUERIES, tmp_path / "pool", n_workers=1)
    assert (report.n_derived, report.n_exact, report.n_correct) == (1, 2, 2)


def test_responses_of_a_pool_may_be_called_as_their_authors_sampling_calls_them(tmp_path: Path) -> None:
    rows = [{"query": TYPED, "ref_ans": "5", "resp": RIGHT}]
    report = import_pool(write(tmp_path / "set.jsonl", rows), "dart-pool", QUERIES, tmp_path / "pool", n_workers=1)
    assert report.n_correct == 1


def test_a_pool_that_was_imported_can_be_trained_on(tmp_path: Path) -> None:
    import_pool(write(tmp_path / "set.jsonl", ROWS["dart"] * 3), "dart", QUERIES, tmp_path / "pool", n_workers=1)
    job = CurationJob(
        queries=QUERIES,
        methods={"all": VanillaMethod(policy="vanilla", n_trials=6)},
        config=CurationConfig(deduplicate=False),
        template=load_template("alpaca"),
        seed=0,
    )
    manifest = curate(tmp_path / "pool", job, out=tmp_path / "sets")["all"]
    assert (manifest.n_examples, manifest.levels[1].n_covered) == (3, 0)


@pytest.mark.parametrize(
    ("rows", "schema", "error", "message"),
    [
        (ROWS["dart"], "darts", ConfigError, "schema: expected one of dart, .* got 'darts'"),
        (ROWS["dart"], "mmiqc", DataError, "no row fits the schema 'mmiqc'"),
        ([{"query": "Something else", "response": "x"}], "dart", DataError, "none of its 1 problems is one of the 2"),
    ],
)
def test_a_file_that_cannot_be_imported_says_why(
    rows: list[dict[str, object]], schema: str, error: type[Exception], message: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=message):
        import_pool(write(tmp_path / "set.jsonl", rows), schema, QUERIES, tmp_path / "pool", n_workers=1)
    assert not (tmp_path / "pool").exists()


def test_a_pool_is_not_written_over(tmp_path: Path) -> None:
    file = write(tmp_path / "set.jsonl", ROWS["dart"])
    import_pool(file, "dart", QUERIES, tmp_path / "pool", n_workers=1)
    with pytest.raises(DataError, match="expected a new folder, got a pool"):
        import_pool(file, "dart", QUERIES, tmp_path / "pool", n_workers=1)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    problems = write(tmp_path / "q.jsonl", [{"text": query.text, "ref_answer": query.ref_answer} for query in QUERIES])
    file = write(tmp_path / "set.jsonl", ROWS["dart"])
    arguments = ["--schema", "dart", "--queries", str(problems), "--out", str(tmp_path / "pool"), "--json"]
    assert run(["pool", "import", str(file), *arguments]) == 0
    assert json.loads(capsys.readouterr().out)["n_correct"] == 1
    assert run(["pool", "import", str(file), *arguments]) == 2
    assert "got a pool" in capsys.readouterr().err
