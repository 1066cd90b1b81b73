"""The default judge: exact equality by kind of object, with no rounding, where the reference says what is asked."""

from dartune.grading.comparison.choices import resolve
from dartune.grading.comparison.compare import compare
from dartune.grading.comparison.decision import Decision, Task
from dartune.grading.judges.base import Judge


def decide(task: Task) -> Decision:
    """Compare; with the query, the letter of an option that it offers and the option's value are one answer."""
    if task.query is None:
        return compare(task.ref_answer, task.answer)
    return compare(*resolve(task.query, task.ref_answer, task.answer))


DEFAULT = Judge(name="default", decide=decide)
