"""SQLite: scalar subqueries where others join, and images that keep each value's storage class."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING, Any, cast
from zlib import crc32

from django.db.models import UUIDField
from django.db.utils import DatabaseError, OperationalError

from .base import Database, Numbered, json_path
from .tables import Column, DatabaseKey, Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from django.db.backends.base.base import BaseDatabaseWrapper

_HIDDEN_GENERATED = (2, 3)
_COLUMNS = """
SELECT s.name, c.name, c.type, c."notnull", c.pk, c.hidden
FROM sqlite_master s JOIN pragma_table_xinfo(s.name) c
WHERE s.name IN ({tables}) AND c.hidden <> 1
ORDER BY s.name, c.cid
"""
_FOREIGN_KEYS = """
SELECT s.name, f."from", f."to"
FROM sqlite_master s JOIN pragma_foreign_key_list(s.name) f
WHERE s.type = 'table' AND lower(f."table") = lower(%s)
ORDER BY 1, 2
"""
# the primary key on its own as well: that of a rowid table is no index of the catalogue
_INDEXES = """
SELECT s.name, l.name, COALESCE(i.name, ''), i.seqno
FROM sqlite_master s JOIN pragma_index_list(s.name) l JOIN pragma_index_info(l.name) i
WHERE s.type = 'table' AND s.name IN ({tables}) AND NOT l.partial
UNION ALL
SELECT s.name, '', c.name, c.pk
FROM sqlite_master s JOIN pragma_table_info(s.name) c
WHERE s.type = 'table' AND s.name IN ({tables}) AND c.pk > 0
ORDER BY 1, 2, 4
"""
# SQLite's functions take 127 at most, unless it was built otherwise
_ARGUMENTS = 100


class SQLite(Database):
    # CROSS JOIN is the documented way to keep SQLite from turning the join around and
    # scanning the large table: it has no statistics on temporary tables
    join = "CROSS JOIN"
    # one writer at a time in any case, and every batch writes the same pages again
    batch_size = 50_000
    # it begins by writing, and so holds the one lock for that
    is_alone_in_batch = True

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        super().__init__(connection)
        connection.ensure_connection()
        raw = connection.connection
        # SQLite's own text form of a float has 15 digits, and unhex() came with 3.41
        raw.create_function("dedupe_float_text", 1, float.hex, deterministic=True)
        raw.create_function("dedupe_text_float", 1, float.fromhex, deterministic=True)
        raw.create_function("dedupe_unhex", 1, bytes.fromhex, deterministic=True)

    def columns(self, tables: Sequence[str]) -> dict[str, list[Column]]:
        found: dict[str, list[Column]] = {table: [] for table in tables}
        sql = _COLUMNS.format(tables=", ".join(["%s"] * len(tables)))
        for table, name, kind, not_null, in_pk, hidden in self.fetch(sql, tables):
            column = Column(
                name=name,
                definition=kind or "blob",
                is_text=any(word in kind.lower() for word in ("char", "text", "clob")),
                is_integer="int" in kind.lower(),
                is_nullable=not (not_null or in_pk),
                is_generated=hidden in _HIDDEN_GENERATED,
            )
            found[table].append(column)
        return found

    def foreign_keys_to(self, table: str) -> list[DatabaseKey]:
        return [
            DatabaseKey(table=holder, column=column, target_column=target)
            for holder, column, target in self.fetch(_FOREIGN_KEYS, [table])
        ]

    def insert_numbered(self, insert: str, table: str, params: Sequence[Any]) -> Numbered:
        with self.connection.cursor() as cursor:
            cursor.execute(insert, params)
            # nobody else writes meanwhile, so the keys have no gap
            rows, last = int(cursor.rowcount), int(cursor.lastrowid)
        return Numbered(rows=rows, first=last - rows + 1, last=last)

    def create_work_table(
        self,
        name: str,
        columns: Mapping[str, str],
        *,
        primary_key: Sequence[str],
        indexes: Sequence[str] = (),
    ) -> None:
        self.drop_work_table(name)
        parts = [f"{self.q(column)} {kind}" for column, kind in columns.items()]
        if primary_key:
            parts.append(f"PRIMARY KEY ({', '.join(map(self.q, primary_key))})")
        self.run(f"CREATE TEMPORARY TABLE {self.q(name)} ({', '.join(parts)})")

    def settle(self, name: str, indexes: Sequence[str] = ()) -> None:
        for index in indexes:
            self.run(
                f"CREATE INDEX temp.{self.q(f'{name}_{index}')} ON {self.q(name)} ({self.q(index)})"
            )

    def drop_work_table(self, name: str) -> None:
        self.run(f"DROP TABLE IF EXISTS temp.{self.q(name)}")

    def unpacked(self, keys: str, column: Column) -> str:
        return f"json_each({keys})"

    def image(self, columns: Sequence[tuple[Column, str]]) -> str:
        elements = [_element(sql) for _, sql in columns]
        arrays = [
            f"json_array({', '.join(elements[start : start + _ARGUMENTS])})"
            for start in range(0, len(elements), _ARGUMENTS)
        ]
        if len(arrays) == 1:
            return arrays[0]
        bare = " || ',' || ".join(f"substr({array}, 2, length({array}) - 2)" for array in arrays)
        return f"('[' || {bare} || ']')"

    def from_image(self, image: str, position: int, column: Column) -> str:
        at = f"'$[{position}]'"
        real, blob = f"'$[{position}].real'", f"'$[{position}].blob'"
        return (
            f"CASE WHEN json_type({image}, {at}) <> 'object' THEN json_extract({image}, {at})"
            f" WHEN json_type({image}, {real}) = 'text'"
            f" THEN dedupe_text_float(json_extract({image}, {real}))"
            f" ELSE dedupe_unhex(json_extract({image}, {blob})) END"
        )

    def key_text(self, columns: Sequence[tuple[Column, str]]) -> str:
        if len(columns) == 1:
            return f"CAST({columns[0][1]} AS TEXT)"
        return self.image(columns)

    def from_key_text(self, text: str, position: int, columns: Sequence[Column]) -> str:
        if len(columns) == 1:
            return f"CAST({text} AS INTEGER)" if columns[0].is_integer else text
        return self.from_image(text, position, columns[position])

    def as_python_text(self, sql: str, field: Any) -> str:
        if not isinstance(field, UUIDField):
            return f"CAST({sql} AS TEXT)"
        # stored as 32 digits, but str(uuid) has hyphens
        cuts = [(1, 8), (9, 4), (13, 4), (17, 4), (21, 12)]
        return " || '-' || ".join(f"substr({sql}, {start}, {size})" for start, size in cuts)

    def same(self, left: str, right: str, column: Column) -> str:
        return f"({left} IS {right} COLLATE BINARY AND typeof({left}) = typeof({right}))"

    def join_texts(self, rows: str, keys: str, separator: str) -> str:
        # an aggregate takes no ORDER BY before SQLite 3.44, its window does
        window = (
            f"(PARTITION BY {keys} ORDER BY y.place"
            " ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)"
        )
        joined = f"group_concat(y.value, '{separator}') OVER {window}"
        return f"SELECT DISTINCT {keys}, {joined} AS value FROM {rows}"

    def json_text(self, sql: str, path: Sequence[str]) -> str:
        return f"CAST(json_extract({sql}, {json_path(path)}) AS TEXT)"

    def json_replaced(self, sql: str, path: Sequence[str], text: str) -> str:
        at = json_path(path)
        return (
            f"CASE json_type({sql}, {at}) WHEN 'integer'"
            f" THEN json_set({sql}, {at}, CAST({text} AS INTEGER))"
            f" ELSE json_set({sql}, {at}, {text}) END"
        )

    def update(
        self,
        table: str,
        assignments: Mapping[str, str],
        *,
        source: str,
        on: Mapping[str, str],
        where: str = "",
        where_source: str = "",
        params: Sequence[Any] = (),
    ) -> int:
        matches = " AND ".join(f"m.{self.q(b)} = t.{self.q(a)}" for a, b in on.items())
        sets = ", ".join(
            f"{self.q(a)} = (SELECT m.{self.q(b)} FROM {self.q(source)} AS m WHERE {matches})"
            for a, b in assignments.items()
        )
        named = self._named_by(source, on, where_source)
        condition = f" AND {where}" if where else ""
        return self.run(f"UPDATE {self.q(table)} AS t SET {sets} WHERE {named}{condition}", params)

    def delete(
        self, table: str, *, source: str, on: Mapping[str, str], where_source: str = ""
    ) -> int:
        named = self._named_by(source, on, where_source)
        return self.run(f"DELETE FROM {self.q(table)} AS t WHERE {named}")

    def _named_by(self, source: str, on: Mapping[str, str], where_source: str) -> str:
        """IN, never EXISTS or FROM: only this form looks each named row up by index."""
        columns = ", ".join(f"t.{self.q(a)}" for a in on)
        values = ", ".join(f"m.{self.q(b)}" for b in on.values())
        condition = f" WHERE {where_source}" if where_source else ""
        return f"({columns}) IN (SELECT {values} FROM {self.q(source)} AS m{condition})"

    def lock_rows(self, table: Table, source: str, on: Mapping[str, str]) -> None:
        """Nothing to do: see `is_alone_in_batch`."""

    def own_writes(self) -> Any:
        return self.connection.connection.total_changes

    def others_commits(self, own: int = 0) -> Any:
        return self.value("PRAGMA data_version")

    def is_passing(self, error: DatabaseError) -> bool:
        return isinstance(error, OperationalError) and "locked" in str(error)

    @contextmanager
    def run_lock(self, name: str) -> Iterator[bool]:
        """A lock file of its own: the operating system frees it when the process dies."""
        database = str(self.connection.settings_dict["NAME"])
        if cast("Any", self.connection).is_in_memory_db():
            yield True
            return
        number = crc32(f"{Path(database).resolve()} {name}".encode())
        path = Path(gettempdir()) / f"dedupe_toolkit-{number}.lock"
        lock = sqlite3.connect(path, timeout=0)
        try:
            # if exclusive, two that begin at once may both be refused, each for the other reads
            lock.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            lock.close()
            yield False
            return
        try:
            yield True
        finally:
            # some systems delete no open file; then it stays, empty, for the next run
            with suppress(OSError):
                path.unlink()
            lock.close()

    def index_columns(self, tables: Sequence[str]) -> list[tuple[str, str, str]]:
        listed = _INDEXES.format(tables=", ".join(["%s"] * len(tables)))
        return [row[:3] for row in self.fetch(listed, [*tables, *tables])]


def _element(sql: str) -> str:
    """One element of an image. SQLite's columns hold any type, so each value says its own.

    JSON keeps 15 digits of a float, and takes no bytes at all.
    """
    return (
        f"CASE typeof({sql}) WHEN 'real' THEN json_object('real', dedupe_float_text({sql}))"
        f" WHEN 'blob' THEN json_object('blob', hex({sql})) ELSE {sql} END"
    )
