"""The values that survivors take from their duplicates. Reads users' rows, writes work tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..databases.names import derived
from ..databases.tables import definitions
from ..keys import key_field
from ..mapping.mapping import MERGED, MergeMap
from ..references.meta import column_of
from ..references.telling import decisive_columns, moments
from ..references.together import together_in
from .functions import called_values
from .rules import CONCAT, FILL, Call, Compute, Follow, Pick
from .together import Filling

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from django.db.models import Field

    from ..databases import Database
    from ..databases.tables import Column, Table
    from ..values import MatchKey, RowSet
    from .rules import NamedRule


@dataclass(frozen=True, kw_only=True)
class NewValue:
    """New values for one column of the survivors, in a work table of survivors and values."""

    name: str
    column: Column
    rows: int


class FieldRules:
    """The field rules of a family of models, and what they make of a mapping.

    ``named`` are the rules by table and column; columns in ``equal`` hold the same value in all
    rows of a group.
    """

    def __init__(
        self,
        database: Database,
        named: Mapping[tuple[str, str], NamedRule],
        equal: frozenset[tuple[str, str]] = frozenset(),
    ) -> None:
        self.database = database
        self.named = named
        self.equal = equal

    def names(self, mapping: MergeMap, column: Column) -> bool:
        """Whether a rule speaks of this column."""
        return (mapping.table.name, column.name) in self.named

    def replaces(self, mapping: MergeMap, column: Column) -> bool:
        """Whether a rule may put another value in place of one that is there."""
        named = self.named.get((mapping.table.name, column.name))
        return named is not None and named.rule not in (None, FILL)

    def joined(self, table: Table) -> list[str]:
        """The columns of this table whose texts are joined."""
        return [column for column, named in self._of(table).items() if named.rule is CONCAT]

    def functions(self, table: Table) -> list[tuple[NamedRule, Callable[[list[Any]], Any]]]:
        """The rules of this table that are Python functions, each with its function."""
        return [
            (named, named.rule.function)
            for named in self._of(table).values()
            if isinstance(named.rule, Call)
        ]

    def say_nothing(self, table: Table, alias: str) -> list[str]:
        """SQL, true for a row that adds nothing to one equal to it, for each rule in question."""
        return [
            named.rule.nothing(f"{alias}.{self.database.q(column)}")
            for column, named in self._of(table).items()
            if named.rule and named.rule.nothing
        ]

    def _of(self, table: Table) -> dict[str, NamedRule]:
        place = _table_name(table)
        return {column: named for (name, column), named in self.named.items() if name == place}

    def changing(self, table: Table) -> dict[str, bool]:
        """The columns of which survivors may get another value, and whether it may be one that no
        row has."""
        found = {}
        for column in table.others:
            named = self.named.get((_table_name(table), column.name))
            rule = named.rule if named else FILL
            if rule is not None and (rule is not FILL or self._can_fill(table, column)):
                found[column.name] = not isinstance(rule, (Pick, Follow))
        return found

    def _can_fill(self, table: Table, column: Column) -> bool:
        """Whether a survivor may be given another value where it, or what it belongs to, lacks
        one."""
        filling = self._filling(table, column)
        if filling is None:
            return self._can_gain(table, column)
        return column in filling.free and any(self._can_gain(table, c) for c in filling.free)

    def _filling(self, table: Table, column: Column) -> Filling | None:
        """How a column is filled together with others, unless it is filled by itself."""
        settled = {name for place, name in self.equal if place == _table_name(table)}
        for one in together_in(table.model):
            if column.name in one.columns:
                return Filling(
                    database=self.database,
                    together=one,
                    settled=settled,
                    kept=self._telling(table) & decisive_columns(table.model, self.database),
                    telling=self._telling(table),
                )
        return None

    def _can_gain(self, table: Table, column: Column) -> bool:
        is_equal = (_table_name(table), column.name) in self.equal
        is_silent = column.name not in self._telling(table)
        return (column.is_nullable or column.is_text) and not is_equal and is_silent

    def _telling(self, table: Table) -> frozenset[str]:
        """The columns in which a blank says something, unless a rule says that it is to be
        filled."""
        named = self._of(table)
        found = moments(table.model, self.database) | decisive_columns(table.model, self.database)
        return frozenset(name for name in found if name not in named)

    def new_values(
        self, mapping: MergeMap, own: Mapping[str, str], held: Mapping[str, str]
    ) -> Iterator[NewValue]:
        """The columns whose value changes in some survivor, each with its new values.

        ``own`` maps self-referencing columns to SQL that is true when they hold the survivor, and
        ``held`` those to SQL for their value that is to count for another than the one in them.
        """
        gaining = self._gaining(mapping)
        for number, column in enumerate(mapping.table.others):
            named = self.named.get((_table_name(mapping.table), column.name))
            rule = named.rule if named else FILL
            if rule is None or (rule is FILL and not self._is_filled(mapping, column, gaining)):
                continue
            name = derived(mapping.name, "value", number)
            self._create(mapping, column, name)
            if named and isinstance(rule, Call):
                rows = self._call(mapping, named.field, rule, name)
            else:
                field = named.field if named else None
                value = held.get(column.name) or f"d.{self.database.q(column.name)}"
                query = self._query(mapping, column, rule, field, value, own)
                rows = self._write(mapping, column, query, name)
            if rows:
                yield NewValue(name=name, column=column, rows=rows)

    def try_functions(self, mapping: MergeMap) -> None:
        """Call each function that is a rule of this table, and use nothing of what it returns.

        Raises `InvalidOption` if one raises, or returns what its field cannot hold.
        """
        for named, function in self.functions(mapping.table):
            list(called_values(self.database, mapping, named.field, function))

    def _is_filled(self, mapping: MergeMap, column: Column, gaining: set[str]) -> bool:
        filling = self._filling(mapping.table, column)
        if filling is None:
            return column.name in gaining
        free = {each.name for each in filling.free}
        return column.name in free and not free.isdisjoint(gaining)

    def _gaining(self, mapping: MergeMap) -> set[str]:
        """The columns in which some duplicate may have what its survivor lacks."""
        columns = [c for c in mapping.table.others if self._can_gain(mapping.table, c)]
        if len(columns) < 2:  # to look for the values of one takes no longer than to count them
            return {column.name for column in columns}
        counts = ", ".join(
            f"SUM(CASE WHEN {self._blank('s', c)} AND NOT {self._blank('d', c)} THEN 1 ELSE 0 END)"
            for c in columns
        )
        (row,) = self.database.fetch(
            f"SELECT {counts} FROM {self._members(mapping)} WHERE {MERGED}"
        )
        return {column.name for column, count in zip(columns, row, strict=True) if count}

    def _create(self, mapping: MergeMap, column: Column, name: str) -> None:
        types = definitions(mapping.survivors, mapping.table.pk) | {"value": column.definition}
        self.database.create_work_table(name, types, primary_key=mapping.survivors)

    def _call(self, mapping: MergeMap, field: Field[Any, Any], rule: Call, name: str) -> int:
        names = [*mapping.survivors, "value"]
        into = f"INSERT INTO {self.database.q(name)} ({', '.join(names)})"
        line = f"VALUES ({', '.join(['%s'] * len(names))})"
        found = called_values(self.database, mapping, field, rule.function)
        return sum(self.database.run(f"{into} {line}", values) for values in found)

    def _write(self, mapping: MergeMap, column: Column, query: str, name: str) -> int:
        database = self.database
        survivor = database.join_on("s", mapping.key, "x", mapping.survivors)
        changes = database.same(f"s.{database.q(column.name)}", "x.value", column)
        return database.run(
            f"INSERT INTO {database.q(name)} ({', '.join([*mapping.survivors, 'value'])})"
            f" SELECT {', '.join(database.qualified('x', mapping.survivors))}, x.value"
            f" FROM ({query}) x"
            f" JOIN {database.q(mapping.table.name)} s ON {survivor} WHERE NOT ({changes})"
        )

    def _query(
        self,
        mapping: MergeMap,
        column: Column,
        rule: Pick | Compute | Call | Follow,
        field: Field[Any, Any] | None,
        value: str,
        own: Mapping[str, str],
    ) -> str:
        """SQL for survivors and their values of a column, ``value`` being that of a member."""
        if isinstance(rule, Compute):
            return self._computed(mapping, column, rule, field, value, own)
        return self._picked(mapping, column, rule, value, own)

    def _picked(
        self, mapping: MergeMap, column: Column, rule: Any, value: str, own: Mapping[str, str]
    ) -> str:
        if isinstance(rule, Follow):
            where, order = self._followed(mapping, rule, own)
        else:
            where = self._can_be_picked(mapping, column, rule, own)
            order = rule.order(value, mapping, self.database)
        ranked = (
            f"SELECT {self._survivors(mapping)}, {value} AS value, ROW_NUMBER() OVER"
            f" (PARTITION BY {self._survivors(mapping)} ORDER BY {order}) AS n"
            f" FROM {self._members(mapping)} WHERE {where}"
        )
        return f"SELECT * FROM ({ranked}) y WHERE y.n = 1"

    def _followed(self, mapping: MergeMap, rule: Follow, own: Mapping[str, str]) -> tuple[str, str]:
        """Which row (``d``) is taken whole, and in which order one is looked for."""
        leaders = [self.database.table(mapping.table.model).column(name) for name in rule.leaders]
        has_value = " OR ".join(f"({self._has_value(leader, own)})" for leader in leaders)
        leader = f"d.{self.database.q(rule.leaders[0])}"
        return f"({has_value})", rule.rule.order(leader, mapping, self.database)

    def _can_be_picked(
        self, mapping: MergeMap, column: Column, rule: Pick, own: Mapping[str, str]
    ) -> str:
        filling = self._filling(mapping.table, column) if rule is FILL else None
        if filling:
            return filling.where(own)
        where = self._has_value(column, own)
        return f"{where} AND {self._blank('s', column)}" if rule is FILL else where

    def _computed(
        self,
        mapping: MergeMap,
        column: Column,
        rule: Any,
        field: Any,
        value: str,
        own: Mapping[str, str],
    ) -> str:
        exact = self.database.exact(value, column)
        first = (
            f"ROW_NUMBER() OVER (PARTITION BY {self._survivors(mapping)}, {exact} ORDER BY m.place)"
        )
        rows = (
            f"SELECT {self._survivors(mapping)}, {value} AS value, m.place,"
            f" {first if rule.is_distinct else '1'} AS n"
            f" FROM {self._members(mapping)} WHERE {self._has_value(column, own)}"
        )
        keys = ", ".join(self.database.qualified("y", mapping.survivors))
        different = f"(SELECT * FROM ({rows}) z WHERE z.n = 1) y"
        query: str = rule.query(different, keys, self.database, field)
        return query

    def _has_value(self, column: Column, own: Mapping[str, str]) -> str:
        never = f" AND NOT ({own[column.name]})" if column.name in own else ""
        return f"NOT {self._blank('d', column)}{never}"

    def _survivors(self, mapping: MergeMap) -> str:
        return ", ".join(self.database.qualified("m", mapping.survivors))

    def _members(self, mapping: MergeMap) -> str:
        """Every member's row (alias ``d``) beside its survivor's (``s``)."""
        database, table = self.database, self.database.q(mapping.table.name)
        survivor = database.join_on("s", mapping.key, "m", mapping.survivors)
        return f"{mapping.with_rows('d', database)} {database.join} {table} s ON {survivor}"

    def _blank(self, alias: str, column: Column) -> str:
        return self.database.blank(f"{alias}.{self.database.q(column.name)}", column)


def equal_columns(source: MatchKey | RowSet) -> frozenset[tuple[str, str]]:
    """Table and column of what the rows of every group agree on, blanks included."""
    fields = [key_field(source.model, lookup) for lookup in source.fields if "__" not in lookup]
    return frozenset((field.model._meta.db_table, column_of(field)) for field in fields)


def _table_name(table: Table) -> str:
    """The name that rules know the table by, also where copies of its rows stand in for it."""
    return table.model._meta.db_table
