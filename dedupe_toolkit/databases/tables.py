"""What the database says of a model's table. Only reads, once per table and connection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import connections
from django.db.models import IntegerField

from ..errors import InvalidMatchKey
from .asking import once

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import Model


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column as the database declares it.

    ``definition`` is its type as ``CREATE TABLE`` would take it, collation included;
    ``is_generated`` columns are computed by the database and cannot be written.
    """

    name: str
    definition: str
    is_text: bool = False
    is_binary: bool = False
    is_integer: bool = False
    is_nullable: bool = True
    is_generated: bool = False


@dataclass(frozen=True, kw_only=True)
class Table:
    """The table of a model: its name, its primary key, and every column the database has."""

    model: type[Model]
    name: str
    pk: tuple[Column, ...]
    columns: tuple[Column, ...]

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)

    @property
    def stored(self) -> tuple[Column, ...]:
        """The columns that can be written: what a row's image must hold."""
        return tuple(column for column in self.columns if not column.is_generated)

    @property
    def others(self) -> tuple[Column, ...]:
        """The stored columns outside the primary key."""
        return tuple(column for column in self.stored if column not in self.pk)


@dataclass(frozen=True, kw_only=True)
class DatabaseKey:
    """A foreign key as the database has it, whether or not a model declares it."""

    table: str
    column: str
    target_column: str


def pk_names(model: type[Model]) -> list[str]:
    """The attribute names of the primary key's fields: one, or several if it is composite."""
    return [field.attname for field in pk_fields(model)]


def pk_fields(model: type[Model]) -> list[Any]:
    return list(getattr(model._meta, "pk_fields", [model._meta.pk]))


def are_numbered(model: type[Model]) -> bool:
    """Whether the model's primary keys are whole numbers, and the same ones in Python."""
    field, *more = pk_fields(model)
    is_number = isinstance(field, IntegerField) and not hasattr(field, "from_db_value")
    return is_number and not more


def python_key(model: type[Model], columns: Sequence[Any]) -> Any:
    """A primary key as models hold it, from what the database returns for its columns."""
    fields = zip(pk_fields(model), columns, strict=True)
    values = tuple(field.to_python(value) for field, value in fields)
    return values[0] if len(values) == 1 else values


@once
def table_kinds(using: str) -> dict[str, str]:
    """Every table and view of a database by name, with Django's letter for what it is."""
    connection = connections[using]
    with connection.cursor() as cursor:
        return {info.name: info.type for info in connection.introspection.get_table_list(cursor)}


@once
def tables_with_rows(using: str) -> set[str]:
    """The tables that store rows of their own: neither views nor SQLite's virtual tables, whose
    rows mirror others' and whose columns are no columns of the database."""
    connection = connections[using]
    names = {name for name, kind in table_kinds(using).items() if kind == "t"}
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE%%'", []
            )
            names -= {name for (name,) in cursor.fetchall()}
    return names


def require_table(model: type[Model], using: str) -> set[str]:
    """The names of all tables in the database ``using``.

    Raises `InvalidMatchKey` unless that of the model is among them.
    """
    name = model._meta.db_table
    known = table_kinds(using)
    if known.get(name) == "v":
        raise InvalidMatchKey(f"{model._meta.label} is a view, its rows cannot be merged")
    if name not in known:
        raise InvalidMatchKey(
            f"{model._meta.label} has no table {name!r} in database {using!r};"
            f" run manage.py migrate --database {using}"
        )
    return set(known)
