"""The checks and generated columns in the catalogue of MariaDB and MySQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .checks import LiveCheck
from .mysql_rules import unescaped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .checks import Demand
    from .mysql_catalogue import MySQLCatalogue

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
