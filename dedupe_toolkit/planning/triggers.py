"""What the database writes by itself while a merge does: triggers set off, histories kept.

That is no part of the merge. Only reads the catalogue.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..databases.tables import Table
    from ..references.kinds import Reference
    from ..references.referrers import Referrer
    from .levels import Level
    from .session import Session


def triggers(session: Session, level: Level) -> tuple[str, ...]:
    """The triggers of each table whose rows a merge may write: ``app.Model (name, name)``."""
    tables = {table.name: table.model._meta.label for table in _written(session, level)}
    found: dict[str, list[str]] = {}
    for table, name in session.database.triggers(list(tables)):
        found.setdefault(tables[table], []).append(name)
    return tuple(f"{label} ({', '.join(names)})" for label, names in sorted(found.items()))


def versioned(session: Session, level: Level) -> tuple[str, ...]:
    """The models of tables whose rows a merge may write, and whose history the database keeps."""
    tables = {table.name: table.model._meta.label for table in _written(session, level)}
    return tuple(sorted(tables[name] for name in session.database.versioned(list(tables))))


def _written(session: Session, level: Level) -> Iterator[Table]:
    for below in level.levels():
        yield below.mapping.table
        for work in below.works:
            yield work.referrer.table
            for reference in below.pointing.intersection(work.referrer.references):
                yield from _following(session, work.referrer, reference, [])


def _following(
    session: Session, referrer: Referrer, reference: Reference, seen: list[Reference]
) -> Iterator[Table]:
    """The tables that point at columns which repointing changes, and those that point at theirs."""
    if reference in seen or not referrer.moves_by(reference):
        return
    for below in session.referrers(referrer.table.model):
        for follower in below.references:
            if not set(follower.targets).isdisjoint(reference.columns):
                yield below.table
                yield from _following(session, below, follower, [*seen, reference])
