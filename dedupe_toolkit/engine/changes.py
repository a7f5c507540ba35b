"""Changes of users' rows: journaled first, and then exactly the rows that were journaled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import DedupeError
from ..models import MergeStep

if TYPE_CHECKING:
    from collections.abc import Mapping as Dict

    from ..databases import Database
    from ..databases.tables import Table
    from .journal import Journal


class RowsChanged(DedupeError):
    """Other sessions changed rows between the journal and the change: the batch starts again."""


@dataclass(frozen=True, kw_only=True)
class Changes:
    """Updates and deletes of a table (alias ``t``) by what a work table (alias ``m``) says."""

    database: Database
    journal: Journal

    def update(
        self,
        table: Table,
        assigned: Dict[str, str],
        *,
        source: str,
        on: Dict[str, str],
        root: str,
        reason: MergeStep.Reason,
        reference: str = "",
        where: str = "",
        where_source: str = "",
    ) -> int:
        """Set columns from the work table; returns how many rows changed.

        ``assigned`` and ``on`` map the table's columns to the work table's.
        """
        names = {column.name: f"t.{self.database.q(column.name)}" for column in table.pk}
        keys = names | {
            column: f"m.{self.database.q(value)}"
            for column, value in assigned.items()
            if column in names
        }
        journaled = self.journal.record(
            table,
            action=MergeStep.Action.UPDATE,
            reason=reason,
            reference=reference,
            source=self._source(table, source, on, where, where_source),
            key=list(keys.values()),
            root=root,
            columns=[table.column(column) for column in assigned],
            before=self.database.qualified("t", list(assigned)),
            after=self.database.qualified("m", list(assigned.values())),
        )
        if journaled:
            changed = self.database.update(
                table.name, assigned, source=source, on=on, where=where, where_source=where_source
            )
            _agree(table, journaled, changed)
        return journaled

    def delete(
        self,
        table: Table,
        *,
        source: str,
        on: Dict[str, str],
        root: str,
        reason: MergeStep.Reason,
        reference: str = "",
        where_source: str = "",
    ) -> int:
        """Delete the rows that the work table names; returns how many they were."""
        journaled = self.journal.record(
            table,
            action=MergeStep.Action.DELETE,
            reason=reason,
            reference=reference,
            source=self._source(table, source, on, "", where_source),
            key=self.database.qualified("t", [column.name for column in table.pk]),
            root=root,
            columns=table.stored,
            before=self.database.qualified("t", [column.name for column in table.stored]),
            after=None,
        )
        if journaled:
            deleted = self.database.delete(
                table.name, source=source, on=on, where_source=where_source
            )
            _agree(table, journaled, deleted)
        return journaled

    def _source(
        self, table: Table, source: str, on: Dict[str, str], where: str, where_source: str
    ) -> str:
        database = self.database
        conditions = " AND ".join(filter(None, [where_source, where])) or "1 = 1"
        return (
            f"FROM {database.q(source)} m {database.join} {database.q(table.name)} t"
            f" ON {database.matches(on)} WHERE {conditions}"
        )


def _agree(table: Table, journaled: int, changed: int) -> None:
    if journaled != changed:
        raise RowsChanged(f"{table.name}: {journaled} rows journaled, {changed} changed")
