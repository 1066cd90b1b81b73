"""What a run will cost and give, before anything is spent."""
