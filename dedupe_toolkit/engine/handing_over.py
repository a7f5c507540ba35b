"""Unique values that survivors take over while rows already point at them, as ``to_field`` does.

The value is free only once the duplicate is gone, and a database that checks foreign keys row by
row lets no duplicate go that rows point at. So the checks wait, and are made up for here.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.db import IntegrityError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..graph.references import Reference
    from .mapping import Mapping
    from .new_values import NewValue
    from .session import Session


@contextmanager
def handing_over(session: Session, mapping: Mapping, values: Sequence[NewValue]) -> Iterator[None]:
    """Inside, duplicates may go before their survivors hold the values that rows point at.

    Raises `IntegrityError` when rows are left that point at nothing, as the database would have.
    """
    enforced = [
        reference
        for holder in session.holders(mapping.table.model)
        for reference in holder.references
        if reference.is_enforced
    ]
    taken = {value.column.name for value in values}
    if not any(ref.targets in mapping.values and taken & {*ref.targets} for ref in enforced):
        yield
        return
    with session.database.broken_foreign_keys():
        yield
    for reference in enforced:
        _refuse_dangling(session, mapping, reference)


def _refuse_dangling(session: Session, mapping: Mapping, reference: Reference) -> None:
    """Raises `IntegrityError` for rows that hold a value of the mapping which no row has now."""
    database = session.database
    source = database.q(mapping.source(reference))
    columns = database.qualified("t", reference.columns)
    targets = database.qualified("d", reference.targets)
    for side in (mapping.old(reference), mapping.new(reference)):
        held = database.equal(columns, database.qualified("m", side))
        left = database.value(
            f"SELECT COUNT(*) FROM {source} m"
            f" {database.join} {database.q(reference.holder._meta.db_table)} t ON {held}"
            f" LEFT JOIN {database.q(mapping.table.name)} d ON {database.equal(targets, columns)}"
            f" WHERE {targets[0]} IS NULL"
        )
        if left:
            raise IntegrityError(f"{left} rows of {reference.label} would point at nothing")
