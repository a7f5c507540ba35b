"""Which columns of each table a merge may change, and how. Reads no rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..repointing.followers import followers

if TYPE_CHECKING:
    from ..databases.tables import Table
    from ..mapping.mapping import MergeMap
    from ..references.kinds import Reference
    from ..references.referrers import Referrer
    from .levels import Level
    from .session import Session


@dataclass(frozen=True, kw_only=True)
class TableChanges:
    """The columns of one table that a merge may change.

    ``repointed`` has for each column what repoints it; ``picked`` are those that may take the
    value of another row, ``computed`` those that may get a new one.
    """

    table: Table
    repointed: dict[str, list[tuple[MergeMap, Reference]]] = field(default_factory=dict)
    picked: set[str] = field(default_factory=set)
    computed: set[str] = field(default_factory=set)

    @property
    def valued(self) -> set[str]:
        return self.picked | self.computed

    @property
    def changed(self) -> set[str]:
        return self.valued.union(self.repointed)

    def mappings(self, columns: frozenset[str]) -> set[str]:
        """The mappings that repoint any of these columns."""
        found = [pair for column in columns for pair in self.repointed.get(column, ())]
        return {mapping.name for mapping, _ in found}


def table_changes(session: Session, level: Level) -> list[TableChanges]:
    """What applying a level, and all below it, may change."""
    found: dict[str, TableChanges] = {}
    for below in level.levels():
        _add_values(below, _changes(found, below.mapping.table))
        for work in below.works:
            for reference in work.referrer.references:
                if reference in below.pointing:
                    _add_reference(session, found, below.mapping, work.referrer, reference)
    return list(found.values())


def _changes(found: dict[str, TableChanges], table: Table) -> TableChanges:
    return found.setdefault(table.name, TableChanges(table=table))


def _add_values(level: Level, changes: TableChanges) -> None:
    for column, is_computed in level.policy.rules.changing(level.mapping.table).items():
        (changes.computed if is_computed else changes.picked).add(column)
    for own in level.own_targets:
        changes.picked.update(own.reference.columns)


def _add_reference(
    session: Session,
    found: dict[str, TableChanges],
    mapping: MergeMap,
    referrer: Referrer,
    reference: Reference,
) -> None:
    changes = _changes(found, referrer.table)
    for column in reference.columns:
        changes.repointed.setdefault(column, []).append((mapping, reference))
    for follower in followers(session, mapping, referrer, reference):
        _add_reference(session, found, follower.mapping, follower.referrer, follower.reference)
