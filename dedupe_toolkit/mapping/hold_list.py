"""The groups held back while a mapping is analysed, each with the first reason found."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

from ..databases.names import derived, numbered
from ..sentences import Sentence
from .mapping import MergeMap, create
from .whole_groups import move_groups

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ..databases import Database
    from ..databases.tables import Column
    from ..plan_values import HeldCollisions


class HoldList:
    """A work table of group numbers with a reason each: a `Sentence`, and the rows it names."""

    def __init__(self, database: Database, name: str) -> None:
        self.database = database
        self.name = name
        self._told: list[tuple[str, Mapping[str, Any], Mapping[str, str]]] = []
        self._groups = 0
        self._rows: MergeMap | None = None
        self.ties: Counter[tuple[str, str]] = Counter()
        """How many rows tie groups taken out together, by the two references that do it."""
        self.collisions: list[HeldCollisions] = []
        """How the rows differ that collide and hold groups back, table by table."""

    def __len__(self) -> int:
        return self._groups

    def add(
        self,
        code: str,
        source: str,
        params: Sequence[Any] = (),
        *,
        told: Mapping[str, Any] | None = None,
        listed: Mapping[str, str] | None = None,
        **rows: str,
    ) -> int:
        """Hold back the groups that ``source`` selects; returns how many were not held yet.

        ``code`` is that of the reason, which speaks of what is ``told``. ``source`` is SQL from
        FROM on, in which ``x.group_number`` is the group; ``first`` and ``second`` are SQL for the
        keys that stand in the sentence as {first} and {second}. ``which`` is SQL for the image of
        a flag for each of the fields ``listed``, with a text each: those whose flag is 1 stand in
        the sentence as {fields}, and their texts as {which}.
        """
        if not self._told:
            self._create()
        self._told.append((code, told or {}, listed or {}))
        first, second, which = (rows.get(name, "''") for name in ("first", "second", "which"))
        table = self.database.q(self.name)
        added = self.database.run(
            f"INSERT INTO {table} (group_number, reason, first_row, second_row, which)"
            f" SELECT y.g, {len(self._told) - 1}, y.a, y.b, y.w FROM ("
            f"SELECT x.group_number AS g, {first} AS a, {second} AS b, {which} AS w,"
            f" ROW_NUMBER() OVER (PARTITION BY x.group_number ORDER BY {first}, {second}) AS n"
            f" {source}) y"
            f" WHERE y.n = 1 AND NOT EXISTS"
            f" (SELECT 1 FROM {table} h WHERE h.group_number = y.g)",
            params,
        )
        self._groups += added
        return added

    def add_rows(self, code: str, rows: str, pk: Sequence[Column], told: Mapping[str, Any]) -> int:
        """Hold back the groups (``m``) of rows (``t``), of which the first one stands in the
        sentence, by its primary key, as {first}.

        ``rows`` is SQL from FROM on. The rest is as in `add`.
        """
        names = numbered("key", len(pk))
        own = self.database.qualified("t", [column.name for column in pk])
        named = ", ".join(f"{sql} AS {name}" for sql, name in zip(own, names, strict=True))
        source = f"FROM (SELECT m.group_number, {named} {rows}) x"
        return self.add(code, source, told=told, first=self.key("x", pk, names))

    def add_one(self, code: str, number: int, first: str, told: Mapping[str, Any]) -> int:
        """Hold back one group, of which this row stands in the sentence as {first}."""
        source = f"FROM (SELECT {int(number)} AS group_number) x"
        return self.add(code, source, told=told, first=self.database.literal(first))

    def _create(self) -> None:
        columns = {"group_number": "bigint", "reason": "integer"}
        columns |= dict.fromkeys(("first_row", "second_row", "which"), "varchar(500)")
        self.database.create_work_table(self.name, columns, primary_key=["group_number"])

    def reasons(self) -> dict[int, Sentence]:
        """The reason of every group held back so far, by group number."""
        if not self._told:
            return {}
        rows = self.database.fetch(
            "SELECT group_number, reason, first_row, second_row, which"
            f" FROM {self.database.q(self.name)} ORDER BY group_number"
        )
        return {int(number): self._reason(*facts) for number, *facts in rows}

    def _reason(self, reason: int, first: str, second: str, which: str) -> Sentence:
        code, told, listed = self._told[reason]
        rows = {name: row for name, row in (("first", first), ("second", second)) if row}
        if not which:
            return Sentence(code, **told, **rows)
        flags = zip(listed.items(), json.loads(which), strict=True)
        named = dict(field for field, flag in flags if str(flag) == "1")
        return Sentence(code, **told, **rows, fields=list(named), which=list(named.values()))

    def take_out(self, mapping: MergeMap) -> None:
        """Take the groups held back so far out of a mapping, and keep their rows to be named."""
        if not self._groups:
            return
        if self._rows is None:
            self._rows = create(self.database, replace(mapping, name=derived(self.name, "rows")))
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
        return self.database.key_text(columns, values)
