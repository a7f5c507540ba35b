"""Statements of one connection, and the names that stand in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .caching import recalled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.backends.base.base import BaseDatabaseWrapper


class Statements:
    """One connection: what it executes and how it quotes names."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection
        self.using = connection.alias

    def run(self, sql: str, params: Sequence[Any] = ()) -> int:
        """Execute one statement; returns the number of rows it changed."""
        with self.connection.cursor() as cursor:
            cursor.execute(sql, params)
            return int(cursor.rowcount)

    def fetch(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            cursor.execute(sql, params)
            return list(cursor.fetchall())

    def look_up(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """What the catalogue says; while `recalling`, what it said some minutes ago at most."""
        return recalled(self.connection, (sql, *params), lambda: self.fetch(sql, params))

    def value(self, sql: str, params: Sequence[Any] = ()) -> Any:
        return self.fetch(sql, params)[0][0]

    most_questions = 200
    """How many queries stand in one statement of `answers`: it may be only so long."""

    def answers(self, queries: Sequence[str]) -> list[Any]:
        """What queries for one value each find, many to a statement."""
        found: list[Any] = []
        for start in range(0, len(queries), self.most_questions):
            listed = ", ".join(f"({sql})" for sql in queries[start : start + self.most_questions])
            found += self._answered(f"SELECT {listed}")
        return found

    def _answered(self, questions: str) -> tuple[Any, ...]:
        return self.fetch(questions)[0]

    def q(self, name: str) -> str:
        """The name, quoted, and safe among placeholders."""
        return str(self.connection.ops.quote_name(name)).replace("%", "%%")

    def qualified(self, alias: str, columns: Sequence[str]) -> list[str]:
        return [f"{alias}.{self.q(column)}" for column in columns]
