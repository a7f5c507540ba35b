"""A real film catalogue, imported the way thousands of projects import theirs."""
