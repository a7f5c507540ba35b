"""A run taken back: the rows as they were before it."""
