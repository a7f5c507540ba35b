"""Empties the databases between tests faster than Django does."""
