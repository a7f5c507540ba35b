"""Locks of a batch on the rows of its groups, and what they do not keep out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import DatabaseError

if TYPE_CHECKING:
    from ..databases import Database
    from ..databases.retry import RowsChanged
    from ..mapping.mapping import MergeMap
    from ..planning.session import Session

_SURVIVORS = "m.place = 0"


def lock_groups(session: Session, mapping: MergeMap, *, tightly: bool) -> None:
    """Lock the members of all groups of a mapping.

    Unless ``tightly``, others may go on to reference survivors where that does no harm: a row that
    comes to collide is refused by its unique rule, and the batch starts again (`is_collision`).
    """
    stay = "" if tightly or not _may_be_referenced(session, mapping) else _SURVIVORS
    session.database.lock_rows(mapping.table, mapping.named, stay=stay)


def _may_be_referenced(session: Session, mapping: MergeMap) -> bool:
    """Whether no unique rule could miss what becomes of a survivor that is newly referenced.

    A survivor may take over a value that references hold instead of its key, and no rule forbids a
    row to tie it to a duplicate by two references.
    """
    key = tuple(mapping.key)
    return not any(
        len(referrer.references) > 1
        or any(not (one.is_text or one.targets == key) for one in referrer.references)
        for referrer in session.referrers(mapping.table.model)
    )


def is_collision(database: Database, error: DatabaseError | RowsChanged) -> bool:
    """Whether a unique rule refuses what the batch writes, which others may be the reason for."""
    return isinstance(error, DatabaseError) and database.code_of(error) in database.collisions
