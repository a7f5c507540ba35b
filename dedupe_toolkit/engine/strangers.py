"""Strangers: foreign keys of the database that belong to no model of the project.

Nothing can be repointed there, and deleting a duplicate would break them or, worse, cascade.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..graph.discover import references_to

if TYPE_CHECKING:
    from django.db.models import Model

    from ..databases import Database
    from ..databases.tables import DatabaseKey
    from .mapping import Mapping
    from .session import Session


def find_strangers(database: Database, model: type[Model]) -> list[DatabaseKey]:
    """The foreign keys to a model's table that no model declares."""
    known = {
        (reference.holder._meta.db_table, column)
        for reference in references_to(model, database.using)
        for column in reference.columns
    }
    keys = database.foreign_keys_to(model._meta.db_table)
    return [key for key in keys if (key.table, key.column) not in known]


def hold_strangers(session: Session, mapping: Mapping) -> None:
    """Hold back the groups with duplicates that a table without a model points at."""
    for stranger in session.strangers(mapping.table.model):
        _hold(session, mapping, stranger)


def _hold(session: Session, mapping: Mapping, stranger: DatabaseKey) -> None:
    database = session.database
    member = database.equal(
        database.qualified("d", mapping.key), database.qualified("m", mapping.members)
    )
    points = f"t.{database.q(stranger.column)} = d.{database.q(stranger.target_column)}"
    session.held.add(
        f"{stranger.table}.{stranger.column} points at row {{first}}, and no model of the project"
        " has this table: give it one (managed = False will do)",
        f"FROM (SELECT m.* FROM {database.q(mapping.name)} m"
        f" {database.join} {database.q(mapping.table.name)} d ON {member}"
        f" WHERE m.place > 0 AND EXISTS (SELECT 1 FROM {database.q(stranger.table)} t"
        f" WHERE {points})) x",
        first=session.held.key("x", mapping.table.pk, mapping.members),
    )
