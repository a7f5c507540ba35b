"""What the database writes by itself while a merge does: triggers set off, histories kept.

That is no part of the merge. Only reads the catalogue.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..databases import Database
    from .written import Written


def triggers(database: Database, written: Iterable[Written]) -> tuple[str, ...]:
    """The triggers of each table whose rows a merge may write: ``app.Model (name, name)``."""
    tables = _labels(written)
    found: dict[str, list[str]] = {}
    for table, name in database.triggers(list(tables)):
        found.setdefault(tables[table], []).append(name)
    return tuple(f"{label} ({', '.join(names)})" for label, names in sorted(found.items()))


def versioned(database: Database, written: Iterable[Written]) -> tuple[str, ...]:
    """The models of tables whose rows a merge may write, and whose history the database keeps."""
    tables = _labels(written)
    return tuple(sorted(tables[name] for name in database.versioned(list(tables))))


def _labels(written: Iterable[Written]) -> dict[str, str]:
    return {one.table.name: one.table.model._meta.label for one in written}
