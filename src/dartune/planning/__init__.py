"""What a run will cost before it is spent: plans, and simulation without an engine."""
