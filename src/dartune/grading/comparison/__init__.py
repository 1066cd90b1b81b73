"""Whether two final answers are one, decided by kind of object without symbolic algebra."""
