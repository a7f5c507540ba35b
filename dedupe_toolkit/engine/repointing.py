"""Which rows a reference makes move: one SQL counts them in a plan, journals them in a merge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .mapping import MERGED, Mapping

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..databases import Database
    from ..graph.references import Reference
    from .rivals import Rivals


NEVER = "1 = 0"
"""A condition that no row meets."""


def repointed_rows(database: Database, mapping: Mapping, reference: Reference) -> str:
    """SQL from FROM on: the mapping (``m``) beside the rows (``t``) that point at duplicates."""
    columns = database.qualified("t", reference.columns)
    old = database.qualified("m", mapping.old(reference))
    conditions = [MERGED, reference.condition("t", database)]
    return (
        f"FROM {database.q(mapping.source(reference))} m"
        f" {database.join} {database.q(reference.holder._meta.db_table)} t"
        f" ON {database.equal(columns, old)} WHERE {' AND '.join(filter(None, conditions))}"
    )


def are_merged(database: Database, mapping: Mapping, reference: Reference) -> str:
    """SQL that is true for rows (``t``) which are duplicates themselves, and go anyway."""
    if reference.holder._meta.db_table != mapping.table.name:
        return NEVER
    keys = database.qualified("t", mapping.key)
    same = database.equal(keys, database.qualified("g", mapping.members))
    return f"EXISTS (SELECT 1 FROM {database.q(mapping.name)} g WHERE g.place > 0 AND {same})"


def will_move_on(database: Database, mapping: Mapping, above: Sequence[Mapping]) -> str:
    """SQL that is true for rows (``t``) whose new target will itself move to another key."""
    targets = database.qualified("m", mapping.survivors)
    moving = [
        f"EXISTS (SELECT 1 FROM {database.q(upper.name)} u WHERE u.place > 0"
        f" AND {database.equal(database.qualified('u', upper.members), targets)})"
        for upper in above
    ]
    return " OR ".join(moving) or NEVER


def have_lost(database: Database, rivals: Rivals | None) -> str:
    """SQL that is true for rows (``t``) that lost to a rival, and are not repointed."""
    if rivals is None:
        return NEVER
    keys = database.qualified("t", rivals.key)
    same = database.equal(keys, database.qualified("l", rivals.losers))
    return f"EXISTS (SELECT 1 FROM {database.q(rivals.name)} l WHERE {same})"


def count_rows(database: Database, source: str, *excluded: str) -> int:
    """How many rows a source has without the excluded ones."""
    conditions = "".join(f" AND NOT ({condition})" for condition in excluded)
    return int(database.value(f"SELECT COUNT(*) {source}{conditions}"))
