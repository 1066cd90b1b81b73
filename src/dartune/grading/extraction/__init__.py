"""The final answer of a response: where it is looked for, by named rules."""
