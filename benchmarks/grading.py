"""Right, wrong and fast: dartune beside Math-Verify and a grader of strings, on the same cases in the same run.

    python benchmarks/grading.py [--json] [--quick] [--data FOLDER] [--wrong]

Cases are real model outputs whose verdict can be trusted (`graders/outputs.py`) and pairs whose truth is known by
construction (`graders/constructed.py`). Each grader has one core. Time is CPU seconds of this process and its children,
with dartune's symbolic workers from their start, without imports of this process. Math-Verify is used as its README
says: `parse` of both sides, `verify(gold, answer)`, its own time limits on. `--wrong` prints the cases that dartune
gets wrong. Verdicts that are neither right nor wrong (`ungradable`, `timeout`) are `undecided`, and not right.

The last line is one JSON object; its first six fields are dartune's over all cases: share that is right, false
positives, cases per CPU second, the ratio of that rate to Math-Verify's, and the 99th percentile and maximum of the
time that one case takes by the clock.
"""

import argparse
import json
import logging
import os
import resource
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from dartune.grading import Grader
from graders import strings
from graders.case import Case
from graders.constructed import constructed_cases
from graders.outputs import recorded_cases

QUICK_STRIDE = 25
Ask = Callable[[Case], bool | None]
"""Whether a case is right; None where the grader does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What one grader made of some cases."""

    n: int
    right: float
    false_positives: int
    false_negatives: int
    undecided: int
    cases_per_cpu_s: float
    p99_ms: float
    max_ms: float


class Measured(NamedTuple):
    """What one grader said of some cases, and what that took."""

    cases: list[Case]
    said: list[bool | None]
    took: list[float]
    """Seconds by the clock."""
    cpu_s: float


def cpu_seconds() -> float:
    """CPU seconds of this process and the children that have ended."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def measure(ask: Ask, cases: list[Case], *, close: Callable[[], None] = lambda: None) -> Measured:
    """Grade the cases one after the other; `close` ends what must have ended before its CPU time is known."""
    took: list[float] = []
    said: list[bool | None] = []
    start = cpu_seconds()
    for case in cases:
        begin = time.perf_counter()
        said.append(ask(case))
        took.append(time.perf_counter() - begin)
    close()
    return Measured(cases, said, took, cpu_seconds() - start)


def score(parts: list[Measured]) -> Score:
    """What the parts of one grader come to."""
    pairs = [pair for part in parts for pair in zip(part.cases, part.said, strict=True)]
    took = sorted(seconds for part in parts for seconds in part.took)
    return Score(
        n=len(pairs),
        right=round(sum(verdict is case.right for case, verdict in pairs) / len(pairs), 6),
        false_positives=sum(verdict is True and not case.right for case, verdict in pairs),
        false_negatives=sum(verdict is False and case.right for case, verdict in pairs),
        undecided=sum(verdict is None for _, verdict in pairs),
        cases_per_cpu_s=round(len(pairs) / sum(part.cpu_s for part in parts), 1),
        p99_ms=round(1000 * took[int(0.99 * len(took))], 3),
        max_ms=round(1000 * took[-1], 1),
    )


def ask_dartune(grader: Grader, show: bool) -> Ask:
    """The verdict of dartune; with `show` the cases that it gets wrong are printed."""

    def ask(case: Case) -> bool | None:
        if case.query is None:
            grade = grader.grade_answer(ref_answer=case.ref_answer, answer=case.text)
        else:
            grade = grader.grade(ref_answer=case.ref_answer, response=case.text, query=case.query, judge=case.judge)
        verdict = None if grade.verdict in ("ungradable", "timeout") else grade.verdict == "correct"
        if show and verdict is not case.right:
            text = case.text[-200:]
            print(json.dumps([case.origin, case.ref_answer, text, grade.answer, grade.verdict, grade.rule]))
        return verdict

    return ask


def ask_math_verify(case: Case) -> bool | None:
    """Math-Verify's verdict."""
    from math_verify import parse, verify

    answer = parse(_as_math(case.text) if case.query is None else case.text)
    return bool(verify(parse(_as_math(case.ref_answer)), answer))


def _as_math(text: str) -> str:
    return text if "$" in text or "\\(" in text else f"${text}$"


def ask_strings(case: Case) -> bool | None:
    """The verdict of string grading."""
    answer = case.text if case.query is None else strings.extract(case.text)
    return answer is not None and strings.equal(case.ref_answer, answer)


def compare(kinds: dict[str, list[Case]], *, show: bool) -> dict[str, dict[str, Score]]:
    """Scores of every grader by kind of case, and over all."""
    parts: dict[str, list[Measured]] = {"dartune": [], "math_verify": [], "strings": []}
    for cases in kinds.values():
        grader = Grader()
        parts["dartune"].append(measure(ask_dartune(grader, show), cases, close=grader.close))
        parts["math_verify"].append(measure(ask_math_verify, cases))
        parts["strings"].append(measure(ask_strings, cases))
    scores = {kind: {name: score([found[i]]) for name, found in parts.items()} for i, kind in enumerate(kinds)}
    return {"all": {name: score(found) for name, found in parts.items()}, **scores}


def summary(scores: dict[str, dict[str, Score]]) -> dict[str, object]:
    """The benchmark's last line."""
    ours, peer = scores["all"]["dartune"], scores["all"]["math_verify"]
    return {
        "right": ours.right,
        "false_positives": ours.false_positives,
        "cases_per_cpu_s": ours.cases_per_cpu_s,
        "over_math_verify": round(ours.cases_per_cpu_s / peer.cases_per_cpu_s, 1),
        "p99_ms": ours.p99_ms,
        "max_ms": ours.max_ms,
        "graders": {kind: {name: asdict(found) for name, found in part.items()} for kind, part in scores.items()},
    }


def default_data() -> Path:
    """DARTUNE_DATA, or the folder beside the checkout."""
    return Path(os.environ.get("DARTUNE_DATA", Path(__file__).parents[2] / "shared" / "data"))


def main() -> None:
    """Grade, print a table, and as the last line one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print nothing but the JSON object")
    parser.add_argument("--quick", action="store_true", help=f"every {QUICK_STRIDE}th case")
    parser.add_argument("--wrong", action="store_true", help="print the cases that dartune gets wrong")
    parser.add_argument("--data", type=Path, default=default_data())
    options = parser.parse_args()
    logging.getLogger("math_verify").setLevel(logging.CRITICAL)
    stride = QUICK_STRIDE if options.quick else 1
    kinds = {
        "model_outputs": list(islice(recorded_cases(options.data), 0, None, stride)),
        "constructed": list(islice(constructed_cases(options.data), 0, None, stride)),
    }
    scores = compare(kinds, show=options.wrong)
    if not options.json:
        for kind, part in scores.items():
            for name, found in part.items():
                print(f"{kind:14} {name:12}", "  ".join(f"{field} {value}" for field, value in asdict(found).items()))
    print(json.dumps(summary(scores)))


if __name__ == "__main__":
    main()
