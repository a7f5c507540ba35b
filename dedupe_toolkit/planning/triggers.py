"""Which triggers a merge sets off: what they change is no part of it. Only reads the catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..databases import Database
    from .levels import Level


def triggers(database: Database, level: Level) -> tuple[str, ...]:
    """The triggers of each table whose rows a merge may write: ``app.Model (name, name)``."""
    tables = {
        table.name: table.model._meta.label
        for below in level.levels()
        for table in (below.mapping.table, *(work.referrer.table for work in below.works))
    }
    found: dict[str, list[str]] = {}
    for table, name in database.triggers(list(tables)):
        found.setdefault(tables[table], []).append(name)
    return tuple(f"{label} ({', '.join(names)})" for label, names in sorted(found.items()))
