"""What a database says of its tables: columns, keys, unique rules, indexes. Only reads."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

from .checks import Demands, gathered
from .names import parts_of, spelled
from .rules import LiveRule, RulePart, assembled
from .statements import Statements
from .tables import Column, DatabaseKey, OnDelete, OnMove, Table, not_migrated, pk_fields

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models import Model

    from .checks import Demand


class Catalogue(Statements, ABC):
    """The catalogue of one connection's database; what it says of a model is asked once."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        super().__init__(connection)
        self._tables: dict[type[Model], Table] = {}
        self._rules: dict[str, tuple[LiveRule, ...]] = {}
        self._demands: dict[str, Demands] = {}

    def as_compared(self, column: str) -> str:
        """A column's name, as a model has it, the way the database compares names."""
        named = parts_of(self.connection.ops.quote_name(column))
        return self.fold_column(named[0] if named else column)

    @staticmethod
    def fold_column(name: str) -> str:
        """The name of a column, in lower case where cases are not told apart."""
        return name

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
        names = self._spellings(model)
        columns = [replace(column, name=names(column.name)) for column in columns]
        by_name = {column.name: column for column in columns}
        keys = [field.column for field in pk_fields(model)]
        for key in keys:
            if key not in by_name:
                raise not_migrated(model, key)
        pk = tuple(by_name[key] for key in keys)
        return Table(model=model, name=model._meta.db_table, pk=pk, columns=tuple(columns))

    def _spellings(self, model: type[Model]) -> Callable[[str], str]:
        """From names of the catalogue to those that the model has for its columns.

        A column that the model does not know is called as `Database.q` takes it.
        """
        fields = model._meta.local_concrete_fields
        known = {self.as_compared(column): column for field in fields if (column := field.column)}
        quote = self.connection.ops.quote_name("x")[0]
        return lambda name: known.get(self.fold_column(name)) or spelled(quote, name)

    def rules(self, model: type[Model]) -> tuple[LiveRule, ...]:
        """The unique rules of the model's table, the primary key first; asked once.

        None if the table is not there.
        """
        self.read_rules([model])
        return self._rules[model._meta.db_table]

    def read_rules(self, models: Iterable[type[Model]]) -> None:
        """Ask for the rules of many models in one statement, before `rules` is called for each."""
        by_name = {model._meta.db_table: model for model in models}
        unknown = sorted(by_name.keys() - self._rules.keys())
        if not unknown:
            return
        names = {name: self._spellings(by_name[name]) for name in unknown}
        found: dict[str, list[LiveRule]] = {name: [] for name in unknown}
        for rule in assembled(self.rule_parts(unknown)):
            found[rule.table].append(rule.spelled(names[rule.table]))
        self._rules |= {name: tuple(rules) for name, rules in found.items()}

    @abstractmethod
    def rule_parts(self, tables: Sequence[str]) -> Iterable[RulePart]:
        """What the unique rules of these tables compare, part by part, in the rules' order.

        One statement, whatever the number of tables.
        """

    def demands(self, model: type[Model]) -> Demands:
        """What the database demands of each row of the model's table, and computes; asked once."""
        self.read_demands([model])
        return self._demands[model._meta.db_table]

    def read_demands(self, models: Iterable[type[Model]]) -> None:
        """Ask for those of many models in one statement, before `demands` is called for each."""
        by_name = {model._meta.db_table: model for model in models}
        unknown = sorted(by_name.keys() - self._demands.keys())
        found: dict[str, list[Demand]] = {name: [] for name in unknown}
        names = {name: self._spellings(by_name[name]) for name in unknown}
        for table, demand in self.demands_of(unknown) if unknown else ():
            if isinstance(demand, tuple):
                demand = names[table](demand[0]), demand[1]
            found[table].append(demand)
        self._demands |= {name: gathered(demands) for name, demands in found.items()}

    @abstractmethod
    def demands_of(self, tables: Sequence[str]) -> Iterable[tuple[str, Demand]]:
        """Each check, exclusion and generated column, with its table.

        One statement, whatever the number of tables.
        """

    @abstractmethod
    def columns(self, tables: Sequence[str]) -> dict[str, list[Column]]:
        """The columns of each table, in their order, as the database declares them.

        One statement, whatever the number of tables.
        """

    def foreign_keys_of(self, tables: Sequence[str]) -> dict[str, list[DatabaseKey]]:
        """The foreign keys of each table; the ``table`` of each is the one that it points at."""
        return self._keys(tables, self.own_key_columns(tables) if tables else ())

    def foreign_keys_to(self, tables: Sequence[str]) -> dict[str, list[DatabaseKey]]:
        """The foreign keys of the whole server that point at each table.

        One statement, whatever the number of tables.
        """
        return self._keys(tables, self.foreign_key_columns(tables) if tables else ())

    @staticmethod
    def _keys(
        tables: Sequence[str], rows: Iterable[tuple[Any, ...]]
    ) -> dict[str, list[DatabaseKey]]:
        found: dict[str, list[DatabaseKey]] = {table: [] for table in tables}
        for head, columns in groupby(rows, key=lambda row: row[:6]):
            target, table, referrers, _, on_move, on_delete = head
            own, theirs = zip(*(row[6:] for row in columns), strict=True)
            key = DatabaseKey(
                table=table,
                columns=own,
                targets=theirs,
                referrers=referrers,
                on_move=OnMove(on_move),
                on_delete=OnDelete(on_delete),
            )
            # a partition has a key of its own for each one of the whole, and says the same again
            if key not in found[target]:
                found[target].append(key)
        return found

    def own_key_columns(self, tables: Sequence[str]) -> Iterable[tuple[Any, ...]]:
        """The same of the keys that these tables have; for databases that do not check in time."""
        raise NotImplementedError

    @abstractmethod
    def foreign_key_columns(self, tables: Sequence[str]) -> Iterable[tuple[Any, ...]]:
        """A table that is pointed at, one that points and its referrers, a key, what it does when
        what it points at moves (an `OnMove`) and when that is deleted (an `OnDelete`), a column of
        each.

        In the order of tables and keys, and the columns in that of their key.
        """

    @abstractmethod
    def triggers(self, tables: Sequence[str]) -> Iterable[tuple[str, str]]:
        """Each table with each of its triggers that fires. One statement, whatever the number."""

    def versioned(self, tables: Sequence[str]) -> Iterable[str]:
        """Those of these tables of which the database keeps what their rows were before."""
        return ()

    def indexes(self, tables: Sequence[str]) -> dict[str, list[tuple[str, ...]]]:
        """The columns of every index, by table and `as_compared`, that finds all rows of values.

        Primary keys count; indexes of some rows only, on expressions, or not for equality do
        not. One statement, whatever the number of tables.
        """
        found: dict[str, list[tuple[str, ...]]] = {table: [] for table in tables}
        rows = self.index_columns(tables) if tables else []
        for (table, _), columns in groupby(rows, key=lambda row: row[:2]):
            found[table].append(tuple(self.fold_column(column) for _, _, column in columns))
        return found

    @abstractmethod
    def index_columns(self, tables: Sequence[str]) -> list[tuple[str, str, str]]:
        """A table, an index and a column each, the columns in the order of their index."""

    def unsearchable(self, columns: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
        """The collation of each (table, column) among these whose texts cannot be searched."""
        return {}
