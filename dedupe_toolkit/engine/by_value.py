"""References by other values than the primary key, where following them would miss the survivor.

Reads users' rows and writes work tables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import InvalidOption
from .field_rules import FILL
from .mapping import MERGED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..graph.references import Reference
    from .mapping import Mapping
    from .new_values import FieldRules
    from .session import Session


def hold_incomplete(session: Session, mapping: Mapping, references: Sequence[Reference]) -> None:
    """Hold back groups whose survivor has not all of the values by which a duplicate is known.

    The survivor may be given them one by one, from different duplicates: nobody can say what
    should point at it then.
    """
    for reference in references:
        if len(reference.columns) > 1 and reference.targets != tuple(mapping.key):
            _hold(session, mapping, reference)


def refuse_ruled_targets(session: Session, mapping: Mapping, rules: FieldRules) -> None:
    """Raises `InvalidOption` for a rule that would change a value under which a row is known."""
    for reference in _by_value(session, mapping):
        for column in reference.targets:
            named = rules.named.get((mapping.table.name, column))
            if named and named.rule not in (None, FILL):
                raise InvalidOption(
                    f"field rule of {named.field.name}: rows of {reference.label} point at"
                    f" {mapping.table.model._meta.label} by this field; use survivor or fill"
                )


def _by_value(session: Session, mapping: Mapping) -> Iterator[Reference]:
    for holder in session.holders(mapping.table.model):
        for reference in holder.references:
            if reference.targets != tuple(mapping.key):
                yield reference


def _hold(session: Session, mapping: Mapping, reference: Reference) -> None:
    database, table = session.database, session.database.q(mapping.table.name)
    survivors, members = (
        database.equal(database.qualified(alias, mapping.key), database.qualified("m", side))
        for alias, side in (("s", mapping.survivors), ("d", mapping.members))
    )
    points = database.equal(
        database.qualified("t", reference.columns), database.qualified("d", reference.targets)
    )
    lacks = " OR ".join(f"{value} IS NULL" for value in database.qualified("s", reference.targets))
    session.held.add(
        f"rows of {reference.label} point at row {{first}} by {', '.join(reference.targets)}, which"
        " row {second} has not all: give them to it first",
        f"FROM (SELECT m.* FROM {database.q(mapping.name)} m"
        f" {database.join} {table} d ON {members} {database.join} {table} s ON {survivors}"
        f" WHERE {MERGED} AND ({lacks}) AND EXISTS"
        f" (SELECT 1 FROM {database.q(reference.holder._meta.db_table)} t WHERE {points})) x",
        first=session.held.key("x", mapping.table.pk, mapping.members),
        second=session.held.key("x", mapping.table.pk, mapping.survivors),
    )
