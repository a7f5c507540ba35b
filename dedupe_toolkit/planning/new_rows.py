"""The rows of a table as a merge will leave them, as far as demands depend on it.

In a work table, filled and changed step by step as the merge will change the table itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..databases.names import numbered
from ..databases.relations import Relation
from ..databases.tables import definitions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..databases import Database
    from ..databases.named_rows import NamedRows
    from ..databases.tables import Column, Table

_GONE = "dedupe_gone"


@dataclass(frozen=True, kw_only=True)
class NewRows:
    """Copies of the rows that a merge touches, in the work table ``name``.

    ``columns`` are those of the table that are copied, ``by`` names for each that may change the
    column that says which group has changed it. Rows keep the key they had under `keys`.
    """

    database: Database
    name: str
    table: Table
    columns: tuple[Column, ...]
    by: Mapping[str, str]

    @property
    def keys(self) -> list[str]:
        return numbered("dedupe_k", len(self.table.pk))

    def create(self) -> None:
        types = definitions(self.keys, self.table.pk)
        types |= {column.name: column.definition for column in self.columns}
        types |= dict.fromkeys([*self.by.values(), _GONE], "bigint")
        self.database.create_work_table(self.name, types, primary_key=self.keys)

    def take(self, source: str) -> None:
        """Copy the rows (``t``) that SQL from FROM on selects, unless they are there."""
        database = self.database
        names = [column.name for column in self.columns]
        into = ", ".join(map(database.q, [*self.keys, *names]))
        values = ", ".join([*self.raw_keys("t"), *database.qualified("t", names)])
        database.run(
            f"INSERT INTO {database.q(self.name)} ({into}) SELECT {values} {source}"
            f" AND {self.is_unknown('t')}"
        )

    def take_named(self, rows: NamedRows) -> None:
        """Copy the rows of the table that a work table names."""
        self.take(self.database.selecting(self.table, rows))

    def update(self, assigned: Mapping[str, str], rows: NamedRows) -> None:
        """Set columns of the copies as the merge will set those of the table."""
        self.database.update(self.name, assigned, rows)

    def drop(self, rows: NamedRows) -> None:
        """The rows that a work table names will be gone."""
        # also those that nothing has changed so far: what repoints them later must pass them by
        self.take_named(rows)
        self.update({_GONE: "group_number"}, rows)

    def relation(self) -> Relation:
        """The rows that will be there, with `keys` and what has changed them for facts."""
        facts = (*self.keys, *self.by.values())
        names = tuple(column.name for column in self.columns)
        listed = ", ".join([*map(self.database.q, names), *facts])
        sql = f"(SELECT {listed} FROM {self.database.q(self.name)} WHERE {_GONE} IS NULL)"
        return Relation(sql=sql, columns=names, facts=facts)

    def blamed(self, columns: Iterable[str]) -> str:
        """SQL for a group that has changed one of these columns of a row, NULL if none has."""
        groups = [self.by[column] for column in sorted(columns) if column in self.by]
        return f"COALESCE({', '.join([*groups, 'NULL'])})"

    def raw_keys(self, alias: str) -> list[str]:
        return self.database.qualified(alias, self.table.key)

    def is_unknown(self, alias: str) -> str:
        """SQL that is true for rows of the table itself that have no copy."""
        copied = self.database.qualified("g", self.keys)
        same = self.database.equal(copied, self.raw_keys(alias))
        return f"NOT EXISTS (SELECT 1 FROM {self.database.q(self.name)} g WHERE {same})"

    def as_table(self, columns: Iterable[str]) -> Table:
        """The copies in place of the table, with the key and some of the other columns."""
        wanted = {*columns, *(key.name for key in self.table.pk)}
        return replace(
            self.table,
            name=self.name,
            columns=tuple(column for column in self.columns if column.name in wanted),
        )
