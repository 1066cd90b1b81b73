"""An LLM as the last judge of what the grader could not decide, through any engine."""

from dartune.llm_judge.judge import Graded, Settled, Spending, settle

__all__ = ["Graded", "Settled", "Spending", "settle"]
