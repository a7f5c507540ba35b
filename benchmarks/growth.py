"""How the time grows with the size: the engine's growth against the hand-written SQL's own."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from .report import Results, Row
from .runner import middle
from .suite import JOURNALED, ONE_BATCH

if TYPE_CHECKING:
    from collections.abc import Iterator


def growth(results: Results, samples: dict[str, Any]) -> None:
    """Add, for every database and pair of sizes, how much steeper the engine grows."""
    for database in dict.fromkeys(database for database, _ in results):
        sizes = sorted(size for name, size in results if name == database)
        measured = [size for size in sizes if f"{database} {size} merge" in samples]
        for small, large in pairwise(measured):
            results[database, large] += _rows(database, small, large, samples)


def _rows(database: str, small: int, large: int, samples: dict[str, Any]) -> Iterator[Row]:
    grown = []
    for contestant in (ONE_BATCH, JOURNALED):
        times = [
            middle(samples[f"{database} {size} merge"][contestant], "total")
            for size in (small, large)
        ]
        grown.append(times[1] / times[0])
    what = f"growth from {small:,}, against hand-written SQL's"
    yield Row(what, *grown, goal=1.2, unit="x")
    memory = [samples.get(f"{database} {size} memory") for size in (small, large)]
    if all(memory):
        peaks = [found["memory"][0]["peak"] / 1e6 for found in memory if found]
        yield Row(f"memory, against {small:,}", peaks[1], peaks[0], goal=1.2, unit="MB")
