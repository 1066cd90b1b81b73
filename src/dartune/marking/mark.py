"""`mark_file`: check the source, grade its rows, write the output; and go on where an earlier call was stopped.

The source is read to its end before anything is graded, so that a faulty row costs seconds and not the work of hours.
Grades go to the work folder every now and then; when all are there, the output is written from source and grades, and
moved into place. Whenever the process ends, the same call goes on from there.
"""

from collections import Counter, deque
from collections.abc import Generator, Iterator
from contextlib import closing

from dartune.errors import DataError
from dartune.grading.batch import Case, grade_many
from dartune.grading.grader import find_judge
from dartune.grading.judges import Judge
from dartune.marking.cases import ADDED, FIELDS, read_case
from dartune.marking.job import MarkingJob, difference
from dartune.marking.progress import Meter, Watcher
from dartune.marking.report import MarkingReport, read_manifest, write_manifest
from dartune.marking.sources import Source, open_source, suffix_of
from dartune.marking.work import WorkFolder
from dartune.queries.rows import Defect
from dartune.queries.wording import listed
from dartune.types import Grade

_PART_S = 0.5
"""Shortest time between two parts: a kill costs this much work, or a hundredth of what was done, but no minute."""
_PART_SHARE = 0.01
_PART_MOST_S = 30.0
_PART_ROWS = 50_000
_N_NAMED = 12


def mark_file(job: MarkingJob, *, n_workers: int | None = None, watch: Watcher | None = None) -> MarkingReport:
    """Grade every row of a file into another; rows and their order stay, memory does not grow with their number.

    Args:
        job: What to mark, and by which judge.
        n_workers: Processes that grade; None for one for each core, 1 for this process alone.
        watch: Told a few times a second how far it is.

    Raises:
        DataError: A file, row or field is not as expected; nothing was graded then.
        InputError: No such judge; or another process works on the same output.
        WriteError: The disk refuses; what was graded is kept.
    """
    judge = find_judge(job.judge)
    source = open_source(job.source)
    suffix_of(job.out)
    done = _finished(job)
    if done is not None:
        return done
    with WorkFolder(job) as work:
        if work.n_rows is None:
            work.begin(_check(source, job, judge, watch))
        assert work.n_rows is not None
        n_before = work.n_done
        meter = Meter(watch, "grading", n_rows=work.n_rows, n_before=n_before)
        if n_before < work.n_rows:
            cases = iter_cases(source, judge, start=n_before)
            grades = grade_many(cases, n_workers=n_workers, judge=job.judge, lenient=job.lenient)
            _keep(grades, work, meter)
        return _publish(job, source, work, meter, watch)


def iter_cases(source: Source, judge: Judge, *, start: int = 0) -> Iterator[Case]:
    """The cases of a file from row index `start` on. Raises DataError at the first faulty row."""
    for row in source.rows({*FIELDS, *ADDED, *judge.reads}, start=start):
        case = row if isinstance(row, Defect) else read_case(row, judge.reads)
        if isinstance(case, Defect):
            raise DataError(_described(source, case))
        yield case


def _finished(job: MarkingJob) -> MarkingReport | None:
    """The report of an output that this very job made; None where there is no output yet.

    Raises DataError where something else is in its place.
    """
    if not job.out.exists():
        return None
    report = read_manifest(job.out) if job.out.is_file() else None
    if report is None:
        raise DataError(f"{job.out}: exists already, and no grading made it; name another output, or remove it")
    differing = difference(dict(report.job), job.identity())
    if differing:
        raise DataError(f"{job.out}: was made by another job ({differing}); name another output, or remove it")
    return report


def _check(source: Source, job: MarkingJob, judge: Judge, watch: Watcher | None) -> int:
    """Read the source to its end; its number of rows. Raises DataError naming the first fault and the next ones."""
    meter = Meter(watch, "checking", n_rows=None)
    first: Defect | None = None
    others: list[int] = []
    for row in source.rows({*FIELDS, *ADDED, *judge.reads}):
        case = row if isinstance(row, Defect) else read_case(row, judge.reads)
        if isinstance(case, Defect) and first is None:
            first = case
        elif isinstance(case, Defect) and len(others) <= _N_NAMED:
            others.append(case.number)
        meter.count()
    if first is not None:
        also = f"; also faulty: {source.unit} {listed(others[:_N_NAMED])}" if others else ""
        raise DataError(_described(source, first) + also + (", ..." if len(others) > _N_NAMED else ""))
    if not meter.n_done:
        raise DataError(f"{source.path}: expected responses, got no rows")
    if ".parquet" in (suffix_of(job.source), suffix_of(job.out)):
        deque(source.batches(), maxlen=0)  # columns that grading does not read must be fit to be written, too
    return meter.n_done


def _described(source: Source, defect: Defect) -> str:
    field = "" if defect.field == "row" else f"{defect.field}: "
    return f"{source.path}: {source.unit} {defect.number}: {field}{defect.message}"


def _keep(grades: Generator[Grade, None, None], work: WorkFolder, meter: Meter) -> None:
    """Put grades on the disk as they come; also those that are there when this is interrupted."""
    part: list[Grade] = []
    next_s = _PART_S
    with closing(grades):
        try:
            for grade in grades:
                part.append(grade)
                meter.count()
                if len(part) >= _PART_ROWS or meter.elapsed_s >= next_s:
                    work.append(part)
                    part = []
                    next_s = meter.elapsed_s + min(_PART_MOST_S, max(_PART_S, _PART_SHARE * meter.elapsed_s))
        finally:
            if part:
                work.append(part)


def _publish(job: MarkingJob, source: Source, work: WorkFolder, graded: Meter, watch: Watcher | None) -> MarkingReport:
    elapsed_s = graded.elapsed_s
    verdicts: Counter[str] = Counter()
    rules: Counter[str] = Counter()
    meter = Meter(watch, "writing", n_rows=work.n_rows)

    def counted() -> Iterator[Grade]:
        for grade in work.grades():
            verdicts[grade.verdict] += 1
            rules[grade.rule] += 1
            meter.count()
            yield grade

    merged = work.merge(source, counted())
    report = MarkingReport(
        out=str(job.out),
        n_rows=meter.n_done,
        verdicts=dict(verdicts.most_common()),  # type: ignore[arg-type]  # Counter keeps no Literal
        rules=dict(rules.most_common()),
        n_graded=graded.n_done - graded.n_before,
        elapsed_s=elapsed_s,
        job=work.identity,
    )
    write_manifest(job.out, report)  # before the output: an output with a manifest is whole
    work.publish(merged)
    return report
