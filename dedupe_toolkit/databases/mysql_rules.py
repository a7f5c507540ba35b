"""The unique rules in the catalogue of MariaDB and MySQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .rules import LiveRule, RulePart

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .mysql import MySQLFamily

# an index that the optimizer is told to ignore is checked all the same
_PARTS = """
SELECT table_name, index_name, COALESCE(column_name, ''), sub_part, {expression}
FROM information_schema.statistics
WHERE table_schema = %s AND table_name IN ({tables}) AND non_unique = 0
ORDER BY table_name, index_name <> 'PRIMARY', index_name, seq_in_index
"""


def rule_parts(database: MySQLFamily, tables: Sequence[str]) -> Iterator[RulePart]:
    connection: Any = database.connection
    expression = "''" if connection.mysql_is_mariadb else "COALESCE(expression, '')"
    sql = _PARTS.replace("{expression}", expression)
    for table, name, column, length, computed in database.fetch_of(sql, tables):
        rule = LiveRule(table=table, name=name, is_primary_key=name == "PRIMARY")
        yield RulePart(rule=rule, column=column, length=length, expression=computed)
