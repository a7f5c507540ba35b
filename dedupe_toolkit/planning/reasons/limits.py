"""What cannot be written down whole: texts that are joined, images of long rows, odd keys.

A server cuts off what is too long, without an error; and some rows are more than their columns say.

Groups with such are held back. Writes work tables only.
"""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...collisions.rivals import Rivals
    from ...databases.named_rows import NamedRows
    from ...databases.tables import Table
    from ...field_rules.family import FieldRules
    from ...mapping.mapping import MergeMap
    from ..session import Session

_PART = 10
"""A value counts whose length is a tenth of that of the longest."""


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


def hold_unnamed(session: Session, table: Table, rows: str) -> None:
    """Hold back the groups of rows (``t``) that the journal could name by no text."""
    is_unnamed = session.database.is_unnamed(table.pk, session.database.qualified("t", table.key))
    if is_unnamed:
        told = {"model": table.model._meta.label, "field": table.key[0]}
        session.held.add_rows("unnamed", f"{rows} AND {is_unnamed}", table.pk, told)


def _hold_long(session: Session, table: Table, rows: NamedRows) -> None:
    """Hold back the groups with rows that the journal could not keep whole."""
    database = session.database
    selected = database.selecting(table, rows)
    hold_unnamed(session, table, selected)
    for why, is_unkept in database.unkept(table, "t").items():
        told = {"model": table.model._meta.label, "why": why}
        session.held.add_rows("unkept", f"{selected} AND {is_unkept}", table.pk, told)
    is_too_long = database.is_too_long(table, "t")
    if not is_too_long:
        return
    key = database.key_text(table.pk, database.qualified("t", list(rows.on)))
    long = [column.name for column in database.long_columns(table)]
    sizes = ", ".join(f"OCTET_LENGTH({one})" for one in database.qualified("t", long))
    # read first: what only gives NULL here is an error in a statement that writes
    found = database.fetch(
        f"SELECT m.group_number, {key}, {sizes} {selected} AND {is_too_long} ORDER BY 1, 2"
    )
    for number, same in groupby(found, key=itemgetter(0)):
        _, row, *weights = next(same)
        session.held.add(
            "long row",
            f"FROM (SELECT {int(number)} AS group_number) x",
            told={"model": table.model._meta.label, "fields": _heaviest(long, weights)},
            first=database.literal(row),
        )


def _heaviest(columns: Sequence[str], weights: Sequence[int | None]) -> list[str]:
    """The columns that make a row as long as it is, the longest first."""
    sizes = {column: weight or 0 for column, weight in zip(columns, weights, strict=True)}
    longest = max(sizes.values())
    heavy = [column for column in columns if sizes[column] * _PART > longest]
    return sorted(heavy, key=lambda column: -sizes[column])


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
