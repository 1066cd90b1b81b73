"""Small evaluations on the disk, for tests of several modules."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from dartune.config import EvaluationConfig, QueriesConfig, ReplayEngineConfig
from dartune.engines.replay import ReplayEngine
from dartune.evaluation.results import Evaluation, read_evaluation
from dartune.evaluation.run import EvaluationJob, evaluate_model
from dartune.grading import Grader
from dartune.prompts import load_template
from dartune.queries import load_queries
from dartune.sampling.grades import Grades


def write_problems(path: Path, answers: Mapping[str, str], *, level: int | None = None) -> Path:
    """A file of problems: text -> reference."""
    rows = [
        {"text": text, "ref_answer": answer, "level": level or 1 + i % 2, "domain": f"d{i % 2}"}
        for i, (text, answer) in enumerate(answers.items())
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def write_responses(path: Path, responses: Mapping[str, Sequence[str]]) -> Path:
    """A file of recorded responses: text of the problem -> what was answered, try by try."""
    lines = [
        json.dumps({"query": text, "response": response, "finish_reason": "stop", "n_tokens": 7})
        for text, given in responses.items()
        for response in given
    ]
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def evaluate(
    folder: Path,
    problems: Mapping[str, str],
    responses: Mapping[str, Sequence[str]],
    *,
    template: str = "plain",
    grader: Grades | None = None,
    name: str = "own",
) -> Evaluation:
    """Evaluate recorded responses to some problems, a benchmark called `name`, into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    files = "" if name == "own" else f"-{name}"
    source = write_problems(folder.parent / f"{folder.name}{files}-problems.jsonl", problems)
    recorded = write_responses(folder.parent / f"{folder.name}-responses.jsonl", responses)
    n_trials = max(map(len, responses.values()))
    config = EvaluationConfig(
        benchmarks={name: QueriesConfig(source=str(source))},
        in_domain=(name,),
        n_trials=n_trials,
        temperature=0.0 if n_trials == 1 else 0.7,
        max_new_tokens=64,
    )
    sets = {name: load_queries(config.benchmarks[name])}
    with Grader() as usual:
        evaluate_model(
            EvaluationJob(benchmarks=sets, template=load_template(template), config=config),
            engine=ReplayEngine(ReplayEngineConfig(path=recorded), sets[name].queries),
            grader=grader or usual,
            pool=folder,
        )
    return read_evaluation(folder)


def boxed(answer: object) -> str:
    """A response that gives an answer."""
    return f"It is \\boxed{{{answer}}}."
