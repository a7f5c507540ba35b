"""Rows that have come to point at what is about to go, or to move, since the batch looked.

By foreign keys that the merge does not follow: the database would delete or change such rows, or
leave them pointing at nothing. Locks what they point at, and only reads the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..databases.retry import RowsChanged
from ..mapping.mapping import MERGED
from ..planning.reasons.undeclared_keys import undeclared_keys_of_movers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..databases.named_rows import NamedRows
    from ..databases.tables import DatabaseKey, Table
    from ..mapping.mapping import MergeMap
    from ..planning.session import Session
    from ..references.kinds import Reference
    from ..references.referrers import Referrer


def refuse_strangers_of_losers(session: Session, table: Table, rows: NamedRows) -> None:
    """Raises `RowsChanged` if anything points at rows that are to go and would go with them."""
    undeclared = session.undeclared_keys(table.model)
    acting = (key for key in session.acting_keys(table.model) if key not in undeclared)
    _refuse(session, table, rows, [*undeclared, *acting])


def refuse_strangers_of_merged(session: Session, mapping: MergeMap) -> None:
    """The same of rows that merge one level down; what models declare is repointed."""
    keys = session.undeclared_keys(mapping.table.model)
    _refuse(session, mapping.table, mapping.named.only(MERGED), keys)


def refuse_strangers_of_movers(
    session: Session, referrer: Referrer, reference: Reference, rows: NamedRows
) -> None:
    """The same of rows whose key a reference moves."""
    keys = undeclared_keys_of_movers(session, referrer, reference)
    _refuse(session, referrer.table, rows, keys)


def _refuse(session: Session, table: Table, rows: NamedRows, keys: Sequence[DatabaseKey]) -> None:
    database = session.database
    if not keys:
        return
    database.lock_rows(table, rows)
    source = database.selecting(table, rows)
    found = database.answers(
        [
            f"SELECT COUNT(*) {source} AND EXISTS (SELECT 1 FROM {database.q(key.table)} s"
            f" WHERE {database.join_on('s', key.columns, 't', key.targets)})"
            for key in keys
        ]
    )
    for key, count in zip(keys, found, strict=True):
        if count:
            raise RowsChanged(f"{key.label} has come to point at rows of {table.model._meta.label}")
