"""Groups whose rows disagree: held back where a person asked for it. Writes work tables only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..graph.refusals import agreeing_columns

if TYPE_CHECKING:
    from ..databases.tables import Column
    from .mapping import Mapping
    from .new_values import FieldRules
    from .session import Session


def hold_conflicts(
    session: Session, mapping: Mapping, rules: FieldRules, key_columns: set[str]
) -> None:
    """Hold back groups with different values in a column that neither key nor rule names."""
    for column in mapping.table.others:
        if column.name not in key_columns and not rules.names(mapping, column):
            _hold(session, mapping, column)


def hold_unlike(session: Session, mapping: Mapping) -> None:
    """Hold back groups of different kinds of objects, by the columns that say so."""
    for name in agreeing_columns(mapping.table.model):
        _hold(session, mapping, mapping.table.column(name), ": objects of different kinds")


def _hold(session: Session, mapping: Mapping, column: Column, why: str = "") -> None:
    database, table = session.database, session.database.q(mapping.table.name)
    work, value = database.q(mapping.name), database.q(column.name)
    joins = [
        f"{database.join} {table} {row} ON "
        + database.equal(
            database.qualified(row, mapping.key), database.qualified(side, mapping.members)
        )
        for side, row in (("a", "ra"), ("b", "rb"))
    ]
    blank = [database.blank(f"{row}.{value}", column) for row in ("ra", "rb")]
    same = database.same(f"ra.{value}", f"rb.{value}", column)
    keys = [session.held.key(side, mapping.table.pk, mapping.members) for side in ("a", "b")]
    session.held.add(
        f"rows {{first}} and {{second}} differ in {column.name}{why}",
        f"FROM (SELECT a.group_number, {keys[0]} AS a_key, {keys[1]} AS b_key"
        f" FROM {work} a JOIN {work} b ON a.group_number = b.group_number AND a.place < b.place"
        f" {' '.join(joins)} WHERE NOT {blank[0]} AND NOT {blank[1]} AND NOT ({same})) x",
        first="x.a_key",
        second="x.b_key",
    )
