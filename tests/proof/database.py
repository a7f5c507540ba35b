"""Rows into the database and out again, without the models: plain INSERT and SELECT."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db import connection

from .schema import SUBJECTS, TABLES, Row, Rows, Table

if TYPE_CHECKING:
    from django.db.models import Model

TEXT_IDS = {"note"}
"""Tables whose generic key is text."""


def model_of(name: str) -> type[Model]:
    return apps.get_model("proof", name)


def load(rows: Rows) -> None:
    """Write these rows; rows may point at others that come later."""
    with connection.constraint_checks_disabled(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        for table in TABLES:
            if rows[table.name]:
                values = [_written(table, row) for row in rows[table.name].values()]
                cursor.executemany(_insert(table), values)


def dump() -> Rows:
    """Every row of every table, exactly as the database gives it."""
    with connection.cursor() as cursor:
        return {table.name: _dumped(cursor, table) for table in TABLES}


def check_foreign_keys() -> None:
    """Raises `IntegrityError` if a row points at one that is not there."""
    tables = [_name(table) for table in TABLES]
    if connection.vendor == "postgresql":
        connection.check_constraints()
    else:
        connection.check_constraints(table_names=tables)


def _dumped(cursor: Any, table: Table) -> dict[int, Row]:
    cursor.execute(_select(table))
    rows = [_read(table, dict(zip(table.columns, row, strict=True))) for row in cursor.fetchall()]
    return {row[table.key]: row for row in rows}


def _written(table: Table, row: Row) -> list[Any]:
    if "content_type" in row:
        convert = str if table.name in TEXT_IDS else int
        row = {**row, "object_id": convert(row["object_id"])}
        row["content_type"] = _content_types()[row["content_type"]]
    return [row[column] for column in table.columns]


def _read(table: Table, row: Row) -> Row:
    if "content_type" in row:
        names = {pk: name for name, pk in _content_types().items()}
        row["content_type"] = names[row["content_type"]]
        row["object_id"] = int(row["object_id"])
    return row


def _content_types() -> dict[str, int]:
    return {name: ContentType.objects.get_for_model(model_of(name)).pk for name in SUBJECTS}


def _name(table: Table) -> str:
    return f"proof_{table.name}"


def _insert(table: Table) -> str:
    marks = ", ".join(["%s"] * len(table.columns))
    return f"INSERT INTO {_name(table)} ({_listed(table)}) VALUES ({marks})"


def _select(table: Table) -> str:
    return f"SELECT {_listed(table)} FROM {_name(table)}"


def _listed(table: Table) -> str:
    columns = ("content_type_id" if c == "content_type" else c for c in table.columns)
    return ", ".join(map(connection.ops.quote_name, columns))
