"""What a database says of its tables: columns, foreign keys, indexes. Only reads."""

from __future__ import annotations

from abc import ABC, abstractmethod
from itertools import groupby
from typing import TYPE_CHECKING

from .tables import Column, DatabaseKey, Table, pk_fields

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models import Model


class Catalogue(ABC):
    """The catalogue of one connection's database; what it says of a model is asked once."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection
        self.using = connection.alias
        self._tables: dict[type[Model], Table] = {}

    def table(self, model: type[Model]) -> Table:
        """What the database says of the model's table; asked once."""
        self.read_tables([model])
        return self._tables[model]

    def read_tables(self, models: Iterable[type[Model]]) -> None:
        """Ask for the tables of many models in one statement, before `table` is called for each."""
        unknown = {model._meta.db_table: model for model in models if model not in self._tables}
        found = self.columns(list(unknown)) if unknown else {}
        for name, model in unknown.items():
            self._tables[model] = self._as_table(model, found[name])

    def _as_table(self, model: type[Model], columns: Sequence[Column]) -> Table:
        by_name = {column.name: column for column in columns}
        pk = tuple(by_name[field.column] for field in pk_fields(model))
        return Table(model=model, name=model._meta.db_table, pk=pk, columns=tuple(columns))

    @abstractmethod
    def columns(self, tables: Sequence[str]) -> dict[str, list[Column]]:
        """The columns of each table, in their order, as the database declares them.

        One statement, whatever the number of tables.
        """

    @abstractmethod
    def foreign_keys_to(self, table: str) -> list[DatabaseKey]:
        """The foreign keys of the whole database that point at a table."""

    def indexes(self, tables: Sequence[str]) -> dict[str, list[tuple[str, ...]]]:
        """The columns of every index, by table, that finds all rows of given values.

        Primary keys count; indexes of some rows only, on expressions, or not for equality do
        not. One statement, whatever the number of tables.
        """
        found: dict[str, list[tuple[str, ...]]] = {table: [] for table in tables}
        rows = self.index_columns(tables) if tables else []
        for (table, _), columns in groupby(rows, key=lambda row: row[:2]):
            found[table].append(tuple(column for _, _, column in columns))
        return found

    @abstractmethod
    def index_columns(self, tables: Sequence[str]) -> list[tuple[str, str, str]]:
        """A table, an index and a column each, the columns in the order of their index."""
