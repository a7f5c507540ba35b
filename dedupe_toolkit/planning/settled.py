"""What a run has done by the time it repoints a reference, in a plan that counts its rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..databases.names import numbered
from ..mapping.mapping import MERGED
from ..repointing.rows import counting_rows, have_lost, repointed_rows

if TYPE_CHECKING:
    from ..collisions.rivals import Rivals
    from ..databases import Database
    from ..mapping.mapping import MergeMap
    from ..references.kinds import Reference
    from ..repointing.self_references import OwnTarget


@dataclass(frozen=True, kw_only=True)
class Settled:
    """Rows that lost to a rival are gone, and survivors point at targets of their own.

    What survivors of the ``planned`` merge take counts nowhere, wherever it moves: see `Writer`.
    """

    planned: MergeMap
    rivals: tuple[Rivals, ...] = ()
    own_targets: tuple[OwnTarget, ...] = ()

    def with_losers(self, rivals: Rivals) -> Settled:
        return replace(self, rivals=(*self.rivals, rivals))

    def with_targets(self, own_targets: tuple[OwnTarget, ...]) -> Settled:
        return replace(self, own_targets=(*self.own_targets, *own_targets))

    def targets_of(self, reference: Reference) -> list[OwnTarget]:
        return [own for own in self.own_targets if own.reference == reference]

    def counting(
        self, database: Database, mapping: MergeMap, reference: Reference, *excluded: str
    ) -> list[str]:
        """Queries for how many rows (``t``) a reference repoints, to be added up.

        By what they held at first, and by what survivors have been given since.
        """
        table = reference.referrer._meta.db_table
        lost = [have_lost(database, one) for one in self.rivals if one.referrer.table.name == table]
        given = self.targets_of(reference)
        first = counting_rows(
            repointed_rows(database, mapping, reference),
            *excluded,
            *lost,
            *[_holds(database, own) for own in given],
        )
        since = [
            counting_rows(_given_rows(database, mapping, own), *excluded, *lost)
            for own in given
            if table != self.planned.table.name
        ]
        return [first, *since]


def _holds(database: Database, own: OwnTarget) -> str:
    """SQL that is true for survivors (``t``) that have been given a target of their own."""
    return f"EXISTS (SELECT 1 FROM {database.q(own.name)} v WHERE {_is_given(database, own)})"


def _given_rows(database: Database, mapping: MergeMap, own: OwnTarget) -> str:
    """SQL from FROM on: the mapping (``m``) beside survivors (``t``) given what it moves."""
    reference = own.reference
    values = database.qualified("v", numbered("value", len(reference.columns)))
    moved = database.equal(values, database.qualified("m", mapping.old(reference)))
    return (
        f"FROM {database.q(mapping.source(reference))} m"
        f" {database.join} {database.q(own.name)} v ON {moved}"
        f" {database.join} {database.q(reference.referrer._meta.db_table)} t"
        f" ON {_is_given(database, own)} WHERE {MERGED}"
    )


def _is_given(database: Database, own: OwnTarget) -> str:
    key = database.table(own.reference.referrer).key
    return database.join_on("t", key, "v", numbered("survivor", len(key)))
