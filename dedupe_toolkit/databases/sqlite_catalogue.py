"""What SQLite says of its tables."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from . import sqlite_checks, sqlite_rules
from .catalogue import Catalogue
from .identities import identities, sqlite_identity, sqlite_literal
from .names import ascii_lower, spelled
from .tables import Column

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


_QUOTE = '"'
_HIDDEN_GENERATED = (2, 3)
_WANTED = """
WITH w (name, schema, bare) AS (
    SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]')
    FROM json_each(%s))
"""
_COLUMNS = """
SELECT w.name, c.name, c.type, c."notnull", c.pk, c.hidden
FROM w JOIN pragma_table_xinfo(w.bare, w.schema) c
WHERE c.hidden <> 1
ORDER BY w.name, c.cid
"""
# what names no column points at the primary key; what restricts waits, too, where it is made to
_FOREIGN_KEYS = """
SELECT w.name, s.name, s.schema, f.id,
    CASE WHEN f.on_update IN ('NO ACTION', 'RESTRICT') THEN 'waits' ELSE 'acts' END,
    CASE WHEN f.on_delete IN ('NO ACTION', 'RESTRICT') THEN 'waits' ELSE 'acts' END,
    f."from", COALESCE(f."to",
    (SELECT p.name FROM pragma_table_info(w.bare, w.schema) p WHERE p.pk = f.seq + 1))
FROM {master} s CROSS JOIN pragma_foreign_key_list(s.name, s.schema) f
CROSS JOIN w ON w.bare = lower(f."table") AND w.schema = lower(s.schema)
WHERE s.type = 'table'
ORDER BY 1, 2, 3, 4, f.seq
"""
_OWN_KEYS = """
SELECT w.name, f."table", w.schema, f.id, 'waits', 'waits', f."from", COALESCE(f."to",
    (SELECT p.name FROM pragma_table_info(f."table", w.schema) p WHERE p.pk = f.seq + 1))
FROM w CROSS JOIN pragma_foreign_key_list(w.bare, w.schema) f
ORDER BY 1, 4, f.seq
"""
# the primary key on its own as well: that of a rowid table is no index of the catalogue
_INDEXES = """
SELECT w.name, l.name, COALESCE(i.name, ''), i.seqno
FROM w JOIN pragma_index_list(w.bare, w.schema) l JOIN pragma_index_info(l.name, w.schema) i
WHERE NOT l.partial
UNION ALL
SELECT w.name, '', c.name, c.pk
FROM w JOIN pragma_table_info(w.bare, w.schema) c
WHERE c.pk > 0
ORDER BY 1, 2, 4
"""
_TRIGGERS = """
SELECT w.name, x.name
FROM {master} x JOIN w ON w.schema = x.schema AND w.bare = lower(x.tbl_name)
WHERE x.type = 'trigger' ORDER BY 1, 2
"""


class SQLiteCatalogue(Catalogue):
    @staticmethod
    def fold_column(name: str) -> str:
        return ascii_lower(name)

    def columns(self, tables: Sequence[str]) -> dict[str, list[Column]]:
        found: dict[str, list[Column]] = {table: [] for table in tables}
        for table, name, kind, not_null, in_pk, hidden in self.fetch_of(_COLUMNS, tables):
            column = Column(
                name=name,
                # of strict tables: elsewhere ANY would make numbers of texts
                definition="blob" if kind in ("", "ANY") else kind,
                is_text=any(word in kind.lower() for word in ("char", "text", "clob")),
                is_integer="int" in kind.lower(),
                is_nullable=not (not_null or in_pk),
                is_generated=hidden in _HIDDEN_GENERATED,
            )
            found[table].append(column)
        return found

    rule_parts = sqlite_rules.rule_parts
    demands_of = sqlite_checks.demands

    def fetch_of(self, sql: str, tables: Sequence[str]) -> list[tuple[Any, ...]]:
        """The rows of a query over ``w``: names of tables, their schemas and their bare names.

        ``{master}`` in it is the catalogue of those schemas.
        """
        found = identities(self.connection, tables, sqlite_identity)
        schemas = sorted({schema for schema, _ in found.values()}) or ["main"]
        master = " UNION ALL ".join(
            f"SELECT {sqlite_literal(schema)} AS schema, type, name, tbl_name, sql"
            f" FROM {self.q(schema)}.sqlite_master"
            for schema in schemas
        )
        listed = json.dumps([[name, *identity] for name, identity in found.items()])
        return self.look_up(_WANTED + sql.format(master=f"({master})"), [listed])

    def foreign_key_columns(self, tables: Sequence[str]) -> Iterable[tuple[Any, ...]]:
        return self._key_columns(_FOREIGN_KEYS, tables)

    def own_key_columns(self, tables: Sequence[str]) -> Iterable[tuple[Any, ...]]:
        return self._key_columns(_OWN_KEYS, tables)

    def _key_columns(self, sql: str, tables: Sequence[str]) -> Iterator[tuple[Any, ...]]:
        for target, table, schema, *key, column, beside in self.fetch_of(sql, tables):
            referrers = frozenset([(schema, ascii_lower(table))])
            referrer = spelled(_QUOTE, *([] if schema == "main" else [schema]), table)
            columns = spelled(_QUOTE, column), spelled(_QUOTE, beside)
            yield target, referrer, referrers, *key, *columns

    def triggers(self, tables: Sequence[str]) -> Iterable[tuple[str, str]]:
        yield from self.fetch_of(_TRIGGERS, tables)

    def index_columns(self, tables: Sequence[str]) -> list[tuple[str, str, str]]:
        return [row[:3] for row in self.fetch_of(_INDEXES, tables)]
