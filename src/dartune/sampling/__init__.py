"""Sampling: what is asked next, who asks it, and how it goes."""
