"""What a server cuts off without an error: texts that are joined, and images of long rows.

Groups with such are held back. Writes work tables only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...collisions.rivals import Rivals
    from ...databases.named_rows import NamedRows
    from ...databases.tables import Table
    from ...field_rules.new_values import FieldRules
    from ...mapping.mapping import MergeMap
    from ..session import Session


def hold_beyond_limits(session: Session, mapping: MergeMap, rules: FieldRules) -> None:
    """Hold back the groups of which the server would cut something off."""
    _hold_long(session, mapping.table, mapping.named)
    names = session.database.joined_at_most
    for column in rules.joined(mapping.table) if names else ():
        for name in names:
            _hold_joined(session, mapping, column, name)


def hold_long_losers(session: Session, rivals: Rivals) -> None:
    """The same for the rows that are deleted because they collide."""
    _hold_long(session, rivals.referrer.table, rivals.losing)


def _hold_long(session: Session, table: Table, rows: NamedRows) -> None:
    """Hold back the groups with rows that the journal could not keep whole."""
    database = session.database
    is_too_long = database.is_too_long(table, "t")
    if not is_too_long:
        return
    keys = database.qualified("t", list(rows.on))
    key = database.key_text(table.pk, keys)
    # read first: what only gives NULL here is an error in a statement that writes
    found = database.fetch(
        f"SELECT m.group_number, MIN({key}) {database.selecting(table, rows)} AND {is_too_long}"
        " GROUP BY m.group_number"
    )
    for number, row in found:
        session.held.add(
            "long row",
            f"FROM (SELECT {int(number)} AS group_number) x",
            told={"model": table.model._meta.label},
            first=database.literal(row),
        )


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
