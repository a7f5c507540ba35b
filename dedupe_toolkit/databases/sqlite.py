"""SQLite: scalar subqueries where others join, and images that keep each value's storage class."""

from __future__ import annotations

import json
import sqlite3
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING, Any, cast
from zlib import crc32

from django.db.models import DecimalField, UUIDField
from django.db.utils import DatabaseError, Error, OperationalError

from .base import Database, Numbered, json_path
from .file_lock import file_lock, is_file_locked
from .identities import identities, sqlite_identity, sqlite_literal
from .names import ascii_lower, spelled
from .places import of_sqlite
from .scratch import PREFIX, Scratch
from .sqlite_checks import demands, free_of_unique_rules
from .sqlite_rules import rule_parts, written_rule
from .tables import Column, Table
from .trying import COPY, make_on_copy, taken_back

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models import Model, UniqueConstraint

    from .checks import Demand
    from .named_rows import NamedRows
    from .rules import LiveRule, RulePart

_REFUSALS = {
    sqlite3.SQLITE_BUSY: "another process is writing: OPTIONS['timeout'] is how many seconds it"
    " is waited for",
    sqlite3.SQLITE_CANTOPEN: "see NAME in DATABASES, and the rights on its folder",
    sqlite3.SQLITE_FULL: "free some space on its disk",
    sqlite3.SQLITE_NOTADB: "see NAME in DATABASES",
    sqlite3.SQLITE_READONLY: "the file, or its folder, must be writable for this user",
}
_in_memory: list[tuple[str, str]] = []
"""The locks held for databases in memory, which no other process sees."""
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
    f.on_delete NOT IN ('NO ACTION', 'RESTRICT'), f."from", COALESCE(f."to",
    (SELECT p.name FROM pragma_table_info(w.bare, w.schema) p WHERE p.pk = f.seq + 1))
FROM {master} s CROSS JOIN pragma_foreign_key_list(s.name, s.schema) f
CROSS JOIN w ON w.bare = lower(f."table") AND w.schema = lower(s.schema)
WHERE s.type = 'table'
ORDER BY 1, 2, 3, 4, f.seq
"""
_OWN_KEYS = """
SELECT w.name, f."table", w.schema, f.id, 'waits', 0, f."from", COALESCE(f."to",
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
_WRITTEN = """
SELECT x.type, x.sql FROM {master} x JOIN w ON w.schema = x.schema AND w.bare = lower(x.tbl_name)
WHERE x.type IN ('table', 'index') AND x.sql NOT LIKE 'CREATE UNIQUE %%'
ORDER BY x.type DESC
"""
_TRIGGERS = """
SELECT w.name, x.name
FROM {master} x JOIN w ON w.schema = x.schema AND w.bare = lower(x.tbl_name)
WHERE x.type = 'trigger' ORDER BY 1, 2
"""
_HALF = 2**32
# SQLite's functions take 127 at most, unless it was built otherwise
_ARGUMENTS = 100


class SQLite(Database):
    # CROSS JOIN is the documented way to keep SQLite from turning the join around and
    # scanning the large table: it has no statistics on temporary tables
    find_places = staticmethod(of_sqlite)
    join = "CROSS JOIN"
    # one writer at a time, so that every writer waits for a batch
    batch_seconds = 0.3
    batch_size = 50_000
    lock_timeout = 0.0  # that of the connection says how long its one lock is waited for
    # it begins by writing, and so holds the one lock for that
    is_alone_in_batch = True
    acts_row_by_row = True
    compares_by_column = True

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        super().__init__(connection)
        connection.ensure_connection()
        raw = connection.connection
        # SQLite's own text form of a float has 15 digits, and unhex() came with 3.41
        raw.create_function("dedupe_float_text", 1, float.hex, deterministic=True)
        raw.create_function("dedupe_text_float", 1, float.fromhex, deterministic=True)
        raw.create_function("dedupe_unhex", 1, bytes.fromhex, deterministic=True)

    @property
    def pause(self) -> float:
        # who waits for the lock looks for it every tenth of a second, and would find it taken again
        return 0.0 if cast("Any", self.connection).is_in_memory_db() else 0.15

    @staticmethod
    def fold_column(name: str) -> str:
        return ascii_lower(name)

    def columns(self, tables: Sequence[str]) -> dict[str, list[Column]]:
        found: dict[str, list[Column]] = {table: [] for table in tables}
        for table, name, kind, not_null, in_pk, hidden in self.fetch_of(_COLUMNS, tables):
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

    def rule_parts(self, tables: Sequence[str]) -> Iterable[RulePart]:
        return rule_parts(self, tables)

    def demands_of(self, tables: Sequence[str]) -> Iterable[tuple[str, Demand]]:
        return demands(self, tables)

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

    def insert_numbered(self, insert: str, table: str) -> Numbered:
        with self.connection.cursor() as cursor:
            cursor.execute(insert, [])
            # nobody else writes meanwhile, so the keys have no gap
            rows, last = int(cursor.rowcount), int(cursor.lastrowid)
        return Numbered(rows=rows, first=last - rows + 1, last=last)

    def make_work_table(
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

    def index_work_table(self, name: str, column: str) -> None:
        index = self.q(f"{name}_{column}")
        self.run(f"CREATE INDEX temp.{index} ON {self.q(name)} ({self.q(column)})")

    def try_rule(
        self, model: type[Model], constraint: UniqueConstraint, *, longest: Sequence[str] = ()
    ) -> LiveRule | None:
        with taken_back(self):
            rows = f"SELECT * FROM {self.q(model._meta.db_table)} LIMIT 0"
            self.run(f"CREATE TEMPORARY TABLE {COPY} AS {rows}")
            sql = make_on_copy(self, model, constraint)
            columns = [column.name for column in self.table(model).columns]
            return written_rule(COPY, constraint.name, columns, sql)

    def instead_of_rule(self, error: DatabaseError) -> str:
        if "non-deterministic" in str(error):
            return (
                "register its function with deterministic=True, or keep the result in a column"
                " and make that unique"
            )
        return ""

    def drop_work_table(self, name: str) -> None:
        self.run(f"DROP TABLE IF EXISTS temp.{self.q(name)}")

    def is_table_missing(self, error: DatabaseError) -> bool:
        return str(error).startswith("no such table")

    def unpacked(self, keys: str, column: Column) -> str:
        return f"json_each({keys})"

    def as_stored(self, column: Column, sql: str) -> str:
        is_real = column.definition.partition(" ")[0].lower() in ("real", "float", "double")
        return f"CAST({sql} AS REAL)" if is_real else sql

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
        real, blob, text = (f"'$[{position}].{kind}'" for kind in ("real", "blob", "text"))
        return (
            f"CASE WHEN json_type({image}, {at}) <> 'object' THEN json_extract({image}, {at})"
            f" WHEN json_type({image}, {real}) = 'text'"
            f" THEN dedupe_text_float(json_extract({image}, {real}))"
            f" WHEN json_type({image}, {text}) = 'text'"
            f" THEN CAST(dedupe_unhex(json_extract({image}, {text})) AS TEXT)"
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

    def blank(self, sql: str, column: Column) -> str:
        # LENGTH ends at a NUL character, and a collation may call blanks equal to nothing
        empty = f" OR CAST({sql} AS BLOB) = x''" if column.is_text else ""
        return f"({sql} IS NULL{empty})"

    def total(self, sql: str, column: Column, places: int | None) -> str:
        if column.is_integer:
            # SUM fails where it overflows, while two terms become a floating point number
            return f"(SUM({sql} / {_HALF}) * {_HALF} + SUM({sql} % {_HALF}))".replace("%", "%%")
        # decimals are floats here: 0.1 + 0.2 would be stored as what no look-up for 0.3 finds
        total = super().total(sql, column, places)
        return total if places is None else f"ROUND({total}, {places})"

    def exact(self, sql: str, column: Column) -> str:
        # quote() ends a text at its first NUL
        return f"(quote({sql}) || CASE typeof({sql}) WHEN 'text' THEN hex({sql}) ELSE '' END)"

    def fits(self, column: Column, field: Any) -> str:
        name = self.q(column.name)
        if column.is_integer:
            return f"typeof({name}) <> 'real'"
        if isinstance(field, DecimalField):
            # more digits than the field has cannot be read any more
            whole = 10 ** (field.max_digits - field.decimal_places)
            return f"ABS(ROUND({name}, {field.decimal_places})) < {whole}"
        return ""

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
        self, table: str, assigned: Mapping[str, str], rows: NamedRows, *, keep: Sequence[str] = ()
    ) -> int:
        # the left side's collation decides: that of the column, which may call more equal
        source = f"FROM {self.q(rows.source)} AS m WHERE {self.matches(rows)}"
        sets = ", ".join(
            f"{self.q(a)} = (SELECT m.{self.q(b)} {source})" for a, b in assigned.items()
        )
        return self.run(f"UPDATE {self.q(table)} AS t SET {sets} WHERE {self._are_named(rows)}")

    def delete(self, table: str, rows: NamedRows) -> int:
        return self.run(f"DELETE FROM {self.q(table)} AS t WHERE {self._are_named(rows)}")

    def _are_named(self, rows: NamedRows) -> str:
        """IN, never EXISTS or FROM: only this form looks each named row up by index."""
        columns = ", ".join(self.qualified("t", list(rows.on)))
        values = ", ".join(self.qualified("m", list(rows.on.values())))
        source = f"{self.q(rows.source)} AS m WHERE {rows.where_source or '1 = 1'}"
        return f"({columns}) IN (SELECT {values} FROM {source}) AND {rows.where or '1 = 1'}"

    def lock_rows(self, table: Table, rows: NamedRows, *, stay: str = "") -> None:
        """Nothing to do: see `is_alone_in_batch`."""

    refusals = _REFUSALS

    @staticmethod
    def code_of(error: Error) -> Any:
        # the first byte is what went wrong, the others how
        code = getattr(error.__cause__, "sqlite_errorcode", None)
        return None if code is None else code & 0xFF

    def is_transient(self, error: DatabaseError) -> bool:
        return isinstance(error, OperationalError) and "locked" in str(error)

    @contextmanager
    def broken_foreign_keys(self) -> Iterator[None]:
        # keys that are not Django's are checked by each statement; over with the transaction
        self.run("PRAGMA defer_foreign_keys = ON")
        yield

    @contextmanager
    def restoring(self) -> Iterator[None]:
        # what followed a key that moved goes back ahead of it
        with self.exactly(), self.broken_foreign_keys():
            yield

    @contextmanager
    def run_lock(self, name: str) -> Iterator[bool]:
        if cast("Any", self.connection).is_in_memory_db():
            _in_memory.append((self.using, name))
            try:
                yield True
            finally:
                _in_memory.remove((self.using, name))
            return
        with file_lock(self._lock_file(name)) as is_ours:
            yield is_ours

    def is_run_lock_held(self, name: str) -> bool:
        if cast("Any", self.connection).is_in_memory_db():
            return (self.using, name) in _in_memory
        return is_file_locked(self._lock_file(name))

    def _lock_file(self, name: str) -> Path:
        database = Path(str(self.connection.settings_dict["NAME"])).resolve()
        number = crc32(f"{database} {name}".encode())
        return Path(gettempdir()) / f"dedupe_toolkit-{number}.lock"

    @contextmanager
    def scratch_lock(self, name: str) -> Iterator[bool]:
        with file_lock(self._scratch_file(name, "lock")) as is_ours:
            yield is_ours

    def scratch_names(self) -> list[str]:
        file = self._scratch_file(f"{PREFIX}*")
        return [path.name.partition(".")[0] for path in file.parent.glob(file.name)]

    def create_scratch(self, name: str, model: type[Model]) -> Scratch:
        table, path = model._meta.db_table, self._scratch_file(name)
        statements = self.fetch_of(_WRITTEN, [table])
        other: Any = self.connection.copy()
        other.settings_dict["NAME"] = str(path)
        try:
            with other.cursor() as cursor:
                # the mode stays with the file
                cursor.execute(f"PRAGMA journal_mode = {self.value('PRAGMA journal_mode')}")
                for kind, sql in statements:
                    cursor.execute(free_of_unique_rules(sql) if kind == "table" else sql)
        finally:
            other.close()
        return Scratch(name=name, table=table, database=str(path))

    def drop_scratch(self, name: str) -> None:
        for ending in ("sqlite3", "sqlite3-wal", "sqlite3-shm", "sqlite3-journal"):
            with suppress(OSError):
                self._scratch_file(name, ending).unlink()

    def _scratch_file(self, name: str, ending: str = "sqlite3") -> Path:
        # by the database that it is of: many have their scratch files in this folder
        number = crc32(str(Path(str(self.connection.settings_dict["NAME"])).resolve()).encode())
        return Path(gettempdir()) / f"{name}.{number}.{ending}"

    def index_columns(self, tables: Sequence[str]) -> list[tuple[str, str, str]]:
        return [row[:3] for row in self.fetch_of(_INDEXES, tables)]


def _element(sql: str) -> str:
    """One element of an image. SQLite's columns hold any type, so each value says its own.

    JSON keeps 15 digits of a float, takes no bytes at all, and a text is read to its first NUL.
    """
    return (
        f"CASE WHEN typeof({sql}) = 'real' THEN json_object('real', dedupe_float_text({sql}))"
        f" WHEN typeof({sql}) = 'blob' THEN json_object('blob', hex({sql}))"
        f" WHEN typeof({sql}) = 'text' AND instr({sql}, char(0)) > 0"
        f" THEN json_object('text', hex({sql})) ELSE {sql} END"
    )
