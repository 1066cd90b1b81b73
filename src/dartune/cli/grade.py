"""`dartune grade`: a file of responses to the same file with verdicts."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dartune.cli.console import complain, say
from dartune.errors import ConfigError

if TYPE_CHECKING:
    from dartune.grading.explain import Explanation
    from dartune.marking import MarkingReport

Source = Annotated[
    Path, typer.Argument(metavar="IN", help="A .jsonl, .jsonl.gz or .parquet file with ref_answer and response.")
]
Out = Annotated[
    Path | None, typer.Option("--out", help="The same rows with answer, verdict and rule; its suffix says the format.")
]
Workers = Annotated[int | None, typer.Option("--workers", help="Processes that grade; one a core by default.")]
JudgeName = Annotated[str, typer.Option("--judge", help='Whose rules decide: "default" or the name of a benchmark.')]
Lenient = Annotated[bool, typer.Option("--lenient", help="Without any marker, the last number is the answer.")]
Explain = Annotated[bool, typer.Option("--explain", help="Print rule by rule why each verdict came out.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Show no progress.")]


def register(app: typer.Typer) -> None:
    """Add this module's command to `app`."""
    app.command()(grade)


def grade(
    source: Source,
    out: Out = None,
    workers: Workers = None,
    judge: JudgeName = "default",
    lenient: Lenient = False,
    explain: Explain = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Grade every response of a file; run it again to go on after an interruption."""
    from dartune.cli.watching import watching_rows
    from dartune.marking import MarkingJob, mark_file

    if out is None and not explain:
        raise ConfigError("--out: expected the file that is to get the verdicts, or --explain to print reasons alone")
    if workers is not None and workers < 1:
        raise ConfigError(f"--workers: expected a whole number from 1, got {workers}")
    if explain:
        for number, explanation in _explained(source, judge, lenient):
            say(_json(number, explanation) if as_json else _text(number, explanation))
    if out is None:
        return
    job = MarkingJob(source=source, out=out, judge=judge, lenient=lenient)
    with watching_rows(is_quiet=quiet) as watch:
        report = mark_file(job, n_workers=workers, watch=watch)
    if not report.n_graded:
        complain(f"{out}: all rows were graded before; nothing was left to grade")
    if as_json:
        return say(
            json.dumps({**asdict(report), "share_correct": report.share_correct, "rows_per_s": report.rows_per_s})
        )
    _print_table(report)


def _explained(source: Path, judge_name: str, lenient: bool) -> "Iterator[tuple[int, Explanation]]":
    from dartune.grading import Grader
    from dartune.grading.explain import explain
    from dartune.grading.grader import find_judge
    from dartune.marking.mark import iter_cases
    from dartune.marking.sources import open_source

    judge = find_judge(judge_name)
    with Grader(lenient=lenient) as grader:
        for number, case in enumerate(iter_cases(open_source(source), judge), start=1):
            yield number, explain(case, grader=grader, judge=judge_name, lenient=lenient)


def _text(number: int, explanation: "Explanation") -> str:
    from dartune.grading.explain import to_text

    return f"row {number}\n{to_text(explanation)}\n"


def _json(number: int, explanation: "Explanation") -> str:
    return json.dumps({"row": number, **asdict(explanation)}, default=str)


def _print_table(report: "MarkingReport") -> None:
    from rich.console import Console
    from rich.table import Column, Table

    table = Table("verdict", Column("rows", justify="right"), Column("%", justify="right"))
    for verdict, n in report.verdicts.items():
        table.add_row(verdict, f"{n:,}", f"{n / report.n_rows:.2%}".removesuffix("%"))
    table.add_section()
    table.add_row("all", f"{report.n_rows:,}", "100.00")
    Console().print(table)
    say(
        f"{report.share_correct:.2%} correct; {report.n_graded:,} rows graded in {report.elapsed_s:.1f} s "
        f"({report.rows_per_s:,.0f}/s); {report.out}"
    )
