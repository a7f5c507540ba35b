"""The values that survivors take from their duplicates. Reads users' rows, writes work tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..graph.meta import column_of
from ..keys import key_field
from ..values import MatchKey, RowSet
from .called import called_values
from .field_rules import FILL, Call, Compute, Pick, resolve_rules
from .mapping import MERGED, Mapping

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping as Dict

    from django.db.models import Field

    from ..databases import Database
    from ..databases.tables import Column


@dataclass(frozen=True, kw_only=True)
class NewValue:
    """New values for one column of the survivors, in a work table of survivors and values."""

    name: str
    column: Column
    rows: int


class FieldRules:
    """The field rules of a merge, and what they make of a mapping."""

    def __init__(
        self, database: Database, source: MatchKey | RowSet, rules: Dict[str, Any]
    ) -> None:
        self.database = database
        self.named = resolve_rules(source.model, rules)
        self.equal = _equal_columns(source)

    def names(self, mapping: Mapping, column: Column) -> bool:
        """Whether a rule speaks of this column."""
        return (mapping.table.name, column.name) in self.named

    def new_values(self, mapping: Mapping, own: dict[str, str]) -> Iterator[NewValue]:
        """The columns whose value changes in some survivor, each with its new values.

        ``own`` maps self-referencing columns to SQL that is true when they hold the survivor.
        """
        gaining = self._gaining(mapping)
        for number, column in enumerate(mapping.table.others):
            named = self.named.get((mapping.table.name, column.name))
            rule = named.rule if named else FILL
            if rule is None or (rule is FILL and column.name not in gaining):
                continue
            name = f"{mapping.name}_value_{number}"
            self._create(mapping, column, name)
            if named and isinstance(rule, Call):
                rows = self._call(mapping, named.field, rule, name)
            else:
                field = named.field if named else None
                rows = self._write(mapping, column, rule, field, name, own.get(column.name, ""))
            if rows:
                yield NewValue(name=name, column=column, rows=rows)

    def try_functions(self, mapping: Mapping) -> None:
        """Call each function that is a rule of this table, and use nothing of what it returns.

        Raises `InvalidOption` if one raises, or returns what its field cannot hold.
        """
        for (table, _), named in self.named.items():
            if table == mapping.table.name and isinstance(named.rule, Call):
                list(called_values(self.database, mapping, named.field, named.rule.function))

    def _gaining(self, mapping: Mapping) -> set[str]:
        """The columns in which some duplicate may have what its survivor lacks."""
        name = mapping.table.name
        columns = [
            column
            for column in mapping.table.others
            if (column.is_nullable or column.is_text) and (name, column.name) not in self.equal
        ]
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

    def _create(self, mapping: Mapping, column: Column, name: str) -> None:
        types = {
            survivor: key.definition
            for survivor, key in zip(mapping.survivors, mapping.table.pk, strict=True)
        }
        self.database.create_work_table(
            name, types | {"value": column.definition}, primary_key=mapping.survivors
        )

    def _call(self, mapping: Mapping, field: Field[Any, Any], rule: Call, name: str) -> int:
        names = [*mapping.survivors, "value"]
        into = f"INSERT INTO {self.database.q(name)} ({', '.join(names)})"
        line = f"VALUES ({', '.join(['%s'] * len(names))})"
        found = called_values(self.database, mapping, field, rule.function)
        return sum(self.database.run(f"{into} {line}", values) for values in found)

    def _write(
        self,
        mapping: Mapping,
        column: Column,
        rule: Pick | Compute | Call,
        field: Field[Any, Any] | None,
        name: str,
        own: str,
    ) -> int:
        database = self.database
        source = self._picked if isinstance(rule, Pick) else self._computed
        survivor = database.equal(
            database.qualified("s", mapping.key), database.qualified("x", mapping.survivors)
        )
        changes = database.same(f"s.{database.q(column.name)}", "x.value", column)
        return database.run(
            f"INSERT INTO {database.q(name)} ({', '.join([*mapping.survivors, 'value'])})"
            f" SELECT {', '.join(database.qualified('x', mapping.survivors))}, x.value"
            f" FROM ({source(mapping, column, rule, field, own)}) x"
            f" JOIN {database.q(mapping.table.name)} s ON {survivor} WHERE NOT ({changes})"
        )

    def _picked(self, mapping: Mapping, column: Column, rule: Any, field: Any, own: str) -> str:
        value = f"d.{self.database.q(column.name)}"
        where = self._has_value(column, own)
        if rule is FILL:
            where += f" AND {self._blank('s', column)}"
        order = rule.order(value, mapping, self.database)
        ranked = (
            f"SELECT {self._survivors(mapping)}, {value} AS value, ROW_NUMBER() OVER"
            f" (PARTITION BY {self._survivors(mapping)} ORDER BY {order}) AS n"
            f" FROM {self._members(mapping)} WHERE {where}"
        )
        return f"SELECT * FROM ({ranked}) y WHERE y.n = 1"

    def _computed(self, mapping: Mapping, column: Column, rule: Any, field: Any, own: str) -> str:
        value = f"d.{self.database.q(column.name)}"
        exact = self.database.image([(column, value)])
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

    def _has_value(self, column: Column, own: str) -> str:
        return f"NOT {self._blank('d', column)}" + (f" AND NOT ({own})" if own else "")

    def _survivors(self, mapping: Mapping) -> str:
        return ", ".join(self.database.qualified("m", mapping.survivors))

    def _members(self, mapping: Mapping) -> str:
        """Every member's row (alias ``d``) beside its survivor's (``s``)."""
        database, table = self.database, self.database.q(mapping.table.name)
        member = database.equal(
            database.qualified("d", mapping.key), database.qualified("m", mapping.members)
        )
        survivor = database.equal(
            database.qualified("s", mapping.key), database.qualified("m", mapping.survivors)
        )
        return (
            f"{database.q(mapping.name)} m {database.join} {table} d ON {member}"
            f" {database.join} {table} s ON {survivor}"
        )

    def _blank(self, alias: str, column: Column) -> str:
        return self.database.blank(f"{alias}.{self.database.q(column.name)}", column)


def _equal_columns(source: MatchKey | RowSet) -> set[tuple[str, str]]:
    """Table and column of what the rows of every group agree on, blanks included."""
    if isinstance(source, RowSet):
        return set()
    fields = [key_field(source.model, lookup) for lookup in source.fields if "__" not in lookup]
    return {(field.model._meta.db_table, column_of(field)) for field in fields}
