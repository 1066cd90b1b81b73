r"""MATH (Hendrycks et al. 2021): exact equality of final answers, nothing rounded.

Rule: the last box of the reference solution is the reference; an answer is right if it is the same object. Spelling,
units that the reference lacks and the form of a number do not count; a rounding is wrong.

Source: hendrycks/math, modeling/math_equivalence.py compares strings after some spellings are settled. PRM800K
(openai/prm800k, prm800k/grading/grader.py) adds symbolic equality and asks for brackets to agree; DART-Math
(hkust-nlp/dart-math 219b324, dart_math/eval.py, EvaluatorMath) does too, with a relative tolerance of 1e-9.

Where we differ: PRM800K rejects a fraction that is not in lowest terms, which says nothing about the mathematics; we
accept it. DART-Math takes 0.5 for 50 and 50 for 0.5 whenever both could be percentages; we do so only where a percent
sign is written on one side. DART-Math asks for the elements of a list in the reference's order unless the query says
"find the", or "all" and "separate"; we take a list without brackets as a set of values always.

That is the default judge, under the name of the benchmark.
"""

from dartune.grading.judges import default
from dartune.grading.judges.base import Judge

MATH = Judge(name="math", decide=default.decide)
"""Exact equality by kind of object."""
