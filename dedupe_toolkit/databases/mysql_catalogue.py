"""What MariaDB and MySQL say of their tables."""

from __future__ import annotations

from itertools import groupby, product
from typing import TYPE_CHECKING, Any

from . import mysql_rules
from .catalogue import Catalogue
from .identities import identities, mysql_fold, mysql_identity
from .names import spelled
from .tables import Column

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


_COLUMNS = """
SELECT table_name, column_name, column_type, character_set_name, collation_name,
       is_nullable = 'YES', data_type,
       generation_expression IS NOT NULL AND generation_expression <> '',
       extra LIKE '%%on update%%'
FROM information_schema.columns
WHERE table_schema = %s AND table_name IN ({tables})
ORDER BY table_name, ordinal_position
"""
_INTEGERS = ("tinyint", "smallint", "mediumint", "int", "bigint")
_BINARIES = ("binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "bit")
# as mysqldump writes them: the bytes in which the server keeps them
_SHAPES = {"geometry", "point", "linestring", "polygon", "multipoint", "multilinestring"}
_SHAPES |= {"multipolygon", "geometrycollection", "geomcollection", "vector"}
# MariaDB shows what a key does to those alone who may do more with its table than read it
_FOREIGN_KEYS = """
SELECT k.referenced_table_name, k.table_name, k.table_schema, k.constraint_name, 'waits',
       CASE WHEN r.delete_rule IN ('NO ACTION', 'RESTRICT') THEN 'waits' ELSE 'acts' END,
       k.column_name, k.referenced_column_name
FROM information_schema.key_column_usage k
LEFT JOIN information_schema.referential_constraints r ON r.constraint_schema = k.constraint_schema
     AND r.constraint_name = k.constraint_name AND r.table_name = k.table_name {here_r}
WHERE k.referenced_table_schema = %s AND k.referenced_table_name IN ({tables}) {here_k}
ORDER BY 1, 2, 3, 4, k.ordinal_position
"""
_OWN_KEYS = """
SELECT table_name, referenced_table_name, referenced_table_schema, constraint_name, 'waits',
       'waits', column_name, referenced_column_name
FROM information_schema.key_column_usage
WHERE table_schema = %s AND table_name IN ({tables}) AND referenced_table_name IS NOT NULL
ORDER BY 1, 4, ordinal_position
"""
_OTHER_SCHEMAS = """
SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name
NOT IN (DATABASE(), 'information_schema', 'mysql', 'performance_schema', 'sys')
"""
_QUOTE = "`"
_INDEXES = """
SELECT table_name, index_name, COALESCE(column_name, '')
FROM information_schema.statistics
WHERE table_schema = %s AND table_name IN ({tables}) AND index_type IN ('BTREE', 'HASH')
      AND {is_used}
ORDER BY table_name, index_name, seq_in_index
"""
_TRIGGERS = """
SELECT event_object_table, trigger_name FROM information_schema.triggers
WHERE event_object_schema = %s AND event_object_table IN ({tables})
ORDER BY 1, 2
"""


class MySQLCatalogue(Catalogue):
    is_index_used: str
    """SQL on the catalogue that is true for an index which look-ups are not told to pass by."""

    @staticmethod
    def fold_column(name: str) -> str:
        return name.lower()

    def columns(self, tables: Sequence[str]) -> dict[str, list[Column]]:
        found: dict[str, list[Column]] = {table: [] for table in tables}
        for table, name, kind, charset, collation, *facts in self.fetch_of(_COLUMNS, tables):
            is_nullable, base, is_generated, sets_itself = facts
            column = Column(
                name=name,
                definition=f"{kind} CHARACTER SET {charset} COLLATE {collation}"
                if collation
                else kind,
                is_text=collation is not None,
                is_binary=base in (*_BINARIES, *_SHAPES),
                is_integer=base in _INTEGERS,
                is_nullable=bool(is_nullable),
                is_generated=bool(is_generated),
                sets_itself=bool(sets_itself),
            )
            found[table].append(column)
        return found

    rule_parts = mysql_rules.rule_parts
    demands_of = mysql_rules.demands

    def fetch_of(self, sql: str, tables: Sequence[str]) -> Iterator[tuple[Any, ...]]:
        """The rows of a query for tables of a schema, under the names by which they are asked for.

        The schema and the ``{tables}`` are its parameters, in this order, as often as they come.
        """
        fold = mysql_fold(self.connection)
        asked: dict[str, dict[str, list[str]]] = {}
        for name, (schema, table) in identities(self.connection, tables, mysql_identity).items():
            asked.setdefault(schema, {}).setdefault(table, []).append(name)
        for schema, wanted in asked.items():
            marks = ", ".join(["%s"] * len(wanted))
            times = sql.count("{tables}")
            rows = self.look_up(sql.format(tables=marks), [schema, *wanted] * times)
            for table, some in groupby(rows, key=lambda row: fold(row[0])):
                # the catalogue itself finds names in any case
                for name, row in product(wanted.get(table, ()), list(some)):
                    yield name, *row[1:]

    def foreign_key_columns(self, tables: Sequence[str]) -> Iterable[tuple[Any, ...]]:
        anywhere = self.may_be_pointed_at()
        sql = _FOREIGN_KEYS
        for name, column in ("{here_k}", "k.table_schema"), ("{here_r}", "r.constraint_schema"):
            sql = sql.replace(name, "" if anywhere else f"AND {column} = DATABASE()")
        return self._key_columns(sql, tables)

    def own_key_columns(self, tables: Sequence[str]) -> Iterable[tuple[Any, ...]]:
        return self._key_columns(_OWN_KEYS, tables)

    def _key_columns(self, sql: str, tables: Sequence[str]) -> Iterator[tuple[Any, ...]]:
        fold, here = mysql_fold(self.connection), str(self.connection.settings_dict["NAME"])
        for target, table, schema, *key, column, beside in self.fetch_of(sql, tables):
            referrers = frozenset([(fold(schema), fold(table))])
            is_here = fold(schema) == fold(here)
            referrer = spelled(_QUOTE, *([] if is_here else [schema]), table)
            columns = spelled(_QUOTE, column), spelled(_QUOTE, beside)
            yield target, referrer, referrers, *key, *columns

    def triggers(self, tables: Sequence[str]) -> Iterable[tuple[str, str]]:
        yield from self.fetch_of(_TRIGGERS, tables)

    def may_be_pointed_at(self) -> bool:
        """Whether foreign keys of another schema may lead into one of these."""
        return bool(self.look_up(_OTHER_SCHEMAS)[0][0])

    def index_columns(self, tables: Sequence[str]) -> list[tuple[str, str, str]]:
        return list(self.fetch_of(_INDEXES.replace("{is_used}", self.is_index_used), tables))
