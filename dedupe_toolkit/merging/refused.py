"""The groups of a run that the database has refused, each by itself: they come again at the end.

What such a group is to hold may be what a row of another one has held until that was merged. Two of
them may even wait for each other, so they come again together.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..mapping.whole_groups import renumber

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..databases import Database
    from ..mapping.mapping import MergeMap
    from .slices import Slice

TOGETHER = 100
"""So many come again in one batch, however small a policy has them."""

Told = tuple[str, dict[str, str]]
"""The code of the reason why a group is held back, and what that speaks of."""


@dataclass(kw_only=True)
class Refused:
    """The numbers of groups, and why each was refused."""

    why: dict[int, Told] = field(default_factory=dict)
    _merged_then: int = -1

    def come_again(self, merged: int) -> bool:
        """Whether some may be merged now: the first time, and then as long as others are.

        ``merged`` is how many the run has merged by now.
        """
        is_new, self._merged_then = merged > self._merged_then, merged
        return bool(self.why) and is_new

    def numbered(self, database: Database, mapping: MergeMap, first: int) -> Slice:
        """Their new numbers in the mapping, one after another; they are no longer refused.

        The latest come first, as they may be what the others wait for.
        """
        numbers: Sequence[int] = [*reversed(self.why)]
        renumber(database, mapping, numbers, first)
        self.why.clear()
        return first, first + len(numbers) - 1
