"""The only part of the package that knows which database it talks to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import connections

from ..errors import MergeRefused
from .base import Database
from .mariadb import MariaDB
from .mysql_server import MySQL
from .places import FINDERS
from .postgresql import PostgreSQL
from .sqlite import SQLite

if TYPE_CHECKING:
    from django.db.models import Count, Model
    from django.db.utils import Error

__all__ = ["Database", "add_dialect", "count_of_rows", "database", "dialect_of", "refusal"]

DIALECTS: dict[str, type[Database]] = {}
"""What is known of each kind of database, by the name that Django has for it."""


def add_dialect(vendor: str, dialect: type[Database]) -> None:
    """Let databases of a kind be merged in. Raises `TypeError` naming what it has no answer to."""
    missing: frozenset[str] = getattr(dialect, "__abstractmethods__", frozenset())
    if missing:
        raise TypeError(f"{dialect.__name__} has no {', '.join(sorted(missing))}")
    DIALECTS[vendor] = dialect
    FINDERS[vendor] = dialect.find_places


add_dialect("mysql", MySQL)
add_dialect("postgresql", PostgreSQL)
add_dialect("sqlite", SQLite)


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
    connection: Any = connections[using]
    # Django has one name for both
    if connection.vendor == "mysql" and connection.mysql_is_mariadb:
        return MariaDB
    return DIALECTS.get(connection.vendor, Database)


def refusal(error: Error, using: str) -> str:
    """One line of what a database refuses, and of what would let it; needs no connection."""
    kind = DIALECTS.get(connections[using].vendor, Database)
    said = " ".join(str(error.args[-1] if error.args else error).split())
    advice = kind.refusals.get(kind.code_of(error), "")
    return f"database {using!r} refuses: {said}{advice and f'; {advice}'}"


def count_of_rows(model: type[Model], using: str) -> Count:
    """The aggregate that counts a model's rows in a GROUP BY, on any database Django has."""
    return dialect_of(using).count_of_rows(model)
