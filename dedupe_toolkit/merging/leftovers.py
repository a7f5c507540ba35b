"""What may still point at duplicates when they are about to go. Only reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..databases.retry import RowsChanged
from ..repointing.rows import are_merged, counting_rows, repointed_rows

if TYPE_CHECKING:
    from ..mapping.mapping import MergeMap
    from ..planning.session import Session
    from ..references.kinds import Reference


def refuse_left(session: Session, mapping: MergeMap) -> None:
    """Raises `RowsChanged` if rows have come to point at duplicates that no foreign key guards.

    Duplicates themselves may: they go together.
    """
    database = session.database
    asked = [
        reference
        for referrer in session.referrers(mapping.table.model)
        for reference in referrer.references
        if not (reference.is_enforced or is_by_value(reference, mapping))
    ]
    rows = [
        counting_rows(
            repointed_rows(database, mapping, reference), are_merged(database, mapping, reference)
        )
        for reference in asked
    ]
    for reference, left in zip(asked, database.answers(rows), strict=True):
        if left:
            raise RowsChanged(f"{left} new rows of {reference.label} point at duplicates")


def is_by_value(reference: Reference, mapping: MergeMap) -> bool:
    """Whether a foreign key holds a value that the survivor may have taken over by then."""
    return not reference.is_text and reference.targets != tuple(mapping.key)
