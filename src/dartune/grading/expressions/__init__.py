"""Mathematical expressions: read within limits, compared by their values at random points."""
