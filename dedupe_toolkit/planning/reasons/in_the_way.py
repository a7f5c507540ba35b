"""Duplicates that hold, as the only row that may, what another row is about to hold.

A row of a chain points at the next, and no two at the same one: what a duplicate points at is
free only once it is gone, and it can go only once nothing points at it. So it is emptied first.
Reads users' rows, writes work tables.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ...databases.names import numbered
from ...databases.tables import definitions
from ...mapping.mapping import MERGED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ...databases.named_rows import NamedRows
    from ...mapping.mapping import MergeMap
    from ...references.kinds import Reference
    from ...references.referrers import Referrer
    from ...repointing.self_references import OwnTarget
    from ..session import Session


@dataclass(frozen=True, kw_only=True)
class InTheWay:
    """Duplicates to be emptied in one self-reference: their keys, in a work table."""

    name: str
    mapping: MergeMap
    reference: Reference

    @property
    def named(self) -> NamedRows:
        return replace(self.mapping.named, source=self.name)

    @property
    def assigned(self) -> dict[str, str]:
        columns = self.reference.columns
        return dict(zip(columns, numbered("value", len(columns)), strict=True))


def find_in_the_way(
    session: Session, mapping: MergeMap, referrers: Sequence[Referrer], given: Sequence[OwnTarget]
) -> Iterator[InTheWay]:
    """The self-references in which duplicates must be emptied before anything is repointed.

    ``given`` are the new targets of survivors.
    """
    for referrer in referrers:
        if referrer.table.name != mapping.table.name:
            continue
        for reference in referrer.references:
            if _is_alone(mapping, referrer, reference):
                own = [one for one in given if one.reference == reference]
                name = session.fresh_table("way")
                if _fill(session, mapping, reference, name, own):
                    yield InTheWay(name=name, mapping=mapping, reference=reference)


def _is_alone(mapping: MergeMap, referrer: Referrer, reference: Reference) -> bool:
    """Whether a row can be empty there, and else keeps others from pointing where it does."""
    return (
        reference.holds_key
        and all(mapping.table.column(column).is_nullable for column in reference.columns)
        and any(reference in referrer.touching(rule) for rule in referrer.rules)
    )


def _fill(
    session: Session,
    mapping: MergeMap,
    reference: Reference,
    name: str,
    given: Sequence[OwnTarget],
) -> int:
    database, table = session.database, mapping.table
    values = numbered("value", len(reference.columns))
    types = {"root": "varchar(500)"}
    keys = [table.column(column) for column in reference.columns]
    for names, columns in ((mapping.members, table.pk), (values, keys)):
        types |= definitions(names, columns)
    database.create_work_table(name, types, primary_key=mapping.members)
    held = database.qualified("d", reference.columns)
    inside = database.equal(held, database.qualified("o", mapping.old(reference)))
    ways = [
        f"EXISTS (SELECT 1 FROM {database.q(mapping.source(reference))} o"
        f" WHERE o.group_number = m.group_number AND {inside})"
    ]
    ways += [
        f"EXISTS (SELECT 1 FROM {database.q(own.name)} v WHERE v.group_number = m.group_number"
        f" AND {database.equal(held, database.qualified('v', values))})"
        for own in given
    ]
    named = ", ".join(map(database.q, [*mapping.members, "root"]))
    members = ", ".join(database.qualified("m", mapping.members))
    conditions = [MERGED, f"({' OR '.join(ways)})", reference.condition("d", database)]
    return database.run(
        f"INSERT INTO {database.q(name)} ({named}) SELECT {members}, {mapping.root(database)}"
        f" FROM {mapping.with_rows('d', database)}"
        f" WHERE {' AND '.join(filter(None, conditions))}"
    )
