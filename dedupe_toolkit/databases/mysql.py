"""MariaDB and MySQL: multi-table UPDATE and DELETE, and no DDL after a work table's CREATE."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.db.models import Count, UUIDField

from .base import Database, Numbered, json_path
from .tables import Column, DatabaseKey, Table, pk_fields

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from django.db.models import Model
    from django.db.utils import DatabaseError

_COLUMNS = """
SELECT table_name, column_name, column_type, character_set_name, collation_name,
       is_nullable = 'YES', data_type,
       generation_expression IS NOT NULL AND generation_expression <> ''
FROM information_schema.columns
WHERE table_schema = DATABASE() AND table_name IN ({tables})
ORDER BY table_name, ordinal_position
"""
_INTEGERS = ("tinyint", "smallint", "mediumint", "int", "bigint")
_BINARIES = ("binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "bit")

# lock wait timeout, deadlock
_PASSING = (1205, 1213)
# what a trigger says with SIGNAL
_SIGNAL = 1644
_FOREIGN_KEYS = """
SELECT table_name, column_name, referenced_column_name
FROM information_schema.key_column_usage
WHERE table_schema = DATABASE() AND referenced_table_schema = DATABASE()
  AND referenced_table_name = %s
ORDER BY 1, 2
"""
_INDEXES = """
SELECT table_name, index_name, COALESCE(column_name, '')
FROM information_schema.statistics
WHERE table_schema = DATABASE() AND table_name IN ({tables}) AND index_type IN ('BTREE', 'HASH')
ORDER BY table_name, index_name, seq_in_index
"""
# every session may read these; rows written to internal temporary tables are counted elsewhere
_WRITES = ("Handler_write", "Handler_update", "Handler_delete", "Com_truncate")
_COMMITS, _AT_WORK = "Handler_commit", "Threads_running"
_JSON_TABLE = (10, 6)
_NO_LIMIT = 2**64 - 1
_LONG_TEXTS = ("tinytext", "text", "mediumtext", "longtext")


class MySQL(Database):
    join = "STRAIGHT_JOIN"
    cuts_lists = True

    @staticmethod
    def count_of_rows(model: type[Model]) -> Count:
        # sorts the rows; COUNT(*) looks each group up in a temporary table, 7 to 11 times slower
        is_composite = len(pk_fields(model)) > 1
        return Count("*") if is_composite else Count("pk", distinct=True)

    def columns(self, tables: Sequence[str]) -> dict[str, list[Column]]:
        found: dict[str, list[Column]] = {table: [] for table in tables}
        sql = _COLUMNS.format(tables=", ".join(["%s"] * len(tables)))
        for table, name, kind, charset, collation, is_nullable, base, is_generated in self.fetch(
            sql, tables
        ):
            column = Column(
                name=name,
                definition=f"{kind} CHARACTER SET {charset} COLLATE {collation}"
                if collation
                else kind,
                is_text=collation is not None,
                is_binary=base in _BINARIES,
                is_integer=base in _INTEGERS,
                is_nullable=bool(is_nullable),
                is_generated=bool(is_generated),
            )
            found[table].append(column)
        return found

    @property
    def unpacks(self) -> bool:
        server: Any = self.connection
        return bool(server.mysql_is_mariadb and server.mysql_version >= _JSON_TABLE)

    def unpacked(self, keys: str, column: Column) -> str:
        return f"JSON_TABLE({keys}, '$[*]' COLUMNS (value {column.definition} PATH '$'))"

    def foreign_keys_to(self, table: str) -> list[DatabaseKey]:
        return [
            DatabaseKey(table=holder, column=column, target_column=target)
            for holder, column, target in self.fetch(_FOREIGN_KEYS, [table])
        ]

    def insert_numbered(self, insert: str, table: str, params: Sequence[Any]) -> Numbered:
        rows = self.run(insert, params)
        # LAST_INSERT_ID() is the key of the first row of an INSERT, in spite of its name
        keys = f"SELECT LAST_INSERT_ID(), MAX(id) FROM {self.q(table)}"
        ((first, last),) = self.fetch(keys)
        return Numbered(rows=rows, first=first, last=last)

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
        parts += [f"KEY ({self.q(index)})" for index in indexes]
        # named, as a rollback must take back what a batch did to it
        self.run(f"CREATE TEMPORARY TABLE {self.q(name)} ({', '.join(parts)}) ENGINE=InnoDB")

    def drop_work_table(self, name: str) -> None:
        self.run(f"DROP TEMPORARY TABLE IF EXISTS {self.q(name)}")

    def text_like(self, column: Column) -> str:
        # a key over 255 characters cannot be a primary key here, so nothing is cut off
        _, charset, collation = column.definition.partition(" CHARACTER SET")
        return f"varchar(255){charset}{collation}"

    def image(self, columns: Sequence[tuple[Column, str]]) -> str:
        if all(column.is_integer for column, _ in columns):
            # digits need no escaping
            digits = (f"COALESCE(CONCAT('\"', {sql}, '\"'), 'null')" for _, sql in columns)
            return "CONCAT('[', " + ", ', ', ".join(digits) + ", ']')"
        return f"JSON_ARRAY({', '.join(_exact(column, sql) for column, sql in columns)})"

    image_type = "longtext"

    def from_image(self, image: str, position: int, column: Column) -> str:
        value = f"JSON_VALUE({image}, '$[{position}]')"
        return _typed(value, column)

    def key_text(self, columns: Sequence[tuple[Column, str]]) -> str:
        if len(columns) == 1:
            return _exact(*columns[0])
        return self.image(columns)

    def from_key_text(self, text: str, position: int, columns: Sequence[Column]) -> str:
        column = columns[position]
        key = _typed(text, column) if len(columns) == 1 else self.from_image(text, position, column)
        # compares as the column does
        return self.as_text(key, column.definition)

    def as_python_text(self, sql: str, field: Any) -> str:
        if isinstance(field, UUIDField) and not self.connection.features.has_native_uuid_field:
            cuts = [(1, 8), (9, 4), (13, 4), (17, 4), (21, 12)]
            parts = ", ".join(f"SUBSTR({sql}, {start}, {size})" for start, size in cuts)
            return f"CONCAT_WS('-', {parts})"
        return f"CAST({sql} AS CHAR)"

    def same(self, left: str, right: str, column: Column) -> str:
        # as bytes: collations call 'Ann' and 'ann ' equal
        return f"CAST({left} AS BINARY) <=> CAST({right} AS BINARY)"

    def same_text(self, left: str, right: str) -> str:
        return f"CAST({left} AS BINARY) = CAST({right} AS BINARY)"

    def join_texts(self, rows: str, keys: str, separator: str) -> str:
        joined = f"GROUP_CONCAT(y.value ORDER BY y.place SEPARATOR '{separator}')"
        return f"SELECT {keys}, {joined} AS value FROM {rows} GROUP BY {keys}"

    def json_text(self, sql: str, path: Sequence[str]) -> str:
        return f"JSON_UNQUOTE(JSON_EXTRACT({sql}, {json_path(path)}))"

    def json_replaced(self, sql: str, path: Sequence[str], text: str) -> str:
        at = json_path(path)
        return (
            f"CASE JSON_TYPE(JSON_EXTRACT({sql}, {at})) WHEN 'INTEGER'"
            f" THEN JSON_SET({sql}, {at}, CAST({text} AS SIGNED))"
            f" ELSE JSON_SET({sql}, {at}, {text}) END"
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
        sets = ", ".join(f"t.{self.q(a)} = m.{self.q(b)}" for a, b in assignments.items())
        conditions = [condition for condition in (where, where_source) if condition]
        filtered = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        return self.run(
            f"UPDATE {self.q(source)} AS m STRAIGHT_JOIN {self.q(table)} AS t ON {self.matches(on)}"
            f" SET {sets}{filtered}",
            params,
        )

    def delete(
        self, table: str, *, source: str, on: Mapping[str, str], where_source: str = ""
    ) -> int:
        condition = f" WHERE {where_source}" if where_source else ""
        return self.run(
            f"DELETE t FROM {self.q(source)} AS m STRAIGHT_JOIN {self.q(table)} AS t"
            f" ON {self.matches(on)}{condition}"
        )

    def lock_rows(self, table: Table, source: str, on: Mapping[str, str]) -> None:
        # in the order of the key, so that two merges cannot wait for each other: rows are locked
        # as they are read, and MariaDB would read the keys by any index that has them all. The
        # limit keeps a subquery's order
        keys = ", ".join(map(self.q, on.values()))
        self.run(
            f"SELECT COUNT(*) FROM (SELECT DISTINCT {keys} FROM {self.q(source)}"
            f" ORDER BY {keys} LIMIT {_NO_LIMIT}) AS m"
            f" STRAIGHT_JOIN {self.q(table.name)} AS t ON {self.matches(on)} FOR UPDATE"
        )

    def begin_batch(self) -> None:
        self.run("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")

    @contextmanager
    def broken_foreign_keys(self) -> Iterator[None]:
        # InnoDB checks row by row; switched off for the statements that need it only
        self.run("SET SESSION foreign_key_checks = 0")
        try:
            yield
        finally:
            self.run("SET SESSION foreign_key_checks = 1")

    def is_passing(self, error: DatabaseError) -> bool:
        return bool(error.args) and error.args[0] in _PASSING

    def blames_rows(self, error: DatabaseError) -> bool:
        return super().blames_rows(error) or (bool(error.args) and error.args[0] == _SIGNAL)

    def own_writes(self) -> Any:
        return self._counted("SESSION", _WRITES)

    def others_commits(self, own: int = 0) -> Any:
        # a commit is counted a moment after others can see it, while its session is still at work
        everybody = self._counted("GLOBAL", (*_WRITES, _COMMITS, _AT_WORK))
        mine = self._counted("SESSION", (*_WRITES, _COMMITS))
        if everybody[_AT_WORK] != 1:
            return object()
        return {name: everybody[name] - count for name, count in mine.items()}

    def _counted(self, scope: str, names: Sequence[str]) -> dict[str, int]:
        places = ", ".join(["%s"] * len(names))
        rows = self.fetch(f"SHOW {scope} STATUS WHERE Variable_name IN ({places})", names)
        return {name: int(count) for name, count in rows}

    @contextmanager
    def run_lock(self, name: str) -> Iterator[bool]:
        # locks are server-wide, so the database's name is part of theirs; 64 characters at most
        full = f"SHA1(CONCAT('dedupe_toolkit', DATABASE(), '{name}'))"
        taken = bool(self.value(f"SELECT GET_LOCK({full}, 0)"))
        try:
            yield taken
        finally:
            if taken:
                self.run(f"DO RELEASE_LOCK({full})")

    def index_columns(self, tables: Sequence[str]) -> list[tuple[str, str, str]]:
        return self.fetch(_INDEXES.format(tables=", ".join(["%s"] * len(tables))), tables)

    def as_text(self, sql: str, definition: str) -> str:
        # columns of different collations compare with an error
        _, _, declared = definition.partition(" CHARACTER SET ")
        charset, collate, collation = declared.partition(" COLLATE ")
        return f"CONVERT({sql} USING {charset}){collate}{collation}" if charset else sql

    def index_part(self, column: Column) -> str:
        is_long = column.definition.startswith(_LONG_TEXTS)
        # long texts are indexed by their beginning only, and a key fits into that
        return f"{self.q(column.name)}(64)" if is_long else self.q(column.name)


def _exact(column: Column, sql: str) -> str:
    return f"HEX({sql})" if column.is_binary else f"CAST({sql} AS CHAR)"


def _typed(text: str, column: Column) -> str:
    """Text as a value that compares with the column by its index, not as floating point."""
    if column.is_binary:
        return f"UNHEX({text})"
    if column.is_integer:
        signed = "UNSIGNED" if "unsigned" in column.definition else "SIGNED"
        return f"CAST({text} AS {signed})"
    return text
