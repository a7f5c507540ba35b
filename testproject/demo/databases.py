"""The two databases of the demo, both empty: the catalogue, and one to import it again.

On a server they are databases of the demo's own beside the one that ``DATABASE_URL`` names,
which is never touched. In SQLite they are files in the demo's folder.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from testproject.demo.errors import DemoError

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

SUFFIX = "_dedupe_demo"
SQLITE_SCHEMES = {"sqlite", "sqlite3"}


@dataclass(frozen=True, kw_only=True)
class DemoDatabases:
    """The URLs of both; the catalogue's is None where the settings choose it by themselves."""

    catalogue: str | None
    again: str


def prepare_databases(url: str | None) -> DemoDatabases:
    """Make both databases, empty; refuse to replace one that holds tables of anybody else."""
    if not url or urlsplit(url).scheme in SQLITE_SCHEMES:
        return DemoDatabases(catalogue=None, again="sqlite:///again.sqlite3")
    name = urlsplit(url).path.lstrip("/")
    names = [f"{name}{SUFFIX}", f"{name}{SUFFIX}_again"]
    connection = _connection()
    for fresh in names:
        _make_fresh(connection, fresh)
    catalogue, again = (urlunsplit(urlsplit(url)._replace(path=f"/{each}")) for each in names)
    return DemoDatabases(catalogue=catalogue, again=again)


def without_password(url: str) -> str:
    """The URL as it may be shown."""
    password = urlsplit(url).password
    return url.replace(f":{password}@", ":***@") if password else url


def _connection() -> BaseDatabaseWrapper:
    import django
    from django.db import connection

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "testproject.settings")
    django.setup()
    return connection


def _make_fresh(connection: BaseDatabaseWrapper, name: str) -> None:
    from django.db import Error

    try:
        tables = _tables(connection, name) if _exists(connection, name) else None
        _refuse_tables_of_others(connection, name, tables or set())
        if tables is None or tables:
            _replace(connection, name)
    except Error as error:
        reason = str(error).strip().splitlines()[0]
        raise DemoError(
            f"The demo's database {name} cannot be made ({reason}). "
            "Create it, empty, or give DATABASE_URL a user who may, and run the demo again."
        ) from error


def _exists(connection: BaseDatabaseWrapper, name: str) -> bool:
    catalogue = {
        "postgresql": "SELECT 1 FROM pg_database WHERE datname = %s",
        "mysql": "SELECT 1 FROM information_schema.schemata WHERE schema_name = %s",
    }
    with connection._nodb_cursor() as cursor:
        cursor.execute(catalogue[connection.vendor], [name])
        return cursor.fetchone() is not None


def _tables(connection: BaseDatabaseWrapper, name: str) -> set[str]:
    other = connection.copy()
    other.settings_dict["NAME"] = name
    try:
        return set(other.introspection.table_names())
    finally:
        other.close()


def _refuse_tables_of_others(connection: BaseDatabaseWrapper, name: str, tables: set[str]) -> None:
    own = {*connection.introspection.django_table_names(), "django_migrations"}
    strange = sorted(table for table in tables - own if not table.startswith("dedupe_toolkit_"))
    if strange:
        raise DemoError(
            f"The database {name} holds tables that are not the demo's ({', '.join(strange[:3])}): "
            "the demo will not replace it. Rename it, or point DATABASE_URL elsewhere."
        )


def _replace(connection: BaseDatabaseWrapper, name: str) -> None:
    quoted = connection.ops.quote_name(name)
    charset = " CHARACTER SET utf8mb4" if connection.vendor == "mysql" else ""
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {quoted}")
        cursor.execute(f"CREATE DATABASE {quoted}{charset}")
