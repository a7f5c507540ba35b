"""Rows that share a primary key, which only a database without one lets them. Only reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import MergeRefused
from ..references.unique import rule_standings

if TYPE_CHECKING:
    from django.db.models import Model

    from ..databases import Database


def refuse_shared_keys(model: type[Model], database: Database) -> None:
    """Raises `MergeRefused` if rows share what the model calls its primary key.

    Reads no rows where the database keeps the keys apart.
    """
    standings = rule_standings(model, database)
    if any(one.declared and one.declared.is_primary_key and one.is_valid for one in standings):
        return
    keys = [column.name for column in database.table(model).pk]
    listed = ", ".join(map(database.q, keys))
    shared = database.fetch(
        f"SELECT {listed}, COUNT(*) FROM {database.q(model._meta.db_table)}"
        f" GROUP BY {listed} HAVING COUNT(*) > 1 ORDER BY {listed} LIMIT 1"
    )
    if shared:
        *key, rows = shared[0]
        raise MergeRefused(
            f"{model._meta.label}: the database {database.using!r} has no primary key on"
            f" {', '.join(keys)}, and {rows} rows share {', '.join(map(repr, key))}: nothing tells"
            " them apart; renumber or delete all but one, add the primary key, then merge"
        )
