"""Unique values that survivors take over while rows already point at them, as ``to_field`` does.

The value is free only once the duplicate is gone, and a database that checks foreign keys row by
row lets no duplicate go that rows point at. So the checks wait, and are made up for here. What a
foreign key does by itself when its target is deleted, a cascade, does not wait: that is no merge.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.db import IntegrityError

from .rows import are_merged

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..field_rules.new_values import NewValue
    from ..mapping.mapping import MergeMap
    from ..planning.session import Session
    from ..references.kinds import Reference


@contextmanager
def handing_over(session: Session, mapping: MergeMap, values: Sequence[NewValue]) -> Iterator[None]:
    """Inside, duplicates may go before their survivors hold the values that rows point at.

    Raises `IntegrityError` when rows are left that point at nothing, as the database would have, or
    when the database itself has deleted or changed rows that point.
    """
    taken = {value.column.name for value in values}
    pointing = [
        reference
        for referrer in session.referrers(mapping.table.model)
        for reference in referrer.references
    ]
    by_value = {
        reference: _count_pointing(session, mapping, reference)
        for reference in pointing
        if reference.place in mapping.values and taken & {*reference.targets}
    }
    if not any(map(session.is_guarded, by_value)):
        yield
    else:
        with session.database.broken_foreign_keys():
            yield
        for reference in pointing:
            if session.is_guarded(reference):
                _refuse_dangling(session, mapping, reference)
    for reference, before in by_value.items():
        _refuse_gone(reference, before - _count_pointing(session, mapping, reference))


def _refuse_gone(reference: Reference, gone: int) -> None:
    if gone > 0:
        raise IntegrityError(
            f"its foreign key would delete or change {gone} rows of {reference.label} by itself"
        )


def _count_pointing(session: Session, mapping: MergeMap, reference: Reference) -> int:
    """The rows that point at members of the mapping, but for those that are deleted anyway."""
    database = session.database
    targets = database.qualified("d", reference.targets)
    points = database.equal(database.qualified("t", reference.columns), targets)
    return int(
        database.value(
            f"SELECT COUNT(*) FROM {mapping.with_rows('d', database)}"
            f" {database.join} {database.q(reference.referrer._meta.db_table)} t ON {points}"
            f" WHERE NOT ({are_merged(database, mapping, reference)})"
        )
    )


def _refuse_dangling(session: Session, mapping: MergeMap, reference: Reference) -> None:
    """Raises `IntegrityError` for rows that hold a value of the mapping which no row has now."""
    database = session.database
    source = database.q(mapping.source(reference))
    columns = database.qualified("t", reference.columns)
    targets = database.qualified("d", reference.targets)
    for side in (mapping.old(reference), mapping.new(reference)):
        held = database.equal(columns, database.qualified("m", side))
        left = database.value(
            f"SELECT COUNT(*) FROM {source} m"
            f" {database.join} {database.q(reference.referrer._meta.db_table)} t ON {held}"
            f" LEFT JOIN {database.q(mapping.table.name)} d ON {database.equal(targets, columns)}"
            f" WHERE {targets[0]} IS NULL"
        )
        if left:
            raise IntegrityError(f"{left} rows of {reference.label} would point at nothing")
