"""Counts by reference, added up over levels and batches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..plan_values import ReferenceCount

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..references.kinds import Reference


class Tally:
    def __init__(self) -> None:
        self._counts: dict[str, ReferenceCount] = {}

    def add(
        self, reference: Reference, *, repointed: int = 0, discarded: int = 0, merged: int = 0
    ) -> None:
        """Count rows of a reference; without any it is mentioned all the same."""
        numbers = {"repointed": repointed, "discarded": discarded, "merged": merged}
        self.add_up([ReferenceCount(reference=reference.label, kind=reference.kind, **numbers)])

    def mention(self, references: Iterable[ReferenceCount]) -> None:
        """Let these references appear, whether or not any of their rows change."""
        self.add_up(ReferenceCount(reference=one.reference, kind=one.kind) for one in references)

    def add_up(self, counts: Iterable[ReferenceCount]) -> None:
        for count in counts:
            old = self._counts.get(count.reference)
            self._counts[count.reference] = old + count if old else count

    @property
    def references(self) -> tuple[ReferenceCount, ...]:
        """The counts of every reference that came up, by name."""
        return tuple(sorted(self._counts.values(), key=lambda count: count.reference))
