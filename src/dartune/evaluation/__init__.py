"""What a model is worth: benchmarks, the greedy run over them, its metrics and their significance."""
