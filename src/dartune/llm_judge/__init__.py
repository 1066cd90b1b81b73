"""An LLM as the last judge of what the grader could not decide, through any OpenAI-compatible endpoint."""

from dartune.llm_judge.endpoint import EndpointConfig
from dartune.llm_judge.judge import Graded, Prices, Settled, Spending, settle

__all__ = ["EndpointConfig", "Graded", "Prices", "Settled", "Spending", "settle"]
