"""The only part of the package that knows which database it talks to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connections

from ..errors import MergeRefused
from .base import Database
from .mysql import MySQL
from .postgresql import PostgreSQL
from .sqlite import SQLite

if TYPE_CHECKING:
    from django.db.models import Count, Model

__all__ = ["Database", "count_of_rows", "database", "dialect_of"]

_BY_VENDOR: dict[str, type[Database]] = {
    "mysql": MySQL,
    "postgresql": PostgreSQL,
    "sqlite": SQLite,
}


def database(using: str) -> Database:
    """The SQL of the database with alias ``using``.

    Raises `MergeRefused` for a database this package has no SQL for.
    """
    connection, dialect = connections[using], dialect_of(using)
    if dialect is Database:
        raise MergeRefused(
            f"database {using!r} is {connection.display_name}: duplicates can be merged on"
            " SQLite, PostgreSQL, MariaDB and MySQL only"
        )
    return dialect(connection)


def dialect_of(using: str) -> type[Database]:
    """What is known of a database's kind: `Database` itself where this package has no SQL."""
    return _BY_VENDOR.get(connections[using].vendor, Database)


def count_of_rows(model: type[Model], using: str) -> Count:
    """The aggregate that counts a model's rows in a GROUP BY, on any database Django has."""
    return dialect_of(using).count_of_rows(model)
