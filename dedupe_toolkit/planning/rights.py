"""What a merge takes that the database user may not do: told by the plan. Reads no rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..databases.rights import Right
from ..models import HeldGroup, MergeRun, MergeStep, RowChange

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..databases import Database
    from ..sentences import Sentence
    from .written import Written

_JOURNALED = {
    MergeRun: ("INSERT", "UPDATE"),
    HeldGroup: ("INSERT",),
    MergeStep: ("INSERT", "UPDATE", "DELETE"),
    RowChange: ("INSERT",),
}


def lacking_rights(database: Database, *written: Iterable[Written]) -> tuple[Sentence, ...]:
    """A sentence if the database user may not write what a merge may have to.

    Of several accounts of what is written, each is closer than the one before, and takes longer.
    """
    found: tuple[Sentence, ...] = ()
    for account in written:
        found = database.told_lacking([*_of_journal(), *_of_tables(account)])
        if not found:
            break
    return found


def _of_journal() -> Iterator[Right]:
    for model, actions in _JOURNALED.items():
        for action in actions:
            yield Right(action, model._meta.db_table)


def _of_tables(written: Iterable[Written]) -> Iterator[Right]:
    changed: dict[str, dict[str, None]] = {}
    for one in written:
        if one.is_deleted:
            # all that a row has goes into the journal, also what the catalogue does not show
            yield Right("SELECT", one.table.name)
            yield Right("DELETE", one.table.name)
        if one.is_locked:
            yield Right("LOCK", one.table.name)
        if one.columns:
            # what changes by itself is kept as it was
            columns = dict.fromkeys([*one.columns, *one.table.restless])
            changed.setdefault(one.table.name, {}).update(columns)
    for table, columns in changed.items():
        yield Right("UPDATE", table, tuple(columns))
