"""One canonical spelling of an answer, and the unit that it carries."""
