"""PostgreSQL: joins in UPDATE and DELETE, and a text form of every type that reads back exact."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from zlib import crc32

from django.db import transaction

from .base import Database, Numbered
from .tables import Column, DatabaseKey, Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from django.db.utils import DatabaseError

_COLUMNS = """
SELECT w.name, a.attname, format_type(a.atttypid, a.atttypmod), t.typcategory = 'S',
       a.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype), NOT a.attnotnull,
       a.attgenerated <> '' OR a.attidentity = 'a',
       CASE WHEN a.attcollation <> t.typcollation THEN quote_ident(n.nspname) || '.' ||
       quote_ident(c.collname) END
FROM (VALUES {tables}) AS w (name, number)
JOIN pg_attribute a ON a.attrelid = w.number AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_collation c ON c.oid = a.attcollation
LEFT JOIN pg_namespace n ON n.oid = c.collnamespace
ORDER BY w.name, a.attnum
"""

# what a trigger says with RAISE EXCEPTION
_RAISE_EXCEPTION = "P0001"
# serialization failure, deadlock, lock not available
_PASSING = ("40001", "40P01", "55P03")
_FOREIGN_KEYS = """
SELECT c.conrelid::regclass::text, a.attname, t.attname
FROM pg_constraint c
JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
JOIN pg_attribute t ON t.attrelid = c.confrelid AND t.attnum = c.confkey[1]
WHERE c.contype = 'f' AND c.confrelid = %s::regclass
ORDER BY 1, 2
"""
# the number of this transaction, the lowest under way, and the one above the last that ended
_TRANSACTIONS = """
SELECT pg_current_xact_id()::text::bigint, pg_snapshot_xmin(s)::text::bigint,
       pg_snapshot_xmax(s)::text::bigint
FROM pg_current_snapshot() s
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


def _path(path: Sequence[str]) -> str:
    return "ARRAY[" + ", ".join("'" + name.replace("'", "''") + "'" for name in path) + "]"


class PostgreSQL(Database):
    def columns(self, tables: Sequence[str]) -> dict[str, list[Column]]:
        found: dict[str, list[Column]] = {table: [] for table in tables}
        for table, name, kind, *facts, collation in self._fetch_of(_COLUMNS, tables):
            is_text, is_integer, is_nullable, is_generated = facts
            column = Column(
                name=name,
                definition=f"{kind} COLLATE {collation}" if collation else kind,
                is_text=is_text,
                is_integer=is_integer,
                is_nullable=is_nullable,
                is_generated=is_generated,
            )
            found[table].append(column)
        return found

    def _fetch_of(self, sql: str, tables: Sequence[str]) -> list[tuple[Any, ...]]:
        """The rows of a query over ``{tables}``: names, and their numbers in the catalogue."""
        listed = ", ".join(["(%s, %s::regclass)"] * len(tables))
        return self.fetch(sql.format(tables=listed), [n for t in tables for n in (t, self.q(t))])

    def foreign_keys_to(self, table: str) -> list[DatabaseKey]:
        return [
            DatabaseKey(table=holder, column=column, target_column=target)
            for holder, column, target in self.fetch(_FOREIGN_KEYS, [self.q(table)])
        ]

    def text_like(self, column: Column) -> str:
        # without the column's length: keys that it cannot hold are still in the mapping
        _, collate, collation = column.definition.partition(" COLLATE ")
        return f"text{collate}{collation}"

    def insert_numbered(self, insert: str, table: str, params: Sequence[Any]) -> Numbered:
        # a sequence may give each session keys in advance: a later one need not be a higher one
        counted = "SELECT COUNT(*), MIN(id), MAX(id) FROM n"
        ((rows, first, last),) = self.fetch(f"WITH n AS ({insert} RETURNING id) {counted}", params)
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
        self.run(f"CREATE TEMPORARY TABLE {self.q(name)} ({', '.join(parts)})")

    def drop_work_table(self, name: str) -> None:
        self.run(f"DROP TABLE IF EXISTS pg_temp.{self.q(name)}")

    def settle(self, name: str, indexes: Sequence[str] = ()) -> None:
        for index in indexes:
            self.run(f"CREATE INDEX ON {self.q(name)} ({self.q(index)})")
        # autovacuum never visits temporary tables
        self.run(f"ANALYZE {self.q(name)}")

    def unpacked(self, keys: str, column: Column) -> str:
        return f"LATERAL (SELECT unnest({keys}) AS value)"

    @contextmanager
    def hashing_groups(self) -> Iterator[None]:
        # It fears for its memory where every group has a list, but hashing spills to disk as well.
        # What sorts all the same then costs so much on paper that it would compile the query.
        before = self.fetch("SELECT current_setting('enable_sort'), current_setting('jit')")[0]
        change = "SELECT set_config('enable_sort', %s, true), set_config('jit', %s, true)"
        # no savepoint: what writes in one takes a number of its own, see `others_commits`
        with transaction.atomic(using=self.using, savepoint=False):
            self.fetch(change, ["off", "off"])
            yield
            self.fetch(change, before)

    def image(self, columns: Sequence[tuple[Column, str]]) -> str:
        if all(column.is_integer for column, _ in columns):
            # digits need no escaping
            digits = (f"COALESCE('\"' || ({sql}) || '\"', 'null')" for _, sql in columns)
            return "('[' || " + " || ',' || ".join(digits) + " || ']')"
        values = ", ".join(f"({sql})::text" for _, sql in columns)
        return f"array_to_json(ARRAY[{values}]::text[])::text"

    def from_image(self, image: str, position: int, column: Column) -> str:
        return f"({image}::json ->> {position})::{column.definition.split(' COLLATE ')[0]}"

    def key_text(self, columns: Sequence[tuple[Column, str]]) -> str:
        if len(columns) == 1:
            return f"({columns[0][1]})::text"
        return self.image(columns)

    def from_key_text(self, text: str, position: int, columns: Sequence[Column]) -> str:
        if len(columns) == 1:
            return f"({text})::{columns[0].definition.split(' COLLATE ')[0]}"
        return self.from_image(text, position, columns[position])

    def as_python_text(self, sql: str, field: Any) -> str:
        return f"({sql})::text"

    def alike_if_equal(self, column: Column) -> bool:
        # a collation that is named may call equal what differs, and the type citext does
        is_plain = column.definition.startswith(("character", "text"))
        return not column.is_text or (is_plain and " COLLATE " not in column.definition)

    def same(self, left: str, right: str, column: Column) -> str:
        return f'({left})::text COLLATE "C" IS NOT DISTINCT FROM ({right})::text COLLATE "C"'

    def join_texts(self, rows: str, keys: str, separator: str) -> str:
        joined = f"string_agg(y.value, '{separator}' ORDER BY y.place)"
        return f"SELECT {keys}, {joined} AS value FROM {rows} GROUP BY {keys}"

    def json_text(self, sql: str, path: Sequence[str]) -> str:
        return f"({sql} #>> {_path(path)})"

    def json_replaced(self, sql: str, path: Sequence[str], text: str) -> str:
        return (
            f"jsonb_set({sql}, {_path(path)}, CASE jsonb_typeof({sql} #> {_path(path)})"
            f" WHEN 'number' THEN to_jsonb({text}::numeric) ELSE to_jsonb({text}::text) END)"
        )

    def array_replaced(self, sql: str, source: str) -> str:
        return (
            "ARRAY(SELECT d.v FROM (SELECT COALESCE(a.survivor_0, u.e) AS v, MIN(u.o) AS o"
            f" FROM unnest({sql}) WITH ORDINALITY u(e, o)"
            f" LEFT JOIN {self.q(source)} a ON a.member_0 = u.e GROUP BY 1) d ORDER BY d.o)"
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
        sets = ", ".join(f"{self.q(a)} = m.{self.q(b)}" for a, b in assignments.items())
        conditions = [self.matches(on)]
        conditions += [condition for condition in (where, where_source) if condition]
        return self.run(
            f"UPDATE {self.q(table)} AS t SET {sets} FROM {self.q(source)} AS m"
            f" WHERE {' AND '.join(conditions)}",
            params,
        )

    def delete(
        self, table: str, *, source: str, on: Mapping[str, str], where_source: str = ""
    ) -> int:
        conditions = [self.matches(on)]
        conditions += [where_source] if where_source else []
        return self.run(
            f"DELETE FROM {self.q(table)} AS t USING {self.q(source)} AS m"
            f" WHERE {' AND '.join(conditions)}"
        )

    def lock_rows(self, table: Table, source: str, on: Mapping[str, str]) -> None:
        # in the order of the key, so that two merges cannot wait for each other
        order = ", ".join(self.qualified("t", [column.name for column in table.pk]))
        self.run(
            f"SELECT count(*) FROM (SELECT 1 FROM {self.q(source)} AS m"
            f" JOIN {self.q(table.name)} AS t ON {self.matches(on)}"
            f" ORDER BY {order} FOR UPDATE OF t) AS rows"
        )

    def begin_batch(self) -> None:
        self.run("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")

    def expect_few_rows(self) -> None:
        # the planner thinks of disks that seek, and would rather read a whole table, or all of an
        # index from end to end
        self.run("SET LOCAL random_page_cost = 1.1")
        self.run("SET LOCAL enable_mergejoin = off")

    def check_constraints_now(self) -> None:
        self.run("SET CONSTRAINTS ALL IMMEDIATE")
        # as Django does it: what follows in an outer transaction finds them as they were
        self.run("SET CONSTRAINTS ALL DEFERRED")

    @contextmanager
    def broken_foreign_keys(self) -> Iterator[None]:
        # an outer transaction may have made them immediate
        self.run("SET CONSTRAINTS ALL DEFERRED")
        yield

    def blames_rows(self, error: DatabaseError) -> bool:
        raised = getattr(error.__cause__, "sqlstate", None) == _RAISE_EXCEPTION
        return raised or super().blames_rows(error)

    def is_passing(self, error: DatabaseError) -> bool:
        return getattr(error.__cause__, "sqlstate", None) in _PASSING

    @contextmanager
    def planning(self) -> Iterator[None]:
        # one transaction, so that the plan takes one number of those that `others_commits` counts
        with transaction.atomic(using=self.using):
            yield

    def own_writes(self) -> Any:
        """The same for ever: `others_commits` counts them too."""

    def others_commits(self, own: int = 0) -> Any:
        # Every transaction that writes has a number. If ours is the lowest that is under way and
        # none above it has ended, and was so when the plan began, and the numbers between are
        # our own, then nobody else can have committed meanwhile. A transaction around this one
        # would have writes under the same number that are not the plan's nor the merge's.
        if len(self.connection.atomic_blocks) > 1 or not self.connection.commit_on_exit:
            return object()
        mine, lowest, next_to_end = self.fetch(_TRANSACTIONS)[0]
        return mine - own if mine == lowest == next_to_end else object()

    @contextmanager
    def run_lock(self, name: str) -> Iterator[bool]:
        number = crc32(f"dedupe_toolkit {name}".encode())
        taken = bool(self.value("SELECT pg_try_advisory_lock(%s)", [number]))
        try:
            yield taken
        finally:
            if taken:
                self.run("SELECT pg_advisory_unlock(%s)", [number])

    def index_columns(self, tables: Sequence[str]) -> list[tuple[str, str, str]]:
        return self._fetch_of(_INDEXES, tables)
