"""``flush`` for a schema of three hundred tables, of which a test has filled a handful.

Django truncates all of them, which takes PostgreSQL a second, and makes every content type and
permission anew. Here rows are deleted, and what migrating brings stays as long as no test has
changed it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.contenttypes.models import ContentType
from django.core.management.color import no_style
from django.core.management.commands import flush
from django.core.management.sql import emit_post_migrate_signal
from django.db import connections

if TYPE_CHECKING:
    from collections.abc import Collection

    from django.db.backends.base.base import BaseDatabaseWrapper

    Rows = frozenset[tuple[Any, ...]]

_brought: dict[str, dict[str, Rows]] = {}
"""What migrating brings, by table, for each database by its name."""


class Command(flush.Command):
    def handle(self, **options: Any) -> None:
        connection = connections[options["database"]]
        name = str(connection.settings_dict["NAME"])
        known = _brought.get(name)
        if known is not None and all(_rows(connection, table) == known[table] for table in known):
            _delete_all(connection, besides=known)
            ContentType.objects.clear_cache()
            return
        _delete_all(connection)
        emit_post_migrate_signal(0, interactive=False, db=options["database"])
        rows = {table: _rows(connection, table) for table in _tables(connection)}
        _brought[name] = {table: found for table, found in rows.items() if found}


def _tables(connection: BaseDatabaseWrapper) -> list[str]:
    return connection.introspection.django_table_names(only_existing=True, include_views=False)


def _rows(connection: BaseDatabaseWrapper, table: str) -> Rows:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
        return frozenset(cursor.fetchall())


def _delete_all(connection: BaseDatabaseWrapper, besides: Collection[str] = ()) -> None:
    tables = [table for table in _tables(connection) if table not in besides]
    if connection.vendor == "postgresql" and _may_leave_out_triggers(connection):
        statements = [_deletion(connection, tables)]
    else:
        statements = connection.ops.sql_flush(no_style(), tables)
    connection.ops.execute_sql_flush(statements)


def _may_leave_out_triggers(connection: BaseDatabaseWrapper) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        return bool(cursor.fetchone()[0])


def _deletion(connection: BaseDatabaseWrapper, tables: Collection[str]) -> str:
    """One statement that empties the tables in any order, foreign keys or not."""
    deletions = "; ".join(f"DELETE FROM {connection.ops.quote_name(table)}" for table in tables)
    return (
        f"DO $flush$ BEGIN SET LOCAL session_replication_role = replica; {deletions};"
        " SET LOCAL session_replication_role = origin; END $flush$"
    )
