"""What cannot be written down whole: texts that are joined, and odd keys.

A server cuts off what is too long, without an error. Groups with such are held back. Writes work
tables only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...databases import Database
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
    """Hold back the groups of rows (``t``) that the journal could name by no text, or not alone."""
    for code, why, condition in _unnamed(session.database, table):
        told = {"model": table.model._meta.label, **why}
        session.held.add_rows(code, f"{rows} AND {condition}", table.pk, told)


def is_unnamed(database: Database, table: Table) -> str:
    """SQL that is true for a row (``t``) for whose sake `hold_unnamed` would hold a group; empty
    if there is none."""
    return " OR ".join(condition for _code, _told, condition in _unnamed(database, table))


def _unnamed(database: Database, table: Table) -> Iterator[tuple[str, dict[str, str], str]]:
    """The code of a sentence, what it says, and the SQL of its rows."""
    if odd := database.is_unnamed(table.pk, database.qualified("t", table.key)):
        yield "unnamed", {"field": table.key[0]}, odd
    for why, is_shared in database.sharing_keys(table, "t").items():
        yield "unkept", {"why": why}, is_shared


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
