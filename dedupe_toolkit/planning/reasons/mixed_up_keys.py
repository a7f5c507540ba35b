"""Keys that a column mixes up, since it compares texts more loosely than they are told apart.

Only where the column's way of comparing decides, as on SQLite; elsewhere keys are looked up to the
letter. Writes work tables only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...mapping.mapping import MergeMap
    from ...references.kinds import Reference
    from ..session import Session


def hold_mixed_up(session: Session, mapping: MergeMap, references: Sequence[Reference]) -> None:
    """Hold back the groups of a member that a row means as well as it means another row."""
    key = mapping.table.pk[0]
    if not (session.database.compares_by_column and key.is_text and len(mapping.table.pk) == 1):
        return
    for reference in references:
        if len(reference.columns) == 1 and not mapping.is_spelled(reference):
            _hold(session, mapping, reference)


def _hold(session: Session, mapping: MergeMap, reference: Reference) -> None:
    database, key = session.database, mapping.table.pk[0]
    column, target = database.q(reference.columns[0]), database.q(key.name)
    (member,) = mapping.members
    (old,) = mapping.old(reference)
    other = f"{database.exact(f'd.{target}', key)} <> {database.exact(f'm.{member}', key)}"
    conditions = filter(None, [other, reference.condition("t", database)])
    session.held.add(
        "mixed up",
        f"FROM (SELECT m.*, d.{target} AS met FROM {database.q(mapping.source(reference))} m"
        f" {database.join} {database.q(reference.referrer._meta.db_table)} t"
        f" ON t.{column} = m.{old}"
        f" {database.join} {database.q(mapping.table.name)} d ON t.{column} = d.{target}"
        f" WHERE {' AND '.join(conditions)}) x",
        first=session.held.key("x", mapping.table.pk, mapping.members),
        second=session.held.key("x", mapping.table.pk, ["met"]),
        told={"model": mapping.table.model._meta.label, "reference": reference.label},
    )
