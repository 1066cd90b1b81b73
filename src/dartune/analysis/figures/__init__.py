"""Which numbers of a summary stand in which figure of a report."""
