"""What cannot be written down whole: texts that are joined, and odd keys.

A server cuts off what is too long, without an error. Groups with such are held back. Writes work
tables only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...databases.tables import Table
    from ...field_rules.family import FieldRules
    from ...mapping.mapping import MergeMap
    from ..session import Session


def hold_joined(session: Session, mapping: MergeMap, rules: FieldRules) -> None:
    """Hold back the groups whose texts the server would cut off once they are joined."""
    names = session.database.joined_at_most
    for column in rules.joined(mapping.table) if names else ():
        for name in names:
            _hold_joined(session, mapping, column, name)


def hold_unnamed(session: Session, table: Table, rows: str) -> None:
    """Hold back the groups of rows (``t``) that the journal could name by no text."""
    is_unnamed = session.database.is_unnamed(table.pk, session.database.qualified("t", table.key))
    if is_unnamed:
        told = {"model": table.model._meta.label, "field": table.key[0]}
        session.held.add_rows("unnamed", f"{rows} AND {is_unnamed}", table.pk, told)


def _hold_joined(session: Session, mapping: MergeMap, column: str, name: str) -> None:
    database = session.database
    survivors = ", ".join(database.qualified("m", mapping.survivors))
    session.held.add(
        "long text",
        f"FROM (SELECT MIN(m.group_number) AS group_number, {survivors}"
        f" FROM {mapping.with_rows('d', database)} GROUP BY {survivors} HAVING"
        f" SUM(OCTET_LENGTH(d.{database.q(column)}) + 2) > @@{name}) x",
        told={"model": mapping.table.model._meta.label, "field": column, "limit": name},
        first=session.held.key("x", mapping.table.pk, mapping.survivors),
    )
