"""dartune's grader as other libraries call one: TRL, verl, lm-evaluation-harness and lighteval.

Each module speaks its library's calling convention, needs no set-up, and imports nothing of the library before it is
asked for an object of its.
"""
