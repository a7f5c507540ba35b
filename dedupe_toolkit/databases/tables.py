"""What the database says of a model's table. Only reads, once per table and connection."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from django.db import connections, router
from django.db.models import IntegerField

from ..errors import InvalidMatchKey
from .caching import caching
from .places import VIEW, named_places, place_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from django.db.models import Field, Model


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column as the database declares it.

    ``definition`` is its type as ``CREATE TABLE`` would take it, collation included, and ``base``
    the type that a domain is made of;
    ``is_generated`` columns are computed by the database and cannot be written, and one that
    ``sets_itself`` changes with any other of its row unless it is written as well.
    """

    name: str
    definition: str
    is_text: bool = False
    is_binary: bool = False
    is_integer: bool = False
    is_nullable: bool = True
    is_generated: bool = False
    sets_itself: bool = False
    base: str = ""

    @property
    def undemanding(self) -> str:
        """The definition without what a domain demands of values beside their type."""
        return self.base or self.definition


@dataclass(frozen=True, kw_only=True)
class Table:
    """The table of a model: its name, its primary key, and every column the database has."""

    model: type[Model]
    name: str
    pk: tuple[Column, ...]
    columns: tuple[Column, ...]

    @property
    def key(self) -> list[str]:
        """The names of the primary key's columns."""
        return [column.name for column in self.pk]

    def column(self, name: str) -> Column:
        """Raises `InvalidMatchKey` for a column that the model has and the database has not."""
        for column in self.columns:
            if column.name == name:
                return column
        raise not_migrated(self.model, name)

    @property
    def stored(self) -> tuple[Column, ...]:
        """The columns that can be written: what a row's image must hold."""
        return tuple(column for column in self.columns if not column.is_generated)

    @property
    def restless(self) -> tuple[str, ...]:
        """The names of the columns that change by themselves, unless they are written."""
        return tuple(column.name for column in self.columns if column.sets_itself)

    @property
    def non_key_columns(self) -> tuple[Column, ...]:
        """The stored columns outside the primary key."""
        return tuple(column for column in self.stored if column not in self.pk)


class OnMove(StrEnum):
    """What a foreign key does to the rows that point, when what they point at takes a new key.

    In the order of how much stands in the way.
    """

    WAITS = "waits"
    """Nothing, until the end of the transaction."""
    ACTS = "acts"
    """It changes or refuses them at once, unless they have followed ahead; and they may."""
    CASCADES = "cascades"
    """It lets them follow together with the key, and never ahead nor afterwards."""
    REFUSES = "refuses"
    """It lets them follow neither ahead nor afterwards, and may empty what they hold."""


class OnDelete(StrEnum):
    """What a foreign key does when a row goes that others point at.

    In the order of how much stands in the way.
    """

    WAITS = "waits"
    """Nothing, until the end of the transaction."""
    REFUSES = "refuses"
    """It refuses at once, even where another row is about to take the value."""
    ACTS = "acts"
    """It deletes or changes the rows that point."""


@dataclass(frozen=True, kw_only=True)
class DatabaseKey:
    """A foreign key as the database has it, whether or not a model declares it.

    ``columns`` of ``table`` point at ``targets`` of another; the names are as `Database.q` takes
    them. ``referrers`` are the identities of the table and of those that show its rows as theirs.
    """

    table: str
    columns: tuple[str, ...]
    targets: tuple[str, ...]
    referrers: frozenset[Any] = frozenset()
    on_move: OnMove = OnMove.WAITS
    on_delete: OnDelete = OnDelete.WAITS

    @property
    def is_acting(self) -> bool:
        """Whether it deletes or changes what points at a row when that is deleted."""
        return self.on_delete is OnDelete.ACTS

    @property
    def label(self) -> str:
        return f"{self.table}.{'+'.join(self.columns)}"


def definitions(names: Sequence[str], columns: Sequence[Column]) -> dict[str, str]:
    """Columns of a work table, under these names, that hold what the table's columns hold."""
    return {name: column.definition for name, column in zip(names, columns, strict=True)}


def not_migrated(model: type[Model], column: str) -> InvalidMatchKey:
    """What is raised where the models are ahead of the database."""
    return InvalidMatchKey(
        f"{model._meta.label} has no column {column!r} in the database yet: run manage.py migrate"
        f" {model._meta.app_label}, or leave it out"
    )


def pk_names(model: type[Model]) -> list[str]:
    """The attribute names of the primary key's fields: one, or several if it is composite."""
    return [field.attname for field in pk_fields(model)]


def pk_fields(model: type[Model]) -> list[Any]:
    return list(getattr(model._meta, "pk_fields", [model._meta.pk]))


def last_field(field: Any) -> Any:
    """The field at the end of a chain of keys: that of the outermost parent."""
    while field.remote_field:
        field = field.target_field
    return field


def are_numbered(model: type[Model]) -> bool:
    """Whether the model's primary keys are whole numbers, and the same ones in Python."""
    field, *more = pk_fields(model)
    is_number = isinstance(field, IntegerField) and not hasattr(field, "from_db_value")
    return is_number and not more


def python_key(model: type[Model], columns: Sequence[Any], using: str) -> Any:
    """A primary key as models hold it, from what the database returns for its columns."""
    fields = zip(pk_fields(model), columns, strict=True)
    values = tuple(from_database(field, value, connections[using]) for field, value in fields)
    return values[0] if len(values) == 1 else values


def from_database(field: Field[Any, Any], value: Any, connection: Any) -> Any:
    """A value as Django reads it, from what the database returns for a field's column."""
    column = field.get_col(field.model._meta.db_table)
    converters = connection.ops.get_db_converters(column) + column.get_db_converters(connection)
    for convert in converters:
        value = convert(value, column, connection)
    return value


@caching()
def require_table(model: type[Model], using: str) -> None:
    """Raises `InvalidMatchKey` unless the model has a table in the database ``using``, of which all
    rows can be seen."""
    place = place_of(model, using)
    if place is None:
        raise InvalidMatchKey(
            f"{model._meta.label} has no table {model._meta.db_table!r} in database {using!r};"
            f" {where_it_belongs(model, using)}"
        )
    if place.kind == VIEW:
        raise InvalidMatchKey(f"{model._meta.label} is a view, its rows cannot be merged")
    require_all_rows([model], using)


def require_all_rows(models: Iterable[type[Model]], using: str) -> None:
    """Raises `InvalidMatchKey` for a table that may hide rows from the user of the database."""
    for model in models:
        require_rows_of([model._meta.db_table], model, using)


def require_rows_of(tables: Iterable[str], model: type[Model], using: str) -> None:
    """The same of tables that concern a model, which need not be its own."""
    for table, place in named_places(tables, using).items():
        if place.secured:
            raise InvalidMatchKey(
                f"{model._meta.label}: row level security hides rows of {table!r}"
                f" from the user of database {using!r}, and nothing is said or done of rows that"
                " cannot be seen: use one with BYPASSRLS, or the table's owner"
            )


def where_it_belongs(model: type[Model], using: str) -> str:
    """What to do about a missing table, as far as the database routers let it be made."""
    aliases = [alias for alias in connections if router.allow_migrate_model(alias, model)]
    if using in aliases:
        return f"run manage.py migrate --database {using}"
    if model._meta.app_label == "dedupe_toolkit":
        return (
            "the journal stands beside the rows that it speaks of, and the project's database"
            " routers keep it out: let allow_migrate() say yes for the app dedupe_toolkit there"
        )
    if not aliases:
        return "the project's database routers let it be made in none"
    return f"the project's database routers put it into {' or '.join(map(repr, aliases))}"
