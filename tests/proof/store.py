"""Rows into the database and out again, without the engine: what the proof compares."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.apps.registry import Apps
from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError, connection

from dedupe_toolkit import register
from dedupe_toolkit.registry import unregister

from .kinds import Kind
from .reference_values import Declared
from .tables import ANY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import Field, Model

    from .reference_values import Choices
    from .tables import Row, Rows, Schema, Table

_PLAIN = Kind("plain")

UNKNOWN = Apps()
"""Models for what reads and writes tables here; the project has none of them."""


@dataclass(frozen=True)
class Store:
    """The tables of a schema in the database."""

    schema: Schema

    def model_of(self, name: str) -> type[Model]:
        is_unknown = self.schema.by_name[name].is_unknown
        return (UNKNOWN if is_unknown else apps).get_registered_model(self.schema.app, name)

    @contextmanager
    def declaring(self, choices: Choices) -> Iterator[None]:
        """Inside, the models declare what the choices say of their tables."""
        together = {table.name: table.together for table in self.schema.tables if table.together}
        names = choices.declared.keys() | together.keys()
        for name in names:
            declared = choices.declared.get(name, Declared())
            register(
                self.model_of(name),
                survivor=declared.survivor,
                field_rules=declared.rules,
                on_collision=declared.on_collision,
                on_conflict=declared.on_conflict,
                together=together.get(name),
            )
        try:
            yield
        finally:
            for name in names:
                unregister(self.model_of(name))

    def load(self, rows: Rows) -> None:
        """Write these rows; rows may point at others that come later."""
        with connection.constraint_checks_disabled(), connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("SET CONSTRAINTS ALL DEFERRED")
            for table in self.schema.tables:
                if rows[table.name]:
                    values = [self._written(table, row) for row in rows[table.name].values()]
                    cursor.executemany(self._insert(table), values)

    def key_of(self, name: str, said: Any) -> Any:
        """The key that the proof knows a row by, from what a report says of it."""
        table = self.schema.by_name[name]
        parts = zip(
            table.composite or (table.key,), said if table.composite else (said,), strict=True
        )
        key = tuple(self._kind(table, column, {}).read(part) for column, part in parts)
        return key if table.composite else key[0]

    def dump(self) -> Rows:
        """Every row of every table, as its fields read it, but for what triggers write."""
        return {table.name: self._dumped(table) for table in self.schema.tables}

    def exactly(self) -> dict[str, list[str]]:
        """Every row of every table, exactly as the database gives it, but for the same."""
        with connection.cursor() as cursor:
            return {table.name: self._exactly(cursor, table) for table in self.schema.tables}

    def check_foreign_keys(self) -> None:
        """Raises `IntegrityError` if a row points at one that is not there."""
        if connection.vendor == "mysql":
            # Django asks MySQL of plain names only
            self._check_each()
        else:
            names = [self.model_of(table.name)._meta.db_table for table in self.schema.tables]
            connection.check_constraints(None if connection.vendor == "postgresql" else names)

    def _check_each(self) -> None:
        for table in self.schema.tables:
            for field in self._fields(table):
                to = table.references.get(field.attname)
                if to and to.is_checked and to.table != ANY:
                    self._check(field, field.target_field)

    def _check(self, field: Field[Any, Any], target: Field[Any, Any]) -> None:
        quote = connection.ops.quote_name
        holder, held = quote(field.model._meta.db_table), quote(str(field.column))
        pointed, key = quote(target.model._meta.db_table), quote(str(target.column))
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT h.{held} FROM {holder} h LEFT JOIN {pointed} p ON h.{held} = p.{key}"
                f" WHERE h.{held} IS NOT NULL AND p.{key} IS NULL"
            )
            if found := cursor.fetchall():
                raise IntegrityError(f"{holder} points at {found}")

    def _exactly(self, cursor: Any, table: Table) -> list[str]:
        listed = self._listed(table, without=table.stamped)
        cursor.execute(f"SELECT {listed} FROM {self._name(table)}")
        return sorted(repr([_comparable(value) for value in row]) for row in cursor.fetchall())

    def _dumped(self, table: Table) -> dict[int, Row]:
        fields = [field.attname for field in self._fields(table)]
        found = self.model_of(table.name)._base_manager.order_by().values_list(*fields)
        rows = [self._read(table, dict(zip(table.stored, row, strict=True))) for row in found]
        stamp = {table.stamped: 0} if table.stamped else {}
        return {row[table.key]: row | stamp for row in rows}

    def _written(self, table: Table, row: Row) -> list[Any]:
        row = table.spread(row)
        values = [
            None if row[column] is None else self._kind(table, column, row).write(row[column])
            for column in table.stored
        ]
        pairs = zip(self._fields(table), values, strict=True)
        return [field.get_db_prep_save(value, connection) for field, value in pairs]

    def _read(self, table: Table, row: Row) -> Row:
        names = {pk: name for name, pk in self._content_types.items()}
        if "content_type" in row:
            row = row | {"content_type": names[row["content_type"]]}
        kinds = {
            column: self._kind(table, column, row) for column in row if row[column] is not None
        }
        read = {column: kind.read(row[column]) for column, kind in kinds.items()}
        return table.gathered(row | read)

    def _kind(self, table: Table, column: str, row: Row) -> Kind:
        """How a column holds what the proof writes down: a key as that of its target."""
        to = table.references.get(column)
        for part in table.references.values():
            if column in part.columns:
                target = self.schema.by_name[part.table]
                return self._kind(target, target.composite[part.columns.index(column)], {})
        if column == "content_type":
            return Kind("type", write=self._content_types.__getitem__)
        if column == table.key and to is None:
            return table.key_kind
        if to is None or to.by:
            return table.kinds.get(column, _PLAIN)
        target = self.schema.by_name[row["content_type"] if to.table == ANY else to.table]
        own = target.references.get(target.key)
        return self._kind(target, target.key, {}) if own else target.key_kind

    @property
    def _content_types(self) -> dict[str, int]:
        types = ContentType.objects.get_for_model
        return {name: types(self.model_of(name)).pk for name in self.schema.subjects}

    def _fields(self, table: Table) -> list[Field[Any, Any]]:
        names = {"content_type": "content_type_id"}
        by_name = {field.attname: field for field in self.model_of(table.name)._meta.local_fields}
        return [by_name[names.get(column, column)] for column in table.stored]

    def _name(self, table: Table) -> str:
        return connection.ops.quote_name(self.model_of(table.name)._meta.db_table)

    def _insert(self, table: Table) -> str:
        marks = ", ".join(["%s"] * len(table.stored))
        return f"INSERT INTO {self._name(table)} ({self._listed(table)}) VALUES ({marks})"

    def _listed(self, table: Table, without: str = "") -> str:
        columns = [str(f.column) for f in self._fields(table) if f.attname != without]
        return ", ".join(map(connection.ops.quote_name, columns))


def _comparable(value: Any) -> Any:
    if isinstance(value, memoryview):
        return bytes(value)
    return json.dumps(value, sort_keys=True) if isinstance(value, dict) else value
