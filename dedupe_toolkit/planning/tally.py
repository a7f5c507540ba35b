"""Counts by reference, added up over levels and batches."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..values import ReferenceCount

if TYPE_CHECKING:
    from collections.abc import Iterable


class Tally:
    def __init__(self) -> None:
        self._counts: dict[str, ReferenceCount] = {}

    def add(
        self, reference: str, kind: str, *, repointed: int = 0, discarded: int = 0, merged: int = 0
    ) -> None:
        old = self._counts.get(reference, ReferenceCount(reference=reference, kind=kind))
        self._counts[reference] = replace(
            old,
            repointed=old.repointed + repointed,
            discarded=old.discarded + discarded,
            merged=old.merged + merged,
        )

    def mention(self, references: Iterable[ReferenceCount]) -> None:
        """Let these references appear, whether or not any of their rows change."""
        for count in references:
            self.add(count.reference, count.kind)

    def include(self, other: Tally) -> None:
        self.add_up(other.references)

    def add_up(self, references: Iterable[ReferenceCount]) -> None:
        for count in references:
            self.add(
                count.reference,
                count.kind,
                repointed=count.repointed,
                discarded=count.discarded,
                merged=count.merged,
            )

    @property
    def references(self) -> tuple[ReferenceCount, ...]:
        """The counts of every reference that came up, by name."""
        return tuple(sorted(self._counts.values(), key=lambda count: count.reference))
