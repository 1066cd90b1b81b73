"""What `benchmarks/grading.py` compares: the cases whose truth is known, and the graders."""
