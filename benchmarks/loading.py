"""Loads generated rows the fastest way each database has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.apps import apps
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import connection, transaction

from .generator import PEERS_SHAPE, Row, Shape, rows, writers

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

CHUNK = 5_000


def load_authors(*, authors: int) -> dict[str, str]:
    """Create the tables in the empty database of this process and fill those around authors."""
    from django.contrib.contenttypes.models import ContentType

    from .library.models import Author, Book

    create_tables()
    types = ContentType.objects.get_for_models(Author, Book)
    content_types = {model._meta.model_name: found.pk for model, found in types.items()}
    _fill(rows(Shape(authors=authors), content_types))
    return {}


def load_writers(*, authors: int) -> dict[str, str]:
    """The same, for the tables that the released packages can merge."""
    create_tables()
    _fill(writers(Shape(authors=authors, **PEERS_SHAPE)))
    return {}


def create_tables() -> None:
    """The tables of all models, in an empty database."""
    # content types first: apps without migrations are made before those that have some
    call_command("migrate", "contenttypes", verbosity=0)
    call_command("migrate", run_syncdb=True, verbosity=0)


def _fill(generated: Iterable[tuple[str, list[str], list[Row]]]) -> None:
    tables = []
    # a mentor may stand further down than who names him
    with transaction.atomic(), connection.constraint_checks_disabled():
        for table, columns, data in generated:
            _load(table, columns, data)
            tables.append(table)
    _reset_sequences()
    _analyze(tables)


def _load(table: str, columns: Sequence[str], data: Sequence[Row]) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
                for row in data:
                    copy.write_row(row)
            return
        places = ", ".join(["%s"] * len(columns))
        insert = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})"
        for start in range(0, len(data), CHUNK):
            cursor.executemany(insert, data[start : start + CHUNK])


def _reset_sequences() -> None:
    """The next key of a table is one it does not have yet: a link that is added with a key that is
    taken vanishes without an error, as Django ignores the conflict."""
    models = apps.get_app_config("library").get_models(include_auto_created=True)
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), list(models)):
            cursor.execute(statement)


def _analyze(tables: Sequence[str]) -> None:
    """Statistics as a server in use has them; SQLite has none unless somebody asks."""
    with connection.cursor() as cursor:
        for table in tables:
            if connection.vendor == "postgresql":
                cursor.execute(f"VACUUM ANALYZE {table}")
            elif connection.vendor == "mysql":
                cursor.execute(f"ANALYZE TABLE {table}")
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
