"""The groups held back while a mapping is analysed, each with the first reason found."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

from .mapping import Mapping, create, move_groups

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..databases import Database
    from ..databases.tables import Column


class Held:
    """A work table of group numbers with a reason each: a sentence, and the rows it names."""

    def __init__(self, database: Database, name: str) -> None:
        self.database = database
        self.name = name
        self._sentences: list[str] = []
        columns = {"group_number": "bigint", "reason": "integer"}
        columns |= {"first_row": "varchar(500)", "second_row": "varchar(500)"}
        database.create_work_table(name, columns, primary_key=["group_number"])
        self._rows: Mapping | None = None

    def __len__(self) -> int:
        return int(self.database.value(f"SELECT COUNT(*) FROM {self.database.q(self.name)}"))

    def add(self, sentence: str, source: str, params: Sequence[Any] = (), **rows: str) -> int:
        """Hold back the groups that ``source`` selects; returns how many were not held yet.

        ``source`` is SQL from FROM on, in which ``x.group_number`` is the group; ``first`` and
        ``second`` are SQL for the keys that stand in the sentence as {first} and {second}.
        """
        self._sentences.append(sentence)
        first, second = rows.get("first", "''"), rows.get("second", "''")
        table = self.database.q(self.name)
        return self.database.run(
            f"INSERT INTO {table} (group_number, reason, first_row, second_row)"
            f" SELECT y.g, {len(self._sentences) - 1}, y.a, y.b FROM ("
            f"SELECT x.group_number AS g, {first} AS a, {second} AS b, ROW_NUMBER() OVER"
            f" (PARTITION BY x.group_number ORDER BY {first}, {second}) AS n {source}) y"
            f" WHERE y.n = 1 AND NOT EXISTS"
            f" (SELECT 1 FROM {table} h WHERE h.group_number = y.g)",
            params,
        )

    def reasons(self) -> dict[int, str]:
        """The reason of every group held back so far, by group number."""
        rows = self.database.fetch(
            "SELECT group_number, reason, first_row, second_row"
            f" FROM {self.database.q(self.name)} ORDER BY group_number"
        )
        return {
            number: self._sentences[reason].format(first=first, second=second)
            for number, reason, first, second in rows
        }

    def take_out(self, mapping: Mapping) -> None:
        """Take the groups held back so far out of a mapping, and keep their rows to be named."""
        if self._rows is None:
            self._rows = create(self.database, replace(mapping, name=f"{self.name}_rows"))
        held = f"SELECT h.group_number FROM {self.database.q(self.name)} h"
        move_groups(self.database, mapping, self._rows, f"group_number IN ({held})")

    def rows(self) -> Iterator[tuple[int, list[list[Any]]]]:
        """The number and the members' keys of each group taken out, survivors first."""
        if self._rows is None:
            return
        members = ", ".join(self.database.qualified("m", self._rows.members))
        found = self.database.fetch(
            f"SELECT m.group_number, {members} FROM {self.database.q(self._rows.name)} m"
            " ORDER BY m.group_number, m.place"
        )
        for number, rows in groupby(found, key=lambda row: int(row[0])):
            yield number, [list(row[1:]) for row in rows]

    def key(self, alias: str, columns: Sequence[Column], names: Sequence[str]) -> str:
        """SQL for a primary key as a reason names it."""
        values = self.database.qualified(alias, names)
        return self.database.key_text(list(zip(columns, values, strict=True)))
