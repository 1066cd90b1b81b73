"""What turns a prompt into a response: one module for each engine, found by name in `factory`."""
