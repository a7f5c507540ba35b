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
    connection = connections[using]
    try:
        dialect = _BY_VENDOR[connection.vendor]
    except KeyError:
        raise MergeRefused(
            f"database {using!r} is {connection.display_name}: duplicates can be merged on"
            " SQLite, PostgreSQL, MariaDB and MySQL only"
        ) from None
    return dialect(connection)


def dialect_of(using: str) -> type[Database] | None:
    """What is known of a database's kind; None for those this package has no SQL for."""
    return _BY_VENDOR.get(connections[using].vendor)


def count_of_rows(model: type[Model], using: str) -> Count:
    """The aggregate that counts a model's rows in a GROUP BY, on any database Django has."""
    return (dialect_of(using) or Database).count_of_rows(model)
