"""Changes of users' rows: journaled first, and then exactly the rows that were journaled."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import DatabaseError

from ..databases.retry import RowsChanged, RowsLocked
from ..errors import DedupeError
from ..journal.write import Gone
from ..models import MergeStep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ..databases import Database
    from ..databases.named_rows import NamedRows
    from ..databases.tables import Table
    from ..journal.write import Journal


@dataclass(frozen=True, kw_only=True)
class Changes:
    """Updates and deletes of a table (alias ``t``) by what a work table (alias ``m``) says."""

    database: Database
    journal: Journal

    def update(
        self,
        table: Table,
        assigned: Mapping[str, str],
        rows: NamedRows,
        *,
        root: str,
        reason: MergeStep.Reason,
        reference: str = "",
        key: Mapping[str, str] | None = None,
        between: Callable[[], None] | None = None,
    ) -> int:
        """Set columns from the work table; returns how many rows changed.

        ``assigned`` maps the table's columns to the work table's. What has to be changed
        ahead, and put back ahead when this is undone, is done in ``between``: rows are journaled
        then and not changed yet. What is changed in there says by ``key`` under which key a row
        will be then; it is undone while the row still has that.
        """
        old = dict(key or {one.name: f"t.{self.database.q(one.name)}" for one in table.pk})
        new = {
            column: f"m.{self.database.q(value)}"
            for column, value in assigned.items()
            if column in old
        }
        row = list((old | new).values())
        journaled = self.journal.record(
            table,
            action=MergeStep.Action.UPDATE,
            reason=reason,
            reference=reference,
            source=self.database.selecting(table, rows),
            key=row,
            root=root,
            gone=Gone(key=list(old.values()), into=row) if new else None,
            columns=[table.column(column) for column in assigned],
            before=self.database.qualified("t", list(assigned)),
            after=[
                self.database.as_stored(table.column(column), f"m.{self.database.q(value)}")
                for column, value in assigned.items()
            ],
        )
        if journaled:
            if between:
                between()
            changed = self.database.update(table.name, assigned, rows, keep=table.restless)
            _agree(table, journaled, changed)
        return journaled

    def delete(
        self,
        table: Table,
        rows: NamedRows,
        *,
        root: str,
        reason: MergeStep.Reason,
        into: Sequence[str] = (),
        reference: str = "",
    ) -> int:
        """Delete the rows; returns how many they were.

        ``into`` is SQL for the key of the row that each lives on as, if it does.
        """
        key = self.database.qualified("t", table.key)
        journaled = self.journal.record(
            table,
            action=MergeStep.Action.DELETE,
            reason=reason,
            reference=reference,
            source=self.database.selecting(table, rows),
            key=key,
            root=root,
            gone=Gone(key=key, into=into) if into else None,
            columns=table.stored,
            before=self.database.qualified("t", [column.name for column in table.stored]),
            after=None,
        )
        if journaled:
            _agree(table, journaled, self.database.delete(table.name, rows))
        return journaled


@contextmanager
def naming(table: Table) -> Iterator[None]:
    """What the database refuses inside is about this table, unless it is known more exactly."""
    try:
        yield
    except DatabaseError as error:
        if not hasattr(error, "__notes__"):
            error.add_note(f"{table.model._meta.label}: ")
        raise


def refusal(error: DatabaseError | DedupeError) -> tuple[str, dict[str, str]]:
    """The code of the reason for what the database refuses, and what it says, on one line."""
    if isinstance(error, RowsLocked):
        return "held by others", {}
    if isinstance(error, DedupeError):
        return "changed all the time", {"words": str(error)}
    about = "".join(getattr(error, "__notes__", ()))
    return "refused", {"about": about, "words": " ".join(str(error).split())}


def _agree(table: Table, journaled: int, changed: int) -> None:
    if journaled != changed:
        raise RowsChanged(
            f"{table.model._meta.label}: {journaled} rows were to change, and {changed} did: a"
            " trigger keeps them, or others change them all the time"
        )
