"""Marking: whole files of responses graded row by row, of any size, on all cores, resumable."""

from dartune.marking.job import MarkingJob
from dartune.marking.mark import mark_file
from dartune.marking.progress import MarkingProgress
from dartune.marking.report import MarkingReport

__all__ = ["MarkingJob", "MarkingProgress", "MarkingReport", "mark_file"]
