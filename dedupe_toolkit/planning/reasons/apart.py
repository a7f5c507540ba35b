"""Parts that would be left behind by their objects: held back before anything is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...mapping.mapping import MERGED

if TYPE_CHECKING:
    from ...mapping.mapping import MergeMap
    from ...references.kinds import Reference
    from ..session import Session


def hold_parted(
    session: Session, mapping: MergeMap, link: Reference, other: MergeMap | None = None
) -> None:
    """Hold back the groups whose rows become one, and whose parents by a link do not.

    Those do that ``other`` merges.
    """
    database, table = session.database, session.database.q(mapping.table.name)
    joins = []
    for row, names in (("d", mapping.members), ("s", mapping.survivors)):
        keys = database.qualified(row, mapping.key)
        same = database.equal(keys, database.qualified("m", names))
        joins.append(f" {database.join} {table} {row} ON {same}")
    apart = f" AND NOT {_merge(session, link, other)}" if other else ""
    session.held.add(
        "apart",
        f"FROM (SELECT m.* FROM {database.q(mapping.name)} m{''.join(joins)}"
        f" WHERE {MERGED}{apart}) x",
        first=session.held.key("x", mapping.table.pk, mapping.survivors),
        second=session.held.key("x", mapping.table.pk, mapping.members),
        told={"model": mapping.table.model._meta.label, "label": link.target._meta.label},
    )


def _merge(session: Session, link: Reference, other: MergeMap) -> str:
    """SQL that is true for rows (``d``, ``s``) whose parents by a link a mapping merges."""
    database, work = session.database, session.database.q(other.name)
    lost, won = (
        database.join_on(member, other.members, row, link.columns)
        for member, row in (("g", "d"), ("h", "s"))
    )
    together = database.join_on("g", other.survivors, "h", other.survivors)
    return f"EXISTS (SELECT 1 FROM {work} g JOIN {work} h ON {together} WHERE {lost} AND {won})"
