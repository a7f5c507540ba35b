"""New values that are written by one statement, because some rule of the table reads them all.

One after another, the first of them could break a rule that all of them together keep. Reads users'
rows, writes work tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..databases.names import derived, numbered
from ..databases.tables import definitions
from ..references.rule_sql import columns_in, needed, table_rule
from ..references.unique import unique_rules

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from ..databases import Database
    from ..databases.tables import Table
    from ..mapping.mapping import MergeMap
    from .new_values import NewValue


@dataclass(frozen=True, kw_only=True)
class ValueStep:
    """New values for some columns of survivors, in a work table: its columns by theirs."""

    name: str
    columns: dict[str, str]


def value_steps(
    database: Database, mapping: MergeMap, values: Sequence[NewValue]
) -> Iterator[ValueStep]:
    """The new values, as they are to be written; ``mapping.table`` is where they are missing."""
    for number, some in enumerate(_together(database, mapping.table, values)):
        if len(some) == 1:
            yield ValueStep(name=some[0].name, columns={some[0].column.name: "value"})
        else:
            yield _united(database, mapping, some, derived(mapping.name, "values", number))


def written_together(database: Database, table: Table, names: Collection[str]) -> frozenset[str]:
    """Those of the columns that are written by one statement, what has no new value as it is."""
    met = (reads.intersection(names) for reads in _rules(database, table))
    return frozenset().union(*(some for some in met if len(some) > 1))


def _together(database: Database, table: Table, values: Sequence[NewValue]) -> list[list[NewValue]]:
    """The values, those together that a rule reads together, directly or by way of others."""
    found = [[value] for value in values]
    for reads in _rules(database, table) if len(values) > 1 else ():
        met = [some for some in found if any(value.column.name in reads for value in some)]
        if len(met) > 1:
            found = [some for some in found if some not in met]
            found.append([value for some in met for value in some])
    return found


def _rules(database: Database, table: Table) -> Iterator[frozenset[str]]:
    """The columns that each rule on rows of a table reads."""
    model = table.model
    demands = database.demands(model)
    names = [column.name for column in database.table(model).columns]
    texts = [[check.sql] for check in demands.checks]
    texts += [[one.condition, *(sql for sql, _ in one.parts)] for one in demands.exclusions]
    for sql in texts:
        yield columns_in([*sql, *needed(demands.generated, (), sql).values()], names)
    for rule in unique_rules(model, database):
        yield table_rule(model, database, rule).decisive


def _united(
    database: Database, mapping: MergeMap, values: Sequence[NewValue], name: str
) -> ValueStep:
    """One work table for several columns: survivors keep what they have where nothing is new."""
    columns = numbered("value", len(values))
    types = definitions(mapping.survivors, mapping.table.pk)
    types |= definitions(columns, [value.column for value in values])
    database.create_work_table(name, types, primary_key=mapping.survivors)
    listed = ", ".join(mapping.survivors)
    tables = [database.q(value.name) for value in values]
    survivors = " UNION ".join(f"SELECT {listed} FROM {table}" for table in tables)
    same = database.join_on("t", mapping.key, "u", mapping.survivors)
    joins, news = [], []
    for number, (table, value) in enumerate(zip(tables, values, strict=True)):
        new = database.qualified(f"v{number}", mapping.survivors)
        met = database.equal(new, database.qualified("u", mapping.survivors))
        joins.append(f"LEFT JOIN {table} v{number} ON {met}")
        own = f"t.{database.q(value.column.name)}"
        news.append(f"CASE WHEN {new[0]} IS NULL THEN {own} ELSE v{number}.value END")
    database.run(
        f"INSERT INTO {database.q(name)} ({', '.join([*mapping.survivors, *columns])})"
        f" SELECT {', '.join([*database.qualified('u', mapping.survivors), *news])}"
        f" FROM ({survivors}) u {database.join} {database.q(mapping.table.name)} t ON {same}"
        f" {' '.join(joins)}"
    )
    named = (value.column.name for value in values)
    return ValueStep(name=name, columns=dict(zip(named, columns, strict=True)))
