"""A recipe's sampling on scripted tries, without an engine: how full it would keep one, and what it would cost."""
