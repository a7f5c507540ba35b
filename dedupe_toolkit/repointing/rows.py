"""Which rows a reference makes move: one SQL counts them in a plan, journals them in a merge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..databases.names import numbered
from ..mapping.mapping import MERGED, MergeMap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..collisions.rivals import Rivals
    from ..databases import Database
    from ..references.kinds import Reference
    from ..references.referrers import Referrer


NEVER = "1 = 0"
"""A condition that no row meets."""


def repointed_rows(database: Database, mapping: MergeMap, reference: Reference) -> str:
    """SQL from FROM on: the mapping (``m``) beside the rows (``t``) that point at duplicates."""
    columns = database.qualified("t", reference.columns)
    old = database.qualified("m", mapping.old(reference))
    conditions = [MERGED, reference.condition("t", database)]
    return (
        f"FROM {database.q(mapping.source(reference))} m"
        f" {database.join} {database.q(reference.referrer._meta.db_table)} t"
        f" ON {database.equal(columns, old)} WHERE {' AND '.join(filter(None, conditions))}"
    )


def repointed_values(
    database: Database, mapping: MergeMap, reference: Reference, alias: str
) -> list[str]:
    """SQL for what the columns of a reference will hold in a row of its referrer."""
    columns = database.qualified(alias, reference.columns)
    old = database.qualified("g", mapping.old(reference))
    held = [database.equal(columns, old), reference.condition(alias, database)]
    source = f"FROM {database.q(mapping.source(reference))} g WHERE"
    return [
        f"COALESCE((SELECT {new} {source} {' AND '.join(filter(None, held))}), {column})"
        for new, column in zip(
            database.qualified("g", mapping.new(reference)), columns, strict=True
        )
    ]


def are_merged(database: Database, mapping: MergeMap, reference: Reference) -> str:
    """SQL that is true for rows (``t``) which are duplicates themselves, and go anyway."""
    if reference.referrer._meta.db_table != mapping.table.name:
        return NEVER
    keys = database.qualified("t", mapping.key)
    same = database.equal(keys, database.qualified("g", mapping.members))
    return is_found(f"{database.q(mapping.name)} g WHERE g.place > 0 AND {same}")


def is_found(rows: str) -> str:
    """SQL that is true where there is a row; there may be one at most."""
    # looked up row by row: of an EXISTS MariaDB makes a set of all rows, for each batch anew
    return f"COALESCE((SELECT 1 FROM {rows}), 0) = 1"


def points_at_duplicate(database: Database, mapping: MergeMap, reference: Reference) -> str:
    """SQL that is true for rows (``t``) that a reference makes move."""
    held = database.join_on("t", reference.columns, "g", mapping.old(reference))
    conditions = ["g.place > 0", held, reference.condition("t", database)]
    return (
        f"EXISTS (SELECT 1 FROM {database.q(mapping.source(reference))} g"
        f" WHERE {' AND '.join(filter(None, conditions))})"
    )


def rows_that_stay(
    database: Database, mapping: MergeMap, referrer: Referrer, reference: Reference
) -> list[str]:
    """SQL that is true for duplicates (``t``) one level down that go without being repointed first.

    Others that go with them may be all that they point at, and where a unique rule looks at it, it
    could refuse them to point at what their own winner does. One level up such rows go in waves.
    """
    if not mapping.is_nested or not any(reference in referrer.touching(r) for r in referrer.rules):
        return []
    found = are_merged(database, mapping, reference)
    return [] if found == NEVER else [found]


def will_move_on(
    database: Database, mapping: MergeMap, reference: Reference, above: Sequence[MergeMap]
) -> str:
    """SQL that is true for rows (``t``) whose new target will itself move to another key.

    ``above`` are mappings of what the reference holds.
    """
    targets = database.qualified("m", mapping.pointed_at(reference)[1])
    moving = [
        f"EXISTS (SELECT 1 FROM {database.q(upper.by_targets(reference))} u WHERE u.place > 0"
        f" AND {database.equal(_sides(database, reference, 'member'), targets)})"
        for upper in above
    ]
    return " OR ".join(moving) or NEVER


def will_return(
    database: Database, mapping: MergeMap, reference: Reference, above: Sequence[MergeMap]
) -> str:
    """SQL that is true for rows (``t``) whose new target will move to where they point now."""
    returning, moving = (database.qualified("m", names) for names in mapping.pointed_at(reference))
    there = [
        f"EXISTS (SELECT 1 FROM {database.q(upper.by_targets(reference))} u WHERE u.place > 0"
        f" AND {database.equal(_sides(database, reference, 'member'), moving)}"
        f" AND {database.equal(_sides(database, reference, 'survivor'), returning)})"
        for upper in above
    ]
    return " OR ".join(there) or NEVER


def _sides(database: Database, reference: Reference, side: str) -> list[str]:
    return database.qualified("u", numbered(side, len(reference.targets)))


def have_lost(database: Database, rivals: Rivals | None) -> str:
    """SQL that is true for rows (``t``) that lost to a rival, and are not repointed."""
    if rivals is None:
        return NEVER
    keys = database.qualified("t", rivals.key)
    same = database.equal(keys, database.qualified("l", rivals.losers))
    return f"EXISTS (SELECT 1 FROM {database.q(rivals.name)} l WHERE {same})"


def counting_rows(source: str, *excluded: str) -> str:
    """A query for how many rows a source has without the excluded ones."""
    conditions = "".join(f" AND NOT ({condition})" for condition in excluded if condition != NEVER)
    return f"SELECT COUNT(*) {source}{conditions}"
