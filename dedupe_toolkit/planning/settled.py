"""What a run has done by the time it repoints a reference, in a plan that counts its rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..databases.names import numbered
from ..repointing.rows import (
    are_merged,
    counting_rows,
    have_lost,
    points_at_duplicate,
    repointed_rows,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..collisions.rivals import Rivals
    from ..databases import Database
    from ..mapping.mapping import MergeMap
    from ..references.kinds import Reference
    from ..repointing.self_references import OwnTarget


@dataclass(frozen=True, kw_only=True)
class Settled:
    """Rows that lost to a rival are gone, with every part of their objects, and survivors point at
    targets of their own.

    What these have been given counts nowhere, wherever it moves.
    """

    rivals: tuple[Rivals, ...] = ()
    merged: tuple[MergeMap, ...] = ()
    own_targets: tuple[OwnTarget, ...] = ()

    def with_losers(self, rivals: Rivals) -> Settled:
        return replace(self, rivals=(*self.rivals, rivals))

    def with_merged(self, mapping: MergeMap) -> Settled:
        return replace(self, merged=(*self.merged, mapping))

    def with_targets(self, own_targets: tuple[OwnTarget, ...]) -> Settled:
        return replace(self, own_targets=(*self.own_targets, *own_targets))

    def counting(
        self, database: Database, mapping: MergeMap, reference: Reference, *excluded: str
    ) -> str:
        """A query for how many rows (``t``) a reference repoints, by what they held at first."""
        table = reference.referrer._meta.db_table
        lost = [have_lost(database, one) for one in self.rivals if one.referrer.table.name == table]
        lost += [are_merged(database, one, reference) for one in self.merged]
        given = [_holds(database, own) for own in self.own_targets if own.reference == reference]
        rows = repointed_rows(database, mapping, reference)
        return counting_rows(rows, *excluded, *lost, *given)

    def repointed(
        self, database: Database, mapping: MergeMap, reference: Reference
    ) -> Iterator[str]:
        """SQL, each true for rows (``t``) that point at what has been merged at another level."""
        for one in self.merged:
            if one.table.name == mapping.table.name:
                yield points_at_duplicate(database, one, reference)


def _holds(database: Database, own: OwnTarget) -> str:
    """SQL that is true for survivors (``t``) that have been given a target of their own."""
    key = database.table(own.reference.referrer).key
    same = database.join_on("t", key, "v", numbered("survivor", len(key)))
    return f"EXISTS (SELECT 1 FROM {database.q(own.name)} v WHERE {same})"
