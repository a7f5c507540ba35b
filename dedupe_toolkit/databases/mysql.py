"""What MariaDB and MySQL share: multi-table UPDATE and DELETE, no DDL once work tables are made."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from itertools import groupby, product
from math import ceil
from typing import TYPE_CHECKING, Any

from django.db import DatabaseError
from django.db.models import Count, UUIDField

from .base import Database, Numbered, json_path
from .fitting import fitting, widened
from .identities import identities, mysql_fold, mysql_identity
from .mysql_checks import demands
from .mysql_rules import rule_parts, shown_rule
from .mysql_sorting import LONGEST, SORTED, may_be_cut, sorting_whole
from .names import spelled
from .places import of_mysql
from .scratch import Scratch
from .settings import set_back
from .tables import Column, Table, pk_fields
from .trying import COPY, rule_on

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from django.db.models import Model, UniqueConstraint

    from .checks import Demand
    from .named_rows import NamedRows
    from .rules import LiveRule, RulePart

_COLLATION = """
SELECT table_name, table_collation FROM information_schema.tables
WHERE table_schema = %s AND table_name IN ({tables})
"""
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
_LAX = {"NO_ZERO_DATE", "NO_ZERO_IN_DATE", "TRADITIONAL", "PAD_CHAR_TO_FULL_LENGTH"}
_STRICT = {"STRICT_ALL_TABLES", "NO_AUTO_VALUE_ON_ZERO", "ALLOW_INVALID_DATES"}

# lock wait timeout, deadlock
_LOCK_WAIT = 1205
_PASSING = (_LOCK_WAIT, 1213)
_PATIENCE = "innodb_lock_wait_timeout"
# a key is too long, or has a column without a length
_TOO_LONG = (1071, 1170)
# an expression comes to JSON or a shape, to a text of any length, or does not always come out alike
_NO_KEY = (3753, 3757, 3758)
_NO_SUCH_TABLE = 1146
# what a trigger says with SIGNAL, or does that cannot be done: the table is in use, a value is
# missing, is none, or divided by zero, a query finds several rows; and what is longer than
# max_allowed_packet or group_concat_max_len
_OF_ROWS = (1644, 1442, 1364, 1292, 1366, 1365, 1172, 1242, 1301, 1260)
_READ_ONLY = "it is read only, a replica perhaps: name the alias of the primary with --database"
_REFUSALS = {
    1021: "free some space on its disk",
    1044: "merging takes the right CREATE TEMPORARY TABLES on the database",
    1142: "grant the database user this right on the table",
    1143: "grant the database user this right on the column",
    1205: "another session holds these rows: see innodb_lock_wait_timeout",
    1227: "grant the database user this right",
    1290: _READ_ONLY,
    1317: "somebody has ended the statement",
    1792: _READ_ONLY,
    1836: _READ_ONLY,
    1969: "max_statement_time is how long a statement may take: raise it for this session",
    3024: "max_execution_time is how long a statement may take: raise it for this session",
    1045: "see the user and password in DATABASES",
    2002: "see the host and port in DATABASES, and whether the server is running",
    2003: "see the host and port in DATABASES, and whether the server is running",
    2006: "the server has closed the connection: see wait_timeout and max_allowed_packet",
    2013: "the server has closed the connection: see wait_timeout and max_allowed_packet",
}
# MariaDB shows what a key does to those alone who may do more with its table than read it
_FOREIGN_KEYS = """
SELECT k.referenced_table_name, k.table_name, k.table_schema, k.constraint_name, 'waits',
       COALESCE(r.delete_rule, 'CASCADE') NOT IN ('NO ACTION', 'RESTRICT'),
       k.column_name, k.referenced_column_name
FROM information_schema.key_column_usage k
LEFT JOIN information_schema.referential_constraints r ON r.constraint_schema = k.constraint_schema
     AND r.constraint_name = k.constraint_name AND r.table_name = k.table_name {here_r}
WHERE k.referenced_table_schema = %s AND k.referenced_table_name IN ({tables}) {here_k}
ORDER BY 1, 2, 3, 4, k.ordinal_position
"""
_OWN_KEYS = """
SELECT table_name, referenced_table_name, referenced_table_schema, constraint_name, 'waits', 0,
       column_name, referenced_column_name
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
_UNIQUE_INDEXES = """
SELECT DISTINCT index_name FROM information_schema.statistics
WHERE table_schema = DATABASE() AND table_name = %s AND NOT non_unique AND index_name <> 'PRIMARY'
"""
_NO_LIMIT = 2**64 - 1
_LONG = ("mediumtext", "longtext", "mediumblob", "longblob", "json")
_SHORT = 2_000_000
_LONG_TEXTS = ("tinytext", "text", "mediumtext", "longtext")


class MySQLFamily(Database):
    is_index_used: str
    """SQL on the catalogue that is true for an index which look-ups are not told to pass by."""

    find_places = staticmethod(of_mysql)
    join = "STRAIGHT_JOIN"
    cuts_lists = True
    sorted_bytes = SORTED
    longest_sorted = LONGEST
    locks_gaps = True

    @staticmethod
    def count_of_rows(model: type[Model]) -> Count:
        # sorts the rows; COUNT(*) looks each group up in a temporary table, 7 to 11 times slower
        is_composite = len(pk_fields(model)) > 1
        return Count("*") if is_composite else Count("pk", distinct=True)

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

    def unpacked(self, keys: str, column: Column) -> str:
        return f"JSON_TABLE({keys}, '$[*]' COLUMNS (value {column.definition} PATH '$'))"

    def rule_parts(self, tables: Sequence[str]) -> Iterable[RulePart]:
        return rule_parts(self, tables)

    def demands_of(self, tables: Sequence[str]) -> Iterable[tuple[str, Demand]]:
        return demands(self, tables)

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

    def insert_numbered(self, insert: str, table: str) -> Numbered:
        rows = self.run(insert)
        # LAST_INSERT_ID(), as the server has told: the key of the first row, in spite of its name
        first = int(self.connection.connection.insert_id())
        # others may have inserted rows between several of ours
        last = self.value(f"SELECT MAX(id) FROM {self.q(table)}") if rows > 1 else first
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
        # a TIMESTAMP that is not said to be nullable turns NULL into now, where that is so set
        nullable = {c: " NULL" for c, k in columns.items() if k.startswith("timestamp")}
        nullable |= dict.fromkeys(primary_key, "")
        parts = [f"{self.q(c)} {kind}{nullable.get(c, '')}" for c, kind in columns.items()]
        if primary_key:
            parts.append(f"PRIMARY KEY ({', '.join(map(self.q, primary_key))})")
        parts += [f"KEY ({self.q(index)})" for index in indexes]
        # named, as a rollback must take back what a batch did to it
        self.run(f"CREATE TEMPORARY TABLE {self.q(name)} ({', '.join(parts)}) ENGINE=InnoDB")

    def try_rule(
        self, model: type[Model], constraint: UniqueConstraint, *, longest: Sequence[str] = ()
    ) -> LiveRule | None:
        # the index with the table: one that is made later would end a transaction
        statement = rule_on(COPY, self, model, constraint)
        named = [c.name for c in self.table(model).columns if self.q(c.name) in str(statement)]
        # some servers want a primary key of every table
        statement.template = (
            f"CREATE TEMPORARY TABLE {COPY} (dedupe_number bigint AUTO_INCREMENT PRIMARY KEY,"
            " UNIQUE KEY %(name)s (%(columns)s)) ENGINE=InnoDB"
        )
        listed = ", ".join(map(self.q, named))
        self.drop_work_table(COPY)
        self.run(f"{statement} SELECT {listed} FROM {self.q(model._meta.db_table)} LIMIT 0")
        ((_, shown),) = self.fetch(f"SHOW CREATE TABLE {COPY}")
        self.drop_work_table(COPY)
        return shown_rule(COPY, shown).spelled(self._spellings(model))

    def own_collation(self, model: type[Model], column: str) -> str:
        _, _, collation = self.table(model).column(column).definition.partition(" COLLATE ")
        ((_, default),) = self.fetch_of(_COLLATION, [model._meta.db_table])
        return "" if collation == default else collation

    def instead_of_rule(self, error: DatabaseError) -> str:
        if error.args and error.args[0] in _TOO_LONG:
            return (
                "shorten the column, or keep a hash of it in another (a GeneratedField with MD5,"
                " say) and make that unique"
            )
        if error.args and error.args[0] in _NO_KEY:
            return "keep the result in a column and make that unique"
        return ""

    def counting(self, column: Column) -> str:
        name = self.q(column.name)
        return f"{name} {column.definition} AUTO_INCREMENT, KEY ({name})"

    def keeping_work_tables(self) -> AbstractContextManager[None]:
        # InnoDB never purges what is deleted of a temporary table: a statement would read past the
        # rows of all batches before it
        return nullcontext()

    def drop_work_table(self, name: str) -> None:
        self.run(f"DROP TEMPORARY TABLE IF EXISTS {self.q(name)}")

    def is_table_missing(self, error: DatabaseError) -> bool:
        return bool(self.code_of(error) == _NO_SUCH_TABLE)

    def text_like(self, column: Column) -> str:
        # a key over 255 characters cannot be a primary key here, so nothing is cut off
        _, charset, collation = column.definition.partition(" CHARACTER SET")
        return f"varchar(255){charset}{collation}"

    def exact_text_like(self, column: Column) -> str:
        # of two collations of one character set the binary one decides
        kind, charset, declared = self.text_like(column).partition(" CHARACTER SET ")
        charset_name, _, _ = declared.partition(" COLLATE ")
        return f"{kind}{charset}{charset_name} COLLATE {charset_name}_bin" if charset else kind

    def may_be_cut(self, column: Column) -> bool:
        return may_be_cut(column.definition)

    @contextmanager
    def sorting_whole(self, length: int, texts: int) -> Iterator[None]:
        with sorting_whole(self, length, texts):
            yield

    def fits(self, column: Column, field: Any) -> str:
        return fitting(self.q(column.name), column.definition)

    def wide(self, column: Column) -> str:
        return widened(column.definition, text="longtext", number="decimal(65,30)")

    def as_stored(self, column: Column, sql: str) -> str:
        is_decimal = column.definition.startswith("decimal")
        return f"CAST({sql} AS {column.definition.split()[0]})" if is_decimal else sql

    def image(self, columns: Sequence[tuple[Column, str]]) -> str:
        if all(column.is_integer for column, _ in columns):
            # digits need no escaping
            digits = (f"COALESCE(CONCAT('\"', {sql}, '\"'), 'null')" for _, sql in columns)
            return "CONCAT('[', " + ", ', ', ".join(digits) + ", ']')"
        return f"JSON_ARRAY({', '.join(_exact(column, sql) for column, sql in columns)})"

    image_type = "longtext"
    joined_at_most = ("group_concat_max_len", "max_allowed_packet")

    def is_too_long(self, table: Table, alias: str) -> str:
        long = [c for c in table.stored if c.definition.startswith(_LONG)]
        if not long:
            return ""
        size = " + ".join(f"COALESCE(OCTET_LENGTH({alias}.{self.q(c.name)}), 0)" for c in long)
        image = self.image([(c, f"{alias}.{self.q(c.name)}") for c in table.stored])
        # escaping makes six characters of one at most; the other columns are short. Of JSON it is
        # the text that has a limit
        return (
            f"CASE WHEN ({size}) * 6 + {_SHORT} < @@max_allowed_packet THEN 0"
            f" ELSE CAST({image} AS CHAR) IS NULL END = 1"
        )

    def key_text(self, columns: Sequence[tuple[Column, str]]) -> str:
        if len(columns) == 1:
            return _exact(*columns[0])
        return self.image(columns)

    def from_key_text(self, text: str, position: int, columns: Sequence[Column]) -> str:
        column = columns[position]
        key = typed(text, column) if len(columns) == 1 else self.from_image(text, position, column)
        # compares as the column does
        return self.as_text(key, column.definition)

    def as_python_text(self, sql: str, field: Any) -> str:
        if isinstance(field, UUIDField) and not self.connection.features.has_native_uuid_field:
            cuts = [(1, 8), (9, 4), (13, 4), (17, 4), (21, 12)]
            parts = ", ".join(f"SUBSTR({sql}, {start}, {size})" for start, size in cuts)
            return f"CONCAT_WS('-', {parts})"
        # a CAST has a collation of its own, which does not compare with that of every column
        return f"CONCAT({sql}, '')"

    def same(self, left: str, right: str, column: Column) -> str:
        # as bytes: collations call 'Ann' and 'ann ' equal
        return f"CAST({left} AS BINARY) <=> CAST({right} AS BINARY)"

    def exact(self, sql: str, column: Column) -> str:
        # a long value would be sorted by its beginning
        is_long = column.definition.startswith(_LONG)
        return f"SHA2({sql}, 256)" if is_long else f"CAST({sql} AS BINARY)"

    def same_text(self, left: str, right: str) -> str:
        return f"CAST({left} AS BINARY) = CAST({right} AS BINARY)"

    def characters(self, sql: str) -> str:
        return f"CHAR_LENGTH({sql})"  # its LENGTH counts bytes

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
        self, table: str, assigned: Mapping[str, str], rows: NamedRows, *, keep: Sequence[str] = ()
    ) -> int:
        sets = [f"t.{self.q(a)} = m.{self.q(b)}" for a, b in assigned.items()]
        # ON UPDATE CURRENT_TIMESTAMP does nothing to a column that is written
        sets += [f"t.{self.q(one)} = t.{self.q(one)}" for one in keep if one not in assigned]
        return self.run(
            f"UPDATE {self._joined(table, rows)} SET {', '.join(sets)}"
            f" WHERE {' AND '.join(rows.conditions) or '1 = 1'}"
        )

    def delete(self, table: str, rows: NamedRows) -> int:
        return self.run(
            f"DELETE t FROM {self._joined(table, rows)}"
            f" WHERE {' AND '.join(rows.conditions) or '1 = 1'}"
        )

    def _joined(self, table: str, rows: NamedRows) -> str:
        source = self.q(rows.source)
        return f"{source} AS m STRAIGHT_JOIN {self.q(table)} AS t ON {self.matches(rows)}"

    def lock_rows(self, table: Table, rows: NamedRows, *, stay: str = "") -> None:
        # one strength for all: a foreign key's check takes a shared lock of the row, and what lets
        # that pass, LOCK IN SHARE MODE, is in the way of a survivor's own update by the batch: with
        # a child whose transaction holds the row as well, that ends in a deadlock
        # in the order of the key, so that two merges cannot wait for each other: rows are locked
        # as they are read, and MariaDB would read the keys by any index that has them all. The
        # limit keeps a subquery's order
        keys = ", ".join(map(self.q, rows.on.values()))
        self.run(
            f"SELECT COUNT(*) FROM (SELECT DISTINCT {keys} FROM {self.q(rows.source)}"
            f" ORDER BY {keys} LIMIT {_NO_LIMIT}) AS m"
            f" STRAIGHT_JOIN {self.q(table.name)} AS t ON {self.matches(rows)} FOR UPDATE"
        )

    @contextmanager
    def exactly(self, *, patience: float = 0) -> Iterator[None]:
        # a value that does not fit is an error, and none that is there already does not fit
        names = ["sql_mode", *([_PATIENCE] if patience else [])]
        (before,) = self.fetch(f"SELECT {', '.join(f'@@SESSION.{name}' for name in names)}")
        modes = set(filter(None, str(before[0]).split(","))) - _LAX | _STRICT
        wanted = [",".join(sorted(modes)), *([ceil(patience)] if patience else [])]
        with self._session(names, wanted, list(before)):
            yield

    @contextmanager
    def restoring(self) -> Iterator[None]:
        zone = str(self.value("SELECT @@SESSION.time_zone"))
        with self.exactly(), self._session(["time_zone"], ["+00:00"], [zone]):
            yield

    @contextmanager
    def _session(
        self, names: Sequence[str], values: Sequence[Any], before: Sequence[Any]
    ) -> Iterator[None]:
        change = f"SET SESSION {', '.join(f'{name} = %s' for name in names)}"
        self.run(change, values)
        with set_back(self.connection, change, before):
            yield

    waited_for = (
        "SELECT EXISTS (SELECT 1 FROM performance_schema.data_lock_waits"
        " WHERE blocking_thread_id = ps_current_thread_id())"
    )

    def is_waited_for(self) -> bool:
        try:
            return bool(self.value(self.waited_for))
        except DatabaseError:  # the user may not look
            return True

    def begin_batch(self) -> None:
        self.run("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")

    @contextmanager
    def broken_foreign_keys(self) -> Iterator[None]:
        # InnoDB checks row by row; switched off for the statements that need it only
        self.run("SET SESSION foreign_key_checks = 0")
        with set_back(self.connection, "SET SESSION foreign_key_checks = 1"):
            yield

    def knows_time_zone(self, name: str) -> bool:
        return self.value("SELECT CONVERT_TZ('2000-01-01', 'UTC', %s)", [name]) is not None

    refusals = _REFUSALS
    lock_waits = (_LOCK_WAIT,)
    collisions = (1062,)

    def is_transient(self, error: DatabaseError) -> bool:
        return bool(error.args) and error.args[0] in _PASSING

    def is_caused_by_rows(self, error: DatabaseError) -> bool:
        return super().is_caused_by_rows(error) or (bool(error.args) and error.args[0] in _OF_ROWS)

    @contextmanager
    def run_lock(self, name: str) -> Iterator[bool]:
        full = _lock_name(name)
        taken = bool(self.value(f"SELECT GET_LOCK({full}, 0)"))
        with set_back(self.connection, f"DO RELEASE_LOCK({full})") if taken else nullcontext():
            yield taken

    def is_run_lock_held(self, name: str) -> bool:
        return self.value(f"SELECT IS_USED_LOCK({_lock_name(name)})") is not None

    show_replica = "SHOW REPLICA STATUS"

    def is_replica(self) -> bool:
        return bool(self._replication())

    def replica_lag(self, position: str | None) -> float | None:
        lags = [_lag(channel) for channel in self._replication()]
        running = [lag for lag in lags if lag is not None]
        # of several sources the slowest counts, and one that stands still most of all
        return max(running) if running and len(running) == len(lags) else None

    def _replication(self) -> list[dict[str, Any]]:
        """What the server says of each source that it repeats."""
        with self.connection.cursor() as cursor:
            cursor.execute(self.show_replica)
            names = [column[0] for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    session_number = "CONNECTION_ID()"

    def create_scratch(self, name: str, model: type[Model]) -> Scratch:
        table = self.q(name)
        self.run(f"CREATE TABLE {table} LIKE {self.q(model._meta.db_table)}")
        drops = [f"DROP INDEX {self.q(index)}" for (index,) in self.fetch(_UNIQUE_INDEXES, [name])]
        if drops:
            self.run(f"ALTER TABLE {table} {', '.join(drops)}")
        return Scratch(name=name, table=name, database=str(self.connection.settings_dict["NAME"]))

    def index_columns(self, tables: Sequence[str]) -> list[tuple[str, str, str]]:
        return list(self.fetch_of(_INDEXES.replace("{is_used}", self.is_index_used), tables))

    def as_text(self, sql: str, definition: str) -> str:
        # columns of different collations compare with an error
        _, _, declared = definition.partition(" CHARACTER SET ")
        charset, collate, collation = declared.partition(" COLLATE ")
        return f"CONVERT({sql} USING {charset}){collate}{collation}" if charset else sql

    def index_part(self, column: Column) -> str:
        is_long = column.definition.startswith(_LONG_TEXTS)
        # long texts are indexed by their beginning only, and a key fits into that
        return f"{self.q(column.name)}(64)" if is_long else self.q(column.name)


def _lag(channel: dict[str, Any]) -> float | None:
    """Seconds behind; None if a thread of it stands still, when the number says nothing."""
    # MySQL and MariaDB call the same things by different names
    by_ending = {name.partition("_")[2]: value for name, value in channel.items()}
    if (by_ending["IO_Running"], by_ending["SQL_Running"]) != ("Yes", "Yes"):
        return None
    (seconds,) = (value for name, value in channel.items() if name.startswith("Seconds_Behind"))
    return None if seconds is None else float(seconds)


def _lock_name(name: str) -> str:
    # locks are server-wide, so the database's name is part of theirs; 64 characters at most
    return f"SHA2(CONCAT('dedupe_toolkit', DATABASE(), '{name}'), 224)"


def _exact(column: Column, sql: str) -> str:
    if column.is_binary:
        return f"HEX({sql})"
    if column.definition.startswith("timestamp"):
        # in no zone's time, in which an hour comes twice a year; zero is no moment
        moment = f"DATE_ADD('1970-01-01', INTERVAL UNIX_TIMESTAMP({sql}) SECOND)"
        return f"IF({sql} = 0, CAST({sql} AS CHAR), CAST({moment} AS CHAR))"
    # the text of a FLOAT has six digits, that of the DOUBLE it fits into has all
    value = f"CAST({sql} AS DOUBLE)" if column.definition.startswith("float") else sql
    return f"CAST({value} AS CHAR)"


def typed(text: str, column: Column) -> str:
    """Text as a value that compares with the column by its index, not as floating point."""
    if column.is_binary:
        return f"UNHEX({text})"
    if column.is_integer:
        signed = "UNSIGNED" if "unsigned" in column.definition else "SIGNED"
        return f"CAST({text} AS {signed})"
    return text
