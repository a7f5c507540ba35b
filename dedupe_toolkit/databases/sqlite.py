"""SQLite: scalar subqueries where others join, and images that keep each value's storage class."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from datetime import date, time
from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING, Any, cast
from zlib import crc32

from .base import Database, Numbered
from .file_lock import file_lock
from .places import of_sqlite
from .scratch import PREFIX, Scratch
from .sqlite_catalogue import SQLiteCatalogue
from .sqlite_checks import free_of_unique_rules
from .sqlite_expressions import SQLiteExpressions
from .sqlite_rules import written_rule
from .sqlite_sessions import SQLiteSessions
from .trying import COPY, make_on_copy, taken_back

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models import Model, UniqueConstraint
    from django.db.utils import DatabaseError

    from .named_rows import NamedRows
    from .rules import LiveRule
    from .tables import Column, Table

_READ = (date, time)  # a datetime is a date
_WRITTEN = """
SELECT x.type, x.sql FROM {master} x JOIN w ON w.schema = x.schema AND w.bare = lower(x.tbl_name)
WHERE x.type IN ('table', 'index') AND x.sql NOT LIKE 'CREATE UNIQUE %%'
ORDER BY x.type DESC
"""


class SQLite(SQLiteCatalogue, SQLiteExpressions, SQLiteSessions, Database):
    # CROSS JOIN is the documented way to keep SQLite from turning the join around and
    # scanning the large table: it has no statistics on temporary tables
    find_places = staticmethod(of_sqlite)
    join = "CROSS JOIN"
    # one writer at a time, so that every writer waits for a batch
    batch_seconds = 0.3
    batch_size = 50_000
    lock_timeout = 0.0  # that of the connection says how long its one lock is waited for
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
        # the shortest text of a float that is read as the same again: what people would write
        raw.create_function("dedupe_real_text", 1, repr, deterministic=True)
        raw.create_function("dedupe_text_real", 1, float, deterministic=True)

    def run(self, sql: str, params: Sequence[Any] = ()) -> int:
        # what the driver reads as a moment by the type of its column, it takes as a text only
        return super().run(sql, [str(one) if isinstance(one, _READ) else one for one in params])

    @property
    def pause(self) -> float:
        # who waits for the lock looks for it every tenth of a second, and would find it taken again
        return 0.0 if cast("Any", self.connection).is_in_memory_db() else 0.15

    def insert_numbered(self, insert: str, table: str) -> Numbered:
        with self.connection.cursor() as cursor:
            cursor.execute(insert, [])
            # nobody else writes meanwhile, so the keys have no gap
            rows, last = int(cursor.rowcount), int(cursor.lastrowid)
        return Numbered(rows=rows, first=last - rows + 1, last=last)

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
