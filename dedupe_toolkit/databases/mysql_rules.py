"""The unique rules, checks and generated columns in the catalogue of MariaDB and MySQL."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from .checks import LiveCheck
from .rules import LiveRule, RulePart, assembled

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .checks import Demand
    from .mysql_catalogue import MySQLCatalogue

_TOKEN = re.compile(r"""'(?:[^'\\]|\\.|'')*'|`(?:[^`]|``)*`|[(),]|[^'`(),]+""", re.DOTALL)
_COLUMN = re.compile(r"`((?:[^`]|``)+)`(?:\((\d+)\))?", re.DOTALL)
# an index that the optimizer is told to ignore is checked all the same
_PARTS = """
SELECT table_name, index_name, COALESCE(column_name, ''), sub_part, {expression}
FROM information_schema.statistics
WHERE table_schema = %s AND table_name IN ({tables}) AND non_unique = 0
ORDER BY table_name, index_name <> 'PRIMARY', index_name, seq_in_index
"""


def rule_parts(database: MySQLCatalogue, tables: Sequence[str]) -> Iterator[RulePart]:
    connection: Any = database.connection
    expression = "''" if connection.mysql_is_mariadb else "COALESCE(expression, '')"
    sql = _PARTS.replace("{expression}", expression)
    for table, name, column, length, computed in database.fetch_of(sql, tables):
        rule = LiveRule(table=table, name=name, is_primary_key=name == "PRIMARY")
        expression = computed if connection.mysql_is_mariadb else unescaped(computed)
        yield RulePart(rule=rule, column=column, length=length, expression=expression)


def shown_rule(table: str, created: str) -> LiveRule:
    """The one unique rule of a table, from what SHOW CREATE TABLE of MySQL says of that."""
    _, _, key = created.partition("\n  UNIQUE KEY `")
    name, _, rest = key.partition("` (")
    rule = LiveRule(table=table, name=name.replace("``", "`"))
    (found,) = assembled(_shown_part(rule, text) for text in _listed(rest))
    return found


def _shown_part(rule: LiveRule, text: str) -> RulePart:
    text = text.removesuffix(" DESC")
    if column := _COLUMN.fullmatch(text):
        length = int(column[2]) if column[2] else None
        return RulePart(rule=rule, column=column[1].replace("``", "`"), length=length)
    return RulePart(rule=rule, expression=text[1:-1])


def _listed(text: str) -> list[str]:
    """What stands between commas, up to the bracket that closes the list."""
    parts, depth = [""], 0
    for piece in _TOKEN.findall(text):
        depth += (piece == "(") - (piece == ")")
        if depth < 0:
            break
        if piece == "," and not depth:
            parts.append("")
        else:
            parts[-1] += piece
    return parts


def unescaped(sql: str) -> str:
    """SQL as MySQL means it: its catalogue shows it as the inside of a text, each byte a letter."""
    with suppress(UnicodeError):  # one day it may show letters
        sql = sql.encode("latin-1").decode()
    return re.sub(r"\\(.)", r"\1", sql, flags=re.DOTALL)


# names of checks are unique in a table only on MariaDB, and in the schema on MySQL
_MARIADB = """
SELECT c.table_name, c.constraint_name, c.check_clause
FROM information_schema.check_constraints c
WHERE c.constraint_schema = %s AND c.table_name IN ({tables})
"""
# in this order, or all constraints of the schema are read for each check
_MYSQL = """
SELECT t.table_name, c.constraint_name, c.check_clause
FROM information_schema.table_constraints t
STRAIGHT_JOIN information_schema.check_constraints c
     ON c.constraint_schema = t.constraint_schema AND c.constraint_name = t.constraint_name
WHERE t.constraint_schema = %s AND t.table_name IN ({tables})
      AND t.constraint_type = 'CHECK' AND t.enforced = 'YES'
"""
_DEMANDS = """
SELECT table_name, 'check', constraint_name, check_clause, 0 FROM ({checks}) c
UNION ALL
SELECT table_name, 'generated', column_name, generation_expression, ordinal_position
FROM information_schema.columns
WHERE table_schema = %s AND table_name IN ({tables})
  AND generation_expression IS NOT NULL AND generation_expression <> ''
ORDER BY 1, 5
"""


def demands(database: MySQLCatalogue, tables: Sequence[str]) -> Iterator[tuple[str, Demand]]:
    server: Any = database.connection
    checks = _MARIADB if server.mysql_is_mariadb else _MYSQL
    sql = _DEMANDS.replace("{checks}", checks)
    for table, kind, name, text, _ in database.fetch_of(sql, tables):
        said = text if server.mysql_is_mariadb else unescaped(text)
        said = said.replace("%", "%%")
        yield table, LiveCheck(name=name, sql=said) if kind == "check" else (name, said)
