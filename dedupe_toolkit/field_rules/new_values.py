"""The values that survivors take from their duplicates. Reads users' rows, writes work tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..databases.names import derived
from ..databases.tables import definitions
from ..mapping.mapping import MERGED, MergeMap
from .functions import called_values
from .rules import FILL, Call, Compute, Follow

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from django.db.models import Field

    from ..databases.tables import Column
    from .family import FieldRules
    from .rules import NamedRule


@dataclass(frozen=True, kw_only=True)
class NewValue:
    """New values for one column of the survivors, in a work table of survivors and values."""

    name: str
    column: Column
    rows: int


def new_values(
    rules: FieldRules, mapping: MergeMap, own: Mapping[str, str], held: Mapping[str, str]
) -> Iterator[NewValue]:
    """The columns whose value changes in some survivor, each with its new values.

    ``own`` maps self-referencing columns to SQL that is true when they hold the survivor, and
    ``held`` those to SQL for their value that is to count for another than the one in them.
    """
    values = _Values(rules=rules, mapping=mapping, own=own, held=held)
    gaining = values.gaining()
    for number, column in enumerate(mapping.table.non_key_columns):
        named = rules.of(mapping.table, column)
        rule = named.rule if named else FILL
        if rule is None or (rule is FILL and not values.is_filled(column, gaining)):
            continue
        name = derived(mapping.name, "value", number)
        rows = values.write(column, named, rule, name)
        if rows:
            yield NewValue(name=name, column=column, rows=rows)


def changing_columns(rules: FieldRules, mapping: MergeMap) -> Iterator[str]:
    """The columns whose value may change in some survivor, as the rows are now."""
    values = _Values(rules=rules, mapping=mapping, own={}, held={})
    changing = rules.changing(mapping.table)
    gaining = values.gaining(few=0)
    for column in mapping.table.non_key_columns:
        named = rules.of(mapping.table, column)
        is_plain = named is None or named.rule is FILL
        if column.name in changing and not (is_plain and not values.is_filled(column, gaining)):
            yield column.name


@dataclass(frozen=True, kw_only=True)
class _Values:
    """What the survivors (``s``) of a mapping (``m``) may take from its members' rows (``d``)."""

    rules: FieldRules
    mapping: MergeMap
    own: Mapping[str, str]
    held: Mapping[str, str]

    def is_filled(self, column: Column, gaining: set[str]) -> bool:
        filling = self.rules.filling(self.mapping.table, column)
        if filling is None:
            return column.name in gaining
        free = {each.name for each in filling.free}
        return column.name in free and not free.isdisjoint(gaining)

    def gaining(self, few: int = 1) -> set[str]:
        """The columns in which some duplicate may have what its survivor lacks.

        So ``few`` are not looked at: to look for the values of one takes no longer.
        """
        table, database = self.mapping.table, self.rules.database
        columns = [c for c in table.non_key_columns if self.rules.can_gain(table, c)]
        if len(columns) <= few:
            return {column.name for column in columns}
        blank = database.blank_in
        gains = (f"{blank('s', one)} AND NOT {blank('d', one)}" for one in columns)
        counts = ", ".join(f"SUM(CASE WHEN {gain} THEN 1 ELSE 0 END)" for gain in gains)
        (row,) = database.fetch(f"SELECT {counts} FROM {self._members()} WHERE {MERGED}")
        return {column.name for column, count in zip(columns, row, strict=True) if count}

    def write(self, column: Column, named: NamedRule | None, rule: Any, name: str) -> int:
        """Write the new values of a column into a work table; returns how many there are."""
        database, mapping = self.rules.database, self.mapping
        types = definitions(mapping.survivors, mapping.table.pk) | {"value": column.definition}
        database.create_work_table(name, types, primary_key=mapping.survivors)
        names = [*mapping.survivors, "value"]
        into = f"INSERT INTO {database.q(name)} ({', '.join(names)})"
        if named and isinstance(rule, Call):
            given = map(database.placeholder, [*mapping.table.pk, column])
            line = f"VALUES ({', '.join(given)})"
            found = called_values(database, mapping, named.field, rule.function)
            return sum(database.run(f"{into} {line}", values) for values in found)
        value = self.held.get(column.name) or f"d.{database.q(column.name)}"
        if named and isinstance(rule, Compute):
            query = self._computed(column, named.field, rule, value)
        else:
            query = self._picked(column, rule, value)
        survivor = database.join_on("s", mapping.key, "x", mapping.survivors)
        is_same = database.same(f"s.{database.q(column.name)}", "x.value", column)
        return database.run(
            f"{into} SELECT {', '.join(database.qualified('x', mapping.survivors))}, x.value"
            f" FROM ({query}) x"
            f" JOIN {database.q(mapping.table.name)} s ON {survivor} WHERE NOT ({is_same})"
        )

    def _picked(self, column: Column, rule: Any, value: str) -> str:
        """SQL for survivors and their values of a column, ``value`` being that of a member."""
        database, mapping = self.rules.database, self.mapping
        if isinstance(rule, Follow):
            leaders = [database.table(mapping.table.model).column(name) for name in rule.leaders]
            where = f"({' OR '.join(f'({self._has_value(leader)})' for leader in leaders)})"
            order = rule.rule.order(f"d.{database.q(rule.leaders[0])}", mapping, database)
        else:
            where = self._can_be_picked(column, rule)
            order = rule.order(value, mapping, database)
        ranked = (
            f"SELECT {self._survivors}, {value} AS value, ROW_NUMBER() OVER"
            f" (PARTITION BY {self._survivors} ORDER BY {order}) AS n"
            f" FROM {self._members()} WHERE {where}"
        )
        return f"SELECT * FROM ({ranked}) y WHERE y.n = 1"

    def _can_be_picked(self, column: Column, rule: Any) -> str:
        filling = self.rules.filling(self.mapping.table, column) if rule is FILL else None
        if filling:
            return filling.where(self.own)
        blank = f" AND {self.rules.database.blank_in('s', column)}" if rule is FILL else ""
        return f"{self._has_value(column)}{blank}"

    def _computed(self, column: Column, field: Field[Any, Any], rule: Compute, value: str) -> str:
        database = self.rules.database
        exact = database.exact(value, column)
        first = f"ROW_NUMBER() OVER (PARTITION BY {self._survivors}, {exact} ORDER BY m.place)"
        rows = (
            f"SELECT {self._survivors}, {value} AS value, m.place,"
            f" {first if rule.is_distinct else '1'} AS n"
            f" FROM {self._members()} WHERE {self._has_value(column)}"
        )
        keys = ", ".join(database.qualified("y", self.mapping.survivors))
        query: str = rule.query(
            f"(SELECT * FROM ({rows}) z WHERE z.n = 1) y", keys, database, field
        )
        return query

    def _has_value(self, column: Column) -> str:
        never = f" AND NOT ({self.own[column.name]})" if column.name in self.own else ""
        return f"NOT {self.rules.database.blank_in('d', column)}{never}"

    @property
    def _survivors(self) -> str:
        return ", ".join(self.rules.database.qualified("m", self.mapping.survivors))

    def _members(self) -> str:
        """Every member's row beside its survivor's."""
        database, mapping = self.rules.database, self.mapping
        table = database.q(mapping.table.name)
        survivor = database.join_on("s", mapping.key, "m", mapping.survivors)
        return f"{mapping.with_rows('d', database)} {database.join} {table} s ON {survivor}"
