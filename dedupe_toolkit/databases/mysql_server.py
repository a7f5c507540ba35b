"""MySQL, where it differs from MariaDB: a statement may name a temporary table only once.

What names a work table again (error 1137, "Can't reopen table") is given a copy of it, made
anew for each statement: a copy that is kept goes stale by a rollback.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from .mysql import MySQLFamily, typed
from .names import derived

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from .tables import Column

# not any name in quotes: a text may hold one quote alone
_NAMED = re.compile(r"`(dedupe_[^`]+)`")
_LONGEST = 2**30 - 1
_work_tables: WeakKeyDictionary[Any, set[str]] = WeakKeyDictionary()


class MySQL(MySQLFamily):
    exact_collation = "utf8mb4_0900_bin"
    unpacks = False
    isolation_level = "@@transaction_isolation"
    is_index_used = "is_visible = 'YES'"
    most_questions = 1  # two that name one work table would need a copy of it

    def run(self, sql: str, params: Sequence[Any] = ()) -> int:
        return super().run(self._naming_once(sql), params)

    def fetch(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return super().fetch(self._naming_once(sql), params)

    def make_work_table(
        self,
        name: str,
        columns: Mapping[str, str],
        *,
        primary_key: Sequence[str],
        indexes: Sequence[str] = (),
    ) -> None:
        super().make_work_table(name, columns, primary_key=primary_key, indexes=indexes)
        _work_tables.setdefault(self.connection, set()).add(name)

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
        keep: Sequence[str] = (),
    ) -> int:
        # the source is named first, but what is written must be the table itself
        return super().update(
            table,
            assignments,
            source=self._copy(source, 1) if source == table else source,
            on=on,
            where=where,
            where_source=where_source,
            params=params,
            keep=keep,
        )

    def from_image(self, image: str, position: int, column: Column) -> str:
        # of its own accord it returns 512 characters at most, and NULL for what is longer
        value = f"JSON_VALUE({image}, '$[{position}]' RETURNING CHAR({_LONGEST}))"
        return typed(value, column)

    def reading_again(self, rows: str, query: Callable[[str], str]) -> str:
        # a common table that is read twice opens the work tables in it twice, unseen
        return query(f"({rows})")

    def _naming_once(self, sql: str) -> str:
        """The statement with a copy in place of each further mention of a work table."""
        known = _work_tables.get(self.connection, set())
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
