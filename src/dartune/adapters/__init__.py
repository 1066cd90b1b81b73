"""dartune's grader as other libraries call one: TRL, verl, lm-evaluation-harness and lighteval.

None of them is imported here: each module speaks its library's calling convention, and needs no set-up.
"""
