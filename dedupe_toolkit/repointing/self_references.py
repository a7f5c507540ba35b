"""Survivors that would point at themselves: those whose self-reference holds a duplicate of theirs.

Such a survivor takes its duplicate's own target if that lies outside the group, else NULL.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..databases.names import derived
from ..databases.tables import definitions
from ..mapping.mapping import MERGED, MergeMap
from .rows import repointed_values, rows_that_stay

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from ..databases import Database
    from ..planning.levels import Level
    from ..planning.session import Session
    from ..references.kinds import Reference
    from ..references.referrers import Referrer


@dataclass(frozen=True, kw_only=True)
class OwnTarget:
    """New values for one self-reference, in a work table of survivors and targets."""

    name: str
    reference: Reference
    rows: int


def find_own_targets(
    session: Session, mapping: MergeMap, references: Collection[Reference]
) -> Iterator[OwnTarget]:
    """The self-references that need a new target; groups that have none to take are held back."""
    ordered = sorted(references, key=lambda reference: reference.label)
    for number, reference in enumerate(ordered):
        is_own = reference.referrer is mapping.table.model and reference.holds_key
        if is_own and not reference.is_key:
            name = derived(mapping.name, "own", number)
            rows = _find(session, mapping, reference, name)
            if rows:
                _hold_without_target(session, mapping, reference, name)
                yield OwnTarget(name=name, reference=reference, rows=rows)


def _find(session: Session, mapping: MergeMap, reference: Reference, name: str) -> int:
    database = session.database
    columns = [mapping.table.column(column) for column in reference.columns]
    values = [f"value_{number}" for number in range(len(columns))]
    types = {"group_number": "bigint"}
    for names, keys in ((mapping.survivors, mapping.table.pk), (values, columns)):
        types |= definitions(names, keys)
    database.create_work_table(name, types, primary_key=mapping.survivors)
    table, work = database.q(mapping.table.name), database.q(mapping.name)
    survivor = database.join_on("s", mapping.key, "m", mapping.survivors)
    duplicate = database.join_on("d", mapping.key, "m", mapping.members)
    held = database.join_on("s", reference.columns, "d", reference.targets)
    target = database.qualified("d", reference.columns)
    inside = database.equal(database.qualified("o", mapping.old(reference)), target)
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
        f" LEFT JOIN {database.q(mapping.source(reference))} o"
        f" ON {inside} AND o.group_number = m.group_number"
        f" WHERE {MERGED} AND {held} AND {ours}"
    )


def _hold_without_target(
    session: Session, mapping: MergeMap, reference: Reference, name: str
) -> None:
    if any(mapping.table.column(column).is_nullable for column in reference.columns):
        return
    session.held.add(
        "own target",
        f"FROM {session.database.q(name)} x WHERE x.value_0 IS NULL",
        told={"reference": reference.label},
        first=session.held.key("x", mapping.table.pk, mapping.survivors),
    )


def self_references(level: Level) -> Iterator[tuple[Referrer, Reference]]:
    """The references to a level's rows that these hold themselves, by key."""
    for work in level.works:
        for reference in work.referrer.references:
            if work.referrer.table.name == level.mapping.table.name and reference.holds_key:
                yield work.referrer, reference


def held_by_staying(session: Session, mapping: MergeMap, level: Level) -> dict[str, str]:
    """For each column of self-references in rows that go without being repointed, SQL for what it
    would hold in a member (``d``): a survivor that takes its value must not point at what goes."""
    database = session.database
    held: dict[str, str] = {}
    for referrer, reference in self_references(level):
        if rows_that_stay(database, mapping, referrer, reference):
            values = repointed_values(database, mapping, reference, "d")
            held |= dict(zip(reference.columns, values, strict=True))
    return held


def pointing_at_survivor(
    session: Session, mapping: MergeMap, level: Level, held: Mapping[str, str]
) -> dict[str, str]:
    """For each self-reference, SQL that is true when a member (``d``) points at its survivor.

    ``held`` are the columns that count for what they would hold.
    """
    database = session.database
    own = {}
    for _, reference in self_references(level):
        columns = [held.get(name) or f"d.{database.q(name)}" for name in reference.columns]
        same = _is_survivor(database, mapping, reference, columns)
        parts = [same, reference.condition("d", database)]
        own[reference.columns[0]] = " AND ".join(filter(None, parts))
    return own


def _is_survivor(
    database: Database, mapping: MergeMap, reference: Reference, columns: Sequence[str]
) -> str:
    """SQL that is true when these columns hold the survivor, by whichever column of it."""
    if reference.targets == tuple(mapping.key):
        return database.equal(columns, database.qualified("m", mapping.survivors))
    # what the survivor is known by may be what it is yet to take over
    same = database.equal(database.qualified("v", mapping.new(reference)), columns)
    return (
        f"EXISTS (SELECT 1 FROM {database.q(mapping.source(reference))} v"
        f" WHERE v.group_number = m.group_number AND {same})"
    )
