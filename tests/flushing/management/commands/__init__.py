"""Commands of the suite alone."""
