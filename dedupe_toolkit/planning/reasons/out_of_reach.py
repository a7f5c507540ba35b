"""Survivors that no foreign key can point at: they stand in a table that inherits from their own.

What points at their duplicates could not be repointed. Writes work tables only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...repointing.rows import repointed_rows

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...mapping.mapping import MergeMap
    from ...references.kinds import Reference
    from ..session import Session


def hold_out_of_reach(session: Session, mapping: MergeMap, pointing: Iterable[Reference]) -> None:
    """Hold back the groups whose survivor what is ``pointing`` at duplicates may not point at."""
    database, table = session.database, mapping.table
    elsewhere = " OR ".join(database.unkept(table, "s").values())
    if not elsewhere:
        return
    names = ", ".join(database.qualified("g", mapping.survivors))
    is_one = database.join_on("s", mapping.key, "g", mapping.members)
    survivors = (
        f"SELECT g.group_number, {names} FROM {database.q(mapping.name)} g {database.join}"
        f" {database.q(table.name)} s ON {is_one} WHERE g.place = 0 AND ({elsewhere})"
    )
    for reference in pointing:
        if session.is_guarded(reference):
            rows = repointed_rows(database, mapping, reference)
            found = f"EXISTS (SELECT 1 {rows} AND m.group_number = g.group_number)"
            session.held.add(
                "out of reach",
                f"FROM ({survivors} AND {found}) x",
                told={"reference": reference.label, "model": table.model._meta.label},
                first=session.held.key("x", table.pk, mapping.survivors),
            )
