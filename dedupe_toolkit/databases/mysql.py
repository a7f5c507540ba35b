"""What MariaDB and MySQL share: multi-table UPDATE and DELETE, no DDL once work tables are made."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from django.db.models import Count

from .base import Database, Numbered
from .fitting import widened
from .mysql_expressions import MySQLExpressions
from .mysql_rights import MySQLRights
from .mysql_rules import shown_rule
from .mysql_sessions import MySQLSessions
from .mysql_sorting import LONGEST, SORTED, may_be_cut, sorting_whole
from .places import of_mysql
from .scratch import Scratch
from .tables import Column, Table, pk_fields
from .trying import COPY, rule_on

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from django.db import DatabaseError
    from django.db.models import Model, UniqueConstraint

    from .kept_tables import Shape
    from .named_rows import NamedRows
    from .rules import LiveRule

_COLLATION = """
SELECT table_name, table_collation FROM information_schema.tables
WHERE table_schema = %s AND table_name IN ({tables})
"""
# a key is too long, or has a column without a length
_TOO_LONG = (1071, 1170)
# an expression comes to JSON or a shape, to a text of any length, or does not always come out alike
_NO_KEY = (3753, 3757, 3758)
_NO_SUCH_TABLE = 1146
_UNIQUE_INDEXES = """
SELECT DISTINCT index_name FROM information_schema.statistics
WHERE table_schema = DATABASE() AND table_name = %s AND NOT non_unique AND index_name <> 'PRIMARY'
"""
_NO_LIMIT = 2**64 - 1
_LONG_TEXTS = ("tinytext", "text", "mediumtext", "longtext")


class MySQLFamily(MySQLRights, MySQLExpressions, MySQLSessions, Database):
    find_places = staticmethod(of_mysql)
    join = "STRAIGHT_JOIN"
    cuts_lists = True
    sorted_bytes = SORTED
    longest_sorted = LONGEST

    @staticmethod
    def count_of_rows(model: type[Model]) -> Count:
        # sorts the rows; COUNT(*) looks each group up in a temporary table, 7 to 11 times slower
        is_composite = len(pk_fields(model)) > 1
        return Count("*") if is_composite else Count("pk", distinct=True)

    def unpacked(self, keys: str, column: Column) -> str:
        return f"JSON_TABLE({keys}, '$[*]' COLUMNS (value {column.definition} PATH '$'))"

    def insert_numbered(self, insert: str, table: str) -> Numbered:
        rows = self.run(insert)
        # LAST_INSERT_ID(), as the server has told: the key of the first row, in spite of its name
        first = int(self.connection.connection.insert_id())
        # others may have inserted rows between several of ours
        last = self.value(f"SELECT MAX(id) FROM {self.q(table)}") if rows > 1 else first
        return Numbered(rows=rows, first=first, last=last)

    def make_work_table(self, name: str, shape: Shape) -> None:
        # a TIMESTAMP that is not said to be nullable turns NULL into now, where that is so set
        nullable = {c: " NULL" for c, k in shape.columns.items() if k.startswith("timestamp")}
        nullable |= dict.fromkeys(shape.primary_key, "")
        parts = [f"{self.q(c)} {kind}{nullable.get(c, '')}" for c, kind in shape.columns.items()]
        parts.append(f"PRIMARY KEY ({', '.join(map(self.q, shape.primary_key))})")
        parts += [f"KEY ({self.q(index)})" for index in shape.indexes]
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

    def wide(self, column: Column) -> str:
        return widened(column.definition, text="longtext", number="decimal(65,30)")

    image_type = "longtext"

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

    def knows_time_zone(self, name: str) -> bool:
        return self.value("SELECT CONVERT_TZ('2000-01-01', 'UTC', %s)", [name]) is not None

    def create_scratch(self, name: str, model: type[Model]) -> Scratch:
        table = self.q(name)
        self.run(f"CREATE TABLE {table} LIKE {self.q(model._meta.db_table)}")
        drops = [f"DROP INDEX {self.q(index)}" for (index,) in self.fetch(_UNIQUE_INDEXES, [name])]
        if drops:
            self.run(f"ALTER TABLE {table} {', '.join(drops)}")
        return Scratch(name=name, table=name, database=str(self.connection.settings_dict["NAME"]))

    def index_part(self, column: Column) -> str:
        is_long = column.definition.startswith(_LONG_TEXTS)
        # long texts are indexed by their beginning only, and a key fits into that
        return f"{self.q(column.name)}(64)" if is_long else self.q(column.name)
