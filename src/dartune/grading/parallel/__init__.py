"""Grading in several processes at once."""
