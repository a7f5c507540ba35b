"""Survivors that would point at themselves: those whose self-reference holds a duplicate of theirs.

Such a survivor takes its duplicate's own target if that lies outside the group, else NULL.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .mapping import MERGED, Mapping

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..graph.references import Reference
    from .session import Session


@dataclass(frozen=True, kw_only=True)
class OwnTarget:
    """New values for one self-reference, in a work table of survivors and targets."""

    name: str
    reference: Reference
    rows: int


def find_own_targets(
    session: Session, mapping: Mapping, references: Sequence[Reference]
) -> Iterator[OwnTarget]:
    """The self-references that need a new target; groups that have none to take are held back."""
    for number, reference in enumerate(references):
        is_plain = not reference.is_text and reference.targets == tuple(mapping.key)
        if reference.holder is mapping.table.model and is_plain and not reference.is_key:
            name = f"{mapping.name}_own_{number}"
            rows = _find(session, mapping, reference, name)
            if rows:
                _hold_without_target(session, mapping, reference, name)
                yield OwnTarget(name=name, reference=reference, rows=rows)


def _find(session: Session, mapping: Mapping, reference: Reference, name: str) -> int:
    database = session.database
    columns = [mapping.table.column(column) for column in reference.columns]
    values = [f"value_{number}" for number in range(len(columns))]
    types = {"group_number": "bigint"}
    for names, keys in ((mapping.survivors, mapping.table.pk), (values, columns)):
        types |= {n: column.definition for n, column in zip(names, keys, strict=True)}
    database.create_work_table(name, types, primary_key=mapping.survivors)
    table, work = database.q(mapping.table.name), database.q(mapping.name)
    members = database.qualified("m", mapping.members)
    survivor = database.equal(
        database.qualified("s", mapping.key), database.qualified("m", mapping.survivors)
    )
    duplicate = database.equal(database.qualified("d", mapping.key), members)
    held = database.equal(database.qualified("s", reference.columns), members)
    target = database.qualified("d", reference.columns)
    inside = database.equal(database.qualified("o", mapping.members), target)
    # a generic key may hold the same number and mean a row of another model
    ours, theirs = (reference.condition(alias, database) or "1 = 1" for alias in ("s", "d"))
    taken = [
        f"CASE WHEN o.group_number IS NULL AND {theirs} THEN {column} END" for column in target
    ]
    listed = ", ".join(map(database.q, ["group_number", *mapping.survivors, *values]))
    chosen = ["m.group_number", *database.qualified("m", mapping.survivors), *taken]
    return database.run(
        f"INSERT INTO {database.q(name)} ({listed}) SELECT {', '.join(chosen)}"
        f" FROM {work} m {database.join} {table} s ON {survivor}"
        f" {database.join} {table} d ON {duplicate}"
        f" LEFT JOIN {work} o ON {inside} AND o.group_number = m.group_number"
        f" WHERE {MERGED} AND {held} AND {ours}"
    )


def _hold_without_target(
    session: Session, mapping: Mapping, reference: Reference, name: str
) -> None:
    if any(mapping.table.column(column).is_nullable for column in reference.columns):
        return
    session.held.add(
        f"{reference.label} of row {{first}} would point at its own row, and cannot be empty",
        f"FROM {session.database.q(name)} x WHERE x.value_0 IS NULL",
        first=session.held.key("x", mapping.table.pk, mapping.survivors),
    )
