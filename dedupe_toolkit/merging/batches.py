"""The transaction of a batch, and the pairs that it merges as receivers of signals get them."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from django.db import transaction

from ..databases.retry import telling_locks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..databases import Database
    from ..mapping.mapping import MergeMap
    from ..planning.session import Session
    from ..values import MergePolicy


@contextmanager
def batch_transaction(database: Database) -> Iterator[ExitStack]:
    """A batch is whole or not there; what is entered on the stack ends before its commit.

    Raises `RowsLocked` where others hold rows for too long. In a transaction of the caller's it is
    the database's own error, as only the caller can begin again.
    """
    with ExitStack() as outer:
        if not database.connection.in_atomic_block:
            outer.enter_context(telling_locks(database))
        outer.enter_context(database.kept.batch())
        outer.enter_context(transaction.atomic(using=database.using))
        yield outer.enter_context(ExitStack())


def patience_of(database: Database, policy: MergePolicy) -> float:
    """For how many seconds a batch waits for rows; in a transaction of the caller's as that does.

    Ask before the batch's own transaction begins.
    """
    if policy.lock_timeout is not None:
        return policy.lock_timeout
    return 0 if database.connection.in_atomic_block else database.lock_timeout


def planned_pairs(session: Session, mapping: MergeMap) -> Iterator[tuple[str, str]]:
    """The pairs of a batch about to be merged, keys as text."""
    database = session.database
    keys = [
        database.key_text(list(zip(mapping.table.pk, database.qualified("m", side), strict=True)))
        for side in (mapping.members, mapping.survivors)
    ]
    rows: list[Any] = database.fetch(
        f"SELECT {', '.join(keys)} FROM {database.q(mapping.name)} m WHERE m.place > 0"
    )
    yield from rows
