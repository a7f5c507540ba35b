"""MySQL, where it differs from MariaDB: a statement may name a temporary table only once.

What names a work table again (error 1137, "Can't reopen table") is given a copy of it, made
anew for each statement: a copy that is kept goes stale by a rollback. Of a few rows the copy is
one in JSON, which can be named as often as there are questions: see `mysql_rows`.
"""

from __future__ import annotations

import re
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from django.db import DatabaseError

from .mysql import MySQLFamily
from .mysql_rows import TOO_MANY, TooManyRows, can_be_held, common_tables, holding
from .mysql_sorting import for_statement
from .names import derived

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from .kept_tables import Shape
    from .named_rows import NamedRows
    from .tables import Column

# not any name in quotes: a text may hold one quote alone
_NAMED = re.compile(r"`(dedupe_[^`]+)`")
_LONGEST = 2**30 - 1
_INSERTING = re.compile(r"INSERT INTO `[^`]+` \([^)]*\) ")
_work_tables: WeakKeyDictionary[Any, dict[str, Mapping[str, str]]] = WeakKeyDictionary()


class MySQL(MySQLFamily):
    exact_collation = "utf8mb4_0900_bin"
    unpacks = False
    isolation_level = "@@transaction_isolation"
    is_index_used = "is_visible = 'YES'"
    rights_kept = "NOT @@partial_revokes"

    def run(self, sql: str, params: Sequence[Any] = ()) -> int:
        return int(self._naming_once(super().run, sql, params))

    def fetch(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return list(self._naming_once(super().fetch, sql, params))

    def answers(self, queries: Sequence[str]) -> list[Any]:
        if len(queries) > 1:
            with suppress(TooManyRows):
                return super().answers(queries)
        # else each might need a copy of what it names for each of the others
        return [self.value(sql) for sql in queries]

    def _answered(self, questions: str) -> tuple[Any, ...]:
        (found,) = self._holding(super().fetch, self._tables_in(questions), questions)
        return tuple(found)

    def make_work_table(self, name: str, shape: Shape) -> None:
        super().make_work_table(name, shape)
        _work_tables.setdefault(self.connection, {})[name] = shape.columns

    def update(
        self, table: str, assigned: Mapping[str, str], rows: NamedRows, *, keep: Sequence[str] = ()
    ) -> int:
        # the source is named first, but what is written must be the table itself
        if rows.source == table:
            rows = replace(rows, source=self._copy(table, 1))
        return super().update(table, assigned, rows, keep=keep)

    def sorted_whole(self, head: str, select: str, texts: int) -> str:
        hints = " ".join(f"SET_VAR({setting})" for setting in for_statement(texts))
        return f"{head} SELECT /*+ {hints} */ {select.removeprefix('SELECT ')}"

    def image_text(self, image: str, position: int) -> str:
        # of its own accord it returns 512 characters at most, and NULL for what is longer
        return f"JSON_VALUE({image}, '$[{position}]' RETURNING CHAR({_LONGEST}))"

    def unread(self, columns: Sequence[Column], alias: str) -> Mapping[str, str]:
        jsons = [column.name for column in columns if column.definition == "json"]
        return {
            f"{name} holds JSON with a decimal, a moment or bytes that were put into it by SQL, and"
            " its text would be read as something else": self._is_misread(f"{alias}.{self.q(name)}")
            for name in jsons
        }

    def _is_misread(self, sql: str) -> str:
        """SQL that is true for JSON whose text makes other JSON, or JSON of another text.

        A decimal is equal to the DOUBLE that is read of its text, and its type alone tells.
        """
        text = f"CAST({sql} AS CHAR)"
        read = f"CAST({text} AS JSON)"
        every = f"JSON_EXTRACT({sql}, '$', '$**.*', '$**[*]')"
        typed = f"JSON_TABLE({every}, '$[*]' COLUMNS (v JSON PATH '$')) x"
        return (
            f"(NOT ({read} <=> {sql} AND CAST({read} AS CHAR) <=> {text})"
            f" OR EXISTS (SELECT 1 FROM {typed} WHERE JSON_TYPE(x.v) = 'DECIMAL'))"
        )

    def reading_again(self, rows: str, query: Callable[[str], str]) -> str:
        # a common table that is read twice opens the work tables in it twice, unseen
        return query(f"({rows})")

    def _tables_in(self, sql: str, least: int = 1) -> dict[str, Mapping[str, str]]:
        """The work tables that SQL names at least so often, with their columns."""
        known = _work_tables.get(self.connection, {})
        times = Counter(_NAMED.findall(sql))
        return {name: known[name] for name in known if times[name] >= least}

    def _naming_once(self, execute: Any, sql: str, params: Sequence[Any]) -> Any:
        """Execute a statement that may name work tables more than once."""
        again = self._tables_in(sql, 2)
        if again:
            with suppress(TooManyRows):
                return self._holding(execute, again, sql, params)
            sql = self._with_copies(sql)
        return execute(sql, params)

    def _holding(
        self,
        execute: Any,
        tables: Mapping[str, Mapping[str, str]],
        sql: str,
        params: Sequence[Any] = (),
    ) -> Any:
        """Execute a SELECT, or an INSERT of one, of which JSON holds the rows of these tables.

        Raises `TooManyRows` where it cannot.
        """
        inserting = _INSERTING.match(sql)
        start = inserting.end() if inserting else 0
        if not (sql.startswith("SELECT", start) and all(map(can_be_held, tables.values()))):
            raise TooManyRows
        if tables:
            super().run(holding(self, tables))
            sql = f"{sql[:start]}{common_tables(self, tables)}{sql[start:]}"
        try:
            return execute(sql, params)
        except DatabaseError as error:
            if self.code_of(error) == TOO_MANY:
                raise TooManyRows from error
            raise

    def _with_copies(self, sql: str) -> str:
        known = _work_tables.get(self.connection, {})
        times: Counter[str] = Counter()

        def mention(match: re.Match[str]) -> str:
            name = match[1]
            times[name] += 1
            is_again = name in known and times[name] > 1
            return self.q(self._copy(name, times[name])) if is_again else match[0]

        return _NAMED.sub(mention, sql)

    def _copy(self, name: str, number: int) -> str:
        copy = derived(name, number, "copy")
        super().run(f"DROP TEMPORARY TABLE IF EXISTS {self.q(copy)}")
        super().run(f"CREATE TEMPORARY TABLE {self.q(copy)} LIKE {self.q(name)}")
        super().run(f"INSERT INTO {self.q(copy)} SELECT * FROM {self.q(name)}")
        return copy
