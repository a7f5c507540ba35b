"""PostgreSQL: joins in UPDATE and DELETE, and a text form of every type that reads back exact."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from math import ceil
from typing import TYPE_CHECKING, Any
from zlib import crc32

from django.db import IntegrityError, transaction

from .base import Database, Numbered
from .fitting import fitting, widened
from .names import spelled
from .places import of_postgresql
from .postgresql_checks import demands
from .postgresql_lock import IS_HELD, SESSION_ADVICE, advisory_lock, is_direct
from .postgresql_rules import rule_parts
from .rules import assembled
from .scratch import Scratch
from .tables import Column, Table
from .trying import COPY, make_on_copy, taken_back

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from django.db.models import Model, UniqueConstraint
    from django.db.utils import DatabaseError, Error

    from .checks import Demand
    from .named_rows import NamedRows
    from .rules import LiveRule, RulePart

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

# a primary that had nothing to do has sent nothing: what it sent last is old, and no lag
_LAG = """
SELECT CASE WHEN pg_last_wal_replay_lsn() >= %s::pg_lsn THEN 0
       ELSE GREATEST(extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()), 0)
       END::float
"""
_EXACT = {
    "datestyle": "ISO, YMD",
    "intervalstyle": "postgres",
    "extra_float_digits": "1",
    "lc_monetary": "C",
}
_WAITED_FOR = """
SELECT EXISTS (SELECT FROM pg_locks w
               WHERE NOT w.granted AND pg_backend_pid() = ANY (pg_blocking_pids(w.pid)))
"""
_UNDEFINED_TABLE = "42P01"
# serialization failure, deadlock, lock not available
_PASSING = ("40001", "40P01", "55P03")
_REFUSALS = {
    "25006": "it is read only: name the alias of the primary with --database, or see its"
    " default_transaction_read_only",
    "42501": "grant the database user this right: TEMPORARY on the database for work tables,"
    " SELECT, INSERT, UPDATE and DELETE on the tables",
    "53100": "free some space on its disk",
    "55P03": "another session holds these rows: lock_timeout is how long a lock is awaited",
    "57014": "statement_timeout is how long a statement may take: raise it for this session",
    "57P01": "the server has closed the connection",
}
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
       c.confdeltype NOT IN ('a', 'r'), a.attname, t.attname
FROM kin k
JOIN pg_constraint c ON c.contype = 'f' AND c.confrelid = k.number
JOIN pg_class r ON r.oid = c.conrelid AND r.relkind <> 'p'
JOIN pg_namespace n ON n.oid = r.relnamespace
CROSS JOIN generate_subscripts(c.conkey, 1) AS s (place)
JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[s.place]
JOIN pg_attribute t ON t.attrelid = c.confrelid AND t.attnum = c.confkey[s.place]
ORDER BY 1, 2, 3, c.conkey, c.oid, s.place
"""
# the number of this transaction, the lowest under way, and the one above the last that ended
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
# an index takes 2704 bytes of a row, after compressing them; so many rows show whether it does
_SHORT, _LONGEST = 2_000, 100
_INSTEAD = {
    "42P17": "its result depends on the server's settings; let the key call an IMMUTABLE function"
    " of your own that fixes them, by a transform that you register, or keep the result in a"
    " column and make that unique",
    "42704": "values of this type cannot be told apart by an index; keep what tells them apart in a"
    " column and make that unique",
    "54000": "keep a hash of it in a column (a GeneratedField with MD5, say) and make that unique",
}

# a copied default would count up the sequence of the table itself
_COPIED = """
SELECT format('DROP CONSTRAINT %%I', conname) FROM pg_constraint
WHERE conrelid = to_regclass(%s) AND contype IN ('u', 'x')
UNION ALL
SELECT format('ALTER COLUMN %%I DROP DEFAULT', a.attname)
FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
WHERE d.adrelid = to_regclass(%s) AND pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%%'
UNION ALL
SELECT format('ALTER COLUMN %%I ADD GENERATED BY DEFAULT AS IDENTITY', a.attname)
FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
WHERE d.adrelid = to_regclass(%s) AND pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%%'
"""
_COPIED_INDEXES = """
SELECT indexrelid::regclass FROM pg_index
WHERE indrelid = to_regclass(%s) AND indisunique AND NOT indisprimary
"""


def _lock_number(name: str) -> int:
    return crc32(f"dedupe_toolkit {name}".encode())


def _path(path: Sequence[str]) -> str:
    return "ARRAY[" + ", ".join("'" + name.replace("'", "''") + "'" for name in path) + "]"


class PostgreSQL(Database):
    find_places = staticmethod(of_postgresql)

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

    def rule_parts(self, tables: Sequence[str]) -> Iterable[RulePart]:
        return rule_parts(self, tables)

    def demands_of(self, tables: Sequence[str]) -> Iterable[tuple[str, Demand]]:
        return demands(self, tables)

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

    def text_like(self, column: Column) -> str:
        # without the column's length: keys that it cannot hold are still in the mapping
        _, collate, collation = column.definition.partition(" COLLATE ")
        return f"text{collate}{collation}"

    def insert_numbered(self, insert: str, table: str) -> Numbered:
        # a sequence may give each session keys in advance: a later one need not be a higher one
        counted = "SELECT COUNT(*), MIN(id), MAX(id) FROM dedupe_inserted"
        sql = f"WITH dedupe_inserted AS ({insert} RETURNING id) {counted}"
        ((rows, first, last),) = self.fetch(sql)
        return Numbered(rows=rows, first=first, last=last)

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

    def try_rule(
        self, model: type[Model], constraint: UniqueConstraint, *, longest: Sequence[str] = ()
    ) -> LiveRule | None:
        with taken_back(self):
            like = f"(LIKE {self.q(model._meta.db_table)} INCLUDING GENERATED)"
            self.run(f"CREATE TEMPORARY TABLE {COPY} {like}")
            make_on_copy(self, model, constraint)
            rule = assembled(self.rule_parts([COPY]))[0]
            if longest:
                self._copy_longest(model, longest)
            return rule

    def _copy_longest(self, model: type[Model], columns: Sequence[str]) -> None:
        table = self.table(model)
        stored = ", ".join(self.q(column.name) for column in table.stored)
        # what a column's type bounds to less fits into any index
        size = " + ".join(f"COALESCE(octet_length({self.q(name)}::text), 0)" for name in columns)
        with suppress(IntegrityError):  # duplicates are another question
            self.run(
                f"INSERT INTO {COPY} ({stored}) OVERRIDING SYSTEM VALUE SELECT {stored}"
                f" FROM {self.q(table.name)} WHERE {size} > {_SHORT} ORDER BY {size} DESC"
                f" LIMIT {_LONGEST}"
            )

    def instead_of_rule(self, error: DatabaseError) -> str:
        return _INSTEAD.get(getattr(error.__cause__, "sqlstate", ""), "")

    def empty_work_table(self, name: str) -> None:
        # what is deleted takes its place until a vacuum: the planner, which goes by the size of a
        # table, would soon expect many times the rows that a batch has, and read whole tables
        self.run(f"TRUNCATE {self.q(name)}")

    def drop_work_table(self, name: str) -> None:
        self.run(f"DROP TABLE IF EXISTS pg_temp.{self.q(name)}")

    def is_table_missing(self, error: DatabaseError) -> bool:
        return bool(self.code_of(error) == _UNDEFINED_TABLE)

    def session_advice(self) -> str:
        return "" if is_direct(self.connection) else SESSION_ADVICE

    def index_work_table(self, name: str, column: str) -> None:
        self.run(f"CREATE INDEX ON {self.q(name)} ({self.q(column)})")

    def tell_planner(self, name: str) -> None:
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
        with transaction.atomic(using=self.using, savepoint=False):
            self.fetch(change, ["off", "off"])
            yield
            self.fetch(change, before)

    def fits(self, column: Column, field: Any) -> str:
        return fitting(self.q(column.name), column.undemanding)

    def wide(self, column: Column) -> str:
        return widened(column.undemanding, text="text", number="numeric")

    def as_stored(self, column: Column, sql: str) -> str:
        is_decimal = column.undemanding.startswith("numeric(")
        return f"CAST({sql} AS {column.undemanding})" if is_decimal else sql

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

    def exact(self, sql: str, column: Column) -> str:
        return f'({sql})::text COLLATE "C"'

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
        self, table: str, assigned: Mapping[str, str], rows: NamedRows, *, keep: Sequence[str] = ()
    ) -> int:
        sets = ", ".join(f"{self.q(a)} = m.{self.q(b)}" for a, b in assigned.items())
        conditions = " AND ".join([self.matches(rows), *rows.conditions])
        return self.run(
            f"UPDATE {self.q(table)} AS t SET {sets} FROM {self.q(rows.source)} AS m"
            f" WHERE {conditions}"
        )

    def delete(self, table: str, rows: NamedRows) -> int:
        conditions = " AND ".join([self.matches(rows), *rows.conditions])
        return self.run(
            f"DELETE FROM {self.q(table)} AS t USING {self.q(rows.source)} AS m WHERE {conditions}"
        )

    def lock_rows(self, table: Table, rows: NamedRows, *, stay: str = "") -> None:
        # in the order of the key, so that two merges cannot wait for each other: even those whose
        # keys go are locked among all the others first
        order = ", ".join(self.qualified("t", [column.name for column in table.pk]))
        steps = [("NO KEY UPDATE", ""), ("UPDATE", f"WHERE NOT ({stay})")]
        locks = [
            f"(SELECT count(*) FROM (SELECT 1 FROM {self.q(rows.source)} AS m"
            f" JOIN {self.q(table.name)} AS t ON {self.matches(rows)} {condition}"
            f" ORDER BY {order} FOR {strength} OF t) AS rows)"
            for strength, condition in (steps if stay else [("UPDATE", "")])
        ]
        self.run(f"SELECT {', '.join(locks)}")

    overriding = "OVERRIDING SYSTEM VALUE"

    @contextmanager
    def exactly(self, *, patience: float = 0) -> Iterator[None]:
        # texts of values depend on these, and journals are read by other sessions
        settings = dict(_EXACT)
        if patience:
            settings["lock_timeout"] = str(ceil(patience * 1000))
        names = ", ".join(f"current_setting('{name}')" for name in settings)
        before = self.fetch(f"SELECT {names}")[0] if self._is_within else ()
        change = ", ".join(f"set_config('{name}', %s, true)" for name in settings)
        self.fetch(f"SELECT {change}", list(settings.values()))
        yield
        if before:
            self.fetch(f"SELECT {change}", before)

    @property
    def _is_within(self) -> bool:
        """Whether what is set for a transaction would outlast ours: it is part of another."""
        return bool(self.connection.savepoint_ids)

    @contextmanager
    def restoring(self) -> Iterator[None]:
        # what followed a key that moved goes back ahead of it
        with self.exactly(), self.broken_foreign_keys():
            yield

    def begin_batch(self) -> None:
        self.run("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")

    def is_waited_for(self) -> bool:
        return bool(self.value(_WAITED_FOR))

    def expect_few_rows(self) -> None:
        # the planner thinks of disks that seek, and would rather read a whole table, or all of an
        # index from end to end
        self.run("SET LOCAL random_page_cost = 1.1")
        self.run("SET LOCAL enable_mergejoin = off")

    checks_foreign_keys = True

    def check_constraints_now(self) -> None:
        self.run("SET CONSTRAINTS ALL IMMEDIATE")
        if self._is_within:
            # as Django does it: what follows finds them as they were
            self.run("SET CONSTRAINTS ALL DEFERRED")

    @contextmanager
    def broken_foreign_keys(self) -> Iterator[None]:
        # an outer transaction may have made them immediate
        self.run("SET CONSTRAINTS ALL DEFERRED")
        yield

    def is_caused_by_rows(self, error: DatabaseError) -> bool:
        # what goes wrong in a trigger can be of any kind, as can what it raises; it has a context
        context = getattr(getattr(error.__cause__, "diag", None), "context", None)
        return bool(context and not self.is_transient(error)) or super().is_caused_by_rows(error)

    refusals = _REFUSALS
    lock_waits = ("55P03",)
    collisions = ("23505", "23P01")  # of unique rules and of exclusion constraints

    @staticmethod
    def code_of(error: Error) -> Any:
        return getattr(error.__cause__, "sqlstate", None)

    def is_transient(self, error: DatabaseError) -> bool:
        return getattr(error.__cause__, "sqlstate", None) in _PASSING

    @contextmanager
    def planning(self) -> Iterator[None]:
        # or each work table is a commit of its own, which waits for the disk
        with transaction.atomic(using=self.using):
            yield

    @contextmanager
    def run_lock(self, name: str) -> Iterator[bool]:
        with advisory_lock(self.connection, _lock_number(name)) as is_ours:
            yield is_ours

    def is_run_lock_held(self, name: str) -> bool:
        return bool(self.value(IS_HELD, [_lock_number(name)]))

    def log_position(self) -> str | None:
        return str(self.value("SELECT pg_current_wal_lsn()"))

    def is_replica(self) -> bool:
        return bool(self.value("SELECT pg_is_in_recovery()"))

    def replica_lag(self, position: str | None) -> float | None:
        lag: float | None = self.value(_LAG, [position])
        return lag

    session_number = "pg_backend_pid()"
    isolation_level = "current_setting('transaction_isolation')"

    def create_scratch(self, name: str, model: type[Model]) -> Scratch:
        table = self.q(name)
        with transaction.atomic(using=self.using):
            source = self.q(model._meta.db_table)
            self.run(f"CREATE TABLE {table} (LIKE {source} INCLUDING ALL)")
            changes = [change for (change,) in self.fetch(_COPIED, [table] * 3)]
            if changes:
                self.run(f"ALTER TABLE {table} {', '.join(changes)}".replace("%", "%%"))
            for (index,) in self.fetch(_COPIED_INDEXES, [table]):
                self.run(f"DROP INDEX {index}".replace("%", "%%"))
        return Scratch(name=name, table=name, database=str(self.connection.settings_dict["NAME"]))

    def index_columns(self, tables: Sequence[str]) -> list[tuple[str, str, str]]:
        return self._fetch_of(_INDEXES, tables)
