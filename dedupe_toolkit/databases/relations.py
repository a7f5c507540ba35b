"""Relations that rules can be asked of: a table's rows, or what they will be. Builds SQL only."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..references.rule_sql import TableRule
    from . import Database
    from .tables import Table


@dataclass(frozen=True, kw_only=True)
class Relation:
    """A table or a query in brackets, to stand after FROM, whose columns a table's SQL may name.

    ``facts`` are further columns that no rule knows. ``values`` is SQL, of alias ``r``, for what
    the expressions of a rule come to.
    """

    sql: str
    columns: tuple[str, ...]
    facts: tuple[str, ...] = ()
    values: tuple[str, ...] = ()


def table_rows(database: Database, table: Table) -> Relation:
    """The rows as they stand."""
    return Relation(
        sql=database.q(table.name), columns=tuple(column.name for column in table.columns)
    )


def evaluated(database: Database, relation: Relation, rule: TableRule) -> Relation:
    """Those rows of a relation that the rule is for, with the values of its expressions."""
    relation = generating(database, relation, rule.generated)
    if not (rule.expressions or rule.condition):
        return relation
    names = [f"dedupe_v{number}" for number in range(len(rule.expressions))]
    listed = [*map(database.q, relation.columns), *relation.facts]
    listed += [f"{sql} AS {name}" for sql, name in zip(rule.expressions, names, strict=True)]
    where = f" WHERE {rule.condition}" if rule.condition else ""
    return replace(
        relation,
        sql=f"(SELECT {', '.join(listed)} FROM {relation.sql} q{where})",
        values=tuple(f"r.{name}" for name in names),
    )


def generating(database: Database, relation: Relation, generated: Mapping[str, str]) -> Relation:
    """The relation with generated columns worked out of its other columns, one after another."""
    for column, sql in generated.items():
        name = database.q(column)
        others = [database.q(other) for other in relation.columns if other != column]
        listed = ", ".join([*others, *relation.facts, f"({sql}) AS {name}"])
        columns = (*(c for c in relation.columns if c != column), column)
        relation = replace(
            relation, sql=f"(SELECT {listed} FROM {relation.sql} q)", columns=columns
        )
    return relation
