"""How many groups the next batch has: a number that is fixed, or what fits into a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..databases import Database
    from ..values import MergePolicy

_FIRST = 200
_FEWEST = 100
"""Fewer would hardly be quicker, as a batch has its fixed cost: where that alone takes longer than
it may, sizes would shrink and shrink for nothing. Unless they are far too slow."""
_GROWTH = 2
_SHRINKAGE = 4
SHARE_BESIDE_OTHERS = 0.3
"""What is left of a batch's time while others wait: each of them waits less, and for fewer rows."""
MEMORY = 20
"""For how many batches others are expected to wait again after they have."""


@dataclass
class Sizes:
    """The size of the next batch, which follows from the time of the last one."""

    size: int
    most: int
    seconds: float | None = None
    """How long a batch may take; None where the size is fixed."""
    _batches_in_peace: int = MEMORY

    def measured(self, groups: int, seconds: float, *, is_waited_for: bool = False) -> None:
        """So many groups took so long: the next batch has as many as shall fit.

        As many as fit into a part of the time where others have waited for one of the last.
        """
        if self.seconds is None:
            return
        self._batches_in_peace = 0 if is_waited_for else self._batches_in_peace + 1
        is_peace = self._batches_in_peace >= MEMORY
        wanted = self.seconds * (1 if is_peace else SHARE_BESIDE_OTHERS)
        fitting = int(groups * wanted / max(seconds, 0.001))
        fewest = _FEWEST if seconds < self.seconds * _SHRINKAGE else 1
        bounded = max(fitting, self.size // _SHRINKAGE, fewest)
        self.size = min(bounded, self.size * _GROWTH, self.most)


def sizes_of(database: Database, policy: MergePolicy, groups: int) -> Sizes:
    """The sizes of a run's batches; 0 for a size is one batch for all."""
    if policy.batch_size is not None:
        fixed = policy.batch_size or max(groups, 1)
        return Sizes(size=fixed, most=fixed)
    seconds = database.batch_seconds if policy.batch_seconds is None else policy.batch_seconds
    return Sizes(size=min(_FIRST, database.batch_size), most=database.batch_size, seconds=seconds)


def pause_of(database: Database, policy: MergePolicy) -> float:
    """Seconds of rest between two batches; none in a transaction of the caller's, as it would keep
    its locks."""
    if database.connection.in_atomic_block:
        return 0
    if policy.pause is not None:
        return policy.pause
    return database.pause if policy.batch_size is None else 0
