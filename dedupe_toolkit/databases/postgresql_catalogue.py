"""What PostgreSQL says of its tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import postgresql_rules
from .catalogue import Catalogue
from .names import spelled
from .tables import Column

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


_COLUMNS = """
SELECT w.name, a.attname, format_type(a.atttypid, a.atttypmod), t.typcategory = 'S',
       a.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype), NOT a.attnotnull,
       a.attgenerated <> '',
       CASE WHEN t.typbasetype = 0 THEN '' ELSE format_type(t.typbasetype, t.typtypmod) END,
       CASE WHEN a.attcollation <> t.typcollation THEN quote_ident(n.nspname) || '.' ||
       quote_ident(c.collname) END
FROM (VALUES {tables}) AS w (name, number)
JOIN pg_attribute a ON a.attrelid = w.number AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_collation c ON c.oid = a.attcollation
LEFT JOIN pg_namespace n ON n.oid = c.collnamespace
ORDER BY w.name, a.attnum
"""
_QUOTE = '"'
_NONDETERMINISTIC = """
SELECT w.place, c.collname
FROM (VALUES {columns}) AS w (place, number, name)
JOIN pg_attribute a ON a.attrelid = w.number AND a.attname = w.name
JOIN pg_collation c ON c.oid = a.attcollation AND NOT c.collisdeterministic
ORDER BY w.place
"""
# from here on LIKE and replace() take any collation; the server itself refuses regular expressions
_SEARCHES_ANY_COLLATION = 18_00_00
# partitioned tables have no rows but those of their partitions, which have each key again; what
# points at the whole points at a part as well, and the other way round
_FOREIGN_KEYS = """
WITH RECURSIVE v (name, number) AS (VALUES {tables}),
parts (name, number) AS (
    SELECT name, number::oid FROM v
    UNION SELECT p.name, i.inhrelid FROM parts p JOIN pg_inherits i ON i.inhparent = p.number),
kin (name, number) AS (
    SELECT name, number FROM parts
    UNION SELECT v.name, a.relid::oid FROM v, pg_partition_ancestors(v.number) a)
SELECT k.name, r.relname, CASE WHEN pg_table_is_visible(r.oid) THEN NULL ELSE n.nspname END,
       ARRAY(WITH RECURSIVE up (number) AS (
           SELECT r.oid
           UNION SELECT i.inhparent FROM up JOIN pg_inherits i ON i.inhrelid = up.number)
       SELECT number FROM up),
       c.oid::text, CASE WHEN c.condeferrable AND c.confupdtype = 'a' THEN 'waits'
           WHEN c.condeferrable THEN 'acts' WHEN c.confupdtype = 'c' THEN 'cascades'
           ELSE 'refuses' END,
       CASE WHEN c.confdeltype NOT IN ('a', 'r') THEN 'acts'
           WHEN c.condeferrable AND c.confdeltype = 'a' THEN 'waits' ELSE 'refuses' END,
       a.attname, t.attname
FROM kin k
JOIN pg_constraint c ON c.contype = 'f' AND c.confrelid = k.number
JOIN pg_class r ON r.oid = c.conrelid AND r.relkind <> 'p'
JOIN pg_namespace n ON n.oid = r.relnamespace
CROSS JOIN generate_subscripts(c.conkey, 1) AS s (place)
JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[s.place]
JOIN pg_attribute t ON t.attrelid = c.confrelid AND t.attnum = c.confkey[s.place]
ORDER BY 1, 2, 3, c.conkey, c.oid, s.place
"""
_INDEXES = """
SELECT t.name, i.indexrelid::text, COALESCE(a.attname, '')
FROM (VALUES {tables}) AS t (name, number)
JOIN pg_index i ON i.indrelid = t.number AND i.indisvalid AND i.indpred IS NULL
JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_am m ON m.oid = c.relam AND m.amname IN ('btree', 'hash')
CROSS JOIN unnest(i.indkey) WITH ORDINALITY AS k (attribute, place)
LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attribute
WHERE k.place <= i.indnkeyatts
ORDER BY i.indexrelid, k.place
"""
# a rule of a table does something beside a statement or instead of it, as a trigger may
_TRIGGERS = """
WITH t (name, number) AS (VALUES {tables})
SELECT t.name, g.tgname FROM t
JOIN pg_trigger g ON g.tgrelid = t.number AND NOT g.tgisinternal AND g.tgenabled <> 'D'
UNION ALL SELECT t.name, r.rulename FROM t
JOIN pg_rewrite r ON r.ev_class = t.number AND r.ev_type <> '1' AND r.ev_enabled <> 'D'
ORDER BY 1, 2
"""


class PostgreSQLCatalogue(Catalogue):
    def columns(self, tables: Sequence[str]) -> dict[str, list[Column]]:
        found: dict[str, list[Column]] = {table: [] for table in tables}
        for table, name, kind, *facts, collation in self._fetch_of(_COLUMNS, tables):
            is_text, is_integer, is_nullable, is_generated, base = facts
            column = Column(
                name=name,
                definition=f"{kind} COLLATE {collation}" if collation else kind,
                is_text=is_text,
                is_integer=is_integer,
                is_nullable=is_nullable,
                is_generated=is_generated,
                base=f"{base} COLLATE {collation}" if base and collation else base,
            )
            found[table].append(column)
        return found

    def _fetch_of(self, sql: str, tables: Sequence[str]) -> list[tuple[Any, ...]]:
        """The rows of a query over ``{tables}``: names, and their numbers in the catalogue."""
        listed = ", ".join(["(%s, to_regclass(%s))"] * len(tables))
        return self.look_up(sql.format(tables=listed), [n for t in tables for n in (t, self.q(t))])

    rule_parts = postgresql_rules.rule_parts
    demands_of = postgresql_rules.demands

    def foreign_key_columns(self, tables: Sequence[str]) -> Iterable[tuple[Any, ...]]:
        for target, table, schema, referrers, *key, column, beside in self._fetch_of(
            _FOREIGN_KEYS, tables
        ):
            referrer = spelled(_QUOTE, *filter(None, [schema, table]))
            columns = spelled(_QUOTE, column), spelled(_QUOTE, beside)
            yield target, referrer, frozenset(referrers), *key, *columns

    def triggers(self, tables: Sequence[str]) -> Iterable[tuple[str, str]]:
        yield from self._fetch_of(_TRIGGERS, tables)

    def unsearchable(self, columns: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
        connection: Any = self.connection
        if connection.pg_version >= _SEARCHES_ANY_COLLATION:
            return {}
        listed = ", ".join(["(%s, %s::regclass, %s)"] * len(columns))
        params = [
            part
            for place, (table, name) in enumerate(columns)
            for part in (place, self.q(table), name)
        ]
        found = self.look_up(_NONDETERMINISTIC.format(columns=listed), params)
        return {columns[place]: collation for place, collation in found}

    def index_columns(self, tables: Sequence[str]) -> list[tuple[str, str, str]]:
        return self._fetch_of(_INDEXES, tables)
