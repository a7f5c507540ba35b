"""Benchmarks: the engine against hand-written SQL and released packages, in the same run."""
